//! What of the status a person sees: for who may look at its own callers only, the rest is not there.

use super::Administrator;
use super::breakers;
use super::protocol::{OpenOrder, Remains, Status};
use super::rights::is_setting_up;
use crate::desk::Counts;
use std::collections::BTreeSet;
use tidegate_core::roles;
use tidegate_core::state::State;
use tidegate_types::grant::Scope;

/// What a person sees, in the words of the status.
pub(super) struct View {
    /// It is nobody of the desk's.
    stranger: bool,
    callers: BTreeSet<String>,
    accounts: BTreeSet<String>,
}

impl View {
    /// Whether it is somebody that the desk does not know.
    pub(super) fn is_stranger(&self) -> bool {
        self.stranger
    }

    /// What this person sees; none where it sees everything.
    pub(super) fn of(state: &State, by: &Administrator) -> Option<View> {
        let stranger = !state.people().contains_key(&by.person) && !is_setting_up(state, by);
        let by = &by.person;
        if stranger {
            return Some(View { stranger, callers: BTreeSet::new(), accounts: BTreeSet::new() });
        }
        if roles::sees_all(state, by) {
            return None;
        }
        let callers = state.callers().keys().filter(|caller| roles::sees(state, by, caller));
        let accounts = state.accounts().keys().filter(|name| roles::sees_account(state, by, name));
        Some(View {
            stranger,
            callers: callers.map(ToString::to_string).collect(),
            accounts: accounts.map(ToString::to_string).collect(),
        })
    }

    /// Takes everything else out.
    pub(super) fn cut(&self, status: &mut Status) {
        let account = |name: &str| self.accounts.contains(name);
        status.accounts.retain(|row| account(&row.account));
        for row in &mut status.accounts {
            // Others' orders are counted in what the account bears, and not one by one.
            row.foreign_orders = 0;
            // At some venues the id alone is enough to follow the account's stream.
            row.key = None;
            row.rights.clear();
        }
        for venue in &mut status.limits {
            venue.limits.retain(|row| row.account.as_deref().is_none_or(account));
            venue.frozen.retain(|row| row.account.as_deref().is_none_or(account));
        }
        status.callers.retain(|row| self.caller(Some(&row.caller)));
        status.foreign.clear();
        status.alarms.retain(|alarm| self.caller(alarm.caller.as_deref()));
        status.alarms_raised = status.alarms.len() as u64;
        status.halts.retain(|halt| self.scope(&halt.scope));
        for halt in &mut status.halts {
            self.cut_remains(&mut halt.remains);
            halt.left_count = halt.remains.left.len();
        }
        breakers::keep_seen(&mut status.breakers, |scope| self.scope(scope));
        status.refusals.clear();
        status.recent_refusals.retain(|refusal| self.caller(refusal.caller.as_deref()));
        status.approvals_waiting = 0;
        if self.stranger {
            // Whether orders are taken, and the halts.
            status.lost_books.clear();
            status.clocks.clear();
            status.limits.clear();
            status.signer_lacks.clear();
            status.listeners.clear();
            status.latency.clear();
            status.counts = Counts::default();
            status.connections = 0;
        }
    }

    fn caller(&self, caller: Option<&str>) -> bool {
        caller.is_some_and(|caller| self.callers.contains(caller))
    }

    /// A halt of more than one caller bears on everybody's.
    fn scope(&self, scope: &str) -> bool {
        match scope.parse() {
            Ok(Scope::Caller { name }) => self.callers.contains(name.as_str()),
            Ok(Scope::Account { name }) => self.accounts.contains(name.as_str()),
            Ok(Scope::Order { .. }) | Err(_) => false,
            Ok(_) => true,
        }
    }

    fn cut_remains(&self, remains: &mut Remains) {
        remains.left.retain(|order: &OpenOrder| self.caller(order.caller.as_deref()));
        remains.not_shown.retain(|one| self.accounts.contains(&one.account));
        remains.positions.retain(|held| self.accounts.contains(&held.account));
    }
}
