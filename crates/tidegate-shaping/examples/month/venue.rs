//! The venue, written from its published rules and from nothing of ours: 2400 units of weight in each
//! minute of its clock and address; 429 beyond them; 418 and a ban, longer each time, for who goes on.

/// Weight in a minute.
pub(crate) const LIMIT: u64 = 2_400;
/// So many requests beyond the limit in one minute are an offence.
const PATIENCE: u64 = 10;
const FIRST_BAN_MS: u64 = 2 * 60_000;
const LONGEST_BAN_MS: u64 = 3 * 24 * 3_600_000;
/// A ban is forgotten after a day without another one.
const FORGOTTEN_MS: u64 = 24 * 3_600_000;

/// What it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Done; so much is used in its present minute.
    Done(u64),
    /// 429: wait for so many ms.
    TooMany(u64),
    /// 418: banned for so many ms more.
    Banned(u64),
}

#[derive(Default)]
pub(crate) struct Venue {
    minute: u64,
    used: u64,
    beyond: u64,
    banned_until: u64,
    next_ban: u64,
    last_ban: u64,
    /// How often it banned.
    pub(crate) bans: u64,
    /// For how long, in ms.
    pub(crate) banned_ms: u64,
    /// Requests beyond the limit.
    pub(crate) too_many: u64,
    /// Weight that it served, by minute.
    pub(crate) served: Vec<u64>,
}

impl Venue {
    pub(crate) fn arrives(&mut self, weight: u64, now: u64) -> Answer {
        if now < self.banned_until {
            return Answer::Banned(self.banned_until - now);
        }
        let minute = now / 60_000;
        if minute != self.minute {
            (self.minute, self.used, self.beyond) = (minute, 0, 0);
        }
        self.used += weight;
        if self.used <= LIMIT {
            let place = minute as usize;
            if self.served.len() <= place {
                self.served.resize(place + 1, 0);
            }
            self.served[place] += weight;
            return Answer::Done(self.used);
        }
        self.too_many += 1;
        self.beyond += 1;
        if self.beyond <= PATIENCE {
            return Answer::TooMany(60_000 - now % 60_000);
        }
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
