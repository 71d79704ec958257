//! From where the losses of accounts and callers are measured.

use super::Place;
use crate::gains::{Gains, Owner};
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::breaker::{BreakerId, BreakerKind, Facet};
use tidegate_types::codec_newtype;
use tidegate_types::codec_struct;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Scope;
use tidegate_types::hours::day;
use tidegate_types::time::Time;

/// From where a loss is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Base {
    day: u64,
    start: i64,
    peak: i64,
}
codec_struct!(Base { day, start, peak });

/// From where each breaker measures, where it does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Losses(BTreeMap<Place, Base>);
codec_newtype!(Losses);

impl Losses {
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.keys()
    }

    pub(super) fn measure_anew(&mut self, place: &Place) {
        self.0.remove(place);
    }

    pub(super) fn forget(&mut self, breaker: &BreakerId) {
        self.0.retain(|place, _| place.breaker != *breaker);
    }

    /// What was lost since the day began, or since it was first counted on it.
    pub(super) fn loss(&self, gains: &Gains, place: &Place, now: Time) -> Option<Decimal> {
        let base = self.0.get(place)?;
        let lost = base.start.saturating_sub(total(gains, &place.scope)).max(0);
        Some(Decimal::from_raw(if day(now) > base.day { 0 } else { lost }))
    }

    /// What was lost since the highest point.
    pub(super) fn drawdown(&self, gains: &Gains, place: &Place) -> Option<Decimal> {
        let base = self.0.get(place)?;
        Some(Decimal::from_raw(base.peak.saturating_sub(total(gains, &place.scope))))
    }
}

fn total(gains: &Gains, scope: &Scope) -> i64 {
    gains.of(|owner| match (scope, owner) {
        (Scope::All | Scope::Desk { .. }, Owner::Account { .. }) => true,
        (Scope::Venue { name }, Owner::Account { venue, .. }) => name == venue,
        (Scope::Account { name: one }, Owner::Account { name, .. }) => one == name,
        (Scope::Caller { name: one }, Owner::Caller { name, .. }) => one == name,
        _ => false,
    })
}

/// Somebody is about to gain something, or to lose it: whatever measures it does so from here at the least. Where
/// that is.
pub(crate) fn before_gain(state: &mut State, owner: &Owner) -> BTreeSet<Place> {
    let facet = match owner {
        Owner::Account { venue, name } => {
            Facet { venue: Some(venue), account: Some(name), ..Facet::default() }
        }
        Owner::Caller { name, .. } => Facet { caller: Some(name), ..Facet::default() },
    };
    let today = day(state.at);
    let State { breakers, gains, .. } = state;
    let rules = [BreakerKind::Loss, BreakerKind::Drawdown].map(|kind| breakers.of_kind(kind));
    let places = rules.into_iter().flatten().filter_map(|rule| {
        let scope = rule.id.over.place(&facet)?;
        // A caller's gains are in its accounts' already.
        let of_caller = matches!(owner, Owner::Caller { .. });
        let counts = of_caller == matches!(scope, Scope::Caller { .. });
        counts.then(|| Place { breaker: rule.id.clone(), scope })
    });
    let places: BTreeSet<Place> = places.collect();
    for place in &places {
        let total = total(gains, &place.scope);
        let fresh = Base { day: today, start: total, peak: total };
        let base = breakers.losses.0.entry(place.clone()).or_insert(fresh);
        if today > base.day {
            (base.day, base.start) = (today, total);
        }
    }
    places
}

/// It was gained: where it is measured, there is something to look at.
pub(crate) fn after_gain(state: &mut State, places: BTreeSet<Place>) {
    for place in &places {
        let total = total(&state.gains, &place.scope);
        if let Some(base) = state.breakers.losses.0.get_mut(place) {
            base.peak = base.peak.max(total);
        }
    }
    state.touched.extend(places);
}
