//! The virtual keys, logins and stream keys in force, and what each key may ask a second.

use crate::desk::Desk;
use crate::edge::{Bucket, Class, Limits, Peers, Turn, Turns, Whose, network_of};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tidegate_identity::authenticate::{named, recall, refresh, stream_owner};
use tidegate_identity::ledger::Fact;
use tidegate_identity::message_signature::Shown;
use tidegate_identity::{
    Issued, Keyring, Named, OrderStamps, Remembered, ReplayGuard, StreamKeys, TokenStore,
    authenticate,
};
use tidegate_types::grant::{KeyScheme, VirtualKey};
use tidegate_types::ids::{CallerName, KeyId, VenueName};
use tidegate_types::key::Origin;
use tidegate_types::order::NewOrder;
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Presented, Signature};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};
use tidegate_venues::front::LocalAnswer;

/// Who asks.
#[derive(Debug)]
pub enum Who {
    /// Nobody in particular.
    Nobody,
    /// Somebody who named a key and proved nothing.
    Named(Named),
    /// Somebody who proved it.
    Proven(Authenticated),
}

impl Who {
    /// The caller, as far as one was named.
    pub fn named(&self) -> Option<Named> {
        match self {
            Who::Nobody => None,
            Who::Named(named) => Some(named.clone()),
            Who::Proven(proven) => Some(proven.into()),
        }
    }
}

/// What callers are checked against. Kept in memory; the secrets come from the sealed store.
pub struct Callers {
    rate: (u32, u32),
    state: Mutex<State>,
    turns: Arc<Turns>,
    failures: Peers<Failed>,
}

/// What was shown that was not good.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Failed {
    /// The signature or secret of a key.
    Key(KeyId),
    /// A token, or the proof that comes with it.
    Token,
}

struct State {
    keyring: Keyring,
    replays: ReplayGuard,
    order_stamps: OrderStamps,
    tokens: TokenStore,
    stream_keys: StreamKeys,
    uses: HashMap<KeyId, Use>,
}

/// What is known of a key's use.
struct Use {
    bucket: Bucket,
    last: Option<Time>,
    /// When the record of its use was made.
    recorded: Option<Time>,
}

/// When credentials that were bad too often are looked at again.
const LOOK_AGAIN: Span = Span::from_secs(1);
/// How often it is put on record that a key is used.
const RECORD_USE: Span = Span::from_secs(600);

impl Callers {
    /// Callers with these keys, last used as `used` tells. `rate` is what each key may ask a second,
    /// and at once; `limits` what each caller may over all its keys.
    pub fn new(
        keyring: Keyring,
        replays: ReplayGuard,
        rate: (u32, u32),
        limits: Limits,
        used: BTreeMap<KeyId, Time>,
    ) -> Callers {
        let uses = used.into_iter().map(|(key, at)| {
            let at = Some(at);
            (key, Use { bucket: Bucket::new(rate.0, rate.1), last: at, recorded: at })
        });
        let state = State {
            keyring,
            replays,
            order_stamps: OrderStamps::default(),
            tokens: TokenStore::new(),
            stream_keys: StreamKeys::new(),
            uses: uses.collect(),
        };
        let state = Mutex::new(state);
        Callers { rate, state, turns: Turns::new(limits), failures: Peers::new(limits.failures) }
    }

    /// A turn for what is asked; what is asked of nobody in particular is asked by who is at the address.
    ///
    /// # Errors
    /// When the caller asks too much, or the gateway is full for such requests.
    pub async fn turn(
        &self,
        who: Option<&CallerName>,
        peer: IpAddr,
        class: Class,
        now: Time,
    ) -> Result<Turn, Reject> {
        let address = || Whose::Address(network_of(peer));
        let whose = who.cloned().map_or_else(address, Whose::Caller);
        self.turns.take(whose, class, now).await
    }

