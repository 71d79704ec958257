//! What a rule remembers of what passed: messages and executions of late, the day's orders and trades, and
//! how equity stood. Kept with the saved state, because no order tells it any more.

use tidegate_types::hours::day;
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_enum, codec_newtype};

/// A window is counted in so many slots.
const SLOTS: u64 = 10;

/// Events of late, counted in tenths of the window. What happened in a tenth that the window's edge cuts
/// counts, so that no window of that length ever holds more than is counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Slots(Vec<(u64, u32)>);
codec_newtype!(Slots);

impl Slots {
    pub(crate) fn count(&self, now: Time, window: Span) -> u64 {
        let oldest = slot(now, window).saturating_sub(SLOTS);
        let recent = self.0.iter().filter(|(at, _)| *at >= oldest);
        recent.map(|(_, count)| u64::from(*count)).sum()
    }

    pub(crate) fn add(&mut self, times: u64, now: Time, window: Span) {
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        let this = slot(now, window);
        self.0.retain(|(at, _)| *at >= this.saturating_sub(SLOTS));
        match self.0.iter_mut().find(|(at, _)| *at == this) {
            Some((_, count)) => *count = count.saturating_add(times),
            None => self.0.push((this, times)),
        }
    }
}

fn slot(now: Time, window: Span) -> u64 {
    now.micros() / (window.micros() / SLOTS).max(1)
}

/// What a rule remembers of one part of what it is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Flow {
    /// What was ordered and traded on a day: messages and trades, or dollars of 10⁻⁸.
    Day { day: u64, ordered: u64, traded: u64 },
    /// What happened of late. A throttle that was reached stays so.
    Window { slots: Slots, tripped: bool },
    /// Equity in dollars of 10⁻⁸: at the day's begin, now, and at its highest. `rising`: since when it is above that,
    /// and its lowest since.
    Equity { day: u64, start: i64, last: i64, peak: i64, rising: Option<(Time, i64)> },
}
codec_enum!(Flow {
    0 => Day { day, ordered, traded }, 1 => Window { slots, tripped },
    2 => Equity { day, start, last, peak, rising },
});

impl Flow {
    /// What was ordered and traded on the day of `now`.
    pub(crate) fn today(flow: Option<&Flow>, now: Time) -> (u64, u64) {
        match flow {
            // A clock that is set back begins no new day.
            Some(Flow::Day { day: of, ordered, traded }) if *of >= day(now) => (*ordered, *traded),
            _ => (0, 0),
        }
    }

    /// Counts more of the day of `now`.
    pub(crate) fn add_today(&mut self, more: (u64, u64), now: Time) {
        let of = match self {
            Flow::Day { day: of, .. } => (*of).max(day(now)),
            _ => day(now),
        };
        let (ordered, traded) = Flow::today(Some(self), now);
        *self = Flow::Day {
            day: of,
            ordered: ordered.saturating_add(more.0),
            traded: traded.saturating_add(more.1),
        };
    }

    /// Takes note of how equity stands. Its highest is what it was for as long as `lasting`: a venue tells a trade and
    /// what that paid in two pieces, and between them the profit counts twice.
    pub(crate) fn stand(before: Option<&Flow>, equity: i64, lasting: Span, now: Time) -> Flow {
        match before {
            Some(Flow::Equity { day: of, start, last, peak, rising }) => {
                let start = if day(now) > *of { *last } else { *start };
                let (peak, rising) = match highest(*peak, *rising, lasting, now) {
                    known if known > *peak => (known, None),
                    known => (known, *rising),
                };
                let rising = (equity > peak).then(|| match rising {
                    Some((since, lowest)) => (since, lowest.min(equity)),
                    None => (now, equity),
                });
                Flow::Equity { day: (*of).max(day(now)), start, last: equity, peak, rising }
            }
            _ => Flow::Equity {
                day: day(now),
                start: equity,
                last: equity,
                peak: equity,
                rising: None,
            },
        }
    }

    /// More equity is known than was, and it was there all the time.
    pub(crate) fn enter(&mut self, more: i64) {
        if let Flow::Equity { start, last, peak, rising, .. } = self {
            let rising = rising.as_mut().map(|(_, lowest)| lowest);
            for point in [start, last, peak].into_iter().chain(rising) {
                *point = point.saturating_add(more);
            }
        }
    }

    /// What was lost since the day of `now` began, and since equity was highest.
    pub(crate) fn lost(flow: Option<&Flow>, equity: i64, lasting: Span, now: Time) -> (i64, i64) {
        match flow {
            Some(Flow::Equity { day: of, start, last, peak, rising }) => {
                let start = if day(now) > *of { *last } else { *start };
                let peak = highest(*peak, *rising, lasting, now);
                (start.saturating_sub(equity), peak.saturating_sub(equity).max(0))
            }
            _ => (0, 0),
        }
    }
}

/// The highest that equity was for long enough.
fn highest(peak: i64, rising: Option<(Time, i64)>, lasting: Span, now: Time) -> i64 {
    match rising {
        Some((since, lowest)) if now >= since.plus(lasting) => peak.max(lowest),
        _ => peak,
    }
}
