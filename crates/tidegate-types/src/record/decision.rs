//! The numbers behind an answer.

use crate::codec_struct;
use crate::instrument::{Price, SignedQty, Usd};
use crate::time::Span;

/// The version of the rules that decide; part of every decision.
pub const RULES: u32 = 1;

/// The numbers a decision was made from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decision {
    /// The version of the rules.
    pub rules: u32,
    /// The mark in force.
    pub mark: Option<Price>,
    /// The index in force.
    pub index: Option<Price>,
    /// How old the mark was.
    pub mark_age: Option<Span>,
    /// The worst price the order may trade at.
    pub worst_price: Option<Price>,
    /// What one unit of quantity is worth at worst, in dollars.
    pub unit_value: Option<Price>,
    /// What the order is worth at worst.
    pub notional: Option<Usd>,
    /// What the caller's open orders are worth, this one included.
    pub caller_open: Option<Usd>,
    /// What the caller traded today (UTC) and its open orders are worth, this one included.
    pub caller_day: Option<Usd>,
    /// What the account's open orders are worth, this one included.
    pub account_open: Option<Usd>,
    /// What the position may come to be worth, open orders and this one included.
    pub position_worst: Option<Usd>,
    /// What all of the account's positions may come to be worth, open orders and this one included.
    pub exposure: Option<Usd>,
    /// The account's position in the instrument before.
    pub position: Option<SignedQty>,
    /// The order was taken as reducing the position.
    pub reducing: bool,
}
codec_struct!(Decision {
    rules,
    mark,
    index,
    mark_age,
    worst_price,
    unit_value,
    notional,
    caller_open,
    caller_day,
    account_open,
    position_worst,
    exposure,
    position,
    reducing,
});
