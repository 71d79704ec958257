//! What was sent to a venue, and what came of it there.

use crate::guards;
use crate::orders::{Heard, Order, PendingAmend, Stage, Terms, next};
use crate::state::{Purpose, State};
use std::collections::BTreeMap;
use tidegate_types::call::CallBody;
use tidegate_types::ids::{AccountName, CallId, CallerName, ClientId, OrderId};
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::order::NewOrder;
use tidegate_types::record::{Body, Canceller, Decision};
use tidegate_types::report::{Outcome, VenueState};
use tidegate_types::time::Time;

/// A request passed every gate and will be sent.
pub(super) fn cleared(state: &mut State, body: &Body, now: Time) {
    match body {
        Body::Cleared { .. } => place(state, body, now),
        Body::ClosingCleared { .. } => place_closing(state, body, now),
        Body::AmendCleared { .. } => amend_cleared(state, body, now),
        Body::ShrinkCleared { .. } => shrink_cleared(state, body, now),
        Body::CancelCleared { order, call, by } => cancel_cleared(state, *order, *call, by),
        Body::SettingCleared { call, caller, account, .. } => {
            take_token(state, caller, account, now);
            track(state, *call, Purpose::Set);
        }
        Body::DeadManTold { call, .. } => track(state, *call, Purpose::DeadMan),
        _ => {}
    }
}

/// A request left, or did not, or was answered.
pub(super) fn answered(state: &mut State, body: &Body, now: Time) {
    match body {
        Body::Sent { call } => {
            if let Some(Purpose::Place { order }) = state.calls.get(call).copied() {
                hear(state, order, Heard::Left, now);
            }
        }
        Body::NotSent { call, .. } => not_sent(state, *call, now),
        Body::Replied { call, outcome } => {
            if let Some(purpose) = state.calls.remove(call) {
                replied(state, purpose, outcome, now);
            }
        }
        _ => {}
    }
}

/// An order heard of itself: its stage follows from the table.
pub(crate) fn hear(state: &mut State, order: OrderId, heard: Heard, now: Time) {
    state.change(order, |order| {
        order.stage = next(order.stage, heard);
        order.changed = now;
    });
}

/// A cleared order enters the table and reserves what it may come to be worth.
fn place(state: &mut State, cleared: &Body, now: Time) {
    let Body::Cleared { order, call, caller, account, client_id, deadline, request, decision } =
        cleared
    else {
        return;
    };
    take_token(state, caller, account, now);
    state.next_order = order.next();
    track(state, *call, Purpose::Place { order: *order });
    if state.limits.get(account).is_some_and(|limits| limits.repeat_window.micros() > 0) {
        state.recent.note(caller, account, request, *order, now);
    }
    let session = guards::over(state, *order);
    let caller = Some(caller.clone());
    let bare = pending(*order, account, client_id, *deadline, request, decision, now);
    let slip = state.slip_by(&request.instrument, request.side, decision);
    state.insert(Order { caller, untold: true, session, slip, ..bare });
    state.message_for_policies(*order, None, 1, Some(decision));
}

/// An order of Tidegate's own enters the table. It takes nobody's tokens: there is one at a time of
/// each instrument.
fn place_closing(state: &mut State, closing: &Body, now: Time) {
    let Body::ClosingCleared {
        order,
        call,
        scope,
        account,
        client_id,
        deadline,
        request,
        decision,
    } = closing
    else {
        return;
    };
    state.next_order = order.next();
    track(state, *call, Purpose::Place { order: *order });
    let bare = pending(*order, account, client_id, *deadline, request, decision, now);
    state.insert(Order { closes: Some(scope.clone()), ..bare });
}

/// An order that is about to be sent, nobody's yet.
fn pending(
    id: OrderId,
    account: &AccountName,
    client_id: &ClientId,
    deadline: Time,
    request: &NewOrder,
    decision: &Decision,
    now: Time,
) -> Order {
    Order {
        id,
        caller: None,
        account: account.clone(),
        client_id: Some(client_id.clone()),
        venue_id: None,
        triggered_as: None,
        shown_as: false,
        request: request.clone(),
        asked: Terms::of(request),
        stage: Stage::Pending,
        placed: now,
        deadline,
        told: Time::default(),
        changed: now,
        filled: Qty::default(),
        average: None,
        trades: BTreeMap::new(),
        unit_value: decision.unit_value.unwrap_or_default(),
        slip: Price::default(),
        reducing: decision.reducing,
        amend: None,
        done_no: None,
        untold: false,
        session: None,
        doom: None,
        cancels: 0,
        closes: None,
    }
}

/// A cleared amend takes a token, and its order reserves the larger of before and after.
fn amend_cleared(state: &mut State, cleared: &Body, now: Time) {
    let Body::AmendCleared { order, call, caller, body, decision } = cleared else { return };
    if let Some(account) = state.orders.get(*order).map(|o| o.account.clone()) {
        take_token(state, caller, &account, now);
    }
    amend_pending(state, (*order, *call), body, decision, now);
    state.message_for_policies(*order, None, 2, Some(decision));
}

