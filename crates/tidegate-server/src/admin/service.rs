//! Carries out what the administration asks.

use super::breakers::Turn;
use super::grants::{grant, limits, name};
use super::halts::Pull;
use super::options;
use super::protocol::{Failure, GrantSpec, LimitsSpec, OptionLimitsSpec, Request, Response};
use super::rights::denied;
use super::standing::{Loss, takes_somebody_out};
use super::{Administrator, https, status};
use crate::aside::aside_within;
use crate::clock;
use crate::config::Config;
use crate::desk::{Desk, Errand, Links};
use crate::disk::DiskWatch;
use crate::edge::Connections;
use crate::folder::DataFolder;
use crate::front::Callers;
use crate::oplog;
use crate::people::People;
use crate::web::oauth;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tidegate_core::action::Answer;
use tidegate_core::approvals::FORBIDDEN;
use tidegate_core::event::Event;
use tidegate_core::roles;
use tidegate_core::state::State;
use tidegate_types::approval::Act;
use tidegate_types::ids::{AccountName, ApprovalId, KeyId, PersonName, VenueName};
use tidegate_types::key::{Replaced, VirtualKey};
use tidegate_types::record::Change;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::secret::Secret;
use tidegate_types::self_trade::SelfTradeMode;
use tidegate_types::text::one_line;
use tidegate_types::time::{Span, Time};
use tidegate_vault::{CallerSecrets, Undecided, VenueKeyInfo};
use tokio::sync::{Notify, watch};

/// The longest that a halt waits for its proof.
const MAX_HALT_WAIT: Duration = Duration::from_secs(600);
/// How long the disk may take to write a small file.
const DISK_PATIENCE: Duration = Duration::from_secs(5);

/// What administration works on.
pub struct Parts {
    /// The desk.
    pub desk: Arc<Desk>,
    /// The callers' keys in force.
    pub callers: Arc<Callers>,
    /// The authorization server.
    pub oauth: Arc<oauth::Handle>,
    /// The ways to the venues.
    pub links: Arc<Links>,
    /// The people who come by browser.
    pub people: Arc<People>,
    /// The connections of callers.
    pub connections: Arc<Connections>,
    /// The configuration.
    pub config: Config,
    /// The data folder.
    pub folder: DataFolder,
    /// What is known of its disk.
    pub disk: Arc<DiskWatch>,
    /// The user id of the data folder's owner.
    pub owner_uid: u32,
    /// The signer's process id, while it runs.
    pub signer_pid: Box<dyn Fn() -> Option<u32> + Send + Sync>,
    /// Makes the signer read its keys again, and tells which it holds then.
    pub reload: Box<dyn Reload>,
    /// Turns true when the gateway is to stop.
    pub stop: watch::Sender<bool>,
}

/// The signer, as far as it holds keys.
pub trait Reload: Send + Sync {
    /// The keys that it holds, the newest last.
    fn held(&self) -> Vec<VenueKeyInfo>;

    /// Has private streams begin by the keys that the desk uses from now on.
    fn take_up(&self);

    /// Reads the keys again, and tells which there are.
    fn reload(&self) -> BoxFuture<'_, Result<Vec<VenueKeyInfo>, String>>;
}

/// The administration of a running gateway.
pub struct Administration {
    pub(super) parts: Parts,
    secrets: Arc<Mutex<CallerSecrets>>,
    /// Which of them no record tells of yet.
    pub(super) undecided: Undecided,
    /// Keys on record that are not in force yet, because the store did not answer.
    pub(super) late: Mutex<BTreeMap<KeyId, (VirtualKey, Option<Replaced>)>>,
    /// Told when a request ended: the sealed store is to be swept.
    pub(super) swept: Notify,
    /// Who asked the gateway to stop.
    stopped_by: OnceLock<PersonName>,
    pub(super) token: https::Token,
    pub(super) started: Time,
    pub(super) listeners: OnceLock<BTreeMap<String, String>>,
}

