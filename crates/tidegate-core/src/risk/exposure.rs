//! What all open orders and positions may come to be worth together, over all callers.

use crate::authorize::{Ask, Authorized};
use crate::exposure::{at_mark, worst};
use crate::options::HELD_AGE;
use crate::orders::{Share, worth};
use crate::over;
use crate::positions::usd;
use crate::state::State;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::AccountLimits;
use tidegate_types::ids::InstrumentId;
use tidegate_types::instrument::{Kind, Mark, Price, Qty, Usd};
use tidegate_types::record::Decision;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// More dollars than there are to count.
const MOST: Usd = Usd(Decimal::from_raw(i64::MAX));

/// Checks the caller's open orders, alone and with what it traded today, the account's open orders, the position with every open order of the
/// order's side, and all positions of the account together. A request that adds nothing (an amend to less) passes even where a limit has been
/// tightened below what is open.
pub(super) fn check(
    state: &State,
    authorized: &Authorized<'_>,
    mark: &Mark,
    unit_value: Price,
    decision: &mut Decision,
    now: Time,
) -> Result<(), Reject> {
    let Some(ask) = authorized.ask() else { return Ok(()) };
    let (who, grant, limits) = (authorized.who(), authorized.grant(), authorized.limits());
    let held = ask.replaces.map(crate::orders::Order::share).unwrap_or_default();
    let added = added(ask, held, unit_value);
    let owner = ask.replaces.and_then(|order| order.caller.as_ref()).unwrap_or(who.caller());

    let account_open = state.positions.account_raw(who.account()) + added.value;
    let caller_open = state.positions.caller_raw(owner, who.account()) + added.value;
    let today = state.traded_today(owner, who.account(), now);
    let caller_day = caller_open + i128::from(today.0.raw());
    let book = state.positions.book(who.account(), &ask.instrument.id);
    // An older order may be priced worse than this one, but a position is worth its mark.
    let at_mark = at_mark(ask.instrument, mark);
    let unit_value = unit_value.max(at_mark);
    let at_worst = |more: i64, unit: Price| {
        let qty = book.worst(ask.order.side, i128::from(more));
        worth(Qty(Decimal::from_raw(i64::try_from(qty).unwrap_or(i64::MAX))), unit)
    };
    let position = at_worst(added.qty, unit_value);
    let unit_before = ask.replaces.map_or(at_mark, |order| order.worst_value().max(at_mark));
    let position_before = at_worst(0, unit_before);
    let more = Some((ask.order.side, i128::from(added.qty)));
    let part = worst(book, more, unit_value);
    let part_before = state.exposures.of(who.account(), &ask.instrument.id);
    let exposure = state.exposures.total(who.account()) - part_before + part;

    decision.account_open = Some(usd(account_open));
    decision.caller_open = Some(usd(caller_open));
    decision.caller_day = Some(usd(caller_day));
    decision.position_worst = Some(usd(position));
    decision.exposure = Some(usd(exposure));
    if ask.is_reducing() {
        return Ok(());
    }
    let (granted, day) = (grant.max_open_notional, grant.max_daily_notional.unwrap_or(MOST));
    let (open, most) = (limits.max_open_notional, limits.max_position_notional);
    let (all, more) = (limits.max_exposure, part - part_before);
    let limits = [
        (Code::GrantOpenNotional, "open notional", caller_open, granted, added.value),
        (Code::DailyNotional, "daily notional", caller_day, day, added.value),
        (Code::OpenNotional, "open notional", account_open, open, added.value),
        (Code::PositionNotional, "position notional", position, most, position - position_before),
        (Code::Exposure, "exposure", exposure, all, more),
    ];
    for (code, rule, would_be, most, adds) in limits {
        if adds > 0 && would_be > i128::from(most.0.raw()) {
            let of = match code {
                Code::GrantOpenNotional | Code::DailyNotional => over::grant(grant),
                _ => over::account(who.account()),
            };
            let detail = over::most(rule, &of, usd(would_be).0, most.0, " USD");
            return Err(Reject::new(code, detail));
        }
    }
    if part > part_before { rests_on_marks(state, authorized.limits(), now) } else { Ok(()) }
}

/// Whether everything that an account holds is valued, by marks that are young enough: as old as the account's limits
/// let a mark be, and a minute in any case, since options far from the money are quoted seldom.
fn rests_on_marks(state: &State, limits: &AccountLimits, now: Time) -> Result<(), Reject> {
    let account = &limits.account;
    if let Some(held) = state.exposures.unvalued(account) {
        let detail = format!("{held}, which the account holds and which cannot be valued");
        return Err(Reject::new(Code::NoMark, detail));
    }
    let most = limits.max_mark_age.max(HELD_AGE);
    let lives = |id: &InstrumentId| match state.instruments.get(id).map(|terms| &terms.kind) {
        Some(Kind::Future { expiry } | Kind::Option { expiry, .. }) => now < *expiry,
        _ => true,
    };
    let mut old = state.exposures.older(account, now.minus(most)).filter(|(id, _)| lives(id));
    let Some((held, at)) = old.next() else { return Ok(()) };
    let told = over::most_ms("mark age", &over::account(account), now.since(at), most);
    let detail = format!("{told} for {held}, which the account holds");
    Err(Reject::new(Code::StaleMark, detail))
}

/// What the request adds to what is reserved. An amend keeps the larger of old and new reserved
/// until it is answered; a reducing order becomes an ordinary one as a whole.
pub(super) fn added(ask: &Ask<'_>, held: Share, unit_value: Price) -> Share {
    let qty = ask.remaining();
    let value = worth(Qty(Decimal::from_raw(qty)), unit_value);
    let qty_held = if held.reducing { 0 } else { held.qty };
    let (qty, value) = ((qty - qty_held).max(0), (value - held.value).max(0));
    Share { qty, value, ..Share::default() }
}
