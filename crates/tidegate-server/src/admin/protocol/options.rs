//! The limits of an account's options, and how they stand, in their text form.

use serde::{Deserialize, Serialize};

/// The limits of an account's options. What is left out is not limited, or as it is for everybody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionLimitsSpec {
    /// Which account.
    pub account: String,
    /// Most that it may follow its coins by, in dollars.
    #[serde(default)]
    pub max_delta: Option<String>,
    /// Most that this may change by one percent, in dollars.
    #[serde(default)]
    pub max_gamma: Option<String>,
    /// Most that one point of volatility may cost or bring, in dollars.
    #[serde(default)]
    pub max_vega: Option<String>,
    /// Most that a day may cost or bring, in dollars.
    #[serde(default)]
    pub max_theta: Option<String>,
    /// Most coins of one expiry that may be sold more than bought.
    #[serde(default)]
    pub max_net_short: Option<String>,
    /// The part of the equity that the worst scenario may take, in basis points.
    pub max_margin_bps: u32,
    /// How far prices move in the scenarios, in basis points.
    #[serde(default)]
    pub range_bps: Option<u32>,
    /// How far volatility rises with 30 days to go, in basis points of itself.
    #[serde(default)]
    pub vol_up_bps: Option<u32>,
    /// How far it falls.
    #[serde(default)]
    pub vol_down_bps: Option<u32>,
    /// What is added for options sold, in basis points of their underlying.
    #[serde(default)]
    pub short_bps: Option<u32>,
    /// What is added to that in their last day.
    #[serde(default)]
    pub expiry_bps: Option<u32>,
    /// From what worth of the underlying on options sold are a concentration, in dollars.
    #[serde(default)]
    pub concentrated_above: Option<String>,
    /// What is added for what is above, in basis points.
    #[serde(default)]
    pub concentration_bps: Option<u32>,
}

/// How an account's options stand with all else that it holds of their coins, open orders at their worst fill; in
/// dollars.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OptionsStatus {
    /// What the worst scenario would take, with what is added for options sold.
    pub margin: String,
    /// Most that it may, if there are limits and a figure for everything.
    #[serde(default)]
    pub max_margin: Option<String>,
    /// What the account has: its balances and its options; none where a balance cannot be valued.
    #[serde(default)]
    pub equity: Option<String>,
    /// How far it follows its coins, either way.
    pub delta: String,
    /// How far that changes by one percent.
    pub gamma: String,
    /// What one point of volatility may cost or bring.
    pub vega: String,
    /// What a day may cost or bring.
    pub theta: String,
}
