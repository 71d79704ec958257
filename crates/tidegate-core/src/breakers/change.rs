//! Changes of the breakers by people: what they do, whether they make sense, and what they are told as.

use super::{Breakers, Place, Stage};
use crate::gains;
use crate::state::State;
use tidegate_types::breaker::{Breaker, BreakerId, BreakerKind, MAX_BREAKERS, Over};
use tidegate_types::grant::Scope;
use tidegate_types::record::Change;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

impl Breakers {
    fn measure_anew(&mut self, place: &Place, now: Time) {
        self.windows.remove(place);
        self.losses.measure_anew(place);
        if place.breaker.kind == BreakerKind::DataAge {
            self.anew.insert(place.clone(), now);
        }
    }
}

/// Folds a change of the breakers in.
pub(crate) fn changed(state: &mut State, change: &Change, now: Time) {
    match change {
        Change::BreakerSet { breaker } => {
            state.breakers.rules.insert(breaker.id.clone(), breaker.clone());
            gains::count_where_due(state);
        }
        Change::BreakerRemoved { breaker } => {
            let breakers = &mut state.breakers;
            breakers.rules.remove(breaker);
            breakers.trips.retain(|place, _| place.breaker != *breaker);
            breakers.windows.retain(|place, _| place.breaker != *breaker);
            breakers.anew.retain(|place, _| place.breaker != *breaker);
            breakers.losses.forget(breaker);
            gains::count_where_due(state);
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
