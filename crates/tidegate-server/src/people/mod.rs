//! The people who come by browser: how they enrol, log in, stay and leave.
//!
//! Every step is a fact of the identity's ledger, on disk before it is answered. A fact is decided and
//! folded in under one lock, so that two attempts side by side see each other; what takes long
//! (hashes, the sealed store) happens before, on threads of its own.

mod approve;
mod attested;
mod breached;
mod credentials;
mod enrol;
mod login;
mod oidc;
mod step_up;

pub use approve::{Known, may_consent, subject};
pub use attested::Attested;
pub use breached::Breached;
pub use credentials::{App, AppAnswer};
pub(crate) use credentials::{OUTSIDE_ALONE, credential_digest};
pub(crate) use enrol::links;
pub use enrol::{FirstAdmin, Invited, link_at};
pub(crate) use oidc::{ANSWER_PAGE, identity_digest};
pub use oidc::{Arrived, Door, OutsideAnswer, Provider};

use crate::aside::aside;
use crate::clock;
use crate::desk::Desk;
use crate::oplog;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tidegate_core::action::Answer;
use tidegate_identity::ledger;
use tidegate_identity::people::{
    Actor, Assertion, Assurance, Challenges, Fact, Level, LogIns, PasskeyError, Password, Pepper,
    PersonHandle, Registration, RelyingParty, Sealed, Session, SessionKey, Slots, State, Unfit,
};
use tidegate_types::codec::from_bytes;
use tidegate_types::ids::{KeyId, PersonName};
use tidegate_types::person::{Person, Role};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};
use tidegate_vault::{CallerSecrets, Undecided};

/// Hashes that are made at a time: 64 MiB each.
const HASHES: usize = 4;
/// How often it is noted that a session is still used.
const NOTED_EVERY: Span = Span::from_secs(60);
/// How fresh a login must be by which credentials are changed.
const FRESH: Span = Span::from_secs(15 * 60);

/// The people's side of who is calling.
pub struct People {
    desk: Arc<Desk>,
    state: Mutex<State>,
    logins: Mutex<LogIns>,
    challenges: Mutex<Challenges>,
    /// Authenticator apps that were offered and not confirmed yet.
    offered: Mutex<BTreeMap<[u8; 32], credentials::Offered>>,
    secrets: Arc<Mutex<CallerSecrets>>,
    undecided: Undecided,
    first_admin: Option<FirstAdmin>,
    pepper: Arc<Pepper>,
    slots: Arc<Slots>,
    place: OnceLock<Place>,
    outside: OnceLock<Provider>,
    breached: OnceLock<PathBuf>,
    attested: OnceLock<Attested>,
}

/// Where the pages are.
#[derive(Debug)]
struct Place {
    origin: String,
    party: RelyingParty,
}

/// Who a request is from, by its session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visitor {
    /// The name.
    pub person: PersonName,
    /// The same to credentials.
    pub handle: PersonHandle,
    /// The roles.
    pub roles: Vec<Role>,
    /// The session.
    pub session: SessionKey,
    /// Its number in its person's list.
    pub number: u64,
    /// What the login is worth; below `Level::Two` it is under way.
    pub level: Level,
    /// Whether all of that was shown moments ago.
    pub fresh: bool,
    /// Whether a passkey of theirs was.
    pub by_passkey: bool,
    /// What was shown, and when.
    pub assurance: Assurance,
}

/// A session as its person reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its number.
    pub number: u64,
    /// Where it came from.
    pub origin: String,
    /// When it began.
    pub since: Time,
    /// When it was used last, to the minute.
    pub last_seen: Time,
}

/// What a browser answers when a passkey was made or used, each part in base64url.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    credential: Octets,
    client_data: Octets,
    #[serde(default)]
    attestation: Octets,
    #[serde(default)]
    authenticator_data: Octets,
    #[serde(default)]
    signature: Octets,
    #[serde(default)]
    person: Option<Octets>,
}

