//! Circuit breakers: what is measured from the records, and what trips by it.
//!
//! `feed.rs` takes measurements from records and `money.rs` gains and losses, both as part of the fold;
//! `measure.rs` makes one figure of them; `trip.rs` looks at what changed after each event and puts a
//! trip on record. A trip stops orders as a halt does, and is none: nothing is proven, and a person
//! half-opens and closes it. Cancels pass it always.

mod feed;
mod measure;
mod money;
mod trip;
mod window;

use crate::halt::Block;
use crate::orders::Order;
use crate::state::State;
use std::collections::BTreeMap;
use tidegate_types::breaker::{Breaker, BreakerId, BreakerKind, Facet, MAX_BREAKERS, Over, Stops};
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{CallId, InstrumentId};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Canceller, Change};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_enum, codec_struct};

pub(crate) use feed::feed;
pub use measure::Found;
pub(crate) use money::{Money, corrected, marked, traded};
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
    pub(crate) money: Money,
    /// When the gateway started.
    started: Time,
}
codec_struct!(Breakers { rules, trips, windows, anew, sent, money, started });

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
        let more = self.windows.keys().chain(self.money.places()).filter(of);
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

    fn counts_money(&self) -> bool {
        self.has(BreakerKind::Loss) || self.has(BreakerKind::Drawdown)
    }

    fn measure_anew(&mut self, place: &Place, now: Time) {
        self.windows.remove(place);
        self.money.measure_anew(place);
        if place.breaker.kind == BreakerKind::DataAge {
            self.anew.insert(place.clone(), now);
        }
    }
}

/// Folds a change of the breakers in.
pub(crate) fn changed(state: &mut State, change: &Change, now: Time) {
    match change {
        Change::BreakerSet { breaker } => {
            let counted = state.breakers.counts_money();
            state.breakers.rules.insert(breaker.id.clone(), breaker.clone());
            if !counted && state.breakers.counts_money() {
                money::begin(state);
            }
        }
        Change::BreakerRemoved { breaker } => {
            let breakers = &mut state.breakers;
            breakers.rules.remove(breaker);
            breakers.trips.retain(|place, _| place.breaker != *breaker);
            breakers.windows.retain(|place, _| place.breaker != *breaker);
            breakers.anew.retain(|place, _| place.breaker != *breaker);
            breakers.money.forget(breaker);
            if !breakers.counts_money() {
                breakers.money = Money::default();
            }
        }
        Change::BreakerHalfOpened { breaker, scope, .. } => {
            let place = Place { breaker: breaker.clone(), scope: scope.clone() };
            state.breakers.measure_anew(&place, now);
            if let Some(trip) = state.breakers.trips.get_mut(&place) {
                (trip.stage, trip.since) = (Stage::HalfOpen, now);
                trip.passed.clear();
            }
        }
        Change::BreakerClosed { breaker, scope, .. } => {
            let place = Place { breaker: breaker.clone(), scope: scope.clone() };
            state.breakers.trips.remove(&place);
        }
        Change::BreakerReset { breaker, scope } => {
            let place = Place { breaker: breaker.clone(), scope: scope.clone() };
            state.breakers.measure_anew(&place, now);
        }
        _ => {}
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
        let (id, scope, unit) = (&place.breaker, &place.scope, place.breaker.kind.measure().unit());
        match self.stage {
            Stage::Tripped => {
                let (measured, limit) = (self.measured, self.limit);
                let detail =
                    format!("{id} tripped for {scope}: {measured} {unit}, the limit is {limit}");
                let reject = Reject::new(Code::BreakerTripped, detail);
                Some(Block { reject, allow_reduce: rule.stops == Stops::Increases })
            }
            Stage::HalfOpen => {
                let young = |at: &&Time| now.since(**at) < TRIAL;
                let passed = self.passed.iter().filter(young).count() as u64;
                (passed >= rule.trial).then(|| {
                    let detail = format!(
                        "{id} is half-open for {scope}: {passed} orders passed within a minute, at most {} do",
                        rule.trial
                    );
                    Block { reject: Reject::new(Code::BreakerTrial, detail), allow_reduce: true }
                })
            }
        }
    }
}

