//! Logging in, linking and enrolling through an outside OpenID provider.
//!
//! Who somebody is there is bound to a person by that person alone, in a session by passkey or by the
//! link of their enrolment, never by a name or a mail address that the provider tells.

mod flows;
mod provider;

pub use flows::Door;
pub use provider::Provider;

use super::credentials::credential_digest;
use super::enrol::password_of;
use super::{Error, People, Visitor, fresh, lock};
use crate::clock;
use crate::oplog;
use provider::Trouble;
use serde_json::Value;
use tidegate_identity::people::oidc::{Flow, Login};
use tidegate_identity::people::{
    Actor, Begun, Fact, Factor, Linked, Member, OneTimeText, OutsideIdentity, SessionKey,
};
use tidegate_types::ids::PersonName;

/// Where the provider's answers come to.
pub(crate) const ANSWER_PAGE: &str = "/console/login/outside/answer";
/// Most identities of one person.
const MAX_LINKED: usize = 4;

/// What a provider's answer says, by way of the browser.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct OutsideAnswer {
    /// The login that it answers.
    pub state: String,
    /// What a token is got by.
    pub code: String,
    /// Who answers, if it says so.
    pub issuer: Option<String>,
    /// Whether nobody logged in.
    pub refused: bool,
}

/// What came of a login there.
#[derive(Debug)]
pub enum Arrived {
    /// A session, by its id, and whether it takes a code as well.
    Session(OneTimeText, bool),
    /// Another way to log in.
    Linked,
    /// An enrolment.
    Enrolled,
}

impl People {
    /// Trusts a provider from now on.
    pub fn trust(&self, provider: Provider) {
        // Told once at the start.
        let _ = self.outside.set(provider);
    }

    /// The provider that people may log in through, if there is one.
    pub fn outside(&self) -> Option<&Provider> {
        self.outside.get()
    }

    /// Begins a login there: where the browser goes, and the cookie that it is known by when it comes back.
    ///
    /// # Errors
    /// When the provider does not answer, or the person may not be linked now.
    pub async fn begin_outside(&self, door: Door) -> Result<(String, OneTimeText), Error> {
        let provider = self.provider()?;
        let flow = Flow::new(&fresh_three()?);
        let (cookie, browser) = SessionKey::fresh(&fresh()?);
        let begun = provider.begin(&flow, &self.answer_address()).await;
        let url = begun.map_err(|trouble| self.not_heard(&trouble))?;
        let state = credential_digest(flow.state.expose().as_bytes());
        lock(&provider.flows).begin(state, flow, door, browser.0, clock::now());
        Ok((url, cookie))
    }

    /// The same for somebody who wants to be linked.
    ///
    /// # Errors
    /// When the login is not fresh or not by passkey, or there are too many identities.
    pub async fn begin_link(&self, visitor: &Visitor) -> Result<(String, OneTimeText), Error> {
        self.check_unasked(&visitor.roles)?;
        let member = self.passkeys_changeable(visitor)?;
        room_to_link(&member)?;
        self.begin_outside(Door::Link { session: visitor.session, person: visitor.handle }).await
    }

    /// The same for somebody who enrols by a link.
    ///
    /// # Errors
    /// When the link is not good.
    pub async fn begin_enrol(&self, link: &str) -> Result<(String, OneTimeText), Error> {
        let invited = self.invited(link)?;
        self.check_unasked(&self.roles_of(&invited))?;
        self.begin_outside(Door::Enrol { link: link.to_owned().into() }).await
    }

