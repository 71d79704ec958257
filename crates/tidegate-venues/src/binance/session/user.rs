//! The caller's private stream, under a listen key of Tidegate's own.

use super::{Form, is_listen_key, streams};
use crate::binance::pass;
use crate::front::{From, Instruments, Session, Step, Tag, Viewer};
use crate::json;
use serde_json::{Value, json};
use tidegate_types::limits::MAX_WS_MESSAGE_BYTES;
use tidegate_types::reject::Reject;
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// The WebSocket close code for a refusal of policy.
const REFUSED: u16 = 1008;
const ONE_STREAM: &str = "Invalid request: a private socket has one stream";

/// A socket of one caller's private stream.
pub(crate) struct UserSession {
    key: Option<String>,
    form: Form,
    events: Vec<String>,
    known: bool,
    /// The id of the subscription whose listen key is being looked up.
    asked: Option<Value>,
}

impl UserSession {
    /// A socket for that listen key, or for the one that a subscription will name; `events` names
    /// the events wanted, all when it is empty.
    pub(crate) fn new(key: Option<&str>, form: Form, events: &str) -> UserSession {
        let events = events.split(['/', ',']).filter(|name| !name.is_empty());
        let events = events.map(str::to_owned).collect();
        UserSession { key: key.map(str::to_owned), form, events, known: false, asked: None }
    }

    fn subscribe(&mut self, key: &str, id: Value) -> Step {
        if self.key.as_deref() == Some(key) && self.asked.is_none() {
            return Step::Send(done(&id));
        }
        if self.key.is_some() {
            return Step::Send(streams::error(2, ONE_STREAM, &id));
        }
        self.key = Some(key.to_owned());
        self.asked = Some(id);
        Step::Identify { tag: Tag(0), from: From::StreamKey { key: key.to_owned() } }
    }

    fn unsubscribe(&mut self, key: &str, id: &Value) -> Step {
        if self.known && self.key.as_deref() == Some(key) {
            self.key = None;
            self.known = false;
        }
        Step::Send(done(id))
    }

    fn wants(&self, frame: &Value) -> bool {
        let event = frame.get("e").and_then(Value::as_str).unwrap_or_default();
        self.events.is_empty() || self.events.iter().any(|wanted| wanted == event)
    }
}

impl std::fmt::Debug for UserSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key opens the stream.
        f.debug_struct("UserSession").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Session for UserSession {
    fn relay_target(&self) -> Option<String> {
        None
    }

    fn on_open(&mut self, _now: Time) -> Vec<Step> {
        let key = self.key.clone().map(|key| From::StreamKey { key });
        key.map(|from| Step::Identify { tag: Tag(0), from }).into_iter().collect()
    }

    fn on_text(&mut self, text: &str, _instruments: &Instruments, _now: Time) -> Vec<Step> {
        let frame = if text.len() > MAX_WS_MESSAGE_BYTES { None } else { json::strict(text).ok() };
        let Some(frame) = frame else {
            return vec![Step::Send(streams::error(3, "Invalid JSON", &Value::Null))];
        };
        let id = match frame.get("id") {
            Some(id @ (Value::Number(_) | Value::String(_))) => id.clone(),
            _ => Value::Null,
        };
        let key = frame.get("params").and_then(Value::as_array).and_then(|list| match &**list {
            [Value::String(key)] if is_listen_key(key) => Some(key.as_str()),
            _ => None,
        });
        vec![match (frame.get("method").and_then(Value::as_str), key) {
            (Some("LIST_SUBSCRIPTIONS"), _) => {
                let keys: Vec<&String> = self.key.iter().collect();
                Step::Send(json!({"result": keys, "id": id}).to_string())
            }
            (Some("SUBSCRIBE"), Some(key)) => self.subscribe(key, id),
            (Some("UNSUBSCRIBE"), Some(key)) => self.unsubscribe(key, &id),
            _ => Step::Send(streams::error(2, ONE_STREAM, &id)),
        }]
    }

    fn on_reply(&mut self, _tag: Tag, _reply: Reply, _now: Time) -> Vec<Step> {
        Vec::new()
    }

    fn on_identity(&mut self, _tag: Tag, result: Result<(), Reject>, _now: Time) -> Vec<Step> {
        match (result, self.asked.take()) {
            (Ok(()), asked) => {
                self.known = true;
                asked.map(|id| Step::Send(done(&id))).into_iter().collect()
            }
            (Err(reject), Some(id)) => {
                self.key = None;
                vec![Step::Send(streams::error(2, &format!("Invalid request: {reject}"), &id))]
            }
            (Err(reject), None) => {
                vec![Step::Close { code: REFUSED, reason: close_reason(&reject) }]
            }
        }
    }

    fn on_reject(&mut self, _tag: Tag, reject: &Reject, _now: Time) -> Vec<Step> {
        vec![Step::Close { code: REFUSED, reason: close_reason(reject) }]
    }

    fn on_private(&mut self, frame: &Value, viewer: &Viewer<'_>, _now: Time) -> Vec<Step> {
        if !self.known || !self.wants(frame) {
            return Vec::new();
        }
        let Some(shown) = pass::frame(frame, viewer) else { return Vec::new() };
        vec![Step::Send(match self.form {
            Form::Raw => shown.to_string(),
            Form::Combined => json!({"stream": self.key, "data": shown}).to_string(),
        })]
    }

    fn on_public(&mut self, _text: &str, _now: Time) -> Vec<Step> {
        Vec::new()
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

/// The answer to a subscription.
fn done(id: &Value) -> String {
    json!({"result": null, "id": id}).to_string()
}

/// A reason that fits a close frame (123 bytes).
fn close_reason(reject: &Reject) -> String {
    reject.to_string().chars().filter(char::is_ascii).take(120).collect()
}
