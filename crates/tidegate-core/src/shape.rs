//! The second gate: how fast orders may come, per caller and per account.

use crate::authorize::Authorized;
use crate::over;
use crate::refusals::Refusal;
use crate::state::State;
use tidegate_types::codec_struct;
use tidegate_types::decimal::Decimal;
use tidegate_types::limits::MAX_IN_FLIGHT;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

const TOKEN: u64 = 1_000_000;

/// A token bucket that remembers what was taken: full when nothing was, refilled with time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TokenBucket {
    taken: u64,
    at: Time,
}
codec_struct!(TokenBucket { taken, at });

impl TokenBucket {
    /// Whether a token is there, at `per_second` refilled and `burst` at most.
    pub fn has(&self, now: Time, per_second: u32, burst: u32) -> bool {
        self.taken_at(now, per_second).saturating_add(TOKEN) <= u64::from(burst) * TOKEN
    }

    /// Takes a token, there or not.
    pub fn take(&mut self, now: Time, per_second: u32) {
        self.taken = self.taken_at(now, per_second).saturating_add(TOKEN);
        self.at = self.at.max(now);
    }

    /// Takes a token if one is there.
    pub fn try_take(&mut self, now: Time, per_second: u32, burst: u32) -> bool {
        let there = self.has(now, per_second, burst);
        if there {
            self.take(now, per_second);
        }
        there
    }

    /// How many tokens would be out with one more, at `per_second` refilled: the number held against the burst.
    pub fn with_one_more(&self, now: Time, per_second: u32) -> Decimal {
        let out = self.taken_at(now, per_second).saturating_add(TOKEN);
        // A token is counted in millionths, a decimal in hundred-millionths.
        let raw = i64::try_from(out.saturating_mul(100)).unwrap_or(i64::MAX);
        Decimal::from_raw(raw)
    }

    fn taken_at(&self, now: Time, per_second: u32) -> u64 {
        let refilled = now.since(self.at).micros().saturating_mul(u64::from(per_second));
        self.taken.saturating_sub(refilled)
    }
}

/// Proof that a request came in its turn. Made here alone.
#[derive(Debug)]
pub(crate) struct Shaped<'a> {
    authorized: Authorized<'a>,
}

impl<'a> Shaped<'a> {
    pub(crate) fn into_authorized(self) -> Authorized<'a> {
        self.authorized
    }
}

/// Admits a request when there is room and both buckets hold a token. The tokens are taken when
/// its record is applied, so that a refused request costs none. Orders that reduce a position need
/// no token of the account's: they are bounded by the caller's own.
pub(crate) fn admit<'a>(
    state: &State,
    mut authorized: Authorized<'a>,
    in_flight: usize,
    now: Time,
) -> Result<Shaped<'a>, Refusal> {
    if in_flight >= MAX_IN_FLIGHT {
        let (many, most) = (over::count(in_flight + 1), over::count(MAX_IN_FLIGHT));
        let told = over::most("in flight", "all callers", many, most, "");
        let detail = format!("{told}; try again later");
        return Err(Reject::new(Code::TooManyInFlight, detail).into());
    }
    let who = authorized.who();
    let (caller, account) = (who.caller(), who.account());
    let grant = authorized.grant();
    let bucket = state.caller_buckets.get(caller).and_then(|b| b.get(account)).copied();
    if !bucket.unwrap_or_default().has(now, grant.orders_per_second, grant.burst) {
        let rate = (grant.orders_per_second, grant.burst);
        let detail = too_fast(&over::grant(grant), bucket.unwrap_or_default(), rate, now);
        return Err(Reject::new(Code::CallerRate, detail).into());
    }
    let limits = authorized.limits();
    let bucket = state.account_buckets.get(account).copied().unwrap_or_default();
    if !bucket.has(now, limits.orders_per_second, limits.burst) {
        let rate = (limits.orders_per_second, limits.burst);
        let detail = too_fast(&over::account(account), bucket, rate, now);
        authorized.spare(Reject::new(Code::AccountRate, detail))?;
    }
    Ok(Shaped { authorized })
}

/// How many orders at once an order would make, and when there is room again.
fn too_fast(of: &str, bucket: TokenBucket, (rate, burst): (u32, u32), now: Time) -> String {
    let most = over::count(burst as usize);
    let told = over::most("burst", of, bucket.with_one_more(now, rate), most, " orders at once");
    format!("{told}; {rate} a second come free")
}
