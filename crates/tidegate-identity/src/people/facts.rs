//! What happened to people's credentials, sessions and logins, and what it comes to.
//!
//! Facts stand in the journal, so none holds anything that opens a door: of session ids, links and
//! recovery codes there are digests of random bits, of passkeys the public part. Password hashes and
//! the secrets of authenticator apps are in the sealed store; here is only that there are.

use super::assurance::Factor;
use super::enrolment::{LinkKey, UsedLinks};
use super::member::{Member, Password};
use super::notices::{Event, Notices};
use super::oidc::{Login, OutsideIdentity};
use super::passkey::Passkey;
use super::recovery::RecoveryCodes;
use super::sessions::{Begun, SessionKey, Sessions};
use super::throttle::{Attempt, Throttle};
use super::{Actor, PersonHandle, Shown};
use std::collections::BTreeMap;
use tidegate_types::ids::PersonName;
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

/// Most passkeys of one person.
pub const MAX_PASSKEYS: usize = 16;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Somebody used a link: the person begins anew under this handle, and all that was before is void.
    Enrolled {
        /// Who from now on.
        person: PersonHandle,
        /// The person's name.
        name: PersonName,
        /// The link.
        link: LinkKey,
        /// When the link would have lapsed.
        until: Time,
        /// From where, for people.
        origin: String,
        /// When.
        at: Time,
    },
    /// A person is none of the desk's any more. Read from older journals, which did not say by whom; now
    /// `GoneBy` is written.
    Gone {
        /// Who.
        person: PersonHandle,
    },
    /// A passkey was added.
    PasskeyAdded {
        /// Which.
        passkey: Passkey,
    },
    /// A passkey was used, and its device's counter grew.
    PasskeyUsed {
        /// As it is from now on.
        passkey: Passkey,
    },
    /// A passkey was removed. Read from older journals; now `PasskeyRemovedBy` is written.
    PasskeyRemoved {
        /// Whose.
        person: PersonHandle,
        /// Its id.
        credential: Vec<u8>,
        /// When.
        at: Time,
    },
    /// A password and an authenticator app were set, in place of those before; both are in the sealed
    /// store.
    PasswordSet {
        /// Whose.
        person: PersonHandle,
        /// Which entry of the sealed store: each password has one of its own.
        sealed: [u8; 16],
        /// The app's first step of which no code was used.
        next_step: u64,
        /// When.
        at: Time,
    },
    /// A code of the app was used.
    CodeUsed {
        /// Whose.
        person: PersonHandle,
        /// The first step of which no code was used.
        next_step: u64,
    },
    /// New recovery codes, as digests; those before are void.
    RecoverySet {
        /// Whose.
        person: PersonHandle,
        /// Which.
        codes: RecoveryCodes,
    },
    /// A recovery code was used.
    RecoveryUsed {
        /// Whose.
        person: PersonHandle,
        /// Those that are left.
        codes: RecoveryCodes,
    },
    /// A session began.
    SessionBegun {
        /// Which.
        key: SessionKey,
        /// How.
        begun: Begun,
    },
    /// More was shown in a session, which goes on under another id.
    SessionRaised {
        /// Which it was.
        was: SessionKey,
        /// Which it is.
        key: SessionKey,
        /// What was shown.
        shown: Shown,
    },
    /// A session was still used; noted now and then.
    SessionSeen {
        /// Which.
        key: SessionKey,
        /// When.
        at: Time,
    },
    /// A session ended.
    SessionEnded {
        /// Which.
        key: SessionKey,
    },
    /// A session was ended from a list. Read from older journals; now `SessionRevokedBy` is written.
    SessionRevoked {
        /// Whose.
        person: PersonHandle,
        /// Its number.
        number: u64,
    },
    /// All sessions of a person ended, but one perhaps. Read from older journals; now `SessionsEndedBy` is
    /// written.
    SessionsEnded {
        /// Whose.
        person: PersonHandle,
        /// Which goes on.
        but: Option<SessionKey>,
    },
    /// A guess at a password or a code is about to be checked.
    Tried {
        /// Which.
        attempt: Attempt,
    },
    /// That guess was right.
    Passed {
        /// Which.
        attempt: Attempt,
    },
    /// A login is whole: wrong guesses before it are forgotten.
    Cleared {
        /// Whose.
        person: PersonHandle,
    },
    /// A passkey signed the digest of a request for approval: what an auditor checks it by.
    Signed {
        /// Whose.
        person: PersonHandle,
        /// The request's number.
        request: u64,
        /// What was signed.
        signature: Signature,
    },
    /// A person is about to consent to what an app asks: what the server stated, and the passkey's
    /// signature over SHA-256 of it where one was asked.
    Consented {
        /// Whose.
        person: PersonHandle,
        /// The statement.
        statement: String,
        /// What was signed; none where the session was enough.
        signature: Option<Signature>,
    },
    /// A person may log in by an outside identity from now on.
    Linked {
        /// Who.
        person: PersonHandle,
        /// By which.
        identity: OutsideIdentity,
        /// When.
        at: Time,
    },
    /// A person may no more. Read from older journals; now `UnlinkedBy` is written.
    Unlinked {
        /// Who.
        person: PersonHandle,
        /// By which.
        identity: OutsideIdentity,
        /// When.
        at: Time,
    },
    /// An outside provider vouched for a person, who gets in by it.
    Vouched {
        /// For whom.
        person: PersonHandle,
        /// What it said.
        login: Login,
        /// When it was said.
        at: Time,
    },
    /// A person gave a passkey a name.
    PasskeyNamed {
        /// Whose.
        person: PersonHandle,
        /// Its id.
        credential: Vec<u8>,
        /// The name; none takes it away.
        name: String,
    },
    /// A person has read what was told until then.
    NoticesRead {
        /// Who.
        person: PersonHandle,
        /// Until when.
        until: Time,
    },
    /// What a person logs in by was taken away, with the person; until `ResetBy` was written alone as well.
    GoneBy {
        /// Whose.
        person: PersonHandle,
        /// By whom.
        by: Actor,
    },
    /// A passkey was removed.
    PasskeyRemovedBy {
        /// Whose.
        person: PersonHandle,
        /// Its id.
        credential: Vec<u8>,
        /// By whom.
        by: Actor,
        /// When.
        at: Time,
    },
    /// A session was ended from a list.
    SessionRevokedBy {
        /// Whose.
        person: PersonHandle,
        /// Its number.
        number: u64,
        /// By whom.
        by: Actor,
    },
    /// All sessions of a person ended, but one perhaps.
    SessionsEndedBy {
        /// Whose.
        person: PersonHandle,
        /// Which goes on.
        but: Option<SessionKey>,
        /// By whom.
        by: Actor,
    },
    /// A person may log in by an outside identity no more.
    UnlinkedBy {
        /// Who.
        person: PersonHandle,
        /// By which.
        identity: OutsideIdentity,
        /// By whom.
        by: Actor,
        /// When.
        at: Time,
    },
    /// A passkey signed rightly and was refused, since its device's counter did not grow: there may be a copy
    /// of it.
    PasskeyDoubted {
        /// Whose.
        person: PersonHandle,
        /// Its id.
        credential: Vec<u8>,
        /// When.
        at: Time,
    },
    /// What a person logs in by was taken away, and the person stays.
    ResetBy {
        /// Whose.
        person: PersonHandle,
        /// By whom.
        by: Actor,
        /// When.
        at: Time,
    },
}
codec_enum!(Fact {
    0 => Enrolled { person, name, link, until, origin, at },
    1 => Gone { person },
    2 => PasskeyAdded { passkey },
    3 => PasskeyUsed { passkey },
    4 => PasskeyRemoved { person, credential, at },
    5 => PasswordSet { person, sealed, next_step, at },
    6 => CodeUsed { person, next_step },
    7 => RecoverySet { person, codes },
    8 => RecoveryUsed { person, codes },
    9 => SessionBegun { key, begun },
    10 => SessionRaised { was, key, shown },
    11 => SessionSeen { key, at },
    12 => SessionEnded { key },
    13 => SessionRevoked { person, number },
    14 => SessionsEnded { person, but },
    15 => Tried { attempt },
    16 => Passed { attempt },
    17 => Cleared { person },
    18 => Signed { person, request, signature },
    19 => Consented { person, statement, signature },
    20 => Linked { person, identity, at },
    21 => Unlinked { person, identity, at },
    22 => Vouched { person, login, at },
    23 => PasskeyNamed { person, credential, name },
    24 => NoticesRead { person, until },
    25 => GoneBy { person, by },
    26 => PasskeyRemovedBy { person, credential, by, at },
    27 => SessionRevokedBy { person, number, by },
    28 => SessionsEndedBy { person, but, by },
    29 => UnlinkedBy { person, identity, by, at },
    30 => PasskeyDoubted { person, credential, at },
    31 => ResetBy { person, by, at },
});

