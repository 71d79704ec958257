//! What runs, what is open, and how fast it is.

use super::protocol::{
    AccountStatus, CallerStatus, Failure, HaltStatus, HaltedToo, JournalStatus, LostBookStatus,
    OpenOrder, Pids, Status, VenueFrozen, VenueLimit, VenueLimits,
};
use super::service::Administration;
use super::view::View;
use super::{Administrator, alarms, breakers, halts, margin, options, people};
use crate::clock;
use crate::desk::{Link, stopped};
use serde_json::Value;
use std::collections::BTreeMap;
use tidegate_core::orders::Order;
use tidegate_core::roles;
use tidegate_core::state::{Flatten, State};
use tidegate_shaping::Whose;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, CallerName, PersonName};
use tidegate_types::time::Time;

/// Most orders that are told of a halt.
const LEFT: usize = 20;

/// Everything there is to tell, as JSON.
pub(super) fn status(admin: &Administration, by: &Administrator) -> Result<Value, Failure> {
    let parts = &admin.parts;
    let halts = halts(admin);
    let (mut accounts, callers, foreign, refusals, alarms) = parts.desk.look(|state| {
        let refusals = state.refusals().iter();
        let refusals = refusals.map(|(code, n)| (format!("TG{}", code.number()), *n)).collect();
        let foreign = state.foreign().map(open_order).collect();
        let alarms = (alarms::alarms(state), state.alarms().raised());
        (accounts(state), callers(state, by), foreign, refusals, alarms)
    });
    for account in accounts.iter_mut().filter(|account| !account.open) {
        let waits = AccountName::new(&account.account).ok();
        if let Some(waits) = waits.and_then(|name| parts.desk.waits_for(&name)) {
            account.why = format!("{}; {waits}", account.why);
        }
    }
    let approvals = parts.desk.look(|state| {
        let mode = people::word(state.approvals_needed()).to_owned();
        let wanted = people::factor_wanted(state.approve_by()).to_owned();
        let (waiting, people) = (state.approvals().waiting().count(), state.people().len());
        (mode, state.has_admin(), waiting, wanted, people)
    });
    let lost_books = parts.desk.look(lost_books);
    let (breakers, clocks) =
        parts.desk.look(|state| (breakers::told(state), breakers::clocks(state, &parts.links)));
    let (counts, recent_refusals) = parts.desk.notices();
    let measures = parts.desk.measures();
    let stages = [
        ("decision", &measures.decision),
        ("gateway", &measures.gateway),
        ("signer", &measures.signer),
        ("flush", &measures.flush),
        ("venue", &measures.venue),
    ];
    let used = |account: &AccountStatus| Some((account.account.clone(), account.key.clone()?));
    let used_keys = by.full.then(|| accounts.iter().filter_map(used).collect());
    let mut status = Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        desk: parts.config.desk.clone(),
        started_ms: admin.started.millis(),
        durability: word(&parts.config.journal.durability),
        approvals: approvals.0,
        used_keys,
        has_admin: approvals.1,
        approvals_waiting: approvals.2,
        approve_by: approvals.3,
        people: approvals.4,
        policy: parts
            .desk
            .look(|state| state.policies().in_force().map(|policy| policy.stamp().to_string())),
        journal_failed: parts.desk.journal_failed(),
        journal_degraded: parts.desk.journal_degraded(),
        journal: journal(admin),
        signer_lacks: parts.desk.signer_lacks(),
        pids: Pids { gateway: std::process::id(), signer: (parts.signer_pid)() },
        listeners: admin.listeners.get().cloned().unwrap_or_default(),
        connections: parts.connections.count(),
        accounts,
        callers,
        foreign,
        alarms: alarms.0,
        alarms_raised: alarms.1,
        lost_books,
        breakers,
        clocks,
        limits: parts.links.iter().map(|link| venue_limits(link)).collect(),
        halts,
        refusals,
        recent_refusals,
        counts,
        latency: stages.map(|(name, h)| (name.to_owned(), h.quantiles())).into(),
    };
    if let Some(view) = parts.desk.look(|state| View::of(state, by)) {
        view.cut(&mut status);
    }
    serde_json::to_value(status)
        .map_err(|e| Failure::new("internal", e.to_string(), "see `tidegate doctor`"))
}

/// An order that is open, as it is told.
pub(super) fn open_order(order: &Order) -> OpenOrder {
    let reference = order.reference();
    OpenOrder {
        order: order.id.0,
        account: order.account.to_string(),
        instrument: order.request.instrument.to_string(),
        caller: order.caller.as_ref().map(ToString::to_string),
        client_id: reference.client_id.map(|id| id.to_string()),
        venue_id: reference.venue_id.map(|id| id.to_string()),
        why: None,
    }
}

