//! Where a caller's credentials may be and what they are over.

use super::methods::{Kind, Method};
use super::rpc::{Params, Rpc, bad};
use crate::front::Weakness;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use tidegate_types::limits::MAX_SIGNATURE_WINDOW;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Presented, RawRequest, Signature};
use tidegate_types::secret::Secret;
use tidegate_types::time::Span;

/// The parameters that whoever reads them can log in with.
const SECRETS: [&str; 3] = ["client_secret", "refresh_token", "access_token"];

/// The credentials of an HTTP call to a private method: an `Authorization` header or the
/// parameter `access_token`, one of them.
pub(crate) fn of_http(request: &RawRequest, rpc: &Rpc) -> Result<Presented, Reject> {
    let headers = request.headers.iter().filter(|(name, _)| name == "authorization").count();
    let token = access_token(&rpc.params)?;
    match (headers, token) {
        (0, None) => Err(Reject::new(Code::MissingCredentials, "")),
        (0, Some(token)) => Ok(token),
        (1, None) => {
            let header = request.header("authorization").unwrap_or_default();
            of_header(header, request, rpc.method)
        }
        _ => Err(Reject::new(Code::Malformed, "credentials are given twice")),
    }
}

/// The token among the parameters of a call, if there is one.
pub(crate) fn access_token(params: &Params) -> Result<Option<Presented>, Reject> {
    Ok(params.text("access_token")?.map(|text| Presented::Token { token: secret(text) }))
}

fn of_header(header: &str, request: &RawRequest, method: &Method) -> Result<Presented, Reject> {
    let wrong = |why: &str| Reject::new(Code::BadSignature, format!("authorization header: {why}"));
    let (scheme, rest) = header.split_once(' ').ok_or_else(|| wrong("no scheme"))?;
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Presented::Token { token: secret(rest) }),
        "basic" => {
            let bytes = STANDARD.decode(rest).map_err(|_| wrong("not base64"))?;
            let text = String::from_utf8(bytes).map_err(|_| wrong("not UTF-8"))?;
            let (key, password) = text.split_once(':').ok_or_else(|| wrong("no colon"))?;
            Ok(Presented::Password { key: key.into(), secret: secret(password) })
        }
        "deri-hmac-sha256" => signed(rest, request, method),
        _ => Err(wrong("unknown scheme")),
    }
}

/// `id=…,ts=…,sig=…,nonce=…` in any order, over time stamp, nonce, method, target and body.
fn signed(fields: &str, request: &RawRequest, method: &Method) -> Result<Presented, Reject> {
    let wrong = |why: &str| Reject::new(Code::BadSignature, format!("authorization header: {why}"));
    let field = |name: &str| {
        let mut found = fields
            .split(',')
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        match (found.next(), found.next()) {
            (Some(value), None) => Ok(value),
            (None, _) => Err(wrong(&format!("no {name}"))),
            (Some(_), Some(_)) => Err(wrong(&format!("{name} is given twice"))),
        }
    };
    let (key, ts, nonce, sig) = (field("id")?, field("ts")?, field("nonce")?, field("sig")?);
    let verb = request.method.as_str();
    let mut payload = format!("{ts}\n{nonce}\n{verb}\n{}\n", request.target()).into_bytes();
    payload.extend_from_slice(&request.body);
    payload.push(b'\n');
    signature(key, ts, payload, sig, method.changes_state())
}

/// Whether a secret or a token is in the address of the request. A signature there is none: it is good once.
pub(crate) fn weakness(request: &RawRequest) -> Option<Weakness> {
    let params = Params::from_query(&request.query).ok()?;
    let secret = SECRETS.iter().any(|name| params.0.contains_key(*name));
    secret.then_some(Weakness::SecretInAddress)
}

/// What `public/auth` asks for: credentials to log in with, or a refresh token.
pub(crate) enum Login {
    /// Log in.
    With(Presented),
    /// Renew.
    Refresh(Secret),
}

