//! The venues' clocks: how far each was ahead of the gateway's when they were last compared.

use crate::Core;
use crate::action::Action;
use crate::state::State;
use tidegate_types::codec_struct;
use tidegate_types::ids::VenueName;
use tidegate_types::record::Body;
use tidegate_types::time::{Span, Time};

/// A comparison is on record at least this often, while there are any.
const EVERY: Span = Span::from_secs(60);
/// A difference that is smaller than this is none.
const STEADY: u64 = 20_000;

/// A venue's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// By how many microseconds it is ahead of the gateway's; behind below zero.
    pub ahead: i64,
    /// By how much this may be wrong, either way.
    pub give: Span,
    /// When it was compared.
    pub at: Time,
}
codec_struct!(Clock { ahead, give, at });

impl Clock {
    /// How far the two clocks may be apart.
    pub fn apart(&self) -> Span {
        Span::from_micros(self.ahead.unsigned_abs().saturating_add(self.give.micros()))
    }
}

impl State {
    /// How far a venue's clock may be from the gateway's, as far as is known.
    pub(crate) fn clocks_apart(&self, venue: &VenueName) -> Span {
        self.clocks.get(venue).map_or(Span::ZERO, Clock::apart)
    }
}

impl Core {
    /// Records how far a venue's clock is ahead, when that moved or was not recorded for a while.
    pub(crate) fn clock_measured(
        &mut self,
        venue: VenueName,
        ahead: i64,
        give: Span,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let last = self.state.clocks.get(&venue);
        let moved = last.is_none_or(|last| {
            let by = ahead.abs_diff(last.ahead);
            now.since(last.at) >= EVERY || by > STEADY.max(give.micros() + last.give.micros())
        });
        if moved {
            self.append(Body::ClockMeasured { venue, ahead, give }, now, out);
        }
    }
}

/// Takes note of a comparison.
pub(crate) fn fold(state: &mut State, body: &Body, now: Time) {
    if let Body::ClockMeasured { venue, ahead, give } = body {
        state.clocks.insert(venue.clone(), Clock { ahead: *ahead, give: *give, at: now });
    }
}