    /// What comes of the provider's answer, in the browser of the cookie and the session, from `origin`.
    ///
    /// # Errors
    /// When the answer is not to a login that was begun in this browser, the provider's word is not taken,
    /// or the identity is nobody's here.
    pub async fn end_outside(
        &self,
        answer: &OutsideAnswer,
        (cookie, session): (&str, &str),
        origin: &str,
    ) -> Result<Arrived, Error> {
        let provider = self.provider()?;
        let state = credential_digest(answer.state.as_bytes());
        let open = lock(&provider.flows).take(&state, clock::now()).ok_or(Error::Outside)?;
        if open.browser != SessionKey::of(cookie).0 {
            return Err(Error::Outside);
        }
        let issuer = answer.issuer.as_deref();
        if answer.refused {
            let named = provider.answered(issuer).await;
            named.map_err(|trouble| self.not_heard(&trouble))?;
            return Err(Error::Outside);
        }
        let back = self.answer_address();
        let redeemed = provider.redeem(&open.flow, &answer.code, issuer, &back).await;
        let login = redeemed.map_err(|trouble| self.not_heard(&trouble))?;
        match open.door {
            Door::LogIn => self.log_in_outside(provider, login, origin).await,
            Door::Link { session: begun, person } => {
                let visitor = self.enter(session).await.filter(|visitor| visitor.session == begun);
                let visitor = visitor.filter(|visitor| visitor.handle == person);
                self.link(&visitor.ok_or(Error::Outside)?, login.identity).await
            }
            Door::Enrol { link } => self.enrol_outside(provider, &link, login, origin).await,
        }
    }

    async fn log_in_outside(
        &self,
        provider: &Provider,
        login: Login,
        origin: &str,
    ) -> Result<Arrived, Error> {
        let (id, key) = SessionKey::fresh(&fresh()?);
        let shown = provider.trust().shown(&login);
        let more = shown.factor() == Factor::Outside;
        let identity = login.identity.clone();
        let done = self.record(|state, at| {
            let (person, member) = state.linked(&login.identity).ok_or(Error::NotLinked)?;
            if more && member.password.is_none() {
                return Err(Error::Count(
                    "that login counts as one factor, and takes a code of an authenticator app as well; log in \
                     by passkey",
                ));
            }
            let begun: Begun = self.begun(state, person, shown, origin, at)?;
            Ok(((), vec![Fact::Vouched { person, login, at }, Fact::SessionBegun { key, begun }]))
        });
        let done = done.await;
        if done == Err(Error::NotLinked) {
            let OutsideIdentity { issuer, subject } = &identity;
            oplog::warn("outside-login-not-linked", &[("issuer", issuer), ("subject", subject)]);
        }
        done.map(|()| Arrived::Session(id, more))
    }

    /// Links whoever is in a session; their other sessions end.
    async fn link(&self, visitor: &Visitor, identity: OutsideIdentity) -> Result<Arrived, Error> {
        self.record(|state, at| {
            let person = visitor.handle;
            if state.linked(&identity).is_some() {
                return Err(Error::Count("that login is linked already"));
            }
            // Others may have been linked since this was begun.
            state.members().get(&person).map_or(Ok(()), room_to_link)?;
            let (but, by) = (Some(visitor.session), visitor.actor());
            let ended = Fact::SessionsEndedBy { person, but, by };
            Ok((Arrived::Linked, vec![Fact::Linked { person, identity, at }, ended]))
        })
        .await
    }

    /// Uses a link up for an identity, if a login there is whole by itself: nobody gets in by one factor alone.
    async fn enrol_outside(
        &self,
        provider: &Provider,
        link: &str,
        login: Login,
        origin: &str,
    ) -> Result<Arrived, Error> {
        if provider.trust().shown(&login).factor() == Factor::Outside {
            return Err(Error::Count(
                "that login counts as one factor, and takes a code of an authenticator app as well; enrol by \
                 passkey, or by password and app: your link stays good",
            ));
        }
        let identity = login.identity;
        let before = self.record(|state, at| {
            let invited = self.invited_in(state, link, at)?;
            self.check_unasked(&self.roles_of(&invited))?;
            let theirs = |member: &Member| member.name == invited.person;
            if state.linked(&identity).is_some_and(|(_, member)| !theirs(member)) {
                return Err(Error::Count("that login is linked already"));
            }
            let before = password_of(state, &invited.person);
            self.seat(state, &invited)?;
            let person = invited.handle();
            Ok((before, vec![invited.used(origin, at), Fact::Linked { person, identity, at }]))
        });
        let before = before.await?;
        self.forget_sealed(before.map(|before| before.sealed)).await;
        Ok(Arrived::Enrolled)
    }

