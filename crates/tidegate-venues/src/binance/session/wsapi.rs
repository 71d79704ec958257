//! The WebSocket API: requests in frames, answered by their ids in any order.

use crate::binance::errors::{self, About, missing, said};
use crate::binance::params::Params;
use crate::binance::routes::{self, Access, Route};
use crate::binance::{auth, parse};
use crate::front::{From, Instruments, Session, Step, Tag, Viewer};
use crate::json;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidegate_types::limits::{MAX_CLOCK_AHEAD, MAX_WS_MESSAGE_BYTES};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Presented, Reply};
use tidegate_types::time::Time;

/// Most questions of one socket that wait for their answers.
const MAX_WAITING: usize = 256;
/// An Ed25519 signature; others open no session.
const ED25519_BYTES: usize = 64;

/// Methods and the routes that do the same.
const METHODS: &[(&str, &str)] = &[
    ("order.place", "POST /fapi/v1/order"),
    ("order.modify", "PUT /fapi/v1/order"),
    ("order.cancel", "DELETE /fapi/v1/order"),
    ("order.status", "GET /fapi/v1/order"),
    ("algoOrder.place", "POST /fapi/v1/algoOrder"),
    ("algoOrder.cancel", "DELETE /fapi/v1/algoOrder"),
    ("account.status", "GET /fapi/v2/account"),
    ("v2/account.status", "GET /fapi/v3/account"),
    ("account.balance", "GET /fapi/v2/balance"),
    ("v2/account.balance", "GET /fapi/v3/balance"),
    ("account.position", "GET /fapi/v2/positionRisk"),
    ("v2/account.position", "GET /fapi/v3/positionRisk"),
    ("userDataStream.start", "POST /fapi/v1/listenKey"),
    ("userDataStream.ping", "PUT /fapi/v1/listenKey"),
    ("userDataStream.stop", "DELETE /fapi/v1/listenKey"),
    ("ticker.price", "GET /fapi/v1/ticker/price"),
    ("ticker.book", "GET /fapi/v1/ticker/bookTicker"),
    ("depth", "GET /fapi/v1/depth"),
];

/// A socket of the WebSocket API.
#[derive(Debug)]
pub(crate) struct ApiSession {
    limits: bool,
    opened: Time,
    login: Option<(String, Time)>,
    /// Whoever opened the socket asks, and nothing is signed nor stamped.
    identified: bool,
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
}

/// A question that waits for its answer.
#[derive(Debug)]
struct Waiting {
    id: Value,
    limits: bool,
    about: About,
    /// The key of a login.
    login: Option<String>,
}

/// A frame that could be read.
struct Frame {
    id: Value,
    method: String,
    sent: Params<'static>,
    limits: bool,
}

impl ApiSession {
    /// A socket with the query of its address.
    pub(crate) fn open(query: &str) -> Result<ApiSession, Reject> {
        let limits = match query {
            "" | "returnRateLimits=true" => true,
            "returnRateLimits=false" => false,
            _ => return Err(Reject::new(Code::UnknownParameter, "in a socket's address")),
        };
        Ok(ApiSession {
            limits,
            opened: Time::default(),
            login: None,
            identified: false,
            waiting: BTreeMap::new(),
            next: 0,
        })
    }

    fn read(&self, text: &str) -> Result<Frame, (Value, Reject)> {
        let none = |reject: Reject| (Value::Null, reject);
        if text.len() > MAX_WS_MESSAGE_BYTES {
            return Err(none(Reject::new(Code::TooLarge, "the message is too long")));
        }
        let frame = json::strict(text).map_err(none)?;
        let id = match frame.get("id") {
            None | Some(Value::Null) => Value::Null,
            Some(id @ (Value::Number(_) | Value::String(_))) => id.clone(),
            Some(_) => return Err(none(bad("id"))),
        };
        let known = |key: &String| ["id", "method", "params"].contains(&key.as_str());
        if !frame.as_object().is_some_and(|object| object.keys().all(known)) {
            return Err((id, Reject::new(Code::UnknownParameter, "beside id, method and params")));
        }
        let method = frame.get("method").and_then(Value::as_str).map(str::to_owned);
        let Some(method) = method else { return Err((id, missing("method"))) };
        let sent = match frame.get("params") {
            None | Some(Value::Null) => Ok(Params::default()),
            Some(params) => Params::of_object(params),
        };
        let sent = match sent {
            Ok(sent) => sent,
            Err(reject) => return Err((id, reject)),
        };
        match sent.truth("returnRateLimits") {
            Ok(limits) => Ok(Frame { id, method, sent, limits: limits.unwrap_or(self.limits) }),
            Err(reject) => Err((id, reject)),
        }
    }

