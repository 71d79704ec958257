//! Binance: 2400 units of weight in each minute of its clock and address; 429 beyond them; 418 and a ban, longer each
//! time, for who goes on. And 300 orders in each ten seconds of an account, 1200 in each minute.

use super::{Answer, Counts, Venue, count};
use crate::bots::{Dice, Kind, MINUTE_MS};
use tidegate_venues::upstream::{Stops, Units};

/// The weights of what bots read: tickers, books of several depths, accounts, open orders of all symbols.
const READS: &[u32] = &[1, 2, 5, 5, 5, 10, 10, 20, 20, 40];
/// What ccxt's own limiter waits for each unit of weight (its `rateLimit` for this venue), and for an order.
const CCXT_MS: u64 = 50;
/// Weight in a minute.
const LIMIT: u64 = 2_400;
/// Orders in a minute.
const ORDERS: u64 = 1_200;
const ORDERS_10S: u64 = 300;
/// So many requests beyond the limit in one minute are an offence.
const PATIENCE: u64 = 10;
const FIRST_BAN_MS: u64 = 2 * MINUTE_MS;
const LONGEST_BAN_MS: u64 = 3 * 24 * 3_600_000;
/// A ban is forgotten after a day without another one.
const FORGOTTEN_MS: u64 = 24 * 3_600_000;

#[derive(Default)]
pub(crate) struct Binance {
    minute: u64,
    used: u64,
    beyond: u64,
    ten_seconds: u64,
    in_ten: u64,
    in_minute: u64,
    banned_until: u64,
    next_ban: u64,
    last_ban: u64,
    counts: Counts,
}

impl Venue for Binance {
    fn name(&self) -> &'static str {
        "binance"
    }

    fn limits(&self) -> (u64, u64) {
        (LIMIT, ORDERS)
    }

    fn open(&self) -> f64 {
        0.8
    }

    fn weight(&self, kind: Kind, dice: &mut Dice) -> u32 {
        match kind {
            Kind::Read => READS[dice.below(READS.len() as u64) as usize],
            _ => u32::from(!kind.is_order()),
        }
    }

    fn costs(&self, kind: Kind, weight: u32) -> Vec<Units> {
        match kind.is_order() {
            true => [1, 2].map(|allowance| Units { allowance, count: 1 }).to_vec(),
            false => vec![Units { allowance: 0, count: weight }],
        }
    }

    fn throttle(&self, _: Kind, weight: u32) -> u64 {
        CCXT_MS * u64::from(weight.max(1))
    }

    fn think(&self, kind: Kind, busy: bool) -> u64 {
        match (kind, busy) {
            (Kind::Cancel, true) => 20_000,
            (Kind::Cancel | Kind::Reduce, _) => 30_000,
            (Kind::New, true) => 5_000,
            (Kind::Read, true) => 6_000,
            (Kind::New | Kind::Read, false) => 36_000,
            (Kind::Kill, _) => 20_000,
            (Kind::Flood, _) => 20,
        }
    }

    fn counts(&self) -> &Counts {
        &self.counts
    }

    fn arrives(&mut self, kind: Kind, weight: u32, now: u64) -> Answer {
        if now < self.banned_until {
            return Answer::Stopped(Stops::Everything, self.banned_until - now);
        }
        let (minute, ten_seconds) = (now / MINUTE_MS, now / 10_000);
        if minute != self.minute {
            (self.minute, self.used, self.beyond, self.in_minute) = (minute, 0, 0, 0);
        }
        if ten_seconds != self.ten_seconds {
            (self.ten_seconds, self.in_ten) = (ten_seconds, 0);
        }
        if kind.is_order() {
            self.in_ten += 1;
            self.in_minute += 1;
            if self.in_ten > ORDERS_10S || self.in_minute > ORDERS {
                self.counts.too_many_orders += 1;
                return Answer::Stopped(Stops::Orders, 10_000 - now % 10_000);
            }
            count(&mut self.counts.orders, now, 1);
            return self.done();
        }
        self.used += u64::from(weight);
        if self.used <= LIMIT {
            count(&mut self.counts.served, now, weight.into());
            return self.done();
        }
        self.counts.too_many += 1;
        self.beyond += 1;
        if self.beyond <= PATIENCE {
            Answer::Stopped(Stops::Requests, MINUTE_MS - now % MINUTE_MS)
        } else {
            self.bans(now)
        }
    }
}

impl Binance {
    fn done(&self) -> Answer {
        Answer::Done(vec![self.used, self.in_ten, self.in_minute])
    }

    fn bans(&mut self, now: u64) -> Answer {
        if now > self.last_ban + FORGOTTEN_MS || self.next_ban == 0 {
            self.next_ban = FIRST_BAN_MS;
        }
        let length = self.next_ban;
        self.banned_until = now + length;
        self.counts.bans += 1;
        self.counts.banned_ms += length;
        (self.last_ban, self.next_ban) = (self.banned_until, (2 * length).min(LONGEST_BAN_MS));
        Answer::Stopped(Stops::Everything, length)
    }
}
