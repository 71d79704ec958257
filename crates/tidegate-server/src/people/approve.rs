//! A passkey's signature over a digest: of a request for approval, or of what an app asks.

use super::credentials::credential_digest;
use super::{Error, PasskeyAnswer, People, Visitor, lock};
use crate::clock;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tidegate_core::roles::{self, Action};
use tidegate_core::state::State as CoreState;
use tidegate_identity::oauth::acr::Acr;
use tidegate_identity::oauth::client::ClientId;
use tidegate_identity::people::passkey::{Asserted, authenticate, request_options};
use tidegate_identity::people::{
    self as identity, Assurance, Challenge, Fact, Member, Passkey, PersonHandle, Purpose, Shown,
    Signature, State,
};
use tidegate_types::approval::Factor;
use tidegate_types::ids::{CallerName, PersonName};
use tidegate_types::time::Time;

/// How well and when the person was known who consents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// How well.
    pub acr: Acr,
    /// When.
    pub at: Time,
    /// By what, in the names of RFC 8176.
    pub amr: Vec<String>,
}

impl Known {
    /// What a login is worth to an app.
    pub fn by(assurance: &Assurance) -> Known {
        Known::of(assurance.shown(), assurance.last_shown())
    }

    fn of(shown: &[Shown], at: Time) -> Known {
        let best = shown.iter().map(|shown| acr(shown.factor())).max();
        let amr = identity::methods(shown).into_iter().map(str::to_owned).collect();
        Known { acr: best.unwrap_or(Acr::Password), at, amr }
    }
}

/// Whether a person decides what an app may have of its caller's rights: nobody does until there is an
/// administrator, since until then the owner of the data folder acts alone.
pub fn may_consent(state: &CoreState, person: &PersonName, app: &CallerName) -> bool {
    let own = state.people().get(person).is_some_and(|it| it.owns(app));
    state.has_admin() && roles::may(state, person, Action::Consent, own).is_ok()
}

/// A person as the subject of tokens. No client is called so: a client's name has no colon.
pub fn subject(person: PersonHandle) -> String {
    format!("person:{}", URL_SAFE_NO_PAD.encode(person.0))
}

impl People {
    /// What a browser is asked to sign `digest` by: the digest is the challenge.
    ///
    /// # Errors
    /// When the person has no passkey, or none of those that their role takes.
    pub fn ask_signature(
        &self,
        visitor: &Visitor,
        id: &str,
        digest: [u8; 32],
    ) -> Result<Value, Error> {
        if self.lacks_attested(visitor) {
            return Err(Error::NeedsAttested);
        }
        let lacking = "approving takes a passkey; add one under Security";
        self.ask_over(visitor, id, Challenge::new(Purpose::Approve, digest, clock::now()), lacking)
    }

    /// What a browser is asked to consent to `statement` by.
    ///
    /// # Errors
    /// When the person has no passkey.
    pub fn ask_consent(
        &self,
        visitor: &Visitor,
        id: &str,
        statement: &str,
    ) -> Result<Value, Error> {
        let digest = credential_digest(statement.as_bytes());
        let lacking = "this takes a passkey; add one under Security";
        self.ask_over(visitor, id, Challenge::new(Purpose::Consent, digest, clock::now()), lacking)
    }

    /// Takes a signature over `digest`, the one that the page showed of request `request`, and puts it
    /// on record.
    ///
    /// # Errors
    /// When it is not the person's, is over anything else, or is by a passkey that their role is not content with.
    pub async fn take_signature(
        &self,
        visitor: &Visitor,
        id: &str,
        (request, digest): (u64, [u8; 32]),
        answer: &PasskeyAnswer,
    ) -> Result<Factor, Error> {
        let challenge = self.challenge(id, Purpose::Approve)?;
        let signed = self.record(|state, now| {
            let (passkey, asserted) = self.asserted(state, visitor, challenge, answer, now)?;
            if !asserted.approves(&digest) {
                return Err(Error::OtherStatement);
            }
            if !self.counts(&visitor.roles, &passkey) {
                return Err(Error::NeedsAttested);
            }
            let credential = credential_digest(passkey.id());
            let (person, signature) = (visitor.handle, answer.signature());
            let facts =
                vec![Fact::PasskeyUsed { passkey }, Fact::Signed { person, request, signature }];
            Ok((Factor::Passkey { credential }, facts))
        });
        self.doubting(answer, signed.await).await
    }