impl Fact {
    /// Whether it does nothing but end sessions.
    pub fn ends_sessions(&self) -> bool {
        matches!(
            self,
            Fact::SessionEnded { .. }
                | Fact::SessionRevoked { .. }
                | Fact::SessionRevokedBy { .. }
                | Fact::SessionsEnded { .. }
                | Fact::SessionsEndedBy { .. }
        )
    }
}

/// An assertion as the browser sent it (Web Authentication, section 5.2.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// The credential's id.
    pub credential: Vec<u8>,
    /// `clientDataJSON`: its challenge is the digest.
    pub client_data: Vec<u8>,
    /// `authenticatorData`.
    pub authenticator_data: Vec<u8>,
    /// The signature over the one and SHA-256 of the other.
    pub signature: Vec<u8>,
}
codec_struct!(Signature { credential, client_data, authenticator_data, signature });

/// What the facts come to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct State {
    members: BTreeMap<PersonHandle, Member>,
    used_links: UsedLinks,
    sessions: Sessions,
    throttle: Throttle,
    reset: BTreeMap<PersonHandle, Reset>,
}
codec_struct!(State { members, used_links, sessions, throttle, reset });

/// A person whose logins were taken away and who has not enrolled since.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Reset {
    name: PersonName,
    /// What there is to tell them once they do.
    notices: Notices,
}
codec_struct!(Reset { name, notices });

