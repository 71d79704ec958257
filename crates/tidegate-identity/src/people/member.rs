//! What a person has to log in by, and what the sealed store keeps of it.

use super::notices::{Event, Notices};
use super::oidc::{Linked, OutsideIdentity};
use super::passkey::Passkey;
use super::password::StoredPassword;
use super::recovery::RecoveryCodes;
use super::totp::Totp;
use std::collections::BTreeMap;
use tidegate_types::codec_struct;
use tidegate_types::ids::PersonName;
use tidegate_types::time::Time;

/// What a person can log in by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Who.
    pub name: PersonName,
    /// Since when.
    pub since: Time,
    /// The passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// The password and the authenticator app, if they were set.
    pub password: Option<Password>,
    /// The app's first step of which no code was used.
    pub next_step: u64,
    /// The recovery codes that are left.
    pub recovery: RecoveryCodes,
    /// The outside identities by which they may log in, the oldest first.
    pub linked: Vec<Linked>,
    /// What the person calls its passkeys, by their ids.
    pub names: BTreeMap<Vec<u8>, String>,
    /// What happened to all of that.
    pub notices: Notices,
}
codec_struct!(Member {
    name,
    since,
    passkeys,
    password,
    next_step,
    recovery,
    linked,
    names,
    notices
});

/// That there is a password with an authenticator app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Password {
    /// Since when.
    pub set: Time,
    /// Which entry of the sealed store holds both.
    pub sealed: [u8; 16],
}
codec_struct!(Password { set, sealed });

/// What the sealed store keeps of a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// The password.
    pub password: StoredPassword,
    /// The authenticator app.
    pub totp: Totp,
}
codec_struct!(Sealed { password, totp });

impl Member {
    /// Takes note of something, but for what a person enrolled by.
    pub(super) fn note(&mut self, event: Event, at: Time) {
        if at != self.since {
            self.notices.add(event, at);
        }
    }

    pub(super) fn link(&mut self, identity: &OutsideIdentity, at: Time) {
        self.linked.push(Linked { identity: identity.clone(), since: at, last_used: None });
        self.note(Event::OutsideLinked, at);
    }

    pub(super) fn unlink(&mut self, identity: &OutsideIdentity, at: Time) {
        self.linked.retain(|it| it.identity != *identity);
        self.note(Event::OutsideUnlinked, at);
    }

    /// A login by an outside identity.
    pub(super) fn vouched(&mut self, identity: &OutsideIdentity, at: Time) {
        if let Some(linked) = self.linked.iter_mut().find(|it| it.identity == *identity) {
            linked.last_used = Some(at);
        }
    }
}
