//! Reading `authorization_details`: every field is known, of its type, and there when it must be.

use super::{MAX_BYTES, MAX_ITEMS, MAX_PATTERNS, TYPE, Terms, Trading, least, show, sorted};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::json::{self, Members, Object};
use serde_json::Value;
use std::str::FromStr;
use tidegate_types::Decimal;
use tidegate_types::grant::Pattern;
use tidegate_types::hours::{BadWindow, Days, Hours, Window};
use tidegate_types::ids::{AccountName, VenueName};
use tidegate_types::instrument::{Qty, Usd};
use tidegate_types::order::{OrderType, Side};

/// The fields of an item, in the order they are written; the second word says whether an item that
/// may trade has it alone.
pub(super) const FIELDS: &[(&str, bool)] = &[
    ("type", false),
    ("venue", false),
    ("account", false),
    ("instruments", false),
    ("from", false),
    ("until", false),
    ("read_only", false),
    ("sides", true),
    ("order_types", true),
    ("reduce_only", true),
    ("max_order", true),
    ("max_open_notional", true),
    ("max_daily_notional", true),
    ("hours", true),
    ("days", true),
    ("lift_halts", true),
];

pub(super) const SIDES: &[(&str, Side)] = &[("buy", Side::Buy), ("sell", Side::Sell)];

pub(super) const ORDER_TYPES: &[(&str, OrderType)] = &[
    ("limit", OrderType::Limit),
    ("market", OrderType::Market),
    ("market_limit", OrderType::MarketLimit),
    ("stop_market", OrderType::StopMarket),
    ("stop_limit", OrderType::StopLimit),
    ("take_market", OrderType::TakeMarket),
    ("take_limit", OrderType::TakeLimit),
];

/// The items that `text`, the parameter as it was sent, asks for.
///
/// # Errors
/// `invalid_authorization_details` for an unknown type or field, a wrong type or value, a field that
/// is missing, two items of one account, or more than a token holds.
pub fn parse(text: &str) -> Result<Vec<Trading>, OAuthError> {
    let value = json::value(text.as_bytes()).map_err(|_| bad("not JSON, or a member twice"))?;
    from_value(&value)
}

/// The same from a value, as a token carries it.
pub fn from_value(value: &Value) -> Result<Vec<Trading>, OAuthError> {
    let items = value.as_array().ok_or_else(|| bad("an array of objects is needed"))?;
    if items.is_empty() || items.len() > MAX_ITEMS {
        return Err(bad("1 to 16 items are taken"));
    }
    let mut parsed: Vec<Trading> = Vec::new();
    for item in items {
        let item = item.as_object().ok_or_else(|| bad("an item is not an object"))?;
        let item = trading(item)?;
        if parsed.iter().any(|other| other.venue == item.venue && other.account == item.account) {
            return Err(bad("an account comes twice"));
        }
        parsed.push(item);
    }
    if show::to_value(&parsed).to_string().len() > MAX_BYTES {
        return Err(bad("a token has no room for so much: 4096 bytes are taken"));
    }
    Ok(parsed)
}

fn trading(item: &Object) -> Result<Trading, OAuthError> {
    if item.text("type") != Some(TYPE) {
        return Err(bad("the type is not tidegate_trading"));
    }
    if item.keys().any(|name| FIELDS.iter().all(|(known, _)| known != name)) {
        return Err(bad("a field is unknown"));
    }
    let read_only = flag(item, "read_only")?;
    let trades_only = |name: &String| FIELDS.iter().any(|(known, of)| *of && known == name);
    if read_only && item.keys().any(trades_only) {
        return Err(bad("what may only read has no terms of trading"));
    }
    let name = |name| item.text(name).ok_or_else(|| bad("venue and account are needed"));
    let (from, until) = (time(item, "from")?, time(item, "until")?);
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        return Err(bad("the time ends before it begins"));
    }
    Ok(Trading {
        venue: VenueName::new(name("venue")?).map_err(|_| bad("venue is not a name"))?,
        account: AccountName::new(name("account")?).map_err(|_| bad("account is not a name"))?,
        instruments: instruments(item)?,
        from,
        until,
        trade: if read_only { None } else { Some(terms(item)?) },
    })
}

