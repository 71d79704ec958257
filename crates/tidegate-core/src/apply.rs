//! What a record changes: the one function by which state comes about, live and on replay.

use crate::approvals;
use crate::balances::balances_taken;
use crate::books;
use crate::breakers;
use crate::clocks;
use crate::guards;
use crate::liquidity;
use crate::orders::{Heard, Order, PendingAmend, Stage, Terms, next};
use crate::people;
use crate::policy;
use crate::retry::AFTER_END;
use crate::settlements;
use crate::state::{Account, Flatten, Halt, Key, Purpose, RegisteredApp, State};
use crate::told::{reconciled, resolved, streamed};
use crate::venue_margin;
use std::collections::BTreeMap;
use tidegate_types::approval::Act;
use tidegate_types::call::CallBody;
use tidegate_types::emergency::Emergency;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{
    AccountName, CallId, CallerName, ClientId, OrderId, PersonName, VenueName,
};
use tidegate_types::instrument::{Instrument, Qty};
use tidegate_types::key::Replaced;
use tidegate_types::order::NewOrder;
use tidegate_types::record::{Body, Canceller, Change, Decision, Record};
use tidegate_types::report::{Outcome, VenueState};
use tidegate_types::time::Time;

pub(crate) fn apply(state: &mut State, record: &Record, max_done: usize) {
    let now = record.at;
    state.at = now;
    breakers::feed(state, record);
    match &record.body {
        Body::Started { epoch, .. } => started(state, epoch, now),
        Body::Stopped
        | Body::StoppedBy { .. }
        | Body::LoggedIn { .. }
        | Body::ByToken { .. }
        | Body::BySignature { .. }
        | Body::RefusedByToken { .. }
        | Body::RefusedBecause { .. }
        | Body::StateSaved { .. }
        | Body::Identity { .. }
        | Body::OptionsWeighed { .. }
        | Body::Warned { .. } => {}
        Body::Instruments { instruments, .. } => terms_read(state, instruments),
        Body::Marks { marks } => marks.iter().for_each(|mark| state.mark(mark)),
        Body::VenueTermsRead { terms } => state.venue_terms_read(terms),
        Body::ShadowRefused { .. } | Body::ShadowRefusedMore { .. } | Body::OverrideUsed { .. } => {
            policy::told(state, &record.body);
        }
        Body::Liquidity { facts } => facts.iter().for_each(|fact| liquidity::fold(state, fact)),
        Body::BreakerTripped { .. } | Body::BreakerStopped { .. } => {
            breakers::apply(state, &record.body, now);
        }
        Body::ClockMeasured { .. } => clocks::fold(state, &record.body, now),
        Body::OptionQuotes { quotes } => quotes.iter().for_each(|quote| state.option_quote(quote)),
        Body::BookLost { .. } | Body::BookWhole { .. } => books::apply(state, &record.body, now),
        Body::Changed { change, .. } => changed(state, change, now),
        Body::ApprovalAsked { .. }
        | Body::ApprovalMissed { .. }
        | Body::ApprovalConfirmed { .. }
        | Body::ApprovalEnded { .. } => {
            approval(state, &record.body, now);
        }
        Body::Halted { by, scope, reason, allow_reduce } => {
            halted(state, (by, scope, reason), *allow_reduce, now);
        }
        Body::Unrecorded { act, .. } => unrecorded(state, act, now),
        Body::HaltProven { scope } => set_proven(state, scope),
        Body::Flattening { scope, .. } => set_flatten(state, scope, Flatten::Closing),
        Body::Flattened { scope } => {
            set_flatten(state, scope, Flatten::Flat);
            breakers::flattened(state, scope);
        }
        Body::Resumed { scope, .. } => drop(state.halts.remove(scope)),
        Body::Closed { account, why } => set_open(state, account, false, why, now),
        Body::Opened { account } => set_open(state, account, true, "", now),
        Body::Reconciled { account, snapshot, corrected } => {
            reconciled(state, account, snapshot, corrected, now);
        }
        Body::BalancesTaken { .. } | Body::MarginTold { .. } | Body::SettledAt { .. } => {
            money_told(state, &record.body, now);
        }
        cleared @ Body::Cleared { .. } => place(state, cleared, now),
        closing @ Body::ClosingCleared { .. } => place_closing(state, closing, now),
        cleared @ Body::AmendCleared { .. } => amend_cleared(state, cleared, now),
        shrinks @ Body::ShrinkCleared { .. } => shrink_cleared(state, shrinks, now),
        Body::CancelCleared { order, call, by } => cancel_cleared(state, *order, *call, by),
        Body::SettingCleared { call, caller, account, .. } => {
            take_token(state, caller, account, now);
            track(state, *call, Purpose::Set);
        }
        Body::DeadManTold { call, .. } => track(state, *call, Purpose::DeadMan),
        Body::Refused { reject, .. } => *state.refusals.entry(reject.code).or_default() += 1,
        Body::RefusedMore { code, count, .. } | Body::RefusedMoreOf { code, count, .. } => {
            *state.refusals.entry(*code).or_default() += count;
        }
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
        Body::Streamed { account, event } => streamed(state, account, event, now),
        Body::Resolved { order, outcome, asked } => {
            resolved(state, *order, outcome, *asked, now);
        }
        Body::Guarded { .. }
        | Body::Unguarded { .. }
        | Body::Through { .. }
        | Body::SessionEnded { .. }
        | Body::GuardedEver { .. }
        | Body::CountdownSet { .. }
        | Body::CountdownLapsed { .. } => guards::apply(state, &record.body, now),
    }
    state.orders.evict(max_done);
}

