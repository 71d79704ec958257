//! Orders that wait for a price.

use super::calc;
use super::effect::OrderEvent;
use super::exchange::Exchange;
use super::market::Market;
use super::matching::Origin;
use super::order::{EndReason, OrderId, Status, Trigger, TriggerBy, TriggerKind};
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// Whether a trigger fires at `price`.
pub(crate) fn fires(trigger: &Trigger, side: Side, price: Decimal) -> bool {
    if !trigger.price.is_positive() || !price.is_positive() {
        return false;
    }
    match (trigger.kind, side) {
        (TriggerKind::Stop | TriggerKind::Trailing { .. }, Side::Buy)
        | (TriggerKind::Take, Side::Sell) => price >= trigger.price,
        (TriggerKind::Stop | TriggerKind::Trailing { .. }, Side::Sell)
        | (TriggerKind::Take, Side::Buy) => price <= trigger.price,
    }
}

/// Where a trailing trigger stands after the market came to `price`.
fn trail(trigger: &Trigger, side: Side, price: Decimal, tick: Decimal) -> Decimal {
    let TriggerKind::Trailing { offset, relative, activation } = trigger.kind else {
        return trigger.price;
    };
    let armed = trigger.price.is_positive()
        || activation.is_none_or(|from| match side {
            Side::Sell => price >= from,
            Side::Buy => price <= from,
        });
    if !armed {
        return trigger.price;
    }
    let distance = if relative { calc::mul(price, offset) } else { offset };
    match side {
        Side::Sell => {
            calc::round(calc::sub(price, distance), tick, Rounding::Floor).max(trigger.price)
        }
        Side::Buy => {
            let new = calc::round(calc::add(price, distance), tick, Rounding::Ceil);
            if trigger.price.is_positive() { new.min(trigger.price) } else { new }
        }
    }
}

impl Market {
    /// The price a trigger watches.
    pub fn watched(&self, by: TriggerBy) -> Decimal {
        match by {
            TriggerBy::Mark => self.mark,
            TriggerBy::Index => self.index,
            TriggerBy::Last => self.last,
        }
    }
}

impl Exchange {
    pub(crate) fn run_triggers(&mut self, now: Time) {
        let mut due: Vec<OrderId> = Vec::new();
        for market in &self.markets {
            for id in &market.waiting {
                let Some(order) = self.orders.get_mut(id) else { continue };
                let side = order.ask.side;
                let Some(trigger) = &mut order.ask.trigger else { continue };
                let price = market.watched(trigger.by);
                trigger.price = trail(trigger, side, price, market.listing.tick);
                if fires(trigger, side, price) {
                    due.push(*id);
                }
            }
        }
        for id in due {
            self.fire(id, now);
        }
    }

    /// Makes an order of a conditional one.
    fn fire(&mut self, id: OrderId, now: Time) {
        let Some(order) = self.orders.get_mut(&id) else { return };
        let (account, instrument) = (order.account, order.ask.instrument);
        let mut ask = order.ask.clone();
        ask.trigger = None;
        ask.unique = false;
        order.status = Status::Triggered;
        order.triggered = Some(now);
        order.updated = now;
        self.stop_waiting(id, account, instrument);
        let tried = self.check_order(account, &ask, now).and_then(|()| {
            self.submit(account, ask, Origin { parent: Some(id), liquidation: false }, now)
        });
        let Some(order) = self.orders.get_mut(&id) else { return };
        match tried {
            Ok((child, _)) => {
                order.child = Some(child);
                self.emit(id, OrderEvent::Triggered);
            }
            Err(_) => {
                order.status = Status::Ended { reason: EndReason::TriggerRefused };
                self.emit(id, OrderEvent::Ended);
            }
        }
        self.retire(id);
    }
}
