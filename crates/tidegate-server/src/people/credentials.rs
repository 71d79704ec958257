//! What a person logs in by: passkeys, and a password with an authenticator app.

use super::{Breached, Error, PasskeyAnswer, People, Visitor, entry, fresh, lock, unavailable};
use crate::aside::aside;
use crate::clock;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use tidegate_identity::people::notices::Notice;
use tidegate_identity::people::passkey::{creation_options, register};
use tidegate_identity::people::password::{breach_digests, is_fit};
use tidegate_identity::people::{
    Actor, Challenge, Cost, Fact, FreshCodes, MAX_PASSKEYS, Member, OneTimeText, Passkey, Password,
    PasswordError, PersonHandle, Purpose, RecoveryCodes, Sealed, State, StoredPassword, Totp,
    Unfit,
};
use tidegate_types::codec::to_bytes;
use tidegate_types::ids::PersonName;
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};
use tidegate_vault::Sealing;
use zeroize::Zeroizing;

/// How long an authenticator app that was offered may be confirmed.
const OFFERED_FOR: Span = Span::from_secs(30 * 60);
/// Longest name of a passkey, in characters.
const MAX_NAME: usize = 40;
/// Most apps that are offered at a time.
const MAX_OFFERED: usize = 1000;
/// Most that are offered to one person, in as many sessions; the oldest makes room.
const MAX_OFFERED_TO_ONE: usize = 20;

/// Said to who has nothing of its own to log in by.
pub(crate) const OUTSIDE_ALONE: &str = "you log in by the outside provider alone; for a login of your own ask an administrator for a link";

/// An authenticator app to be set up.
#[derive(Debug)]
pub struct App {
    /// The secret for those who type it.
    pub secret: OneTimeText,
    /// The same as the app reads it from a picture or a link.
    pub uri: OneTimeText,
}

/// An authenticator app that was offered and is not confirmed yet.
pub(super) struct Offered {
    totp: Totp,
    to: PersonName,
    until: Time,
}

/// A password, and a code of the app that was offered.
pub struct AppAnswer {
    /// The password.
    pub password: Zeroizing<String>,
    /// The code.
    pub code: Zeroizing<String>,
}

/// Whose credentials these become.
pub(super) struct Owner {
    pub(super) handle: PersonHandle,
    pub(super) name: PersonName,
}

/// A password and an app that are in the sealed store, to be put on record.
pub(super) struct Prepared {
    sealed: [u8; 16],
    next_step: u64,
    codes: RecoveryCodes,
    fresh: FreshCodes,
    _sealing: Sealing,
}

impl Prepared {
    pub(super) fn facts(&self, person: PersonHandle, at: Time) -> [Fact; 2] {
        let codes = self.codes.clone();
        [
            Fact::PasswordSet { person, sealed: self.sealed, next_step: self.next_step, at },
            Fact::RecoverySet { person, codes },
        ]
    }

    pub(super) fn sealed(&self) -> [u8; 16] {
        self.sealed
    }

    pub(super) fn into_codes(self) -> FreshCodes {
        self.fresh
    }
}

impl People {
    /// What a person has to log in by.
    pub fn credentials(&self, visitor: &Visitor) -> Option<Member> {
        self.state().members().get(&visitor.handle).cloned()
    }

    /// Offers an authenticator app to who holds `door`, a link's secret or a session's id. The same one
    /// again until it is confirmed or lapses.
    ///
    /// # Errors
    /// When there are no random numbers, or too many are offered to others.
    pub fn offer_app(&self, door: &str, name: &PersonName) -> Result<App, Error> {
        let (key, now) = (door_key(door), clock::now());
        let mut offered = lock(&self.offered);
        offered.retain(|_, app| now < app.until);
        if !offered.contains_key(&key) {
            let theirs = offered.iter().filter(|(_, app)| app.to == *name);
            let mut theirs: Vec<(Time, [u8; 32])> =
                theirs.map(|(key, app)| (app.until, *key)).collect();
            theirs.sort_unstable();
            for (_, oldest) in
                theirs.iter().take((theirs.len() + 1).saturating_sub(MAX_OFFERED_TO_ONE))
            {
                offered.remove(oldest);
            }
            if offered.len() >= MAX_OFFERED {
                return Err(Error::Busy);
            }
        }
        let (totp, until) = (Totp::new(fresh()?), now.plus(OFFERED_FOR));
        let made = Offered { totp, to: name.clone(), until };
        let Offered { totp, .. } = offered.entry(key).or_insert(made);
        let issuer = self.desk.look(|state| match state.desk() {
            Some((desk, _)) => format!("Tidegate {desk}"),
            None => "Tidegate".to_owned(),
        });
        Ok(App { secret: totp.secret_text(), uri: totp.uri(&issuer, name.as_str()) })
    }

