//! Links by which a person gets in without a credential: the first time, or after all were lost.
//!
//! Which link is whose newest is part of the desk's state, since giving one out is a change that may take
//! two people. Here is which were used.

use super::hidden::{OneTimeText, sha256};
use std::collections::BTreeMap;
use tidegate_types::codec_struct;
use tidegate_types::time::{Span, Time};

/// How long a link is good.
pub const LINK_LIFETIME: Span = Span::from_secs(24 * 3600);

/// What is kept of a link's secret.
pub type LinkKey = [u8; 32];

/// A new link's secret, and what is kept of it. `random` must be fresh from the system's generator.
pub fn fresh_link(random: &[u8; 32]) -> (OneTimeText, LinkKey) {
    let secret = OneTimeText::of_random(random);
    let key = link_key(secret.expose());
    (secret, key)
}

/// What is kept of the link with that secret.
pub fn link_key(secret: &str) -> LinkKey {
    sha256(secret.as_bytes())
}

/// The links that were used and have not lapsed yet.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct UsedLinks {
    until: BTreeMap<LinkKey, Time>,
}
codec_struct!(UsedLinks { until });

impl UsedLinks {
    /// Whether a link was used.
    pub fn contains(&self, link: &LinkKey) -> bool {
        self.until.contains_key(link)
    }

    /// Takes note that a link was used at `now`, which is good until `until`. Those that lapsed are forgotten.
    pub fn insert(&mut self, link: LinkKey, until: Time, now: Time) {
        self.until.retain(|_, until| now < *until);
        self.until.insert(link, until);
    }
}

#[cfg(test)]
mod tests;
