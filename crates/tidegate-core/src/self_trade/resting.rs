//! What is open, by account, instrument, side and price. What is in doubt counts as open, and so does
//! what a cancel is on its way for.

use crate::amends::nearer;
use crate::orders::Order;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{AccountName, InstrumentId, OrderId};
use tidegate_types::instrument::Price;
use tidegate_types::order::Side;

/// A price that every order of the other side reaches: where an order without a price of its own stands.
const fn anywhere(side: Side) -> Price {
    match side {
        Side::Buy => Price(Decimal::from_raw(i64::MAX)),
        Side::Sell => Price(Decimal::ZERO),
    }
}

/// Every open order that may trade with what comes. It follows from the table of orders.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Resting {
    sides: BTreeMap<AccountName, BTreeMap<InstrumentId, Sides>>,
    at: BTreeMap<OrderId, Price>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Sides {
    buys: BTreeSet<(Price, OrderId)>,
    sells: BTreeSet<(Price, OrderId)>,
}

impl Sides {
    fn of(&mut self, side: Side) -> &mut BTreeSet<(Price, OrderId)> {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }
}

impl Resting {
    /// Takes an order as it is now.
    pub(crate) fn follow(&mut self, order: &Order) {
        let (before, now) = (self.at.get(&order.id).copied(), place(order));
        if before == now {
            return;
        }
        let Order { id, account, request, .. } = order;
        let of_account = self.sides.entry(account.clone()).or_default();
        let sides = of_account.entry(request.instrument.clone()).or_default();
        if let Some(price) = before {
            sides.of(request.side).remove(&(price, *id));
        }
        if let Some(price) = now {
            sides.of(request.side).insert((price, *id));
            self.at.insert(*id, price);
            return;
        }
        self.at.remove(id);
        if *sides == Sides::default() {
            of_account.remove(&request.instrument);
        }
        if of_account.is_empty() {
            self.sides.remove(account);
        }
    }

    /// The orders of an account that one of this side and reach would trade with, each with how far it is
    /// from being met first.
    pub(super) fn met(
        &self,
        account: &AccountName,
        instrument: &InstrumentId,
        side: Side,
        reach: Price,
    ) -> Vec<(i64, OrderId)> {
        let sides = self.sides.get(account).and_then(|all| all.get(instrument));
        let Some(sides) = sides else { return Vec::new() };
        match side {
            Side::Buy => {
                let within = sides.sells.range(..=(reach, OrderId(u64::MAX)));
                within.map(|(price, id)| (price.0.raw(), *id)).collect()
            }
            Side::Sell => {
                let within = sides.buys.range((reach, OrderId(0))..);
                within.map(|(price, id)| (price.0.raw().saturating_neg(), *id)).collect()
            }
        }
    }
}

/// The price at which an order may trade with what comes: of an unanswered amend the one that more
/// reaches. A conditional order is not in the market before it has triggered.
fn place(order: &Order) -> Option<Price> {
    let side = order.request.side;
    let waits = order.request.order_type.is_conditional() && order.triggered_as.is_none();
    if !order.is_open() || waits {
        return None;
    }
    let price = match &order.amend {
        Some(amend) => nearer(side, order.request.price, amend.price),
        None => order.request.price,
    };
    Some(price.unwrap_or(anywhere(side)))
}
