//! Orders, trades, positions and balances as Binance writes them, read into reports.

use crate::raw::{Fields, Raw};
use crate::upstream::Unreadable;
use std::borrow::Cow;
use std::str::FromStr;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{
    ClientId, Currency, InstrumentId, InstrumentName, TradeId, VenueName, VenueOrderId,
};
use tidegate_types::instrument::{Price, Qty, SignedQty};
use tidegate_types::order::{OrderType, PostOnly, Side};
use tidegate_types::report::{BalanceReport, FillReport, OrderReport, PositionReport, VenueState};
use tidegate_types::time::Time;

/// What a field must be, or why it is not.
pub(crate) type Read<T> = Result<T, Unreadable>;

fn bad(name: &str, value: Option<Raw<'_>>) -> Unreadable {
    let seen: String = value.map_or("nothing", Raw::json).chars().take(60).collect();
    Unreadable(format!("`{name}` is {seen}"))
}

/// A text field.
pub(crate) fn text<'a>(object: &Fields<'a>, name: &str) -> Read<Cow<'a, str>> {
    object.text(name).ok_or_else(|| bad(name, object.get(name)))
}

/// A decimal in a text or a number.
pub(crate) fn decimal(object: &Fields<'_>, name: &str) -> Read<Decimal> {
    let value = object.get(name);
    let read = |value: Raw<'_>| match value.number() {
        Some(number) => Decimal::from_str(number).ok(),
        None => Decimal::from_str(&value.text()?).ok(),
    };
    value.and_then(read).ok_or_else(|| bad(name, value))
}

/// A decimal, zero when the field is missing or empty.
fn decimal_or_zero(object: &Fields<'_>, name: &str) -> Read<Decimal> {
    match object.get(name).map(Raw::json) {
        None | Some("null" | "\"\"") => Ok(Decimal::ZERO),
        Some(_) => decimal(object, name),
    }
}

/// A price, `None` when it is zero, missing or empty.
fn price(object: &Fields<'_>, name: &str) -> Read<Option<Price>> {
    let value = decimal_or_zero(object, name)?;
    Ok(if value.is_positive() { Some(Price(value)) } else { None })
}

/// The average price, which some answers give with more decimals than are kept.
fn average(object: &Fields<'_>, name: &str) -> Option<Price> {
    price(object, name).ok().flatten()
}

/// A time in ms.
pub(crate) fn time(object: &Fields<'_>, name: &str) -> Read<Time> {
    object.whole(name).map(Time::from_millis).ok_or_else(|| bad(name, object.get(name)))
}

fn truth(object: &Fields<'_>, name: &str) -> Option<bool> {
    object.get(name).and_then(Raw::truth)
}

/// Maker only, which the venue tells as a time in force.
fn post_only(object: &Fields<'_>, name: &str) -> Option<PostOnly> {
    let time_in_force = object.text(name)?;
    Some(if time_in_force == "GTX" { PostOnly::Reject } else { PostOnly::No })
}

/// An id that is a number, or a text that is not empty.
fn id(object: &Fields<'_>, name: &str) -> Read<VenueOrderId> {
    optional_id(object, name).ok_or_else(|| bad(name, object.get(name)))
}

fn optional_id(object: &Fields<'_>, name: &str) -> Option<VenueOrderId> {
    let text = object.get(name)?.word()?;
    if text == "0" { None } else { VenueOrderId::new(&text).ok() }
}

/// The instrument that a symbol names.
pub(crate) fn instrument(venue: &VenueName, object: &Fields<'_>, name: &str) -> Read<InstrumentId> {
    let found = InstrumentName::new(&text(object, name)?);
    let name = found.map_err(|_| bad(name, object.get(name)))?;
    Ok(InstrumentId { venue: venue.clone(), name })
}

fn client_id(object: &Fields<'_>, name: &str) -> Option<ClientId> {
    ClientId::new(&object.text(name)?).ok()
}

fn side(object: &Fields<'_>, name: &str) -> Read<Side> {
    match &*text(object, name)? {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(bad(name, object.get(name))),
    }
}

fn order_type(object: &Fields<'_>, name: &str) -> Read<OrderType> {
    match &*text(object, name)? {
        "LIMIT" => Ok(OrderType::Limit),
        // A liquidation takes what the book has.
        "MARKET" | "LIQUIDATION" => Ok(OrderType::Market),
        "STOP" => Ok(OrderType::StopLimit),
        // A trailing stop placed elsewhere: its trigger moves, its order is a market order.
        "STOP_MARKET" | "TRAILING_STOP_MARKET" => Ok(OrderType::StopMarket),
        "TAKE_PROFIT" => Ok(OrderType::TakeLimit),
        "TAKE_PROFIT_MARKET" => Ok(OrderType::TakeMarket),
        _ => Err(bad(name, object.get(name))),
    }
}

