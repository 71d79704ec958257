//! What the venue tells about orders, folded in: from the stream, queries and snapshots.

use crate::alarms::{Alarm, AlarmKind, cancelled, not_ours};
use crate::gains;
use crate::orders::{Heard, Order, Stage, Terms};
use crate::state::State;
use std::collections::BTreeMap;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{AccountName, InstrumentId, OrderId};
use tidegate_types::instrument::{Price, SignedQty, Unit};
use tidegate_types::order::{NewOrder, PostOnly, Side, TimeInForce, Trigger, TriggerBy};
use tidegate_types::report::{
    AccountEvent, FillReport, OrderReport, Outcome, PositionReport, Shown,
};
use tidegate_types::time::{Span, Time};

/// "Not found" counts only this long after the deadline, for the venue's clock and its delays.
pub(crate) const NOT_FOUND_MARGIN: Span = Span::from_secs(2);

pub(crate) fn streamed(state: &mut State, account: &AccountName, event: &AccountEvent, now: Time) {
    match event {
        AccountEvent::Order { report } => hear_report(state, account, report, now),
        AccountEvent::Fill { fill } => filled(state, account, fill, now),
        // Positions are told in another order than trades; a difference that stays is corrected by
        // reconciliation.
        AccountEvent::Position { .. } => {}
        AccountEvent::Balance { balance } => {
            state.balances.set(account, balance, now);
            state.wallet_for_policies(account);
        }
        AccountEvent::Funding { change } => gains::funded(state, account, change),
        AccountEvent::Payment { change } => state.payment_for_policies(account, change),
    }
}

/// Trades of an instrument are known up to this time.
fn traded(state: &mut State, account: &AccountName, instrument: &InstrumentId, at: Time) {
    if let Some(account) = state.accounts.get_mut(account) {
        let newest = account.traded.entry(instrument.clone()).or_default();
        *newest = at.max(*newest);
    }
}

fn filled(state: &mut State, account: &AccountName, fill: &FillReport, now: Time) {
    traded(state, account, &fill.instrument, fill.at);
    let known = find_filled(state, account, fill).and_then(|id| state.orders.get(id));
    let Some(order) = known else { return stray(state, account, fill, now) };
    if order.is_foreign() && !order.trades.contains_key(&fill.trade_id) {
        state.alarms.raise(Alarm::of_fill(account, fill, now));
    }
    let id = order.id;
    state.change(id, |order| {
        order.hear_fill(fill, now);
        order.changed = now;
    });
}

/// A trade of an order that was never seen open: it moves the position all the same.
fn stray(state: &mut State, account: &AccountName, fill: &FillReport, now: Time) {
    if state.alarms.knows(account, fill) {
        return;
    }
    let held = state.positions.book(account, &fill.instrument).position;
    let moved = match fill.side {
        Side::Buy => held.saturating_add(fill.qty.0.raw()),
        Side::Sell => held.saturating_sub(fill.qty.0.raw()),
    };
    state.correct(account, &fill.instrument, SignedQty(Decimal::from_raw(moved)), Some(fill.price));
    state.alarms.note(account, fill);
    state.alarms.raise(Alarm::of_fill(account, fill, now));
}

pub(crate) fn resolved(state: &mut State, id: OrderId, outcome: &Outcome, asked: Time, now: Time) {
    let alarm = state.orders.get(id).and_then(|order| {
        let kind = match outcome {
            Outcome::Accepted { report, .. } => not_ours(order, report)?,
            Outcome::Rejected { .. } if order.stage == Stage::Live && cancelled(order) => {
                AlarmKind::ForeignCancel
            }
            Outcome::Rejected { .. } | Outcome::Done | Outcome::Unknown { .. } => return None,
        };
        Some(Alarm::of_order(kind, order, now))
    });
    alarm.into_iter().for_each(|alarm| state.alarms.raise(alarm));
    // What the clocks may be apart is no time that the venue had.
    let apart = state.orders.get(id).map(|o| state.clocks_apart(&o.request.instrument.venue));
    let asked = asked.minus(apart.unwrap_or_default());
    match outcome {
        Outcome::Accepted { report, fills } => state.hear_of(id, |order| {
            fills.iter().for_each(|fill| order.hear_fill(fill, now));
            order.hear_of_amend(report, asked);
            order.hear_report(report);
            order.changed = now;
        }),
        Outcome::Rejected { .. } => crate::apply::hear(state, id, Heard::NotThere, now),
        Outcome::Done | Outcome::Unknown { .. } => {}
    }
}

pub(crate) fn reconciled(
    state: &mut State,
    account: &AccountName,
    snapshot: &Shown,
    corrected: &[PositionReport],
    now: Time,
) {
    for report in &snapshot.orders {
        hear_report(state, account, report, now);
    }
    let taken_over =
        state.accounts.get(account).is_some_and(|account| account.taken_over.is_some());
    for PositionReport { instrument, qty, entry } in corrected {
        if taken_over {
            let counted = state.positions.book(account, instrument).position().0;
            state.alarms.raise(Alarm::of_position(account, instrument, counted, qty.0, now));
        }
        state.correct(account, instrument, *qty, None);
        if let Some(entry) = entry {
            state.entered(account, instrument, *entry);
        }
        // What was not found until now is in the venue's figure.
        traded(state, account, instrument, now);
    }
}

