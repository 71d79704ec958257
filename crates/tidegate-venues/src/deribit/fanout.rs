//! The channels of the public socket, shared. A channel that begins with a state is remembered, so that a
//! newcomer begins with it too.

mod memory;

use super::rpc;
use crate::fanout::{Memory, Said, Taken, Told};
use memory::{Book, Latest, Ticker};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use tidegate_types::reject::Reject;

/// What one connection is made to carry; the venue takes more.
pub(crate) const CHANNELS_PER_SOCKET: usize = 500;
/// Seconds between the heartbeats that keep a socket open.
const HEARTBEAT: u64 = 30;
/// What the venue answers when it is asked too much.
const TOO_MANY: i64 = 10_028;

pub(crate) fn hello() -> Vec<String> {
    let mut interval = Map::new();
    interval.insert("interval".into(), HEARTBEAT.into());
    vec![rpc::call(0, "public/set_heartbeat", interval)]
}

pub(crate) fn said(text: &str) -> Option<Said> {
    let frame: Value = serde_json::from_str(text).ok()?;
    let id = frame.get("id").cloned().unwrap_or(Value::Null);
    let channels = || {
        let names = frame.get("params")?.get("channels")?.as_array()?.iter();
        names.map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    match frame.get("method")?.as_str()? {
        "public/subscribe" => Some(Said::Join { id, streams: channels()? }),
        "public/unsubscribe" => Some(Said::Leave { id, streams: Some(channels()?) }),
        "public/unsubscribe_all" => Some(Said::Leave { id, streams: None }),
        "public/set_heartbeat" | "public/test" => Some(Said::Here(left(&id))),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default, borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    params: Option<Params<'a>>,
    #[serde(default)]
    result: Option<Outcome>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(default, borrow)]
    channel: Cow<'a, str>,
    #[serde(default, borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// A list of channels, or a word.
#[derive(Deserialize)]
#[serde(untagged)]
enum Outcome {
    Channels(Vec<String>),
    Other(serde::de::IgnoredAny),
}

pub(crate) fn told(text: &str) -> Told {
    let Ok(message) = serde_json::from_str::<Message<'_>>(text) else { return Told::Nothing };
    match (message.method.as_deref(), message.params, message.id) {
        (Some("subscription"), Some(params), _) => {
            Told::News { stream: params.channel.into_owned() }
        }
        (Some("heartbeat"), Some(params), _) if params.kind == "test_request" => {
            Told::Say(rpc::call(0, "public/test", Map::new()))
        }
        (None, _, Some(id)) if id > 0 => Told::Answer {
            id,
            taken: match message.result {
                Some(Outcome::Channels(channels)) => Taken::These(channels),
                Some(Outcome::Other(_)) => Taken::All,
                None => Taken::None,
            },
        },
        _ => Told::Nothing,
    }
}

pub(crate) fn begin(id: u64, channels: &[String]) -> String {
    rpc::call(id, "public/subscribe", named(channels))
}

pub(crate) fn end(id: u64, channels: &[String]) -> String {
    rpc::call(id, "public/unsubscribe", named(channels))
}

pub(crate) fn joined(id: &Value, channels: &[String]) -> String {
    json!({"jsonrpc": "2.0", "id": id, "result": channels}).to_string()
}

pub(crate) fn left(id: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "result": "ok"}).to_string()
}

pub(crate) fn denied(id: &Value, error: &str) -> String {
    let words = serde_json::from_str::<Value>(error).ok();
    let words = words.and_then(|answer| answer.get("error").cloned()).unwrap_or(Value::Null);
    json!({"jsonrpc": "2.0", "id": id, "error": words}).to_string()
}

pub(crate) fn turned_away(id: &Value, reject: &Reject) -> String {
    let error = json!({"code": TOO_MANY, "message": reject.to_string()});
    json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string()
}

fn named(channels: &[String]) -> Map<String, Value> {
    let mut params = Map::new();
    params.insert("channels".into(), channels.iter().map(|name| Value::from(&**name)).collect());
    params
}

/// What is remembered of a channel: the state of one that tells changes, the last message of one that
/// tells all each time, nothing of one that tells what happened.
pub(crate) fn memory(channel: &str) -> Option<Box<dyn Memory>> {
    let parts: Vec<&str> = channel.split('.').collect();
    match parts.as_slice() {
        ["book", _, _] => Some(Box::new(Book::of(channel))),
        ["incremental_ticker", _] => Some(Box::new(Ticker::of(channel))),
        [
            "book" | "ticker" | "quote" | "perpetual" | "markprice" | "estimated_expiration_price",
            ..,
        ]
        | ["deribit_price_index" | "deribit_volatility_index" | "deribit_price_ranking", ..] => {
            Some(Box::new(Latest::default()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
