//! How far an order goes at once.
//!
//! A limit order goes to its limit. A market order may go to the edge of the collar, but hardly ever goes
//! that far: taking the collar for its reach would have every quote of the owner's within several percent
//! stand in its way. So its reach is the mark, or the best opposite price if that is known and farther,
//! and a margin. Where it trades farther than that, the venue's own prevention is what is left.

use crate::state::State;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::instrument::Price;
use tidegate_types::order::{NewOrder, OrderType, Side};
use tidegate_types::time::{Span, Time};

/// How far beyond the mark or the best price a market order is taken to go, in hundredths of a percent.
const MARKET_REACH_BPS: Decimal = Decimal::new(10, 0);
/// A best price that is older tells nothing.
const MAX_TOUCH_AGE: Span = Span::from_secs(10);
const BASIS_POINTS: Decimal = Decimal::new(10_000, 0);

/// The farthest price at which an order may trade as soon as it arrives; `None` where it waits for its
/// trigger, or there is no mark.
pub(super) fn of(state: &State, order: &NewOrder, now: Time) -> Option<Price> {
    if order.order_type.is_conditional() && !fires_at_once(state, order) {
        return None;
    }
    order.price.or_else(|| near_market(state, order, now))
}

fn near_market(state: &State, order: &NewOrder, now: Time) -> Option<Price> {
    let mark = state.marks.get(&order.instrument)?.mark;
    let shown = state.liquidity.get(&order.instrument);
    let shown = shown.filter(|shown| now.since(shown.at) <= MAX_TOUCH_AGE);
    let from = match order.side {
        Side::Buy => shown.and_then(|shown| shown.ask).map_or(mark, |ask| ask.max(mark)),
        Side::Sell => shown.and_then(|shown| shown.bid).map_or(mark, |bid| bid.min(mark)),
    };
    let margin = from.0.mul_div(MARKET_REACH_BPS, BASIS_POINTS, Rounding::Ceil).ok()?;
    match order.side {
        Side::Buy => from.0.add(margin).ok().map(Price),
        Side::Sell => from.0.sub(margin).ok().map(Price),
    }
}

/// Whether the mark is past the trigger already.
fn fires_at_once(state: &State, order: &NewOrder) -> bool {
    let (Some(trigger), Some(mark)) = (&order.trigger, state.marks.get(&order.instrument)) else {
        return false;
    };
    let take = matches!(order.order_type, OrderType::TakeMarket | OrderType::TakeLimit);
    match (take, order.side) {
        (false, Side::Buy) | (true, Side::Sell) => mark.mark >= trigger.price,
        (false, Side::Sell) | (true, Side::Buy) => mark.mark <= trigger.price,
    }
}
