//! The venue's own margin, from the answer about an account.
//!
//! Its totals are in dollars. In multi-assets mode they are of everything; in single-asset mode they are of USDT
//! alone, and another asset that contracts are settled in stands for itself. The answer does not tell the
//! mode, but then USDT's own margin is the total.

use super::wire::decimal;
use crate::raw::Fields;
use tidegate_types::ids::Currency;
use tidegate_types::venue_margin::VenueMargin;

const USDT: &str = "USDT";

/// What the answer tells. Figures that are missing are no reason to do without the rest of a snapshot.
pub(crate) fn margins(account: &Fields<'_>, assets: &[Fields<'_>]) -> Vec<VenueMargin> {
    let of_all = ["totalMarginBalance", "totalInitialMargin", "totalMaintMargin"];
    let of_one = ["marginBalance", "initialMargin", "maintMargin"];
    let Some(total) = read(account, "USD", of_all) else { return Vec::new() };
    let (mut usdt, mut others) = (None, Vec::new());
    for asset in assets {
        let Some(name) = asset.text("asset") else { continue };
        match read(asset, &name, of_one) {
            Some(own) if name == USDT => usdt = Some(own),
            Some(own) if !own.initial.is_zero() || !own.maintenance.is_zero() => others.push(own),
            _ => {}
        }
    }
    let used = |margin: &VenueMargin| (margin.initial, margin.maintenance);
    let usdt = usdt.as_ref().map(used).unwrap_or_default();
    if used(&total) != usdt {
        others.clear();
    }
    let all = std::iter::once(total).chain(others);
    all.filter(|margin| !margin.is_empty()).collect()
}

fn read(
    object: &Fields<'_>,
    asset: &str,
    [equity, initial, maintenance]: [&str; 3],
) -> Option<VenueMargin> {
    let figure = |name| decimal(object, name).ok();
    Some(VenueMargin {
        asset: Currency::new(asset).ok()?,
        model: None,
        equity: figure(equity)?,
        initial: figure(initial)?,
        maintenance: figure(maintenance)?,
        available: figure("availableBalance"),
        projected_initial: None,
        projected_maintenance: None,
        greeks: None,
    })
}

#[cfg(test)]
mod tests;