/// Bytes that are written in base64url.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Octets(Vec<u8>);

/// Why something was not done. A person who is not logged in reads no more of it than this says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// Name, password, code or passkey are not right, or there were too many guesses.
    Wrong,
    /// The link is good for nothing.
    Link,
    /// The password cannot be chosen.
    Unfit(Unfit),
    /// The code is not that of the app that was offered.
    Code,
    /// The passkey cannot be taken.
    Passkey(PasskeyError),
    /// It would leave no way to log in, or there are too many already.
    Count(&'static str),
    /// The login is too long ago for this.
    Stale,
    /// It takes a login by passkey moments ago.
    NeedsPasskey,
    /// It takes a passkey of a model that the desk trusts.
    NeedsAttested,
    /// What was signed is not what was shown.
    OtherStatement,
    /// Too many log in at this moment.
    Busy,
    /// It cannot be put on record or be kept.
    Unavailable(String),
    /// What came back from the outside provider is not taken.
    Outside,
    /// It does not answer.
    OutsideAway,
    /// That login is nobody's of the desk.
    NotLinked,
}

impl People {
    /// The people as the journal tells of them.
    ///
    /// # Errors
    /// When the key for the passwords cannot be derived.
    pub fn new(
        desk: Arc<Desk>,
        state: State,
        secrets: Arc<Mutex<CallerSecrets>>,
    ) -> Result<Arc<People>, String> {
        let derived = lock(&secrets).pepper().map_err(|e| e.to_string())?;
        let undecided = lock(&secrets).undecided();
        let first = lock(&secrets).first_admin().map_err(|e| e.to_string())?;
        let key = <[u8; 32]>::try_from(derived.expose()).map_err(|e| e.to_string())?;
        Ok(Arc::new(People {
            desk,
            state: Mutex::new(state),
            logins: Mutex::new(LogIns::new(&fresh().map_err(|e| e.to_string())?)),
            challenges: Mutex::default(),
            offered: Mutex::default(),
            first_admin: first.and_then(|it| from_bytes(it.expose()).ok()),
            secrets,
            undecided,
            pepper: Arc::new(Pepper::new(key)),
            slots: Slots::new(HASHES),
            place: OnceLock::new(),
            outside: OnceLock::new(),
            breached: OnceLock::new(),
            attested: OnceLock::new(),
        }))
    }

    /// Tells where the pages are, once that is known.
    ///
    /// # Errors
    /// When passkeys cannot be had there.
    pub fn open(&self, origin: &str) -> Result<(), String> {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        let id = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let party = RelyingParty::new(id, &[origin]).map_err(|e| format!("{origin}: {e}"))?;
        // Told once at the start.
        let _ = self.place.set(Place { origin: origin.to_owned(), party });
        Ok(())
    }

    /// Refuses the passwords of the list at `path` from now on, when they are set; every one while it cannot be
    /// read.
    pub fn refuse_breached(&self, path: &Path) {
        // Told once at the start.
        let _ = self.breached.set(path.to_owned());
    }

    /// Where the pages are; empty before that is known.
    pub fn origin(&self) -> &str {
        self.place.get().map_or("", |place| &place.origin)
    }

    /// Who a session's id stands for. Nobody once the session lapsed, the person is none of the desk's
    /// or has other roles than when it began.
    pub async fn enter(&self, id: &str) -> Option<Visitor> {
        let key = SessionKey::of(id);
        let entered = self.record(|state, now| {
            let Ok(session) = state.sessions().look(key, now) else {
                return Ok((None, Vec::new()));
            };
            let Some(visitor) = self.visitor(state, key, session, now) else {
                return Ok((None, vec![Fact::SessionEnded { key }]));
            };
            let due = now.since(session.last_seen()) >= NOTED_EVERY;
            let seen = due.then_some(Fact::SessionSeen { key, at: now });
            Ok((Some(visitor), seen.into_iter().collect()))
        });
        // Where nothing can be put on record nobody gets in.
        entered.await.unwrap_or(None)
    }

