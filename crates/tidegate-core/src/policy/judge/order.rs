//! What rules measure of one order and of its market, whatever is held.

use super::{BASIS_POINTS, Case, Found, ONE, Reading, number, ratio};
use crate::policy::Ground;
use crate::policy::ruling::Blind;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::grant::Pattern;
use tidegate_types::instrument::{Price, Usd};
use tidegate_types::order::{OrderType, Side};
use tidegate_types::policy::{Form, Unit};
use tidegate_types::time::Span;

/// In about how many seconds what a market shows is known once it was asked for.
const ASKED_FOR: u64 = 10;

pub(super) fn only(names: &[Pattern], case: &Case<'_>) -> Found {
    if names.iter().any(|name| name.matches(&case.terms.id.name)) {
        return Found::Nothing;
    }
    Found::No(format!("{} is not among its instruments", case.terms.id))
}

/// An order without a limit price trades at any: no number says how far that is, but an order with a price may take
/// its place. One that reduces a position passes.
fn unbounded(case: &Case<'_>, bps: u32) -> Found {
    if case.reducing {
        return Found::Nothing;
    }
    let instead = match case.order.order_type {
        OrderType::StopMarket => "a stop-limit order",
        OrderType::TakeMarket => "a take-profit limit order",
        _ => "a limit order, immediate or cancel,",
    };
    let far = if case.order.side == Side::Buy { "at most" } else { "at least" };
    let what = "without a limit price it trades at any price";
    Found::No(match edge(case, bps) {
        Some(edge) => format!("{what}; send {instead} with a price of {far} {edge}"),
        None => format!("{what}; send {instead}"),
    })
}

/// The last price within a collar, on a step of the instrument's.
fn edge(case: &Case<'_>, bps: u32) -> Option<Price> {
    let (around, whole) = (case.reference.0, Decimal::from_int(10_000).ok()?);
    let way = around.mul_div(Decimal::from_int(bps.into()).ok()?, whole, Rounding::Floor).ok()?;
    let (edge, rounding) = match case.order.side {
        Side::Buy => (around.add(way).ok()?, Rounding::Floor),
        Side::Sell => (around.sub(way).ok()?, Rounding::Ceil),
    };
    let tick = case.terms.tick_at(Price(edge)).0;
    edge.round_to(tick, rounding).ok().filter(|price| price.is_positive()).map(Price)
}

/// How far a limit price is from what it trades around, on the side that costs.
pub(super) fn collar(case: &Case<'_>, bps: u32) -> Found {
    let Some(price) = case.order.price else { return unbounded(case, bps) };
    let (price, around) = (i128::from(price.0.raw()), i128::from(case.reference.0.raw()));
    let beyond = if case.order.side == Side::Buy { price - around } else { around - price };
    let far = ratio(beyond.max(0).saturating_mul(BASIS_POINTS), around);
    number(far, i128::from(bps) * ONE, Unit::BasisPoints)
}

/// How far a resting price keeps from the mark, rounded down; a trigger that is reached already keeps none.
pub(super) fn distance(case: &Case<'_>, bps: u32) -> Found {
    let at_once = matches!(case.order.order_type, OrderType::Market | OrderType::MarketLimit);
    let trigger = case.order.trigger.as_ref().map(|trigger| trigger.price);
    let Some(price) = trigger.or(case.order.price).filter(|_| !at_once) else {
        return Found::No("it takes at once, and so keeps no distance from the mark".to_owned());
    };
    let (price, mark) = (i128::from(price.0.raw()), i128::from(case.mark.mark.0.raw()));
    // A stop waits on the far side of the mark, where the market runs away; everything else on the near one.
    let stop = matches!(case.order.order_type, OrderType::StopMarket | OrderType::StopLimit);
    let away = match (case.order.side, stop) {
        (Side::Buy, false) | (Side::Sell, true) => mark - price,
        (Side::Sell, false) | (Side::Buy, true) => price - mark,
    };
    let far = away.saturating_mul(BASIS_POINTS).saturating_mul(ONE) / mark.max(1);
    let limit = i128::from(bps) * ONE;
    Found::Number(Reading { measured: far, limit, unit: Unit::BasisPoints, least: true })
}

/// Orders over trades, less one. A day without a trade counts as one with one trade, or a dollar.
pub(super) fn order_to_trade(
    (ordered, traded): (u64, u64),
    more: i128,
    form: Form,
    max: Decimal,
    after: u32,
) -> Found {
    let with = i128::from(ordered).saturating_add(more);
    let (one, counted) = match form {
        Form::Count => (1, with),
        Form::Volume => (ONE, with / ONE),
    };
    if counted <= i128::from(after) {
        return Found::Nothing;
    }
    let times = ratio(with, i128::from(traded).max(one)).saturating_sub(ONE);
    number(times.max(0), max.raw().into(), Unit::Times)
}

/// What the market shows of itself, against the least that it must.
pub(super) fn thin(
    ground: &Ground<'_>,
    case: &Case<'_>,
    (depth, volume): (Usd, Usd),
    max_age: Span,
) -> Found {
    let id = &case.terms.id;
    let unknown = |why: String| {
        Found::Unknown(Blind::open(format!("{why}: it was asked for; try again in {ASKED_FOR} s")))
    };
    let Some(fact) = ground.liquidity.get(id) else {
        return unknown(format!("no depth or volume of {id} is known yet"));
    };
    let age = ground.at.since(fact.at);
    if age > max_age {
        let (age, most) = (age.millis(), max_age.millis());
        return unknown(format!("depth and volume of {id} are {age} ms old, at most {most} ms"));
    }
    let least = |measured: Option<Usd>, limit: Usd| {
        let measured = measured.or(limit.0.is_zero().then_some(limit))?.0.raw().into();
        Some(Reading { measured, limit: limit.0.raw().into(), unit: Unit::Usd, least: true })
    };
    match (least(fact.depth(), depth), least(fact.volume, volume)) {
        (None, _) => unknown(format!("no depth of {id} is known yet")),
        (_, None) => unknown(format!("no volume of {id} is known yet")),
        (Some(depth), Some(volume)) => {
            Found::Number(if volume.is_over() || depth.limit == 0 { volume } else { depth })
        }
    }
}