fn venue_limits(link: &Link) -> VenueLimits {
    let gauge = link.gauge();
    let address = |whose: &Whose| match whose {
        Whose::Address(from) => gauge.addresses.get(*from).map(ToString::to_string),
        Whose::Account(_) => None,
    };
    let account = |whose: &Whose| match whose {
        Whose::Address(_) => None,
        Whose::Account(account) => account.as_ref().map(ToString::to_string),
    };
    let limits = gauge.uses.into_iter().map(|told| VenueLimit {
        name: told.name.to_owned(),
        account: account(&told.whose),
        address: address(&told.whose),
        used: told.used,
        limit: told.limit,
        reserved: told.reserved,
        reached_in_ms: told.reaches_limit.map(|left| left.millis()),
    });
    let frozen = gauge.frozen.into_iter().map(|(frozen, whose)| VenueFrozen {
        stops: stopped(frozen.stops).to_owned(),
        account: account(&whose),
        address: address(&whose),
        until_ms: frozen.until.millis(),
    });
    VenueLimits {
        venue: link.venue().name().to_string(),
        waiting: gauge.waiting,
        limits: limits.collect(),
        frozen: frozen.collect(),
    }
}

fn lost_books(state: &State) -> Vec<LostBookStatus> {
    let told = state.lost_books().map(|(instrument, lost)| LostBookStatus {
        instrument: instrument.to_string(),
        since_ms: lost.since.millis(),
        why: lost.why.clone(),
        whole: lost.whole.is_some(),
    });
    told.collect()
}

fn journal(admin: &Administration) -> JournalStatus {
    let seen = admin.parts.disk.seen();
    JournalStatus {
        next: admin.parts.desk.next_seq().0,
        checkpointed: seen.checkpointed,
        bytes: seen.journal_bytes,
        free_bytes: seen.room.map(|room| room.free),
    }
}

fn callers(state: &State, by: &Administrator) -> Vec<CallerStatus> {
    let now = clock::now();
    let readers = |caller: &CallerName| -> Vec<String> {
        let told = roles::may_unshare(state, &by.person, caller);
        state.readers(caller).filter(|_| told).map(ToString::to_string).collect()
    };
    let told = state.grants().map(|grant| {
        let mine = |order: &&Order| order.caller.as_ref() == Some(&grant.caller);
        let open = state.positions().caller_open(&grant.caller, &grant.account);
        let keys = state.keys().values().filter(|key| {
            !key.revoked && key.key.caller == grant.caller && key.key.account == grant.account
        });
        CallerStatus {
            caller: grant.caller.to_string(),
            read_by: readers(&grant.caller),
            account: grant.account.to_string(),
            trade: grant.trade,
            open_orders: state.orders().open_of(&grant.account).filter(mine).count(),
            open_notional: open.to_string(),
            max_open_notional: grant.max_open_notional.to_string(),
            traded_today: state.traded_today(&grant.caller, &grant.account, now).to_string(),
            max_daily_notional: grant.max_daily_notional.map(|most| most.to_string()),
            keys: keys.map(|key| key.key.id.to_string()).collect(),
        }
    });
    told.collect()
}

fn accounts(state: &State) -> Vec<AccountStatus> {
    let mut found = Vec::new();
    for (name, account) in state.accounts() {
        let positions: BTreeMap<String, String> = state
            .positions()
            .iter()
            .filter(|(of, _, qty)| *of == name && !qty.0.is_zero())
            .map(|(_, instrument, qty)| (instrument.name.to_string(), qty.to_string()))
            .collect();
        let open: Vec<&Order> = state.orders().open_of(name).collect();
        let balances = state.balances().of(name);
        found.push(AccountStatus {
            account: name.to_string(),
            venue: account.venue.to_string(),
            open: account.open,
            why: account.why.clone(),
            key: account.key.clone(),
            rights: account.rights.clone(),
            open_orders: open.len(),
            foreign_orders: open.iter().filter(|order| order.is_foreign()).count(),
            open_notional: state.positions().account_open(name).to_string(),
            max_open_notional: state.limits().get(name).map(|l| l.max_open_notional.to_string()),
            self_trade: state.self_trades().mode(name).to_string(),
            owner: state.self_trades().owner(name).map(ToString::to_string),
            exposure: state.exposure(name).to_string(),
            max_exposure: state.limits().get(name).map(|l| l.max_exposure.to_string()),
            positions,
            balances: balances.map(|(asset, held)| (asset.to_string(), held.to_string())).collect(),
            options: options::standing(state, name),
            venue_margin: margin::told(state, name),
        });
    }
    found
}

fn halts(admin: &Administration) -> Vec<HaltStatus> {
    let desk = &admin.parts.desk;
    let scopes: Vec<Scope> = desk.look(|state| state.halts().keys().cloned().collect());
    let halts = scopes.iter().map(|scope| {
        desk.outstanding(scope, |state, mut outstanding| {
            let halt = state.halts().get(scope)?;
            let left_count = outstanding.orders.len();
            outstanding.orders.truncate(LEFT);
            Some(HaltStatus {
                scope: scope.to_string(),
                by: halt.by.to_string(),
                reason: halt.reason.clone(),
                since_ms: halt.since.millis(),
                too: halt.too.iter().map(halted_too).collect(),
                proven: halt.proven,
                allow_reduce: halt.allow_reduce,
                flatten: halt.flatten.map(|how| match how {
                    Flatten::Closing => "closing".to_owned(),
                    Flatten::Flat => "flat".to_owned(),
                }),
                left_count,
                remains: halts::remains(state, outstanding),
            })
        })
    });
    halts.flatten().collect()
}

fn halted_too((by, (reason, at)): (&PersonName, &(String, Time))) -> HaltedToo {
    HaltedToo { by: by.to_string(), reason: reason.clone(), at_ms: at.millis() }
}

fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