    /// Checks and seals a password and an app, so that only putting them on record is left.
    pub(super) async fn prepare(
        &self,
        door: &str,
        owner: &Owner,
        answer: AppAnswer,
    ) -> Result<Prepared, Error> {
        let AppAnswer { password, code } = answer;
        let about = [owner.name.as_str(), "tidegate"];
        is_fit(&password, &about).map_err(Error::Unfit)?;
        let offered = lock(&self.offered).get(&door_key(door)).map(|app| app.totp.clone());
        let mut totp = offered.ok_or(Error::Code)?;
        totp.check(&code, clock::now()).map_err(|_| Error::Code)?;
        let next_step = totp.next_step();
        let slot = self.slots.take().ok_or(Error::Busy)?;
        let (secrets, pepper) = (Arc::clone(&self.secrets), Arc::clone(&self.pepper));
        let (salt, sealed, name) = (fresh()?, fresh()?, owner.name.clone());
        let sealing = self.undecided.begin(&entry(sealed));
        let breached = self.breached.get().cloned();
        let kept = aside("password", move || {
            not_breached(breached.as_deref(), &password)?;
            let about = [name.as_str(), "tidegate"];
            let password =
                StoredPassword::choose(&slot, &pepper, Cost::TODAY, &password, &about, salt);
            let password = password.map_err(|error| match error {
                PasswordError::Unfit(unfit) => Error::Unfit(unfit),
                PasswordError::Wrong | PasswordError::System => Error::Busy,
            })?;
            let bytes = Secret::new(to_bytes(&Sealed { password, totp }));
            // Under a name of its own: what was before is good until this is on record.
            lock(&secrets).put(&entry(sealed), &bytes).map_err(unavailable)
        });
        kept.await.map_err(unavailable)??;
        lock(&self.offered).remove(&door_key(door));
        let (codes, fresh) = RecoveryCodes::issue(&fresh()?);
        Ok(Prepared { sealed, next_step, codes, fresh, _sealing: sealing })
    }

    /// Puts a prepared password on record by `facts`, which tell which one it replaces; the one that is good
    /// for nothing then is forgotten, be it the old one or, where it cannot be put on record, the new one.
    pub(super) async fn settle(
        &self,
        prepared: Prepared,
        facts: impl FnOnce(&State, Time, &Prepared) -> Result<(Option<Password>, Vec<Fact>), Error>,
    ) -> Result<FreshCodes, Error> {
        let was = match self.record(|state, now| facts(state, now, &prepared)).await {
            Ok(was) => was,
            Err(error) => {
                let sealed = prepared.sealed();
                let kept = self.state().is_in_force(sealed);
                let left = (!kept).then_some(sealed);
                self.forget_sealed(left).await;
                return Err(error);
            }
        };
        self.forget_sealed(was.map(|was| was.sealed)).await;
        Ok(prepared.into_codes())
    }

    /// What a browser is asked to make one more passkey by.
    ///
    /// # Errors
    /// When the login is not fresh, or there are too many.
    pub fn ask_new_passkey(&self, visitor: &Visitor, id: &str) -> Result<Value, Error> {
        let (party, now) = (self.party()?, clock::now());
        let member = self.passkeys_changeable(visitor)?;
        if member.passkeys.len() >= MAX_PASSKEYS {
            return Err(Error::Count("there are too many passkeys; remove one first"));
        }
        let challenge = Challenge::new(Purpose::Enrol, fresh()?, now);
        let (handle, had) = (visitor.handle, &member.passkeys);
        let proof = self.attesters(&visitor.roles).is_some();
        let options = creation_options(party, &challenge, handle, member.name.as_str(), had, proof);
        lock(&self.challenges).begin((handle, id), challenge, now);
        Ok(options)
    }

