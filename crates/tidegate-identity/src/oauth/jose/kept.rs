//! Our own keys as they are sealed at rest, and when each is used.

use super::{JoseError, Jwk, Keys, SigningKey};
use crate::oauth::json;
use std::fmt;
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_newtype, codec_struct};
use zeroize::Zeroize;

/// For how long a key signs. The one after it is published for as long before it is used.
pub const KEY_PERIOD: Span = Span::from_secs(30 * 24 * 3600);

/// What an Ed25519 key is made of.
#[derive(Clone, PartialEq, Eq)]
struct Seed([u8; 32]);
codec_newtype!(Seed);

/// The keys with their private halves: for a sealed store alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptKeys {
    current: Seed,
    since: Time,
    next: Seed,
    /// Public halves of keys that sign no more, as JWKs, with the end of their last token.
    before: Vec<(String, Time)>,
}
codec_struct!(KeptKeys { current, since, next, before });

impl KeptKeys {
    /// The first keys, of 64 fresh random bytes; the first of them signs from `now` on.
    pub fn new(random: &[u8; 64], now: Time) -> KeptKeys {
        let (current, next) = random.split_at(32);
        KeptKeys {
            current: Seed::of(current),
            since: now,
            next: Seed::of(next),
            before: Vec::new(),
        }
    }

    /// Whether another key is to sign by now.
    pub fn is_due(&self, now: Time) -> bool {
        now.since(self.since) >= KEY_PERIOD
    }

    /// The keys after a rotation: the next one signs, a fresh one of 32 random bytes is published, and the
    /// one before stays public until its tokens are over, `overlap` from now.
    ///
    /// # Errors
    /// When a seed makes no key.
    pub fn rotated(
        &self,
        random: &[u8; 32],
        overlap: Span,
        now: Time,
    ) -> Result<KeptKeys, JoseError> {
        let old = self.current.key()?.public().to_json().to_string();
        let mut before = self.before.clone();
        before.retain(|(_, until)| now < *until);
        before.push((old, now.plus(overlap)));
        Ok(KeptKeys { current: self.next.clone(), since: now, next: Seed(*random), before })
    }

    /// The keys, ready for use.
    ///
    /// # Errors
    /// When what was kept makes no keys.
    pub fn ready(&self) -> Result<Keys, JoseError> {
        let mut keys = Keys::new(self.current.key()?, Some(self.next.key()?));
        for (text, until) in &self.before {
            let object = json::object(text.as_bytes()).map_err(|_| JoseError::Malformed)?;
            keys.retire(Jwk::from_object(&object)?, *until);
        }
        Ok(keys)
    }
}

impl Seed {
    fn of(bytes: &[u8]) -> Seed {
        let mut seed = [0; 32];
        for (to, from) in seed.iter_mut().zip(bytes) {
            *to = *from;
        }
        Seed(seed)
    }

    fn key(&self) -> Result<SigningKey, JoseError> {
        SigningKey::from_seed(&Secret::new(self.0.to_vec()))
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::jose::jws::Typ;
    use serde_json::json;
    use tidegate_types::codec::{from_bytes, to_bytes};

    fn at(days: u64) -> Time {
        Time::from_millis(days * 24 * 3600 * 1000)
    }

    #[test]
    fn a_rotation_survives_a_restart_and_tokens_outlive_it() {
        let first = KeptKeys::new(&std::array::from_fn(|at| u8::from(at < 32)), at(1));
        assert!(!first.is_due(at(30)) && first.is_due(at(31)));
        let token = first.ready().unwrap().current().sign(Typ::AccessToken, &json!({})).unwrap();
        let second = first.rotated(&[9; 32], Span::from_secs(900), at(31)).unwrap();
        let again: KeptKeys = from_bytes(&to_bytes(&second)).unwrap();
        assert_eq!(again, second);
        let keys = again.ready().unwrap();
        let soon = at(31).plus(Span::from_secs(899));
        assert!(keys.verify(&token, Typ::AccessToken, soon).is_ok());
        let late = at(31).plus(Span::from_secs(900));
        assert_eq!(keys.verify(&token, Typ::AccessToken, late).err(), Some(JoseError::NoKey));
        // What signs now was published before it did.
        let published = first.ready().unwrap().published(at(1)).to_string();
        assert!(published.contains(keys.current().public().kid().unwrap()));
        assert!(!again.is_due(at(60)));
    }

    #[test]
    fn nothing_of_a_seed_is_printed() {
        let shown = format!("{:?}", KeptKeys::new(&[7; 64], at(1)));
        assert!(shown.contains("[secret]") && !shown.contains('7'), "{shown}");
    }
}
