//! The table of orders, and how one is found.

use crate::news::{News, Piece};
use crate::orders::{Order, Share, Shift, Trade, worth};
use crate::profit::Tally;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{
    AccountName, CallerName, CallerOrderId, ClientId, OrderId, TradeId, VenueOrderId,
};
use tidegate_types::instrument::Qty;
use tidegate_types::time::Time;

/// Every order, with its indexes. Orders change through `insert` and `change` alone.
#[derive(Debug, Default)]
pub struct Orders {
    all: BTreeMap<OrderId, Box<Order>>,
    open: BTreeMap<AccountName, BTreeSet<OrderId>>,
    by_client: BTreeMap<ClientId, OrderId>,
    by_venue: BTreeSet<(AccountName, VenueOrderId, OrderId)>,
    by_caller: BTreeSet<(CallerName, AccountName, CallerOrderId, OrderId)>,
    done: BTreeMap<u64, OrderId>,
    next_done: u64,
    /// The trades of an account's orders, in the order they were heard of.
    trades: BTreeMap<AccountName, BTreeSet<TradePlace>>,
    news: News,
}

/// The place of a trade among its account's: when it was heard of, of which order, under which id.
pub type TradePlace = (Time, OrderId, TradeId);

impl Orders {
    /// The order with this number.
    pub fn get(&self, id: OrderId) -> Option<&Order> {
        self.all.get(&id).map(Box::as_ref)
    }

    /// The orders from this number on, done ones too.
    pub(crate) fn since(&self, id: OrderId) -> impl Iterator<Item = &Order> {
        self.all.range(id..).map(|(_, order)| order.as_ref())
    }

    /// The orders before this number, the newest first, done ones too.
    pub fn before(&self, id: OrderId) -> impl Iterator<Item = &Order> {
        self.all.range(..id).rev().map(|(_, order)| order.as_ref())
    }

    /// How many orders there are, done ones too.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Every order in the table, done ones too.
    pub fn iter(&self) -> impl Iterator<Item = &Order> {
        self.all.values().map(Box::as_ref)
    }

    /// The open orders of an account.
    pub fn open_of(&self, account: &AccountName) -> impl Iterator<Item = &Order> {
        self.open.get(account).into_iter().flatten().filter_map(|id| self.get(*id))
    }

    /// Every open order.
    pub fn open(&self) -> impl Iterator<Item = &Order> {
        self.open.values().flatten().filter_map(|id| self.get(*id))
    }

    /// The order sent with this id.
    pub fn by_client(&self, id: &ClientId) -> Option<&Order> {
        self.by_client.get(id).and_then(|id| self.get(*id))
    }

    /// The orders of an account that the venue gave this id (some venues count per instrument).
    pub fn by_venue(
        &self,
        account: &AccountName,
        id: &VenueOrderId,
    ) -> impl Iterator<Item = &Order> {
        let low = (account.clone(), id.clone(), OrderId(0));
        let high = (account.clone(), id.clone(), OrderId(u64::MAX));
        self.by_venue.range(low..=high).filter_map(|(_, _, id)| self.get(*id))
    }

    /// The orders of a caller that it gave this id, the newest first.
    pub fn by_caller(
        &self,
        caller: &CallerName,
        account: &AccountName,
        id: &CallerOrderId,
    ) -> impl Iterator<Item = &Order> {
        let low = (caller.clone(), account.clone(), id.clone(), OrderId(0));
        let high = (caller.clone(), account.clone(), id.clone(), OrderId(u64::MAX));
        self.by_caller.range(low..=high).rev().filter_map(|(.., id)| self.get(*id))
    }

    /// The trades of an account's orders that were heard of before this one, the newest first; all of
    /// them without one. Those of orders that are in the table no more are gone too.
    pub fn trades_of(
        &self,
        account: &AccountName,
        before: Option<&TradePlace>,
    ) -> impl Iterator<Item = (&TradePlace, &Order, &Trade)> {
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        let places = self.trades.get(account).into_iter();
        let places = places.flat_map(move |all| all.range((Bound::Unbounded, end)).rev());
        places.filter_map(|place| {
            let order = self.get(place.1)?;
            Some((place, order, order.trades.get(&place.2)?))
        })
    }

    /// What happened to orders of late.
    pub fn news(&self) -> &News {
        &self.news
    }

    /// The number that the next order to be done gets.
    pub(crate) fn next_done(&self) -> u64 {
        self.next_done
    }