    /// Who shows these credentials.
    pub fn authenticate(
        &self,
        venue: &VenueName,
        presented: &Presented,
        origin: &Origin,
        now: Time,
    ) -> Result<Who, Reject> {
        let failed = Failed::of(presented);
        self.may_fail(failed.as_ref(), origin, now)?;
        let who = self.check(venue, presented, origin, now);
        who.inspect_err(|reject| self.note_failure(failed, reject, origin, now))
    }

    fn check(
        &self,
        venue: &VenueName,
        presented: &Presented,
        origin: &Origin,
        now: Time,
    ) -> Result<Who, Reject> {
        let state = &mut *self.state();
        state.may_use(signer(presented).as_ref(), self.rate, now)?;
        let who = match presented {
            Presented::KeyOnly { key } => {
                Who::Named(named(&state.keyring, venue, key, origin, now)?)
            }
            _ => Who::Proven(authenticate(
                &state.keyring,
                &mut state.replays,
                &state.tokens,
                venue,
                presented,
                origin,
                now,
            )?),
        };
        let key = match &who {
            Who::Nobody => return Ok(who),
            Who::Named(named) => named.key(),
            Who::Proven(proven) => proven.key(),
        };
        take(&mut state.uses, self.rate, key, now)?;
        Ok(who)
    }

    /// Who signed a request by itself (RFC 9421). The key names the venue.
    pub fn authenticate_signed(
        &self,
        shown: &Shown,
        origin: &Origin,
        now: Time,
    ) -> Result<Authenticated, Reject> {
        let failed = Failed::of(&shown.presented);
        self.may_fail(failed.as_ref(), origin, now)?;
        let who = self.check_signed(shown, origin, now);
        who.inspect_err(|reject| self.note_failure(failed, reject, origin, now))
    }

    fn check_signed(
        &self,
        shown: &Shown,
        origin: &Origin,
        now: Time,
    ) -> Result<Authenticated, Reject> {
        let state = &mut *self.state();
        let Presented::Signature(Signature { key, .. }) = &shown.presented else {
            return Err(Reject::new(Code::MissingCredentials, "the request must be signed"));
        };
        let known = KeyId::new(key).ok().and_then(|id| state.keyring.get(&id)).cloned();
        let known = known.ok_or_else(|| Reject::new(Code::UnknownKey, ""))?;
        let own = match known.scheme {
            KeyScheme::Hmac => "hmac-sha256",
            KeyScheme::Ed25519 { .. } => "ed25519",
            KeyScheme::Rsa { .. } => "rsa-v1_5-sha256",
        };
        if shown.alg.as_deref().is_some_and(|alg| alg != own) {
            return Err(Reject::new(Code::BadSignature, format!("the key signs by {own}")));
        }
        state.may_use(Some(&known.id), self.rate, now)?;
        let State { keyring, replays, tokens, uses, .. } = state;
        let who =
            authenticate(keyring, replays, tokens, &known.venue, &shown.presented, origin, now)?;
        take(uses, self.rate, who.key(), now)?;
        Ok(who)
    }

    /// Whether a token that this address shows is to be looked at: not when too many were bad.
    pub fn may_show_token(&self, peer: IpAddr, now: Time) -> Result<(), Reject> {
        self.may_fail(Some(&Failed::Token), &Origin::from(peer), now)
    }

    /// Counts what came of looking at a token that this address showed.
    pub fn note_token(&self, peer: IpAddr, reject: &Reject, now: Time) {
        self.note_failure(Some(Failed::Token), reject, &Origin::from(peer), now);
    }

    /// Whether what is shown is to be checked: not when it was bad too often.
    fn may_fail(&self, failed: Option<&Failed>, origin: &Origin, now: Time) -> Result<(), Reject> {
        let may = failed.is_none_or(|failed| self.failures.may(origin.peer, failed.clone(), now));
        let later = || Reject::later(Code::TooManyFailures, "from this address", LOOK_AGAIN);
        if may { Ok(()) } else { Err(later()) }
    }

