//! Halts, and what went without a record.

use crate::gains;
use crate::state::{Flatten, Halt, State};
use std::collections::BTreeMap;
use tidegate_types::emergency::Emergency;
use tidegate_types::grant::Scope;
use tidegate_types::ids::PersonName;
use tidegate_types::record::Body;
use tidegate_types::time::Time;

/// What a record tells of halts.
pub(super) fn told(state: &mut State, body: &Body, now: Time) {
    match body {
        Body::Halted { by, scope, reason, allow_reduce } => {
            halted(state, (by, scope, reason), *allow_reduce, now);
        }
        Body::Unrecorded { act, .. } => unrecorded(state, act, now),
        Body::HaltProven { scope } => set_proven(state, scope),
        Body::Flattening { scope, .. } => set_flatten(state, scope, Flatten::Closing),
        Body::Flattened { scope } => {
            set_flatten(state, scope, Flatten::Flat);
            state.attributed.flattened(scope);
            gains::parted(state);
            state.recount_policies();
        }
        Body::Resumed { scope, .. } => drop(state.halts.remove(scope)),
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

fn set_proven(state: &mut State, scope: &Scope) {
    if let Some(halt) = state.halts.get_mut(scope) {
        halt.proven = true;
    }
}