    fn ask(&mut self, frame: &Frame, instruments: &Instruments, now: Time) -> Result<Step, Reject> {
        match frame.method.as_str() {
            "session.logon" => return self.log_on(frame, now),
            "session.status" => return Ok(self.session_answer(frame, now)),
            "session.logout" => {
                (self.login, self.identified) = (None, false);
                return Ok(self.session_answer(frame, now));
            }
            _ => {}
        }
        let name = METHODS.iter().find(|(method, _)| *method == frame.method).map(|(_, name)| name);
        let route = name.and_then(|name| routes::named(name)).ok_or_else(|| {
            let shown = frame.method.escape_default().take(60).collect::<String>();
            Reject::new(Code::UnknownRoute, shown)
        })?;
        let from = self.from(route, &frame.sent, now)?;
        let parsed = parse::parse(route, &frame.sent, instruments)?;
        let mut about = About::context(&parsed.context.0);
        about.ahead = is_ahead(&frame.sent, now);
        let tag = self.wait(frame, about, None)?;
        Ok(Step::Ask { tag, from, parsed: Box::new(parsed) })
    }

    fn from(&self, route: &Route, sent: &Params, now: Time) -> Result<From, Reject> {
        let shown = sent.get("apiKey");
        match route.access {
            Access::Public => Ok(From::Nobody),
            Access::Key | Access::Signed if shown.is_none() && self.identified => Ok(From::Session),
            Access::Key if shown.is_none() || sent.get("signature").is_none() => {
                match (shown, &self.login) {
                    (Some(key), _) => {
                        let presented = Presented::KeyOnly { key: key.to_owned() };
                        Ok(From::Credentials { presented, remember: false })
                    }
                    (None, Some(_)) => Ok(From::Session),
                    (None, None) => Err(Reject::new(Code::MissingCredentials, "apiKey")),
                }
            }
            Access::Signed if shown.is_none() && self.login.is_some() => {
                let (timestamp, window) = auth::window(sent)?;
                let ahead = timestamp > now.plus(MAX_CLOCK_AHEAD).millis();
                if ahead || now.millis().saturating_sub(timestamp) > window {
                    return Err(Reject::new(Code::StaleTimestamp, ""));
                }
                Ok(From::Session)
            }
            Access::Key | Access::Signed => {
                let signature = auth::of_frame(sent, route.changes_state())?;
                let presented = Presented::Signature(signature);
                Ok(From::Credentials { presented, remember: false })
            }
        }
    }

    fn log_on(&mut self, frame: &Frame, now: Time) -> Result<Step, Reject> {
        frame.sent.check_names(&[])?;
        let signature = auth::of_frame(&frame.sent, true)?;
        if signature.candidates.iter().all(|bytes| bytes.len() != ED25519_BYTES) {
            let words = "HMAC_SHA256 API key is not supported.";
            return Err(said(Code::BadParameter, -4056, words));
        }
        let login = Some(signature.key.clone());
        let about = About { ahead: is_ahead(&frame.sent, now), ..About::default() };
        let tag = self.wait(frame, about, login)?;
        let presented = Presented::Signature(signature);
        Ok(Step::Identify { tag, from: From::Credentials { presented, remember: true } })
    }

    fn wait(&mut self, frame: &Frame, about: About, login: Option<String>) -> Result<Tag, Reject> {
        if self.waiting.len() >= MAX_WAITING {
            let why = format!("{MAX_WAITING} questions of this socket wait");
            return Err(Reject::new(Code::RequestRate, why));
        }
        let tag = self.next;
        self.next = self.next.wrapping_add(1);
        let waiting = Waiting { id: frame.id.clone(), limits: frame.limits, about, login };
        self.waiting.insert(tag, waiting);
        Ok(Tag(tag))
    }

    fn session_answer(&self, frame: &Frame, now: Time) -> Step {
        Step::Send(envelope(&frame.id, 200, "result", self.session(now), None))
    }

    fn session(&self, now: Time) -> Value {
        let (key, since) = match &self.login {
            Some((key, since)) => (json!(key), json!(since.millis())),
            None => (Value::Null, Value::Null),
        };
        json!({
            "apiKey": key,
            "authorizedSince": since,
            "connectedSince": self.opened.millis(),
            "returnRateLimits": self.limits,
            "serverTime": now.millis(),
        })
    }
}

