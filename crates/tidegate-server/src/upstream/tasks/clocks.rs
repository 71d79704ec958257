//! How far each venue's clock is ahead of ours: from questions for its time, as NTP does it. An answer that was
//! short under way tells most, so of the last few the shortest counts.

use crate::clock;
use crate::config;
use crate::desk::{Errand, Link, Offset, Sink, apart};
use crate::upstream::Pool;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tidegate_core::event::Event;
use tidegate_types::ids::VenueName;
use tidegate_types::time::{Span, Time};
use tidegate_venues::registry;

/// How often to ask: while there is little to choose from, and then.
const AT_FIRST: Duration = Duration::from_secs(1);
const THEN: Duration = Duration::from_secs(15);
/// How often it is asked for one comparison.
const ASKED: usize = 3;
/// How many answers are kept to choose from.
const KEPT: usize = 8;
/// Venues tell whole milliseconds, cut off: the truth lies half of one later, on average.
const HALF_MS: i64 = 500;

/// Asks a venue for its time, for ever; at once when it refused a time stamp.
pub async fn follow_clock(sink: Arc<dyn Sink>, link: Arc<Link>) {
    let mut seen = Comparisons::default();
    loop {
        if let Some(found) = ask_time(&link).await {
            let best = seen.add(found);
            let at = clock::steady();
            link.clock().measured(best, at);
            // The core's clock is the machine's.
            let ahead = best.ahead.saturating_add(apart(at, clock::now()));
            let venue = link.venue().name();
            sink.event(Event::ClockMeasured { venue, ahead, give: best.give });
        }
        tokio::time::sleep(AT_FIRST).await;
        if seen.0.len() >= KEPT {
            let doubted = tokio::time::timeout(THEN - AT_FIRST, link.clock().doubted()).await;
            if doubted.is_ok() {
                seen.0.clear();
            }
        }
    }
}

/// One answer, or none: that the venue does not answer is told elsewhere. Against the steady clock.
pub async fn ask_time(link: &Link) -> Option<Offset> {
    let left = clock::steady();
    let reply = link.fetch(Errand::Upkeep(None), link.venue().time_request()).await.ok()?;
    let came = clock::steady();
    let told = link.venue().server_time(&reply)?;
    Some(compare(left, told, came))
}

/// A venue's clock against the machine's, by a few questions over connections of their own.
///
/// # Errors
/// Why there is no answer.
pub async fn compare_clock(name: &str, settings: &config::Venue) -> Result<Offset, String> {
    let known = VenueName::new(name).ok().and_then(|name| registry::find(&name));
    let known = known.ok_or_else(|| "there is no such venue".to_owned())?;
    let pool = Pool::configured(settings).map_err(|e| e.to_string())?;
    let link = Link::new(known, Box::new(pool));
    let mut best: Option<Offset> = None;
    for _ in 0..ASKED {
        let found = ask_time(&link).await;
        best = best.into_iter().chain(found).min_by_key(|offset| offset.give);
    }
    let best = best.ok_or_else(|| "it cannot be reached, or answers something else".to_owned())?;
    let ahead = best.ahead.saturating_add(apart(clock::steady(), clock::machine()));
    Ok(Offset { ahead, ..best })
}

/// What a venue's clock shows against the one by which the question left and the answer came. That was made at any time
/// while it was waited for.
fn compare(left: Time, told: Time, came: Time) -> Offset {
    let half = came.since(left).micros() / 2;
    let middle = i64::try_from(left.micros().saturating_add(half)).unwrap_or(i64::MAX);
    let told = i64::try_from(told.micros()).unwrap_or(i64::MAX).saturating_add(HALF_MS);
    let give = Span::from_micros(half.saturating_add(HALF_MS.unsigned_abs()));
    Offset { ahead: told.saturating_sub(middle), give }
}

/// The last few comparisons.
#[derive(Default)]
struct Comparisons(VecDeque<Offset>);

impl Comparisons {
    /// Takes one in; the best of those that agree with it. With the others a clock was set, or has run away, since.
    fn add(&mut self, found: Offset) -> Offset {
        let agrees = |one: &Offset| {
            one.ahead.abs_diff(found.ahead) <= one.give.micros().saturating_add(found.give.micros())
        };
        self.0.retain(agrees);
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
        let found = compare(ms(1000), ms(1250), ms(1100));
        assert_eq!(found, Offset { ahead: 200_500, give: Span::from_micros(50_500) });
        let behind = compare(ms(1000), ms(990), ms(1010));
        assert_eq!(behind, Offset { ahead: -14_500, give: Span::from_micros(5500) });
    }

    #[test]
    fn the_shortest_of_the_last_few_counts() {
        let of = |ahead, give| Offset { ahead, give: Span::from_micros(give) };
        let mut seen = Comparisons::default();
        assert_eq!(seen.add(of(5, 10)), of(5, 10));
        assert_eq!(seen.add(of(700, 800)), of(5, 10), "a slow answer tells less");
        for _ in 0..KEPT - 2 {
            assert_eq!(seen.add(of(70, 90)), of(5, 10));
        }
        assert_eq!(seen.add(of(70, 90)), of(70, 90), "the best one is over");
    }

    #[test]
    fn what_cannot_be_true_any_more_is_left_out() {
        let of = |ahead, give| Offset { ahead, give: Span::from_micros(give) };
        let mut seen = Comparisons::default();
        seen.add(of(5, 10));
        assert_eq!(seen.add(of(3_000_000, 500)), of(3_000_000, 500), "the clock jumped");
        assert_eq!(seen.0.len(), 1);
        assert_eq!(seen.add(of(3_000_400, 90)), of(3_000_400, 90));
    }
}
