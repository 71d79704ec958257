//! What a venue says of an account's margin, in its text form.

use serde::{Deserialize, Serialize};

/// What an account's venue says of its margin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MarginStatus {
    /// Whose word it is: the venue's name.
    pub source: String,
    /// When it told, in ms since 1970.
    pub told_ms: u64,
    /// What the margin is taken from, in dollars; like the next two none where a currency cannot be valued.
    #[serde(default)]
    pub equity: Option<String>,
    /// What positions and open orders take, in dollars.
    #[serde(default)]
    pub initial: Option<String>,
    /// Below this the account is liquidated, in dollars.
    #[serde(default)]
    pub maintenance: Option<String>,
    /// By how many dollars the maintenance margin is above our scenario margin, once that is more than a tenth of
    /// ours and more than a dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above_ours: Option<String>,
    /// The venue's own figures.
    pub rows: Vec<MarginRow>,
}

/// A venue's figures in one currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MarginRow {
    /// Which; `USD` where the venue adds several up in dollars.
    pub asset: String,
    /// How it counts, in its own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the margin is taken from.
    pub equity: String,
    /// What positions and open orders take.
    pub initial: String,
    /// Below this the account is liquidated.
    pub maintenance: String,
    /// What is left for new orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
    /// The initial margin after the next expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected_initial: Option<String>,
    /// The maintenance margin after the next expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected_maintenance: Option<String>,
    /// Delta of everything, as the venue counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<String>,
    /// Gamma of the options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gamma: Option<String>,
    /// Vega of the options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vega: Option<String>,
    /// Theta of the options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theta: Option<String>,
}