    /// Adds a passkey. The person's other sessions end.
    ///
    /// # Errors
    /// When the login is not fresh or the passkey cannot be taken.
    pub async fn add_passkey(
        &self,
        visitor: &Visitor,
        id: &str,
        answer: &PasskeyAnswer,
    ) -> Result<(), Error> {
        let party = self.party()?;
        self.passkeys_changeable(visitor)?;
        let challenge = lock(&self.challenges).take(id, Purpose::Enrol, clock::now());
        let challenge = challenge.map_err(Error::Passkey)?;
        self.record(|state, now| {
            let known = |id: &[u8]| state.passkey(id).is_some();
            let (person, made) = (visitor.handle, answer.registration());
            let makers = self.attesters(&visitor.roles);
            let passkey = register(party, challenge, person, made, known, makers, now)
                .map_err(Error::Passkey)?;
            self.check_counts(&visitor.roles, &passkey)?;
            let (but, by) = (Some(visitor.session), visitor.actor());
            let ended = Fact::SessionsEndedBy { person, but, by };
            Ok(((), vec![Fact::PasskeyAdded { passkey }, ended]))
        })
        .await
    }

    /// Removes a passkey, known by SHA-256 of its id. The person's other sessions end.
    ///
    /// # Errors
    /// When the login is not fresh, or no way to log in would be left.
    pub async fn remove_passkey(&self, visitor: &Visitor, which: &[u8; 32]) -> Result<(), Error> {
        self.passkeys_changeable(visitor)?;
        self.record(|state, at| {
            let person = visitor.handle;
            let member = state.members().get(&person).ok_or(Error::Wrong)?;
            let found = member.passkeys.iter().find(|key| credential_digest(key.id()) == *which);
            let Some(found) = found else { return Ok(((), Vec::new())) };
            if member.passkeys.len() == 1 && member.password.is_none() {
                return Err(Error::Count("this is the only way to log in; add another one first"));
            }
            let credential = found.id().to_vec();
            let (but, by) = (Some(visitor.session), visitor.actor());
            let facts = vec![
                Fact::PasskeyRemovedBy { person, credential, by: by.clone(), at },
                Fact::SessionsEndedBy { person, but, by },
            ];
            Ok(((), facts))
        })
        .await
    }

    /// A person's passkeys, the oldest first, with what the person calls them.
    pub fn passkeys(&self, name: &PersonName) -> Vec<(Passkey, Option<String>)> {
        let state = self.state();
        let Some((_, member)) = state.named(name.as_str()) else { return Vec::new() };
        let named = |key: &Passkey| (key.clone(), member.names.get(key.id()).cloned());
        member.passkeys.iter().map(named).collect()
    }

    /// Removes a passkey of a person's by its id, the last one too, and ends the person's sessions.
    ///
    /// # Errors
    /// When it cannot be put on record.
    pub async fn revoke_passkey(
        &self,
        name: &PersonName,
        id: &[u8],
        by: Actor,
    ) -> Result<(), Error> {
        self.record(|state, at| {
            let (person, _) = state.named(name.as_str()).ok_or(Error::Wrong)?;
            let facts = vec![
                Fact::PasskeyRemovedBy { person, credential: id.to_vec(), by: by.clone(), at },
                Fact::SessionsEndedBy { person, but: None, by },
            ];
            Ok(((), facts))
        })
        .await
    }