impl State {
    /// Folds a fact in: live and on replay the same.
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::Enrolled { person, name, link, until, at, .. } => {
                self.enrol(*person, name, *at);
                self.used_links.insert(*link, *until, *at);
            }
            Fact::Gone { person } | Fact::GoneBy { person, .. } => self.forget(*person),
            Fact::ResetBy { person, at, .. } => self.reset(*person, *at),
            Fact::PasskeyAdded { passkey } => self.with(passkey.person(), |member| {
                member.passkeys.push(passkey.clone());
                member.note(Event::PasskeyAdded, passkey.made());
            }),
            // One that was removed meanwhile stays so.
            Fact::PasskeyUsed { passkey } => self.with(passkey.person(), |member| {
                let known = member.passkeys.iter_mut().find(|known| known.id() == passkey.id());
                if let Some(known) = known {
                    *known = passkey.clone();
                }
            }),
            Fact::PasskeyRemoved { person, credential, at }
            | Fact::PasskeyRemovedBy { person, credential, at, .. } => {
                self.with(*person, |member| {
                    member.passkeys.retain(|key| key.id() != credential);
                    member.names.remove(credential);
                    member.note(Event::PasskeyRemoved, *at);
                });
            }
            Fact::PasskeyDoubted { person, at, .. } => {
                self.with(*person, |member| member.note(Event::PasskeyDoubted, *at));
            }
            Fact::PasskeyNamed { person, credential, name } => self.with(*person, |member| {
                let known = member.passkeys.iter().any(|key| key.id() == credential);
                if known && !name.is_empty() {
                    member.names.insert(credential.clone(), name.clone());
                } else {
                    member.names.remove(credential);
                }
            }),
            Fact::NoticesRead { person, until } => {
                self.with(*person, |member| member.notices.read(*until));
            }
            Fact::PasswordSet { person, sealed, next_step, at } => self.with(*person, |member| {
                member.password = Some(Password { set: *at, sealed: *sealed });
                member.next_step = *next_step;
                member.note(Event::PasswordSet, *at);
            }),
            Fact::CodeUsed { person, next_step } => self.with(*person, |member| {
                member.next_step = member.next_step.max(*next_step);
            }),
            Fact::RecoverySet { person, codes } | Fact::RecoveryUsed { person, codes } => {
                self.with(*person, |member| member.recovery = codes.clone());
            }
            Fact::SessionBegun { key, begun } => self.sessions.begin(*key, begun),
            Fact::SessionRaised { was, key, shown } => {
                self.sessions.raise(*was, *key, *shown);
                let person = self.sessions.look(*key, shown.at()).map(|session| session.person());
                if let (Factor::RecoveryCode, Ok(person)) = (shown.factor(), person) {
                    self.with(person, |member| member.note(Event::RecoveryCodeUsed, shown.at()));
                }
            }
            // One that lapsed meanwhile is gone, and that is all there is to know.
            Fact::SessionSeen { key, at } => drop(self.sessions.enter(*key, *at).is_ok()),
            Fact::SessionEnded { key } => drop(self.sessions.end(*key)),
            Fact::SessionRevoked { person, number }
            | Fact::SessionRevokedBy { person, number, .. } => {
                self.sessions.end_number(*person, *number);
            }
            Fact::SessionsEnded { person, but } | Fact::SessionsEndedBy { person, but, .. } => {
                self.sessions.end_all(*person, *but);
            }
            Fact::Tried { attempt } => self.throttle.count(attempt),
            Fact::Passed { attempt } => self.throttle.passed(attempt),
            Fact::Cleared { person } => {
                if let Some((count, last)) = self.throttle.wrong(*person) {
                    self.with(*person, |member| member.note(Event::WrongGuesses { count }, last));
                }
                self.throttle.clear(*person);
            }
            Fact::Linked { person, identity, at } => {
                self.with(*person, |member| member.link(identity, *at));
            }
            Fact::Unlinked { person, identity, at }
            | Fact::UnlinkedBy { person, identity, at, .. } => {
                self.with(*person, |member| member.unlink(identity, *at));
            }
            Fact::Vouched { person, login, at } => {
                self.with(*person, |member| member.vouched(&login.identity, *at));
            }
            Fact::Signed { .. } | Fact::Consented { .. } => {}
        }
    }

    /// Ends what may have ended since the copy was made that the journal goes on from: every session and
    /// recovery code, and these links.
    pub(crate) fn restored(&mut self, links: &BTreeMap<LinkKey, Time>, at: Time) {
        self.sessions.end_everybody();
        self.members.values_mut().for_each(|member| member.recovery = RecoveryCodes::default());
        links.iter().for_each(|(link, until)| self.used_links.insert(*link, *until, at));
    }

    /// The people who enrolled.
    pub fn members(&self) -> &BTreeMap<PersonHandle, Member> {
        &self.members
    }

    /// A person by name.
    pub fn named(&self, name: &str) -> Option<(PersonHandle, &Member)> {
        let found = self.members.iter().find(|(_, member)| member.name.as_str() == name);
        found.map(|(handle, member)| (*handle, member))
    }

    /// Whose logins were taken away and who have not enrolled since.
    pub fn awaited(&self) -> impl Iterator<Item = (PersonHandle, &PersonName)> {
        self.reset.iter().map(|(handle, reset)| (*handle, &reset.name))
    }

    /// Whose passkey an id is.
    pub fn passkey(&self, credential: &[u8]) -> Option<&Passkey> {
        self.members.values().flat_map(|m| &m.passkeys).find(|key| key.id() == credential)
    }

    /// Whether somebody's password is in that entry of the sealed store.
    pub fn is_in_force(&self, sealed: [u8; 16]) -> bool {
        self.members.values().any(|member| member.password.is_some_and(|it| it.sealed == sealed))
    }

    /// Who may log in by an outside identity.
    pub fn linked(&self, identity: &OutsideIdentity) -> Option<(PersonHandle, &Member)> {
        let by = |member: &Member| member.linked.iter().any(|it| it.identity == *identity);
        self.members.iter().find(|(_, member)| by(member)).map(|(handle, member)| (*handle, member))
    }

    /// Which links were used.
    pub fn used_links(&self) -> &UsedLinks {
        &self.used_links
    }

    /// The sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// How often anybody has guessed.
    pub fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    fn enrol(&mut self, person: PersonHandle, name: &PersonName, at: Time) {
        let before: Vec<PersonHandle> = self
            .members
            .iter()
            .filter(|(_, m)| m.name == *name)
            .map(|(handle, _)| *handle)
            .collect();
        // Whoever is let in next reads what happened to the name until then: a link may have come into wrong
        // hands.
        let awaited = self.reset.values().find(|reset| reset.name == *name);
        let mut notices = awaited.map(|reset| reset.notices.clone()).unwrap_or_default();
        self.reset.retain(|_, reset| reset.name != *name);
        if !notices.all().is_empty() {
            notices.add(Event::EnrolledAnew, at);
        }
        for handle in before {
            if let Some(member) = self.members.get(&handle) {
                notices = member.notices.clone();
                notices.add(Event::EnrolledAnew, at);
            }
            self.forget(handle);
        }
        let member = Member {
            name: name.clone(),
            since: at,
            passkeys: Vec::new(),
            password: None,
            next_step: 0,
            recovery: RecoveryCodes::default(),
            linked: Vec::new(),
            names: BTreeMap::new(),
            notices,
        };
        self.members.insert(person, member);
    }

    /// What happened until now is told to whoever enrols by the name next: it may be why this was done.
    fn reset(&mut self, person: PersonHandle, at: Time) {
        let Some(Member { name, mut notices, .. }) = self.members.get(&person).cloned() else {
            return;
        };
        notices.add(Event::Reset, at);
        self.forget(person);
        self.reset.insert(person, Reset { name, notices });
    }

    fn forget(&mut self, person: PersonHandle) {
        self.members.remove(&person);
        self.reset.remove(&person);
        self.sessions.end_all(person, None);
        self.throttle.clear(person);
    }

    fn with(&mut self, person: PersonHandle, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.members.get_mut(&person) {
            change(member);
        }
    }
}

#[cfg(test)]
mod tests;
