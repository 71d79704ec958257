//! JSON-RPC framing over HTTP and WebSocket.

use super::fault::Fault;
use super::params::Params;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tidegate_types::time::Time;

/// The largest body or frame.
pub(crate) const MAX_REQUEST: usize = 32 * 1024;
/// Where all methods live.
pub(crate) const ROOT: &str = "/api/v2";

/// Whether answers say that this is no production venue. It is none, whoever asks.
const TESTNET: bool = true;

/// A call as read from its frame.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Call {
    /// What the answer repeats; none if the caller gave none.
    pub(crate) id: Option<Value>,
    /// `public/…` or `private/…`.
    pub(crate) method: String,
    /// The named parameters.
    pub(crate) params: Params,
}

/// A call that could not be read, with the id its answer repeats.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Unreadable(pub(crate) Option<Value>, pub(crate) Fault);

impl Unreadable {
    fn new(id: Option<Value>, fault: Fault) -> Box<Unreadable> {
        Box::new(Unreadable(id, fault))
    }
}

/// The result of a call as JSON text.
pub(crate) type Answer = Result<Box<RawValue>, Fault>;

/// A result as an answer.
pub(crate) fn answer<T: Serialize + ?Sized>(result: &T) -> Answer {
    serde_json::value::to_raw_value(result).map_err(|_| Fault::INTERNAL)
}

/// Reads a JSON-RPC object.
pub(crate) fn read_json(text: &[u8]) -> Result<Call, Box<Unreadable>> {
    if text.len() > MAX_REQUEST {
        return Err(Unreadable::new(None, Fault::TOO_LARGE));
    }
    let value: Value =
        serde_json::from_slice(text).map_err(|_| Unreadable::new(None, Fault::invalid_json()))?;
    let Value::Object(mut fields) = value else {
        return Err(Unreadable::new(None, Fault::BAD_REQUEST));
    };
    let id = fields.swap_remove("id");
    let Some(Value::String(method)) = fields.swap_remove("method") else {
        return Err(Unreadable::new(id, Fault::NO_SUCH_METHOD));
    };
    match Params::json(fields.swap_remove("params")) {
        Ok(params) => Ok(Call { id, method, params }),
        Err(fault) => Err(Unreadable::new(id, fault)),
    }
}

/// Reads an HTTP request: `target` is the request target as sent.
pub(crate) fn read_http(method: &str, target: &str, body: &[u8]) -> Result<Call, Box<Unreadable>> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let name = path.strip_prefix(ROOT).ok_or(Unreadable::new(None, Fault::NO_SUCH_METHOD))?;
    let name = name.strip_prefix('/').unwrap_or(name);
    if query.len() > MAX_REQUEST || body.len() > MAX_REQUEST {
        return Err(Unreadable::new(None, Fault::TOO_LARGE));
    }
    match (method, body.is_empty()) {
        ("GET", _) | ("POST", true) => {
            let params = Params::query(query).map_err(|fault| Unreadable::new(None, fault))?;
            Ok(Call { id: None, method: name.to_owned(), params })
        }
        ("POST", false) => {
            let call = read_json(body)?;
            if !name.is_empty() && name != call.method {
                return Err(Unreadable::new(call.id, Fault::BAD_REQUEST));
            }
            Ok(call)
        }
        _ => Err(Unreadable::new(None, Fault::BAD_REQUEST)),
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Body<'a>>,
    #[serde(rename = "usIn")]
    us_in: u64,
    #[serde(rename = "usOut")]
    us_out: u64,
    #[serde(rename = "usDiff")]
    us_diff: u64,
    testnet: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    code: i32,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

/// The whole response to a call that came in and was answered at these times.
pub(crate) fn respond(id: Option<&Value>, answer: &Answer, came: Time, left: Time) -> String {
    let envelope = Envelope {
        jsonrpc: "2.0",
        id,
        result: answer.as_deref().ok(),
        error: answer.as_ref().err().map(|fault| Body {
            code: fault.code,
            message: &fault.message,
            data: fault.data.as_ref(),
        }),
        us_in: came.micros(),
        us_out: left.micros(),
        us_diff: left.since(came).micros(),
        testnet: TESTNET,
    };
    to_text(&envelope)
}

/// A message of a subscription.
pub(crate) fn notify<T: Serialize>(channel: &str, data: &T) -> String {
    #[derive(Serialize)]
    struct Params<'a, T> {
        channel: &'a str,
        data: &'a T,
    }
    notification("subscription", &Params { channel, data })
}

/// A heartbeat or test request.
pub(crate) fn heartbeat(kind: &'static str) -> String {
    #[derive(Serialize)]
    struct Params {
        r#type: &'static str,
    }
    notification("heartbeat", &Params { r#type: kind })
}

fn notification<T: Serialize>(method: &'static str, params: &T) -> String {
    #[derive(Serialize)]
    struct Message<'a, T> {
        jsonrpc: &'static str,
        method: &'static str,
        params: &'a T,
    }
    to_text(&Message { jsonrpc: "2.0", method, params })
}

/// Our own structs always serialize; were one not to, the client sees an empty text.
fn to_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
