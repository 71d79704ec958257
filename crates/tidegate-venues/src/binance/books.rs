//! Order books: the diff depth stream, and the snapshot it is joined to.

use super::snapshot::object;
use super::wire::{Read, decimal, text};
use crate::book::{self, Level, Update};
use crate::raw::{Fields, Raw};
use crate::upstream::{PublicFeed, Unreadable};
use serde_json::json;
use tidegate_types::call::WireRequest;
use tidegate_types::ids::InstrumentName;
use tidegate_types::instrument::Usd;
use tidegate_types::request::Reply;

/// Levels of a snapshot; a hundred weigh 5, a thousand 20.
const LEVELS: u32 = 100;

/// The socket for high-rate book data.
pub(crate) fn feed() -> PublicFeed {
    PublicFeed { target: "/public/stream".to_owned(), hello: Vec::new() }
}

/// Subscribes to the changes, told ten times a second, or ends that.
pub(crate) fn subscription(instruments: &[InstrumentName], on: bool) -> String {
    let stream = |name: &InstrumentName| format!("{}@depth@100ms", name.as_str().to_lowercase());
    let streams: Vec<String> = instruments.iter().map(stream).collect();
    let method = if on { "SUBSCRIBE" } else { "UNSUBSCRIBE" };
    json!({"method": method, "params": streams, "id": 1}).to_string()
}

/// The request for a snapshot.
pub(crate) fn request(instrument: &InstrumentName) -> WireRequest {
    WireRequest {
        method: "GET".to_owned(),
        target: format!("/fapi/v1/depth?symbol={instrument}&limit={LEVELS}"),
        headers: Vec::new(),
        body: String::new(),
    }
}

/// The snapshot, from the answer.
pub(crate) fn snapshot(reply: &Reply) -> Result<Update, Unreadable> {
    let answer = object(reply)?;
    Ok(Update {
        after: None,
        number: whole(&answer, "lastUpdateId")?,
        bids: levels(&answer, "bids")?,
        asks: levels(&answer, "asks")?,
    })
}

/// The request for what was traded in the last 24 hours.
pub(crate) fn volume_request(instrument: &InstrumentName) -> WireRequest {
    WireRequest {
        method: "GET".to_owned(),
        target: format!("/fapi/v1/ticker/24hr?symbol={instrument}"),
        headers: Vec::new(),
        body: String::new(),
    }
}

/// That, in what the instrument is quoted in.
pub(crate) fn volume(reply: &Reply) -> Option<Usd> {
    decimal(&object(reply).ok()?, "quoteVolume").ok().map(Usd)
}

/// The change that a message tells.
pub(crate) fn change(message: &str) -> Option<(InstrumentName, Update)> {
    let message = Fields::read(message.as_bytes()).ok()?;
    let data = message.get("data").and_then(Raw::fields).unwrap_or(message);
    if text(&data, "e").ok()? != "depthUpdate" {
        return None;
    }
    let update = Update {
        // The last number of the event before; the first one of this, `U`, is above it.
        after: Some(whole(&data, "pu").ok()?),
        number: whole(&data, "u").ok()?,
        bids: levels(&data, "b").ok()?,
        asks: levels(&data, "a").ok()?,
    };
    Some((InstrumentName::new(&text(&data, "s").ok()?).ok()?, update))
}

fn whole(object: &Fields<'_>, name: &str) -> Read<u64> {
    object.whole(name).ok_or_else(|| Unreadable(format!("no `{name}` in a book")))
}

fn levels(object: &Fields<'_>, name: &str) -> Read<Vec<Level>> {
    let bad = || Unreadable(format!("`{name}` holds no levels"));
    let rows = object.get(name).and_then(Raw::items).ok_or_else(bad)?;
    rows.into_iter().map(|row| level(row).ok_or_else(bad)).collect()
}

fn level(row: Raw<'_>) -> Option<Level> {
    let row = row.items()?;
    let (price, qty) = (row.first()?.text()?, row.get(1)?.text()?);
    book::read(&price, &qty)
}

#[cfg(test)]
mod tests;
