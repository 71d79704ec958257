//! The standard set: breakers that fit most desks, with limits that ordinary trading does not reach.

use super::{Breaker, BreakerId, BreakerKind, Over, Sort, Stops};
use crate::decimal::Decimal;
use crate::time::Span;

/// Which breakers of the standard set are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standard {
    /// All of them.
    Whole,
    /// Without those that a slow or busy machine can trip by itself: latency, age of data, clock,
    /// answers that are missing, and books that simulated makers on it do not keep full.
    WithoutTiming,
}

/// The standard set. How much a desk can lose is its own: losses are not in it.
pub fn standard(which: Standard) -> Vec<Breaker> {
    use BreakerKind::{
        ClockSkew, DataAge, Depth, Errors, Latency, MarkJump, Rejects, Repeats, Spread, StrayFills,
        VenueErrors,
    };
    use Sort::{Account, Caller, Instrument, Venue};
    use Stops::{All, Increases};
    let timing = [DataAge, Latency, VenueErrors, ClockSkew, Spread, Depth];
    let set = [
        of(Rejects, Caller, (50, 60, 20), Increases),
        of(Errors, Caller, (80, 60, 50), Increases),
        of(StrayFills, Account, (3, 300, 1), Increases),
        of(MarkJump, Instrument, (20, 300, 30), Increases),
        of(Spread, Instrument, (300, 60, 5), Increases),
        of(Depth, Instrument, (1_000, 60, 5), Increases),
        of(DataAge, Venue, (15_000, 0, 1), Increases),
        of(Latency, Venue, (3_000, 60, 10), Increases),
        of(VenueErrors, Venue, (30, 60, 10), Increases),
        of(ClockSkew, Venue, (5_000, 300, 1), Increases),
        of(Repeats, Caller, (50, 10, 1), All),
    ];
    let wanted = |breaker: &Breaker| match which {
        Standard::Whole => true,
        Standard::WithoutTiming => !timing.contains(&breaker.id.kind),
    };
    set.into_iter().filter(wanted).collect()
}

fn of(
    kind: BreakerKind,
    sort: Sort,
    (limit, window_s, least): (i64, u64, u64),
    stops: Stops,
) -> Breaker {
    Breaker {
        id: BreakerId { kind, over: Over::Each { sort } },
        limit: Decimal::new(limit, 0),
        window: Span::from_secs(window_s),
        least,
        stops,
        cancel: false,
        trial: 6,
    }
}