fn terms_read(state: &mut State, instruments: &[Instrument]) {
    for terms in instruments {
        state.instruments.insert(terms.id.clone(), terms.clone());
        state.revalue(&terms.id);
    }
    state.recount_policies();
}

/// What a venue tells of an account's money.
fn money_told(state: &mut State, body: &Body, now: Time) {
    match body {
        Body::BalancesTaken { account, balances, untold } => {
            balances_taken(state, account, balances, *untold, now);
        }
        Body::MarginTold { account, margins } => {
            venue_margin::fold(state, account, margins, now);
        }
        Body::SettledAt { account, settlements } => settlements::fold(state, account, settlements),
        _ => {}
    }
}

/// What was done while the journal could take no record.
fn unrecorded(state: &mut State, act: &Emergency, now: Time) {
    match act {
        Emergency::Halted { by, scope, reason, allow_reduce } => {
            match state.halts.get_mut(scope) {
                // What was on record already stays as it is.
                Some(held) if *allow_reduce || !held.allow_reduce => held.again(by, reason, now),
                _ => halted(state, (by, scope, reason), *allow_reduce, now),
            }
        }
        // What became of the order is found out from the venue.
        Emergency::Cancelled { .. } => {}
        Emergency::Flattening { scope, .. } => set_flatten(state, scope, Flatten::Closing),
    }
}

/// What happens to a request; the record of its approval carries out the act.
fn approval(state: &mut State, body: &Body, now: Time) {
    match approvals::apply(state, body, now) {
        Some(Act::Change { change }) => changed(state, &change, now),
        Some(Act::Resume { scope, .. }) => drop(state.halts.remove(&scope)),
        None => {}
    }
}

/// A call was in flight when the gateway stopped: whatever it asked for may have happened.
fn started(state: &mut State, epoch: &str, now: Time) {
    epoch.clone_into(&mut state.epoch);
    for account in state.accounts.values_mut() {
        account.open = false;
        "not reconciled since the start".clone_into(&mut account.why);
    }
    state.calls.clear();
    // No book outlives the gateway that kept it.
    state.lost_books.clear();
    guards::sessions_died(state);
    // The answer to a young order may have died with the process that gave it.
    let young = |order: &&Order| order.caller.is_some() && now <= order.placed.plus(AFTER_END);
    let young: Vec<OrderId> = state.orders.iter().filter(young).map(|order| order.id).collect();
    for id in young {
        state.change(id, |order| order.untold = true);
    }
    let open: Vec<OrderId> = state.orders.open().map(|order| order.id).collect();
    for id in open {
        state.change(id, |order| {
            order.stage = next(order.stage, Heard::NoWord);
            order.changed = now;
            if let Some(amend) = &mut order.amend {
                amend.unknown = true;
            }
        });
    }
}

