//! Changing orders that rest or wait.

use super::account::AccountIx;
use super::effect::{Effect, OrderEvent};
use super::exchange::Exchange;
use super::input::{Amendment, OrderRef, Refusal, Reply};
use super::order::{EndReason, Order, OrderId, Status};
use tidegate_types::time::Time;

impl Exchange {
    pub(crate) fn amend(
        &mut self,
        account: AccountIx,
        target: &OrderRef,
        change: &Amendment,
        now: Time,
    ) -> Result<Reply, Refusal> {
        let order = self.find_order(account, target).ok_or(Refusal::UnknownOrder)?;
        let (id, old) = (order.id, order.clone());
        match old.status {
            Status::Open => self.amend_resting(id, old, change, now),
            Status::Untriggered => self.amend_waiting(id, &old, change, now),
            Status::Triggered | Status::Filled | Status::Ended { .. } => Err(Refusal::NotOpen),
        }
    }

    /// An order keeps its place in the queue when its price stays and its quantity does not grow.
    fn amend_resting(
        &mut self,
        id: OrderId,
        old: Order,
        change: &Amendment,
        now: Time,
    ) -> Result<Reply, Refusal> {
        let mut ask = old.ask.clone();
        ask.quantity = change.quantity.unwrap_or(ask.quantity);
        ask.price = change.price.or(ask.price);
        ask.post_only = change.post_only.unwrap_or(ask.post_only);
        ask.reduce_only = change.reduce_only.unwrap_or(ask.reduce_only);
        let market = self.listing(ask.instrument)?;
        super::check::check_quantity(market, ask.kind, ask.quantity)?;
        super::check::check_price(market, ask.side, ask.price)?;
        if ask == old.ask {
            return Err(Refusal::SameOrder);
        }
        if ask.quantity <= old.filled {
            self.end(id, EndReason::Amend, now);
            return self.placed(id, Vec::new());
        }
        let keeps_place = ask.price == old.ask.price && ask.quantity <= old.ask.quantity;
        if !keeps_place {
            match self.settle_price(&mut ask) {
                Err(Refusal::WouldTake) => {
                    self.end(id, EndReason::Amend, now);
                    return self.placed(id, Vec::new());
                }
                other => other?,
            }
            self.check_amended_margin(&old, &ask)?;
        }
        let (side, left) = (ask.side, old.left());
        self.tally(id, left, false);
        if let (Some(price), Some(market)) = (old.ask.price, self.market_mut(ask.instrument)) {
            market.book.remove(side, price, old.priority, left);
            let (instrument, update) = (ask.instrument, market.book.update);
            self.effects.push(Effect::Level { instrument, side, price, update });
        }
        let priority = if keeps_place { old.priority } else { self.next_priority };
        self.next_priority += 1;
        if let Some(order) = self.orders.get_mut(&id) {
            order.ask = ask;
            order.priority = priority;
            order.updated = now;
            order.amended += 1;
        }
        self.emit(id, OrderEvent::Amended);
        let fills = self.match_order(id, now);
        self.rest_or_end(id, now);
        self.placed(id, fills)
    }

    fn amend_waiting(
        &mut self,
        id: OrderId,
        old: &Order,
        change: &Amendment,
        now: Time,
    ) -> Result<Reply, Refusal> {
        let mut ask = old.ask.clone();
        ask.quantity = change.quantity.unwrap_or(ask.quantity);
        ask.price = change.price.or(ask.price);
        ask.reduce_only = change.reduce_only.unwrap_or(ask.reduce_only);
        if let (Some(trigger), Some(price)) = (&mut ask.trigger, change.trigger_price) {
            trigger.price = price;
        }
        ask.unique = false;
        self.check_order(old.account, &ask, now)?;
        ask.unique = old.ask.unique;
        if let Some(order) = self.orders.get_mut(&id) {
            order.ask = ask;
            order.updated = now;
            order.amended += 1;
        }
        self.emit(id, OrderEvent::Amended);
        self.placed(id, Vec::new())
    }
}
