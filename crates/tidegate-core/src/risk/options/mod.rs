//! The limits of an account's options: sensitivities, what is sold of an expiry, and the margin of the worst
//! scenario, over all it holds and has ordered of its coins.

use crate::authorize::Authorized;
use crate::options::Weighing;
use crate::state::State;
use tidegate_options::portfolio::Weighed;
use tidegate_types::decimal::Decimal;
use tidegate_types::instrument::{Instrument, Price, Qty, Usd};
use tidegate_types::options::{OptionFigures, OptionLimits};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// Holds an order against the limits of its account's options, and tells by which numbers it passed; of an account
/// that has none set, nothing is asked. As with other limits, what makes nothing worse passes.
pub(super) fn check(
    state: &State,
    authorized: &Authorized<'_>,
    worst: Price,
    now: Time,
) -> Result<Option<OptionFigures>, Reject> {
    let Some(ask) = authorized.ask().filter(|ask| !ask.is_reducing()) else { return Ok(None) };
    let account = authorized.who().account();
    let Some(limits) = state.option_limits.get(account) else { return Ok(None) };
    if let Some(blind) = state.unweighed(account, now) {
        let detail = format!("{blind}, which the account holds, has no fresh figures");
        return Err(Reject::new(Code::Unvalued, detail));
    }
    let held = ask.replaces.map(crate::orders::Order::share).unwrap_or_default();
    let added = ask.remaining().saturating_sub(held.qty).max(0);
    let order = (ask.order.side, added, Some(worst));
    let Some(weighing) = state.weigh(account, ask.instrument, order)? else { return Ok(None) };
    sensitivities(limits, &weighing)?;
    sold(limits, ask.instrument, &weighing)?;
    let equity = state.equity(account, weighing.before.worth)?;
    margin(limits, &weighing, equity)?;
    let Weighed { margin, delta, gamma, vega, theta, .. } = weighing.after;
    Ok(Some(OptionFigures { margin, equity, delta, gamma, vega, theta }))
}

fn sensitivities(limits: &OptionLimits, weighing: &Weighing) -> Result<(), Reject> {
    let Weighing { before, after, .. } = weighing;
    let all = [
        (Code::OptionDelta, before.delta, after.delta, limits.max_delta, "USD"),
        (Code::OptionGamma, before.gamma, after.gamma, limits.max_gamma, "USD for one percent"),
        (Code::OptionVega, before.vega, after.vega, limits.max_vega, "USD for one point"),
        (Code::OptionTheta, before.theta, after.theta, limits.max_theta, "USD a day"),
    ];
    for (code, before, after, most, unit) in all {
        let Some(most) = most.filter(|most| after > *most && after > before) else { continue };
        let detail = format!("{after} {unit} with this order, {before} before, the limit {most}");
        return Err(Reject::new(code, detail));
    }
    Ok(())
}

fn sold(limits: &OptionLimits, terms: &Instrument, weighing: &Weighing) -> Result<(), Reject> {
    let (Some((before, after)), Some(most)) = (weighing.short, limits.max_net_short) else {
        return Ok(());
    };
    if after <= before || after <= i128::from(most.0.raw()) {
        return Ok(());
    }
    let coins = |raw| Qty(Decimal::from_raw(i64::try_from(raw).unwrap_or(i64::MAX)));
    let (before, after) = (coins(before), coins(after));
    let detail =
        format!("{after} {} with this order, {before} before, the limit {most}", terms.base);
    Err(Reject::new(Code::NetShortOptions, detail))
}

fn margin(limits: &OptionLimits, weighing: &Weighing, equity: Usd) -> Result<(), Reject> {
    let most = limits.most_margin(equity).ok_or_else(|| {
        Reject::new(Code::Uncomputable, format!("a part of the equity, {equity} USD"))
    })?;
    let (before, after) = (weighing.before.margin, weighing.after.margin);
    if after <= most || after <= before {
        return Ok(());
    }
    let detail = format!(
        "{after} USD in the worst scenario with this order, {before} before, the limit {most}: {} bp of {equity}",
        limits.max_margin_bps,
    );
    Err(Reject::new(Code::ScenarioMargin, detail))
}
