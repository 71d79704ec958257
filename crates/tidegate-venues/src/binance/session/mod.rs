//! WebSocket sessions: public streams, the caller's private stream, and the WebSocket API.

mod streams;
mod user;
mod wsapi;

use super::params::Params;
use crate::front::Session;
use streams::PublicSession;
pub(crate) use streams::error as stream_error;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::RawRequest;
use user::UserSession;
use wsapi::ApiSession;

/// Most streams of one socket.
const MAX_STREAMS: usize = 1024;
/// Longest name of a stream.
const MAX_STREAM_NAME: usize = 80;
/// Longest listen key.
const MAX_LISTEN_KEY: usize = 128;

/// How payloads are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// As they are.
    Raw,
    /// In an envelope that names the stream.
    Combined,
}

/// Opens the session that a path and query ask for.
///
/// # Errors
/// `UnknownRoute` when there is no such socket, `BadParameter` for names that are no streams.
pub(crate) fn open(request: &RawRequest) -> Result<Box<dyn Session>, Reject> {
    if request.path == "/ws-fapi/v1" {
        return ApiSession::open(&request.query).map(|s| Box::new(s) as Box<dyn Session>);
    }
    let Address { class, form, names, events } = Address::of(request)?;
    let key = names.iter().copied().find(|name| is_listen_key(name));
    match (class, key) {
        ("private" | "", Some(key)) if names.len() == 1 => {
            Ok(Box::new(UserSession::new(Some(key), form, events)))
        }
        // The key comes in a subscription.
        ("private", None) if names.is_empty() => Ok(Box::new(UserSession::new(None, form, events))),
        ("private", _) | (_, Some(_)) => Err(Reject::new(
            Code::BadParameter,
            "a private socket takes one listen key, a public one takes none",
        )),
        _ => PublicSession::open(class, form, &names).map(|s| Box::new(s) as Box<dyn Session>),
    }
}

/// Whether a listen key is in the address of a request, or of the socket that it asks for.
pub(crate) fn key_in_address(request: &RawRequest) -> bool {
    let named = Params::read(&request.query, "").is_ok_and(|sent| sent.get("listenKey").is_some());
    let of_socket = Address::of(request);
    named || of_socket.is_ok_and(|at| at.names.iter().any(|name| is_listen_key(name)))
}

/// What the address of a socket says.
struct Address<'a> {
    /// `public`, `market`, `private`, or nothing.
    class: &'a str,
    form: Form,
    /// The streams, or the listen key.
    names: Vec<&'a str>,
    /// The events wanted.
    events: &'a str,
}

impl Address<'_> {
    fn of(request: &RawRequest) -> Result<Address<'_>, Reject> {
        let (class, rest) = match request.path.strip_prefix('/').and_then(|p| p.split_once('/')) {
            Some((class @ ("public" | "market" | "private"), rest)) => (class, rest),
            _ => ("", request.path.trim_start_matches('/')),
        };
        let (word, names) = rest.split_once('/').unwrap_or((rest, ""));
        let form = match word {
            "ws" => Form::Raw,
            "stream" => Form::Combined,
            _ => return Err(Reject::new(Code::UnknownRoute, "no such socket")),
        };
        let mut names: Vec<&str> = names.split('/').filter(|name| !name.is_empty()).collect();
        let mut events = "";
        for pair in request.query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("streams", list)) => names.extend(list.split('/').filter(|n| !n.is_empty())),
                Some(("listenKey", key)) => names.push(key),
                Some(("events", list)) => events = list,
                // Units of times are always ms here; other parameters mean nothing.
                _ => return Err(Reject::new(Code::UnknownParameter, "in a socket's address")),
            }
        }
        Ok(Address { class, form, names, events })
    }
}

/// Whether a name is that of a public stream. Listen keys never are: they have neither `@` nor `!`.
fn is_stream(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"@!_.-".contains(&b);
    !name.is_empty()
        && name.len() <= MAX_STREAM_NAME
        && name.bytes().all(allowed)
        && (name.contains('@') || name.starts_with('!') || name == "tradingSession")
}

/// Some clients number their sockets in the path; the venue ignores such names.
fn is_number(name: &str) -> bool {
    !name.is_empty() && name.len() <= 6 && name.bytes().all(|b| b.is_ascii_digit())
}

fn is_listen_key(name: &str) -> bool {
    !is_number(name)
        && name != "tradingSession"
        && name.len() <= MAX_LISTEN_KEY
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
