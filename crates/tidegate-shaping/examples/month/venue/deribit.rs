//! Deribit: each private read costs 500 of 50,000 credits of the account, which come back at 10,000 a second. An
//! order and a cancel take one of a hundred, which come back at thirty a second: its highest tier. Who has none left is
//! answered 10028, and cut off where it asked over a WebSocket. It never tells how much is used, and bans nobody.

use super::{Answer, Counts, Venue, count};
use crate::bots::{Dice, Kind};
use tidegate_venues::upstream::{AccountLimit, Stops, Units};

/// What a read costs.
const READ: u64 = 500;
/// How many credits there are for reads at once, and how many come back in a second.
const READS: (u64, u64) = (50_000, 10_000);
/// The same of orders and cancels.
const ORDERS: (u64, u64) = (100, 30);
/// What ccxt's own limiter waits for a read (its `rateLimit` for this venue), and four times that for an order.
const CCXT_MS: u64 = 50;

/// What comes back all the time.
struct Credits {
    most: u64,
    a_second: u64,
    /// In thousandths.
    left: u64,
    at: u64,
}

impl Credits {
    const fn new((most, a_second): (u64, u64)) -> Credits {
        Credits { most, a_second, left: most * 1_000, at: 0 }
    }

    fn take(&mut self, units: u64, now: u64) -> bool {
        let back = self.a_second * now.saturating_sub(self.at);
        (self.left, self.at) = ((self.left + back).min(self.most * 1_000), now);
        let there = self.left >= units * 1_000;
        self.left -= if there { units * 1_000 } else { 0 };
        there
    }
}

pub(crate) struct Deribit {
    reads: Credits,
    orders: Credits,
    counts: Counts,
}

impl Deribit {
    pub(crate) fn new() -> Deribit {
        let (reads, orders) = (Credits::new(READS), Credits::new(ORDERS));
        Deribit { reads, orders, counts: Counts::default() }
    }

    /// What its allowance of this name is in the table.
    fn allowance(&self, name: &str) -> usize {
        let table = super::table(self.name());
        table.iter().position(|allowance| allowance.name == name).unwrap_or(usize::MAX)
    }
}

impl Venue for Deribit {
    fn name(&self) -> &'static str {
        "deribit"
    }

    fn limits(&self) -> (u64, u64) {
        (READS.1 * 60, ORDERS.1 * 60)
    }

    fn open(&self) -> f64 {
        // What is kept for cancels is kept of what was saved up, not of what comes back.
        1.0
    }

    fn tells(&self) -> Option<AccountLimit> {
        let allowance = self.allowance("matching engine requests");
        let (units, a_second) = (ORDERS.0 as u32, ORDERS.1 as u32);
        Some(AccountLimit { allowance, units: units - units / 20, per_minute: a_second * 60 })
    }

    fn weight(&self, kind: Kind, _: &mut Dice) -> u32 {
        if kind == Kind::Read { READ as u32 } else { 1 }
    }

    fn costs(&self, kind: Kind, weight: u32) -> Vec<Units> {
        let name = if kind == Kind::Read { "private credits" } else { "matching engine requests" };
        vec![Units { allowance: self.allowance(name), count: weight }]
    }

    fn throttle(&self, kind: Kind, _: u32) -> u64 {
        if kind == Kind::Read { CCXT_MS } else { 4 * CCXT_MS }
    }

    fn think(&self, kind: Kind, busy: bool) -> u64 {
        match (kind, busy) {
            (Kind::Cancel, true) => 20_000,
            (Kind::Cancel | Kind::Reduce, _) => 60_000,
            (Kind::New, true) => 2_000,
            (Kind::Read, true) => 2_500,
            (Kind::New | Kind::Read, false) => 15_000,
            (Kind::Kill, _) => 20_000,
            (Kind::Flood, _) => 20,
        }
    }

    fn counts(&self) -> &Counts {
        &self.counts
    }

    fn arrives(&mut self, kind: Kind, weight: u32, now: u64) -> Answer {
        let (credits, stops) = match kind {
            Kind::Read => (&mut self.reads, Stops::Reads),
            _ => (&mut self.orders, Stops::Orders),
        };
        let is_read = kind == Kind::Read;
        let Counts { served, orders, too_many, too_many_orders, .. } = &mut self.counts;
        if credits.take(weight.into(), now) {
            count(if is_read { served } else { orders }, now, weight.into());
            return Answer::Done(Vec::new());
        }
        *(if is_read { too_many } else { too_many_orders }) += 1;
        Answer::Stopped(stops, 1_000)
    }
}
