//! The circuit breakers as the administration sets them and tells of them.

use super::Administrator;
use super::protocol::{BreakerPlace, BreakerSpec, BreakerStatus, ClockStatus, Failure};
use super::service::Administration;
use crate::clock;
use crate::desk::{Link, Links, Offset, Reading};
use serde_json::Value;
use tidegate_core::breakers::{Place, Stage};
use tidegate_core::state::State;
use tidegate_types::breaker::{Breaker, BreakerId, BreakerKind, Over, Stops};
use tidegate_types::grant::Scope;
use tidegate_types::ids::VenueName;
use tidegate_types::record::Change;
use tidegate_types::text::one_line;
use tidegate_types::time::{Span, Time};

/// Most places that are told of one breaker: those that are not closed, and the nearest to their limit.
const PLACES: usize = 20;

/// What is done with a breaker at a place.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    HalfOpen,
    Close,
    Reset,
}

impl Administration {
    pub(super) async fn set_breaker(
        &self,
        by: &Administrator,
        spec: BreakerSpec,
    ) -> Result<Value, Failure> {
        let breaker = breaker(&spec)?;
        self.change(by, Change::BreakerSet { breaker }).await
    }

    pub(super) async fn remove_breaker(
        &self,
        by: &Administrator,
        breaker: &str,
    ) -> Result<Value, Failure> {
        self.change(by, Change::BreakerRemoved { breaker: id(breaker)? }).await
    }

    pub(super) async fn turn_breaker(
        &self,
        by: &Administrator,
        (breaker, scope): (&str, Option<&str>),
        turn: Turn,
        reason: &str,
    ) -> Result<Value, Failure> {
        let (breaker, reason) = (id(breaker)?, one_line(reason));
        let scope = match (scope, &breaker.over) {
            (Some(scope), _) => scope.parse().map_err(|_| bad(format!("{scope} is no scope")))?,
            (None, Over::One { scope }) => scope.clone(),
            (None, Over::Each { .. }) => {
                return Err(bad(format!("{breaker} is many: name the scope it tripped for")));
            }
        };
        self.change(
            by,
            match turn {
                Turn::HalfOpen => Change::BreakerHalfOpened { breaker, scope, reason },
                Turn::Close => Change::BreakerClosed { breaker, scope, reason },
                Turn::Reset => Change::BreakerReset { breaker, scope },
            },
        )
        .await
    }
}

/// Every breaker, with what it measures where.
pub(super) fn told(state: &State) -> Vec<BreakerStatus> {
    let now = clock::now();
    state.breakers().rules().values().map(|rule| of_rule(state, rule, now)).collect()
}

/// The clocks of the venues that are served: as measured last, and before that as on record.
pub(super) fn clocks(state: &State, links: &Links) -> Vec<ClockStatus> {
    let now = clock::now();
    let of = |venue: VenueName, link: &Link| {
        let known = state.clocks().get(&venue).map(|found| Reading {
            offset: Offset { ahead: found.ahead, give: found.give },
            age: now.since(found.at),
            used: false,
        });
        let Reading { offset, age, used } = link.clock().reading().or(known)?;
        Some(ClockStatus {
            venue: venue.to_string(),
            ahead_us: offset.ahead,
            give_us: offset.give.micros(),
            at_ms: now.minus(age).millis(),
            used,
        })
    };
    links.iter().filter_map(|link| of(link.venue().name(), link)).collect()
}

fn of_rule(state: &State, rule: &Breaker, now: Time) -> BreakerStatus {
    let kind = rule.id.kind;
    let places = state.breakers().places(&rule.id);
    let mut places: Vec<BreakerPlace> =
        places.iter().map(|place| of_place(state, place, now)).collect();
    places.sort_by_key(|place| place.stage == "closed");
    places.truncate(PLACES);
    BreakerStatus {
        breaker: rule.id.to_string(),
        measures: kind.what().to_owned(),
        limit: rule.limit.to_string(),
        unit: kind.measure().unit().to_owned(),
        window_s: kind.has_window().then(|| rule.window.millis() / 1000),
        least: rule.least,
        stops: rule.stops.word().to_owned(),
        cancel: rule.cancel,
        trial_per_minute: rule.trial,
        places,
    }
}

fn of_place(state: &State, place: &Place, now: Time) -> BreakerPlace {
    let trip = state.breakers().trips().get(place);
    let found = state.breaker_measures(place, now);
    BreakerPlace {
        scope: place.scope.to_string(),
        stage: match trip.map(|trip| trip.stage) {
            None => "closed",
            Some(Stage::Tripped) => "tripped",
            Some(Stage::HalfOpen) => "half-open",
        }
        .to_owned(),
        measured: found.map(|found| found.measured.to_string()),
        count: found.map_or(0, |found| found.count),
        tripped_at: trip.map(|trip| trip.measured.to_string()),
        since_ms: trip.map(|trip| trip.since.millis()),
        times: trip.map_or(0, |trip| trip.times),
        stopped: trip.map_or(0, |trip| trip.stopped),
    }
}

fn breaker(spec: &BreakerSpec) -> Result<Breaker, Failure> {
    let breaker = Breaker {
        id: id(&spec.breaker)?,
        limit: spec.limit.parse().map_err(|_| bad(format!("{} is no number", spec.limit)))?,
        window: Span::from_secs(spec.window_s),
        least: spec.least,
        stops: match spec.stops.as_str() {
            "increases" => Stops::Increases,
            "all" => Stops::All,
            other => return Err(bad(format!("{other:?} is neither increases nor all"))),
        },
        cancel: spec.cancel,
        trial: spec.trial_per_minute,
    };
    breaker.check().map_err(bad)?;
    Ok(breaker)
}

fn id(text: &str) -> Result<BreakerId, Failure> {
    text.parse().map_err(|_| bad(format!("{text:?} is no breaker")))
}

fn bad(message: String) -> Failure {
    let kinds = BreakerKind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ");
    let hint = format!(
        "a breaker is KIND@SCOPE or KIND@each-venue, -account, -caller or -instrument; kinds: {kinds}"
    );
    Failure::new("bad_request", message, hint)
}

/// The breaker in the words of the administration.
pub fn spec(breaker: &Breaker) -> BreakerSpec {
    BreakerSpec {
        breaker: breaker.id.to_string(),
        limit: breaker.limit.to_string(),
        window_s: breaker.window.millis() / 1000,
        least: breaker.least,
        stops: breaker.stops.word().to_owned(),
        cancel: breaker.cancel,
        trial_per_minute: breaker.trial,
    }
}

/// Whether a row is of a scope that somebody may see.
pub(super) fn keep_seen(rows: &mut Vec<BreakerStatus>, seen: impl Fn(&str) -> bool) {
    for row in rows.iter_mut() {
        row.places.retain(|place| place.scope.parse::<Scope>().is_ok() && seen(&place.scope));
    }
    rows.retain(|row| row.places.iter().any(|place| place.stage != "closed"));
}
