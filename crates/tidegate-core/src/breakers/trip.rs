//! Looking at what breakers measured, and tripping them.

use super::{Found, Place, Stage, check, covers};
use crate::Core;
use crate::action::Action;
use crate::calls::Flight;
use crate::over::distance;
use crate::timers::Timer;
use std::collections::BTreeMap;
use tidegate_types::breaker::{Breaker, BreakerKind, Facet};
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::OrderId;
use tidegate_types::order::Intent;
use tidegate_types::proof::Authenticated;
use tidegate_types::record::Body;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

/// How often ages are looked at, and what was stopped is put on record.
const LOOK: Span = Span::from_secs(1);

/// What tripped, its number, the limit and how far that is past it.
pub(super) fn detail(place: &Place, measured: Decimal, limit: Decimal) -> String {
    let Place { breaker, scope } = place;
    let unit = breaker.kind.measure().unit();
    let word = if measured < limit { "short by" } else { "over by" };
    let by = distance(measured, limit);
    format!("{breaker} tripped for {scope}: {measured} {unit}, the limit is {limit} ({word} {by})")
}

/// What breakers stopped and no record tells yet.
pub(crate) type Stopped = BTreeMap<Place, u64>;

impl Core {
    /// After an event: trips what reached its limit by it.
    pub(crate) fn watch_breakers(&mut self, now: Time, out: &mut Vec<Action>) {
        if !self.running {
            return;
        }
        while let Some(place) = self.state.touched.pop_first() {
            if let Some((rule, found)) = self.state.breaker_reached(&place, now) {
                self.trip(place, &rule, found, now, out);
            }
        }
        if self.state.breakers.has(BreakerKind::DataAge) || !self.stopped.is_empty() {
            self.timers.set_if_sooner(Timer::Breakers, now.plus(LOOK));
        }
    }

    /// Time passed: puts on record what was stopped, and looks at what grows old by itself.
    pub(crate) fn breakers_due(&mut self, now: Time, out: &mut Vec<Action>) {
        self.note_stopped(now, out);
        let rules = self.state.breakers.of_kind(BreakerKind::DataAge);
        let overs: Vec<_> = rules.map(|rule| rule.id.clone()).collect();
        let mut places = Vec::new();
        for breaker in overs {
            for instrument in self.state.in_use() {
                let facet = Facet {
                    venue: Some(&instrument.venue),
                    instrument: Some(instrument),
                    ..Facet::default()
                };
                let scope = breaker.over.place(&facet);
                places.extend(scope.map(|scope| Place { breaker: breaker.clone(), scope }));
            }
        }
        self.state.touched.extend(places);
    }

    /// Puts on record how much each breaker stopped since the last time.
    pub(crate) fn note_stopped(&mut self, now: Time, out: &mut Vec<Action>) {
        for (Place { breaker, scope }, count) in std::mem::take(&mut self.stopped) {
            self.append(Body::BreakerStopped { breaker, scope, count }, now, out);
        }
    }

    /// Counts a refusal, if it was a breaker's.
    pub(crate) fn count_stopped(
        &mut self,
        who: &Authenticated,
        intent: &Intent,
        reject: &Reject,
        now: Time,
    ) {
        if !matches!(reject.code, Code::BreakerTripped | Code::BreakerTrial) {
            return;
        }
        let instrument = match intent {
            Intent::New { order } => Some(&order.instrument),
            Intent::Amend { amend } => {
                let order = self.state.find(who, &amend.order, amend.instrument.as_ref());
                order.map(|order| &order.request.instrument)
            }
            _ => None,
        };
        if let Err((place, _)) = check(&self.state, who, instrument, now) {
            *self.stopped.entry(place.clone()).or_default() += 1;
        }
    }

    /// Counts a request that a trip held back before it left.
    pub(crate) fn count_held_back(&mut self, order: Option<OrderId>, reject: &Reject) {
        let order = order.and_then(|id| self.state.orders.get(id));
        let Some(order) = order.filter(|_| reject.code == Code::BreakerTripped) else { return };
        let breakers = &self.state.breakers;
        let stops = |place: &Place| {
            let rule = breakers.rules.get(&place.breaker);
            rule.is_some_and(|rule| covers(place, rule.stops, order))
        };
        let tripped = breakers.trips.iter().filter(|(_, trip)| trip.stage == Stage::Tripped);
        let mut places = tripped.map(|(place, _)| place).filter(|place| stops(place));
        if let Some(place) = places.next() {
            *self.stopped.entry(place.clone()).or_default() += 1;
        }
    }

    fn trip(
        &mut self,
        place: Place,
        rule: &Breaker,
        found: Found,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Found { measured, count } = found;
        let (breaker, scope) = (place.breaker.clone(), place.scope.clone());
        let limit = rule.limit;
        let detail = detail(&place, measured, limit);
        self.append(Body::BreakerTripped { breaker, scope, measured, limit, count }, now, out);
        let stops = rule.stops;
        let stopped = |core: &Core, flight: &Flight| {
            let order = flight.purpose.order().and_then(|id| core.state.orders.get(id));
            order.is_some_and(|order| order.caller.is_some() && covers(&place, stops, order))
        };
        let reject = Reject::new(Code::BreakerTripped, detail);
        self.hold_back(stopped, &reject, now, out);
        if rule.cancel {
            self.take_doomed(now, out);
        }
    }
}
