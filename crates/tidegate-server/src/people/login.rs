//! Logging in: by passkey, or by password and code in two steps.

use super::{Error, PasskeyAnswer, People, Visitor, entry, fresh, lock, open_sealed, unavailable};
use crate::aside::aside;
use crate::clock;
use crate::oplog;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use tidegate_identity::people::notices::Event;
use tidegate_identity::people::passkey::{authenticate, request_options};
use tidegate_identity::people::password::Slot;
use tidegate_identity::people::sessions::MAX_UNFINISHED;
use tidegate_identity::people::throttle::{Attempt, Target};
use tidegate_identity::people::{
    Begun, Cost, Fact, Level, OneTimeText, PasskeyError, PasswordError, PersonHandle, SessionKey,
    Shown, State, StoredPassword,
};
use tidegate_types::person::Role;
use tidegate_types::time::{Span, Time};
use zeroize::Zeroizing;

/// How often it is told that a passkey may have been copied.
const DOUBTED_EVERY: Span = Span::from_secs(60);

impl People {
    /// What a browser is asked to show a passkey by, known by the cookie of its login page.
    ///
    /// # Errors
    /// When the gateway cannot ask now.
    pub fn ask_passkey(&self, browser: &str) -> Result<Value, Error> {
        let challenge = lock(&self.logins).begin(browser, fresh()?, clock::now());
        Ok(request_options(self.party()?, &challenge, &[]))
    }

    /// Logs in whoever's passkey was shown; the new session's id.
    ///
    /// # Errors
    /// The same whatever is wrong with it.
    pub async fn log_in_by_passkey(
        &self,
        browser: &str,
        answer: &PasskeyAnswer,
        origin: &str,
    ) -> Result<OneTimeText, Error> {
        let party = self.party()?;
        let (id, key) = SessionKey::fresh(&fresh()?);
        let mut copied = false;
        let done = self.record(|state, now| {
            let mut logins = lock(&self.logins);
            let challenge = logins.find(browser, &answer.client_data.0, now);
            let challenge = challenge.map_err(|_| Error::Wrong)?;
            let known = state.passkey(&answer.credential.0).ok_or(Error::Wrong)?;
            let mut passkey = known.clone();
            let asserted = authenticate(party, challenge, &mut passkey, answer.assertion(), now);
            copied = asserted == Err(PasskeyError::Cloned);
            let asserted = asserted.map_err(|_| Error::Wrong)?;
            logins.spend(&asserted, now).map_err(|_| Error::Wrong)?;
            let person = asserted.person();
            let shown = self.worth(&passkey, &asserted);
            let begun = self.begun(state, person, shown, origin, now)?;
            let facts = vec![
                Fact::PasskeyUsed { passkey },
                Fact::Cleared { person },
                Fact::SessionBegun { key, begun },
            ];
            Ok(((), facts))
        });
        let done = done.await;
        if copied {
            self.doubt(&answer.credential.0).await;
        }
        done.map(|()| id)
    }

    /// Puts on record that a passkey may have been copied, once a minute: its person is told, and the operator.
    pub(super) async fn doubt(&self, credential: &[u8]) {
        let noted = self.record(|state, at| {
            let Some(passkey) = state.passkey(credential) else { return Ok((None, Vec::new())) };
            let person = passkey.person();
            let member = state.members().get(&person).ok_or(Error::Wrong)?;
            let known = member.notices.all().iter().any(|notice| {
                notice.event == Event::PasskeyDoubted && at.since(notice.at) < DOUBTED_EVERY
            });
            if known {
                return Ok((None, Vec::new()));
            }
            let fact = Fact::PasskeyDoubted { person, credential: credential.to_vec(), at };
            Ok((Some(member.name.clone()), vec![fact]))
        });
        // It was refused whether that can be put on record or not.
        if let Ok(Some(person)) = noted.await {
            oplog::warn("passkey-may-be-copied", &[("person", &person)]);
        }
    }

    /// What became of a passkey that was shown in a session, with that put on record.
    pub(super) async fn doubting<T>(
        &self,
        answer: &PasskeyAnswer,
        done: Result<T, Error>,
    ) -> Result<T, Error> {
        if matches!(done, Err(Error::Passkey(PasskeyError::Cloned))) {
            self.doubt(&answer.credential.0).await;
        }
        done
    }

    /// The first step by password: a session that is good for nothing but the second.
    ///
    /// # Errors
    /// The same for a wrong password, a name that is nobody's, and too many guesses.
    pub async fn log_in_by_password(
        &self,
        name: &str,
        password: Zeroizing<String>,
        from: IpAddr,
        origin: &str,
    ) -> Result<OneTimeText, Error> {
        // Without room to check it nothing is put on record: else whoever asks often enough fills the journal.
        let slot = self.slots.take().ok_or(Error::Busy)?;
        let (attempt, person) = self.guess(name, from).await?;
        let shown = self.check_password(slot, person, password).await?;
        let person = person.ok_or(Error::Wrong)?;
        let (id, key) = SessionKey::fresh(&fresh()?);
        self.record(|state, now| {
            let begun = self.begun(state, person, shown, origin, now)?;
            // Who begins again and again and never ends a login has the password alone: that counts like
            // guesses.
            let few = state.sessions().unfinished(person, now) < MAX_UNFINISHED;
            let passed = few.then_some(Fact::Passed { attempt });
            Ok(((), passed.into_iter().chain([Fact::SessionBegun { key, begun }]).collect()))
        })
        .await?;
        Ok(id)
    }

