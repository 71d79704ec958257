//! Units counted over the last so many seconds.

use tidegate_types::time::{Span, Time};

/// Into how many slots a window is cut: what leaves it does so a slot's length late at most.
const SLOTS: u64 = 240;
/// One more, because the present slot is not over.
const KEPT: usize = SLOTS as usize + 1;

/// A sliding window: each unit counts for the span at least, and for a slot more at most.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    slot: u64,
    counts: Vec<u64>,
    /// The present slot, counted since 1970.
    head: u64,
    sum: u64,
}

impl Window {
    pub(crate) fn new(span: Span) -> Window {
        let slot = (span.micros() / SLOTS).max(1);
        Window { slot, counts: vec![0; KEPT], head: 0, sum: 0 }
    }

    /// How many units count now.
    pub(crate) fn used(&mut self, now: Time) -> u64 {
        self.advance(now);
        self.sum
    }

    pub(crate) fn add(&mut self, units: u64, now: Time) {
        self.advance(now);
        if let Some(count) = self.counts.get_mut(place(self.head)) {
            *count = count.saturating_add(units);
            self.sum = self.sum.saturating_add(units);
        }
    }

    /// Takes back what was added last.
    pub(crate) fn remove(&mut self, units: u64) {
        let mut left = units;
        for back in 0..KEPT as u64 {
            let Some(slot) = self.head.checked_sub(back) else { return };
            let Some(count) = self.counts.get_mut(place(slot)) else { return };
            let gone = left.min(*count);
            *count -= gone;
            self.sum -= gone;
            left -= gone;
            if left == 0 {
                return;
            }
        }
    }

    /// How many of the counted units are of this time or later.
    pub(crate) fn since(&mut self, time: Time, now: Time) -> u64 {
        self.advance(now);
        let first = (time.micros() / self.slot).max(self.oldest());
        (first..=self.head).map(|slot| self.at(slot)).sum()
    }

    /// When no more than `target` of the units counted now will count.
    pub(crate) fn falls_to(&mut self, target: u64, now: Time) -> Time {
        self.advance(now);
        let mut left = self.sum;
        if left <= target {
            return now;
        }
        for slot in self.oldest()..=self.head {
            left -= self.at(slot);
            if left <= target {
                return Time::from_micros((slot + KEPT as u64) * self.slot);
            }
        }
        now
    }

    /// Clocks may step back; what was counted then stays in the newest slot.
    fn advance(&mut self, now: Time) {
        let slot = now.micros() / self.slot;
        if slot <= self.head {
            return;
        }
        if slot - self.head >= KEPT as u64 {
            self.counts.fill(0);
            (self.head, self.sum) = (slot, 0);
            return;
        }
        while self.head < slot {
            self.head += 1;
            if let Some(count) = self.counts.get_mut(place(self.head)) {
                self.sum -= std::mem::take(count);
            }
        }
    }

    fn oldest(&self) -> u64 {
        self.head.saturating_sub(SLOTS)
    }

    fn at(&self, slot: u64) -> u64 {
        self.counts.get(place(slot)).copied().unwrap_or(0)
    }
}

const fn place(slot: u64) -> usize {
    (slot % KEPT as u64) as usize
}
