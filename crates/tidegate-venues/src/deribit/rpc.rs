//! JSON-RPC framing: a call from a query string, a body or a WebSocket frame, and the envelope of
//! an answer.

use super::methods::{self, Method};
use crate::json;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Number, Value};
use tidegate_types::decimal::Decimal;
use tidegate_types::limits::{MAX_BODY_BYTES, MAX_PARAMS};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Method as Verb, RawRequest};
use tidegate_types::time::Time;

/// Where the methods live over HTTP.
pub(crate) const ROOT: &str = "/api/v2";
/// Where the WebSocket is.
pub(crate) const SOCKET: &str = "/ws/api/v2";

/// What stays as it is in a query value.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Rpc {
    /// What the answer repeats; any JSON, or nothing.
    pub(crate) id: Option<Value>,
    /// The method.
    pub(crate) method: &'static Method,
    /// Its parameters.
    pub(crate) params: Params,
}

/// A call that cannot be read, with the id for its answer if that could be.
#[derive(Debug)]
pub(crate) struct Unread {
    /// What the answer repeats.
    pub(crate) id: Option<Value>,
    /// Why.
    pub(crate) reject: Reject,
}

impl From<Reject> for Unread {
    fn from(reject: Reject) -> Unread {
        Unread { id: None, reject }
    }
}

/// The named parameters of a call: text from a query string, typed from JSON. `null` is absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub(crate) Map<String, Value>);

/// Reads an HTTP request. A query and a body together are refused, so that no two readers can take
/// different parameters from one request.
pub(crate) fn from_http(request: &RawRequest) -> Result<Rpc, Unread> {
    let name = method_name(&request.path)?;
    if request.body.len() > MAX_BODY_BYTES || request.query.len() > MAX_BODY_BYTES {
        return Err(Reject::new(Code::TooLarge, "the limit is 32 kB").into());
    }
    match request.method {
        Verb::Get if request.body.is_empty() => {
            let params = Params::from_query(&request.query)?;
            Ok(Rpc { id: None, method: find(name)?, params })
        }
        Verb::Post if request.body.is_empty() => {
            let params = Params::from_query(&request.query)?;
            Ok(Rpc { id: None, method: find(name)?, params })
        }
        Verb::Post if request.query.is_empty() => {
            let text = std::str::from_utf8(&request.body)
                .map_err(|_| Reject::new(Code::Malformed, "the body is not UTF-8"))?;
            from_json(text, Some(name).filter(|name| !name.is_empty()))
        }
        Verb::Get | Verb::Post => {
            Err(Reject::new(Code::Malformed, "parameters in both query and body").into())
        }
        Verb::Put | Verb::Delete => {
            Err(Reject::new(Code::UnknownRoute, request.method.as_str()).into())
        }
    }
}

/// Reads a WebSocket frame.
pub(crate) fn from_frame(text: &str) -> Result<Rpc, Unread> {
    if text.len() > MAX_BODY_BYTES {
        return Err(Reject::new(Code::TooLarge, "the limit is 32 kB").into());
    }
    from_json(text, None)
}

fn from_json(text: &str, path: Option<&str>) -> Result<Rpc, Unread> {
    let Value::Object(mut fields) = json::strict(text)? else {
        return Err(Reject::new(Code::Malformed, "one JSON-RPC object is wanted").into());
    };
    let id = fields.shift_remove("id");
    let read = || {
        let named = match (fields.get("method"), path) {
            (Some(Value::String(name)), None) => name,
            (Some(Value::String(name)), Some(path)) if name == path => name,
            (None, Some(path)) => path,
            (Some(_), Some(_)) => {
                return Err(Reject::new(Code::Malformed, "path and body name different methods"));
            }
            (_, None) => return Err(Reject::new(Code::UnknownRoute, "no method is named")),
        };
        let params = match fields.get("params") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(params)) => params.clone(),
            Some(_) => return Err(Reject::new(Code::BadParameter, "`params` is not an object")),
        };
        if params.len() > MAX_PARAMS {
            return Err(Reject::new(Code::TooLarge, "too many parameters"));
        }
        Ok((find(named)?, Params(params)))
    };
    match read() {
        Ok((method, params)) => Ok(Rpc { id, method, params }),
        Err(reject) => Err(Unread { id, reject }),
    }
}

fn method_name(path: &str) -> Result<&str, Reject> {
    let name = path.strip_prefix(ROOT).and_then(|rest| match rest {
        "" => Some(""),
        rest => rest.strip_prefix('/'),
    });
    name.ok_or_else(|| Reject::new(Code::UnknownRoute, ""))
}

fn find(name: &str) -> Result<&'static Method, Reject> {
    methods::find(name).ok_or_else(|| Reject::new(Code::UnknownRoute, ""))
}

/// A refusal of a parameter, which it names first so that the answer can.
pub(crate) fn bad(code: Code, name: &str, why: &str) -> Reject {
    Reject::new(code, format!("`{name}` {why}"))
}

