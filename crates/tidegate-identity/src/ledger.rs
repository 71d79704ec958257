//! Who is calling, as the journal tells it: facts, and what they come to.
//!
//! A fact stands in a record (`Body::Identity`), without anything that opens a door. The ledger is a
//! fold of the facts; it is saved and replayed together with the core's state.

use crate::oauth::event::{Event, State};
use tidegate_types::codec::from_bytes;
use tidegate_types::record::Body;
use tidegate_types::{codec_enum, codec_struct};

/// Something that happened to a credential, a session, a login or a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// To a client of the authorization server, a grant or a token.
    OAuth {
        /// What.
        event: Event,
    },
}
codec_enum!(Fact { 0 => OAuth { event } });

/// What the facts come to.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Clients, grants and tokens.
    pub oauth: State,
    unread: u64,
}
codec_struct!(Ledger { oauth, unread });

impl Ledger {
    /// Folds a fact in: live and on replay the same.
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::OAuth { event } => self.oauth.apply(event),
        }
    }

    /// Folds in what a record of the journal tells of who is calling, if it does.
    pub fn replay(&mut self, body: &Body) {
        let Body::Identity { fact } = body else { return };
        match from_bytes(&fact.0) {
            Ok(fact) => self.apply(&fact),
            Err(_) => self.unread = self.unread.saturating_add(1),
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
