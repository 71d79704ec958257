//! Halts: what stands in a caller's way, and how it stops itself.

use super::ask::content;
use super::problem::Problem;
use super::vocabulary::When;
use super::{Api, Change, json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tidegate_core::action::Answer;
use tidegate_core::state::{Halt as Known, State};
use tidegate_identity::Named;
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

/// The halts that stand in a caller's way.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Halts {
    /// The halts.
    pub(super) items: Vec<Halt>,
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

/// The halts that cover something of what a caller may do.
pub(super) fn halts(state: &State, who: &Authenticated) -> Halts {
    let halts = state.halts().iter().filter(|(scope, _)| binds(state, scope, who));
    Halts { items: halts.map(|(scope, halt)| shown(scope, halt)).collect() }
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
