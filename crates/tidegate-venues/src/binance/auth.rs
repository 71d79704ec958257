//! What a caller shows: its key in a header, and a signature over what it sent.

use super::errors::{missing, said};
use super::params::{self, Params};
use super::routes::{Access, Route};
use crate::front::Need;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Presented, RawRequest, Signature};

/// The header that carries the key.
pub(crate) const KEY_HEADER: &str = "x-mbx-apikey";
/// How long a signature is good for when the caller does not say, in ms.
const DEFAULT_WINDOW_MS: u64 = 5000;
/// The most it may say, in ms.
const MAX_WINDOW_MS: u64 = 60_000;

/// What a route needs of this request.
pub(crate) fn need(route: &Route, request: &RawRequest) -> Result<Need, Reject> {
    match route.access {
        Access::Public => Ok(Need::Nothing),
        // Nothing has to be signed here; what is signed all the same proves who asks.
        Access::Key if Params::of(request)?.get("signature").is_some() => signed(route, request),
        Access::Key => Ok(Need::Credentials(Presented::KeyOnly { key: key(request)? })),
        Access::Signed => signed(route, request),
    }
}

fn key(request: &RawRequest) -> Result<String, Reject> {
    let key = request.header(KEY_HEADER).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Reject::new(Code::MissingCredentials, KEY_HEADER))?;
    Ok(key.to_owned())
}

fn signed(route: &Route, request: &RawRequest) -> Result<Need, Reject> {
    let key = key(request)?;
    let body = params::body_text(request)?;
    let sent = Params::of(request)?;
    let (timestamp_ms, window_ms) = window(&sent)?;
    let (query, in_query) = without_signature(&request.query);
    let (body, in_body) = without_signature(body);
    let text = in_query.or(in_body).ok_or_else(|| missing("signature"))?;
    let candidates = candidates(&text)?;
    let raw = format!("{query}{body}");
    let encoded = raw.contains(['%', '+']);
    let decoded = if encoded { decoded(&query, &body).filter(|text| *text != raw) } else { None };
    let payloads = std::iter::once(raw).chain(decoded).map(String::into_bytes).collect();
    let nonce = candidates.first().cloned().unwrap_or_default();
    let once = route.changes_state();
    Ok(Need::Credentials(Presented::Signature(Signature {
        key,
        payloads,
        candidates,
        timestamp_ms,
        window_ms,
        nonce,
        once,
    })))
}

/// When a request says it was made and how long it is good for, in ms.
pub(crate) fn window(sent: &Params) -> Result<(u64, u64), Reject> {
    let timestamp = sent.whole("timestamp").map_err(|_| missing("timestamp"))?;
    let timestamp = timestamp.ok_or_else(|| missing("timestamp"))?;
    let window = sent.whole("recvWindow")?.unwrap_or(DEFAULT_WINDOW_MS);
    if window > MAX_WINDOW_MS {
        let words = "recvWindow must be less than 60000";
        return Err(said(Code::BadParameter, -1131, words));
    }
    Ok((timestamp, window))
}

/// A part of a request without its signature, and the signature's text.
fn without_signature(part: &str) -> (String, Option<String>) {
    let mut signature = None;
    let mut kept = String::with_capacity(part.len());
    for pair in part.split('&') {
        match pair.strip_prefix("signature=") {
            Some(text) if signature.is_none() => signature = Some(unquoted(text)),
            _ => {
                if !kept.is_empty() {
                    kept.push('&');
                }
                kept.push_str(pair);
            }
        }
    }
    (kept, signature)
}

/// Percent-decoded; a `+` stays, because base64 has it and some clients leave it bare.
fn unquoted(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The bytes a signature's text may stand for: hex or base64.
pub(crate) fn candidates(text: &str) -> Result<Vec<Vec<u8>>, Reject> {
    let mut found = Vec::with_capacity(1);
    if let Some(bytes) = from_hex(text) {
        found.push(bytes);
    } else if let Ok(bytes) = STANDARD.decode(text) {
        found.push(bytes);
    }
    if text.is_empty() {
        return Err(missing("signature"));
    }
    if found.is_empty() {
        return Err(Reject::new(Code::BadSignature, "neither hex nor base64"));
    }
    Ok(found)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = Vec::with_capacity(32);
    let mut digits = text.bytes();
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        bytes.push(digit(high)? << 4 | digit(low)?);
    }
    Some(bytes)
}

/// The text that python-binance signs before its HTTP library encodes it. Not offered when a
/// value holds a separator: then the text could be read as another request.
fn decoded(query: &str, body: &str) -> Option<String> {
    let part = |part: &str| -> Option<String> {
        let pairs = part.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (params::decode(name).ok()?, params::decode(value).ok()?);
            let clear = !name.contains(['&', '=']) && !value.contains(['&', '=']);
            clear.then(|| format!("{name}={value}"))
        });
        pairs.collect::<Option<Vec<_>>>().map(|pairs| pairs.join("&"))
    };
    Some(format!("{}{}", part(query)?, part(body)?))
}

/// What a WebSocket API request shows: key and signature among its parameters, which are sorted
/// and joined unencoded; one stock client encodes them first.
pub(crate) fn of_frame(sent: &Params, once: bool) -> Result<Signature, Reject> {
    let key = sent.get("apiKey").filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Reject::new(Code::MissingCredentials, "apiKey"))?.to_owned();
    let (timestamp_ms, window_ms) = window(sent)?;
    let candidates = candidates(sent.need("signature")?)?;
    let mut pairs: Vec<(&str, &str)> =
        sent.iter().filter(|(name, _)| *name != "signature").collect();
    pairs.sort_unstable();
    let joined: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let raw = joined.join("&");
    let encoded = params::query(pairs);
    let mut payloads = vec![raw.into_bytes()];
    if payloads.first().is_some_and(|raw| raw != encoded.as_bytes()) {
        // Python's urlencode writes a space as `+`.
        payloads.push(encoded.replace("%20", "+").into_bytes());
    }
    let nonce = candidates.first().cloned().unwrap_or_default();
    Ok(Signature { key, payloads, candidates, timestamp_ms, window_ms, nonce, once })
}

#[cfg(test)]
mod tests;
