//! People's sessions in the browser: random ids of which only digests are kept.
//!
//! Idle and absolute times are those of SP 800-63B at the level that the role asks for. A session that
//! shows more gets a new id, so that an id from before is worth what it was then: nothing.

use super::PersonHandle;
use super::assurance::{Assurance, Level, Shown};
use super::hidden::{OneTimeText, sha256};
use crate::constant_time::equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_enum, codec_struct};

/// Most sessions of one person; the oldest ends when there is one more.
pub const MAX_SESSIONS: usize = 16;
/// Longest text kept of where a session came from, in bytes.
pub const MAX_ORIGIN: usize = 200;
/// A login must be whole within this of its first factor.
const UNFINISHED: Span = Span::from_secs(10 * 60);
const ABSOLUTE: Span = Span::from_secs(12 * 3600);

/// The sessions in force, by the digests of their ids.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Sessions {
    next: u64,
    by_digest: BTreeMap<[u8; 32], Session>,
}
codec_struct!(Sessions { next, by_digest });

/// One browser in which a person is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    number: u64,
    person: PersonHandle,
    timing: Timing,
    assurance: Assurance,
    origin: String,
    since: Time,
    last_seen: Time,
}
codec_struct!(Session { number, person, timing, assurance, origin, since, last_seen });

/// How long a session lasts. A person whose role changes loses their sessions, so that no session
/// lasts as another role's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Timing {
    /// 30 minutes idle, 12 hours in all (AAL2).
    Standard,
    /// 15 minutes idle, 12 hours in all (AAL3): administrators and approvers.
    Privileged,
}
codec_enum!(Timing { 0 => Standard, 1 => Privileged });

/// Why a session id is good for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionError {
    /// There is no such session, or no more.
    Unknown,
    /// It was not used for too long.
    Idle,
    /// It has lasted as long as it may.
    Over,
}

impl Sessions {
    /// Begins a session with the first factor of a login; `origin` says where it came from, for the
    /// list that its person reads. `random` must be fresh from the system's generator. An id that the
    /// browser had before must be ended by the caller.
    pub fn begin(
        &mut self,
        person: PersonHandle,
        timing: Timing,
        shown: Shown,
        origin: &str,
        random: &[u8; 32],
        now: Time,
    ) -> OneTimeText {
        self.sweep(now);
        while self.of(person).count() >= MAX_SESSIONS {
            let oldest = self.of(person).map(|session| session.number).min();
            self.by_digest.retain(|_, session| Some(session.number) != oldest);
        }
        let session = Session {
            number: self.next,
            person,
            timing,
            assurance: Assurance::new(shown),
            origin: cut(origin, MAX_ORIGIN).to_owned(),
            since: now,
            last_seen: now,
        };
        self.next = self.next.saturating_add(1);
        self.insert(session, random)
    }

    /// The session of an id, used now.
    ///
    /// # Errors
    /// When there is none, or it has lapsed; it is gone then.
    pub fn enter(&mut self, id: &str, now: Time) -> Result<&Session, SessionError> {
        let digest = digest_of(id);
        if let Some(lapsed) = self.by_digest.get(&digest).ok_or(SessionError::Unknown)?.lapsed(now)
        {
            self.by_digest.remove(&digest);
            return Err(lapsed);
        }
        let session = self.by_digest.get_mut(&digest).ok_or(SessionError::Unknown)?;
        session.last_seen = session.last_seen.max(now);
        Ok(session)
    }

    /// Adds a factor to a session: the second of a login, or a fresh one for a risky action. The
    /// session goes on under the id returned and no other. `random` must be fresh from the system's
    /// generator.
    ///
    /// # Errors
    /// As of `enter`.
    pub fn add(
        &mut self,
        id: &str,
        shown: Shown,
        random: &[u8; 32],
        now: Time,
    ) -> Result<OneTimeText, SessionError> {
        self.enter(id, now)?;
        let mut session = self.by_digest.remove(&digest_of(id)).ok_or(SessionError::Unknown)?;
        session.assurance.add(shown);
        Ok(self.insert(session, random))
    }

