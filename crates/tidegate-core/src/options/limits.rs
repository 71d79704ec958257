//! Holding the limits of an account's options against its portfolio with an order and without it.

use super::{Equity, Weighing};
use crate::over;
use tidegate_types::decimal::Decimal;
use tidegate_types::instrument::{Instrument, Usd};
use tidegate_types::options::OptionLimits;
use tidegate_types::reject::{Code, Reject};

/// The sensitivities and what is sold of an expiry: refuses what makes one worse that is past its limit then.
pub(crate) fn figures(
    limits: &OptionLimits,
    terms: &Instrument,
    weighing: &Weighing,
) -> Result<(), Reject> {
    let Weighing { before, after, short } = weighing;
    let usd = |limit: Option<Usd>| limit.map(|usd| usd.0);
    let all = [
        (Code::OptionDelta, "option delta", before.delta, after.delta, limits.max_delta, " USD"),
        (
            Code::OptionGamma,
            "option gamma",
            before.gamma,
            after.gamma,
            limits.max_gamma,
            " USD for one percent",
        ),
        (
            Code::OptionVega,
            "option vega",
            before.vega,
            after.vega,
            limits.max_vega,
            " USD for one point",
        ),
        (
            Code::OptionTheta,
            "option theta",
            before.theta,
            after.theta,
            limits.max_theta,
            " USD a day",
        ),
    ];
    for (code, rule, before, after, most, unit) in all {
        held(limits, (code, rule, unit), (before.0, after.0), usd(most))?;
    }
    let Some((before, after)) = *short else { return Ok(()) };
    let coins = |raw| Decimal::from_raw(i64::try_from(raw).unwrap_or(i64::MAX));
    let rule = format!("net short {} options of an expiry", terms.base);
    let most = limits.max_net_short.map(|most| most.0);
    held(limits, (Code::NetShortOptions, &rule, ""), (coins(before), coins(after)), most)
}

/// The worst scenario: refuses what makes it worse where it takes more of the equity than it may.
pub(crate) fn margin(
    limits: &OptionLimits,
    weighing: &Weighing,
    Equity { usd: equity, left_out }: &Equity,
) -> Result<(), Reject> {
    let equity = *equity;
    let most = limits.most_margin(equity).ok_or_else(|| {
        Reject::new(Code::Uncomputable, format!("a part of the equity, {equity} USD"))
    })?;
    let (before, after) = (weighing.before.margin.0, weighing.after.margin.0);
    let rule = (Code::ScenarioMargin, "scenario margin", " USD");
    held(limits, rule, (before, after), Some(most.0)).map_err(|past| {
        let detail = format!("{}, {} bp of {equity}", past.detail, limits.max_margin_bps);
        left_out.clone().unwrap_or_else(|| Reject::new(past.code, detail))
    })
}

fn held(
    limits: &OptionLimits,
    (code, rule, unit): (Code, &str, &'static str),
    (before, after): (Decimal, Decimal),
    most: Option<Decimal>,
) -> Result<(), Reject> {
    let Some(most) = most.filter(|most| after > *most && after > before) else { return Ok(()) };
    let told = over::most(rule, &over::account(&limits.account), after, most, unit);
    Err(Reject::new(code, format!("{told}; {before} before this order")))
}
