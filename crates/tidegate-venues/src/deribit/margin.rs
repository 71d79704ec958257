//! The venue's own margin, from the summaries of an account.
//!
//! Each currency stands for itself, in its own coin, unless they are collateral for each other: then every
//! one of their summaries tells the whole account's margin, converted to its coin, and besides the same
//! totals in dollars. Those are taken once.

use super::rows::rounded;
use serde_json::Value;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::Currency;
use tidegate_types::venue_margin::{MarginGreeks, VenueMargin};

/// More of the venue's word for its model is not kept.
const LONGEST_MODEL: usize = 32;

/// What the summaries tell. Figures that are missing are no reason to do without the rest of a snapshot.
pub(crate) fn margins(summaries: &[Value]) -> Vec<VenueMargin> {
    let (crossed, alone): (Vec<&Value>, Vec<&Value>) =
        summaries.iter().partition(|summary| is_crossed(summary));
    let whole = crossed.into_iter().find_map(in_dollars);
    let own = alone.into_iter().filter_map(in_coin);
    whole.into_iter().chain(own).filter(|margin| !margin.is_empty()).collect()
}

fn is_crossed(summary: &Value) -> bool {
    summary.get("cross_collateral_enabled").and_then(Value::as_bool) == Some(true)
}

fn in_dollars(summary: &Value) -> Option<VenueMargin> {
    let figure = |name| rounded(summary, name);
    Some(VenueMargin {
        asset: Currency::new("USD").ok()?,
        model: model(summary),
        equity: figure("total_margin_balance_usd").or_else(|| figure("total_equity_usd"))?,
        initial: figure("total_initial_margin_usd")?,
        maintenance: figure("total_maintenance_margin_usd")?,
        available: None,
        projected_initial: None,
        projected_maintenance: None,
        greeks: None,
    })
}

fn in_coin(summary: &Value) -> Option<VenueMargin> {
    let figure = |name| rounded(summary, name);
    let currency = summary.get("currency").and_then(Value::as_str)?;
    Some(VenueMargin {
        asset: Currency::new(currency).ok()?,
        model: model(summary),
        equity: figure("margin_balance")?,
        initial: figure("initial_margin")?,
        maintenance: figure("maintenance_margin")?,
        available: figure("available_funds"),
        projected_initial: figure("projected_initial_margin"),
        projected_maintenance: figure("projected_maintenance_margin"),
        greeks: greeks(figure),
    })
}

fn greeks(figure: impl Fn(&'static str) -> Option<Decimal>) -> Option<MarginGreeks> {
    Some(MarginGreeks {
        delta: figure("delta_total")?,
        gamma: figure("options_gamma")?,
        vega: figure("options_vega")?,
        theta: figure("options_theta")?,
    })
}

fn model(summary: &Value) -> Option<String> {
    let word = summary.get("margin_model").and_then(Value::as_str)?;
    Some(word.chars().take(LONGEST_MODEL).collect())
}

#[cfg(test)]
mod tests;
