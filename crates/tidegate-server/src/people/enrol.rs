//! Enrolment by a link that an administrator gave out.

use super::credentials::{AppAnswer, Owner};
use super::{Error, PasskeyAnswer, People, fresh, lock, unavailable};
use crate::clock;
use crate::config::OWNER;
use serde_json::Value;
use std::collections::BTreeMap;
use tidegate_core::state::State as DeskState;
use tidegate_identity::people::passkey::{creation_options, register};
use tidegate_identity::people::{
    Challenge, Fact, FreshCodes, LinkKey, OneTimeText, Password, PersonHandle, Purpose, State,
    fresh_link, link_key,
};
use tidegate_types::approval::Act;
use tidegate_types::codec::from_bytes;
use tidegate_types::codec_struct;
use tidegate_types::ids::PersonName;
use tidegate_types::person::{Person, Role};
use tidegate_types::record::{Approvals, ApproveBy, Change};
use tidegate_types::time::{Span, Time};
use tidegate_vault::CallerSecrets;

/// Whom a link lets in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invited {
    /// Who.
    pub person: PersonName,
    /// When the link lapses.
    pub until: Time,
    pub(super) link: LinkKey,
}

/// How long the first administrator's link is good: the desk is set up in between.
const FIRST_LINK_LIFETIME: Span = Span::from_secs(7 * 24 * 3600);

/// The link that `init` makes, kept sealed: who uses it becomes the desk's first administrator, if there is
/// none by then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FirstAdmin {
    person: PersonName,
    link: LinkKey,
    until: Time,
}
codec_struct!(FirstAdmin { person, link, until });

impl FirstAdmin {
    /// An invitation of somebody, and the link's secret, to be shown once.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn invite(person: PersonName) -> Result<(FirstAdmin, OneTimeText), Error> {
        let (secret, link) = fresh_link(&fresh()?);
        let until = clock::now().plus(FIRST_LINK_LIFETIME);
        Ok((FirstAdmin { person, link, until }, secret))
    }
}

/// Every link that was given out or waits for a second person: what is kept of it, and when it lapses.
pub(crate) fn links(desk: &DeskState, secrets: &CallerSecrets) -> BTreeMap<LinkKey, Time> {
    let given = desk.invitations().values().map(|it| (it.link, it.until));
    let waiting = desk.approvals().waiting().filter_map(|request| match request.approval.act {
        Act::Change { change: Change::PersonInvited { link, until, .. } } => Some((link, until)),
        _ => None,
    });
    // One that cannot be read lets nobody in.
    let first = secrets.first_admin().ok().flatten();
    let first = first.and_then(|it| from_bytes::<FirstAdmin>(it.expose()).ok());
    given.chain(waiting).chain(first.map(|it| (it.link, it.until))).collect()
}

/// The address of a link.
pub fn link_at(origin: &str, secret: &OneTimeText) -> String {
    format!("{origin}/console/enrol#{}", secret.expose())
}

impl Invited {
    /// The handle that the person has once the link was used: part of the digest of the link's random
    /// secret, so that each link makes another one.
    pub(super) fn handle(&self) -> PersonHandle {
        let mut handle = [0; 16];
        handle.iter_mut().zip(self.link).for_each(|(to, from)| *to = from);
        PersonHandle(handle)
    }

    pub(super) fn used(&self, origin: &str, at: Time) -> Fact {
        Fact::Enrolled {
            person: self.handle(),
            name: self.person.clone(),
            link: self.link,
            until: self.until,
            origin: origin.to_owned(),
            at,
        }
    }
}

impl People {
    /// Whom a link lets in, without using it up: mail scanners open links as well.
    ///
    /// # Errors
    /// When it lets nobody in: it never did, it was used, or it lapsed.
    pub fn invited(&self, secret: &str) -> Result<Invited, Error> {
        self.invited_in(&self.state(), secret, clock::now())
    }

    pub(super) fn invited_in(
        &self,
        state: &State,
        secret: &str,
        now: Time,
    ) -> Result<Invited, Error> {
        let link = link_key(secret);
        let first = self.first_admin.as_ref().filter(|it| it.link == link && now < it.until);
        let enrolled = |person: &Person| state.named(person.name.as_str()).is_some();
        let found = self.desk.look(|desk| {
            // The role may be on record and the enrolment not, if the journal failed between the two.
            let is_seat = |first: &&FirstAdmin| {
                let mut admins = desk.people().values().filter(|person| person.is(Role::Admin));
                let seated = desk.people().get(&first.person).is_some_and(|it| it.is(Role::Admin));
                !desk.has_admin() || seated && !admins.any(enrolled)
            };
            if let Some(first) = first.filter(is_seat) {
                return Some((first.person.clone(), first.until));
            }
            let mut all = desk.invitations().iter();
            let (person, invitation) = all.find(|(_, one)| one.link == link && now < one.until)?;
            desk.people().contains_key(person).then(|| (person.clone(), invitation.until))
        });
        match found {
            Some((person, until)) if !state.used_links().contains(&link) => {
                Ok(Invited { person, until, link })
            }
            _ => Err(Error::Link),
        }
    }

    /// Since when a person is enrolled, and until when the link is good that it has and did not use.
    pub fn standing(&self, name: &str) -> (Option<Time>, Option<Time>) {
        let (now, state) = (clock::now(), self.state());
        let since = state.named(name).map(|(_, member)| member.since);
        let link = self.desk.look(|desk| {
            let mut all = desk.invitations().iter();
            let (_, one) = all.find(|(person, _)| person.as_str() == name)?;
            let open = now < one.until && !state.used_links().contains(&one.link);
            open.then_some(one.until)
        });
        (since, link)
    }

