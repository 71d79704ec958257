//! The limits of an account's options: sensitivities, what is sold of an expiry, and the margin of the worst
//! scenario, over all it holds and has ordered of its coins.

use crate::authorize::Authorized;
use crate::options::{Asked, limits};
use crate::state::State;
use tidegate_options::portfolio::Weighed;
use tidegate_types::instrument::Price;
use tidegate_types::options::OptionFigures;
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
    let order = Asked::of(ask.order.side, ask.remaining(), Some(worst), held);
    let Some(weighing) = state.weigh(account, ask.instrument, order)? else { return Ok(None) };
    limits::figures(limits, ask.instrument, &weighing)?;
    let equity = state.collateral(account, weighing.before.worth, ask.instrument)?;
    limits::margin(limits, &weighing, &equity)?;
    let Weighed { margin, delta, gamma, vega, theta, .. } = weighing.after;
    Ok(Some(OptionFigures { margin, equity: equity.usd, delta, gamma, vega, theta }))
}