    /// The same without using the session: for a page that asks by itself.
    pub fn look(&self, id: &str) -> Option<Visitor> {
        let (key, now, state) = (SessionKey::of(id), clock::now(), self.state());
        let session = state.sessions().look(key, now).ok()?;
        self.visitor(&state, key, session, now)
    }

    /// Ends a session.
    pub async fn log_out(&self, id: &str) -> Result<(), Error> {
        let key = SessionKey::of(id);
        self.record(|state, now| {
            let there = state.sessions().look(key, now).is_ok();
            Ok(((), there.then_some(Fact::SessionEnded { key }).into_iter().collect()))
        })
        .await
    }

    /// A person's sessions, the oldest first.
    pub fn sessions(&self, name: &PersonName) -> Vec<Listed> {
        let (now, state) = (clock::now(), self.state());
        let Some((handle, _)) = state.named(name.as_str()) else { return Vec::new() };
        let list = state.sessions().list(handle, now);
        let listed = |session: &&Session| Listed {
            number: session.number(),
            origin: session.origin().to_owned(),
            since: session.since(),
            last_seen: session.last_seen(),
        };
        list.iter().map(listed).collect()
    }

    /// Whether a person has a passkey.
    pub fn has_passkey(&self, name: &PersonName) -> bool {
        self.state().named(name.as_str()).is_some_and(|(_, member)| !member.passkeys.is_empty())
    }

    /// By what a person may log in: how many passkeys, whether a password, how many outside logins.
    pub(crate) fn ways_in(&self, name: &PersonName) -> (usize, bool, usize) {
        let (outside, state) = (self.outside().is_some(), self.state());
        let Some((_, member)) = state.named(name.as_str()) else { return (0, false, 0) };
        let linked = if outside { member.linked.len() } else { 0 };
        (member.passkeys.len(), member.password.is_some(), linked)
    }

    /// Ends one of the visitor's own other sessions, or all of them.
    ///
    /// # Errors
    /// When the login is not fresh: whoever took over a session is not to end its owner's.
    pub async fn end_own(&self, visitor: &Visitor, number: Option<u64>) -> Result<(), Error> {
        if !visitor.fresh {
            return Err(Error::Stale);
        }
        let but = number.is_none().then_some(visitor.session);
        self.end_sessions(&visitor.person, number, but, visitor.actor()).await.map(|_| ())
    }

    /// Ends one of a person's sessions, or all of them; how many that were. `by` is who asked for it.
    pub async fn end_sessions(
        &self,
        name: &PersonName,
        number: Option<u64>,
        but: Option<SessionKey>,
        by: Actor,
    ) -> Result<usize, Error> {
        self.record(|state, now| {
            let Some((person, _)) = state.named(name.as_str()) else { return Ok((0, Vec::new())) };
            let list = state.sessions().list(person, now);
            Ok(match number {
                Some(number) if list.iter().any(|session| session.number() == number) => {
                    (1, vec![Fact::SessionRevokedBy { person, number, by }])
                }
                Some(_) => (0, Vec::new()),
                None if list.is_empty() => (0, Vec::new()),
                None => (
                    list.len() - usize::from(but.is_some()),
                    vec![Fact::SessionsEndedBy { person, but, by }],
                ),
            })
        })
        .await
    }

    /// Forgets what people log in by who are none of the desk's any more, so that somebody who is given
    /// the name later does not get in by it.
    pub async fn forget_strangers(&self, by: &Actor) -> Result<(), Error> {
        let gone = |person: PersonHandle, _: Time| Fact::GoneBy { person, by: by.clone() };
        self.forget(|name| self.person(name).is_none(), gone).await
    }

