//! What a record changes: the one function by which state comes about, live and on replay.

mod grants;
mod halts;
mod requests;

pub(crate) use requests::hear;

use crate::approvals;
use crate::balances::balances_taken;
use crate::books;
use crate::breakers;
use crate::clocks;
use crate::guards;
use crate::liquidity;
use crate::orders::{Heard, Order, next};
use crate::people;
use crate::policy;
use crate::retry::AFTER_END;
use crate::settlements;
use crate::state::{Account, State};
use crate::told::{reconciled, resolved, streamed};
use crate::venue_margin;
use std::collections::BTreeMap;
use tidegate_types::approval::Act;
use tidegate_types::ids::{AccountName, OrderId};
use tidegate_types::instrument::Instrument;
use tidegate_types::record::{Body, Change, Record};
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
        Body::Halted { .. }
        | Body::Unrecorded { .. }
        | Body::HaltProven { .. }
        | Body::Flattening { .. }
        | Body::Flattened { .. }
        | Body::Resumed { .. } => halts::told(state, &record.body, now),
        Body::Closed { account, why } => set_open(state, account, false, why, now),
        Body::Opened { account } => set_open(state, account, true, "", now),
        Body::Reconciled { account, snapshot, corrected } => {
            reconciled(state, account, snapshot, corrected, now);
        }
        Body::BalancesTaken { .. } | Body::MarginTold { .. } | Body::SettledAt { .. } => {
            money_told(state, &record.body, now);
        }
        Body::Cleared { .. }
        | Body::ClosingCleared { .. }
        | Body::AmendCleared { .. }
        | Body::ShrinkCleared { .. }
        | Body::CancelCleared { .. }
        | Body::SettingCleared { .. }
        | Body::DeadManTold { .. } => requests::cleared(state, &record.body, now),
        Body::Refused { reject, .. } => *state.refusals.entry(reject.code).or_default() += 1,
        Body::RefusedMore { code, count, .. } | Body::RefusedMoreOf { code, count, .. } => {
            *state.refusals.entry(*code).or_default() += count;
        }
        Body::Sent { .. } | Body::NotSent { .. } | Body::Replied { .. } => {
            requests::answered(state, &record.body, now);
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
    evict(state, max_done);
}

/// Drops the oldest done orders above `most`. A venue may tell their trades again.
fn evict(state: &mut State, most: usize) {
    while let Some(order) = state.orders.evict_above(most) {
        let told = order.lacks_trades().then_some(order.told);
        let newest = order.trades.values().map(|trade| trade.at).max().max(told);
        if let (Some(at), Some(account)) = (newest, state.accounts.get_mut(&order.account)) {
            let forgotten = account.forgotten.entry(order.request.instrument).or_default();
            *forgotten = at.max(*forgotten);
        }
    }
}

fn terms_read(state: &mut State, instruments: &[Instrument]) {
    for terms in instruments {
        state.instruments.insert(terms.id.clone(), terms.clone());
        state.revalue(&terms.id);
    }
    state.forget_expired_parts();
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
                forgotten: BTreeMap::new(),
                traded: BTreeMap::new(),
            };
            state.accounts.entry(account.clone()).or_insert(fresh);
            state.follow_where_due();
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
        Change::LimitsSet { limits } => {
            state.limits.insert(limits.account.clone(), limits);
        }
        Change::OptionLimitsSet { limits } => state.limit_options(limits),
        Change::OptionLimitsRemoved { account } => state.unlimit_options(&account),
        change @ (Change::KeyAdded { .. }
        | Change::KeyRevoked { .. }
        | Change::GrantSet { .. }
        | Change::GrantRemoved { .. }
        | Change::AppSet { .. }
        | Change::AppRevoked { .. }) => grants::changed(state, change, now),
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
        | Change::ShadowPut { .. }
        | Change::ShadowTaken { .. }
        | Change::ThrottleFreed { .. }
        | Change::OverrideSet { .. }
        | Change::OverrideRemoved { .. }
        | Change::ThrottleReleased { .. }) => policy::apply(state, &change, now),
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
