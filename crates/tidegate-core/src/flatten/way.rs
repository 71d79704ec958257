//! What stands in the way of an order that closes a position: orders of the same owner, on accounts that the halt leaves
//! alone or closes at the same time, with which it would trade. They are cancelled, and it waits for that a moment.

use crate::Core;
use crate::action::Action;
use crate::timers::Timer;
use std::collections::BTreeSet;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, OrderId};
use tidegate_types::limits::SELF_TRADE_WAIT;
use tidegate_types::order::NewOrder;
use tidegate_types::record::Canceller;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::self_trade::SelfTradeMode;
use tidegate_types::time::Time;

/// What one waits for.
#[derive(Debug)]
pub(super) struct Way {
    orders: BTreeSet<OrderId>,
    /// No longer than this. It holds for all pieces of a position: who quotes on and on keeps none of them open.
    pub(super) until: Time,
}

impl Core {
    /// Lets a closing order pass that meets none of the same owner's, or has waited for long enough. Those it meets
    /// are cancelled either way.
    pub(super) fn clear_the_way(
        &mut self,
        scope: &Scope,
        account: &AccountName,
        order: &NewOrder,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), Reject> {
        let orders = self.closing_meets(account, order, now);
        let of = (account.clone(), order.instrument.clone());
        let tries = self.flattenings.get_mut(scope).map(|flattening| &mut flattening.tries);
        let Some(one) = tries.map(|tries| tries.entry(of).or_default()) else { return Ok(()) };
        let until = one.way.as_ref().map_or(now.plus(SELF_TRADE_WAIT), |way| way.until);
        let waits = !orders.is_empty() && now < until;
        one.way = (waits || until <= now).then(|| Way { orders: orders.clone(), until });
        let count = orders.len();
        for id in orders {
            if self.state.orders.get(id).is_some_and(|order| order.caller.is_some()) {
                self.cancel_quietly(id, Canceller::Halt { scope: scope.clone() }, now, out);
            }
        }
        if !waits {
            return Ok(());
        }
        let detail = format!("it would trade with {count} of its owner's orders, which end first");
        Err(Reject::new(Code::SelfTradeWait, detail))
    }

    /// An order ended: what waited for it and for nothing else is closed now.
    pub(crate) fn way_heard(&mut self, id: OrderId, now: Time) {
        for (scope, flattening) in &mut self.flattenings {
            for one in flattening.tries.values_mut() {
                let Some(way) = &mut one.way else { continue };
                if way.orders.remove(&id) && way.orders.is_empty() {
                    one.not_before = now;
                    self.timers.set(Timer::Flatten(scope.clone()), now);
                }
            }
        }
    }

    /// What it would trade with: orders of callers', and other closing ones on their way. What somebody placed past
    /// Tidegate on an account that is not halted is not Tidegate's to cancel.
    fn closing_meets(
        &self,
        account: &AccountName,
        order: &NewOrder,
        now: Time,
    ) -> BTreeSet<OrderId> {
        if self.state.self_trades.mode(account) == SelfTradeMode::Off {
            return BTreeSet::new();
        }
        let met = self.state.met_by(account, order, now);
        met.into_iter().filter(|order| !order.is_foreign()).map(|order| order.id).collect()
    }
}
