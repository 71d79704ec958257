//! Whose passkeys must be of a model that the desk trusts (`[passkeys]`). Who has such a role without such a passkey
//! gets in and is told so; what a passkey signs, or loosens at once, takes one that counts.

use super::{Error, FRESH, People, Visitor, credential_digest};
use crate::clock;
use crate::config::Passkeys;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tidegate_identity::people::passkey::{Asserted, Attesters};
use tidegate_identity::people::{Level, Passkey, PasskeyError, Shown};
use tidegate_types::ids::PersonName;
use tidegate_types::person::Role;
use tidegate_types::time::Time;

/// Of whom proof of a passkey's model is asked, and which proofs hold.
#[derive(Debug)]
pub struct Attested {
    roles: Vec<Role>,
    attesters: Attesters,
    /// Since when: the models of before may have been others.
    since: Time,
}

impl Attested {
    /// What the settings ask for; none where they ask for nothing.
    ///
    /// # Errors
    /// When the makers' certificates cannot be read.
    pub fn configured(settings: &Passkeys) -> Result<Option<Attested>, String> {
        let roles = settings.roles();
        let Some(path) = settings.roots.as_ref().filter(|_| !roles.is_empty()) else {
            return Ok(None);
        };
        let wrong = |why: &dyn std::fmt::Display| format!("roots: {}: {why}", path.display());
        let read = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| wrong(&e))?;
        if read.is_empty() {
            return Err(wrong(&"holds no certificate"));
        }
        let makers: Vec<&[u8]> = read.iter().map(|maker| maker.as_ref()).collect();
        let attesters = Attesters::new(&makers, settings.aaguids());
        let attesters = attesters.map_err(|_| wrong(&"holds something that is no certificate"))?;
        Ok(Some(Attested { roles, attesters, since: clock::now() }))
    }
}

impl People {
    /// Asks for proof of passkeys' models from now on.
    pub fn ask_for_models(&self, attested: Attested) {
        // Told once at the start.
        let _ = self.attested.set(attested);
    }

    /// Whose proof a passkey of somebody with these roles needs; nobody's where none is asked.
    pub(super) fn attesters(&self, roles: &[Role]) -> Option<&Attesters> {
        let asked = self.attested.get()?;
        roles.iter().any(|role| asked.roles.contains(role)).then_some(&asked.attesters)
    }

    /// Whether a passkey is what is asked of somebody with these roles: where proof is asked, one that stays on
    /// a device of a trusted model.
    pub(super) fn counts(&self, roles: &[Role], passkey: &Passkey) -> bool {
        self.attesters(roles).is_none_or(|attesters| attesters.trust(passkey))
    }

    /// What a passkey that was shown is worth: of a trusted model only while that model is on the list, whatever
    /// it proved when it was made.
    pub(super) fn worth(&self, passkey: &Passkey, asserted: &Asserted) -> Shown {
        let trusts = |asked: &Attested| asked.attesters.trust(passkey);
        match self.attested.get().is_some_and(trusts) {
            true => asserted.shown(),
            false => asserted.shown().untrusted(),
        }
    }

    /// Since when the models are trusted that are trusted now; none where none are.
    pub(super) fn trusted_since(&self) -> Option<Time> {
        self.attested.get().map(|asked| asked.since)
    }

    /// Refuses a new passkey that does not count.
    pub(super) fn check_counts(&self, roles: &[Role], passkey: &Passkey) -> Result<(), Error> {
        match self.counts(roles, passkey) {
            true => Ok(()),
            false => Err(Error::Passkey(PasskeyError::Untrusted)),
        }
    }

    /// Refuses another way to log in than a passkey to those of whom proof of its model is asked.
    pub(super) fn check_unasked(&self, roles: &[Role]) -> Result<(), Error> {
        match self.attesters(roles) {
            None => Ok(()),
            Some(_) => Err(Error::NeedsAttested),
        }
    }

    /// Whether somebody's role takes a passkey of a trusted model, and they have none.
    pub fn lacks_attested(&self, visitor: &Visitor) -> bool {
        let asked = self.attesters(&visitor.roles).is_some();
        let has = |passkey: &Passkey| self.counts(&visitor.roles, passkey);
        asked && !self.credentials(visitor).is_some_and(|member| member.passkeys.iter().any(has))
    }

    /// Whether what a visitor showed of late is worth what their role takes.
    pub fn has_shown_enough(&self, visitor: &Visitor) -> bool {
        let level = visitor.assurance.level_within(FRESH, clock::now());
        self.attesters(&visitor.roles).is_none() || level >= Level::Three
    }

    /// Whether a person has a passkey by which they can ask and approve.
    pub fn can_sign(&self, name: &PersonName) -> bool {
        self.can_sign_without(name, &self.roles(name), None)
    }

    /// The same with these roles, once one of their passkeys is gone, known by SHA-256 of its id.
    pub(crate) fn can_sign_without(
        &self,
        name: &PersonName,
        roles: &[Role],
        lost: Option<[u8; 32]>,
    ) -> bool {
        let stays = |key: &&Passkey| lost.is_none_or(|lost| credential_digest(key.id()) != lost);
        let state = self.state();
        let member = state.named(name.as_str()).map(|(_, member)| member);
        member.is_some_and(|member| {
            member.passkeys.iter().filter(stays).any(|key| self.counts(roles, key))
        })
    }

    /// Whether a person's role takes a passkey of a trusted model.
    pub fn is_asked_for_model(&self, name: &PersonName) -> bool {
        self.asks_for_model(&self.roles(name))
    }

    /// Whether one of these roles takes a passkey of a trusted model.
    pub(crate) fn asks_for_model(&self, roles: &[Role]) -> bool {
        self.attesters(roles).is_some()
    }

    /// The roles of a person; none where there is no such person.
    pub(super) fn roles(&self, name: &PersonName) -> Vec<Role> {
        self.person(name).map(|person| person.roles).unwrap_or_default()
    }
}
