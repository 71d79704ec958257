//! What may come once: identifiers of proofs and assertions, each for as long as what it names is good.

use aws_lc_rs::digest;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use tidegate_types::time::Time;

/// The identifiers seen, bounded. Each sharer, the client that they came from, may have as many as there is room
/// left for others: one alone has half of it, and none ever keeps the next one out. What it holds can be kept over a restart (`save`, `restore`); where it
/// was not, everything stamped before the start counts as seen.
#[derive(Debug)]
pub struct Once {
    capacity: usize,
    not_before: Time,
    seen: HashSet<[u8; 16]>,
    by_expiry: BTreeMap<u64, Vec<Seen>>,
    shares: HashMap<[u8; 8], usize>,
    forgotten: u64,
}

/// What is remembered of an identifier: its digest, and whose share it takes.
type Seen = ([u8; 16], [u8; 8]);

/// Why an identifier is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotOnce {
    /// It came before, or might have.
    Seen,
    /// There is no room to remember it, or none of the sharer's.
    Full,
}

/// Bytes of one entry of what is kept: its second, its digest and its sharer.
const ENTRY_BYTES: usize = 32;

impl Once {
    /// An empty memory for `capacity` identifiers: what was stamped before `not_before`, the start, is
    /// refused.
    pub fn new(capacity: usize, not_before: Time) -> Once {
        Once {
            capacity,
            not_before,
            seen: HashSet::new(),
            by_expiry: BTreeMap::new(),
            shares: HashMap::new(),
            forgotten: 0,
        }
    }

    /// The memory that `saved` holds, whole: nothing is refused for being stamped before now.
    /// None when the bytes are not what `save` made.
    pub fn restore(capacity: usize, saved: &[u8]) -> Option<Once> {
        let (entries, rest) = saved.as_chunks::<ENTRY_BYTES>();
        if !rest.is_empty() || entries.len() > capacity {
            return None;
        }
        let mut once = Once::new(capacity, Time::default());
        for entry in entries {
            let (second, rest) = entry.split_first_chunk::<8>()?;
            let (digest, sharer) = rest.split_first_chunk::<16>()?;
            once.remember((*digest, sharer.try_into().ok()?), u64::from_be_bytes(*second));
        }
        Some(once)
    }

    /// Everything remembered, to be restored after a clean stop.
    pub fn save(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.seen.len() * ENTRY_BYTES);
        for (second, digests) in &self.by_expiry {
            for (digest, sharer) in digests {
                out.extend_from_slice(&second.to_be_bytes());
                out.extend_from_slice(digest);
                out.extend_from_slice(sharer);
            }
        }
        out
    }

    /// Remembers `id` of `owner`, stamped at `stamped`, until what it names is good no more. It takes of the share
    /// of `sharer`, who was found to be who they say.
    ///
    /// # Errors
    /// When it is remembered, might have been, or there is no room.
    pub fn admit(
        &mut self,
        sharer: &str,
        owner: &[u8],
        id: &str,
        stamped: Time,
        good_until: Time,
        now: Time,
    ) -> Result<(), NotOnce> {
        self.sweep(now);
        let digest = digest_of(owner, id);
        let second = good_until.millis() / 1000;
        if stamped < self.not_before || second < self.forgotten || self.seen.contains(&digest) {
            return Err(NotOnce::Seen);
        }
        let sharer = short(&digest_of(&[], sharer));
        let own = self.shares.get(&sharer).copied().unwrap_or_default();
        if own >= self.capacity.saturating_sub(self.seen.len()) {
            return Err(NotOnce::Full);
        }
        self.remember((digest, sharer), second);
        Ok(())
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    fn remember(&mut self, seen: Seen, second: u64) {
        let (digest, sharer) = seen;
        if self.seen.insert(digest) {
            *self.shares.entry(sharer).or_default() += 1;
            self.by_expiry.entry(second).or_default().push(seen);
        }
    }

    fn sweep(&mut self, now: Time) {
        self.forgotten = self.forgotten.max(now.millis() / 1000);
        while let Some(first) = self.by_expiry.first_entry() {
            if *first.key() >= self.forgotten {
                return;
            }
            for (digest, sharer) in first.remove() {
                self.seen.remove(&digest);
                if let Entry::Occupied(mut share) = self.shares.entry(sharer) {
                    *share.get_mut() -= 1;
                    if *share.get() == 0 {
                        share.remove();
                    }
                }
            }
        }
    }
}

fn digest_of(owner: &[u8], id: &str) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&(owner.len() as u64).to_be_bytes());
    context.update(owner);
    context.update(id.as_bytes());
    short(context.finish().as_ref())
}

/// The first bytes of a digest.
fn short<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut short = [0; N];
    for (to, from) in short.iter_mut().zip(digest) {
        *to = *from;
    }
    short
}

#[cfg(test)]
mod tests;
