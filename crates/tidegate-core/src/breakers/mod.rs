//! Circuit breakers: what is measured from the records, and what trips by it.
//!
//! `feed.rs` takes measurements from records and `losses.rs` from gains, both as part of the fold;
//! `measure.rs` makes one figure of them; `trip.rs` looks at what changed after each event and puts a
//! trip on record. A trip stops orders as a halt does, and is none: nothing is proven, and a person
//! half-opens and closes it. Cancels pass it always.

mod change;
mod feed;
mod losses;
mod measure;
mod trip;
mod window;

use crate::halt::Block;
use crate::orders::Order;
use crate::over;
use crate::state::State;
use std::collections::BTreeMap;
use tidegate_types::breaker::{Breaker, BreakerId, BreakerKind, Facet, Over, Stops};
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{CallId, InstrumentId};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Canceller};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_enum, codec_struct};

pub use change::figures;
pub(crate) use change::{about, changed, make_sense, scope_of};
pub(crate) use feed::feed;
use losses::Losses;
pub(crate) use losses::{after_gain, before_gain};
pub use measure::Found;
pub(crate) use trip::Stopped;
use window::Window;

/// While a breaker is half-open, its trial orders are counted over this.
const TRIAL: Span = Span::from_secs(60);

/// A breaker where it measures and stops by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Which.
    pub breaker: BreakerId,
    /// Where.
    pub scope: Scope,
}
codec_struct!(Place { breaker, scope });

/// How far a breaker is from closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It tripped, and stops orders.
    Tripped,
    /// A person lets few orders pass.
    HalfOpen,
}
codec_enum!(Stage { 0 => Tripped, 1 => HalfOpen });

/// A breaker that is not closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trip {
    /// How far it is from closed.
    pub stage: Stage,
    /// Since when it is so.
    pub since: Time,
    /// What it measured when it tripped last.
    pub measured: Decimal,
    /// The limit that this reached.
    pub limit: Decimal,
    /// How often it tripped since it was closed.
    pub times: u64,
    /// How many orders, amends and settings it stopped since it was closed.
    pub stopped: u64,
    /// When orders passed it, half-open, within the last minute.
    passed: Vec<Time>,
}
codec_struct!(Trip { stage, since, measured, limit, times, stopped, passed });

/// The breakers, what they measured, and those that are not closed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Breakers {
    rules: BTreeMap<BreakerId, Breaker>,
    trips: BTreeMap<Place, Trip>,
    windows: BTreeMap<Place, Window>,
    /// Where a person had it measure anew, and since when.
    anew: BTreeMap<Place, Time>,
    /// Requests without an answer, and when they left.
    sent: BTreeMap<CallId, Time>,
    losses: Losses,
    /// When the gateway started.
    started: Time,
}
codec_struct!(Breakers { rules, trips, windows, anew, sent, losses, started });

impl Breakers {
    /// Every breaker.
    pub fn rules(&self) -> &BTreeMap<BreakerId, Breaker> {
        &self.rules
    }

    /// Those that are not closed.
    pub fn trips(&self) -> &BTreeMap<Place, Trip> {
        &self.trips
    }

    /// Where a breaker measured something, or is not closed.
    pub fn places(&self, breaker: &BreakerId) -> Vec<Place> {
        let of = |place: &&Place| place.breaker == *breaker;
        let mut places: Vec<Place> = self.trips.keys().filter(of).cloned().collect();
        let more = self.windows.keys().chain(self.losses.places()).filter(of);
        for place in more {
            if !self.trips.contains_key(place) {
                places.push(place.clone());
            }
        }
        if let Over::One { scope } = &breaker.over
            && places.is_empty()
        {
            places.push(Place { breaker: breaker.clone(), scope: scope.clone() });
        }
        places
    }

    fn of_kind(&self, kind: BreakerKind) -> impl Iterator<Item = &Breaker> {
        // Of a kind, `all` comes first.
        let first = BreakerId { kind, over: Over::One { scope: Scope::All } };
        self.rules.range(first..).map(|(_, rule)| rule).take_while(move |rule| rule.id.kind == kind)
    }

    fn has(&self, kind: BreakerKind) -> bool {
        self.of_kind(kind).next().is_some()
    }

    /// Whether one measures what somebody lost.
    pub(crate) fn are_over_gains(&self) -> bool {
        self.has(BreakerKind::Loss) || self.has(BreakerKind::Drawdown)
    }
}

