//! Order books: the channel of a book's changes, which begins with a snapshot.

use super::{rows, rpc};
use crate::book::{self, Level, Update};
use crate::upstream::{BookNews, PublicFeed};
use serde::Deserialize;
use serde_json::{Map, Number, Value};
use tidegate_types::call::WireRequest;
use tidegate_types::decimal::Rounding;
use tidegate_types::ids::InstrumentName;
use tidegate_types::instrument::Usd;
use tidegate_types::request::Reply;

/// Seconds between heartbeats.
const HEARTBEAT: u64 = 30;

/// The socket, with heartbeats.
pub(crate) fn feed() -> PublicFeed {
    let mut interval = Map::new();
    interval.insert("interval".into(), HEARTBEAT.into());
    let hello = vec![rpc::call(1, "public/set_heartbeat", interval)];
    PublicFeed { target: rpc::SOCKET.into(), hello }
}

/// Subscribes to the changes, told ten times a second, or ends that.
pub(crate) fn subscription(instruments: &[InstrumentName], on: bool) -> String {
    let channels = instruments.iter().map(|name| Value::from(format!("book.{name}.100ms")));
    let mut params = Map::new();
    params.insert("channels".into(), channels.collect());
    let method = if on { "public/subscribe" } else { "public/unsubscribe" };
    rpc::call(2, method, params)
}

/// What a message tells.
pub(crate) fn news(text: &str) -> BookNews {
    let Ok(Message { params }) = serde_json::from_str::<Message>(text) else {
        return BookNews::default();
    };
    let test = params.kind.as_deref() == Some("test_request");
    BookNews {
        update: params.data.and_then(update),
        answer: test.then(|| rpc::call(0, "public/test", Map::new())),
    }
}

#[derive(Deserialize)]
struct Message {
    params: Params,
}

/// Of a channel's message or of a heartbeat.
#[derive(Deserialize)]
struct Params {
    data: Option<Data>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "type")]
    kind: String,
    instrument_name: String,
    change_id: u64,
    prev_change_id: Option<u64>,
    bids: Vec<Row>,
    asks: Vec<Row>,
}

/// `new`, `change` or `delete`; the price; the quantity, zero for `delete`.
#[derive(Deserialize)]
struct Row(String, Number, Number);

fn update(data: Data) -> Option<(InstrumentName, Update)> {
    let after = match (data.kind.as_str(), data.prev_change_id) {
        ("snapshot", _) => None,
        ("change", Some(after)) => Some(after),
        _ => return None,
    };
    let levels = |rows: Vec<Row>| rows.iter().map(level).collect::<Option<Vec<_>>>();
    let (bids, asks) = (levels(data.bids)?, levels(data.asks)?);
    let update = Update { after, number: data.change_id, bids, asks };
    Some((InstrumentName::new(&data.instrument_name).ok()?, update))
}

fn level(Row(what, price, qty): &Row) -> Option<Level> {
    match what.as_str() {
        "delete" => book::read(price.as_str(), "0"),
        "new" | "change" => book::read(price.as_str(), qty.as_str()),
        _ => None,
    }
}

/// The request for what was traded in the last 24 hours.
pub(crate) fn volume_request(instrument: &InstrumentName) -> WireRequest {
    WireRequest {
        method: "GET".into(),
        target: rpc::target("public/ticker", [("instrument_name", instrument.as_str())]),
        headers: Vec::new(),
        body: String::new(),
    }
}

/// That, in dollars: told of futures and perpetuals; of options, which tell how many coins, at the index.
pub(crate) fn volume(reply: &Reply) -> Option<Usd> {
    let answer: Value = serde_json::from_slice(&reply.body).ok()?;
    let ticker = answer.get("result")?;
    let stats = ticker.get("stats")?;
    let told = stats.get("volume_usd").filter(|told| !told.is_null());
    if told.is_some() || ticker.get("mark_iv").is_none() {
        return rows::rounded(stats, "volume_usd").map(Usd);
    }
    let (coins, index) = (rows::rounded(stats, "volume")?, rows::rounded(ticker, "index_price")?);
    coins.mul(index, Rounding::Floor).ok().filter(|usd| !usd.is_negative()).map(Usd)
}

#[cfg(test)]
mod tests;
