//! The streams of public sockets, shared. No stream of this venue's needs a memory: the changes of a book are
//! joined to a snapshot that its reader asks for by itself (`depth.rs`).

use super::session::stream_error;
use crate::fanout::{Said, Taken, Told};
use crate::raw::Fields;
use serde_json::{Value, json};
use tidegate_types::reject::Reject;

/// What the venue takes on one connection.
pub(crate) const STREAMS_PER_SOCKET: usize = 1024;

pub(crate) fn said(text: &str) -> Option<Said> {
    let frame: Value = serde_json::from_str(text).ok()?;
    let id = frame.get("id").cloned().unwrap_or(Value::Null);
    let streams = || {
        let names = frame.get("params")?.as_array()?.iter();
        names.map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    match frame.get("method")?.as_str()? {
        "SUBSCRIBE" => Some(Said::Join { id, streams: streams()? }),
        "UNSUBSCRIBE" => Some(Said::Leave { id, streams: Some(streams()?) }),
        _ => None,
    }
}

pub(crate) fn told(text: &str) -> Told {
    let Ok(fields) = Fields::read(text.as_bytes()) else { return Told::Nothing };
    if let Some(stream) = fields.get("stream").and_then(|name| name.text()) {
        return Told::News { stream: stream.into_owned() };
    }
    let id = fields.get("id").and_then(|id| id.number()?.parse().ok());
    let taken = if fields.get("error").is_some() { Taken::None } else { Taken::All };
    id.map_or(Told::Nothing, |id| Told::Answer { id, taken })
}

pub(crate) fn begin(id: u64, streams: &[String]) -> String {
    json!({"method": "SUBSCRIBE", "params": streams, "id": id}).to_string()
}

pub(crate) fn end(id: u64, streams: &[String]) -> String {
    json!({"method": "UNSUBSCRIBE", "params": streams, "id": id}).to_string()
}

/// The answer to whatever was done.
pub(crate) fn done(id: &Value) -> String {
    json!({"result": null, "id": id}).to_string()
}

pub(crate) fn denied(id: &Value, error: &str) -> String {
    let words = serde_json::from_str::<Value>(error).ok();
    let words = words.and_then(|answer| answer.get("error").cloned()).unwrap_or(Value::Null);
    json!({"error": words, "id": id}).to_string()
}

pub(crate) fn turned_away(id: &Value, reject: &Reject) -> String {
    stream_error(4, &reject.to_string(), id)
}

#[cfg(test)]
mod tests;