fn terms(item: &Object) -> Result<Terms, OAuthError> {
    let order = item.get("max_order").and_then(Value::as_object);
    let order = order.ok_or_else(|| bad("max_order is needed, an object"))?;
    if order.keys().any(|name| name != "quantity" && name != "notional") {
        return Err(bad("a field of max_order is unknown"));
    }
    let needed = |value: Option<Decimal>| {
        value.map(Usd).ok_or_else(|| bad("max_order.notional and max_open_notional are needed"))
    };
    Ok(Terms {
        sides: words(item, "sides", SIDES)?,
        order_types: words(item, "order_types", ORDER_TYPES)?,
        reduce_only: flag(item, "reduce_only")?,
        max_order_qty: amount(order, "quantity")?.map(Qty),
        max_order_notional: needed(amount(order, "notional")?)?,
        max_open_notional: needed(amount(item, "max_open_notional")?)?,
        max_daily_notional: amount(item, "max_daily_notional")?.map(Usd),
        window: Window {
            hours: times(item, "hours")?.unwrap_or(Hours::ALL),
            days: times(item, "days")?.unwrap_or(Days::ALL),
        },
        lift_halts: flag(item, "lift_halts")?,
    })
}

fn instruments(item: &Object) -> Result<Vec<Pattern>, OAuthError> {
    let list = list(item, "instruments", MAX_PATTERNS)?;
    let patterns = list.iter().map(|text| {
        // One form for each meaning: two stars side by side mean one.
        text.as_str().filter(|text| !text.contains("**")).and_then(|text| Pattern::new(text).ok())
    });
    let patterns: Option<Vec<Pattern>> = patterns.collect();
    patterns.map(least).ok_or_else(|| bad("an instrument is not a name or pattern"))
}

fn words<T: Ord + Copy>(
    item: &Object,
    name: &str,
    table: &[(&str, T)],
) -> Result<Vec<T>, OAuthError> {
    let meant = |word: &Value| {
        let word = word.as_str()?;
        table.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    };
    let values: Option<Vec<T>> = list(item, name, table.len())?.iter().map(meant).collect();
    values.map(|values| sorted(&values)).ok_or_else(|| bad("a side or order type is unknown"))
}

fn list<'a>(item: &'a Object, name: &str, most: usize) -> Result<&'a [Value], OAuthError> {
    let list = item.get(name).and_then(Value::as_array).map(Vec::as_slice);
    list.filter(|list| !list.is_empty() && list.len() <= most).ok_or_else(|| {
        bad("instruments, sides and order_types are needed, neither empty nor too long")
    })
}

/// An amount above zero, as text: numbers of JSON lose digits on their way through many clients.
fn amount(object: &Object, name: &str) -> Result<Option<Decimal>, OAuthError> {
    let Some(value) = object.get(name) else { return Ok(None) };
    let plain = |text: &&str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let amount = value.as_str().filter(plain).and_then(|text| Decimal::from_str(text).ok());
    let amount = amount.filter(|amount| amount.is_positive());
    amount.map(Some).ok_or_else(|| bad("an amount is not decimal digits in quotes, above zero"))
}

/// Hours or days, as text.
fn times<T: FromStr<Err = BadWindow>>(item: &Object, name: &str) -> Result<Option<T>, OAuthError> {
    let Some(value) = item.get(name) else { return Ok(None) };
    let times = value.as_str().and_then(|text| text.parse().ok());
    times.map(Some).ok_or_else(|| bad("hours are written 08:00-17:00, days mon-fri"))
}

fn flag(object: &Object, name: &str) -> Result<bool, OAuthError> {
    match object.get(name) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| bad("a flag is neither true nor false")),
    }
}

fn time(object: &Object, name: &str) -> Result<Option<tidegate_types::Time>, OAuthError> {
    object.time(name).map_err(|_| bad("a time is not in whole seconds since 1970"))
}

const fn bad(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidAuthorizationDetails, description)
}
