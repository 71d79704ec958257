//! The head of a request, checked.

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, Version, request::Parts};
use tidegate_types::key::Origin;
use tidegate_types::limits::MAX_BODY_BYTES;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Method, RawRequest};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A checked head.
pub(super) struct Head {
    /// The request, still without its body.
    pub(super) request: RawRequest,
    /// What it wants.
    pub(super) wants: Wants,
}

/// What a request wants.
pub(super) enum Wants {
    /// An answer.
    Answer,
    /// A WebSocket; `accept` proves that it was understood.
    WebSocket {
        /// The value of `Sec-WebSocket-Accept`.
        accept: String,
    },
}

impl Head {
    /// Checks a head; `path` is the target's path as seen from its mount.
    pub(super) fn read(parts: &Parts, path: &str, origin: Origin) -> Result<Head, Reject> {
        let method = method(&parts.method)?;
        if parts.version != Version::HTTP_11 {
            return Err(malformed("HTTP/1.1 is what is spoken here"));
        }
        if parts.uri.scheme().is_some() || parts.uri.authority().is_some() || !path.starts_with('/')
        {
            return Err(malformed("the target must be a path"));
        }
        let headers = &parts.headers;
        if headers.get_all(HOST).iter().count() != 1 {
            return Err(malformed("there must be exactly one Host header"));
        }
        if headers.contains_key(TRANSFER_ENCODING) {
            return Err(malformed("Transfer-Encoding is not taken; send Content-Length"));
        }
        check_length(headers)?;
        let wants = wants(method, headers)?;
        let headers = headers.iter().map(|(name, value)| match value.to_str() {
            Ok(value) => Ok((name.as_str().to_owned(), value.to_owned())),
            Err(_) => Err(malformed(format!("the header {name} is not plain ASCII"))),
        });
        let request = RawRequest {
            method,
            path: path.to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: headers.collect::<Result<_, _>>()?,
            body: Vec::new(),
            peer: origin.peer,
            certificate: origin.certificate,
        };
        Ok(Head { request, wants })
    }
}

fn method(method: &http::Method) -> Result<Method, Reject> {
    match method.as_str() {
        "GET" => Ok(Method::Get),
        "POST" => Ok(Method::Post),
        "PUT" => Ok(Method::Put),
        "DELETE" => Ok(Method::Delete),
        _ => Err(Reject::new(Code::UnknownRoute, "methods are GET, POST, PUT and DELETE")),
    }
}

/// Refuses a body that is too long before any of it is read.
fn check_length(headers: &HeaderMap) -> Result<(), Reject> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else { return Ok(()) };
    let digits = length.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    if lengths.next().is_some() || digits.is_none_or(str::is_empty) {
        return Err(malformed("there must be one Content-Length, a number"));
    }
    match digits.and_then(|text| text.parse::<usize>().ok()) {
        Some(length) if length <= MAX_BODY_BYTES => Ok(()),
        _ => Err(Reject::new(Code::TooLarge, format!("the body is over {MAX_BODY_BYTES} bytes"))),
    }
}

fn wants(method: Method, headers: &HeaderMap) -> Result<Wants, Reject> {
    if !lists(headers, &UPGRADE, "websocket") || !lists(headers, &CONNECTION, "upgrade") {
        return Ok(Wants::Answer);
    }
    if !comes_from_here(headers) {
        return Err(malformed("a page of another site may open no WebSocket here"));
    }
    let version = headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    match headers.get(SEC_WEBSOCKET_KEY) {
        Some(key) if version && method == Method::Get => {
            Ok(Wants::WebSocket { accept: derive_accept_key(key.as_bytes()) })
        }
        _ => Err(malformed("a WebSocket opens with GET, Sec-WebSocket-Key and version 13")),
    }
}

/// Whether a WebSocket is opened by a program, or by a page of the host that it is opened to: browsers always
/// say which page it is (RFC 6455, section 10.2), and some clients name the host as their own.
fn comes_from_here(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let page = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    origins.next().is_none() && page.is_some_and(|(_, page)| page.eq_ignore_ascii_case(host))
}

/// Whether a comma-separated header has this word.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
}

fn malformed(detail: impl Into<String>) -> Reject {
    Reject::new(Code::Malformed, detail)
}