impl Session for ApiSession {
    fn relay_target(&self) -> Option<String> {
        None
    }

    fn identified(&mut self, name: &str, now: Time) {
        (self.login, self.identified) = (Some((name.to_owned(), now)), true);
    }

    fn on_open(&mut self, now: Time) -> Vec<Step> {
        self.opened = now;
        Vec::new()
    }

    fn on_text(&mut self, text: &str, instruments: &Instruments, now: Time) -> Vec<Step> {
        let frame = match self.read(text) {
            Ok(frame) => frame,
            Err((id, reject)) => return vec![refusal(&id, &reject, About::default())],
        };
        match self.ask(&frame, instruments, now) {
            Ok(step) => vec![step],
            Err(reject) => {
                let about = About { ahead: is_ahead(&frame.sent, now), ..About::default() };
                vec![refusal(&frame.id, &reject, about)]
            }
        }
    }

    fn on_reply(&mut self, tag: Tag, reply: Reply, _now: Time) -> Vec<Step> {
        let Some(waiting) = self.waiting.remove(&tag.0) else { return Vec::new() };
        let limits = waiting.limits.then(|| limits(&reply));
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let part = if reply.status < 400 { "result" } else { "error" };
        vec![Step::Send(envelope(&waiting.id, reply.status, part, body, limits))]
    }

    fn on_identity(&mut self, tag: Tag, result: Result<(), Reject>, now: Time) -> Vec<Step> {
        let Some(waiting) = self.waiting.remove(&tag.0) else { return Vec::new() };
        if let Err(reject) = result {
            return vec![refusal(&waiting.id, &reject, waiting.about)];
        }
        self.login = waiting.login.map(|key| (key, now));
        vec![Step::Send(envelope(&waiting.id, 200, "result", self.session(now), None))]
    }

    fn on_reject(&mut self, tag: Tag, reject: &Reject, _now: Time) -> Vec<Step> {
        let Some(waiting) = self.waiting.remove(&tag.0) else { return Vec::new() };
        vec![refusal(&waiting.id, reject, waiting.about)]
    }

    fn on_private(&mut self, _frame: &Value, _viewer: &Viewer<'_>, _now: Time) -> Vec<Step> {
        Vec::new()
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

fn bad(name: &str) -> Reject {
    said(Code::BadParameter, -1130, format!("Data sent for parameter '{name}' is not valid."))
}

fn is_ahead(sent: &Params, now: Time) -> bool {
    let timestamp = sent.whole("timestamp").ok().flatten();
    timestamp.is_some_and(|timestamp| timestamp > now.plus(MAX_CLOCK_AHEAD).millis())
}

fn refusal(id: &Value, reject: &Reject, about: About) -> Step {
    let (status, number, words) = errors::worded(reject, about);
    Step::Send(envelope(id, status, "error", json!({"code": number, "msg": words}), None))
}

fn envelope(id: &Value, status: u16, part: &str, body: Value, limits: Option<Value>) -> String {
    let mut frame = json!({"id": id, "status": status});
    if let Some(frame) = frame.as_object_mut() {
        frame.insert(part.to_owned(), body);
        if let Some(limits) = limits {
            frame.insert("rateLimits".to_owned(), limits);
        }
    }
    frame.to_string()
}

/// Headers that count, and what they count.
const COUNTS: &[(&str, &str, &str, u32, u32)] = &[
    ("x-mbx-used-weight-1m", "REQUEST_WEIGHT", "MINUTE", 1, 2400),
    ("x-mbx-order-count-10s", "ORDERS", "SECOND", 10, 300),
    ("x-mbx-order-count-1m", "ORDERS", "MINUTE", 1, 1200),
];

fn limits(reply: &Reply) -> Value {
    let count = |header: &str| {
        let found = reply.headers.iter().find(|(name, _)| name == header);
        found.and_then(|(_, value)| value.parse::<u64>().ok())
    };
    let rows = COUNTS.iter().filter_map(|(header, kind, interval, number, limit)| {
        count(header).map(|count| {
            json!({
                "rateLimitType": kind,
                "interval": interval,
                "intervalNum": number,
                "limit": limit,
                "count": count,
            })
        })
    });
    Value::Array(rows.collect())
}
