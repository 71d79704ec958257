//! The caller's private stream, under a listen key of Tidegate's own.

use super::{Form, streams};
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

/// A socket of one caller's private stream.
pub(crate) struct UserSession {
    key: String,
    form: Form,
    events: Vec<String>,
    known: bool,
}

impl UserSession {
    /// A socket for that listen key; `events` names the events wanted, all when it is empty.
    pub(crate) fn new(key: &str, form: Form, events: &str) -> UserSession {
        let events = events.split(['/', ',']).filter(|name| !name.is_empty());
        let events = events.map(str::to_owned).collect();
        UserSession { key: key.to_owned(), form, events, known: false }
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
        vec![Step::Identify { tag: Tag(0), from: From::StreamKey { key: self.key.clone() } }]
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
        let answer = match frame.get("method").and_then(Value::as_str) {
            Some("LIST_SUBSCRIPTIONS") => json!({"result": [self.key], "id": id}).to_string(),
            _ => streams::error(2, "Invalid request: a private socket has one stream", &id),
        };
        vec![Step::Send(answer)]
    }

    fn on_reply(&mut self, _tag: Tag, _reply: Reply, _now: Time) -> Vec<Step> {
        Vec::new()
    }

    fn on_identity(&mut self, _tag: Tag, result: Result<(), Reject>, _now: Time) -> Vec<Step> {
        match result {
            Ok(()) => {
                self.known = true;
                Vec::new()
            }
            Err(reject) => vec![Step::Close { code: REFUSED, reason: close_reason(&reject) }],
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

    fn cancels_on_close(&self) -> bool {
        false
    }
}

/// A reason that fits a close frame (123 bytes).
fn close_reason(reject: &Reject) -> String {
    reject.to_string().chars().filter(char::is_ascii).take(120).collect()
}
