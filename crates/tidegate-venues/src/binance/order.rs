//! A new order, plain or conditional, from its parameters.

use super::errors::{illegal, missing, not_required, said};
use super::params::Params;
use crate::front::Instruments;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{CallerOrderId, InstrumentName};
use tidegate_types::instrument::{Instrument, Price, Qty};
use tidegate_types::order::{
    NewOrder, OrderType, PostOnly, SelfTrade, Side, TimeInForce, Trigger, TriggerBy,
};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// A new order of `POST /fapi/v1/order`, of `order.place` or of a batch.
pub(crate) fn plain(params: &Params, instruments: &Instruments) -> Result<NewOrder, Reject> {
    let instrument = instrument(params, instruments)?;
    let side = side(params)?;
    let order_type = match params.need("type")? {
        "LIMIT" => OrderType::Limit,
        "MARKET" => OrderType::Market,
        "STOP" | "STOP_MARKET" | "TAKE_PROFIT" | "TAKE_PROFIT_MARKET" | "TRAILING_STOP_MARKET" => {
            return Err(said(Code::BadParameter, -4120, USE_ALGO));
        }
        _ => return Err(said(Code::BadParameter, -1116, "Invalid orderType.")),
    };
    one_way(params)?;
    for name in ["stopPrice", "activationPrice", "callbackRate"] {
        if params.get(name).is_some() {
            return Err(not_required(name));
        }
    }
    computable(params)?;
    let (time_in_force, post_only) = time_in_force(params, order_type, false)?;
    Ok(NewOrder {
        instrument: instrument.id.clone(),
        side,
        order_type,
        qty: quantity(params, instrument)?,
        price: price(params, order_type, instrument)?,
        trigger: None,
        time_in_force,
        post_only,
        reduce_only: params.truth("reduceOnly")?.unwrap_or(false),
        self_trade: self_trade(params, false)?,
        caller_id: caller_id(params, "newClientOrderId")?,
        valid_until: None,
        full_answer: full_answer(params)?,
    })
}

/// A new order of `POST /fapi/v1/algoOrder` or of `algoOrder.place`.
pub(crate) fn conditional(params: &Params, instruments: &Instruments) -> Result<NewOrder, Reject> {
    if params.need("algoType")? != "CONDITIONAL" {
        return Err(illegal("algoType", "CONDITIONAL"));
    }
    let instrument = instrument(params, instruments)?;
    let side = side(params)?;
    let order_type = match params.need("type")? {
        "STOP" => OrderType::StopLimit,
        "STOP_MARKET" => OrderType::StopMarket,
        "TAKE_PROFIT" => OrderType::TakeLimit,
        "TAKE_PROFIT_MARKET" => OrderType::TakeMarket,
        "TRAILING_STOP_MARKET" => {
            let why = "a trailing stop has no trigger price that could be checked";
            return Err(Reject::new(Code::Uncomputable, why));
        }
        _ => return Err(said(Code::BadParameter, -1116, "Invalid orderType.")),
    };
    one_way(params)?;
    for name in ["activatePrice", "callbackRate"] {
        if params.get(name).is_some() {
            return Err(not_required(name));
        }
    }
    computable(params)?;
    let (time_in_force, post_only) = time_in_force(params, order_type, true)?;
    Ok(NewOrder {
        instrument: instrument.id.clone(),
        side,
        order_type,
        qty: quantity(params, instrument)?,
        price: price(params, order_type, instrument)?,
        trigger: Some(trigger(params, instrument)?),
        time_in_force,
        post_only,
        reduce_only: params.truth("reduceOnly")?.unwrap_or(false),
        self_trade: self_trade(params, true)?,
        caller_id: caller_id(params, "clientAlgoId")?,
        valid_until: None,
        full_answer: full_answer(params)?,
    })
}

const USE_ALGO: &str =
    "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.";
const PRECISION: &str = "Precision is over the maximum defined for this asset.";

/// The instrument that `symbol` names.
pub(crate) fn instrument<'a>(
    params: &Params,
    instruments: &'a Instruments,
) -> Result<&'a Instrument, Reject> {
    let symbol = params.need("symbol")?;
    let name = InstrumentName::new(symbol).ok();
    let found = name.and_then(|name| instruments.get(&name));
    found.ok_or_else(|| Reject::new(Code::UnknownInstrument, symbol.escape_default().to_string()))
}

/// The side that `side` names.
pub(crate) fn side(params: &Params) -> Result<Side, Reject> {
    match params.need("side")? {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(said(Code::BadParameter, -1117, "Invalid side.")),
    }
}

/// Refuses what belongs to hedge mode, which is not served.
pub(crate) fn one_way(params: &Params) -> Result<(), Reject> {
    match params.get("positionSide") {
        None | Some("BOTH") => Ok(()),
        Some("LONG" | "SHORT") => Err(said(
            Code::UnsupportedParameter,
            -4061,
            "Order's position side does not match user's setting.",
        )),
        Some(_) => Err(said(Code::BadParameter, -4060, "Invalid position side.")),
    }
}

/// Refuses what the venue would fill in later: a price or a quantity that no limit can be held to.
pub(crate) fn computable(params: &Params) -> Result<(), Reject> {
    if params.truth("closePosition")? == Some(true) {
        return Err(Reject::new(Code::Uncomputable, "closePosition"));
    }
    if !matches!(params.get("priceMatch"), None | Some("NONE")) {
        return Err(Reject::new(Code::Uncomputable, "priceMatch"));
    }
    if params.truth("priceProtect")? == Some(true) {
        return Err(Reject::new(Code::UnsupportedParameter, "priceProtect"));
    }
    Ok(())
}

