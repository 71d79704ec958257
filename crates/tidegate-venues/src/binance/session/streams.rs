//! A public socket: the caller's subscriptions, checked and relayed to a socket of the venue's that many share.
//! There every message names its stream; what one caller's socket is set to is this session's.

use super::{Form, MAX_STREAMS, is_number, is_stream};
use crate::front::{Instruments, Session, Step, Tag, Viewer};
use crate::json;
use crate::raw::Fields;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tidegate_types::limits::MAX_WS_MESSAGE_BYTES;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// The id of the session's own first subscription, whose answer the caller does not see.
const HELLO_ID: u64 = 4_294_967_291;

/// Longest reason of a close, in characters: a frame takes 123 bytes.
const MAX_REASON: usize = 120;

const UNKNOWN_METHOD: &str = "Invalid request: unknown variant, expected one of `SUBSCRIBE`, \
    `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`";

/// A socket of public streams.
#[derive(Debug)]
pub(crate) struct PublicSession {
    target: String,
    form: Form,
    /// What it is subscribed to.
    streams: BTreeSet<String>,
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
        let target =
            if class.is_empty() { "/stream".to_owned() } else { format!("/{class}/stream") };
        let first = names.iter().filter(|name| is_stream(name)).map(|n| (*n).to_owned()).collect();
        let streams = BTreeSet::new();
        Ok(PublicSession { target, form, streams, first, awaits_hello: false })
    }

    /// Carries out a frame that was checked.
    fn called(&mut self, frame: Frame) -> Vec<Step> {
        let Frame { ask, id } = frame;
        let answer =
            |result: Value| vec![Step::Send(json!({"result": result, "id": id}).to_string())];
        match ask {
            Ask::Subscribe(names) => {
                if self.streams.len() + names.len() > MAX_STREAMS {
                    return vec![Step::Send(error(4, "Too many subscriptions", &id))];
                }
                self.streams.extend(names.iter().cloned());
                vec![relay("SUBSCRIBE", &names, &id)]
            }
            Ask::Unsubscribe(names) => {
                for name in &names {
                    self.streams.remove(name);
                }
                vec![relay("UNSUBSCRIBE", &names, &id)]
            }
            Ask::List => answer(self.streams.iter().map(String::as_str).collect()),
            Ask::SetForm(form) => {
                self.form = form;
                answer(Value::Null)
            }
            Ask::GetForm => answer((self.form == Form::Combined).into()),
        }
    }
}

/// A frame of the caller's.
struct Frame {
    ask: Ask,
    id: Value,
}

enum Ask {
    Subscribe(Vec<String>),
    Unsubscribe(Vec<String>),
    List,
    SetForm(Form),
    GetForm,
}

fn relay(method: &str, names: &[String], id: &Value) -> Step {
    Step::Relay(json!({"method": method, "params": names, "id": id}).to_string())
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
        let names = std::mem::take(&mut self.first);
        self.called(Frame { ask: Ask::Subscribe(names), id: HELLO_ID.into() })
    }

    fn on_text(&mut self, text: &str, _instruments: &Instruments, _now: Time) -> Vec<Step> {
        match checked(text) {
            Ok(frame) => self.called(frame),
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
        if self.awaits_hello
            && let Some(answer) = hello_answer(text)
        {
            self.awaits_hello = false;
            // Nobody asked for it in words: the socket that was asked for cannot be had.
            return refusal(&answer).into_iter().collect();
        }
        match (self.form, Fields::read(text.as_bytes())) {
            (Form::Raw, Ok(fields)) if fields.get("stream").is_some() => fields
                .get("data")
                .map(|data| Step::Send(data.json().to_owned()))
                .into_iter()
                .collect(),
            _ => vec![Step::Send(text.to_owned())],
        }
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

/// The answer to the session's own first subscription, if this is it.
fn hello_answer(text: &str) -> Option<Value> {
    let answer = (text.len() < 400).then(|| serde_json::from_str::<Value>(text).ok()).flatten()?;
    (answer.get("id").and_then(Value::as_u64) == Some(HELLO_ID)).then_some(answer)
}

fn refusal(answer: &Value) -> Option<Step> {
    let words = answer.get("error")?.get("msg")?.as_str()?;
    Some(Step::Close { code: 1008, reason: words.chars().take(MAX_REASON).collect() })
}

/// What the caller wants, or the venue's own error.
fn checked(text: &str) -> Result<Frame, String> {
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
    let ask = match frame.get("method").and_then(Value::as_str).unwrap_or_default() {
        "SUBSCRIBE" => streams(params).map(Ask::Subscribe),
        "UNSUBSCRIBE" => streams(params).map(Ask::Unsubscribe),
        "LIST_SUBSCRIPTIONS" => params.is_none_or(|list| list == &json!([])).then_some(Ask::List),
        "SET_PROPERTY" if params == Some(&json!(["combined", true])) => {
            Some(Ask::SetForm(Form::Combined))
        }
        "SET_PROPERTY" if params == Some(&json!(["combined", false])) => {
            Some(Ask::SetForm(Form::Raw))
        }
        "GET_PROPERTY" if params == Some(&json!(["combined"])) => Some(Ask::GetForm),
        "SET_PROPERTY" | "GET_PROPERTY" => None,
        _ => return Err(error(2, UNKNOWN_METHOD, &id)),
    };
    let ask = ask.ok_or_else(|| error(2, "Invalid request: invalid params", &id))?;
    Ok(Frame { ask, id })
}

/// A list of names that are streams.
fn streams(params: Option<&Value>) -> Option<Vec<String>> {
    let names = params?.as_array()?;
    let name = |name: &Value| name.as_str().filter(|name| is_stream(name)).map(str::to_owned);
    let names: Vec<String> = names.iter().map(name).collect::<Option<_>>()?;
    (!names.is_empty() && names.len() <= MAX_STREAMS).then_some(names)
}

/// A stream socket's error.
pub(crate) fn error(code: u8, words: &str, id: &Value) -> String {
    json!({"error": {"code": code, "msg": words}, "id": id}).to_string()
}