/// The login that the parameters of `public/auth` describe.
pub(crate) fn login(params: &Params) -> Result<Login, Reject> {
    match params.need_text("grant_type")? {
        "client_credentials" => Ok(Login::With(Presented::Password {
            key: params.need_text("client_id")?.into(),
            secret: secret(params.need_text("client_secret")?),
        })),
        "client_signature" => {
            let key = params.need_text("client_id")?;
            let ts = stamp(params)?;
            let nonce = params.text("nonce")?.unwrap_or_default();
            let data = params.text("data")?.unwrap_or_default();
            let payload = format!("{ts}\n{nonce}\n{data}").into_bytes();
            let sig = params.need_text("signature")?;
            signature(key, &ts, payload, sig, true).map(Login::With)
        }
        "refresh_token" => Ok(Login::Refresh(secret(params.need_text("refresh_token")?))),
        _ => Err(bad(Code::BadParameter, "grant_type", "is not known")),
    }
}

/// How long the login is asked to live: the word `expires:SECONDS` of its scope.
pub(crate) fn lifetime(params: &Params) -> Result<Option<Span>, Reject> {
    let scope = params.text("scope")?.unwrap_or_default();
    let Some(seconds) = scope.split(' ').find_map(|word| word.strip_prefix("expires:")) else {
        return Ok(None);
    };
    let seconds: u32 =
        seconds.parse().map_err(|_| bad(Code::BadParameter, "scope", "has a bad expires"))?;
    Ok(Some(Span::from_secs(seconds.into())))
}

/// Whether a method needs the credentials of its caller, over HTTP.
pub(crate) fn needed(request: &RawRequest, rpc: &Rpc) -> Result<Option<Presented>, Reject> {
    match rpc.method.kind {
        Kind::Forbidden => Err(Reject::new(Code::ForbiddenRoute, rpc.method.name)),
        Kind::Own => Err(Reject::new(Code::ForbiddenRoute, rpc.method.name)),
        Kind::Auth => match login(&rpc.params)? {
            Login::With(presented) => Ok(Some(presented)),
            Login::Refresh(_) => Ok(None),
        },
        Kind::Socket(_) if !rpc.method.is_private() => Ok(None),
        Kind::Public => Ok(None),
        Kind::Socket(_)
        | Kind::New(_)
        | Kind::Edit
        | Kind::EditByLabel
        | Kind::Cancel
        | Kind::CancelMany
        | Kind::Read
        | Kind::ReadOrder
        | Kind::ReadLabel
        | Kind::CancelOnDisconnect(_)
        | Kind::Uncomputable => of_http(request, rpc).map(Some),
    }
}

/// The time stamp as written: clients send a number or a text, and sign its digits.
fn stamp(params: &Params) -> Result<String, Reject> {
    match params.get("timestamp") {
        None => Err(bad(Code::MissingParameter, "timestamp", "is missing")),
        Some(Value::Number(number)) => Ok(number.as_str().to_owned()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(bad(Code::BadParameter, "timestamp", "is not a number")),
    }
}

fn signature(
    key: &str,
    ts: &str,
    payload: Vec<u8>,
    sig: &str,
    once: bool,
) -> Result<Presented, Reject> {
    let timestamp_ms =
        ts.parse().map_err(|_| bad(Code::BadParameter, "timestamp", "is not a whole number"))?;
    let candidates: Vec<Vec<u8>> = [
        from_hex(sig),
        STANDARD.decode(sig).ok(),
        URL_SAFE_NO_PAD.decode(sig.trim_end_matches('=')).ok(),
    ]
    .into_iter()
    .flatten()
    .collect();
    // The signature tells requests apart: stock clients use the time stamp as nonce, and where a
    // nonce ends and the data begin is not signed. Decoded, so that another spelling is the same.
    let mut one_of_a_kind = format!("{ts}\n").into_bytes();
    one_of_a_kind.extend(candidates.first().into_iter().flatten());
    Ok(Presented::Signature(Signature {
        key: key.into(),
        payloads: vec![payload],
        candidates,
        timestamp_ms,
        window_ms: MAX_SIGNATURE_WINDOW.millis(),
        nonce: one_of_a_kind,
        once,
    }))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Option<Vec<u8>> = text.bytes().map(digit).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect(),
    )
}

/// Bytes as lower-case hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(nibble.into(), 16));
        }
        text
    })
}

#[cfg(test)]
mod tests;
