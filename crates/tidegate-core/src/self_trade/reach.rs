//! How far an order goes at once.
//!
//! A limit order goes to its limit. A market order goes as far as the book has it go, but hardly ever far: were any
//! price its reach, every quote of the owner's would stand in its way. So its reach is the mark, or the best opposite
//! price if that is known and farther, and a margin. Within one account the venue's own prevention is behind that.
//! Against the owner's other accounts nothing is, so there the margin is what the depth on record is told of, and an
//! order that is large for that depth, or meets a book that is not known, reaches any price.

use crate::state::State;
use tidegate_types::decimal::{Decimal, DecimalError, Rounding};
use tidegate_types::instrument::{Mark, Price, Usd};
use tidegate_types::order::{NewOrder, OrderType, Side, TriggerBy};
use tidegate_types::policy::{DEPTH_BPS, Liquidity};
use tidegate_types::time::{Span, Time};

/// How far beyond the mark or the best price a market order is taken to go, in hundredths of a percent.
const MARKET_REACH_BPS: Decimal = Decimal::new(10, 0);
/// Up to which part of the depth on record an order is taken not to go beyond it: a half.
const PART_OF_DEPTH: i64 = 2;
/// A best price that is older tells nothing.
const MAX_TOUCH_AGE: Span = Span::from_secs(10);
const BASIS_POINTS: Decimal = Decimal::new(10_000, 0);

/// The farthest prices at which an order may trade as soon as it arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reach {
    /// With orders of its own account.
    pub(super) own: Price,
    /// With those of the owner's other accounts.
    pub(super) others: Price,
}

/// A price that every order of the other side reaches: where an order without a price of its own stands.
pub(super) const fn anywhere(side: Side) -> Price {
    match side {
        Side::Buy => Price(Decimal::from_raw(i64::MAX)),
        Side::Sell => Price(Decimal::ZERO),
    }
}

/// How far an order goes at once; `None` where it waits for its trigger, or there is no mark.
pub(super) fn of(state: &State, order: &NewOrder, now: Time) -> Option<Reach> {
    let mark = state.marks.get(&order.instrument);
    if order.order_type.is_conditional() && !fires_at_once(order, mark?) {
        return None;
    }
    match order.price {
        Some(price) => Some(Reach { own: price, others: price }),
        None => at_market(state, order, mark?, now).ok(),
    }
}

fn at_market(
    state: &State,
    order: &NewOrder,
    mark: &Mark,
    now: Time,
) -> Result<Reach, DecimalError> {
    let side = order.side;
    let shown = state.liquidity.get(&order.instrument);
    let shown = shown.filter(|shown| now.since(shown.at) <= MAX_TOUCH_AGE);
    let from = match side {
        Side::Buy => shown.and_then(|shown| shown.ask).map_or(mark.mark, |at| at.max(mark.mark)),
        Side::Sell => shown.and_then(|shown| shown.bid).map_or(mark.mark, |at| at.min(mark.mark)),
    };
    let others = match is_small(state, order, mark, shown) {
        true => beyond(from, side, Decimal::from_int(i64::from(DEPTH_BPS))?)?,
        false => anywhere(side),
    };
    Ok(Reach { own: beyond(from, side, MARKET_REACH_BPS)?, others })
}

/// A price so far beyond another.
fn beyond(from: Price, side: Side, bps: Decimal) -> Result<Price, DecimalError> {
    let margin = from.0.mul_div(bps, BASIS_POINTS, Rounding::Ceil)?;
    match side {
        Side::Buy => from.0.add(margin).map(Price),
        Side::Sell => from.0.sub(margin).map(Price),
    }
}

/// Whether the book on record takes an order within the depth that it tells.
fn is_small(state: &State, order: &NewOrder, mark: &Mark, shown: Option<&Liquidity>) -> bool {
    let depth = shown.and_then(|shown| match order.side {
        Side::Buy => shown.ask_depth,
        Side::Sell => shown.bid_depth,
    });
    let terms = state.instruments.get(&order.instrument);
    let worth = terms.and_then(|terms| terms.notional(order.qty, mark.mark, mark.index).ok());
    match (worth, depth) {
        (Some(Usd(worth)), Some(Usd(depth))) => worth.raw() <= depth.raw() / PART_OF_DEPTH,
        (None, _) | (_, None) => false,
    }
}

/// What triggers of a kind go by. Of last trades nothing is kept: the mark stands for them.
pub(super) const fn price_of(mark: &Mark, by: TriggerBy) -> Price {
    match by {
        TriggerBy::Mark | TriggerBy::Last => mark.mark,
        TriggerBy::Index => mark.index,
    }
}

/// Whether an order fires at its trigger's price and above it, or else at it and below.
pub(super) const fn fires_above(order_type: OrderType, side: Side) -> bool {
    let take = matches!(order_type, OrderType::TakeMarket | OrderType::TakeLimit);
    match side {
        Side::Buy => !take,
        Side::Sell => take,
    }
}

/// Whether the price is past the trigger already.
fn fires_at_once(order: &NewOrder, mark: &Mark) -> bool {
    let Some(trigger) = &order.trigger else { return false };
    let price = price_of(mark, trigger.by);
    match fires_above(order.order_type, order.side) {
        true => price >= trigger.price,
        false => price <= trigger.price,
    }
}