fn state(object: &Fields<'_>, name: &str) -> Read<VenueState> {
    match &*text(object, name)? {
        "NEW" | "PARTIALLY_FILLED" | "NEW_INSURANCE" | "NEW_ADL" => Ok(VenueState::Open),
        "FILLED" => Ok(VenueState::Filled),
        "CANCELED" => Ok(VenueState::Cancelled),
        "EXPIRED" | "EXPIRED_IN_MATCH" => Ok(VenueState::Expired),
        "REJECTED" => Ok(VenueState::Rejected),
        _ => Err(bad(name, object.get(name))),
    }
}

fn algo_state(object: &Fields<'_>, name: &str, filled: Qty, qty: Qty) -> Read<VenueState> {
    match &*text(object, name)? {
        "NEW" | "TRIGGERING" => Ok(VenueState::Untriggered),
        "TRIGGERED" => Ok(VenueState::Open),
        // Triggered, and the order it became is done.
        "FINISHED" if filled >= qty => Ok(VenueState::Filled),
        // Who ended what it became is told of that order.
        "FINISHED" | "EXPIRED" => Ok(VenueState::Expired),
        "CANCELED" => Ok(VenueState::Cancelled),
        "REJECTED" => Ok(VenueState::Rejected),
        _ => Err(bad(name, object.get(name))),
    }
}

/// An order of the REST interface or the WebSocket API.
pub(crate) fn order(venue: &VenueName, object: &Fields<'_>) -> Read<OrderReport> {
    Ok(OrderReport {
        instrument: instrument(venue, object, "symbol")?,
        client_id: client_id(object, "clientOrderId"),
        venue_id: id(object, "orderId")?,
        triggered_as: None,
        side: side(object, "side")?,
        order_type: order_type(object, "type")?,
        state: state(object, "status")?,
        qty: Qty(decimal(object, "origQty")?),
        filled: Qty(decimal_or_zero(object, "executedQty")?),
        price: price(object, "price")?,
        average: average(object, "avgPrice"),
        trigger_price: price(object, "stopPrice")?,
        post_only: post_only(object, "timeInForce"),
        reduce_only: truth(object, "reduceOnly"),
        at: time(object, "updateTime")?,
    })
}

/// A conditional order of the REST interface or the WebSocket API.
pub(crate) fn algo(venue: &VenueName, object: &Fields<'_>) -> Read<OrderReport> {
    let kind = if object.get("orderType").is_some() { "orderType" } else { "type" };
    let qty = Qty(decimal_or_zero(object, "quantity")?);
    let triggered_as = optional_id(object, "actualOrderId");
    // Before the trigger some answers give the planned quantity there.
    let filled = match triggered_as {
        Some(_) => Qty(decimal_or_zero(object, "actualQty")?),
        None => Qty::default(),
    };
    let state = match algo_state(object, "algoStatus", filled, qty)? {
        // How much of it traded is not told: only the order it became can say how it ended.
        VenueState::Cancelled | VenueState::Expired
            if triggered_as.is_some() && object.get("actualQty").is_none() =>
        {
            VenueState::Open
        }
        state => state,
    };
    Ok(OrderReport {
        instrument: instrument(venue, object, "symbol")?,
        client_id: client_id(object, "clientAlgoId"),
        venue_id: id(object, "algoId")?,
        triggered_as,
        side: side(object, "side")?,
        order_type: order_type(object, kind)?,
        state,
        qty,
        filled,
        price: price(object, "price")?,
        average: average(object, "actualPrice"),
        trigger_price: price(object, "triggerPrice")?,
        post_only: post_only(object, "timeInForce"),
        reduce_only: truth(object, "reduceOnly"),
        at: time(object, "updateTime")?,
    })
}

/// The order of an `ORDER_TRADE_UPDATE`.
pub(crate) fn order_update(venue: &VenueName, object: &Fields<'_>) -> Read<OrderReport> {
    let (qty, filled) = (Qty(decimal(object, "q")?), Qty(decimal(object, "z")?));
    let state = match &*text(object, "X")? {
        // Forced trades are told under states of their own.
        "NEW_ADL" | "NEW_INSURANCE" if filled >= qty => VenueState::Filled,
        _ => state(object, "X")?,
    };
    Ok(OrderReport {
        instrument: instrument(venue, object, "s")?,
        client_id: client_id(object, "c"),
        venue_id: id(object, "i")?,
        triggered_as: None,
        side: side(object, "S")?,
        order_type: order_type(object, "o")?,
        state,
        qty,
        filled,
        price: price(object, "p")?,
        average: average(object, "ap"),
        trigger_price: price(object, "sp")?,
        post_only: post_only(object, "f"),
        reduce_only: truth(object, "R"),
        at: time(object, "T")?,
    })
}

