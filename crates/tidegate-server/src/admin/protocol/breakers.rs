//! Circuit breakers, as they are set and told.

use serde::{Deserialize, Serialize};

/// A circuit breaker to be set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakerSpec {
    /// Which: `KIND@SCOPE`, or `KIND@each-venue`, `-account`, `-caller` or `-instrument`.
    pub breaker: String,
    /// The value at which it trips, in the kind's unit.
    pub limit: String,
    /// How far back it measures, in seconds; without meaning for kinds that have no window.
    #[serde(default = "minute")]
    pub window_s: u64,
    /// It does not trip by fewer measurements.
    #[serde(default = "one")]
    pub least: u64,
    /// `increases` or `all`.
    #[serde(default = "increases")]
    pub stops: String,
    /// A trip cancels the callers' open orders.
    #[serde(default)]
    pub cancel: bool,
    /// How many orders pass within a minute while it is half-open.
    #[serde(default = "few")]
    pub trial_per_minute: u64,
}

fn minute() -> u64 {
    60
}

fn one() -> u64 {
    1
}

fn increases() -> String {
    "increases".to_owned()
}

fn few() -> u64 {
    6
}

/// A circuit breaker as `status` tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BreakerStatus {
    /// Which: `KIND@SCOPE` or `KIND@each-…`.
    pub breaker: String,
    /// What it measures.
    pub measures: String,
    /// The value at which it trips.
    pub limit: String,
    /// The unit of that.
    pub unit: String,
    /// How far back it measures, in seconds, if it has a window.
    pub window_s: Option<u64>,
    /// It does not trip by fewer measurements.
    pub least: u64,
    /// `increases` or `all`.
    pub stops: String,
    /// A trip cancels the callers' open orders.
    pub cancel: bool,
    /// How many orders pass within a minute while it is half-open.
    pub trial_per_minute: u64,
    /// Where it measured something, those that are not closed first; of many the first few.
    pub places: Vec<BreakerPlace>,
}

/// A breaker at one place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BreakerPlace {
    /// Where.
    pub scope: String,
    /// `closed`, `tripped` or `half-open`.
    pub stage: String,
    /// What it measures now.
    pub measured: Option<String>,
    /// Of how many measurements.
    pub count: u64,
    /// What it measured when it tripped last.
    pub tripped_at: Option<String>,
    /// Since when it is not closed, or half-open, in ms since 1970.
    pub since_ms: Option<u64>,
    /// How often it tripped since it was closed.
    pub times: u64,
    /// How many orders, amends and settings it stopped since it was closed.
    pub stopped: u64,
}

/// A venue's clock as `status` tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClockStatus {
    /// Whose.
    pub venue: String,
    /// By how many microseconds it is ahead of the gateway's; behind below zero.
    pub ahead_us: i64,
    /// By how much this may be wrong, either way.
    pub give_us: u64,
    /// When it was compared, in ms since 1970.
    pub at_ms: u64,
    /// Whether signed requests are stamped by it; by the machine's otherwise.
    #[serde(default)]
    pub used: bool,
}