    /// Gives a passkey a name that its person knows it by; an empty one takes it away.
    ///
    /// # Errors
    /// When it is no name, or there is no such passkey.
    pub async fn name_passkey(
        &self,
        visitor: &Visitor,
        which: &[u8; 32],
        name: &str,
    ) -> Result<(), Error> {
        let name = name.trim();
        if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(Error::Count("a name has 40 characters at most, on one line"));
        }
        self.record(|state, _| {
            let person = visitor.handle;
            let member = state.members().get(&person).ok_or(Error::Wrong)?;
            let found = member.passkeys.iter().find(|key| credential_digest(key.id()) == *which);
            let credential = found.ok_or(Error::Wrong)?.id().to_vec();
            Ok(((), vec![Fact::PasskeyNamed { person, credential, name: name.to_owned() }]))
        })
        .await
    }

    /// Takes note that a person read what the page told that was made at `until`.
    ///
    /// # Errors
    /// When it cannot be put on record.
    pub async fn read_notices(&self, visitor: &Visitor, until: Time) -> Result<(), Error> {
        let person = visitor.handle;
        self.record(|_, now| Ok(((), vec![Fact::NoticesRead { person, until: until.min(now) }])))
            .await
    }

    /// What a person is told of its logins, the oldest first.
    pub fn notices(&self, name: &PersonName) -> Vec<Notice> {
        let state = self.state();
        let member = state.named(name.as_str()).map(|(_, member)| member);
        member.map(|member| member.notices.all().to_vec()).unwrap_or_default()
    }

    /// Sets a password and an app in place of those before; the recovery codes, to be shown once. The
    /// person's other sessions end.
    ///
    /// # Errors
    /// When the login is not fresh, or the password or the code is not good; when who did not log in by a
    /// passkey does not say the password there is.
    pub async fn set_password(
        &self,
        visitor: &Visitor,
        id: &str,
        (current, from): (Zeroizing<String>, IpAddr),
        answer: AppAnswer,
    ) -> Result<FreshCodes, Error> {
        self.check_unasked(&visitor.roles)?;
        let member = self.changeable(visitor)?;
        // Who has a passkey would else lose it to whoever learnt a password and a code.
        if !member.passkeys.is_empty() && !visitor.by_passkey {
            return Err(Error::NeedsPasskey);
        }
        // An outside account that somebody took over is not to become a login that stays once it is unlinked.
        let has_own = !member.passkeys.is_empty() || member.password.is_some();
        if !has_own && visitor.assurance.is_outside() {
            return Err(Error::Count(OUTSIDE_ALONE));
        }
        if member.password.is_some() && !visitor.by_passkey {
            self.confirm_password(visitor, current, from).await?;
        }
        let owner = Owner { handle: visitor.handle, name: visitor.person.clone() };
        let set = self.prepare(id, &owner, answer).await?;
        self.settle(set, |state, now, set| {
            let person = owner.handle;
            let was = state.members().get(&person).ok_or(Error::Wrong)?.password;
            let (but, by) = (Some(visitor.session), visitor.actor());
            let ended = Fact::SessionsEndedBy { person, but, by };
            Ok((was, set.facts(person, now).into_iter().chain([ended]).collect()))
        })
        .await
    }

    /// A passkey approves: only a passkey, or a link that an administrator gave out, brings another one or
    /// takes one away (SP 800-63B-4, 4.1.2).
    pub(super) fn passkeys_changeable(&self, visitor: &Visitor) -> Result<Member, Error> {
        let member = self.changeable(visitor)?;
        if visitor.by_passkey { Ok(member) } else { Err(Error::NeedsPasskey) }
    }

    pub(super) fn changeable(&self, visitor: &Visitor) -> Result<Member, Error> {
        if !visitor.fresh {
            return Err(Error::Stale);
        }
        self.credentials(visitor).ok_or(Error::Wrong)
    }
}

/// Refuses a password that is on the desk's list, and every one while the list cannot be read.
fn not_breached(list: Option<&Path>, password: &str) -> Result<(), Error> {
    let Some(path) = list else { return Ok(()) };
    let failed = |why: String| unavailable(format!("the list of breached passwords: {why}"));
    let list = Breached::open(path).map_err(failed)?;
    for digest in breach_digests(password) {
        if list.contains(&digest).map_err(failed)? {
            return Err(Error::Unfit(Unfit::Breached));
        }
    }
    Ok(())
}

/// SHA-256 of a credential's id, by which it is named.
pub(crate) fn credential_digest(id: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().zip(digest(&SHA256, id).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

pub(super) fn door_key(door: &str) -> [u8; 32] {
    credential_digest(door.as_bytes())
}
