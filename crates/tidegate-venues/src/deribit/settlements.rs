//! From where a position's profit is counted that is not in the wallet yet.
//!
//! Once a day the venue pays what futures made into the wallet; `average_price` stays, and from then on
//! `floating_profit_loss` is counted from `settlement_price`. That is the instrument's last settlement and
//! stands there also for a position that was opened after it: which of the two prices counts is
//! told by the profit itself.

use super::{names, rows};
use serde_json::Value;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::instrument::Price;
use tidegate_types::report::Settlement;

/// The settlement that a position was held over; none where its profit is counted from its own entry, or the
/// venue tells too little.
pub(crate) fn settlement(row: &Value) -> Option<Settlement> {
    let position = rows::position(row).ok()?;
    let name = position.instrument.name.as_str();
    if names::kind(name) != "future" || position.qty.0.is_zero() {
        return None;
    }
    let price = |field| rows::rounded(row, field).filter(|price| price.is_positive());
    let (settled, mark) = (price("settlement_price")?, price("mark_price")?);
    let floating = rows::rounded(row, "floating_profit_loss")?;
    let off = |from| Some(won(name, position.qty.0, from, mark)?.sub(floating).ok()?.abs());
    let from_entry = position.entry.and_then(|entry| off(entry.0))?;
    let nearer = off(settled)? < from_entry;
    nearer.then_some(Settlement { instrument: position.instrument, price: Price(settled) })
}

/// What a position won between two prices, in what it is settled in.
fn won(name: &str, qty: Decimal, from: Decimal, to: Decimal) -> Option<Decimal> {
    let is_linear = name.split('-').next().is_some_and(|pair| pair.contains('_'));
    if is_linear {
        return qty.mul(to.sub(from).ok()?, Rounding::Nearest).ok();
    }
    let coins = |price| qty.div(price, Rounding::Nearest).ok();
    coins(from)?.sub(coins(to)?).ok()
}

#[cfg(test)]
mod tests;
