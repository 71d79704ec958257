//! Nonces that the server gives: nobody can guess one, each is good for minutes, none is stored.

use crate::constant_time::equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};

/// After how long a new nonce is handed out; the one before it stays good for as long again, so that
/// no request under way is lost.
pub const NONCE_PERIOD: Span = Span::from_secs(150);

/// Makes and knows nonces by a secret: the HMAC of the period they are given in. With a secret drawn
/// anew at each start, no proof made before it is good after it.
pub struct Nonces(hmac::Key);

impl Nonces {
    /// Nonces of `secret`, 32 fresh random bytes.
    pub fn new(secret: &Secret) -> Nonces {
        Nonces(hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
    }

    /// The nonce to hand out now.
    pub fn current(&self, now: Time) -> String {
        self.of(period(now))
    }

    /// Whether `nonce` is the one of this period or of the one before.
    pub fn is_good(&self, nonce: &str, now: Time) -> bool {
        let last = period(now);
        [Some(last), last.checked_sub(1)]
            .into_iter()
            .flatten()
            .any(|period| equal(self.of(period).as_bytes(), nonce.as_bytes()))
    }

    fn of(&self, period: u64) -> String {
        let tag = hmac::sign(&self.0, &period.to_be_bytes());
        URL_SAFE_NO_PAD.encode(tag.as_ref().get(..20).unwrap_or_default())
    }
}

fn period(time: Time) -> u64 {
    time.micros() / NONCE_PERIOD.micros()
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces([secret])")
    }
}