    /// Takes away what a person logs in by; every session of theirs ends. Who enrols by the name next is told,
    /// and of what happened before.
    pub async fn reset(&self, person: &PersonName, by: &Actor) -> Result<(), Error> {
        let reset = |person: PersonHandle, at: Time| Fact::ResetBy { person, by: by.clone(), at };
        self.forget(|name| name == person, reset).await
    }

    async fn forget(
        &self,
        whose: impl Fn(&PersonName) -> bool,
        fact: impl Fn(PersonHandle, Time) -> Fact,
    ) -> Result<(), Error> {
        let gone: Vec<Password> = self
            .record(|state, now| {
                let gone = state.members().iter().filter(|(_, member)| whose(&member.name));
                let (mut facts, had): (Vec<Fact>, Vec<Option<Password>>) =
                    gone.map(|(person, member)| (fact(*person, now), member.password)).unzip();
                let awaited = state.awaited().filter(|(_, name)| whose(name));
                facts.extend(awaited.map(|(person, _)| fact(person, now)));
                Ok((had.into_iter().flatten().collect(), facts))
            })
            .await?;
        self.forget_sealed(gone.into_iter().map(|password| password.sealed)).await;
        Ok(())
    }

    /// The names under which the sealed store keeps the passwords in force.
    pub(crate) fn sealed_in_force(&self) -> Vec<KeyId> {
        let state = self.state();
        let set = state.members().values().filter_map(|member| member.password);
        set.map(|password| entry(password.sealed)).collect()
    }

    /// Forgets what opens nothing any more. It is sealed, and no fact names it: where the disk refuses, it
    /// is the operator's to know.
    async fn forget_sealed(&self, entries: impl IntoIterator<Item = [u8; 16]>) {
        for sealed in entries {
            if let Err(error) = self.with_secrets(move |store| store.remove(&entry(sealed))).await {
                oplog::warn("password-not-forgotten", &[("why", &error)]);
            }
        }
    }

    /// Decides on facts and, once the journal has them, folds them in, nothing coming between; returns once
    /// they are on disk. Where the journal takes none nothing comes of them, but that sessions end: out is
    /// out, though a restart may not know it.
    async fn record<T>(
        &self,
        decide: impl FnOnce(&State, Time) -> Result<(T, Vec<Fact>), Error>,
    ) -> Result<T, Error> {
        let (value, written) = {
            let mut state = self.state();
            let (value, facts) = decide(&state, clock::now())?;
            let named = facts.iter().cloned().map(|fact| ledger::Fact::People { fact });
            let written = self.desk.identities(&named.collect::<Vec<_>>());
            let holds = |fact: &&Fact| written.is_ok() || fact.ends_sessions();
            facts.iter().filter(holds).for_each(|fact| state.apply(fact));
            (value, written.map_err(unavailable)?)
        };
        match written.await {
            Answer::Refused { reject } => Err(unavailable(reject)),
            _ => Ok(value),
        }
    }

    fn visitor(
        &self,
        state: &State,
        key: SessionKey,
        session: &Session,
        now: Time,
    ) -> Option<Visitor> {
        let member = state.members().get(&session.person())?;
        if session.assurance().is_outside() && self.outside().is_none() {
            return None;
        }
        let person = self.person(&member.name)?;
        let assurance = session.assurance().trusted_since(self.trusted_since());
        (person.roles == session.roles()).then(|| Visitor {
            person: person.name,
            handle: session.person(),
            roles: person.roles,
            session: key,
            number: session.number(),
            level: assurance.level(),
            fresh: assurance.level_within(FRESH, now) >= Level::Two,
            by_passkey: assurance.passkey_within(FRESH, now),
            assurance,
        })
    }

    fn person(&self, name: &PersonName) -> Option<Person> {
        self.desk.look(|state| state.people().get(name).cloned())
    }

