//! What does not depend on a venue: JSON, numbers, records, the signer's frames, credentials,
//! configuration, administration.

use serde_json::Value;
use std::net::IpAddr;
use std::str::FromStr;
use tidegate_identity::{Keyring, ReplayGuard, TokenStore, authenticate};
use tidegate_server::admin::protocol::Request;
use tidegate_server::config::Config;
use tidegate_types::Decimal;
use tidegate_types::codec::{from_bytes, to_bytes, to_json};
use tidegate_types::grant::{KeyScheme, VirtualKey};
use tidegate_types::ids::{AccountName, CallerName, KeyId, VenueName};
use tidegate_types::key::KeyTerms;
use tidegate_types::key::Origin;
use tidegate_types::limits::MAX_JSON_DEPTH;
use tidegate_types::record::Record;
use tidegate_types::request::{Presented, Signature};
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;
use tidegate_vault::signer::protocol::{FromSigner, SignRequest, ToSigner, next_frame};
use tidegate_vault::{Unlock, import};
use tidegate_venues::json::strict;

/// JSON as callers send it.
pub(super) fn json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(value) = strict(text) else { return };
    assert!(depth(&value) <= MAX_JSON_DEPTH + 1, "nested deeper than allowed");
    let lenient = serde_json::from_str::<Value>(text).ok();
    assert_eq!(lenient.as_ref(), Some(&value), "read otherwise than by serde_json");
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Decimal numbers; the first two words are also calculated with.
pub(super) fn decimal(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let numbers: Vec<Decimal> =
        text.split_whitespace().filter_map(|word| Decimal::from_str(word).ok()).collect();
    for number in &numbers {
        let said = number.to_string();
        assert_eq!(Decimal::from_str(&said), Ok(*number), "{said} is not read as it is written");
    }
    let [a, b, ..] = numbers.as_slice() else { return };
    use tidegate_types::Rounding::{Ceil, Floor};
    for rounding in [Floor, Ceil] {
        let _ = (a.mul(*b, rounding), a.div(*b, rounding), a.round_to(*b, rounding));
    }
    if let (Ok(low), Ok(high)) = (a.mul(*b, Floor), a.mul(*b, Ceil)) {
        assert!(low <= high, "rounding up is not below rounding down: {a} {b}");
    }
}

/// The journal's records: one byte form each, and JSON for people.
pub(super) fn record(data: &[u8]) {
    let Ok(record) = from_bytes::<Record>(data) else { return };
    assert_eq!(to_bytes(&record), data, "a record has one form: {record:?}");
    let shown = to_json(&record);
    assert!(serde_json::from_str::<Value>(&shown).is_ok(), "{shown}");
}

/// What gateway and signer say to each other.
pub(super) fn signer(data: &[u8]) {
    let mut rest = data;
    while let Ok(Some((frame, length))) = next_frame(rest) {
        if let Ok(message) = from_bytes::<ToSigner>(frame) {
            assert_eq!(to_bytes(&message), frame, "a message has one form");
        }
        if let Ok(message) = from_bytes::<FromSigner>(frame) {
            assert_eq!(to_bytes(&message), frame, "a message has one form");
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    if let Ok(request) = from_bytes::<SignRequest>(data) {
        assert_eq!(to_bytes(&request), data, "an intent has one form");
    }
}

/// What callers show: lines of a kind, a key, a time, a window, a signature in hex, a payload.
pub(super) fn identity(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let kind = lines.next().unwrap_or_default();
    let key = lines.next().unwrap_or_default().to_owned();
    let mut number = || lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
    let (timestamp_ms, window_ms) = (number(), number());
    let shown = lines.next().unwrap_or_default();
    let payload: Vec<u8> = lines.collect::<Vec<_>>().join("\n").into_bytes();
    let secret = || Secret::new(shown.as_bytes().to_vec());
    let presented = match kind {
        "password" => Presented::Password { key, secret: secret() },
        "token" => Presented::Token { token: secret() },
        "key" => Presented::KeyOnly { key },
        _ => Presented::Signature(Signature {
            key,
            payloads: vec![payload.clone()],
            candidates: vec![unhex(shown), shown.as_bytes().to_vec()],
            timestamp_ms,
            window_ms,
            nonce: payload,
            once: kind != "read",
        }),
    };
    let Some((keyring, venue)) = ring() else { return };
    let mut replays = ReplayGuard::new(Time::from_millis(0), None);
    let now = super::world::NOW;
    let tokens = TokenStore::new();
    let mut ask = || {
        authenticate(
            &keyring,
            &mut replays,
            &tokens,
            &venue,
            &presented,
            &Origin::from(IpAddr::from([127, 0, 0, 1])),
            now,
        )
        .is_ok()
    };
    let first = ask();
    // The secrets of the ring stand here and in the corpus, so good credentials are possible.
    let again = ask();
    let once = matches!(&presented, Presented::Signature(signature) if signature.once);
    assert!(!(first && once && again), "a request was taken twice");
    assert!(!first || matches!(kind, "password" | "read" | "trade"), "good for nothing: {kind}");
}

fn ring() -> Option<(Keyring, VenueName)> {
    let venue = VenueName::new("binance").ok()?;
    let mut ring = Keyring::new();
    let mut put = |id: &str, scheme, secret: Option<&[u8]>| {
        let key = VirtualKey {
            id: KeyId::new(id).ok()?,
            caller: CallerName::new("ann").ok()?,
            venue: venue.clone(),
            account: AccountName::new("main").ok()?,
            scheme,
            terms: KeyTerms::default(),
        };
        ring.insert(key, secret.map(|bytes| Secret::new(bytes.to_vec()))).ok()
    };
    put("shared", KeyScheme::Hmac, Some(b"correct horse"))?;
    put("pair", KeyScheme::Ed25519 { public: [1; 32] }, None)?;
    Some((ring, venue))
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.filter_map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

/// `tidegate.toml`.
pub(super) fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(config) = Config::parse(text) else { return };
    let written = config.to_toml();
    let again = written.as_ref().ok().and_then(|text| Config::parse(text).ok());
    let same = again.and_then(|config| config.to_toml().ok());
    assert_eq!(same.as_deref(), written.as_deref().ok(), "a configuration is read as written");
}

/// What administrators ask.
pub(super) fn admin(data: &[u8]) {
    let Ok(request) = serde_json::from_slice::<Request>(data) else { return };
    let written = serde_json::to_vec(&request);
    let again = written.ok().and_then(|bytes| serde_json::from_slice::<Request>(&bytes).ok());
    assert_eq!(again, Some(request), "a request is read as written");
}

/// Venue keys and key files as people give them. Errors repeat nothing of a secret.
pub(super) fn venue_key(data: &[u8]) {
    let text = Secret::new(data.to_vec());
    if let Err(error) = import::parse(&text) {
        let second = data.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        let secret = String::from_utf8_lossy(second);
        let said = format!("{error} {error:?}");
        assert!(secret.trim().len() < 16 || !said.contains(secret.trim()), "{said}");
    }
    let _ = Unlock::key_file(&text);
}