/// Folds in that a breaker tripped, or what it stopped.
pub(crate) fn apply(state: &mut State, body: &Body, now: Time) {
    match body {
        Body::BreakerTripped { breaker, scope, measured, limit, .. } => {
            let place = Place { breaker: breaker.clone(), scope: scope.clone() };
            let before = state.breakers.trips.get(&place);
            let (times, stopped) = before.map_or((0, 0), |trip| (trip.times, trip.stopped));
            let trip = Trip {
                stage: Stage::Tripped,
                since: now,
                measured: *measured,
                limit: *limit,
                times: times + 1,
                stopped,
                passed: Vec::new(),
            };
            state.breakers.trips.insert(place.clone(), trip);
            doom(state, &place);
        }
        Body::BreakerStopped { breaker, scope, count } => {
            let place = Place { breaker: breaker.clone(), scope: scope.clone() };
            if let Some(trip) = state.breakers.trips.get_mut(&place) {
                trip.stopped = trip.stopped.saturating_add(*count);
            }
        }
        _ => {}
    }
}

/// The open orders that go with a trip, if it takes any along.
fn doom(state: &mut State, place: &Place) {
    let Some(rule) = state.breakers.rules.get(&place.breaker).filter(|rule| rule.cancel) else {
        return;
    };
    let stops = rule.stops;
    let goes = |order: &&Order| order.caller.is_some() && covers(place, stops, order);
    let meant: Vec<_> = state.orders.open().filter(goes).map(|order| order.id).collect();
    let by = Canceller::Breaker { breaker: place.breaker.clone(), scope: place.scope.clone() };
    for id in meant {
        state.change(id, |order| {
            order.doom.get_or_insert_with(|| by.clone());
        });
    }
}

/// Whether a tripped breaker stands in the way of an order.
fn covers(place: &Place, stops: Stops, order: &Order) -> bool {
    facet_of(order).is_in(&place.scope) && (stops == Stops::All || !order.reducing)
}

fn facet_of(order: &Order) -> Facet<'_> {
    Facet {
        venue: Some(&order.request.instrument.venue),
        account: Some(&order.account),
        caller: order.caller.as_ref(),
        instrument: Some(&order.request.instrument),
    }
}

/// Whether breakers let a request of this caller pass; of several the strictest holds, which is told.
pub(crate) fn check<'a>(
    state: &'a State,
    who: &Authenticated,
    instrument: Option<&InstrumentId>,
    now: Time,
) -> Result<(), (&'a Place, Block)> {
    let facet = Facet {
        venue: Some(who.venue()),
        account: Some(who.account()),
        caller: Some(who.caller()),
        instrument,
    };
    let mut found = None;
    for (place, trip) in state.breakers.trips.iter().filter(|(place, _)| facet.is_in(&place.scope))
    {
        let Some(rule) = state.breakers.rules.get(&place.breaker) else { continue };
        let Some(block) = trip.block(place, rule, now) else { continue };
        let strict = !block.allow_reduce;
        found = Some((place, block));
        if strict {
            break;
        }
    }
    found.map_or(Ok(()), Err)
}

impl Trip {
    /// Why it stands in an order's way, if it does.
    fn block(&self, place: &Place, rule: &Breaker, now: Time) -> Option<Block> {
        let (id, scope) = (&place.breaker, &place.scope);
        let allow_reduce = rule.stops == Stops::Increases;
        match self.stage {
            Stage::Tripped => {
                let detail = trip::detail(place, self.measured, self.limit);
                let reject = Reject::new(Code::BreakerTripped, detail);
                Some(Block { reject, allow_reduce })
            }
            Stage::HalfOpen => {
                let young = |at: &&Time| now.since(**at) < TRIAL;
                let passed = self.passed.iter().filter(young).count() as u64;
                (passed >= rule.trial).then(|| {
                    let of = format!("{id} for {scope}, which is half-open");
                    let [orders, most] = [passed + 1, rule.trial]
                        .map(|n| over::count(usize::try_from(n).unwrap_or(usize::MAX)));
                    let detail = over::most("orders within a minute", &of, orders, most, "");
                    Block { reject: Reject::new(Code::BreakerTrial, detail), allow_reduce }
                })
            }
        }
    }
}
