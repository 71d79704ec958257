//! Who is calling, as the journal tells it: facts, and what they come to.
//!
//! A fact stands in a record (`Body::Identity`), without anything that opens a door. The ledger is a
//! fold of the facts; it is saved and replayed together with the core's state.

use crate::oauth::event::{Event, State};
use crate::people::{self, LinkKey};
use std::collections::BTreeMap;
use tidegate_types::codec::from_bytes;
use tidegate_types::ids::KeyId;
use tidegate_types::record::{Body, Change};
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

/// Something that happened to a credential, a session, a login or a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// To a client of the authorization server, a grant or a token.
    OAuth {
        /// What.
        event: Event,
    },
    /// To a person's credentials, sessions or logins.
    People {
        /// What.
        fact: people::Fact,
    },
    /// A virtual key was used; told now and then, not each time.
    KeyUsed {
        /// Which.
        key: KeyId,
        /// When.
        at: Time,
    },
    /// The journal goes on from a copy that was made some time ago. What may have ended or been used since is
    /// void: sessions, links, recovery codes, what people granted to clients, and tokens.
    Restored {
        /// When that was noticed.
        at: Time,
        /// The links that had been given out by the time of the copy, and when each lapses.
        links: BTreeMap<LinkKey, Time>,
    },
}
codec_enum!(Fact {
    0 => OAuth { event },
    1 => People { fact },
    2 => KeyUsed { key, at },
    3 => Restored { at, links },
});

/// What the facts come to.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Clients, grants and tokens.
    pub oauth: State,
    /// What people log in by, their sessions, and wrong guesses.
    pub people: people::State,
    /// When each virtual key that is not revoked was last known to be used.
    pub keys_used: BTreeMap<KeyId, Time>,
    unread: u64,
}
codec_struct!(Ledger { oauth, people, keys_used, unread });

impl Ledger {
    /// Folds a fact in: live and on replay the same.
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::OAuth { event } => self.oauth.apply(event),
            Fact::KeyUsed { key, at } => {
                self.keys_used.insert(key.clone(), *at);
            }
            Fact::People { fact } => self.people.apply(fact),
            Fact::Restored { at, links } => {
                self.people.restored(links, *at);
                self.oauth.restored(*at);
            }
        }
    }

    /// Folds in what a record of the journal tells of who is calling, if it does.
    pub fn replay(&mut self, body: &Body) {
        match body {
            Body::Identity { fact } => match from_bytes(&fact.0) {
                Ok(fact) => self.apply(&fact),
                Err(_) => self.unread = self.unread.saturating_add(1),
            },
            Body::Changed { change: Change::KeyRevoked { id }, .. } => {
                self.keys_used.remove(id);
            }
            _ => {}
        }
    }

    /// How many facts could not be read. With one of them the rest means nothing: it may have been a
    /// revocation.
    pub fn unread(&self) -> u64 {
        self.unread
    }
}

#[cfg(test)]
mod tests;
