//! Who signed: keys, time stamps, signatures. Written apart from the gateway's signer on purpose.

use super::fail::Fail;
use super::params::{Params, decode};
use crate::config::KeySecret;
use crate::engine::Venue;
use crate::serve::world::{Key, World};
use aws_lc_rs::{hmac, signature};
use base64::Engine as _;
use tidegate_types::time::Time;

/// The window a request has when it names none, in ms.
const WINDOW: u64 = 5_000;
/// The largest window, in ms.
const WINDOW_MAX: u64 = 60_000;

/// The key of that id.
pub(crate) fn find_key(world: &World, id: Option<&str>) -> Result<Key, Fail> {
    let id = id.ok_or(Fail::KEY_FORMAT)?;
    if id.is_empty() || id.len() > 128 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Fail::KEY_FORMAT);
    }
    world.key(Venue::Binance, id).cloned().ok_or(Fail::KEY)
}

/// Whether a request was made just now.
pub(crate) fn check_time(params: &Params, now: Time) -> Result<(), Fail> {
    let stamp: u64 = params.need("timestamp")?.parse().map_err(|_| Fail::missing("timestamp"))?;
    let window = match params.get("recvWindow") {
        None => WINDOW,
        Some(text) => text.parse().map_err(|_| Fail::illegal("recvWindow"))?,
    };
    if window > WINDOW_MAX {
        return Err(Fail::WINDOW);
    }
    if stamp >= now.millis() + 1_000 {
        return Err(Fail::EARLY);
    }
    if now.millis().saturating_sub(stamp) > window { Err(Fail::LATE) } else { Ok(()) }
}

/// Whether `given` is the key's signature of the payload as it was sent, or, as some clients sign,
/// of its percent-decoded form.
pub(crate) fn check_signature(key: &Key, payload: &str, given: &str) -> Result<(), Fail> {
    let plain = decode(payload);
    let decoded = plain != payload;
    if signed(&key.config.secret, payload.as_bytes(), given)
        || decoded && signed(&key.config.secret, plain.as_bytes(), given)
    {
        return Ok(());
    }
    Err(Fail::SIGNATURE)
}

fn signed(secret: &KeySecret, payload: &[u8], given: &str) -> bool {
    match secret {
        KeySecret::Hmac(secret) => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            from_hex(given).is_some_and(|tag| hmac::verify(&key, payload, &tag).is_ok())
        }
        KeySecret::Ed25519(public) => {
            let public = signature::UnparsedPublicKey::new(&signature::ED25519, public);
            let tag = base64::engine::general_purpose::STANDARD.decode(given);
            tag.is_ok_and(|tag| public.verify(payload, &tag).is_ok())
        }
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let pair = |place: usize| u8::from_str_radix(text.get(place..place + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

/// The bytes a WebSocket request's signature covers: everything else, sorted by name.
pub(crate) fn sorted_payload(params: &Params) -> String {
    let mut pairs: Vec<&(String, String)> =
        params.pairs().iter().filter(|(name, _)| name != "signature").collect();
    pairs.sort();
    let joined: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
    joined.join("&")
}

#[cfg(test)]
mod tests {
    use super::{KeySecret, signed};

    #[test]
    fn the_documented_signature_is_accepted_and_a_changed_one_is_not() {
        let secret = KeySecret::Hmac(
            "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9".to_owned(),
        );
        let payload = b"symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC\
            &recvWindow=5000&timestamp=1591702613943";
        let good = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9";
        assert!(signed(&secret, payload, good));
        assert!(signed(&secret, payload, &good.to_uppercase()));
        assert!(!signed(&secret, payload, &good.replace('3', "4")));
        assert!(!signed(&secret, b"symbol=BTCUSDT", good));
    }
}
