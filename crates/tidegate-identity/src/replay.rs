//! What was asked once and must not be done twice.

use aws_lc_rs::digest;
use std::collections::{BTreeMap, HashMap, HashSet};
use tidegate_types::ids::KeyId;
use tidegate_types::limits::{MAX_CLOCK_AHEAD, MAX_REPLAY_ENTRIES};
use tidegate_types::time::{Span, Time};

/// A client that asks and acts within one millisecond makes one signature for both; what comes later
/// than this is another's.
const SAME_MOMENT: Span = Span::from_millis(100);

/// Remembers signed requests for as long as their signatures are good: those that change state, so
/// that they are done once, and reads, because some venues' signatures cover neither method nor
/// path, so that what was signed to list orders would be good to cancel them.
///
/// What came before the gateway started is forgotten, so anything stamped before then counts as
/// having come.
#[derive(Debug)]
pub struct ReplayGuard {
    not_before: Time,
    capacity: usize,
    seen: HashSet<[u8; 16]>,
    /// Reads, and when each came first.
    reads: HashMap<[u8; 16], Time>,
    /// The same entries by the second after which their signatures are stale.
    by_expiry: BTreeMap<u64, Vec<[u8; 16]>>,
    /// What went stale before this second is forgotten, and stays refused should the clock go back.
    forgotten: u64,
}

/// Why a request is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplayError {
    /// It came before.
    Seen,
    /// There is no room to remember it.
    Full,
}

impl ReplayGuard {
    /// A guard of a gateway that started at `started` on a journal whose last record is of
    /// `last_record`. A stamp may be ahead of the clock, so what the gateway before this one acted on
    /// may be stamped up to `MAX_CLOCK_AHEAD` after its last record.
    pub fn new(started: Time, last_record: Option<Time>) -> ReplayGuard {
        ReplayGuard::with_capacity(started, last_record, MAX_REPLAY_ENTRIES)
    }

    /// A guard that remembers `capacity` requests.
    pub fn with_capacity(started: Time, last_record: Option<Time>, capacity: usize) -> ReplayGuard {
        let acted_on = last_record.map_or(Time::default(), |time| time.plus(MAX_CLOCK_AHEAD));
        ReplayGuard {
            not_before: started.max(acted_on),
            capacity,
            seen: HashSet::new(),
            reads: HashMap::new(),
            by_expiry: BTreeMap::new(),
            forgotten: 0,
        }
    }

    /// Requests that change state are refused when stamped before this.
    pub fn not_before(&self) -> Time {
        self.not_before
    }

    /// How many requests are remembered.
    pub fn len(&self) -> usize {
        self.seen.len() + self.reads.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Remembers a request until `stale`, when its signature is good no more.
    ///
    /// # Errors
    /// When it is remembered already, or there is no room.
    pub(crate) fn admit(
        &mut self,
        key: &KeyId,
        nonce: &[u8],
        stale: Time,
        now: Time,
    ) -> Result<(), ReplayError> {
        self.evict(now);
        let entry = fingerprint(key, nonce);
        let old_read = self.reads.get(&entry).is_some_and(|came| now.since(*came) > SAME_MOMENT);
        if self.seen.contains(&entry) || old_read || second(stale) < self.forgotten {
            return Err(ReplayError::Seen);
        }
        self.expire_at(stale, entry)?;
        self.seen.insert(entry);
        Ok(())
    }

    /// Remembers a read, which may be repeated, until `stale`.
    ///
    /// # Errors
    /// When there is no room.
    pub(crate) fn note(
        &mut self,
        key: &KeyId,
        nonce: &[u8],
        stale: Time,
        now: Time,
    ) -> Result<(), ReplayError> {
        self.evict(now);
        let entry = fingerprint(key, nonce);
        if self.reads.contains_key(&entry) {
            return Ok(());
        }
        self.expire_at(stale, entry)?;
        self.reads.insert(entry, now);
        Ok(())
    }

    /// Makes room for an entry that is forgotten after `stale`.
    fn expire_at(&mut self, stale: Time, entry: [u8; 16]) -> Result<(), ReplayError> {
        if self.len() >= self.capacity {
            return Err(ReplayError::Full);
        }
        self.by_expiry.entry(second(stale)).or_default().push(entry);
        Ok(())
    }

    fn evict(&mut self, now: Time) {
        self.forgotten = self.forgotten.max(second(now));
        while let Some(first) = self.by_expiry.first_entry() {
            if *first.key() >= self.forgotten {
                return;
            }
            for entry in first.remove() {
                self.seen.remove(&entry);
                self.reads.remove(&entry);
            }
        }
    }
}

fn second(time: Time) -> u64 {
    time.millis() / 1000
}

fn fingerprint(key: &KeyId, nonce: &[u8]) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&(key.as_str().len() as u64).to_be_bytes());
    context.update(key.as_str().as_bytes());
    context.update(nonce);
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    short
}

#[cfg(test)]
mod tests;
