//! Reads, spread over the venue's span. Half of what they may have is there at once, for a program that
//! starts or a person who looks; the other half comes evenly. So no burst of one's reads leaves the others
//! nothing for the rest of the minute.

use crate::rank::{Payer, Rank};
use crate::shares::{Shares, comes_back};
use crate::window::Window;
use tidegate_types::time::{Span, Time};

/// The part of the burst that one payer may have in a span.
const SHARE: (u64, u64) = (2, 3);
/// The part of it that public reads may have together.
const PUBLIC: (u64, u64) = (3, 4);
/// How much of the even half may be taken up later than it came.
const SLACK: Span = Span::from_secs(1);

/// Which half a read was paid from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Half {
    Even,
    Burst,
}

/// Why a read waits: until when, and whether others of its kind wait as well.
pub(crate) struct Held {
    pub(crate) until: Time,
    pub(crate) alone: bool,
}

/// The reads of one address.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    span: Span,
    burst: Window,
    /// From when on the even half allows for the next read.
    next: Time,
    /// Of the burst.
    shares: Shares,
}

impl Pace {
    pub(crate) fn new(span: Span) -> Pace {
        let burst = Window::new(span);
        Pace { span, burst, next: Time::default(), shares: Shares::default() }
    }

    /// From which half a read of so many units goes now, of the `open` units that reads may have.
    pub(crate) fn may_go(
        &mut self,
        (rank, payer): (Rank, &Payer),
        units: u64,
        open: u64,
        now: Time,
    ) -> Result<Half, Held> {
        if self.next <= now {
            return Ok(Half::Even);
        }
        let burst = open / 2;
        let most = if rank == Rank::Public { part(burst, PUBLIC) } else { burst };
        let target = most.saturating_sub(units);
        let room = self.burst.falls_to(target, now);
        if room > now || units > most {
            let until = if units > most { self.next } else { self.next.min(room) };
            return Err(Held { until, alone: false });
        }
        let owes = self.shares.owed(payer, now).micros();
        let owed = owes.saturating_add(self.slow(units, burst).micros());
        if owed <= self.span.micros() || owes == 0 {
            return Ok(Half::Burst);
        }
        let room = now.plus(Span::from_micros(owed - self.span.micros()));
        Err(Held { until: room.min(self.next), alone: true })
    }

    /// It goes.
    pub(crate) fn take(&mut self, half: Half, payer: &Payer, units: u64, open: u64, now: Time) {
        match half {
            Half::Even => {
                let even = (open - open / 2).max(1);
                let takes = units.saturating_mul(self.span.micros()) / even;
                self.next = self.next.max(now.minus(SLACK)).plus(Span::from_micros(takes));
            }
            Half::Burst => {
                self.burst.add(units, now);
                self.shares.take(payer, self.slow(units, open / 2), now);
            }
        }
    }

    /// It did not leave after all.
    pub(crate) fn give_back(&mut self, half: Half, payer: &Payer, units: u64, open: u64) {
        match half {
            Half::Even => {
                let even = (open - open / 2).max(1);
                let takes = units.saturating_mul(self.span.micros()) / even;
                self.next = self.next.minus(Span::from_micros(takes));
            }
            Half::Burst => {
                self.burst.remove(units);
                self.shares.give_back(payer, self.slow(units, open / 2));
            }
        }
    }

    /// How long units take to come back to a payer's share.
    fn slow(&self, units: u64, burst: u64) -> Span {
        comes_back(units, part(burst, SHARE), self.span)
    }
}

const fn part(of: u64, (numerator, denominator): (u64, u64)) -> u64 {
    of * numerator / denominator
}