fn changed(state: &mut State, change: &Change, now: Time) {
    match change.clone() {
        Change::DeskSet { desk, approvals } => state.desk = Some((desk, approvals)),
        Change::AccountAdded { venue, account } => {
            let why = "not reconciled yet".to_owned();
            let fresh = Account {
                venue,
                key: None,
                rights: Vec::new(),
                open: false,
                why,
                taken_over: None,
                traded: BTreeMap::new(),
            };
            state.accounts.entry(account).or_insert(fresh);
        }
        Change::VenueKeyImported { account, key, rights } => {
            if let Some(account) = state.accounts.get_mut(&account) {
                account.key = Some(key);
                account.rights = rights;
            }
        }
        Change::CallerAdded { caller } => {
            state.callers.entry(caller).or_insert(now);
        }
        Change::KeyAdded { key, replaces } => {
            if let Some(Replaced { key, overlap }) = replaces
                && let Some(old) = state.keys.get_mut(&key)
            {
                let end = now.plus(overlap);
                let terms = &mut old.key.terms;
                terms.until = Some(terms.until.map_or(end, |until| until.min(end)));
            }
            note_ever_on(state, &key.caller, &key.account, &key.venue);
            state.keys.entry(key.id.clone()).or_insert(Key { key, revoked: false });
        }
        Change::KeyRevoked { id } => {
            if let Some(key) = state.keys.get_mut(&id) {
                key.revoked = true;
            }
        }
        Change::GrantSet { grant } => {
            note_ever_on(state, &grant.caller, &grant.account, &grant.venue);
            let grants = state.grants.entry(grant.caller.clone()).or_default();
            grants.insert(grant.account.clone(), grant);
        }
        Change::GrantRemoved { caller, account } => {
            if let Some(grants) = state.grants.get_mut(&caller) {
                grants.remove(&account);
            }
        }
        Change::LimitsSet { limits } => {
            state.limits.insert(limits.account.clone(), limits);
        }
        Change::OptionLimitsSet { limits } => state.limit_options(limits),
        Change::AppSet { app } => {
            let registered = RegisteredApp { app: app.clone(), revoked: false };
            state.apps.insert(app.caller, registered);
        }
        Change::AppRevoked { app } => {
            if let Some(app) = state.apps.get_mut(&app) {
                app.revoked = true;
            }
        }
        Change::AlarmsSeen { until } => state.alarms.seen(until),
        change @ (Change::OwnerSet { .. } | Change::SelfTradeSet { .. }) => {
            state.self_trades.apply(&change);
        }
        change @ (Change::BreakerSet { .. }
        | Change::BreakerRemoved { .. }
        | Change::BreakerHalfOpened { .. }
        | Change::BreakerClosed { .. }
        | Change::BreakerReset { .. }) => breakers::changed(state, &change, now),
        change @ (Change::PersonSet { .. }
        | Change::PersonRemoved { .. }
        | Change::PersonInvited { .. }
        | Change::CallerShared { .. }
        | Change::CallerUnshared { .. }
        | Change::ApproveBySet { .. }
        | Change::ApprovalsSet { .. }) => people::apply(state, &change),
        change @ (Change::PolicySet { .. }
        | Change::PolicyRemoved
        | Change::PolicyPut { .. }
        | Change::PolicyTaken { .. }
        | Change::ShadowSet { .. }
        | Change::ShadowRemoved
        | Change::OverrideSet { .. }
        | Change::OverrideRemoved { .. }
        | Change::ThrottleReleased { .. }) => policy::apply(state, &change, now),
    }
}

fn halted(
    state: &mut State,
    (by, scope, reason): (&PersonName, &Scope, &String),
    allow_reduce: bool,
    now: Time,
) {
    state.halts_pulled += 1;
    let (number, from) = (state.halts_pulled, state.next_order);
    let halt = state.halts.entry(scope.clone()).or_insert_with(|| Halt {
        id: number,
        by: by.clone(),
        reason: reason.clone(),
        too: BTreeMap::new(),
        allow_reduce,
        since: now,
        from,
        proven: false,
        number,
        flatten: None,
    });
    halt.again(by, reason, now);
    // Halting again tightens, never loosens.
    halt.allow_reduce &= allow_reduce;
    (halt.from, halt.number, halt.proven) = (from, number, false);
}

fn set_flatten(state: &mut State, scope: &Scope, flatten: Flatten) {
    if let Some(halt) = state.halts.get_mut(scope) {
        halt.flatten = Some(flatten);
    }
}

fn set_open(state: &mut State, account: &AccountName, open: bool, why: &str, now: Time) {
    if let Some(known) = state.accounts.get_mut(account) {
        known.open = open;
        if open {
            known.taken_over.get_or_insert(now);
        }
        why.clone_into(&mut known.why);
        state.wallet_for_policies(account);
    }
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
    state.insert(Order { caller, untold: true, session, ..bare });
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

pub(crate) fn hear(state: &mut State, order: OrderId, heard: Heard, now: Time) {
    state.change(order, |order| {
        order.stage = next(order.stage, heard);
        order.changed = now;
    });
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

fn set_proven(state: &mut State, scope: &Scope) {
    if let Some(halt) = state.halts.get_mut(scope) {
        halt.proven = true;
    }
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
        (_, Outcome::Accepted { report, fills }) => state.change(id, |order| {
            if amend {
                order.amended();
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
        (Purpose::Cancel { .. }, Outcome::Done) => {
            hear(state, id, Heard::Told(VenueState::Cancelled), now);
        }
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
        (Purpose::Cancel { .. } | Purpose::Set | Purpose::Query { .. } | Purpose::DeadMan, _) => {}
    }
}

fn note_ever_on(state: &mut State, caller: &CallerName, account: &AccountName, venue: &VenueName) {
    let known = state.ever_on.entry(caller.clone()).or_default();
    known.entry(account.clone()).or_insert_with(|| venue.clone());
}