    /// Unlinks an identity, known by its digest. The person's other sessions end, and this one where it
    /// rests on such a login.
    ///
    /// # Errors
    /// When the login is not fresh, or no way to log in would be left.
    pub async fn unlink_own(&self, visitor: &Visitor, which: &[u8; 32]) -> Result<(), Error> {
        self.changeable(visitor)?;
        let but = (!visitor.assurance.is_outside()).then_some(visitor.session);
        self.record(|state, at| {
            let person = visitor.handle;
            let member = state.members().get(&person).ok_or(Error::Wrong)?;
            let found = member.linked.iter().find(|it| identity_digest(&it.identity) == *which);
            let Some(Linked { identity, .. }) = found.cloned() else { return Ok(((), Vec::new())) };
            if member.passkeys.is_empty() && member.password.is_none() && member.linked.len() == 1 {
                return Err(Error::Count("this is the only way to log in; add another one first"));
            }
            let by = visitor.actor();
            let ended = Fact::SessionsEndedBy { person, but, by: by.clone() };
            Ok(((), vec![Fact::UnlinkedBy { person, identity, by, at }, ended]))
        })
        .await
    }

    /// The identities by which a person may log in.
    pub fn linked(&self, name: &PersonName) -> Vec<Linked> {
        let state = self.state();
        state.named(name.as_str()).map(|(_, member)| member.linked.clone()).unwrap_or_default()
    }

    /// Unlinks a person's identities at an issuer, or all of them; all their sessions end. How many that were.
    pub async fn unlink(
        &self,
        name: &PersonName,
        issuer: Option<&str>,
        by: Actor,
    ) -> Result<usize, Error> {
        self.record(|state, at| {
            let Some((person, member)) = state.named(name.as_str()) else {
                return Ok((0, Vec::new()));
            };
            let meant = |linked: &&Linked| issuer.is_none_or(|it| it == linked.identity.issuer);
            let unlinked = |linked: &Linked| {
                let identity = linked.identity.clone();
                Fact::UnlinkedBy { person, identity, by: by.clone(), at }
            };
            let mut facts: Vec<Fact> = member.linked.iter().filter(meant).map(unlinked).collect();
            let count = facts.len();
            if count > 0 {
                facts.push(Fact::SessionsEndedBy { person, but: None, by: by.clone() });
            }
            Ok((count, facts))
        })
        .await
    }

    /// Ends the sessions that rest on a login there, by the provider's word that it is over.
    ///
    /// # Errors
    /// When the token is not the provider's, came before, or cannot be put on record.
    pub async fn logged_out_outside(&self, token: &str) -> Result<(), Error> {
        let provider = self.provider()?;
        let out = provider.logged_out(token).await;
        let out = out.map_err(|trouble| self.not_heard(&trouble))?;
        self.record(|state, now| {
            let Some((person, _)) = state.linked(&out.identity) else {
                return Ok(((), Vec::new()));
            };
            let sessions = state.sessions().list(person, now).into_iter();
            let resting = sessions.filter(|session| session.assurance().is_outside());
            let issuer = &out.identity.issuer;
            let ended = resting.map(|it| {
                let by = Actor::Provider { issuer: issuer.clone() };
                Fact::SessionRevokedBy { person, number: it.number(), by }
            });
            Ok(((), ended.collect()))
        })
        .await
    }

    /// The key set by which the provider knows us.
    ///
    /// # Errors
    /// When there is no provider.
    pub fn outside_keys(&self) -> Result<Value, Error> {
        self.provider().map(Provider::public_keys)
    }

    fn provider(&self) -> Result<&Provider, Error> {
        self.outside().ok_or(Error::Outside)
    }

    fn answer_address(&self) -> String {
        format!("{}{ANSWER_PAGE}", self.origin())
    }

    /// What a person reads of it; the operator reads all.
    fn not_heard(&self, trouble: &Trouble) -> Error {
        trouble.log(self.outside().map_or("", Provider::issuer));
        match trouble {
            Trouble::Away(_) => Error::OutsideAway,
            Trouble::Refused(_) => Error::Outside,
            Trouble::Busy => Error::Busy,
        }
    }
}

/// By which an identity is named on pages.
pub(crate) fn identity_digest(identity: &OutsideIdentity) -> [u8; 32] {
    credential_digest(format!("{}\n{}", identity.issuer, identity.subject).as_bytes())
}

fn fresh_three() -> Result<[[u8; 32]; 3], Error> {
    Ok([fresh()?, fresh()?, fresh()?])
}

fn room_to_link(member: &Member) -> Result<(), Error> {
    if member.linked.len() >= MAX_LINKED {
        return Err(Error::Count("there are too many outside logins; unlink one first"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
