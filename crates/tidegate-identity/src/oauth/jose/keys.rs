//! Our own keys: the one in use, the one after it, those before it.

use super::jws::Typ;
use super::{Compact, JoseError, Jwk, SigningKey};
use crate::oauth::json::Object;
use serde_json::{Value, json};
use tidegate_types::time::Time;

/// The keys that tokens are signed by. The next one is published before it is used, and one that was
/// used stays until the last token by it is over, so that nobody needs to ask at the right moment.
#[derive(Debug)]
pub struct Keys {
    current: SigningKey,
    next: Option<SigningKey>,
    retired: Vec<(Jwk, Time)>,
}

/// Most keys kept after their use; a rotation an hour with tokens of a quarter of one needs one.
const MAX_RETIRED: usize = 8;

impl Keys {
    /// Keys of which `current` is in use.
    pub fn new(current: SigningKey, next: Option<SigningKey>) -> Keys {
        Keys { current, next, retired: Vec::new() }
    }

    /// Keeps a key that was in use before: its tokens are good until `until`.
    pub fn retire(&mut self, key: Jwk, until: Time) {
        self.retired.retain(|(old, _)| old.thumbprint() != key.thumbprint());
        if self.retired.len() >= MAX_RETIRED {
            self.retired.remove(0);
        }
        self.retired.push((key, until));
    }

    /// Uses the next key from now on, publishes `after` as the next, and keeps the one in use until
    /// `until`. Without a next key `after` is used at once.
    pub fn rotate(&mut self, after: SigningKey, until: Time) {
        let fresh = match self.next.replace(after) {
            Some(next) => Some(next),
            None => self.next.take(),
        };
        if let Some(fresh) = fresh {
            let old = std::mem::replace(&mut self.current, fresh);
            self.retire(old.public().clone(), until);
        }
    }

    /// The key in use.
    pub fn current(&self) -> &SigningKey {
        &self.current
    }

    /// The set to publish (RFC 7517 §5).
    pub fn published(&self, now: Time) -> Value {
        let keys: Vec<Value> = self.public(now).map(Jwk::to_json).collect();
        json!({ "keys": keys })
    }

    /// The claims of what one of these keys signed.
    ///
    /// # Errors
    /// When none did, or it is of another type.
    pub fn verify(&self, text: &str, typ: Typ, now: Time) -> Result<Object, JoseError> {
        let compact = Compact::parse(text)?;
        let kid = compact.kid().ok_or(JoseError::NoKey)?;
        let key = self.public(now).find(|key| key.kid() == Some(kid)).ok_or(JoseError::NoKey)?;
        compact.verify(key, typ)
    }

    fn public(&self, now: Time) -> impl Iterator<Item = &Jwk> {
        let live = [Some(&self.current), self.next.as_ref()].into_iter().flatten();
        let retired = self.retired.iter().filter(move |(_, until)| now < *until);
        live.map(SigningKey::public).chain(retired.map(|(key, _)| key))
    }
}

#[cfg(test)]
mod tests;
