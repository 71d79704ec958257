//! Policies and overrides, as they are asked for and told.

use serde::{Deserialize, Serialize};

/// The policies that the desk knows, and what of them is used.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct PolicyStatus {
    /// The one in force; without one the limits of accounts and grants hold alone.
    pub in_force: Option<InForce>,
    /// The one that runs beside it.
    pub shadow: Option<Shadow>,
    /// Single orders that may pass soft rules.
    pub overrides: Vec<OverrideStatus>,
    /// What the accounts hold, valued as the policy in force does; none without one, and for who sees its own
    /// callers only.
    pub holdings: Vec<HoldingStatus>,
}

/// What an account holds of an instrument or coin, and what that is worth.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HoldingStatus {
    /// Which account.
    pub account: String,
    /// Of what.
    pub what: String,
    /// How much; below zero where it is short or owed.
    pub amount: String,
    /// Dollars for one; none where it is not known.
    pub price: Option<String>,
    /// Whose mark or index that is; none where the policy says it.
    pub source: Option<String>,
    /// How old that mark is.
    pub age_ms: Option<u64>,
    /// What it is worth in dollars.
    pub worth: Option<String>,
}

/// A policy in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InForce {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its canonical form, in hex.
    pub digest: String,
    /// Why it was put in force, as whoever did it said; none for who sees its own callers only.
    pub reason: Option<String>,
    /// Its canonical form: the file that `digest` is of; empty for who sees its own callers only.
    pub file: String,
    /// Its rules, with what of each is used.
    pub rules: Vec<RuleStatus>,
}

/// A rule, and what of it is used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RuleStatus {
    /// Its id.
    pub rule: String,
    /// The rule on one line.
    pub text: String,
    /// What it limits.
    pub kind: String,
    /// Somebody may let a single order pass it.
    pub soft: bool,
    /// What is used of it now, a row for each part that is counted by itself; none where it looks at each
    /// order alone, and for who may not see it.
    pub used: Vec<UseStatus>,
}

/// How far a limit is used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UseStatus {
    /// Over what: `desk`, `account main`.
    pub of: String,
    /// The number now.
    pub measured: String,
    /// The limit.
    pub limit: String,
    /// What both count: `USD`, `bp`, `times`, or nothing for a count.
    pub unit: String,
    /// It stays refused until a person lets it go on.
    pub stopped: bool,
    /// The same for people.
    pub text: String,
}

/// A policy that runs beside the one in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shadow {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its canonical form, in hex.
    pub digest: String,
    /// Its canonical form.
    pub file: String,
    /// What it would have refused since it runs, by rule; `not-allowed` where no rule allows the order.
    pub refused: Vec<ShadowCount>,
}

/// What a shadow would have refused by one rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShadowCount {
    /// By which rule.
    pub rule: String,
    /// How many orders and amends.
    pub count: u64,
}

/// What a policy would change, before anybody asks for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyChecked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its canonical form, in hex.
    pub digest: String,
    /// It loosens what is in force.
    pub loosens: bool,
    /// Putting it in force waits for a second person.
    pub takes_two: bool,
    /// Names in it that the desk does not know, a line each.
    pub unknown: Vec<String>,
}

/// A single order that may pass soft rules.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideSpec {
    /// Whose order.
    pub caller: String,
    /// On which account.
    pub account: String,
    /// Of what, as `VENUE/NAME`.
    pub instrument: String,
    /// `buy` or `sell`.
    pub side: String,
    /// Largest quantity, in the instrument's own unit.
    pub max_quantity: String,
    /// Which rules it passes.
    pub rules: Vec<String>,
    /// Why.
    pub reason: String,
    /// For how long it is good, in seconds.
    pub valid_s: u64,
}

/// Executions to let go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSpec {
    /// Which rule stopped them.
    pub rule: String,
    /// Whose.
    pub caller: String,
    /// Of what, as `VENUE/NAME`.
    pub instrument: String,
    /// `buy` or `sell`.
    pub side: String,
    /// Why.
    pub reason: String,
}

/// An override as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OverrideStatus {
    /// Its id.
    pub id: String,
    /// Whose order.
    pub caller: String,
    /// On which account.
    pub account: String,
    /// Of what.
    pub instrument: String,
    /// `buy` or `sell`.
    pub side: String,
    /// Largest quantity.
    pub max_quantity: String,
    /// Which rules it passes.
    pub rules: Vec<String>,
    /// Why.
    pub reason: String,
    /// When it is good no more, in ms since 1970.
    pub expires_ms: u64,
}
