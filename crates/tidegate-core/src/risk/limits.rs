//! How large one order may be.

use crate::authorize::Ask;
use crate::orders::worth;
use crate::over;
use crate::positions::usd;
use tidegate_types::grant::{AccountLimits, Grant};
use tidegate_types::instrument::{Price, Usd};
use tidegate_types::reject::{Code, Reject};

/// The quantity, by the grant and by the account's first pattern that matches.
pub(super) fn quantity(ask: &Ask<'_>, grant: &Grant, limits: &AccountLimits) -> Result<(), Reject> {
    let qty = ask.order.qty;
    let by_account = limits.max_order_qty.iter();
    let by_account = by_account.filter(|(pattern, _)| pattern.matches(&ask.instrument.id.name));
    let by_account = by_account.map(|(_, most)| (over::account(&limits.account), *most)).next();
    let by_grant = grant.max_order_qty.map(|most| (over::grant(grant), most));
    for (whose, most) in by_grant.into_iter().chain(by_account) {
        if qty > most {
            let detail = over::most("order quantity", &whose, qty.0, most.0, "");
            return Err(Reject::new(Code::OrderQuantity, detail));
        }
    }
    Ok(())
}

/// What the whole order is worth at worst, rounded up.
pub(super) fn notional(ask: &Ask<'_>, unit_value: Price) -> Result<Usd, Reject> {
    let worth = worth(ask.order.qty, unit_value);
    if worth >= i128::from(i64::MAX) {
        return Err(Reject::new(Code::Uncomputable, "the order's worth is out of range"));
    }
    Ok(usd(worth))
}

/// The worth, against whose limit.
pub(super) fn order_notional(notional: Usd, whose: &str, most: Usd) -> Result<(), Reject> {
    if notional > most {
        let detail = over::most("order notional", whose, notional.0, most.0, " USD");
        return Err(Reject::new(Code::OrderNotional, detail));
    }
    Ok(())
}