impl Params {
    /// From a query string. A list is written `key[]=a&key[]=b`; any other repetition is refused.
    pub(crate) fn from_query(query: &str) -> Result<Params, Reject> {
        let mut params = Map::new();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        for (count, pair) in pairs.enumerate() {
            if count >= MAX_PARAMS {
                return Err(Reject::new(Code::TooLarge, "too many parameters"));
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decoded(key)?, Value::String(decoded(value)?));
            match key.strip_suffix("[]") {
                Some(list) => {
                    match params.entry(list).or_insert_with(|| Value::Array(Vec::new())) {
                        Value::Array(items) => items.push(value),
                        _ => return Err(bad(Code::DuplicateParameter, list, "is given twice")),
                    }
                }
                None if params.contains_key(&key) => {
                    return Err(bad(Code::DuplicateParameter, &key, "is given twice"));
                }
                None => drop(params.insert(key, value)),
            }
        }
        Ok(Params(params))
    }

    /// The value under the name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Reject> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(bad(Code::BadParameter, name, "is not text")),
        }
    }

    /// A text that must be there.
    pub(crate) fn need_text(&self, name: &str) -> Result<&str, Reject> {
        self.text(name)?.ok_or_else(|| bad(Code::MissingParameter, name, "is missing"))
    }

    /// A number exactly as written, given as a number or as text of the same form: with an exponent
    /// or without.
    pub(crate) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Reject> {
        let wrong = || bad(Code::BadParameter, name, "is not a number with at most 8 decimals");
        match self.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => number.as_str().parse().map(Some).map_err(|_| wrong()),
            Some(Value::String(text)) if is_number(text) => {
                text.parse().map(Some).map_err(|_| wrong())
            }
            Some(_) => Err(wrong()),
        }
    }

    /// A whole number that is not negative, given as a number or as text.
    pub(crate) fn whole(&self, name: &str) -> Result<Option<u64>, Reject> {
        let wrong = || bad(Code::BadParameter, name, "is not a whole number");
        let text = match self.get(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_str(),
            Some(Value::String(text)) if is_number(text) => text,
            Some(_) => return Err(wrong()),
        };
        text.strip_suffix(".0").unwrap_or(text).parse().map(Some).map_err(|_| wrong())
    }

    /// A truth value.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Reject> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(_) => Err(bad(Code::BadParameter, name, "is neither true nor false")),
        }
    }

    /// A list of texts; one text is a list of one.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<&str>, Reject> {
        let wrong = || bad(Code::BadParameter, name, "is not a list of texts");
        match self.get(name) {
            None => Err(bad(Code::MissingParameter, name, "is missing")),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }
}

fn decoded(text: &str) -> Result<String, Reject> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Reject::new(Code::Malformed, "the query is not UTF-8"))
}

/// The parameters as a query string, each key and value encoded.
pub(crate) fn query<'a>(params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = params
        .into_iter()
        .map(|(key, value)| {
            format!("{}={}", utf8_percent_encode(key, PLAIN), utf8_percent_encode(value, PLAIN))
        })
        .collect();
    pairs.join("&")
}

/// The path and query that ask for a method.
pub(crate) fn target<'a>(
    method: &str,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let query = query(params);
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{ROOT}/{method}{mark}{query}")
}

/// Whether a text has the form of a JSON number, which is that of all the venue's numbers.
fn is_number(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
    text.bytes().all(plain) && serde_json::from_str::<Number>(text).is_ok()
}

/// The text of a call.
pub(crate) fn call(id: u64, method: &str, params: Map<String, Value>) -> String {
    let mut fields = Map::new();
    fields.insert("jsonrpc".into(), "2.0".into());
    fields.insert("id".into(), id.into());
    fields.insert("method".into(), method.into());
    fields.insert("params".into(), Value::Object(params));
    Value::Object(fields).to_string()
}

/// The text of a notification.
pub(crate) fn notification(channel: &str, data: Value) -> String {
    let mut params = Map::new();
    params.insert("channel".into(), channel.into());
    params.insert("data".into(), data);
    let mut fields = Map::new();
    fields.insert("jsonrpc".into(), "2.0".into());
    fields.insert("method".into(), "subscription".into());
    fields.insert("params".into(), Value::Object(params));
    Value::Object(fields).to_string()
}

/// A whole answer: `outcome` is the key `result` or `error` and its value.
pub(crate) fn envelope(
    id: Option<&Value>,
    outcome: (&str, Value),
    came: Time,
    now: Time,
) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("jsonrpc".into(), "2.0".into());
    if let Some(id) = id {
        fields.insert("id".into(), id.clone());
    }
    fields.insert(outcome.0.into(), outcome.1);
    fields.insert("usIn".into(), came.micros().into());
    fields.insert("usOut".into(), now.micros().into());
    fields.insert("usDiff".into(), now.since(came).micros().into());
    fields.insert("testnet".into(), false.into());
    fields
}

/// Puts the caller's id into an answer, where the venue puts it, or takes it out.
pub(crate) fn restore_id(answer: &mut Map<String, Value>, id: Option<&Value>) {
    answer.shift_remove("id");
    if let Some(id) = id {
        let at = answer.len().min(1);
        answer.shift_insert(at, "id".into(), id.clone());
    }
}

#[cfg(test)]
mod tests;
