//! What each caller traded today (UTC) on each account: both sides together, each trade at the worst price
//! that its order was cleared at, so that what is reserved for an order is what counts when it trades.

use crate::orders::Order;
use std::collections::BTreeMap;
use tidegate_types::codec_struct;
use tidegate_types::decimal::Decimal;
use tidegate_types::hours::day;
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::instrument::Usd;
use tidegate_types::time::Time;

/// The day of the newest trade of each caller on each account.
pub(crate) type Daily = BTreeMap<CallerName, BTreeMap<AccountName, Day>>;

/// What was traded in a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Day {
    /// Counted from 1970-01-01.
    day: u64,
    traded: Usd,
}
codec_struct!(Day { day, traded });

/// Counts `traded`, in dollars of 10⁻⁸, of a caller's order on the day on which it was heard of. A clock
/// that is set back begins no new day.
pub(crate) fn count(daily: &mut Daily, order: &Order, traded: i128, now: Time) {
    let Some(caller) = order.caller.as_ref().filter(|_| traded > 0) else { return };
    let of = daily.entry(caller.clone()).or_default().entry(order.account.clone()).or_default();
    if day(now) > of.day {
        *of = Day { day: day(now), traded: Usd::default() };
    }
    let traded = i64::try_from(traded).unwrap_or(i64::MAX);
    of.traded = Usd(Decimal::from_raw(of.traded.0.raw().saturating_add(traded)));
}

/// What `caller` traded on `account` on the day of `now`.
pub(crate) fn traded(daily: &Daily, caller: &CallerName, account: &AccountName, now: Time) -> Usd {
    let of = daily.get(caller).and_then(|accounts| accounts.get(account));
    of.filter(|of| of.day >= day(now)).map(|of| of.traded).unwrap_or_default()
}