/// The trade of an `ORDER_TRADE_UPDATE`, if it tells one.
pub(crate) fn fill_update(venue: &VenueName, object: &Fields<'_>) -> Read<Option<FillReport>> {
    let qty = decimal_or_zero(object, "l")?;
    // Liquidation and auto-deleveraging are told as `CALCULATED`.
    if !matches!(&*text(object, "x")?, "TRADE" | "CALCULATED") || !qty.is_positive() {
        return Ok(None);
    }
    let trade_id = id(object, "t")?;
    Ok(Some(FillReport {
        instrument: instrument(venue, object, "s")?,
        trade_id: TradeId::new(trade_id.as_str()).map_err(|_| bad("t", object.get("t")))?,
        client_id: client_id(object, "c"),
        venue_id: id(object, "i")?,
        side: side(object, "S")?,
        qty: Qty(qty),
        price: Price(decimal(object, "L")?),
        fee: decimal_or_zero(object, "n")?,
        fee_currency: object.text("N").and_then(|name| Currency::new(&name).ok()),
        maker: truth(object, "m").unwrap_or_default(),
        at: time(object, "T")?,
    }))
}

/// A trade of `userTrades`, which does not tell the order's client id.
pub(crate) fn user_trade(venue: &VenueName, object: &Fields<'_>) -> Read<FillReport> {
    let trade_id = id(object, "id")?;
    Ok(FillReport {
        instrument: instrument(venue, object, "symbol")?,
        trade_id: TradeId::new(trade_id.as_str()).map_err(|_| bad("id", object.get("id")))?,
        client_id: None,
        venue_id: id(object, "orderId")?,
        side: side(object, "side")?,
        qty: Qty(decimal(object, "qty")?),
        price: Price(decimal(object, "price")?),
        fee: decimal_or_zero(object, "commission")?,
        fee_currency: object.text("commissionAsset").and_then(|name| Currency::new(&name).ok()),
        maker: truth(object, "maker").unwrap_or_default(),
        at: time(object, "time")?,
    })
}

/// The order of an `ALGO_UPDATE`, sent at `at`.
pub(crate) fn algo_update(venue: &VenueName, object: &Fields<'_>, at: Time) -> Read<OrderReport> {
    let qty = Qty(decimal_or_zero(object, "q")?);
    let triggered_as = optional_id(object, "ai");
    let filled = match triggered_as {
        Some(_) => Qty(decimal_or_zero(object, "aq")?),
        None => Qty::default(),
    };
    Ok(OrderReport {
        instrument: instrument(venue, object, "s")?,
        client_id: client_id(object, "caid"),
        venue_id: id(object, "aid")?,
        triggered_as,
        side: side(object, "S")?,
        order_type: order_type(object, "o")?,
        state: algo_state(object, "X", filled, qty)?,
        qty,
        filled,
        price: price(object, "p")?,
        average: average(object, "ap"),
        trigger_price: price(object, "tp")?,
        post_only: post_only(object, "f"),
        reduce_only: truth(object, "R"),
        at,
    })
}

/// A position of `positionRisk`; `None` for one of hedge mode that is empty.
pub(crate) fn position(venue: &VenueName, object: &Fields<'_>) -> Read<Option<PositionReport>> {
    position_of(venue, object, ["symbol", "positionAmt", "entryPrice", "positionSide"])
}

/// A position of an `ACCOUNT_UPDATE`.
pub(crate) fn position_update(
    venue: &VenueName,
    object: &Fields<'_>,
) -> Read<Option<PositionReport>> {
    position_of(venue, object, ["s", "pa", "ep", "ps"])
}

/// A balance of an account's `assets`; `None` for an asset whose name is too long to be one.
pub(crate) fn balance(object: &Fields<'_>) -> Read<Option<BalanceReport>> {
    balance_of(object, ["asset", "walletBalance"])
}

/// A balance of an `ACCOUNT_UPDATE`.
pub(crate) fn balance_update(object: &Fields<'_>) -> Read<Option<BalanceReport>> {
    balance_of(object, ["a", "wb"])
}

/// By how much an `ACCOUNT_UPDATE` changed a balance, trades and their fees aside; `None` where nothing.
pub(crate) fn balance_change(object: &Fields<'_>) -> Read<Option<BalanceReport>> {
    Ok(balance_of(object, ["a", "bc"])?.filter(|change| !change.amount.is_zero()))
}

fn balance_of(object: &Fields<'_>, [asset, amount]: [&str; 2]) -> Read<Option<BalanceReport>> {
    let amount = decimal(object, amount)?;
    let asset = Currency::new(&text(object, asset)?).ok();
    Ok(asset.map(|asset| BalanceReport { asset, amount }))
}

fn position_of(
    venue: &VenueName,
    object: &Fields<'_>,
    [symbol, amount, entry, side]: [&str; 4],
) -> Read<Option<PositionReport>> {
    let qty = SignedQty(decimal(object, amount)?);
    match &*text(object, side)? {
        "BOTH" => {}
        _ if qty.0.is_zero() => return Ok(None),
        _ => {
            return Err(Unreadable("the account is in hedge mode, which is not served".to_owned()));
        }
    }
    Ok(Some(PositionReport {
        instrument: instrument(venue, object, symbol)?,
        qty,
        // Entry prices are averages and may have more decimals than are kept.
        entry: average(object, entry),
    }))
}

#[cfg(test)]
mod tests;
