//! One-time codes of authenticator apps: RFC 6238 over RFC 4226.
//!
//! HMAC-SHA-1, six digits and 30 seconds, because many apps ignore what the URI says otherwise. SHA-1's
//! weakness is collisions, on which HMAC does not rest.

use super::assurance::{Factor, Shown};
use super::base32;
use super::hidden::{Hidden, OneTimeText};
use crate::constant_time::equal;
use aws_lc_rs::hmac;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tidegate_types::codec_struct;
use tidegate_types::time::{Span, Time};
use zeroize::Zeroizing;

/// How long one code is shown.
const STEP: Span = Span::from_secs(30);
const DIGITS: usize = 6;

/// A person's authenticator app, as the sealed store keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Totp {
    secret: Hidden<20>,
    /// The first step whose code has not been used, nor that of a later one.
    next_step: u64,
}
codec_struct!(Totp { secret, next_step });

/// Why a code was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TotpError {
    /// It is not the code of now or of the step before.
    Wrong,
    /// It was used before, or a later one was.
    Used,
}

impl Totp {
    /// A new secret of 160 bits. `random` must be fresh from the system's generator. It counts once
    /// the person has shown a first code.
    pub fn new(random: [u8; 20]) -> Totp {
        Totp { secret: Hidden::new(random), next_step: 0 }
    }

    /// What the app reads from the picture.
    pub fn uri(&self, issuer: &str, account: &str) -> OneTimeText {
        let escape = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let secret = self.secret_text();
        OneTimeText::new(format!(
            "otpauth://totp/{}:{}?secret={}&issuer={}&algorithm=SHA1&digits={DIGITS}&period={}",
            escape(issuer),
            escape(account),
            secret.expose(),
            escape(issuer),
            STEP.millis() / 1000,
        ))
    }

    /// The secret for those who type it.
    pub fn secret_text(&self) -> OneTimeText {
        OneTimeText::new(base32::encode(self.secret.expose()))
    }

    /// The first step of which no code was used yet.
    pub fn next_step(&self) -> u64 {
        self.next_step
    }

    /// Takes codes of the steps before `step` for used: what is known of them besides this value.
    pub fn used_before(&mut self, step: u64) {
        self.next_step = self.next_step.max(step);
    }

    /// Checks a code. The value must be stored before the answer is given: it remembers that the code
    /// was used.
    ///
    /// # Errors
    /// When the code is wrong or was used.
    pub fn check(&mut self, code: &str, now: Time) -> Result<Shown, TotpError> {
        let typed: Zeroizing<String> =
            Zeroizing::new(code.chars().filter(|c| !c.is_whitespace()).collect());
        let step = now.micros() / STEP.micros();
        let matches = |step| equal(hotp(&self.secret, step, DIGITS).as_bytes(), typed.as_bytes());
        // Both are computed whatever comes of the first.
        let (current, before) = (matches(step), step > 0 && matches(step.saturating_sub(1)));
        let shown = match (current, before) {
            (true, _) => step,
            (false, true) => step.saturating_sub(1),
            (false, false) => return Err(TotpError::Wrong),
        };
        if shown < self.next_step {
            return Err(TotpError::Used);
        }
        self.next_step = shown.saturating_add(1);
        Ok(Shown::new(Factor::Totp, now))
    }
}

impl std::fmt::Display for TotpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            TotpError::Wrong => "the code is wrong",
            TotpError::Used => "the code was used; wait for the next one",
        })
    }
}

impl std::error::Error for TotpError {}

/// RFC 4226, section 5.3.
fn hotp(secret: &Hidden<20>, counter: u64, digits: usize) -> Zeroizing<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose());
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
    let word = tag.iter().skip(offset).take(4).fold(0_u32, |word, b| word << 8 | u32::from(*b));
    let number = u64::from(word & 0x7fff_ffff) % 10_u64.saturating_pow(digits as u32);
    Zeroizing::new(format!("{number:0digits$}"))
}

#[cfg(test)]
mod tests;
