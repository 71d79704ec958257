//! The limits of an account's options, as they are asked for, and how they stand.

use super::grants::{amount, name};
use super::protocol::{Failure, OptionLimitsSpec, OptionsStatus};
use tidegate_core::state::State;
use tidegate_types::ids::AccountName;
use tidegate_types::instrument::{Qty, Usd};
use tidegate_types::options::{OptionLimits, Stress};

/// The limits that `spec` describes.
pub(super) fn limits(spec: OptionLimitsSpec) -> Result<OptionLimits, Failure> {
    let usd = |what: &str, text: Option<String>| {
        text.map(|text| amount(what, &text).map(Usd)).transpose()
    };
    let usual = Stress::STANDARD;
    let above = usd("concentrated_above", spec.concentrated_above)?;
    Ok(OptionLimits {
        account: name("account", &spec.account)?,
        max_delta: usd("max_delta", spec.max_delta)?,
        max_gamma: usd("max_gamma", spec.max_gamma)?,
        max_vega: usd("max_vega", spec.max_vega)?,
        max_theta: usd("max_theta", spec.max_theta)?,
        max_net_short: spec
            .max_net_short
            .map(|text| amount("max_net_short", &text).map(Qty))
            .transpose()?,
        max_margin_bps: spec.max_margin_bps,
        stress: Stress {
            range_bps: spec.range_bps.unwrap_or(usual.range_bps),
            vol_up_bps: spec.vol_up_bps.unwrap_or(usual.vol_up_bps),
            vol_down_bps: spec.vol_down_bps.unwrap_or(usual.vol_down_bps),
            short_bps: spec.short_bps.unwrap_or(usual.short_bps),
            expiry_bps: spec.expiry_bps.unwrap_or(usual.expiry_bps),
            concentrated_above: above.unwrap_or(usual.concentrated_above),
            concentration_bps: spec.concentration_bps.unwrap_or(usual.concentration_bps),
        },
    })
}

/// How an account's options stand; none where it has neither options nor limits for them.
pub(crate) fn standing(state: &State, account: &AccountName) -> Option<OptionsStatus> {
    let standing = state.options_of(account)?;
    let (weighed, limits) = (standing.weighed, state.option_limits().get(account));
    let most = limits.zip(standing.equity).and_then(|(limits, equity)| limits.most_margin(equity));
    Some(OptionsStatus {
        margin: weighed.margin.to_string(),
        max_margin: most.map(|most| most.to_string()),
        equity: standing.equity.map(|equity| equity.to_string()),
        delta: weighed.delta.to_string(),
        gamma: weighed.gamma.to_string(),
        vega: weighed.vega.to_string(),
        theta: weighed.theta.to_string(),
    })
}
