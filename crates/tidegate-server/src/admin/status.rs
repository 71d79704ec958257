//! What runs, what is open, and how fast it is.

use super::protocol::{AccountStatus, Failure, HaltStatus, Pids, Status};
use super::service::Administration;
use serde_json::Value;
use std::collections::BTreeMap;
use tidegate_core::orders::Order;
use tidegate_core::state::State;
use tidegate_types::grant::Scope;

/// Everything there is to tell, as JSON.
pub(super) fn status(admin: &Administration) -> Result<Value, Failure> {
    let parts = &admin.parts;
    let (accounts, halts, refusals) = parts.desk.look(|state| {
        let refusals = state.refusals().iter();
        let refusals = refusals.map(|(code, n)| (format!("TG{}", code.number()), *n)).collect();
        (accounts(state), halts(state), refusals)
    });
    let measures = parts.desk.measures();
    let stages = [
        ("decision", &measures.decision),
        ("gateway", &measures.gateway),
        ("signer", &measures.signer),
        ("flush", &measures.flush),
        ("venue", &measures.venue),
    ];
    let status = Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        desk: parts.config.desk.clone(),
        started_ms: admin.started.millis(),
        durability: word(&parts.config.journal.durability),
        approvals: word(&parts.config.approvals),
        journal_failed: parts.desk.journal_failed(),
        pids: Pids { gateway: std::process::id(), signer: (parts.signer_pid)() },
        listeners: admin.listeners.get().cloned().unwrap_or_default(),
        connections: parts.connections.count(),
        accounts,
        halts,
        refusals,
        latency: stages.map(|(name, h)| (name.to_owned(), h.quantiles())).into(),
    };
    serde_json::to_value(status)
        .map_err(|e| Failure::new("internal", e.to_string(), "see `tidegate doctor`"))
}

/// Whether a halt of `scope` concerns an order.
pub(super) fn covers(scope: &Scope, order: &Order, state: &State) -> bool {
    match scope {
        Scope::All => true,
        Scope::Desk { name } => state.desk().is_some_and(|(desk, _)| desk == name),
        Scope::Venue { name } => order.request.instrument.venue == *name,
        Scope::Account { name } => order.account == *name,
        Scope::Caller { name } => order.caller.as_ref() == Some(name),
        Scope::Instrument { id } => order.request.instrument == *id,
    }
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
        found.push(AccountStatus {
            account: name.to_string(),
            venue: account.venue.to_string(),
            open: account.open,
            why: account.why.clone(),
            key: account.key.clone(),
            open_orders: open.len(),
            foreign_orders: open.iter().filter(|order| order.is_foreign()).count(),
            open_notional: state.positions().account_open(name).to_string(),
            positions,
        });
    }
    found
}

fn halts(state: &State) -> Vec<HaltStatus> {
    let halts = state.halts().iter().map(|(scope, halt)| HaltStatus {
        scope: scope.to_string(),
        by: halt.by.to_string(),
        reason: halt.reason.clone(),
        since_ms: halt.since.millis(),
        proven: halt.proven,
        allow_reduce: halt.allow_reduce,
    });
    halts.collect()
}

fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
