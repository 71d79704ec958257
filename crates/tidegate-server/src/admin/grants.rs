//! Grants and limits, from the texts they are given in.

use super::protocol::{Failure, GrantSpec, LimitsSpec, RepeatSpec};
use std::fmt::Display;
use std::str::FromStr;
use tidegate_types::Decimal;
use tidegate_types::grant::{AccountLimits, Grant, OnRepeat, Pattern};
use tidegate_types::hours::{Days, Hours, Window};
use tidegate_types::ids::VenueName;
use tidegate_types::instrument::{Qty, Usd};
use tidegate_types::order::{OrderType, Side};
use tidegate_types::time::{Span, Time};

/// The words for sides.
pub(crate) const SIDES: [(&str, Side); 2] = [("buy", Side::Buy), ("sell", Side::Sell)];
/// The words for order types.
pub(crate) const ORDER_TYPES: [(&str, OrderType); 7] = [
    ("limit", OrderType::Limit),
    ("market", OrderType::Market),
    ("market_limit", OrderType::MarketLimit),
    ("stop_market", OrderType::StopMarket),
    ("stop_limit", OrderType::StopLimit),
    ("take_market", OrderType::TakeMarket),
    ("take_limit", OrderType::TakeLimit),
];

/// The grant that `spec` describes, on an account of `venue`.
pub(super) fn grant(spec: GrantSpec, venue: VenueName) -> Result<Grant, Failure> {
    Ok(Grant {
        caller: name("caller", &spec.caller)?,
        venue,
        account: name("account", &spec.account)?,
        trade: spec.trade,
        instruments: spec.instruments.iter().map(|text| pattern(text)).collect::<Result<_, _>>()?,
        sides: words("sides", &spec.sides, &SIDES)?,
        order_types: words("order_types", &spec.order_types, &ORDER_TYPES)?,
        reduce_only: spec.reduce_only,
        max_order_qty: spec
            .max_order_qty
            .map(|text| amount("max_order_qty", &text).map(Qty))
            .transpose()?,
        max_order_notional: amount("max_order_notional", &spec.max_order_notional).map(Usd)?,
        max_open_notional: amount("max_open_notional", &spec.max_open_notional).map(Usd)?,
        max_daily_notional: spec
            .max_daily_notional
            .map(|text| amount("max_daily_notional", &text).map(Usd))
            .transpose()?,
        orders_per_second: spec.orders_per_second,
        burst: spec.burst,
        settings: spec.settings,
        account_wide: spec.account_wide,
        window: Window {
            hours: spec.hours.map_or(Ok(Hours::ALL), |text| name("hours", &text))?,
            days: spec.days.map_or(Ok(Days::ALL), |text| name("days", &text))?,
        },
        until: spec.until_ms.map(Time::from_millis),
    })
}

/// The limits that `spec` describes.
pub(super) fn limits(spec: LimitsSpec) -> Result<AccountLimits, Failure> {
    let max_order_qty = spec
        .max_order_qty
        .iter()
        .map(|(text, most)| Ok((pattern(text)?, amount("max_order_qty", most).map(Qty)?)));
    Ok(AccountLimits {
        account: name("account", &spec.account)?,
        max_order_qty: max_order_qty.collect::<Result<_, Failure>>()?,
        max_order_notional: amount("max_order_notional", &spec.max_order_notional).map(Usd)?,
        max_open_notional: amount("max_open_notional", &spec.max_open_notional).map(Usd)?,
        max_position_notional: amount("max_position_notional", &spec.max_position_notional)
            .map(Usd)?,
        max_exposure: amount("max_exposure", &spec.max_exposure).map(Usd)?,
        collar_bps: spec.collar_bps,
        option_collar_bps: spec.option_collar_bps,
        max_mark_age: Span::from_millis(spec.max_mark_age_ms),
        orders_per_second: spec.orders_per_second,
        burst: spec.burst,
        repeat_window: Span::from_millis(spec.repeat_window_ms),
        on_repeat: match spec.on_repeat {
            RepeatSpec::Refuse => OnRepeat::Refuse,
            RepeatSpec::Warn => OnRepeat::Warn,
        },
        dead_man: Span::from_secs(spec.dead_man_s),
    })
}

/// The name that `text` is.
pub(super) fn name<T: FromStr>(what: &str, text: &str) -> Result<T, Failure>
where
    T::Err: Display,
{
    text.parse().map_err(|e| bad(format!("{what} {text:?}: {e}")))
}

fn pattern(text: &str) -> Result<Pattern, Failure> {
    Pattern::new(text).map_err(|e| bad(format!("instruments {text:?}: {e}")))
}

pub(super) fn amount(what: &str, text: &str) -> Result<Decimal, Failure> {
    let amount: Decimal = text.parse().map_err(|e| bad(format!("{what} {text:?}: {e:?}")))?;
    if amount < Decimal::ZERO {
        return Err(bad(format!("{what} {text:?}: must not be negative")));
    }
    Ok(amount)
}

/// The values of these words; all there are when none is given.
fn words<T: Copy>(what: &str, given: &[String], known: &[(&str, T)]) -> Result<Vec<T>, Failure> {
    if given.is_empty() {
        return Ok(known.iter().map(|(_, value)| *value).collect());
    }
    let find = |text: &String| {
        let found = known.iter().find(|(word, _)| word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            bad(format!("{what}: {text:?} is none of {}", words.join(", ")))
        })
    };
    given.iter().map(find).collect()
}

fn bad(message: String) -> Failure {
    Failure::new("bad_request", message, "correct it and ask again")
}
