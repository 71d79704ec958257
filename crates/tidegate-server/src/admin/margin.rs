//! What a venue says of an account's margin, as it is told.

use super::protocol::{MarginRow, MarginStatus};
use tidegate_core::state::State;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::AccountName;
use tidegate_types::venue_margin::{MarginGreeks, VenueMargin};

/// What an account's venue says of its margin; none where it told nothing.
pub(crate) fn told(state: &State, account: &AccountName) -> Option<MarginStatus> {
    let standing = state.venue_margin_of(account)?;
    let source = state.accounts().get(account)?.venue.to_string();
    let total = standing.total;
    Some(MarginStatus {
        source,
        told_ms: standing.at.millis(),
        equity: total.map(|total| total.equity.to_string()),
        initial: total.map(|total| total.initial.to_string()),
        maintenance: total.map(|total| total.maintenance.to_string()),
        above_ours: standing.above.map(|above| above.to_string()),
        rows: standing.margins.iter().map(row).collect(),
    })
}

fn row(margin: &VenueMargin) -> MarginRow {
    let told = |figure: Option<Decimal>| figure.map(|figure| figure.to_string());
    let greek = |pick: fn(&MarginGreeks) -> Decimal| told(margin.greeks.as_ref().map(pick));
    MarginRow {
        asset: margin.asset.to_string(),
        model: margin.model.clone(),
        equity: margin.equity.to_string(),
        initial: margin.initial.to_string(),
        maintenance: margin.maintenance.to_string(),
        available: told(margin.available),
        projected_initial: told(margin.projected_initial),
        projected_maintenance: told(margin.projected_maintenance),
        delta: greek(|greeks| greeks.delta),
        gamma: greek(|greeks| greeks.gamma),
        vega: greek(|greeks| greeks.vega),
        theta: greek(|greeks| greeks.theta),
    }
}

#[cfg(test)]
mod tests;
