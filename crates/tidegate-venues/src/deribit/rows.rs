//! The venue's orders, trades and positions, read into the core's words.

use super::{names, orders};
use crate::upstream::Unreadable;
use serde_json::Value;
use tidegate_types::decimal::{Decimal, DecimalError};
use tidegate_types::ids::{ClientId, Currency, InstrumentId, TradeId, VenueOrderId};
use tidegate_types::instrument::{Price, Qty, SignedQty};
use tidegate_types::order::{OrderType, PostOnly, Side};
use tidegate_types::report::{BalanceReport, FillReport, OrderReport, PositionReport, VenueState};
use tidegate_types::time::Time;

/// An order. `None`: a trigger order that has triggered, told of by the order that it became.
pub(crate) fn order(row: &Value) -> Result<Option<OrderReport>, Unreadable> {
    let state = match text(row, "order_state")? {
        "open" => VenueState::Open,
        "untriggered" => VenueState::Untriggered,
        "filled" => VenueState::Filled,
        "cancelled" => match row.get("cancel_reason").and_then(Value::as_str) {
            None | Some("user_request" | "cancel_on_disconnect") => VenueState::Cancelled,
            Some(_) => VenueState::Expired,
        },
        "rejected" => VenueState::Rejected,
        "triggered" => return Ok(None),
        other => return Err(Unreadable(format!("an order is `{other}`"))),
    };
    let id = venue_id(row, "order_id")?;
    let (venue_id, triggered_as) = match venue_id_of(row, "trigger_order_id")? {
        Some(trigger) => (trigger, Some(id)),
        None => (id, None),
    };
    Ok(Some(OrderReport {
        instrument: instrument(row)?,
        client_id: client_id(row),
        venue_id,
        triggered_as,
        side: side(row)?,
        order_type: order_type(row)?,
        state,
        qty: Qty(need(row, "amount")?),
        filled: Qty(exact(row, "filled_amount")?.unwrap_or(Decimal::ZERO)),
        price: exact(row, "price")?.map(Price),
        average: rounded(row, "average_price").filter(|price| !price.is_zero()).map(Price),
        trigger_price: exact(row, "trigger_price")?.map(Price),
        post_only: post_only(row),
        reduce_only: truth(row, "reduce_only"),
        at: time(row, "last_update_timestamp")?,
    }))
}

/// A trade of the account.
pub(crate) fn fill(row: &Value) -> Result<FillReport, Unreadable> {
    let trade_id = TradeId::new(text(row, "trade_id")?).map_err(|_| missing("trade_id"))?;
    Ok(FillReport {
        instrument: instrument(row)?,
        trade_id,
        client_id: client_id(row),
        venue_id: venue_id(row, "order_id")?,
        side: side(row)?,
        qty: Qty(need(row, "amount")?),
        price: Price(need(row, "price")?),
        fee: rounded(row, "fee").unwrap_or(Decimal::ZERO),
        fee_currency: row
            .get("fee_currency")
            .and_then(Value::as_str)
            .and_then(|text| Currency::new(text).ok()),
        maker: row.get("liquidity").and_then(Value::as_str) == Some("M"),
        at: time(row, "timestamp")?,
    })
}

/// A position: `size` is in the instrument's own unit, negative when sold.
pub(crate) fn position(row: &Value) -> Result<PositionReport, Unreadable> {
    let size = need(row, "size")?;
    let sold = row.get("direction").and_then(Value::as_str) == Some("sell");
    let size = if sold && size.is_positive() { size.neg() } else { size };
    let entry = rounded(row, "average_price").filter(|price| price.is_positive());
    Ok(PositionReport {
        instrument: instrument(row)?,
        qty: SignedQty(size),
        entry: entry.map(Price).filter(|_| !size.is_zero()),
    })
}

/// The balance of a summary or portfolio of one currency: what is in the wallet, and what futures have realized since
/// their last settlement, which comes in there at the next one only. What they have not realized is in neither.
///
/// In the venue's own figures `equity` is `balance`, `futures_session_rpl`, `futures_session_upl` and `options_value`.
pub(crate) fn balance(row: &Value) -> Result<BalanceReport, Unreadable> {
    let asset = Currency::new(text(row, "currency")?).map_err(|_| missing("currency"))?;
    let wallet = rounded(row, "balance").ok_or_else(|| missing("balance"))?;
    // Of accounts with cross collateral the summary tells only the sum with options, whose profit is in the wallet at once: a
    // profit may be counted already. Their portfolio tells both, and has to come to the same.
    let cross = row.get("cross_collateral_enabled").and_then(Value::as_bool) == Some(true);
    let realized = rounded(row, "futures_session_rpl")
        .filter(|_| !cross)
        .or_else(|| rounded(row, "session_rpl").map(|both| both.min(Decimal::ZERO)));
    let amount = wallet
        .add(realized.unwrap_or_default())
        .map_err(|error| Unreadable(format!("`balance`: {error}")))?;
    Ok(BalanceReport { asset, amount })
}

