//! What the browser says of the page that asked (section 5.8.1).

use super::{PasskeyError, RelyingParty};
use crate::constant_time::equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<String>,
}

/// The challenge that an answer names.
pub(super) fn challenge(json: &[u8]) -> Option<[u8; 32]> {
    let data = read(json).ok()?;
    URL_SAFE_NO_PAD.decode(data.challenge).ok()?.try_into().ok()
}

/// Checks type, challenge and page. A field that comes twice is refused; further ones may come.
pub(super) fn check(
    json: &[u8],
    ceremony: &str,
    challenge: &[u8; 32],
    party: &RelyingParty,
) -> Result<(), PasskeyError> {
    let data = read(json)?;
    if data.ceremony != ceremony {
        return Err(PasskeyError::OtherCeremony);
    }
    if !equal(data.challenge.as_bytes(), URL_SAFE_NO_PAD.encode(challenge).as_bytes()) {
        return Err(PasskeyError::OtherChallenge);
    }
    if data.cross_origin || data.top_origin.is_some() || !party.origins.contains(&data.origin) {
        return Err(PasskeyError::Origin);
    }
    Ok(())
}

fn read(json: &[u8]) -> Result<ClientData, PasskeyError> {
    let text = std::str::from_utf8(json).map_err(|_| PasskeyError::Malformed)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|_| PasskeyError::Malformed)
}
