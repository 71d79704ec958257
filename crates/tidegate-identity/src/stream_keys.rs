//! Keys for private streams (Binance calls them listen keys), one per caller's key. They are
//! Tidegate's own: the venue's never reach a caller.

use crate::authenticate::Named;
use std::collections::BTreeMap;
use tidegate_types::ids::KeyId;
use tidegate_types::limits::STREAM_KEY_LIFETIME;
use tidegate_types::time::Time;

/// The stream keys in force: one at most for each virtual key.
#[derive(Default)]
pub struct StreamKeys {
    by_owner: BTreeMap<KeyId, StreamKey>,
    owners: BTreeMap<String, KeyId>,
}

struct StreamKey {
    text: String,
    until: Time,
}

impl StreamKeys {
    /// A store without keys.
    pub fn new() -> StreamKeys {
        StreamKeys::default()
    }

    /// The stream key of this caller's key, made from `random` if there is none; good for an hour from
    /// now either way. `random` must be fresh from the system's generator.
    pub fn start(&mut self, who: &Named, random: &[u8; 32], now: Time) -> String {
        let until = now.plus(STREAM_KEY_LIFETIME);
        match self.by_owner.get_mut(who.key()) {
            Some(key) if now < key.until => {
                key.until = until;
                return key.text.clone();
            }
            Some(_) => self.forget(who.key()),
            None => {}
        }
        let lapsed = |key: &StreamKey| key.until <= now;
        if self.by_owner.values().any(lapsed) {
            self.by_owner.retain(|_, key| !lapsed(key));
            let kept = &self.by_owner;
            self.owners.retain(|_, owner| kept.contains_key(owner));
        }
        // Listen keys are 64 letters and digits.
        let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        self.owners.insert(text.clone(), who.key().clone());
        self.by_owner.insert(who.key().clone(), StreamKey { text: text.clone(), until });
        text
    }

    /// Keeps the stream key of this caller's key for another hour; `None` when there is none.
    pub fn keep(&mut self, who: &Named, now: Time) -> Option<String> {
        let key = self.by_owner.get_mut(who.key()).filter(|key| now < key.until)?;
        key.until = now.plus(STREAM_KEY_LIFETIME);
        Some(key.text.clone())
    }

    /// Ends the stream key of this caller's key; whether there was one.
    pub fn stop(&mut self, who: &Named, now: Time) -> bool {
        let live = self.by_owner.get(who.key()).is_some_and(|key| now < key.until);
        self.forget(who.key());
        live
    }

    /// Ends the stream key of a revoked key.
    pub fn revoke(&mut self, key: &KeyId) {
        self.forget(key);
    }

    /// When the stream key ends, if it is in force.
    pub fn until(&self, stream_key: &str, now: Time) -> Option<Time> {
        let key = self.by_owner.get(self.owners.get(stream_key)?)?;
        (now < key.until).then_some(key.until)
    }

    /// Whether a stream key in force is that of this caller's key.
    pub fn is_of(&self, who: &Named, stream_key: &str, now: Time) -> bool {
        self.owner(stream_key, now) == Some(who.key())
    }

    /// Whose virtual key the stream key belongs to, if it is in force.
    pub(crate) fn owner(&self, stream_key: &str, now: Time) -> Option<&KeyId> {
        self.until(stream_key, now)?;
        self.owners.get(stream_key)
    }

    fn forget(&mut self, owner: &KeyId) {
        if let Some(key) = self.by_owner.remove(owner) {
            self.owners.remove(&key.text);
        }
    }
}

impl std::fmt::Debug for StreamKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StreamKeys(of {:?})", self.by_owner.keys().collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests;