    /// Takes a signature over `statement` and puts both on record.
    ///
    /// # Errors
    /// When it is not the person's, or is over anything else.
    pub async fn take_consent(
        &self,
        visitor: &Visitor,
        id: &str,
        statement: &str,
        answer: &PasskeyAnswer,
    ) -> Result<Known, Error> {
        let challenge = self.challenge(id, Purpose::Consent)?;
        let signed = self.record(|state, now| {
            let (passkey, asserted) = self.asserted(state, visitor, challenge, answer, now)?;
            if !asserted.consents(&credential_digest(statement.as_bytes())) {
                return Err(Error::OtherStatement);
            }
            let shown = self.worth(&passkey, &asserted);
            let consented = Fact::Consented {
                person: visitor.handle,
                statement: statement.to_owned(),
                signature: Some(answer.signature()),
            };
            let facts = vec![Fact::PasskeyUsed { passkey }, consented];
            Ok((Known::of(&[shown], shown.at()), facts))
        });
        self.doubting(answer, signed.await).await
    }

    /// Puts on record that a person consents to `statement` by the session alone.
    ///
    /// # Errors
    /// When it cannot be put on record.
    pub async fn note_consent(&self, visitor: &Visitor, statement: &str) -> Result<Known, Error> {
        let consented = Fact::Consented {
            person: visitor.handle,
            statement: statement.to_owned(),
            signature: None,
        };
        self.record(|_, _| Ok((Known::by(&visitor.assurance), vec![consented]))).await
    }

    /// Who the subject of tokens is, if a person who is there.
    pub fn named(&self, named: &str) -> Option<PersonName> {
        let is_named = |(handle, _): &(&PersonHandle, &Member)| subject(**handle) == named;
        self.state().members().iter().find(is_named).map(|(_, it)| it.name.clone())
    }

    /// Whether what the subject of tokens granted to an app is still for them to grant.
    pub fn consents(&self, named: &str, app: &ClientId) -> bool {
        let (Some(person), Ok(app)) = (self.named(named), CallerName::new(app.as_str())) else {
            return false;
        };
        self.desk.look(|state| may_consent(state, &person, &app))
    }

    pub(super) fn ask_over(
        &self,
        visitor: &Visitor,
        id: &str,
        challenge: Challenge,
        lacking: &'static str,
    ) -> Result<Value, Error> {
        let party = self.party()?;
        let passkeys = self.credentials(visitor).map(|member| member.passkeys).unwrap_or_default();
        if passkeys.is_empty() {
            return Err(Error::Count(lacking));
        }
        let options = request_options(party, &challenge, &passkeys);
        lock(&self.challenges).begin((visitor.handle, id), challenge, clock::now());
        Ok(options)
    }

    pub(super) fn challenge(&self, id: &str, purpose: Purpose) -> Result<Challenge, Error> {
        lock(&self.challenges).take(id, purpose, clock::now()).map_err(Error::Passkey)
    }

    /// The person's own passkey, as it is after this use, and what it asserts.
    pub(super) fn asserted(
        &self,
        state: &State,
        visitor: &Visitor,
        challenge: Challenge,
        answer: &PasskeyAnswer,
        now: Time,
    ) -> Result<(Passkey, Asserted), Error> {
        let known = state.passkey(&answer.credential.0);
        let theirs = known.filter(|key| key.person() == visitor.handle);
        let mut passkey = theirs.ok_or(Error::Wrong)?.clone();
        let asserted =
            authenticate(self.party()?, challenge, &mut passkey, answer.assertion(), now)
                .map_err(Error::Passkey)?;
        Ok((passkey, asserted))
    }
}

impl PasskeyAnswer {
    fn signature(&self) -> Signature {
        Signature {
            credential: self.credential.0.clone(),
            client_data: self.client_data.0.clone(),
            authenticator_data: self.authenticator_data.0.clone(),
            signature: self.signature.0.clone(),
        }
    }
}

/// What a factor is worth to an app. Only a passkey of a model that proved it is called hardware.
const fn acr(factor: identity::Factor) -> Acr {
    use identity::Factor;
    match factor {
        Factor::Password | Factor::Outside => Acr::Password,
        Factor::Totp | Factor::RecoveryCode | Factor::OutsideTwo => Acr::TwoFactor,
        Factor::OutsideResistant => Acr::PhishingResistant,
        Factor::SyncedPasskey | Factor::DevicePasskey => Acr::PhishingResistant,
        Factor::AttestedPasskey => Acr::Hardware,
    }
}
