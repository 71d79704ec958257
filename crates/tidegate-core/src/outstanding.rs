//! What a halt still waits for, or a closed account, and why: told to whoever asks, never recorded.

use crate::Core;
use crate::flatten;
use crate::halt::{self, Proof};
use crate::orders::{Order, Stage};
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, InstrumentId, OrderId};
use tidegate_types::instrument::SignedQty;
use tidegate_types::report::PositionReport;

/// What a halt still waits for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outstanding {
    /// Orders that are not known to have ended, and why.
    pub orders: Vec<(OrderId, String)>,
    /// Accounts whose venue has not shown yet that nothing of the scope is open, and why.
    pub accounts: Vec<(AccountName, String)>,
    /// Positions that are to be closed and are not.
    pub positions: Vec<StillHeld>,
    /// What was traded to close positions.
    pub closed: Vec<PositionReport>,
}

/// A position that is to be closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StillHeld {
    /// On which account.
    pub account: AccountName,
    /// In what.
    pub instrument: InstrumentId,
    /// How much.
    pub qty: SignedQty,
    /// Why it is not closed yet.
    pub why: String,
}

impl Core {
    /// What the halt of `scope` still waits for.
    pub fn outstanding(&self, scope: &Scope) -> Outstanding {
        let Some(halt) = self.state.halts.get(scope) else { return Outstanding::default() };
        let mut left = Outstanding { closed: self.closed(scope), ..Outstanding::default() };
        if let Some(proof) = self.proofs.get(scope) {
            let open = self.state.orders.open().filter(|order| halt::covers(scope, halt, order));
            left.orders = open.map(|order| (order.id, self.why_open(proof, order))).collect();
            let unproven = self.concerned(scope).into_iter();
            let unproven = unproven.filter(|account| !proof.proven.contains(account));
            let why = |account| Some((self.why_not_shown(proof, &account)?, account));
            left.accounts = unproven.filter_map(why).map(|(why, account)| (account, why)).collect();
        }
        if let Some(flattening) = self.flattenings.get(scope) {
            let held = flatten::held(&self.state, scope).into_iter();
            left.positions = held
                .map(|(account, instrument, qty)| {
                    let why = match flattening.why(&account, &instrument) {
                        _ if !halt.proven => "it is closed once the halt is proven",
                        Some(why) => why,
                        None => "it is being closed",
                    };
                    let why = why.to_owned();
                    StillHeld { account, instrument, qty, why }
                })
                .collect();
        }
        left
    }

    /// What an account that is closed still waits for; `None` of one that is open.
    pub fn waits_for(&self, account: &AccountName) -> Option<String> {
        let known = self.state.accounts.get(account).filter(|known| !known.open)?;
        let Some(watch) = self.watches.get(account).filter(|watch| watch.is_up()) else {
            return known.key.as_ref().map(|_| "its private stream is not there".to_owned());
        };
        if let Some(failed) = &watch.failed {
            return Some(format!("the venue does not show its state: {failed}"));
        }
        let why = match (watch.readings.left(), watch.suspects.len()) {
            (0, _) if self.is_unsure(account) => {
                "the venue has not been heard about an order yet".to_owned()
            }
            (0, 0) => "the comparison with the venue is under way".to_owned(),
            (0, differ) => format!("positions that differ are looked at again: {differ}"),
            (left, _) => format!("instruments of which trades are still to be read: {left}"),
        };
        Some(why)
    }

    fn why_open(&self, proof: &Proof, order: &Order) -> String {
        if let Some(told) = proof.told.get(&order.id) {
            return format!("the last cancel: {told}");
        }
        let why = match order.stage {
            Stage::Pending | Stage::Sent => "the venue has not answered its placement yet",
            Stage::Unknown => "whether it is live is not known yet; the venue is being asked",
            Stage::Live | Stage::Done { .. } => "its cancel is not answered yet",
        };
        why.to_owned()
    }

    /// Why an account is not shown to be clear; one that only waits for its orders has no reason of
    /// its own.
    fn why_not_shown(&self, proof: &Proof, account: &AccountName) -> Option<String> {
        let watch = self.watches.get(account);
        if let Some(failed) = watch.and_then(|watch| watch.failed.as_ref()) {
            return Some(format!("the venue does not show its open orders: {failed}"));
        }
        let asked = "the venue has not answered yet which orders are open";
        proof.clean.map(|_| asked.to_owned())
    }
}
