//! The venue's instruments and marks.

use super::{names, rows, rpc};
use crate::front::Instruments;
use crate::upstream::{PublicFeed, Unreadable};
use serde::Deserialize;
use serde_json::{Map, Value};
use tidegate_types::call::WireRequest;
use tidegate_types::ids::{Currency, IndexName};
use tidegate_types::instrument::{Instrument, Kind, Mark, Price, Qty, TickStep, Unit};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// Channels in one subscription: the venue bounds a frame at 32 kB and subscriptions at ten in a
/// burst, so few long ones.
const CHANNELS: usize = 200;
/// Seconds between heartbeats on the mark feed.
const HEARTBEAT: u64 = 30;

/// The request that tells all instruments.
pub(crate) fn requests() -> Vec<WireRequest> {
    vec![WireRequest {
        method: "GET".into(),
        target: rpc::target("public/get_instruments", [("currency", "any")]),
        headers: Vec::new(),
        body: String::new(),
    }]
}

/// The instruments whose terms are understood: futures and perpetuals settled in their coin or in
/// a dollar coin, and options settled in their coin. Spot, combos and dollar options are not.
pub(crate) fn read(replies: &[Reply]) -> Result<Vec<Instrument>, Unreadable> {
    let mut all = Vec::new();
    for reply in replies {
        let rows = super::snapshot::list(reply)?;
        all.extend(rows.iter().filter_map(|row| instrument(row).ok().flatten()));
    }
    Ok(all)
}

fn instrument(row: &Value) -> Result<Option<Instrument>, Unreadable> {
    let word = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let dollar = matches!(word("settlement_currency"), "USDC" | "USDT");
    let unit = match (word("kind"), word("instrument_type")) {
        ("future", "reversed") => Unit::Inverse,
        ("future", "linear") if dollar => Unit::Linear,
        ("option", "reversed") => Unit::CoinOption,
        _ => return Ok(None),
    };
    let kind = match (word("kind"), word("settlement_period")) {
        ("future", "perpetual") => Kind::Perpetual,
        ("future", _) => Kind::Future { expiry: rows::time(row, "expiration_timestamp")? },
        _ => Kind::Option {
            expiry: rows::time(row, "expiration_timestamp")?,
            strike: Price(rows::need(row, "strike")?),
            call: rows::text(row, "option_type")? == "call",
        },
    };
    let (size, least) = (rows::need(row, "contract_size")?, rows::need(row, "min_trade_amount")?);
    let tick = rows::need(row, "tick_size")?;
    if !size.is_positive() || !least.is_positive() || !tick.is_positive() {
        return Ok(None);
    }
    let name = |why: &'static str| move |_| Unreadable(why.into());
    Ok(Some(Instrument {
        id: rows::instrument(row)?,
        kind,
        unit,
        base: Currency::new(rows::text(row, "base_currency")?).map_err(name("base_currency"))?,
        settlement: Currency::new(rows::text(row, "settlement_currency")?)
            .map_err(name("settlement_currency"))?,
        index: IndexName::new(rows::text(row, "price_index")?).map_err(name("price_index"))?,
        contract_size: Qty(size),
        tick: Price(tick),
        tick_steps: tick_steps(row)?,
        // An option's contract is a whole coin, traded in tenths.
        lot: Qty(size.min(least)),
        min_qty: Qty(least),
        max_qty: None,
        open: row.get("is_active").and_then(Value::as_bool).unwrap_or_default()
            && matches!(word("state"), "" | "open"),
    }))
}

fn tick_steps(row: &Value) -> Result<Vec<TickStep>, Unreadable> {
    let steps = row.get("tick_size_steps").and_then(Value::as_array);
    let step = |step: &Value| {
        let above = Price(rows::need(step, "above_price")?);
        Ok(TickStep { above, tick: Price(rows::need(step, "tick_size")?) })
    };
    steps.into_iter().flatten().map(step).collect()
}

/// The tickers of all instruments: they carry mark and index together.
pub(crate) fn mark_feed(instruments: &Instruments) -> PublicFeed {
    let mut interval = Map::new();
    interval.insert("interval".into(), HEARTBEAT.into());
    let mut hello = vec![rpc::call(1, "public/set_heartbeat", interval)];
    let channels: Vec<Value> =
        instruments.0.keys().map(|name| format!("ticker.{name}.100ms").into()).collect();
    for (chunk, id) in channels.chunks(CHANNELS).zip(2..) {
        let mut params = Map::new();
        params.insert("channels".into(), chunk.into());
        hello.push(rpc::call(id, "public/subscribe", params));
    }
    PublicFeed { target: rpc::SOCKET.into(), hello }
}

/// The mark that a message tells, and the answer to a test request.
pub(crate) fn marks(text: &str, instruments: &Instruments) -> (Vec<Mark>, Option<String>) {
    let Ok(message) = serde_json::from_str::<Message>(text) else { return (Vec::new(), None) };
    let params = message.params;
    if message.method == "heartbeat" && params.kind == "test_request" {
        return (Vec::new(), Some(rpc::call(0, "public/test", Map::new())));
    }
    if message.method != "subscription" || !params.channel.starts_with("ticker.") {
        return (Vec::new(), None);
    }
    (mark(&params.data, instruments).into_iter().collect(), None)
}

#[derive(Deserialize, Default)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) method: String,
    #[serde(default)]
    pub(super) params: MessageParams,
}

#[derive(Deserialize, Default)]
pub(super) struct MessageParams {
    #[serde(default)]
    pub(super) channel: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    pub(super) data: Value,
}

fn mark(ticker: &Value, instruments: &Instruments) -> Option<Mark> {
    let id = names::instrument_id(ticker.get("instrument_name")?.as_str()?)?;
    instruments.get(&id.name)?;
    let (mark, index) =
        (rows::rounded(ticker, "mark_price")?, rows::rounded(ticker, "index_price")?);
    let at = Time::from_millis(ticker.get("timestamp")?.as_u64()?);
    (index.is_positive() && !mark.is_negative()).then_some(Mark {
        instrument: id,
        mark: Price(mark),
        index: Price(index),
        at,
    })
}

#[cfg(test)]
mod tests;