    /// Counts what was shown and is not good. Of keys that are not known nothing was checked.
    fn note_failure(&self, failed: Option<Failed>, reject: &Reject, origin: &Origin, now: Time) {
        if !matches!(reject.code, Code::BadSignature | Code::BadToken) {
            return;
        }
        match failed {
            Some(failed) => self.failures.take(origin.peer, failed, now),
            None => true,
        };
    }

    /// Whether a key may ask once more: all its requests together, over whichever connections.
    pub fn take(&self, key: &KeyId, now: Time) -> Result<(), Reject> {
        take(&mut self.state().uses, self.rate, key, now)
    }

    /// Whether an app that shows a token may ask once more: all its tokens together are one key's worth.
    pub fn take_app(&self, app: &CallerName, now: Time) -> Result<(), Reject> {
        let key = KeyId::new(&format!("app:{app}"));
        let key = key.map_err(|_| Reject::new(Code::UnknownKey, ""))?;
        self.take(&key, now)
    }

    /// Puts on record that a key is used, unless that was done lately. Nobody waits for the record.
    pub fn note_use(&self, desk: &Desk, key: &KeyId, now: Time) {
        let due = |used: &&mut Use| used.recorded.is_none_or(|at| now.since(at) >= RECORD_USE);
        let mut state = self.state();
        let Some(used) = state.uses.get_mut(key).filter(due) else { return };
        (used.last, used.recorded) = (Some(now), Some(now));
        drop(state);
        drop(desk.identity(&Fact::KeyUsed { key: key.clone(), at: now }));
    }

    /// When a key was last used.
    pub fn last_used(&self, key: &KeyId) -> Option<Time> {
        self.state().uses.get(key).and_then(|used| used.last)
    }

    /// Who a session or a batch remembers, if the key is still in force.
    pub fn recall(&self, remembered: &Remembered, now: Time) -> Result<Authenticated, Reject> {
        let state = &mut *self.state();
        let who = recall(&state.keyring, remembered, now)?;
        if let Some(used) = state.uses.get_mut(who.key()) {
            used.last = Some(now);
        }
        Ok(who)
    }

    /// The proof that comes with a request for this order, with whether a later request under the same
    /// id overtook it on its way.
    pub fn place_in_time(
        &self,
        who: Authenticated,
        order: &NewOrder,
        signed_at: Option<Time>,
        now: Time,
    ) -> Result<Authenticated, Reject> {
        let (Some(at), Some(id)) = (signed_at, &order.caller_id) else { return Ok(who) };
        let overtaken = self.state().order_stamps.admit(&who, id, at, now)?;
        Ok(who.overtaken(overtaken))
    }

    /// Whose stream key this is.
    pub fn stream_owner(
        &self,
        venue: &VenueName,
        key: &str,
        origin: &Origin,
        now: Time,
    ) -> Result<Named, Reject> {
        let state = self.state();
        stream_owner(&state.keyring, &state.stream_keys, venue, key, origin, now)
    }

    /// Whether a stream key is the one that was made for this key or token.
    pub fn is_stream_key_of(&self, who: &Named, stream_key: &str, now: Time) -> bool {
        self.state().stream_keys.is_of(who, stream_key, now)
    }

    /// Whether a key is in force.
    pub fn is_in_force(&self, key: &KeyId, now: Time) -> bool {
        self.state().keyring.get(key).is_some_and(|key| key.terms.in_time(now).is_ok())
    }

    /// Logs a caller in.
    pub fn log_in(
        &self,
        who: &Authenticated,
        lifetime: Option<Span>,
        now: Time,
    ) -> Result<LocalAnswer, Reject> {
        let random = random::<64>()?;
        Ok(login(&self.state().tokens.issue(who, lifetime, &random, now)))
    }

