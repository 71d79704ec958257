//! An order book: price first, then arrival.

use super::order::OrderId;
use std::collections::BTreeMap;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;

/// A book of resting orders.
#[derive(Clone, Debug, Default)]
pub struct Book {
    bids: BTreeMap<Decimal, Level>,
    asks: BTreeMap<Decimal, Level>,
    /// Counts every change of a level.
    pub update: u64,
}

/// All orders at one price.
#[derive(Clone, Debug, Default)]
pub struct Level {
    /// Their quantity.
    pub total: Decimal,
    queue: BTreeMap<u64, OrderId>,
}

impl Book {
    /// An empty book that counts on from `update`.
    pub(crate) fn from_update(update: u64) -> Book {
        Book { update, ..Book::default() }
    }

    fn side(&self, side: Side) -> &BTreeMap<Decimal, Level> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    const fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Decimal, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The best price of a side.
    pub fn best(&self, side: Side) -> Option<Decimal> {
        match side {
            Side::Buy => self.bids.last_key_value().map(|(price, _)| *price),
            Side::Sell => self.asks.first_key_value().map(|(price, _)| *price),
        }
    }

    /// The first in the queue at the best price of a side.
    pub fn front(&self, side: Side) -> Option<(Decimal, OrderId)> {
        let (price, level) = match side {
            Side::Buy => self.bids.last_key_value(),
            Side::Sell => self.asks.first_key_value(),
        }?;
        level.queue.first_key_value().map(|(_, id)| (*price, *id))
    }

    /// Price and quantity of each level of a side, best first.
    pub fn levels(&self, side: Side) -> Box<dyn Iterator<Item = (Decimal, Decimal)> + '_> {
        let item = |(price, level): (&Decimal, &Level)| (*price, level.total);
        match side {
            Side::Buy => Box::new(self.bids.iter().rev().map(item)),
            Side::Sell => Box::new(self.asks.iter().map(item)),
        }
    }

    /// The orders of a side in the order in which they would trade.
    pub fn queue(&self, side: Side) -> Box<dyn Iterator<Item = (Decimal, OrderId)> + '_> {
        fn all<'a>(
            (price, level): (&'a Decimal, &'a Level),
        ) -> impl Iterator<Item = (Decimal, OrderId)> + 'a {
            level.queue.values().map(|id| (*price, *id))
        }
        match side {
            Side::Buy => Box::new(self.bids.iter().rev().flat_map(all)),
            Side::Sell => Box::new(self.asks.iter().flat_map(all)),
        }
    }

    /// The quantity at a price; zero when there is none.
    pub fn at(&self, side: Side, price: Decimal) -> Decimal {
        self.side(side).get(&price).map_or(Decimal::ZERO, |level| level.total)
    }

    pub(crate) fn holds(&self, side: Side, price: Decimal, priority: u64) -> bool {
        self.side(side).get(&price).is_some_and(|level| level.queue.contains_key(&priority))
    }

    /// The middle between the best prices.
    pub fn middle(&self) -> Option<Decimal> {
        let (bid, ask) = (self.best(Side::Buy)?, self.best(Side::Sell)?);
        Some(Decimal::from_raw(bid.raw().midpoint(ask.raw())))
    }

    pub(crate) fn insert(
        &mut self,
        side: Side,
        price: Decimal,
        priority: u64,
        id: OrderId,
        left: Decimal,
    ) {
        let level = self.side_mut(side).entry(price).or_default();
        level.queue.insert(priority, id);
        level.total = super::calc::add(level.total, left);
        self.update += 1;
    }

    /// Takes `quantity` off a level without touching the queue.
    pub(crate) fn reduce(&mut self, side: Side, price: Decimal, quantity: Decimal) {
        if let Some(level) = self.side_mut(side).get_mut(&price) {
            level.total = super::calc::sub(level.total, quantity);
        }
        self.update += 1;
    }

    /// Takes an order with `left` still resting off the book.
    pub(crate) fn remove(&mut self, side: Side, price: Decimal, priority: u64, left: Decimal) {
        let levels = self.side_mut(side);
        if let Some(level) = levels.get_mut(&price) {
            level.queue.remove(&priority);
            level.total = super::calc::sub(level.total, left);
            if level.queue.is_empty() {
                levels.remove(&price);
            }
        }
        self.update += 1;
    }
}
