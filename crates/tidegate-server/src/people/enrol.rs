//! Enrolment by a link that an administrator gave out.

use super::credentials::{AppAnswer, Owner};
use super::{Error, PasskeyAnswer, People, fresh, lock};
use crate::clock;
use serde_json::Value;
use tidegate_identity::people::passkey::{creation_options, register};
use tidegate_identity::people::{
    Challenge, Fact, FreshCodes, LinkKey, PersonHandle, Purpose, State, link_key,
};
use tidegate_types::ids::PersonName;
use tidegate_types::time::Time;

/// Whom a link lets in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invited {
    /// Who.
    pub person: PersonName,
    /// When the link lapses.
    pub until: Time,
    pub(super) link: LinkKey,
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
        let found = self.desk.look(|desk| {
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

    /// What a browser is asked to make a first passkey by.
    ///
    /// # Errors
    /// When the link is not good.
    pub fn ask_first_passkey(&self, secret: &str) -> Result<Value, Error> {
        let (party, now, invited) = (self.party()?, clock::now(), self.invited(secret)?);
        let challenge = Challenge::new(Purpose::Enrol, fresh()?, now);
        let (handle, name) = (invited.handle(), invited.person.as_str());
        let options = creation_options(party, &challenge, handle, name, &[], false);
        lock(&self.challenges).begin(secret, challenge, now);
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
            let passkey = register(party, challenge, person, made, known, None, now)
                .map_err(Error::Passkey)?;
            let before = handle_of(state, &invited.person);
            Ok((before, vec![invited.used(origin, now), Fact::PasskeyAdded { passkey }]))
        });
        let before = before.await?;
        self.forget_sealed(before).await
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
        let owner = Owner { handle: invited.handle(), name: invited.person.clone() };
        let set = self.prepare(secret, &owner, answer).await?;
        let before = self.record(|state, now| {
            // Another may have used it meanwhile.
            let invited = self.invited_in(state, secret, now)?;
            let enrolled = std::iter::once(invited.used(origin, now));
            let before = handle_of(state, &invited.person);
            Ok((before, enrolled.chain(set.facts(owner.handle, now)).collect()))
        });
        let before = before.await?;
        self.forget_sealed(before).await?;
        Ok(set.into_codes())
    }
}

/// Who has a name until a link of that name is used.
fn handle_of(state: &State, name: &PersonName) -> Option<PersonHandle> {
    state.named(name.as_str()).map(|(handle, _)| handle)
}