impl Administration {
    /// Takes over what administration works on.
    pub fn new(parts: Parts, secrets: Arc<Mutex<CallerSecrets>>) -> Arc<Administration> {
        let undecided = secrets.lock().unwrap_or_else(PoisonError::into_inner).undecided();
        Arc::new(Administration {
            parts,
            secrets,
            undecided,
            late: Mutex::default(),
            swept: Notify::new(),
            stopped_by: OnceLock::new(),
            token: https::Token::default(),
            started: clock::now(),
            listeners: OnceLock::new(),
        })
    }

    /// Tells where the gateway listens, once that is known.
    pub fn set_listeners(&self, listeners: BTreeMap<String, String>) {
        // Told once at the start.
        let _ = self.listeners.set(listeners);
    }

    /// The data folder.
    pub fn folder(&self) -> &DataFolder {
        &self.parts.folder
    }

    /// Returns when the gateway is to stop.
    pub async fn stopped(&self) {
        let mut stop = self.parts.stop.subscribe();
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Who asked for that; nobody where a signal did.
    pub fn asked_to_stop(&self) -> Option<PersonName> {
        self.stopped_by.get().cloned()
    }

    /// Carries out a request.
    pub async fn carry_out(&self, by: &Administrator, request: Request) -> Response {
        match self.serve(by, request).await {
            Ok(value) => Response::Ok(self.where_to_confirm(value)),
            Err(failure) => {
                if failure.code == FORBIDDEN {
                    let why = format!("administration: {}: {}", by.person, failure.message);
                    let reject = Reject::new(Code::NotAllowed, one_line(&why));
                    self.note_refusal(Some(&by.person), reject);
                }
                Response::Error(failure)
            }
        }
    }

    /// Adds to the number of a request that waits for who asked where that one confirms it.
    fn where_to_confirm(&self, mut told: Value) -> Value {
        let id = told.get("pending").and_then(Value::as_u64).map(ApprovalId);
        let waits = id.filter(|id| {
            let asks =
                |state: &State| state.approvals().get(*id).is_some_and(|r| r.is_to_confirm(state));
            self.parts.desk.look(asks)
        });
        if let (Some(id), Some(fields)) = (waits, told.as_object_mut()) {
            fields.insert("confirm_at".to_owned(), self.page_of(id).into());
        }
        told
    }

    /// Puts on record that the administration turned something down: the first of a kind within a
    /// second, and of the others how many they were; of each person apart, and of strangers together.
    pub(crate) fn note_refusal(&self, person: Option<&PersonName>, reject: Reject) {
        self.parts.desk.event(match person.cloned() {
            Some(person) => Event::PersonRefused { person, reject },
            None => Event::RefusedEarlier { caller: None, account: None, shown: None, reject },
        });
    }

    async fn serve(&self, by: &Administrator, request: Request) -> Result<Value, Failure> {
        self.may_ask(by, &request)?;
        match request {
            Request::Status {} => status::status(self, by),
            Request::Halt { scope, reason, timeout_s, allow_reduce, flatten } => {
                let wait = Duration::from_secs(timeout_s).min(MAX_HALT_WAIT);
                self.halt(by, Pull { scope, reason, wait, allow_reduce, flatten }).await
            }
            Request::Resume { scope, reason } => {
                let scope = self.scope_of(by, &scope)?;
                self.check_halt_file(&scope)?;
                self.ask(by, Act::Resume { scope, reason }).await
            }
            Request::AccountAdd { venue, account, self_trade } => {
                self.add_account(by, &venue, &account, self_trade).await
            }
            Request::AccountOwner { account, owner } => self.set_owner(by, &account, owner).await,
            Request::SelfTradeSet { account, mode } => self.self_trade(by, &account, &mode).await,
            Request::VenueKeyReload { account } => self.reload(by, &account).await,
            Request::CallerAdd { caller } => {
                self.change(by, Change::CallerAdded { caller: name("caller", &caller)? }).await
            }
            Request::CallerShare { caller, person } => self.share(by, &caller, &person, true).await,
            Request::CallerUnshare { caller, person } => {
                self.share(by, &caller, &person, false).await
            }
            Request::KeyAdd { caller, account, public, terms } => {
                self.add_key(by, &caller, &account, public, terms).await
            }
            Request::KeyRotate { id, overlap_s, until_ms, public } => {
                let times = (Span::from_secs(overlap_s), until_ms);
                self.rotate_key(by, &id, times, public).await
            }
            Request::KeyRevoke { id } => self.revoke_key(by, &id).await,
            Request::Keys {} => self.keys(by),
            Request::GrantSet(spec) => self.set_grant(by, spec).await,
            Request::GrantRemove { caller, account } => {
                self.remove_grant(by, &caller, &account).await
            }
            Request::LimitsSet(spec) => self.set_limits(by, spec).await,
            Request::Policy {} => self.policy(by),
            Request::PolicyCheck { policy } => self.check_policy(by, &policy),
            Request::PolicySet { policy, reason } => self.set_policy(by, &policy, &reason).await,
            Request::PolicyRemove { reason } => self.remove_policy(by, &reason).await,
            Request::ShadowSet { policy, reason } => self.set_shadow(by, &policy, &reason).await,
            Request::ShadowRemove { reason } => self.remove_shadow(by, &reason).await,
            Request::OverrideGive(spec) => self.give_override(by, spec).await,
            Request::OverrideTakeBack { id } => self.take_back_override(by, &id).await,
            Request::ThrottleRelease(spec) => self.release(by, &spec).await,
            Request::BreakerSet(spec) => self.set_breaker(by, spec).await,
            Request::BreakerRemove { breaker } => self.remove_breaker(by, &breaker).await,
            Request::BreakerHalfOpen { breaker, scope, reason } => {
                self.turn_breaker(by, (&breaker, scope.as_deref()), Turn::HalfOpen, &reason).await
            }
            Request::BreakerClose { breaker, scope, reason } => {
                self.turn_breaker(by, (&breaker, scope.as_deref()), Turn::Close, &reason).await
            }
            Request::BreakerReset { breaker, scope } => {
                self.turn_breaker(by, (&breaker, scope.as_deref()), Turn::Reset, "").await
            }
            Request::OptionLimitsSet(spec) => self.set_option_limits(by, spec).await,
            Request::OptionLimitsRemove { account } => self.unlimit_options(by, &account).await,
            Request::AlarmsSeen { until_ms } => self.alarms_seen(by, until_ms).await,
            Request::PersonSet(spec) => self.set_person(by, spec).await,
            Request::PersonRemove { person } => self.remove_person(by, &person).await,
            Request::PersonInvite { person } => self.invite(by, &person).await,
            Request::PersonReset { person } => self.reset_person(by, &person).await,
            Request::Sessions { person } => self.sessions(by, &person),
            Request::Linked { person } => self.linked(by, &person),
            Request::Unlink { person, issuer } => self.unlink(by, &person, issuer).await,
            Request::SessionsEnd { person, number } => self.end_sessions(by, &person, number).await,
            Request::PasskeyRemove { person, passkey } => {
                self.remove_passkey(by, &person, &passkey).await
            }
            Request::Me {} => Ok(self.me(by)),
            Request::AppSet(spec) => self.set_app(by, spec).await,
            Request::AppRevoke { app } => self.revoke_app(by, &app).await,
            Request::Apps {} => self.apps(by),
            Request::AppGrants {} => self.app_grants(by),
            Request::AppRevokeGrant { grant } => self.revoke_app_grant(by, &grant).await,
            Request::AppRevokeKey { key } => self.revoke_app_key(by, &key).await,
            Request::People {} => self.people(),
            Request::Approvals {} => self.approvals(by),
            Request::ApprovalsSet { approvals } => self.set_approvals(by, &approvals).await,
            Request::ApproveBySet { approve_by } => self.set_approve_by(by, &approve_by).await,
            Request::Approve { id, digest } => self.approve(by, id, &digest).await,
            Request::Deny { id } => self.deny(by, id).await,
            Request::Shutdown {} => Ok(self.shut_down(by)),
        }
    }

    async fn set_owner(
        &self,
        by: &Administrator,
        account: &str,
        owner: Option<String>,
    ) -> Result<Value, Failure> {
        let account = name("account", account)?;
        let owner = owner.map(|owner| name("owner", &owner)).transpose()?;
        self.change(by, Change::OwnerSet { account, owner }).await
    }

    async fn share(
        &self,
        by: &Administrator,
        caller: &str,
        person: &str,
        on: bool,
    ) -> Result<Value, Failure> {
        let (caller, person) = (name("caller", caller)?, name("person", person)?);
        let change = if on {
            Change::CallerShared { caller, person }
        } else {
            Change::CallerUnshared { caller, person }
        };
        self.change(by, change).await
    }

    async fn remove_grant(
        &self,
        by: &Administrator,
        caller: &str,
        account: &str,
    ) -> Result<Value, Failure> {
        let (caller, account) = (name("caller", caller)?, name("account", account)?);
        self.change(by, Change::GrantRemoved { caller, account }).await
    }

    async fn alarms_seen(&self, by: &Administrator, until_ms: u64) -> Result<Value, Failure> {
        // What is told is cut to whole milliseconds.
        let until = Time::from_millis(until_ms).plus(Span::from_micros(999));
        self.change(by, Change::AlarmsSeen { until }).await
    }

    fn shut_down(&self, by: &Administrator) -> Value {
        // Who asks again is not who stopped it.
        let _ = self.stopped_by.set(by.person.clone());
        self.parts.stop.send_replace(true);
        json!({})
    }

    pub(super) async fn change(
        &self,
        by: &Administrator,
        change: Change,
    ) -> Result<Value, Failure> {
        let act = Act::Change { change };
        if let Act::Change { change } = &act
            && takes_somebody_out(change)
        {
            self.may_act(by, &act)?;
            self.leaves_two(&Loss::Change(change))?;
        }
        self.ask(by, act).await
    }

    async fn ask(&self, by: &Administrator, act: Act) -> Result<Value, Failure> {
        done(self.parts.desk.ask(by.person.clone(), by.showing, act).await)
    }

    async fn set_grant(&self, by: &Administrator, spec: GrantSpec) -> Result<Value, Failure> {
        let account: AccountName = name("account", &spec.account)?;
        let seen = |state: &State| roles::sees_account(state, &by.person, &account);
        if !self.parts.desk.look(seen) {
            return Err(unknown_account(&account));
        }
        let grant = grant(spec, self.venue_of(&account)?)?;
        self.change(by, Change::GrantSet { grant }).await
    }

    async fn set_limits(&self, by: &Administrator, spec: LimitsSpec) -> Result<Value, Failure> {
        let limits = limits(spec)?;
        self.venue_of(&limits.account)?;
        self.change(by, Change::LimitsSet { limits }).await
    }

    async fn self_trade(
        &self,
        by: &Administrator,
        account: &str,
        mode: &str,
    ) -> Result<Value, Failure> {
        let (account, mode) = (name("account", account)?, name("mode", mode)?);
        self.venue_of(&account)?;
        self.change(by, Change::SelfTradeSet { account, mode }).await
    }

    async fn set_option_limits(
        &self,
        by: &Administrator,
        spec: OptionLimitsSpec,
    ) -> Result<Value, Failure> {
        let limits = options::limits(spec)?;
        self.venue_of(&limits.account)?;
        self.change(by, Change::OptionLimitsSet { limits }).await
    }

    async fn unlimit_options(&self, by: &Administrator, account: &str) -> Result<Value, Failure> {
        let account = name("account", account)?;
        self.venue_of(&account)?;
        self.change(by, Change::OptionLimitsRemoved { account }).await
    }

    /// A new account; a key that the vault holds for it is taken up.
    async fn add_account(
        &self,
        by: &Administrator,
        venue: &str,
        account: &str,
        self_trade: Option<String>,
    ) -> Result<Value, Failure> {
        let (venue, account): (VenueName, AccountName) =
            (self.venue_name(venue)?, name("account", account)?);
        let mode = self_trade.map_or(Ok(SelfTradeMode::Refuse), |mode| name("mode", &mode))?;
        let held = newest(self.parts.reload.held(), &account);
        if let Some(key) = held.as_ref().filter(|key| key.venue != venue) {
            let message = format!("the vault's key for {account} is one of {}", key.venue);
            let hint = format!("add {account} at {}, or choose another name", key.venue);
            return Err(Failure::new("bad_request", message, hint));
        }
        // Before the account, so that its first order finds it set, whoever approves the account when.
        let there = self.parts.desk.look(|state| state.accounts().contains_key(&account));
        if !there && mode != SelfTradeMode::Off {
            self.change(by, Change::SelfTradeSet { account: account.clone(), mode }).await?;
        }
        let added = Change::AccountAdded { venue, account: account.clone() };
        let answer = self.change(by, added).await?;
        if answer.get("pending").is_some() {
            return Ok(answer);
        }
        self.take_up_held(by, account).await
    }

    /// Has an account that was just added use the key that the vault holds for it.
    pub(super) async fn take_up_held(
        &self,
        by: &Administrator,
        account: AccountName,
    ) -> Result<Value, Failure> {
        let held = newest(self.parts.reload.held(), &account);
        let Some(key) = held else { return Ok(json!({ "key": null })) };
        self.take_up(by, account.clone(), key.key_id).await.map_err(|failure| Failure {
            message: format!("{account} is added, but its key is not in use: {}", failure.message),
            hint: "repeat it with `tidegate venue-key reload` once the venue answers".to_owned(),
            ..failure
        })
    }

    /// Reads the vault again and takes up the newest key that it holds for an account. One that can be
    /// read at a start alone was read then.
    async fn reload(&self, by: &Administrator, account: &str) -> Result<Value, Failure> {
        let account: AccountName = name("account", account)?;
        let used = self.parts.desk.look(|state| state.accounts().get(&account)?.key.clone());
        let keys = match self.parts.reload.reload().await {
            Ok(keys) => keys,
            Err(why) => match newest(self.parts.reload.held(), &account) {
                Some(held) if Some(&held.key_id) != used.as_ref() => vec![held],
                _ => return Err(internal(&why)),
            },
        };
        let key = newest(keys, &account).ok_or_else(|| {
            let message = format!("the vault holds no key for {account}");
            Failure::new("no_venue_key", message, "import it with `tidegate venue-key import`")
        })?;
        // An account that is not there yet takes its key up when it is added.
        if self.venue_of(&account).is_err() {
            return Ok(json!({ "key": key.key_id, "rights": null }));
        }
        self.take_up(by, account, key.key_id).await
    }

    /// Takes up a venue key: what it may do is read from the venue itself.
    async fn take_up(
        &self,
        by: &Administrator,
        account: AccountName,
        key: String,
    ) -> Result<Value, Failure> {
        let venue = self.venue_of(&account)?;
        let link = self.parts.links.get(&venue).map_err(refused)?;
        let signed = self.parts.desk.sign_rights(&account, link.venue(), &key).await;
        let request = signed.map_err(refused)?;
        let (errand, request) = (Errand::Upkeep(Some(&account)), request.into_request());
        let reply = link.fetch(errand, request).await.map_err(refused)?;
        let rights = link.venue().rights(&key, &reply).map_err(|e| {
            Failure::new("venue_refused", e.0, "check the key at the venue and import it again")
        })?;
        let told = json!({ "key": key, "rights": rights });
        let answer = self.change(by, Change::VenueKeyImported { account, key, rights }).await?;
        self.parts.reload.take_up();
        Ok(if answer.get("pending").is_some() { answer } else { told })
    }

    pub(super) fn venue_of(&self, account: &AccountName) -> Result<VenueName, Failure> {
        let venue =
            |state: &State| state.accounts().get(account).map(|account| account.venue.clone());
        self.parts.desk.look(venue).ok_or_else(|| unknown_account(account))
    }

    fn venue_name(&self, text: &str) -> Result<VenueName, Failure> {
        let venue: VenueName = name("venue", text)?;
        if self.parts.links.get(&venue).is_ok() {
            return Ok(venue);
        }
        let known: Vec<String> =
            self.parts.links.iter().map(|link| link.venue().name().to_string()).collect();
        Err(Failure::new(
            "unknown_venue",
            format!("venue {venue} is not configured; there is: {}", known.join(", ")),
            format!("add a table [venues.{venue}] to tidegate.toml and restart the gateway"),
        ))
    }

    /// Changes the store of callers' secrets, on a thread of its own.
    pub(crate) async fn with_secrets<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
        &self,
        change: impl FnOnce(&mut CallerSecrets) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Failure> {
        let secrets = Arc::clone(&self.secrets);
        let run = move || change(&mut secrets.lock().unwrap_or_else(PoisonError::into_inner));
        let changed = aside_within(DISK_PATIENCE, "secrets", run).await;
        let path = self.folder().callers();
        let unwritten = |error: &dyn std::fmt::Display| {
            let message = format!("{} cannot be written: {error}", path.display());
            Failure::new("disk", message, "see `tidegate status`, and mend the disk")
        };
        changed.map_err(|e| unwritten(&e))?.map_err(|e| unwritten(&e))
    }
}

/// The key that was imported for an account last.
fn newest(held: Vec<VenueKeyInfo>, account: &AccountName) -> Option<VenueKeyInfo> {
    held.into_iter().rfind(|key| key.account == *account)
}

pub(super) fn unknown_account(account: &AccountName) -> Failure {
    Failure::new(
        "unknown_account",
        format!("there is no account {account}"),
        "add it first; `tidegate status` lists those there are",
    )
}

pub(super) fn done(answer: Answer) -> Result<Value, Failure> {
    match answer {
        Answer::Refused { reject } => Err(refused(reject)),
        Answer::Denied { denial } => Err(denied(&denial)),
        Answer::Pending { id } => Ok(json!({ "pending": id.0 })),
        Answer::Done
        | Answer::Venue { .. }
        | Answer::Cancelled { .. }
        | Answer::Halted { .. }
        | Answer::Flattened { .. } => Ok(json!({})),
    }
}

/// The answer for what is done, and what came of what followed: where that failed, it is done all the same.
pub(super) fn and_then(mut told: Value, followed: Result<(), Failure>) -> Value {
    if let (Err(failure), Some(fields)) = (followed, told.as_object_mut()) {
        oplog::warn("left-half-done", &[("why", &failure.message)]);
        fields.insert("then".to_owned(), json!({ "error": failure }));
    }
    told
}

pub(super) fn refused(reject: Reject) -> Failure {
    let code = format!("TG{}", reject.code.number());
    Failure::new(&code, reject.to_string(), "see `tidegate status`")
}

pub(super) fn internal(error: &dyn std::fmt::Display) -> Failure {
    Failure::new("internal", error.to_string(), "see `tidegate doctor`")
}

/// 32 bytes from their 64 hexadecimal digits.
pub(crate) fn bytes_of(text: &str) -> Option<[u8; 32]> {
    let digit = |at: usize| {
        let pair = text
            .get(at * 2..at * 2 + 2)
            .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Option<Vec<u8>> = (0..32).map(digit).collect();
    bytes.filter(|_| text.len() == 64).and_then(|bytes| bytes.try_into().ok())
}

/// What came as a secret in a request is not repeated in an error.
pub(super) fn parse(line: &[u8]) -> Result<Request, Failure> {
    serde_json::from_slice(line).map_err(|e| {
        let message = format!("not a request, at column {}", e.column());
        Failure::new("bad_request", message, "send one JSON object with an `op`")
    })
}

/// Whether `shown` is the token; takes as long whichever byte differs.
pub(super) fn token_matches(token: &Secret, shown: &[u8]) -> bool {
    !token.expose().is_empty()
        && aws_lc_rs::constant_time::verify_slices_are_equal(token.expose(), shown).is_ok()
}
