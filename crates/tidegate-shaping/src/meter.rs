//! What is used of one allowance, counted so that the venue never counts more.
//!
//! A request is counted from when it may leave, and its time runs from when it was answered. The venue
//! counts it somewhere in between. So, however long each one takes on its way, whatever arrives in any
//! span of the venue's own choosing is within what was counted here when the last of it left.

use crate::window::Window;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::{Allowance, Counting, UNTOLD};

/// Over how long the rate is measured that a forecast is made of; of what comes back all the time, which is used up in
/// seconds.
const OUTLOOK: Span = Span::from_secs(10);
const SHORT_OUTLOOK: Span = Span::from_secs(1);
/// How far ahead of the latter is looked.
const AHEAD: Span = Span::from_secs(60);
/// How long after the end of a venue's span what it told of it still counts: clocks differ.
const GRACE: Span = Span::from_secs(1);
/// The part of a limit that what others use never takes away.
const SPARED: u64 = 50;
/// Units of a bucket are kept so finely that a rate by the minute loses nothing in a microsecond.
const FINE: u64 = 60_000_000;

/// One allowance of one address or account.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    count: Count,
    /// The most the venue takes.
    limit: u64,
    /// How much of it only the urgent ranks may use.
    reserved: u64,
    /// On the way: may leave, and not answered yet.
    pending: u64,
    /// What others at this address use, as the venue told or as must be assumed.
    others: Others,
    /// What nothing here can hold back: urgent requests and those of others.
    unbridled: Window,
}

#[derive(Clone, Debug)]
enum Count {
    Window { span: Span, window: Window },
    Refill { owed: u64, per_minute: u64, at: Time },
}

#[derive(Clone, Copy, Default, Debug)]
struct Others {
    units: u64,
    until: Time,
    /// In which of the venue's spans it was told, counted since 1970; none where the gateway just started and it is
    /// assumed.
    told_in: Option<u64>,
}

