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
use tidegate_types::person::Role;
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_newtype, codec_struct};

/// Most sessions of one person; the oldest ends when there is one more.
pub const MAX_SESSIONS: usize = 16;
/// Most logins under way of one person, beside them: who knows a password alone ends no session by it.
pub const MAX_UNFINISHED: usize = 3;
/// Longest text kept of where a session came from, in bytes.
pub const MAX_ORIGIN: usize = 200;
/// A login must be whole within this of its first factor.
const UNFINISHED: Span = Span::from_secs(10 * 60);
const ABSOLUTE: Span = Span::from_secs(12 * 3600);

/// What is kept of a session's id: its digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionKey(pub [u8; 32]);
codec_newtype!(SessionKey);

/// The sessions in force, by what is kept of their ids.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Sessions {
    next: u64,
    by_key: BTreeMap<SessionKey, Session>,
}
codec_struct!(Sessions { next, by_key });

/// How a session begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    /// Whose it is.
    pub person: PersonHandle,
    /// The roles that the person has. With others it would be another session.
    pub roles: Vec<Role>,
    /// The first factor of the login.
    pub shown: Shown,
    /// Where it came from, for the list that its person reads.
    pub origin: String,
    /// When.
    pub at: Time,
}
codec_struct!(Begun { person, roles, shown, origin, at });

/// One browser in which a person is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    number: u64,
    person: PersonHandle,
    roles: Vec<Role>,
    assurance: Assurance,
    origin: String,
    since: Time,
    last_seen: Time,
}
codec_struct!(Session { number, person, roles, assurance, origin, since, last_seen });

/// How long a session lasts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Timing {
    /// 30 minutes idle, 12 hours in all (AAL2).
    Standard,
    /// 15 minutes idle, 12 hours in all (AAL3): administrators and approvers.
    Privileged,
}

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

impl SessionKey {
    /// What is kept of the id `text`.
    pub fn of(text: &str) -> SessionKey {
        SessionKey(sha256(text.as_bytes()))
    }

    /// A new id, and what is kept of it. `random` must be fresh from the system's generator.
    pub fn fresh(random: &[u8; 32]) -> (OneTimeText, SessionKey) {
        let id = OneTimeText::of_random(random);
        let key = SessionKey::of(id.expose());
        (id, key)
    }
}

impl Sessions {
    /// Begins a session. One that the browser had before must be ended by the caller.
    pub fn begin(&mut self, key: SessionKey, begun: &Begun) {
        let Begun { person, roles, shown, origin, at } = begun.clone();
        self.sweep(at);
        let session = Session {
            number: self.next,
            person,
            roles,
            assurance: Assurance::new(shown),
            origin: cut(&origin, MAX_ORIGIN).to_owned(),
            since: at,
            last_seen: at,
        };
        self.next = self.next.saturating_add(1);
        self.make_room(&session);
        self.by_key.insert(key, session);
    }

    /// The session of an id, which is not used by being looked at.
    ///
    /// # Errors
    /// When there is none, or it has lapsed.
    pub fn look(&self, key: SessionKey, now: Time) -> Result<&Session, SessionError> {
        let session = self.by_key.get(&key).ok_or(SessionError::Unknown)?;
        session.lapsed(now).map_or(Ok(session), Err)
    }

    /// The session of an id, used now.
    ///
    /// # Errors
    /// When there is none, or it has lapsed; it is gone then.
    pub fn enter(&mut self, key: SessionKey, now: Time) -> Result<&Session, SessionError> {
        if let Err(lapsed) = self.look(key, now) {
            self.by_key.remove(&key);
            return Err(lapsed);
        }
        let session = self.by_key.get_mut(&key).ok_or(SessionError::Unknown)?;
        session.last_seen = session.last_seen.max(now);
        Ok(session)
    }

