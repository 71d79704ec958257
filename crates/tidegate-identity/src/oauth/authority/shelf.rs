//! What waits for somebody to come back with its handle: bounded, each thing with an end.

use crate::oauth::jose::Thumbprint;
use std::collections::BTreeMap;
use std::fmt;
use tidegate_types::time::Time;

/// Things by the digest of their handle.
pub(super) struct Shelf<T> {
    capacity: usize,
    things: BTreeMap<Thumbprint, (T, Time)>,
}

impl<T> Shelf<T> {
    pub(super) fn new(capacity: usize) -> Shelf<T> {
        Shelf { capacity, things: BTreeMap::new() }
    }

    /// Keeps `thing` for who knows `handle` until `until`; false when there is no room.
    pub(super) fn put(&mut self, handle: &str, thing: T, until: Time, now: Time) -> bool {
        if self.things.len() >= self.capacity {
            self.things.retain(|_, (_, until)| now < *until);
        }
        let room = self.things.len() < self.capacity;
        if room {
            self.things.insert(Thumbprint::of(handle.as_bytes()), (thing, until));
        }
        room
    }

    pub(super) fn get(&mut self, handle: &str, now: Time) -> Option<&mut T> {
        self.get_by(&Thumbprint::of(handle.as_bytes()), now)
    }

    pub(super) fn get_by(&mut self, digest: &Thumbprint, now: Time) -> Option<&mut T> {
        self.things.get_mut(digest).filter(|(_, until)| now < *until).map(|(thing, _)| thing)
    }

    pub(super) fn take(&mut self, handle: &str) -> Option<T> {
        self.things.remove(&Thumbprint::of(handle.as_bytes())).map(|(thing, _)| thing)
    }

    /// Lets the thing end at `until` instead.
    pub(super) fn extend(&mut self, handle: &str, until: Time) {
        if let Some((_, end)) = self.things.get_mut(&Thumbprint::of(handle.as_bytes())) {
            *end = until;
        }
    }
}

impl<T> fmt::Debug for Shelf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shelf({} of {})", self.things.len(), self.capacity)
    }
}