/// A price that the venue computed and tells with any number of digits, cut to eight.
pub(crate) fn rounded(row: &Value, name: &str) -> Option<Decimal> {
    let Some(Value::Number(number)) = row.get(name) else { return None };
    cut(number.as_str())
}

/// A number the caller or the venue fixed: exact, or unreadable. `None` when it is not there or
/// the word `market_price` stands for it.
pub(crate) fn exact(row: &Value, name: &str) -> Result<Option<Decimal>, Unreadable> {
    match row.get(name) {
        Some(Value::Number(number)) => match number.as_str().parse() {
            Ok(number) => Ok(Some(number)),
            Err(error) => Err(Unreadable(format!("`{name}`: {error}"))),
        },
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(word)) if word == "market_price" => Ok(None),
        Some(_) => Err(Unreadable(format!("`{name}` is not a number"))),
    }
}

/// A number that must be there.
pub(crate) fn need(row: &Value, name: &str) -> Result<Decimal, Unreadable> {
    exact(row, name)?.ok_or_else(|| missing(name))
}

/// A text that must be there.
pub(crate) fn text<'a>(row: &'a Value, name: &str) -> Result<&'a str, Unreadable> {
    row.get(name).and_then(Value::as_str).ok_or_else(|| missing(name))
}

/// A time in milliseconds that must be there.
pub(crate) fn time(row: &Value, name: &str) -> Result<Time, Unreadable> {
    let millis = row.get(name).and_then(Value::as_u64).ok_or_else(|| missing(name))?;
    Ok(Time::from_millis(millis))
}

/// The instrument of a row.
pub(crate) fn instrument(row: &Value) -> Result<InstrumentId, Unreadable> {
    names::instrument_id(text(row, "instrument_name")?).ok_or_else(|| missing("instrument_name"))
}

fn missing(name: &str) -> Unreadable {
    Unreadable(format!("`{name}` is missing or malformed"))
}

fn cut(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let fraction = mantissa.find('.').map_or(0, |at| mantissa.len() - at);
    for dropped in 0..=fraction {
        let kept = mantissa.get(..mantissa.len() - dropped)?;
        match format!("{kept}{exponent}").parse() {
            Ok(number) => return Some(number),
            Err(DecimalError::TooPrecise) => {}
            // Digits beyond what any arithmetic holds may still be cut.
            Err(DecimalError::Overflow | DecimalError::NotANumber) if dropped < fraction => {}
            Err(_) => return None,
        }
    }
    Some(Decimal::ZERO)
}

fn truth(row: &Value, name: &str) -> Option<bool> {
    row.get(name).and_then(Value::as_bool)
}

fn post_only(row: &Value) -> Option<PostOnly> {
    match (truth(row, "post_only")?, truth(row, "reject_post_only")) {
        (false, _) => Some(PostOnly::No),
        (true, Some(true)) => Some(PostOnly::Reject),
        (true, Some(false)) => Some(PostOnly::Slide),
        (true, None) => None,
    }
}

fn client_id(row: &Value) -> Option<ClientId> {
    row.get("label").and_then(Value::as_str).and_then(|label| ClientId::new(label).ok())
}

fn venue_id(row: &Value, name: &str) -> Result<VenueOrderId, Unreadable> {
    VenueOrderId::new(text(row, name)?).map_err(|_| missing(name))
}

fn venue_id_of(row: &Value, name: &str) -> Result<Option<VenueOrderId>, Unreadable> {
    match row.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => venue_id(row, name).map(Some),
    }
}

fn side(row: &Value) -> Result<Side, Unreadable> {
    match text(row, "direction")? {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        other => Err(Unreadable(format!("`direction` is `{other}`"))),
    }
}

/// A trailing stop and a liquidation are none of Tidegate's orders, but they are on the account.
fn order_type(row: &Value) -> Result<OrderType, Unreadable> {
    match text(row, "order_type")? {
        "trailing_stop" => Ok(OrderType::StopMarket),
        "liquidation" => Ok(OrderType::Market),
        word => {
            orders::type_of(word).ok_or_else(|| Unreadable(format!("`order_type` is `{word}`")))
        }
    }
}

#[cfg(test)]
mod tests;
