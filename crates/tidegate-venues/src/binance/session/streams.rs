//! A public socket: the caller's subscriptions, checked and relayed to the venue's.

use super::{Form, MAX_STREAMS, is_number, is_stream};
use crate::front::{Instruments, Session, Step, Tag, Viewer};
use crate::json;
use serde_json::{Value, json};
use tidegate_types::limits::MAX_WS_MESSAGE_BYTES;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// The id of the session's own first subscription, whose answer the caller does not see.
const HELLO_ID: u64 = 4_294_967_291;

const UNKNOWN_METHOD: &str = "Invalid request: unknown variant, expected one of `SUBSCRIBE`, \
    `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`";

/// A socket of public streams.
#[derive(Debug)]
pub(crate) struct PublicSession {
    target: String,
    first: Vec<String>,
    awaits_hello: bool,
}

impl PublicSession {
    /// A socket below `class` with the streams of its address.
    pub(crate) fn open(class: &str, form: Form, names: &[&str]) -> Result<PublicSession, Reject> {
        let bad = names.iter().any(|name| !is_stream(name) && !is_number(name));
        if bad || names.len() > MAX_STREAMS {
            return Err(Reject::new(Code::BadParameter, "a name that is no stream"));
        }
        let word = match form {
            Form::Raw => "ws",
            Form::Combined => "stream",
        };
        let target = if class.is_empty() { format!("/{word}") } else { format!("/{class}/{word}") };
        let first = names.iter().filter(|name| is_stream(name)).map(|n| (*n).to_owned()).collect();
        Ok(PublicSession { target, first, awaits_hello: false })
    }
}

impl Session for PublicSession {
    fn relay_target(&self) -> Option<String> {
        Some(self.target.clone())
    }

    fn on_open(&mut self, _now: Time) -> Vec<Step> {
        if self.first.is_empty() {
            return Vec::new();
        }
        self.awaits_hello = true;
        let params = std::mem::take(&mut self.first);
        let frame = json!({"method": "SUBSCRIBE", "params": params, "id": HELLO_ID});
        vec![Step::Relay(frame.to_string())]
    }

    fn on_text(&mut self, text: &str, _instruments: &Instruments, _now: Time) -> Vec<Step> {
        match checked(text) {
            Ok(frame) => vec![Step::Relay(frame)],
            Err(error) => vec![Step::Send(error)],
        }
    }

    fn on_reply(&mut self, _tag: Tag, _reply: Reply, _now: Time) -> Vec<Step> {
        Vec::new()
    }

    fn on_identity(&mut self, _tag: Tag, _result: Result<(), Reject>, _now: Time) -> Vec<Step> {
        Vec::new()
    }

    fn on_reject(&mut self, _tag: Tag, _reject: &Reject, _now: Time) -> Vec<Step> {
        Vec::new()
    }

    fn on_private(&mut self, _frame: &Value, _viewer: &Viewer<'_>, _now: Time) -> Vec<Step> {
        Vec::new()
    }

    fn on_public(&mut self, text: &str, _now: Time) -> Vec<Step> {
        if self.awaits_hello && is_hello(text) {
            self.awaits_hello = false;
            return Vec::new();
        }
        vec![Step::Send(text.to_owned())]
    }

    fn on_timer(&mut self, _now: Time) -> Vec<Step> {
        Vec::new()
    }

    fn timer(&self) -> Option<Time> {
        None
    }

    fn left(&self) -> bool {
        false
    }
}

/// Whether this answers the session's own first subscription.
fn is_hello(text: &str) -> bool {
    text.len() < 200
        && serde_json::from_str::<Value>(text)
            .is_ok_and(|answer| answer.get("id").and_then(Value::as_u64) == Some(HELLO_ID))
}

/// The frame rebuilt, or the venue's own error.
fn checked(text: &str) -> Result<String, String> {
    let frame = if text.len() > MAX_WS_MESSAGE_BYTES { None } else { json::strict(text).ok() };
    let frame = frame.ok_or_else(|| error(3, "Invalid JSON: expected value", &Value::Null))?;
    let id = frame.get("id").cloned().unwrap_or(Value::Null);
    if !matches!(id, Value::Null | Value::Number(_) | Value::String(_)) {
        let words = "Invalid request: request ID must be an unsigned integer";
        return Err(error(2, words, &Value::Null));
    }
    let known = |key: &String| ["method", "params", "id"].contains(&key.as_str());
    if id.as_u64() == Some(HELLO_ID)
        || !frame.as_object().is_some_and(|object| object.keys().all(known))
    {
        return Err(error(2, "Invalid request: unknown field", &id));
    }
    let params = frame.get("params");
    let method = frame.get("method").and_then(Value::as_str).unwrap_or_default();
    let good = match method {
        "SUBSCRIBE" | "UNSUBSCRIBE" => params.and_then(Value::as_array).is_some_and(|names| {
            let stream = |name: &Value| name.as_str().is_some_and(is_stream);
            !names.is_empty() && names.len() <= MAX_STREAMS && names.iter().all(stream)
        }),
        "LIST_SUBSCRIPTIONS" => params.is_none_or(|list| list == &json!([])),
        "SET_PROPERTY" => {
            params == Some(&json!(["combined", true]))
                || params == Some(&json!(["combined", false]))
        }
        "GET_PROPERTY" => params == Some(&json!(["combined"])),
        _ => return Err(error(2, UNKNOWN_METHOD, &id)),
    };
    if !good {
        return Err(error(2, "Invalid request: invalid params", &id));
    }
    Ok(match params {
        Some(params) => json!({"method": method, "params": params, "id": id}),
        None => json!({"method": method, "id": id}),
    }
    .to_string())
}

/// A stream socket's error.
pub(crate) fn error(code: u8, words: &str, id: &Value) -> String {
    json!({"error": {"code": code, "msg": words}, "id": id}).to_string()
}