    /// Logs a caller in anew with a refresh token.
    pub fn refresh(
        &self,
        venue: &VenueName,
        token: &Secret,
        origin: &Origin,
        now: Time,
    ) -> Result<(Authenticated, LocalAnswer), Reject> {
        let random = random::<64>()?;
        let state = &mut *self.state();
        let tokens = &mut state.tokens;
        let (who, issued) = refresh(&state.keyring, tokens, venue, token, &random, origin, now)?;
        Ok((who, login(&issued)))
    }

    /// Ends every login of a key.
    pub fn log_out(&self, key: &KeyId) {
        self.state().tokens.revoke(key);
    }

    /// Makes a stream key, or gives the one there is.
    pub fn start_stream_key(&self, who: &Named, now: Time) -> Result<String, Reject> {
        let random = random::<32>()?;
        Ok(self.state().stream_keys.start(who, &random, now))
    }

    /// Keeps a stream key; `None` when there is none.
    pub fn keep_stream_key(&self, who: &Named, now: Time) -> Option<String> {
        self.state().stream_keys.keep(who, now)
    }

    /// Ends a stream key; whether there was one.
    pub fn stop_stream_key(&self, who: &Named, now: Time) -> bool {
        self.state().stream_keys.stop(who, now)
    }

    /// Puts a new key in force.
    pub fn add(&self, key: VirtualKey, secret: Option<Secret>) -> Result<(), String> {
        self.state().keyring.insert(key, secret).map_err(|e| e.to_string())
    }

    /// Has a key end, because another one takes its place.
    pub fn end(&self, key: &KeyId, until: Time) {
        self.state().keyring.end(key, until);
    }

    /// Puts a key out of force, and with it its logins and stream keys.
    pub fn revoke(&self, key: &KeyId) {
        let state = &mut *self.state();
        state.keyring.revoke(key);
        state.tokens.revoke(key);
        state.stream_keys.revoke(key);
        state.uses.remove(key);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a key may be used now. Looked at before its signature, which costs far more; nothing is taken for it, so
    /// that nobody uses up what is another's.
    fn may_use(
        &self,
        key: Option<&KeyId>,
        (per_second, _): (u32, u32),
        now: Time,
    ) -> Result<(), Reject> {
        match key.and_then(|key| self.uses.get(key)) {
            Some(used) if !used.bucket.has_one(now) => Err(too_fast(per_second)),
            _ => Ok(()),
        }
    }
}

impl Failed {
    /// What is counted if these credentials are not good. A token is looked up, which costs nothing.
    fn of(presented: &Presented) -> Option<Failed> {
        signer(presented).map(Failed::Key)
    }
}

/// The key that signs, or shows its secret.
fn signer(presented: &Presented) -> Option<KeyId> {
    match presented {
        Presented::Signature(Signature { key, .. }) | Presented::Password { key, .. } => {
            KeyId::new(key).ok()
        }
        Presented::Token { .. } | Presented::KeyOnly { .. } => None,
    }
}

fn too_fast(per_second: u32) -> Reject {
    Reject::new(Code::RequestRate, format!("{per_second} a second for the key"))
}

fn take(
    uses: &mut HashMap<KeyId, Use>,
    (per_second, burst): (u32, u32),
    key: &KeyId,
    now: Time,
) -> Result<(), Reject> {
    if !uses.contains_key(key) {
        let bucket = Bucket::new(per_second, burst);
        uses.insert(key.clone(), Use { bucket, last: None, recorded: None });
    }
    if let Some(used) = uses.get_mut(key) {
        used.last = Some(now);
        if used.bucket.take(now) {
            return Ok(());
        }
    }
    Err(too_fast(per_second))
}

fn login(issued: &Issued) -> LocalAnswer {
    let (access, refresh) = (issued.access.clone(), issued.refresh.clone());
    LocalAnswer::Login { access, refresh, lifetime: issued.lifetime }
}

fn random<const N: usize>() -> Result<[u8; N], Reject> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| Reject::new(Code::TooManyInFlight, format!("no random numbers: {e}")))?;
    Ok(bytes)
}