    fn party(&self) -> Result<&RelyingParty, Error> {
        let closed = || Error::Unavailable("the gateway is starting".to_owned());
        self.place.get().map(|place| &place.party).ok_or_else(closed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// What the sealed store keeps of a person, if anything.
    async fn sealed(&self, person: PersonHandle) -> Result<Option<Sealed>, Error> {
        let set = self.state().members().get(&person).and_then(|member| member.password);
        let Some(Password { sealed, .. }) = set else { return Ok(None) };
        self.with_secrets(move |secrets| secrets.get(&entry(sealed))).await.map(open_sealed)
    }

    /// Works on the sealed store, on a thread of its own.
    async fn with_secrets<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut CallerSecrets) -> Result<T, tidegate_vault::VaultError> + Send + 'static,
    ) -> Result<T, Error> {
        let secrets = Arc::clone(&self.secrets);
        let done = aside("secrets", move || work(&mut lock(&secrets))).await;
        done.map_err(unavailable)?.map_err(unavailable)
    }
}

impl Visitor {
    /// The same as who did something.
    pub(super) fn actor(&self) -> Actor {
        Actor::person(&self.person)
    }
}

impl PasskeyAnswer {
    fn assertion(&self) -> Assertion<'_> {
        Assertion {
            credential: &self.credential.0,
            person: self.person.as_ref().map(|person| person.0.as_slice()),
            client_data: &self.client_data.0,
            authenticator_data: &self.authenticator_data.0,
            signature: &self.signature.0,
        }
    }

    fn registration(&self) -> Registration<'_> {
        Registration { client_data: &self.client_data.0, attestation: &self.attestation.0 }
    }
}

impl TryFrom<String> for Octets {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Octets, base64::DecodeError> {
        URL_SAFE_NO_PAD.decode(text).map(Octets)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Wrong => f.write_str(
                "that is not right, or there were too many tries; wait a little and try again",
            ),
            Error::Link => {
                f.write_str("the link is not good any more; ask an administrator for a new one")
            }
            Error::Unfit(unfit) => unfit.fmt(f),
            Error::Code => {
                f.write_str("the code is not the one that the app shows for this secret now")
            }
            Error::Passkey(why) => why.fmt(f),
            Error::Count(why) => f.write_str(why),
            Error::NeedsPasskey => {
                f.write_str("this needs your passkey, shown in the last 15 minutes; who has none asks an administrator for a link")
            }
            Error::NeedsAttested => f.write_str(
                "your role takes a passkey of a device whose model the desk trusts; add one under Security, or \
                 ask an administrator for a link",
            ),
            Error::Stale => {
                f.write_str("this needs a login of the last 15 minutes; show your passkey, or log out and in again")
            }
            Error::OtherStatement => f.write_str(
                "what was signed is not what this request says now; nothing was approved",
            ),
            Error::Busy => {
                f.write_str("too many people log in at this moment; try again in a few seconds")
            }
            Error::Outside => f.write_str(
                "the login there cannot be taken; begin again, or log in another way",
            ),
            Error::OutsideAway => f.write_str(
                "the outside login does not work now; try again later, or log in another way",
            ),
            Error::NotLinked => f.write_str(
                "that login is nobody's here; log in by passkey and link it under Security, or ask an \
                 administrator for a link",
            ),
            Error::Unavailable(why) => write!(f, "it cannot be put on record now: {why}"),
        }
    }
}

impl std::error::Error for Error {}

fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

/// The name under which the sealed store keeps a password and its app.
fn entry(sealed: [u8; 16]) -> KeyId {
    KeyId::hex(&[b"person".as_slice(), &sealed].concat())
}

fn open_sealed(secret: Option<Secret>) -> Option<Sealed> {
    // One that cannot be read opens nothing.
    from_bytes(secret?.expose()).ok()
}

/// `N` bytes fresh from the system's generator.
fn fresh<const N: usize>() -> Result<[u8; N], Error> {
    let mut random = [0; N];
    getrandom::fill(&mut random).map_err(unavailable)?;
    Ok(random)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests;