    /// Ends the session of an id; whether there was one.
    pub fn end(&mut self, id: &str) -> bool {
        self.by_digest.remove(&digest_of(id)).is_some()
    }

    /// Ends a person's session by its number in their list; whether there was one.
    pub fn end_number(&mut self, person: PersonHandle, number: u64) -> bool {
        self.end_where(|session| session.person == person && session.number == number) > 0
    }

    /// Ends all sessions of a person, but for the one with the id `but`: when a credential or a role
    /// changes. How many there were.
    pub fn end_all(&mut self, person: PersonHandle, but: Option<&str>) -> usize {
        let kept = but.and_then(|id| self.by_digest.get(&digest_of(id))).map(|s| s.number);
        self.end_where(|session| session.person == person && Some(session.number) != kept)
    }

    /// A person's sessions in force, the oldest first.
    pub fn list(&self, person: PersonHandle, now: Time) -> Vec<&Session> {
        let mut list: Vec<&Session> =
            self.of(person).filter(|session| session.lapsed(now).is_none()).collect();
        list.sort_by_key(|session| session.number);
        list
    }

    fn of(&self, person: PersonHandle) -> impl Iterator<Item = &Session> {
        self.by_digest.values().filter(move |session| session.person == person)
    }

    fn insert(&mut self, session: Session, random: &[u8; 32]) -> OneTimeText {
        let id = OneTimeText::of_random(random);
        self.by_digest.insert(digest_of(id.expose()), session);
        id
    }

    fn end_where(&mut self, goes: impl Fn(&Session) -> bool) -> usize {
        let before = self.by_digest.len();
        self.by_digest.retain(|_, session| !goes(session));
        before.saturating_sub(self.by_digest.len())
    }

    fn sweep(&mut self, now: Time) {
        self.end_where(|session| session.lapsed(now).is_some());
    }
}

impl Session {
    /// Its number in its person's list.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whose it is.
    pub fn person(&self) -> PersonHandle {
        self.person
    }

    /// What was shown in it, and when. A session below `Level::Two` is a login under way, good for
    /// nothing but its next step.
    pub fn assurance(&self) -> &Assurance {
        &self.assurance
    }

    /// Where it came from, as its browser said: text to be shown with care.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// When it began.
    pub fn since(&self) -> Time {
        self.since
    }

    /// When it was last used.
    pub fn last_seen(&self) -> Time {
        self.last_seen
    }

    fn lapsed(&self, now: Time) -> Option<SessionError> {
        let longest = match self.assurance.level() {
            Level::None | Level::One => UNFINISHED,
            Level::Two | Level::Three => ABSOLUTE,
        };
        if now.since(self.since) >= longest {
            Some(SessionError::Over)
        } else if now.since(self.last_seen) >= self.timing.idle() {
            Some(SessionError::Idle)
        } else {
            None
        }
    }
}

impl Timing {
    /// The longest a session goes unused.
    pub fn idle(self) -> Span {
        match self {
            Timing::Standard => Span::from_secs(30 * 60),
            Timing::Privileged => Span::from_secs(15 * 60),
        }
    }
}

/// What each form of a session's pages carries, so that no other page can send it: a function of
/// the id, which other pages do not know.
pub fn csrf_token(id: &str) -> OneTimeText {
    let key = hmac::Key::new(hmac::HMAC_SHA256, id.as_bytes());
    OneTimeText::new(URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"tidegate csrf")))
}

/// Whether `shown` is the session's.
pub fn csrf_matches(id: &str, shown: &str) -> bool {
    equal(csrf_token(id).expose().as_bytes(), shown.as_bytes())
}

impl std::fmt::Display for SessionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SessionError::Unknown => "no such session; log in",
            SessionError::Idle => "the session was not used for too long; log in again",
            SessionError::Over => "the session is over; log in again",
        })
    }
}

impl std::error::Error for SessionError {}

fn digest_of(id: &str) -> [u8; 32] {
    sha256(id.as_bytes())
}

/// The longest beginning of `text` that fits into `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
