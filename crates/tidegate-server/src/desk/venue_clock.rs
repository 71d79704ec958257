//! What a venue's clock shows: measured against a clock that nobody sets, so that setting the machine's changes
//! nothing of it.

use crate::clock;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tidegate_types::limits::MAX_CLOCK_OFFSET;
use tidegate_types::time::{Span, Time};
use tokio::sync::Notify;

/// A measurement that is older counts no more: eight questions in a row went without an answer.
const MAX_AGE: Span = Span::from_secs(120);
/// One that may be wrong by more does not count: venues refuse what is a second ahead of them.
const MAX_GIVE: Span = Span::from_millis(500);
/// A time stamp stands still rather than go back by so little. By more it goes back: the venue would refuse
/// what stays ahead of it.
const STANDS: Span = Span::from_millis(250);

/// How far one clock is ahead of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offset {
    /// In µs; behind below zero.
    pub ahead: i64,
    /// By how much it may be wrong, either way.
    pub give: Span,
}

/// What is known of a venue's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Against the machine's.
    pub offset: Offset,
    /// How long ago it was measured.
    pub age: Span,
    /// Whether signed requests are stamped by it.
    pub used: bool,
}

/// A venue's clock.
#[derive(Default)]
pub struct VenueClock {
    face: Mutex<Face>,
    doubt: Notify,
}

#[derive(Default)]
struct Face {
    /// Against the steady clock, and when by that.
    measured: Option<(Offset, Time)>,
    /// The latest time stamp.
    told: Time,
}

impl VenueClock {
    /// Takes a measurement: against the steady clock, at a time of that.
    pub fn measured(&self, offset: Offset, at: Time) {
        self.face().measured = Some((offset, at));
    }

    /// The time to stamp a signed request with: the venue's, and the machine's while that is not known well enough.
    pub fn stamp(&self) -> Time {
        self.face().stamp(clock::steady(), clock::machine())
    }

    /// What is known of it, if it was ever measured.
    pub fn reading(&self) -> Option<Reading> {
        self.face().reading(clock::steady(), clock::machine())
    }

    /// The venue refused a time stamp: the clock is to be measured anew.
    pub fn doubt(&self) {
        self.doubt.notify_one();
    }

    /// Waits until it is doubted.
    pub async fn doubted(&self) {
        self.doubt.notified().await;
    }

    fn face(&self) -> MutexGuard<'_, Face> {
        self.face.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Face {
    fn stamp(&mut self, steady: Time, machine: Time) -> Time {
        let used = self.reading(steady, machine).filter(|reading| reading.used);
        let at = used.map_or(machine, |reading| shifted(machine, reading.offset.ahead));
        if self.told > at && self.told.since(at) <= STANDS {
            return self.told;
        }
        self.told = at;
        at
    }

    fn reading(&self, steady: Time, machine: Time) -> Option<Reading> {
        let (offset, at) = self.measured?;
        let ahead = offset.ahead.saturating_add(apart(steady, machine));
        let age = steady.since(at);
        let near = ahead.unsigned_abs() <= MAX_CLOCK_OFFSET.micros();
        let used = near && age <= MAX_AGE && offset.give <= MAX_GIVE;
        Some(Reading { offset: Offset { ahead, ..offset }, age, used })
    }
}

/// By how many microseconds one time is after another; before it below zero.
pub fn apart(time: Time, from: Time) -> i64 {
    let signed = |span: Span| i64::try_from(span.micros()).unwrap_or(i64::MAX);
    signed(time.since(from)) - signed(from.since(time))
}

fn shifted(time: Time, ahead: i64) -> Time {
    let by = Span::from_micros(ahead.unsigned_abs());
    if ahead < 0 { time.minus(by) } else { time.plus(by) }
}

#[cfg(test)]
mod tests;