fn hear_report(state: &mut State, account: &AccountName, report: &OrderReport, now: Time) {
    if let Some(id) = find_reported(state, account, report) {
        let known = state.orders.get(id);
        let kind = known.and_then(|order| Some((order, not_ours(order, report)?)));
        if let Some(alarm) = kind.map(|(order, kind)| Alarm::of_order(kind, order, now)) {
            state.alarms.raise(alarm);
        }
        state.hear_of(id, |order| {
            order.hear_report(report);
            order.changed = now;
        });
    } else if report.state.is_live() {
        foreign(state, account, report, now);
    }
}

/// The order that a report is about: by Tidegate's id, else by the venue's.
pub(crate) fn find_reported(
    state: &State,
    account: &AccountName,
    report: &OrderReport,
) -> Option<OrderId> {
    if let Some(order) = report.client_id.as_ref().and_then(|id| state.orders.by_client(id)) {
        return (order.account == *account).then_some(order.id);
    }
    let mut known = state.orders.by_venue(account, &report.venue_id);
    known.find(|o| o.request.instrument == report.instrument).map(|o| o.id)
}

/// The order that a trade is of.
pub(crate) fn find_filled(
    state: &State,
    account: &AccountName,
    fill: &FillReport,
) -> Option<OrderId> {
    if let Some(order) = fill.client_id.as_ref().and_then(|id| state.orders.by_client(id)) {
        return (order.account == *account).then_some(order.id);
    }
    let mut known = state.orders.by_venue(account, &fill.venue_id);
    known.find(|o| o.request.instrument == fill.instrument).map(|o| o.id)
}

/// The first mark of an instrument came: what was placed past Tidegate before, and nothing told the worth of, reserves
/// from now on. Until now the account was allowed nothing more, since not all it had could be valued.
pub(crate) fn first_mark(state: &mut State, instrument: &InstrumentId) {
    let unvalued = |order: &&Order| {
        order.is_foreign()
            && order.request.instrument == *instrument
            && !order.unit_value.0.is_positive()
    };
    let found: Vec<OrderId> = state.orders.open().filter(unvalued).map(|order| order.id).collect();
    let unit = foreign_unit(state, instrument, None);
    for id in found {
        state.change(id, |order| order.unit_value = unit);
    }
}

/// What one unit of an order that Tidegate did not place is worth at worst; zero while nothing tells.
fn foreign_unit(state: &State, instrument: &InstrumentId, price: Option<Price>) -> Price {
    let mark = state.marks.get(instrument);
    match state.instruments.get(instrument).map_or(Unit::Linear, |terms| terms.unit) {
        Unit::Linear => price.max(mark.map(|mark| mark.mark)).unwrap_or_default(),
        Unit::Inverse => Price(Decimal::ONE),
        Unit::CoinOption => mark.map_or(Price::default(), |mark| mark.index),
    }
}

/// An order that Tidegate did not place. It counts in the account's exposure from now on; what it
/// traded before is in the venue's position already.
fn foreign(state: &mut State, account: &AccountName, report: &OrderReport, now: Time) {
    let id = state.next_order;
    state.next_order = id.next();
    let price = report.price.max(report.trigger_price);
    let unit_value = foreign_unit(state, &report.instrument, price);
    let conditional = report.order_type.is_conditional();
    let reduce_only = report.reduce_only.unwrap_or_default();
    let request = NewOrder {
        instrument: report.instrument.clone(),
        side: report.side,
        order_type: report.order_type,
        qty: report.qty,
        price: report.price,
        trigger: conditional.then(|| Trigger {
            price: report.trigger_price.unwrap_or_default(),
            by: TriggerBy::Mark,
        }),
        time_in_force: TimeInForce::GoodTilCancelled,
        post_only: report.post_only.unwrap_or(PostOnly::No),
        reduce_only,
        self_trade: None,
        caller_id: None,
        valid_until: None,
        full_answer: false,
    };
    state.insert(Order {
        id,
        caller: None,
        account: account.clone(),
        client_id: report.client_id.clone(),
        venue_id: Some(report.venue_id.clone()),
        triggered_as: report.triggered_as.clone(),
        shown_as: false,
        asked: Terms::of(&request),
        request,
        stage: Stage::Live,
        placed: now,
        deadline: now,
        told: report.at,
        changed: now,
        filled: report.filled,
        average: report.average,
        trades: BTreeMap::new(),
        unit_value,
        // Nobody cleared it by a mark.
        slip: Price::default(),
        reducing: reduce_only,
        amend: None,
        done_no: None,
        untold: false,
        session: None,
        doom: None,
        cancels: 0,
        closes: None,
    });
    if let Some(order) = state.orders.get(id) {
        state.alarms.raise(Alarm::of_order(AlarmKind::ForeignOrder, order, now));
    }
}