/// An order is made smaller for a newer one: it is the newer one's caller who pays, on its own account.
fn shrink_cleared(state: &mut State, shrinks: &Body, now: Time) {
    let Body::ShrinkCleared { order, call, caller, account, body, decision, .. } = shrinks else {
        return;
    };
    take_token(state, caller, account, now);
    amend_pending(state, (*order, *call), body, decision, now);
    state.message_for_policies(*order, Some((caller, account)), 2, Some(decision));
}

fn amend_pending(
    state: &mut State,
    (order, call): (OrderId, CallId),
    body: &CallBody,
    decision: &Decision,
    now: Time,
) {
    track(state, call, Purpose::Amend { order });
    let CallBody::Amend { qty, price, trigger_price, deadline, post_only, reduce_only, .. } = body
    else {
        return;
    };
    let known = state.orders.get(order).map(|order| &order.request);
    let slip = known.map(|of| state.slip_by(&of.instrument, of.side, decision));
    state.change(order, |order| {
        order.changed = now;
        order.amend = Some(PendingAmend {
            call,
            qty: *qty,
            price: *price,
            trigger_price: *trigger_price,
            post_only: post_only.unwrap_or(order.request.post_only),
            reduce_only: reduce_only.unwrap_or(order.request.reduce_only),
            unit_value: decision.unit_value.unwrap_or_default(),
            slip: slip.unwrap_or_default(),
            reducing: decision.reducing,
            deadline: *deadline,
            unknown: false,
        });
    });
}

fn cancel_cleared(state: &mut State, order: OrderId, call: CallId, by: &Canceller) {
    state.change(order, |order| order.cancels += 1);
    let caused = match by {
        Canceller::Newer { caller, account } => Some((caller, account)),
        _ => None,
    };
    state.message_for_policies(order, caused, 1, None);
    track(state, call, Purpose::Cancel { order });
}

fn track(state: &mut State, call: CallId, purpose: Purpose) {
    state.next_call = call.next();
    state.calls.insert(call, purpose);
}

fn take_token(state: &mut State, caller: &CallerName, account: &AccountName, now: Time) {
    let grant = state.grants.get(caller).and_then(|g| g.get(account));
    let rate = grant.map_or(0, |g| g.orders_per_second);
    let buckets = state.caller_buckets.entry(caller.clone()).or_default();
    buckets.entry(account.clone()).or_default().take(now, rate);
    let rate = state.limits.get(account).map_or(0, |l| l.orders_per_second);
    state.account_buckets.entry(account.clone()).or_default().take(now, rate);
}

fn not_sent(state: &mut State, call: CallId, now: Time) {
    match state.calls.remove(&call) {
        Some(Purpose::Place { order }) => hear(state, order, Heard::DidNotLeave, now),
        Some(Purpose::Amend { order }) => state.change(order, |order| {
            order.amend = None;
            order.changed = now;
        }),
        Some(Purpose::Cancel { order }) => cancel_failed(state, order),
        Some(Purpose::Set | Purpose::Query { .. } | Purpose::DeadMan) | None => {}
    }
}

/// A cancel that did not end its order.
fn cancel_failed(state: &mut State, order: OrderId) {
    state.change(order, |order| order.cancels = order.cancels.saturating_sub(1));
}

fn replied(state: &mut State, purpose: Purpose, outcome: &Outcome, now: Time) {
    let Some(id) = purpose.order() else { return };
    if matches!(purpose, Purpose::Place { .. }) {
        let untold = matches!(outcome, Outcome::Unknown { .. });
        state.change(id, |order| order.untold = untold);
    }
    let amend = matches!(purpose, Purpose::Amend { .. });
    match (purpose, outcome) {
        (_, Outcome::Accepted { report, fills }) => state.hear_of(id, |order| {
            if amend {
                order.amended_at(report.at);
            }
            fills.iter().for_each(|fill| order.hear_fill(fill, now));
            order.hear_report(report);
            order.changed = now;
        }),
        (Purpose::Place { .. }, Outcome::Done) => {
            hear(state, id, Heard::Told(VenueState::Open), now);
        }
        (Purpose::Place { .. }, Outcome::Rejected { .. }) => hear(state, id, Heard::Refused, now),
        (Purpose::Place { .. }, Outcome::Unknown { .. }) => hear(state, id, Heard::NoWord, now),
        (Purpose::Cancel { .. }, Outcome::Rejected { .. }) => cancel_failed(state, id),
        (Purpose::Amend { .. }, Outcome::Done) => state.change(id, |order| {
            order.amended();
            order.changed = now;
        }),
        (Purpose::Amend { .. }, Outcome::Rejected { .. }) => state.change(id, |order| {
            order.amend = None;
            order.changed = now;
        }),
        (Purpose::Amend { .. }, Outcome::Unknown { .. }) => state.change(id, |order| {
            if let Some(amend) = &mut order.amend {
                amend.unknown = true;
            }
        }),
        // A cancel that is done without a report says nothing of what traded before: the order is asked for.
        (Purpose::Cancel { .. } | Purpose::Set | Purpose::Query { .. } | Purpose::DeadMan, _) => {}
    }
}
