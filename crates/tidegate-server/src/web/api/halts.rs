//! Halts: what stands in a caller's way, and how it stops itself.

use super::ask::content;
use super::problem::Problem;
use super::vocabulary::{Amount, When};
use super::{Api, Change, json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tidegate_core::action::Answer;
use tidegate_core::breakers::{Place, Stage, Trip};
use tidegate_core::state::{Halt as Known, State};
use tidegate_identity::Named;
use tidegate_types::breaker::Stops;
use tidegate_types::grant::Scope;
use tidegate_types::ids::PersonName;
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::Code;
use tidegate_types::request::Reply;

/// How long a halt waits for its proof.
const PATIENCE: Duration = Duration::from_secs(5);

/// A halt in force.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Halt {
    /// What it covers: `all`, `desk:NAME`, `venue:NAME`, `account:NAME`, `caller:NAME`,
    /// `instrument:VENUE/NAME` or `order:NUMBER`.
    pub(super) scope: String,
    /// Why.
    pub(super) reason: String,
    /// Orders that reduce a position still pass.
    pub(super) allow_reduce: bool,
    /// Since when.
    pub(super) since: When,
    /// The venue showed no live order of the scope.
    pub(super) proven: bool,
}

/// The halts and breakers that stand in a caller's way.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Halts {
    /// The halts.
    pub(super) items: Vec<Halt>,
    /// The circuit breakers that are not closed.
    pub(super) breakers: Vec<Tripped>,
}

/// A circuit breaker that is not closed.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Tripped {
    /// What it covers, as a halt's scope says it.
    #[schemars(regex(pattern = r"^[!-~]{1,200}$"), length(max = 200))]
    pub(super) scope: String,
    /// What it measures, in a word.
    #[schemars(regex(pattern = r"^[a-z-]{1,32}$"), length(max = 32))]
    pub(super) kind: String,
    /// How far it is from closed.
    pub(super) state: TripState,
    /// What it measured when it tripped.
    pub(super) measured: Amount,
    /// The limit that this reached.
    pub(super) limit: Amount,
    /// The unit of both.
    #[schemars(regex(pattern = r"^([A-Za-z]{1,16}|%)$"), length(max = 16))]
    pub(super) unit: String,
    /// Since when it is so.
    pub(super) since: When,
    /// What it stops.
    pub(super) stops: StopsWord,
}

/// How far a breaker is from closed.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum TripState {
    /// It stops orders.
    Tripped,
    /// A person lets a few orders pass within a minute, to see.
    HalfOpen,
}

/// What a breaker stops. Cancels pass it always.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum StopsWord {
    /// Orders that do not reduce a position.
    Increases,
    /// Every order.
    All,
}

/// A halt of oneself.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct NewHalt {
    /// Why.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[ -~]+$"))]
    pub(super) reason: String,
    /// Orders that reduce a position still pass.
    #[serde(default)]
    pub(super) allow_reduce: bool,
}

/// The halts and breakers that cover something of what a caller may do.
pub(super) fn halts(state: &State, who: &Authenticated) -> Halts {
    let halts = state.halts().iter().filter(|(scope, _)| binds(state, scope, who));
    let items = halts.map(|(scope, halt)| shown(scope, halt)).collect();
    let breakers = state.breakers();
    let trips = breakers.trips().iter().filter(|(place, _)| binds(state, &place.scope, who));
    let rows = trips.filter_map(|(place, trip)| {
        let rule = breakers.rules().get(&place.breaker)?;
        Some(tripped(place, trip, rule.stops))
    });
    Halts { items, breakers: rows.collect() }
}

fn tripped(place: &Place, trip: &Trip, stops: Stops) -> Tripped {
    let kind = place.breaker.kind;
    Tripped {
        scope: place.scope.to_string(),
        kind: kind.word().to_owned(),
        state: match trip.stage {
            Stage::Tripped => TripState::Tripped,
            Stage::HalfOpen => TripState::HalfOpen,
        },
        measured: Amount(trip.measured),
        limit: Amount(trip.limit),
        unit: kind.measure().unit().to_owned(),
        since: When(trip.since),
        stops: match stops {
            Stops::Increases => StopsWord::Increases,
            Stops::All => StopsWord::All,
        },
    }
}

/// Whether a halt of this scope covers something of what a caller may do.
pub(super) fn binds(state: &State, scope: &Scope, who: &Authenticated) -> bool {
    match scope {
        Scope::All | Scope::Desk { .. } => true,
        Scope::Venue { name } => name == who.venue(),
        Scope::Account { name } => name == who.account(),
        Scope::Caller { name } => name == who.caller(),
        Scope::Instrument { id } => id.venue == *who.venue(),
        Scope::Order { id } => {
            let order = state.orders().get(*id);
            order.is_some_and(|order| order.caller.as_ref() == Some(who.caller()))
        }
    }
}

impl Api {
    /// Halts the caller itself. Recorded as its own doing, under a name that is no person's.
    pub(super) async fn halt(&self, asked: Change<'_>) -> Result<Reply, Problem> {
        let Change { named, request, now, .. } = asked;
        let read = || {
            self.desk.may_read(named.caller(), named.account(), now)?;
            let asked = content::<NewHalt>(request)?;
            let printable = asked.reason.chars().all(|c| (' '..='~').contains(&c));
            if asked.reason.is_empty() || asked.reason.len() > 200 || !printable {
                let what = "reason is 1 to 200 printable characters";
                return Err(Problem::new(Code::BadParameter, what));
            }
            Ok::<_, Problem>((super::trade::key_of(request)?, asked))
        };
        let (key, asked) = read().inspect_err(|problem| self.note(&named, problem))?;
        self.once(&named, key, request, now, self.halt_caller(&named, asked)).await
    }

    async fn halt_caller(&self, who: &Named, asked: NewHalt) -> Result<Reply, Problem> {
        let by = PersonName::new(&format!("caller.{}", who.caller()));
        let by = by.map_err(|e| Problem::new(Code::OutOfRange, e.to_string()))?;
        let scope = Scope::Caller { name: who.caller().clone() };
        // In force once this returns; what is waited for is the proof.
        let proof = self.desk.halt(by, scope.clone(), asked.reason, asked.allow_reduce, false);
        if let Ok(Answer::Refused { reject }) = tokio::time::timeout(PATIENCE, proof).await {
            return Err(Problem::of(&reject));
        }
        let halt = self.look(|state| state.halts().get(&scope).map(|halt| shown(&scope, halt)));
        let lifted = || Problem::new(Code::Halted, "it was lifted before it was proven");
        let halt = halt.ok_or_else(lifted)?;
        json(if halt.proven { 201 } else { 202 }, &halt)
    }
}

fn shown(scope: &Scope, halt: &Known) -> Halt {
    Halt {
        scope: scope.to_string(),
        reason: halt.reason.clone(),
        allow_reduce: halt.allow_reduce,
        since: When(halt.since),
        proven: halt.proven,
    }
}
