//! The order that closes a position at once: immediate or cancel, reduce-only, at a limit within the
//! collar. It never rests, so that a halt that is proven stays true and nothing is left of it when the
//! gateway dies or the halt is lifted; what it did not trade is asked for again at a newer mark.

use super::{collar, fresh, note_mark, sanity, uncomputable, worst};
use crate::state::State;
use tidegate_types::decimal::{Decimal, DecimalError, Rounding};
use tidegate_types::grant::AccountLimits;
use tidegate_types::ids::{AccountName, InstrumentId};
use tidegate_types::instrument::{Instrument, Mark, Price, Qty};
use tidegate_types::order::{NewOrder, OrderType, PostOnly, Side, TimeInForce};
use tidegate_types::record::{Decision, RULES};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// The order that closes what can be closed of a position in one piece, and the numbers.
pub(super) fn order(
    state: &State,
    account: &AccountName,
    instrument: &InstrumentId,
    closeness: u32,
    now: Time,
) -> Result<(NewOrder, Decision), Reject> {
    let lacks = |code, what: &dyn std::fmt::Display| Reject::new(code, what.to_string());
    let limits = state.limits.get(account).ok_or_else(|| lacks(Code::NoLimit, account))?;
    let terms = state.instruments.get(instrument).filter(|terms| terms.open);
    let terms = terms.ok_or_else(|| lacks(Code::UnknownInstrument, instrument))?;
    let mark = state.marks.get(instrument).ok_or_else(|| lacks(Code::NoMark, instrument))?;
    let mut decision = Decision { rules: RULES, ..Decision::default() };
    note_mark(&mut decision, mark, now);
    fresh(mark, limits, now)?;

    let position = state.positions.book(account, instrument).position();
    let side = if position.0.is_negative() { Side::Buy } else { Side::Sell };
    let price = price(terms, mark, limits, side, closeness).map_err(uncomputable)?;
    let order = NewOrder {
        instrument: instrument.clone(),
        side,
        order_type: OrderType::Limit,
        qty: piece(terms, limits, Qty(position.0.abs()))?,
        price: Some(price),
        trigger: None,
        time_in_force: TimeInForce::ImmediateOrCancel,
        post_only: PostOnly::No,
        reduce_only: true,
        self_trade: None,
        caller_id: None,
        valid_until: None,
        full_answer: true,
    };
    sanity::check(&order, terms, now)?;
    let band = collar::band(terms, mark, limits).map_err(uncomputable)?;
    collar::check(&order, mark, band, limits)?;
    let worst = worst::of(&order, terms, mark, band)?;
    decision.worst_price = Some(worst.price);
    decision.unit_value = Some(worst.unit_value);
    decision.position = Some(position);
    decision.reducing = true;
    Ok((order, decision))
}

/// As far from the mark as the collar allows, or a part of that, on a step of the venue's.
fn price(
    terms: &Instrument,
    mark: &Mark,
    limits: &AccountLimits,
    side: Side,
    closeness: u32,
) -> Result<Price, DecimalError> {
    let edge = collar::band(terms, mark, limits)?.edge(mark.mark, side)?;
    let way = edge.0.sub(mark.mark.0)?;
    let way = Decimal::from_raw(way.raw() >> closeness.min(8));
    let price = Price(mark.mark.0.add(way)?);
    let tick = terms.tick_at(price).0;
    match side {
        Side::Buy => price.0.round_to(tick, Rounding::Floor).map(Price),
        Side::Sell => Ok(Price(price.0.round_to(tick, Rounding::Ceil)?.max(tick))),
    }
}

/// As much of a position as one order may have.
fn piece(terms: &Instrument, limits: &AccountLimits, held: Qty) -> Result<Qty, Reject> {
    let mut bounds = limits.max_order_qty.iter();
    let bound = bounds.find(|(pattern, _)| pattern.matches(&terms.id.name)).map(|(_, most)| *most);
    let most = [terms.max_qty, bound].into_iter().flatten().fold(held, Qty::min);
    let piece = most.0.round_to(terms.lot.0, Rounding::Floor).map_err(uncomputable)?;
    if piece.is_positive() && Qty(piece) >= terms.min_qty {
        return Ok(Qty(piece));
    }
    let detail =
        format!("{held} is left, the smallest order is {}, lot {}", terms.min_qty, terms.lot);
    Err(Reject::new(Code::BadQuantityStep, detail))
}