    /// Makes who was invited as the first administrator one, if that is how they come in: from here on the
    /// table of roles holds for everybody.
    pub(super) fn seat(&self, state: &State, invited: &Invited) -> Result<(), Error> {
        let seated = || {
            self.desk.look(|desk| desk.has_admin() && desk.people().contains_key(&invited.person))
        };
        let first = self.first_admin.as_ref().is_some_and(|it| it.link == invited.link);
        if !first || seated() {
            return Ok(());
        }
        if !self.has_second(state, &invited.person) {
            return Err(Error::Count(
                "two people loosen here, and no approver is enrolled yet, without whom nobody could be let in \
                 later: have one enrol first; your link stays good",
            ));
        }
        let known = self.person(&invited.person);
        let Person { mut roles, owns, reads, .. } =
            known.unwrap_or_else(|| Person::new(invited.person.clone(), vec![], vec![], vec![]));
        roles.push(Role::Admin);
        let person = Person::new(invited.person.clone(), roles, owns, reads);
        let owner = PersonName::new(OWNER).map_err(unavailable)?;
        // It is on record before what follows, and what follows is waited for.
        drop(self.desk.administer(owner, Change::PersonSet { person }));
        if seated() {
            Ok(())
        } else {
            Err(Error::Unavailable("the desk does not take it".to_owned()))
        }
    }

    /// Whether a desk that takes two has an approver besides this person who can approve.
    fn has_second(&self, state: &State, person: &PersonName) -> bool {
        self.desk.look(|desk| {
            let can = |other: &Person| {
                let Some((_, member)) = state.named(other.name.as_str()) else { return false };
                let asked = self.attesters(&other.roles).is_some();
                let any = desk.approve_by() == ApproveBy::Any && !asked;
                any || member.passkeys.iter().any(|key| self.counts(&other.roles, key))
            };
            let mut others = desk.people().values().filter(|other| other.name != *person);
            desk.approvals_needed() == Approvals::One
                || others.any(|other| other.is(Role::Approver) && can(other))
        })
    }

    /// The roles that somebody has once the link was used.
    pub(super) fn roles_of(&self, invited: &Invited) -> Vec<Role> {
        let first = self.first_admin.as_ref().is_some_and(|it| it.link == invited.link);
        self.roles(&invited.person).into_iter().chain(first.then_some(Role::Admin)).collect()
    }

    /// Whether a link may be used for another way to log in than a passkey.
    pub fn takes_more_than_passkeys(&self, invited: &Invited) -> bool {
        self.attesters(&self.roles_of(invited)).is_none()
    }

    /// What a browser is asked to make a first passkey by.
    ///
    /// # Errors
    /// When the link is not good.
    pub fn ask_first_passkey(&self, secret: &str) -> Result<Value, Error> {
        let (party, now, invited) = (self.party()?, clock::now(), self.invited(secret)?);
        let challenge = Challenge::new(Purpose::Enrol, fresh()?, now);
        let (handle, name) = (invited.handle(), invited.person.as_str());
        let proof = self.attesters(&self.roles_of(&invited)).is_some();
        let options = creation_options(party, &challenge, handle, name, &[], proof);
        lock(&self.challenges).begin((handle, secret), challenge, now);
        Ok(options)
    }

    /// Uses a link up for a passkey.
    ///
    /// # Errors
    /// When the link or the passkey is not good; the link is good still in the latter case.
    pub async fn enrol_passkey(
        &self,
        secret: &str,
        answer: &PasskeyAnswer,
        origin: &str,
    ) -> Result<(), Error> {
        let party = self.party()?;
        let challenge = lock(&self.challenges).take(secret, Purpose::Enrol, clock::now());
        let challenge = challenge.map_err(Error::Passkey)?;
        let before = self.record(|state, now| {
            let invited = self.invited_in(state, secret, now)?;
            let known = |id: &[u8]| state.passkey(id).is_some();
            let (person, made) = (invited.handle(), answer.registration());
            let roles = self.roles_of(&invited);
            let makers = self.attesters(&roles);
            let passkey = register(party, challenge, person, made, known, makers, now)
                .map_err(Error::Passkey)?;
            self.check_counts(&roles, &passkey)?;
            let before = password_of(state, &invited.person);
            self.seat(state, &invited)?;
            Ok((before, vec![invited.used(origin, now), Fact::PasskeyAdded { passkey }]))
        });
        let before = before.await?;
        self.forget_sealed(before.map(|before| before.sealed)).await;
        Ok(())
    }

    /// Uses a link up for a password and an authenticator app; the recovery codes, to be shown once.
    ///
    /// # Errors
    /// When the link, the password or the code is not good; the link is good still in the latter cases.
    pub async fn enrol_password(
        &self,
        secret: &str,
        answer: AppAnswer,
        origin: &str,
    ) -> Result<FreshCodes, Error> {
        let invited = self.invited(secret)?;
        self.check_unasked(&self.roles_of(&invited))?;
        let owner = Owner { handle: invited.handle(), name: invited.person.clone() };
        let set = self.prepare(secret, &owner, answer).await?;
        self.settle(set, |state, now, set| {
            // Another may have used it meanwhile.
            let invited = self.invited_in(state, secret, now)?;
            self.check_unasked(&self.roles_of(&invited))?;
            self.seat(state, &invited)?;
            let enrolled = std::iter::once(invited.used(origin, now));
            let before = password_of(state, &invited.person);
            Ok((before, enrolled.chain(set.facts(owner.handle, now)).collect()))
        })
        .await
    }
}

/// The password of whoever has a name until a link of that name is used.
pub(super) fn password_of(state: &State, name: &PersonName) -> Option<Password> {
    state.named(name.as_str()).and_then(|(_, member)| member.password)
}
