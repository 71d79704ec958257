//! What a passkey is asked to sign, and for what.

use super::{Asserted, PasskeyError, client_data};
use crate::constant_time::equal;
use crate::oauth::once::Once;
use crate::people::PersonHandle;
use crate::people::hidden::sha256;
use aws_lc_rs::hmac;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::time::{Span, Time};

/// A ceremony must end within this of being begun.
pub(super) const CEREMONY_LIFETIME: Span = Span::from_secs(5 * 60);
/// Most ceremonies under way; the oldest make room.
const MAX_OPEN: usize = 10_000;
/// Most of one person, who has 16 sessions at most: the oldest of the same person make room.
const MAX_OF_ONE: usize = 24;

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

/// The ceremonies under way of people who are known, by a session or a link: one in each browser. They are
/// kept in memory only, so that a restart ends them. Nobody's make room for another person's before there
/// are as many as there may be in all.
#[derive(Default, Debug)]
pub struct Challenges {
    open: BTreeMap<[u8; 32], Open>,
    /// The same, the oldest first: all last equally long.
    begun: BTreeMap<u64, [u8; 32]>,
    /// The same by person, the oldest first.
    of: BTreeSet<(PersonHandle, u64)>,
    next: u64,
}

#[derive(Debug)]
struct Open {
    challenge: Challenge,
    person: PersonHandle,
    number: u64,
}

/// The logins under way. Anybody begins one, so nothing is kept of it: a challenge is its end and a code
/// over that and the browser. Kept is which were used.
#[derive(Debug)]
pub struct LogIns {
    key: hmac::Key,
    used: Once,
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
    /// Begins a ceremony of a person in a browser, known by its session id or its link. Another that was under
    /// way there is over.
    pub fn begin(
        &mut self,
        (person, browser): (PersonHandle, &str),
        challenge: Challenge,
        now: Time,
    ) {
        let key = sha256(browser.as_bytes());
        self.close(&key);
        while let Some((number, oldest)) = self.begun.iter().next().map(|(n, key)| (*n, *key)) {
            let lapsed = self.open.get(&oldest).is_none_or(|open| open.challenge.lapsed(now));
            if !lapsed && self.open.len() < MAX_OPEN {
                break;
            }
            self.begun.remove(&number);
            self.close(&oldest);
        }
        let mine: Vec<u64> =
            self.of.range((person, 0)..=(person, u64::MAX)).map(|(_, number)| *number).collect();
        for number in mine.iter().take((mine.len() + 1).saturating_sub(MAX_OF_ONE)) {
            if let Some(oldest) = self.begun.get(number).copied() {
                self.close(&oldest);
            }
        }
        let number = self.next;
        self.next += 1;
        self.begun.insert(number, key);
        self.of.insert((person, number));
        self.open.insert(key, Open { challenge, person, number });
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
        let open = self.close(&sha256(browser.as_bytes()));
        open.filter(|challenge| challenge.purpose == purpose && !challenge.lapsed(now))
            .ok_or(PasskeyError::NoChallenge)
    }

    fn close(&mut self, key: &[u8; 32]) -> Option<Challenge> {
        let Open { challenge, person, number } = self.open.remove(key)?;
        self.begun.remove(&number);
        self.of.remove(&(person, number));
        Some(challenge)
    }
}

impl LogIns {
    /// Logins by a key that must be fresh from the system's generator: those from before are over.
    pub fn new(key: &[u8; 32]) -> LogIns {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        // All logins share one half of it.
        LogIns { key, used: Once::new(2 * MAX_OPEN, Time::default()) }
    }

    /// What a browser is asked, known by the cookie of its login page. `random` must be fresh from the
    /// system's generator, so that two logins in one browser are two.
    pub fn begin(&self, browser: &str, random: [u8; 8], now: Time) -> Challenge {
        let until = Time::from_millis(now.plus(CEREMONY_LIFETIME).millis());
        Challenge { purpose: Purpose::LogIn, value: self.value(browser, random, until), until }
    }

    /// The challenge that a browser's answer names, if it was asked there and not used.
    ///
    /// # Errors
    /// When it was not, it was used, or it lapsed.
    pub fn find(
        &self,
        browser: &str,
        client_data: &[u8],
        now: Time,
    ) -> Result<Challenge, PasskeyError> {
        let value = client_data::challenge(client_data).ok_or(PasskeyError::NoChallenge)?;
        let (until, rest) = value.split_first_chunk::<8>().ok_or(PasskeyError::NoChallenge)?;
        let (random, _) = rest.split_first_chunk::<8>().ok_or(PasskeyError::NoChallenge)?;
        let until = Time::from_millis(u64::from_be_bytes(*until));
        let longest = now.plus(CEREMONY_LIFETIME);
        let asked = equal(&value, &self.value(browser, *random, until));
        let challenge = Challenge { purpose: Purpose::LogIn, value, until };
        let good = asked && !challenge.lapsed(now) && until <= longest;
        if good { Ok(challenge) } else { Err(PasskeyError::NoChallenge) }
    }

    /// Uses up the challenge of a login that was good; a second login by it is none.
    ///
    /// # Errors
    /// When it was used.
    pub fn spend(&mut self, asserted: &Asserted, now: Time) -> Result<(), PasskeyError> {
        let until = now.plus(CEREMONY_LIFETIME);
        let spent = self.used.admit("login", &asserted.signed, "login", now, until, now);
        spent.map_err(|_| PasskeyError::NoChallenge)
    }

    /// When it ends, in milliseconds, the random bytes, and a code that only this program makes for this
    /// browser.
    fn value(&self, browser: &str, random: [u8; 8], until: Time) -> [u8; 32] {
        let until = until.millis().to_be_bytes();
        let code = hmac::sign(&self.key, &[until.as_slice(), &random, browser.as_bytes()].concat());
        let bytes = until.iter().chain(&random).chain(code.as_ref());
        let mut value = [0; 32];
        value.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        value
    }
}