/// The quantity, held against the instrument's steps in the venue's words.
pub(crate) fn quantity(params: &Params, instrument: &Instrument) -> Result<Qty, Reject> {
    let qty = params.decimal("quantity")?.ok_or_else(|| missing("quantity"))?;
    let bad = |number: i64, words: &str| Err(said(Code::BadQuantityStep, number, words));
    if !qty.is_positive() {
        return bad(-4003, "Quantity less than or equal to zero.");
    }
    if places(qty) > places(instrument.lot.0) {
        return bad(-1111, PRECISION);
    }
    if Qty(qty) < instrument.min_qty {
        return bad(-4004, "Quantity less than min quantity.");
    }
    if instrument.max_qty.is_some_and(|max| Qty(qty) > max) {
        return bad(-4005, "Quantity greater than max quantity.");
    }
    Ok(Qty(qty))
}

/// A price, held against the instrument's tick in the venue's words.
pub(crate) fn positive_price(
    params: &Params,
    name: &str,
    instrument: &Instrument,
) -> Result<Option<Price>, Reject> {
    let Some(price) = params.decimal(name)? else { return Ok(None) };
    let bad = |number: i64, words: &str| Err(said(Code::BadPriceStep, number, words));
    if !price.is_positive() {
        return match name {
            "price" => bad(-4001, "Price less than or equal to zero."),
            _ => bad(-4006, "Stop price less than zero."),
        };
    }
    // The venue's price precision is at most one place finer than its tick; within it the core
    // holds the price against the tick.
    if places(price) > places(instrument.tick.0) + 1 {
        return bad(-1111, PRECISION);
    }
    Ok(Some(Price(price)))
}

/// How many decimals a number needs.
fn places(value: Decimal) -> usize {
    value.to_string().split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

fn price(
    params: &Params,
    order_type: OrderType,
    instrument: &Instrument,
) -> Result<Option<Price>, Reject> {
    match (order_type.has_price(), params.get("price").is_some()) {
        (true, false) => Err(missing("price")),
        (false, true) => Err(not_required("price")),
        _ => positive_price(params, "price", instrument),
    }
}

fn trigger(params: &Params, instrument: &Instrument) -> Result<Trigger, Reject> {
    let price = positive_price(params, "triggerPrice", instrument)?;
    let price = price.ok_or_else(|| missing("triggerPrice"))?;
    let by = match params.get("workingType") {
        None | Some("CONTRACT_PRICE") => TriggerBy::Last,
        Some("MARK_PRICE") => TriggerBy::Mark,
        Some(_) => return Err(said(Code::BadParameter, -4031, "Invalid workingType.")),
    };
    Ok(Trigger { price, by })
}

/// Time in force and post-only together: the venue says both in one word.
fn time_in_force(
    params: &Params,
    order_type: OrderType,
    optional: bool,
) -> Result<(TimeInForce, PostOnly), Reject> {
    let good_til_cancelled = Ok((TimeInForce::GoodTilCancelled, PostOnly::No));
    let word = match (params.get("timeInForce"), order_type.has_price()) {
        (None, true) if !optional => return Err(missing("timeInForce")),
        (None, _) => "GTC",
        (Some(_), false) if !optional => return Err(not_required("timeInForce")),
        (Some(word), _) => word,
    };
    if word != "GTD" && !matches!(params.get("goodTillDate"), None | Some("0")) {
        return Err(not_required("goodTillDate"));
    }
    match word {
        "GTC" => good_til_cancelled,
        "IOC" => Ok((TimeInForce::ImmediateOrCancel, PostOnly::No)),
        "FOK" => Ok((TimeInForce::FillOrKill, PostOnly::No)),
        "GTX" if order_type.has_price() => Ok((TimeInForce::GoodTilCancelled, PostOnly::Reject)),
        "GTD" if order_type.has_price() => {
            let until = params.whole("goodTillDate")?.ok_or_else(|| missing("goodTillDate"))?;
            // The venue keeps whole seconds.
            let until = Time::from_millis(until - until % 1000);
            Ok((TimeInForce::GoodTilDate { until }, PostOnly::No))
        }
        "RPI" => Err(Reject::new(Code::UnsupportedParameter, "timeInForce RPI")),
        _ => Err(said(Code::BadParameter, -1115, "Invalid timeInForce.")),
    }
}

fn self_trade(params: &Params, none_is_default: bool) -> Result<Option<SelfTrade>, Reject> {
    match params.get("selfTradePreventionMode") {
        None => Ok(None),
        Some("EXPIRE_TAKER") => Ok(Some(SelfTrade::ExpireTaker)),
        Some("EXPIRE_MAKER") => Ok(Some(SelfTrade::ExpireMaker)),
        Some("EXPIRE_BOTH") => Ok(Some(SelfTrade::ExpireBoth)),
        // Conditional orders have none unless they ask; for others the venue has a default.
        Some("NONE") if none_is_default => Ok(None),
        Some(_) => Err(said(Code::BadParameter, -5039, "Invalid self trade prevention mode")),
    }
}

fn full_answer(params: &Params) -> Result<bool, Reject> {
    match params.get("newOrderRespType") {
        None | Some("ACK") => Ok(false),
        Some("RESULT") => Ok(true),
        Some(_) => Err(said(Code::BadParameter, -1136, "Invalid newOrderRespType.")),
    }
}

/// The caller's own id, in the venue's alphabet.
fn caller_id(params: &Params, name: &str) -> Result<Option<CallerOrderId>, Reject> {
    let Some(text) = params.get(name) else { return Ok(None) };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".:/_-".contains(&b);
    let good = text.len() <= 36 && text.bytes().all(allowed);
    let id = if good { CallerOrderId::new(text).ok() } else { None };
    let bad = || said(Code::BadParameter, -4015, "Client order id is not valid.");
    id.map(Some).ok_or_else(bad)
}

#[cfg(test)]
mod tests;
