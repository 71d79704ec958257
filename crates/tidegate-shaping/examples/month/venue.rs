//! The venue, written from its published rules and from nothing of ours: 2400 units of weight in each
//! minute of its clock and address; 429 beyond them; 418 and a ban, longer each time, for who goes on. And 300 orders
//! in each ten seconds of an account, 1200 in each minute.

/// Weight in a minute.
pub(crate) const LIMIT: u64 = 2_400;
/// Orders in a minute.
pub(crate) const ORDERS: u64 = 1_200;
const ORDERS_10S: u64 = 300;
/// So many requests beyond the limit in one minute are an offence.
const PATIENCE: u64 = 10;
const MINUTE_MS: u64 = 60_000;
const FIRST_BAN_MS: u64 = 2 * MINUTE_MS;
const LONGEST_BAN_MS: u64 = 3 * 24 * 3_600_000;
/// A ban is forgotten after a day without another one.
const FORGOTTEN_MS: u64 = 24 * 3_600_000;

/// What it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Done; so much is used in its present minute: weight, orders in ten seconds, orders in the minute.
    Done([u64; 3]),
    /// 429: wait for so many ms.
    TooMany(u64),
    /// 429 with −1015: no orders for so many ms.
    TooManyOrders(u64),
    /// 418: banned for so many ms more.
    Banned(u64),
}

#[derive(Default)]
pub(crate) struct Venue {
    minute: u64,
    used: u64,
    beyond: u64,
    ten_seconds: u64,
    in_ten: u64,
    in_minute: u64,
    banned_until: u64,
    next_ban: u64,
    last_ban: u64,
    /// How often it banned.
    pub(crate) bans: u64,
    /// For how long, in ms.
    pub(crate) banned_ms: u64,
    /// Requests beyond the limit.
    pub(crate) too_many: u64,
    /// Orders beyond the limit.
    pub(crate) too_many_orders: u64,
    /// Weight that it served, by minute.
    pub(crate) served: Vec<u64>,
    /// Orders that it took, by minute.
    pub(crate) orders: Vec<u64>,
}

impl Venue {
    pub(crate) fn arrives(&mut self, weight: u64, is_order: bool, now: u64) -> Answer {
        if now < self.banned_until {
            return Answer::Banned(self.banned_until - now);
        }
        let (minute, ten_seconds) = (now / MINUTE_MS, now / 10_000);
        if minute != self.minute {
            (self.minute, self.used, self.beyond, self.in_minute) = (minute, 0, 0, 0);
        }
        if ten_seconds != self.ten_seconds {
            (self.ten_seconds, self.in_ten) = (ten_seconds, 0);
        }
        if is_order {
            self.in_ten += 1;
            self.in_minute += 1;
            if self.in_ten > ORDERS_10S || self.in_minute > ORDERS {
                self.too_many_orders += 1;
                return Answer::TooManyOrders(10_000 - now % 10_000);
            }
            count(&mut self.orders, minute, 1);
            return Answer::Done([self.used, self.in_ten, self.in_minute]);
        }
        self.used += weight;
        if self.used <= LIMIT {
            count(&mut self.served, minute, weight);
            return Answer::Done([self.used, self.in_ten, self.in_minute]);
        }
        self.too_many += 1;
        self.beyond += 1;
        if self.beyond <= PATIENCE {
            Answer::TooMany(MINUTE_MS - now % MINUTE_MS)
        } else {
            self.bans(now)
        }
    }

    fn bans(&mut self, now: u64) -> Answer {
        if now > self.last_ban + FORGOTTEN_MS || self.next_ban == 0 {
            self.next_ban = FIRST_BAN_MS;
        }
        let length = self.next_ban;
        self.banned_until = now + length;
        (self.bans, self.banned_ms) = (self.bans + 1, self.banned_ms + length);
        (self.last_ban, self.next_ban) = (self.banned_until, (2 * length).min(LONGEST_BAN_MS));
        Answer::Banned(length)
    }
}

fn count(minutes: &mut Vec<u64>, minute: u64, units: u64) {
    let place = minute as usize;
    if minutes.len() <= place {
        minutes.resize(place + 1, 0);
    }
    minutes[place] += units;
}
