//! Links by which a person gets in without a credential: the first time, or after all were lost.

use super::PersonHandle;
use super::hidden::{OneTimeText, sha256};
use std::collections::BTreeMap;
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_enum, codec_struct};

/// How long a link is good.
pub const LINK_LIFETIME: Span = Span::from_secs(24 * 3600);

/// The links in force, by the digests of their secrets. A person has one at most.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Invitations {
    by_digest: BTreeMap<[u8; 32], Invitation>,
}
codec_struct!(Invitations { by_digest });

/// What a link is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// Whom it lets in.
    pub person: PersonHandle,
    /// To do what.
    pub link: Link,
    /// When it lapses.
    pub until: Time,
}
codec_struct!(Invitation { person, link, until });

/// What a person may do who holds a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// Enrol the first credentials of a new person.
    Enrol,
    /// Enrol new credentials after the old ones were revoked.
    Recover,
}
codec_enum!(Link { 0 => Enrol, 1 => Recover });

/// Why a link does not let anybody in: it never did, it was used, or it lapsed. Which of these is
/// nobody's business who does not hold a good one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkError;

impl Invitations {
    /// Makes a link's secret; a link that the person had before is good no more. `random` must be
    /// fresh from the system's generator.
    pub fn issue(
        &mut self,
        person: PersonHandle,
        link: Link,
        random: &[u8; 32],
        now: Time,
    ) -> OneTimeText {
        self.revoke(person);
        self.by_digest.retain(|_, invitation| now < invitation.until);
        let secret = OneTimeText::of_random(random);
        let invitation = Invitation { person, link, until: now.plus(LINK_LIFETIME) };
        self.by_digest.insert(sha256(secret.expose().as_bytes()), invitation);
        secret
    }

    /// What a link is good for, without using it up: for the page that it opens, which mail scanners
    /// open as well.
    ///
    /// # Errors
    /// When it is not in force.
    pub fn look(&self, secret: &str, now: Time) -> Result<Invitation, LinkError> {
        let found = self.by_digest.get(&sha256(secret.as_bytes()));
        found.filter(|invitation| now < invitation.until).copied().ok_or(LinkError)
    }

    /// Uses a link up. The value must be stored before anything is done by it.
    ///
    /// # Errors
    /// When it is not in force.
    pub fn redeem(&mut self, secret: &str, now: Time) -> Result<Invitation, LinkError> {
        let found = self.by_digest.remove(&sha256(secret.as_bytes())).ok_or(LinkError)?;
        if now < found.until { Ok(found) } else { Err(LinkError) }
    }

    /// Takes a person's link back; whether there was one.
    pub fn revoke(&mut self, person: PersonHandle) -> bool {
        let before = self.by_digest.len();
        self.by_digest.retain(|_, invitation| invitation.person != person);
        self.by_digest.len() < before
    }
}

impl std::fmt::Display for LinkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the link is not good; ask an administrator for a new one")
    }
}

impl std::error::Error for LinkError {}

#[cfg(test)]
mod tests;