impl Meter {
    pub(crate) fn new(allowance: &Allowance) -> Meter {
        let count = match allowance.counting {
            Counting::Within(span) => Count::Window { span, window: Window::new(span) },
            Counting::Refill { per_minute } => {
                Count::Refill { owed: 0, per_minute: per_minute.into(), at: Time::default() }
            }
        };
        let outlook = match &count {
            Count::Window { .. } => OUTLOOK,
            Count::Refill { .. } => SHORT_OUTLOOK,
        };
        Meter {
            count,
            limit: allowance.units.into(),
            reserved: allowance.reserved.into(),
            pending: 0,
            others: Others::default(),
            unbridled: Window::new(outlook),
        }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn reserved(&self) -> u64 {
        self.reserved
    }

    /// How many units come back in which time.
    pub(crate) fn comes_back_in(&self) -> (u64, Span) {
        match &self.count {
            Count::Window { span, .. } => (self.limit, *span),
            Count::Refill { per_minute, .. } => (*per_minute, Span::from_secs(60)),
        }
    }

    /// The venue publishes another limit: everything in proportion.
    pub(crate) fn set_limit(&mut self, limit: u64) {
        let old = self.limit.max(1);
        self.reserved = scale_up(self.reserved, limit, old);
        if let Count::Refill { per_minute, .. } = &mut self.count {
            *per_minute = scale(*per_minute, limit, old).max(1);
        }
        self.limit = limit;
    }

    /// The venue tells what this account has: so many at once, that come back so fast. What was used before nobody
    /// counted: at most half of it, as after a start.
    pub(crate) fn tell_limit(&mut self, limit: u64, back: u64, now: Time) {
        let was_told = self.limit != u64::from(UNTOLD);
        (self.limit, self.reserved) = (limit, limit.div_ceil(5));
        if let Count::Refill { owed, per_minute, at } = &mut self.count {
            drain(owed, *per_minute, at, now);
            if !was_told {
                *owed = (*owed).min((limit / 2).saturating_mul(FINE));
            }
            *per_minute = back.max(1);
        }
    }

    /// How much is used, at most.
    pub(crate) fn used(&mut self, now: Time) -> u64 {
        let others = self.others(now);
        let counted = match &mut self.count {
            Count::Window { window, .. } => window.used(now),
            Count::Refill { owed, per_minute, at } => {
                drain(owed, *per_minute, at, now);
                owed.div_ceil(FINE)
            }
        };
        counted.saturating_add(self.pending).saturating_add(others)
    }

    /// Counts what may leave now.
    pub(crate) fn reserve(&mut self, units: u64, urgent: bool, now: Time) {
        self.pending = self.pending.saturating_add(units);
        if urgent {
            self.unbridled.add(units, now);
        }
    }

    /// It did not leave.
    pub(crate) fn release(&mut self, units: u64) {
        self.pending = self.pending.saturating_sub(units);
    }

    /// It was answered, or never will be.
    pub(crate) fn settle(&mut self, units: u64, now: Time) {
        self.release(units);
        match &mut self.count {
            Count::Window { window, .. } => window.add(units, now),
            Count::Refill { owed, per_minute, at } => {
                drain(owed, *per_minute, at, now);
                *owed = owed.saturating_add(units.saturating_mul(FINE));
            }
        }
    }

    /// The venue says how much it had counted in its span when a request arrived that left at `left`: what of
    /// it is not ours is others'. One that left before this span may have been answered from the last one. Spans are
    /// those of the venue's clock, which shows `there` now.
    pub(crate) fn told(&mut self, used: u64, left: Time, (now, there): (Time, Time)) {
        let before = self.others(now);
        let pending = self.pending;
        let Count::Window { span, window } = &mut self.count else { return };
        let length = span.micros().max(1);
        let (number, over) = (there.micros() / length, there.micros() % length);
        let begin = now.minus(Span::from_micros(over));
        if left < begin.plus(GRACE) {
            return;
        }
        let ours = window.since(begin, now).saturating_add(pending);
        // Where others use all there is, cancels still have a little: a venue that asks us to wait is worth one.
        let told = used.min(self.limit - self.limit / SPARED).saturating_sub(ours);
        let until = begin.plus(*span).plus(GRACE);
        let known = self.others.told_in == Some(number);
        let units = if known { told.max(before) } else { told };
        if known {
            self.unbridled.add(units.saturating_sub(before), now);
        }
        self.others = Others { units, until, told_in: Some(number) };
    }

    /// The gateway ran until `last`, and nobody remembers what it used: nearly all that is not
    /// reserved, or half where units come back all the time and the venue tells nothing.
    pub(crate) fn assume(&mut self, last: Time, now: Time) {
        let open = self.limit.saturating_sub(self.reserved);
        match &mut self.count {
            Count::Window { span, .. } => {
                let until = last.plus(*span);
                if until > now {
                    self.others = Others { units: open - open / 20, until, told_in: None };
                }
            }
            Count::Refill { owed, per_minute, at } => {
                (*owed, *at) = ((open / 2).saturating_mul(FINE), last);
                drain(owed, *per_minute, at, now);
            }
        }
    }

    /// How long until no more than `most` is used, if nothing more leaves.
    pub(crate) fn falls_to(&mut self, most: u64, now: Time) -> Span {
        let (others, others_end) = (self.others(now), self.others.until);
        let Some(target) = most.checked_sub(self.pending) else {
            return Span::from_millis(50);
        };
        match &mut self.count {
            Count::Window { window, .. } => match target.checked_sub(others) {
                Some(target) => window.falls_to(target, now).since(now),
                None => window.falls_to(target, now).max(others_end).since(now),
            },
            Count::Refill { owed, per_minute, .. } => {
                let over = owed.saturating_sub(target.saturating_mul(FINE));
                Span::from_micros(over.div_ceil((*per_minute).max(1)))
            }
        }
    }

    /// How long until the venue's limit is reached at the rate of what nothing holds back: where it is before its span
    /// is over; of what comes back all the time, within a minute.
    pub(crate) fn reaches_limit(&mut self, now: Time) -> Option<Span> {
        let (outlook, ahead, back) = match &self.count {
            Count::Window { span, .. } => (OUTLOOK, *span, 0),
            Count::Refill { per_minute, .. } => (SHORT_OUTLOOK, AHEAD, per_minute / 60),
        };
        let left = self.limit.saturating_sub(self.used(now));
        let rate = self.unbridled.used(now).saturating_sub(back);
        let takes = left.saturating_mul(outlook.micros()).checked_div(rate)?;
        (takes <= ahead.micros()).then(|| Span::from_micros(takes))
    }

    fn others(&self, now: Time) -> u64 {
        if now < self.others.until { self.others.units } else { 0 }
    }
}

fn drain(owed: &mut u64, per_minute: u64, at: &mut Time, now: Time) {
    *owed = owed.saturating_sub(now.since(*at).micros().saturating_mul(per_minute));
    *at = now.max(*at);
}

/// What is kept is never less of the whole.
fn scale_up(part: u64, new: u64, old: u64) -> u64 {
    let kept = (u128::from(part) * u128::from(new)).div_ceil(u128::from(old));
    u64::try_from(kept).unwrap_or(u64::MAX)
}

fn scale(part: u64, new: u64, old: u64) -> u64 {
    u64::try_from(u128::from(part) * u128::from(new) / u128::from(old)).unwrap_or(u64::MAX)
}
