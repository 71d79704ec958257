//! How far each venue's clock is ahead of ours: from questions for its time, as NTP does it. An answer that was
//! short under way tells most, so of the last few the shortest counts.

use crate::clock;
use crate::desk::{Errand, Link, Sink};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tidegate_core::event::Event;
use tidegate_types::time::{Span, Time};

/// How often to ask: at first, so that there is something to choose from, and then.
const AT_FIRST: Duration = Duration::from_secs(1);
const THEN: Duration = Duration::from_secs(15);
/// How many answers are kept to choose from.
const KEPT: usize = 8;
/// Venues tell whole milliseconds, cut off: the truth lies half of one later, on average.
const HALF_MS: i64 = 500;

/// Asks a venue for its time, for ever.
pub async fn follow_clock(sink: Arc<dyn Sink>, link: Arc<Link>) {
    let mut seen = Comparisons::default();
    loop {
        if let Some(found) = ask(&link).await {
            let Comparison { ahead, give } = seen.add(found);
            let venue = link.venue().name();
            sink.event(Event::ClockMeasured { venue, ahead, give });
        }
        let wait = if seen.0.len() < KEPT { AT_FIRST } else { THEN };
        tokio::time::sleep(wait).await;
    }
}

/// One answer, or none: that the venue does not answer is told elsewhere.
async fn ask(link: &Link) -> Option<Comparison> {
    let left = clock::now();
    let reply = link.fetch(Errand::Upkeep(None), link.venue().time_request()).await.ok()?;
    let came = clock::now();
    let told = link.venue().server_time(&reply)?;
    Some(Comparison::of(left, told, came))
}

/// What a venue's clock shows against ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Comparison {
    /// In µs; behind below zero.
    ahead: i64,
    /// By how much it may be wrong: the answer was made at any time while it was waited for.
    give: Span,
}

impl Comparison {
    fn of(left: Time, told: Time, came: Time) -> Comparison {
        let half = came.since(left).micros() / 2;
        let middle = i64::try_from(left.micros().saturating_add(half)).unwrap_or(i64::MAX);
        let told = i64::try_from(told.micros()).unwrap_or(i64::MAX).saturating_add(HALF_MS);
        let give = Span::from_micros(half.saturating_add(HALF_MS.unsigned_abs()));
        Comparison { ahead: told.saturating_sub(middle), give }
    }
}

/// The last few comparisons.
#[derive(Default)]
struct Comparisons(VecDeque<Comparison>);

impl Comparisons {
    /// Takes one in; the best of them.
    fn add(&mut self, found: Comparison) -> Comparison {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(found);
        self.0.iter().min_by_key(|one| one.give).copied().unwrap_or(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn the_way_there_and_back_is_taken_off() {
        let found = Comparison::of(ms(1000), ms(1250), ms(1100));
        assert_eq!(found, Comparison { ahead: 200_500, give: Span::from_micros(50_500) });
        let behind = Comparison::of(ms(1000), ms(990), ms(1010));
        assert_eq!(behind, Comparison { ahead: -14_500, give: Span::from_micros(5500) });
    }

    #[test]
    fn the_shortest_of_the_last_few_counts() {
        let of = |ahead, give| Comparison { ahead, give: Span::from_micros(give) };
        let mut seen = Comparisons::default();
        assert_eq!(seen.add(of(5, 10)), of(5, 10));
        assert_eq!(seen.add(of(9000, 800)), of(5, 10), "a slow answer tells less");
        for _ in 0..KEPT - 2 {
            assert_eq!(seen.add(of(70, 90)), of(5, 10));
        }
        assert_eq!(seen.add(of(70, 90)), of(70, 90), "the best one is over");
    }
}
