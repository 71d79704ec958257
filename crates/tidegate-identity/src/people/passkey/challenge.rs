//! What a passkey is asked to sign, and for what.

use super::PasskeyError;
use crate::people::hidden::sha256;
use std::collections::BTreeMap;
use tidegate_types::time::{Span, Time};

/// A ceremony must end within this of being begun.
pub(super) const CEREMONY_LIFETIME: Span = Span::from_secs(5 * 60);
/// Most ceremonies under way; the oldest make room.
const MAX_OPEN: usize = 10_000;

/// What a ceremony is for. A signature for one purpose is worth nothing for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A new passkey.
    Enrol,
    /// A login, of whomever the device says.
    LogIn,
    /// A fresh factor in a session.
    StepUp,
    /// Approval of one statement; its digest is the challenge.
    Approve,
    /// Consent to one statement of what an app may do; its digest is the challenge.
    Consent,
}

/// A challenge that was asked. It is used by being given away.
#[derive(PartialEq, Eq, Debug)]
pub struct Challenge {
    purpose: Purpose,
    value: [u8; 32],
    until: Time,
}

/// The ceremonies under way: one in each browser. They are kept in memory only, so that a restart
/// ends them.
#[derive(Default, Debug)]
pub struct Challenges {
    open: BTreeMap<[u8; 32], Challenge>,
}

/// The challenge by which a statement is approved: SHA-256 of its bytes. The statement must name its
/// request, its requester and the state that it was made against, so that no two are the same.
pub fn statement_digest(statement: &[u8]) -> [u8; 32] {
    sha256(statement)
}

impl Challenge {
    /// What to sign: 32 bytes fresh from the system's generator, or a statement's digest.
    pub fn new(purpose: Purpose, value: [u8; 32], now: Time) -> Challenge {
        Challenge { purpose, value, until: now.plus(CEREMONY_LIFETIME) }
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    pub(super) fn value(&self) -> &[u8; 32] {
        &self.value
    }

    pub(super) fn lapsed(&self, now: Time) -> bool {
        now >= self.until
    }
}

impl Challenges {
    /// Begins a ceremony in a browser, known by its session id or the cookie of its login page. Another
    /// that was under way there is over.
    pub fn begin(&mut self, browser: &str, challenge: Challenge, now: Time) {
        if self.open.len() >= MAX_OPEN {
            self.open.retain(|_, challenge| !challenge.lapsed(now));
        }
        if self.open.len() >= MAX_OPEN {
            let oldest = self.open.iter().min_by_key(|(_, challenge)| challenge.until);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                self.open.remove(&key);
            }
        }
        self.open.insert(sha256(browser.as_bytes()), challenge);
    }

    /// The challenge that is open in a browser, once: it is gone whatever comes of the answer.
    ///
    /// # Errors
    /// When there is none, it is for another purpose, or it lapsed.
    pub fn take(
        &mut self,
        browser: &str,
        purpose: Purpose,
        now: Time,
    ) -> Result<Challenge, PasskeyError> {
        let open = self.open.remove(&sha256(browser.as_bytes()));
        open.filter(|challenge| challenge.purpose == purpose && !challenge.lapsed(now))
            .ok_or(PasskeyError::NoChallenge)
    }
}
