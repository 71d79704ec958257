//! What waits for somebody to come back with its handle: bounded, each thing with an end.

use crate::oauth::client::ClientId;
use crate::oauth::jose::Thumbprint;
use std::collections::BTreeMap;
use std::fmt;
use tidegate_types::time::Time;

/// Things by the digest of their handle, each at the expense of a client.
pub(super) struct Shelf<T> {
    capacity: usize,
    things: BTreeMap<Thumbprint, Thing<T>>,
}

struct Thing<T> {
    thing: T,
    owner: ClientId,
    until: Time,
}

impl<T> Shelf<T> {
    pub(super) fn new(capacity: usize) -> Shelf<T> {
        Shelf { capacity, things: BTreeMap::new() }
    }

    /// Keeps `thing` of `owner` for who knows `handle` until `until`; false when there is no room, or the
    /// owner has a tenth of it already.
    pub(super) fn put(
        &mut self,
        owner: &ClientId,
        handle: &str,
        thing: T,
        until: Time,
        now: Time,
    ) -> bool {
        if !self.has_room(owner) {
            self.things.retain(|_, kept| now < kept.until);
        }
        let room = self.has_room(owner);
        if room {
            let kept = Thing { thing, owner: owner.clone(), until };
            self.things.insert(Thumbprint::of(handle.as_bytes()), kept);
        }
        room
    }

    fn has_room(&self, owner: &ClientId) -> bool {
        let own = self.things.values().filter(|kept| kept.owner == *owner).count();
        self.things.len() < self.capacity && own < (self.capacity / 10).max(1)
    }

    pub(super) fn get(&mut self, handle: &str, now: Time) -> Option<&mut T> {
        self.get_by(&Thumbprint::of(handle.as_bytes()), now)
    }

    pub(super) fn get_by(&mut self, digest: &Thumbprint, now: Time) -> Option<&mut T> {
        let kept = self.things.get_mut(digest).filter(|kept| now < kept.until);
        kept.map(|kept| &mut kept.thing)
    }

    pub(super) fn take(&mut self, handle: &str) -> Option<T> {
        self.things.remove(&Thumbprint::of(handle.as_bytes())).map(|kept| kept.thing)
    }

    /// What is kept at `now`.
    pub(super) fn kept(&self, now: Time) -> impl Iterator<Item = &T> {
        self.things.values().filter(move |kept| now < kept.until).map(|kept| &kept.thing)
    }

    /// Keeps of all things those that `keep` says; it may change them.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.things.retain(|_, kept| keep(&mut kept.thing));
    }

    /// Lets the thing end at `until` instead.
    pub(super) fn extend(&mut self, handle: &str, until: Time) {
        if let Some(kept) = self.things.get_mut(&Thumbprint::of(handle.as_bytes())) {
            kept.until = until;
        }
    }
}

impl<T> fmt::Debug for Shelf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shelf({} of {})", self.things.len(), self.capacity)
    }
}
