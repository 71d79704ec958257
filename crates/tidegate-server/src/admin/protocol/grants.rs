//! Grants and limits, as they are asked for.

use serde::{Deserialize, Serialize};

/// A grant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantSpec {
    /// Who.
    pub caller: String,
    /// On which account.
    pub account: String,
    /// It may trade; otherwise it may only read.
    #[serde(default)]
    pub trade: bool,
    /// Which instruments: names, `*` for any run of characters.
    #[serde(default)]
    pub instruments: Vec<String>,
    /// `buy`, `sell`; both when empty.
    #[serde(default)]
    pub sides: Vec<String>,
    /// `limit`, `market`, `market_limit`, `stop_market`, `stop_limit`, `take_market`,
    /// `take_limit`; all when empty.
    #[serde(default)]
    pub order_types: Vec<String>,
    /// Only orders that reduce the account's position.
    #[serde(default)]
    pub reduce_only: bool,
    /// Largest order in the instrument's own unit.
    #[serde(default)]
    pub max_order_qty: Option<String>,
    /// Largest order in dollars.
    pub max_order_notional: String,
    /// Most that the caller's open orders may be worth together, in dollars.
    pub max_open_notional: String,
    /// Most that the caller may trade in a day (UTC), its open orders included, in dollars.
    #[serde(default)]
    pub max_daily_notional: Option<String>,
    /// Orders and amends a second, sustained.
    pub orders_per_second: u32,
    /// Orders and amends at once.
    pub burst: u32,
    /// It may change account settings.
    #[serde(default)]
    pub settings: bool,
    /// It sees and cancels every order of the account.
    #[serde(default)]
    pub account_wide: bool,
    /// When in the day (UTC) it may place and amend, as `08:00-17:00`, to the quarter of an hour; all day
    /// without it.
    #[serde(default)]
    pub hours: Option<String>,
    /// On which days (UTC), as `mon-fri`; on all without it.
    #[serde(default)]
    pub days: Option<String>,
    /// When it ends, in ms since 1970.
    #[serde(default)]
    pub until_ms: Option<u64>,
}

/// An account's limits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSpec {
    /// Which account.
    pub account: String,
    /// Largest order in the instrument's own unit, by pattern; the first that matches holds.
    #[serde(default)]
    pub max_order_qty: Vec<(String, String)>,
    /// Largest order in dollars.
    pub max_order_notional: String,
    /// Most that all open orders may be worth together, in dollars.
    pub max_open_notional: String,
    /// Most that the position in one instrument may be worth, in dollars.
    pub max_position_notional: String,
    /// Most that all positions with their open orders may be worth together, in dollars.
    pub max_exposure: String,
    /// How far from the mark a price may be, in basis points.
    pub collar_bps: u32,
    /// The same for options.
    pub option_collar_bps: u32,
    /// How old a mark may be, in ms.
    pub max_mark_age_ms: u64,
    /// Orders and amends a second, all callers together.
    pub orders_per_second: u32,
    /// Orders and amends at once.
    pub burst: u32,
    /// For how long the same order from the same caller is a repeat, in ms; zero: never.
    #[serde(default)]
    pub repeat_window_ms: u64,
    /// What becomes of a repeat.
    #[serde(default)]
    pub on_repeat: RepeatSpec,
    /// After how long without Tidegate the venue cancels every order, in seconds; zero: never.
    #[serde(default)]
    pub dead_man_s: u64,
}

/// What becomes of an order that is the same as one moments before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepeatSpec {
    /// It is refused.
    #[default]
    Refuse,
    /// It passes, and the operator is told.
    Warn,
}
