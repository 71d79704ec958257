//! The gateway's clock, which is wrong: it is off by up to a bound, and jumps.
//!
//! The bound is what the venue's window and the core's margin allow for together; a clock that is
//! wrong by more has its requests refused by the venue, or is not told apart from a network that
//! holds an order back for longer than its deadline.

use super::rng::Rng;
use tidegate_types::time::{Span, Time};

/// The furthest it is off.
const MOST: u64 = 1_900_000;

/// How far the gateway's clock is ahead of the time, plus [`MOST`].
#[derive(Debug)]
pub(super) struct Clock(u64);

impl Clock {
    /// A clock that is right.
    pub(super) fn right() -> Clock {
        Clock(MOST)
    }

    /// Jumps somewhere else: mostly a little, sometimes anywhere within the bound.
    pub(super) fn jump(&mut self, rng: &mut Rng) {
        self.0 = if rng.chance(300) {
            rng.between(0, 2 * MOST)
        } else {
            (self.0 + rng.between(0, 40_000)).saturating_sub(20_000).min(2 * MOST)
        };
    }

    /// What it shows at a time.
    pub(super) fn shows(&self, now: Time) -> Time {
        now.plus(Span::from_micros(self.0)).minus(Span::from_micros(MOST))
    }

    /// When it shows that.
    pub(super) fn when(&self, shown: Time) -> Time {
        shown.plus(Span::from_micros(MOST)).minus(Span::from_micros(self.0))
    }
}