    /// The table of these orders, which were in one before.
    pub(crate) fn restored(orders: Vec<Order>, next_done: u64) -> Orders {
        let mut table = Orders { next_done, ..Orders::default() };
        for order in orders {
            let id = order.id;
            if let Some(no) = order.done_no {
                table.done.insert(no, id);
            }
            table.name(&order);
            table.all.insert(id, Box::new(order));
            table.index(id);
            table.index_trades(id);
        }
        table
    }

    pub(crate) fn insert(&mut self, order: Order) -> Shift {
        self.name(&order);
        let shift = Shift {
            id: order.id,
            before: Share::default(),
            after: order.share(),
            filled: 0,
            executions: 0,
            traded: 0,
            price: None,
            side: order.request.side,
        };
        let id = order.id;
        self.all.insert(id, Box::new(order));
        self.news.note(Piece::Order(id));
        self.index(id);
        self.index_trades(id);
        shift
    }

    pub(crate) fn change(&mut self, id: OrderId, f: impl FnOnce(&mut Order)) -> Option<Shift> {
        let order = self.all.get_mut(&id)?;
        let (before, filled, trades) = (order.share(), order.filled, order.trades.len());
        let (value, tally, executions) =
            (order.worst_value(), Tally::of(order), order.executions());
        f(order);
        let told = order.trades.len() != trades;
        let more = order.filled.0.raw().saturating_sub(filled.0.raw());
        let shift = Shift {
            id,
            before,
            after: order.share(),
            filled: more,
            executions: order.executions().saturating_sub(executions),
            traded: worth(Qty(Decimal::from_raw(more)), value.max(order.unit_value)),
            price: Tally::of(order).average_since(&tally, order.request.side),
            side: order.request.side,
        };
        self.news.note(Piece::Order(id));
        self.index(id);
        if told {
            self.index_trades(id);
        }
        Some(shift)
    }

    /// Takes the oldest done order out where there are more than `most`.
    pub(crate) fn evict_above(&mut self, most: usize) -> Option<Order> {
        if self.done.len() <= most {
            return None;
        }
        let (_, id) = self.done.pop_first()?;
        let order = *self.all.remove(&id)?;
        if let Some(client) = &order.client_id {
            self.by_client.remove(client);
        }
        if let Some(trades) = self.trades.get_mut(&order.account) {
            for (trade, told) in &order.trades {
                trades.remove(&(told.heard, id, trade.clone()));
            }
        }
        for venue_id in order.venue_id.iter().chain(&order.triggered_as) {
            self.by_venue.remove(&(order.account.clone(), venue_id.clone(), id));
        }
        if let (Some(caller), Some(own)) = (&order.caller, &order.request.caller_id) {
            let key = (caller.clone(), order.account.clone(), own.clone(), id);
            self.by_caller.remove(&key);
        }
        Some(order)
    }

    fn name(&mut self, order: &Order) {
        if let Some(client) = &order.client_id {
            self.by_client.insert(client.clone(), order.id);
        }
        if let (Some(caller), Some(id)) = (&order.caller, &order.request.caller_id) {
            let key = (caller.clone(), order.account.clone(), id.clone(), order.id);
            self.by_caller.insert(key);
        }
    }

    fn index_trades(&mut self, id: OrderId) {
        let Some(order) = self.all.get(&id).filter(|order| !order.trades.is_empty()) else {
            return;
        };
        let places = self.trades.entry(order.account.clone()).or_default();
        for (trade, told) in &order.trades {
            let place = (told.heard, id, trade.clone());
            if places.insert(place.clone()) {
                self.news.note(Piece::Trade(place));
            }
        }
    }

    fn index(&mut self, id: OrderId) {
        let Some(order) = self.all.get_mut(&id) else { return };
        for venue_id in order.venue_id.iter().chain(&order.triggered_as) {
            self.by_venue.insert((order.account.clone(), venue_id.clone(), id));
        }
        match (order.is_open(), order.done_no) {
            (true, None) => {
                if !self.open.get(&order.account).is_some_and(|open| open.contains(&id)) {
                    self.open.entry(order.account.clone()).or_default().insert(id);
                }
            }
            (true, Some(no)) => {
                self.done.remove(&no);
                order.done_no = None;
                self.open.entry(order.account.clone()).or_default().insert(id);
            }
            (false, None) => {
                order.done_no = Some(self.next_done);
                self.done.insert(self.next_done, id);
                self.next_done += 1;
                if let Some(open) = self.open.get_mut(&order.account) {
                    open.remove(&id);
                }
            }
            (false, Some(_)) => {}
        }
    }
}