    /// Adds a factor to a session: the second of a login, or a fresh one for a risky action. The
    /// session goes on under the id of `key` and no other.
    pub fn raise(&mut self, was: SessionKey, key: SessionKey, shown: Shown) {
        if let Some(mut session) = self.by_key.remove(&was) {
            session.assurance.add(shown);
            session.last_seen = session.last_seen.max(shown.at());
            self.make_room(&session);
            self.by_key.insert(key, session);
        }
    }

    /// Ends a session; whether there was one.
    pub fn end(&mut self, key: SessionKey) -> bool {
        self.by_key.remove(&key).is_some()
    }

    /// Ends a person's session by its number in their list; whether there was one.
    pub fn end_number(&mut self, person: PersonHandle, number: u64) -> bool {
        self.end_where(|session| session.person == person && session.number == number) > 0
    }

    /// Ends all sessions of a person, but for that of `but`: when a credential changes. How many
    /// there were.
    pub fn end_all(&mut self, person: PersonHandle, but: Option<SessionKey>) -> usize {
        let kept = but.and_then(|key| self.by_key.get(&key)).map(|session| session.number);
        self.end_where(|session| session.person == person && Some(session.number) != kept)
    }

    /// Ends every session there is.
    pub(crate) fn end_everybody(&mut self) {
        self.by_key.clear();
    }

    /// A person's sessions in force, the oldest first.
    pub fn list(&self, person: PersonHandle, now: Time) -> Vec<&Session> {
        let mut list: Vec<&Session> =
            self.of(person).filter(|session| session.lapsed(now).is_none()).collect();
        list.sort_by_key(|session| session.number);
        list
    }

    /// How many logins of a person are under way.
    pub fn unfinished(&self, person: PersonHandle, now: Time) -> usize {
        let there = self.of(person).filter(|session| session.lapsed(now).is_none());
        there.filter(|session| session.is_unfinished()).count()
    }

    /// Ends the oldest of a person's sessions of the same kind, whole or under way, until there is room for
    /// one more.
    fn make_room(&mut self, session: &Session) {
        let (person, unfinished) = (session.person, session.is_unfinished());
        let most = if unfinished { MAX_UNFINISHED } else { MAX_SESSIONS };
        let alike = |other: &Session| other.is_unfinished() == unfinished;
        let mut numbers: Vec<u64> =
            self.of(person).filter(|other| alike(other)).map(|other| other.number).collect();
        numbers.sort_unstable();
        let over = (numbers.len() + 1).saturating_sub(most);
        for oldest in numbers.into_iter().take(over) {
            self.by_key.retain(|_, other| other.number != oldest);
        }
    }

    fn of(&self, person: PersonHandle) -> impl Iterator<Item = &Session> {
        self.by_key.values().filter(move |session| session.person == person)
    }

    fn end_where(&mut self, goes: impl Fn(&Session) -> bool) -> usize {
        let before = self.by_key.len();
        self.by_key.retain(|_, session| !goes(session));
        before.saturating_sub(self.by_key.len())
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

    /// The roles that its person had when it began.
    pub fn roles(&self) -> &[Role] {
        &self.roles
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

    /// A login under way.
    fn is_unfinished(&self) -> bool {
        self.assurance.level() < Level::Two
    }

    fn lapsed(&self, now: Time) -> Option<SessionError> {
        let longest = match self.assurance.level() {
            Level::None | Level::One => UNFINISHED,
            Level::Two | Level::Three => ABSOLUTE,
        };
        if now.since(self.since) >= longest {
            Some(SessionError::Over)
        } else if now.since(self.last_seen) >= Timing::of(&self.roles).idle() {
            Some(SessionError::Idle)
        } else {
            None
        }
    }
}

impl Timing {
    fn of(roles: &[Role]) -> Timing {
        let privileged = [Role::Admin, Role::Approver].iter().any(|role| roles.contains(role));
        if privileged { Timing::Privileged } else { Timing::Standard }
    }

    /// The longest a session goes unused.
    fn idle(self) -> Span {
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

/// The longest beginning of `text` that fits into `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