/// Whether a change of the breakers can be carried out as things are.
pub(crate) fn make_sense(state: &State, change: &Change) -> Result<(), Reject> {
    let bad = |why: String| Err(Reject::new(Code::BadParameter, why));
    let breakers = &state.breakers;
    let known = |id: &BreakerId| match breakers.rules.contains_key(id) {
        true => Ok(()),
        false => bad(format!("there is no breaker {id}")),
    };
    let stage = |breaker: &BreakerId, scope: &Scope| {
        let place = Place { breaker: breaker.clone(), scope: scope.clone() };
        breakers.trips.get(&place).map(|trip| trip.stage)
    };
    match change {
        Change::BreakerSet { breaker } => {
            let new = !breakers.rules.contains_key(&breaker.id);
            if new && breakers.rules.len() >= MAX_BREAKERS {
                return bad(format!("more than {MAX_BREAKERS} breakers"));
            }
            breaker.check().or_else(bad)
        }
        Change::BreakerRemoved { breaker } => known(breaker),
        Change::BreakerHalfOpened { breaker, scope, .. } => {
            known(breaker)?;
            match stage(breaker, scope) {
                Some(Stage::Tripped) => Ok(()),
                Some(Stage::HalfOpen) => bad(format!("{breaker} is half-open for {scope} already")),
                None => bad(format!("{breaker} has not tripped for {scope}")),
            }
        }
        Change::BreakerClosed { breaker, scope, .. } => {
            known(breaker)?;
            match stage(breaker, scope) {
                Some(Stage::HalfOpen) => Ok(()),
                Some(Stage::Tripped) => bad(format!("half-open {breaker} for {scope} first")),
                None => bad(format!("{breaker} has not tripped for {scope}")),
            }
        }
        Change::BreakerReset { breaker, scope } => {
            known(breaker)?;
            if !breaker.over.has(scope) {
                return bad(format!("{breaker} does not measure {scope}"));
            }
            match stage(breaker, scope) {
                None => Ok(()),
                Some(_) => bad(format!("{breaker} is not closed for {scope}: half-open it")),
            }
        }
        _ => Ok(()),
    }
}

/// What of the state a change of the breakers is about: while that is the same, so is what it does.
pub(crate) fn about(state: &State, change: &Change) -> (Option<Breaker>, Option<(Stage, Time)>) {
    let (id, scope) = match change {
        Change::BreakerSet { breaker } => (&breaker.id, None),
        Change::BreakerRemoved { breaker } => (breaker, None),
        Change::BreakerHalfOpened { breaker, scope, .. }
        | Change::BreakerClosed { breaker, scope, .. }
        | Change::BreakerReset { breaker, scope } => (breaker, Some(scope)),
        _ => return (None, None),
    };
    let trip = scope.and_then(|scope| {
        let place = Place { breaker: id.clone(), scope: scope.clone() };
        state.breakers.trips.get(&place).map(|trip| (trip.stage, trip.since))
    });
    (state.breakers.rules.get(id).cloned(), trip)
}

/// The figures of a breaker, each with what it is called.
pub fn figures(breaker: &Breaker) -> Vec<(&'static str, String)> {
    let unit = breaker.id.kind.measure().unit();
    vec![
        ("limit", format!("{} {unit}", breaker.limit)),
        ("window, s", (breaker.window.millis() / 1000).to_string()),
        ("least count", breaker.least.to_string()),
        ("stops", breaker.stops.word().to_owned()),
        ("cancels open orders", breaker.cancel.to_string()),
        ("orders a minute while half-open", breaker.trial.to_string()),
    ]
}

/// What a change of the breakers stops less of, for whom: everything where it is about each of a sort.
pub(crate) fn scope_of(change: &Change) -> Option<Scope> {
    let over = |over: &Over| match over {
        Over::One { scope } => scope.clone(),
        Over::Each { .. } => Scope::All,
    };
    match change {
        Change::BreakerSet { breaker } => Some(over(&breaker.id.over)),
        Change::BreakerRemoved { breaker } => Some(over(&breaker.over)),
        Change::BreakerHalfOpened { scope, .. }
        | Change::BreakerClosed { scope, .. }
        | Change::BreakerReset { scope, .. } => Some(scope.clone()),
        _ => None,
    }
}