    /// The second step: a code of the app, or a recovery code. The session goes on under the id
    /// returned.
    ///
    /// # Errors
    /// When the code is wrong, was used, or there were too many guesses.
    pub async fn log_in_by_code(
        &self,
        id: &str,
        code: &str,
        from: IpAddr,
    ) -> Result<OneTimeText, Error> {
        let visitor = self.look(id).filter(|visitor| visitor.level == Level::One);
        let visitor = visitor.ok_or(Error::Wrong)?;
        let (attempt, person) = self.guess(visitor.person.as_str(), from).await?;
        let sealed = match person {
            Some(person) if person == visitor.handle => self.sealed(person).await?,
            _ => None,
        };
        let mut totp = sealed.ok_or(Error::Wrong)?.totp.clone();
        let (new, key) = SessionKey::fresh(&fresh()?);
        self.record(|state, now| {
            let (person, was) = (visitor.handle, visitor.session);
            state.sessions().look(was, now).map_err(|_| Error::Wrong)?;
            let member = state.members().get(&person).ok_or(Error::Wrong)?;
            totp.used_before(member.next_step);
            let (shown, used) = match totp.check(code, now) {
                Ok(shown) => (shown, Fact::CodeUsed { person, next_step: totp.next_step() }),
                Err(_) => {
                    let mut codes = member.recovery.clone();
                    let shown = codes.spend(code, now).ok_or(Error::Wrong)?;
                    (shown, Fact::RecoveryUsed { person, codes })
                }
            };
            let facts = vec![
                Fact::Passed { attempt },
                used,
                Fact::Cleared { person },
                Fact::SessionRaised { was, key, shown },
            ];
            Ok(((), facts))
        })
        .await?;
        Ok(new)
    }

    /// Whether somebody who is logged in says their password, counted like every guess.
    pub(super) async fn confirm_password(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        from: IpAddr,
    ) -> Result<(), Error> {
        let slot = self.slots.take().ok_or(Error::Busy)?;
        let (attempt, person) = self.guess(visitor.person.as_str(), from).await?;
        self.check_password(slot, person, password).await?;
        self.record(|_, _| Ok(((), vec![Fact::Passed { attempt }]))).await
    }

    /// Counts a guess before it is checked; whose it is, if it is anybody's.
    pub(super) async fn guess(
        &self,
        name: &str,
        from: IpAddr,
    ) -> Result<(Attempt, Option<PersonHandle>), Error> {
        self.record(|state, now| {
            let known = state.named(name).filter(|(_, member)| self.person(&member.name).is_some());
            let person = known.map(|(handle, _)| handle);
            let target = person.map_or(Target::Stranger(name), Target::Person);
            let attempt = state.throttle().admit(target, from, now).map_err(|_| Error::Wrong)?;
            let facts = vec![Fact::Tried { attempt: attempt.clone() }];
            Ok(((attempt, person), facts))
        })
        .await
    }

    /// Checks a password; where there is none to check, the same work is done.
    async fn check_password(
        &self,
        slot: Slot,
        person: Option<PersonHandle>,
        password: Zeroizing<String>,
    ) -> Result<Shown, Error> {
        let (secrets, pepper) = (Arc::clone(&self.secrets), Arc::clone(&self.pepper));
        let set = person.and_then(|person| self.state().members().get(&person)?.password);
        let now = clock::now();
        let checked = aside("password", move || {
            let sealed = set.map(|set| lock(&secrets).get(&entry(set.sealed))).transpose();
            let stored = sealed.ok().flatten().and_then(open_sealed).map(|sealed| sealed.password);
            StoredPassword::check(stored.as_ref(), &slot, &pepper, Cost::TODAY, &password, now)
        });
        match checked.await.map_err(unavailable)? {
            Ok(right) => Ok(right.shown),
            Err(PasswordError::Wrong | PasswordError::Unfit(_)) => Err(Error::Wrong),
            Err(PasswordError::System) => Err(Error::Busy),
        }
    }

    pub(super) fn begun(
        &self,
        state: &State,
        person: PersonHandle,
        shown: Shown,
        origin: &str,
        at: Time,
    ) -> Result<Begun, Error> {
        let member = state.members().get(&person).ok_or(Error::Wrong)?;
        let roles: Vec<Role> = self.person(&member.name).ok_or(Error::Wrong)?.roles;
        Ok(Begun { person, roles, shown, origin: origin.to_owned(), at })
    }
}
