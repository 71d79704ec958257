//! What may come once: identifiers of proofs and assertions, each for as long as what it names is good.

use aws_lc_rs::digest;
use std::collections::{BTreeMap, HashSet};
use tidegate_types::time::Time;

/// The identifiers seen, bounded. What it holds can be kept over a restart (`save`, `restore`); where it
/// was not, everything stamped before the start counts as seen.
#[derive(Debug)]
pub struct Once {
    capacity: usize,
    not_before: Time,
    seen: HashSet<[u8; 16]>,
    by_expiry: BTreeMap<u64, Vec<[u8; 16]>>,
    forgotten: u64,
}

/// Why an identifier is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotOnce {
    /// It came before, or might have.
    Seen,
    /// There is no room to remember it.
    Full,
}

/// Bytes of one entry of what is kept: its second and its digest.
const ENTRY_BYTES: usize = 24;

impl Once {
    /// An empty memory for `capacity` identifiers: what was stamped before `not_before`, the start, is
    /// refused.
    pub fn new(capacity: usize, not_before: Time) -> Once {
        Once {
            capacity,
            not_before,
            seen: HashSet::new(),
            by_expiry: BTreeMap::new(),
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
            let (second, digest) = entry.split_first_chunk::<8>()?;
            let digest: [u8; 16] = digest.try_into().ok()?;
            once.seen.insert(digest);
            once.by_expiry.entry(u64::from_be_bytes(*second)).or_default().push(digest);
        }
        Some(once)
    }

    /// Everything remembered, to be restored after a clean stop.
    pub fn save(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.seen.len() * ENTRY_BYTES);
        for (second, digests) in &self.by_expiry {
            for digest in digests {
                out.extend_from_slice(&second.to_be_bytes());
                out.extend_from_slice(digest);
            }
        }
        out
    }

    /// Remembers `id` of `owner`, stamped at `stamped`, until what it names is good no more.
    ///
    /// # Errors
    /// When it is remembered, might have been, or there is no room.
    pub fn admit(
        &mut self,
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
        if self.seen.len() >= self.capacity {
            return Err(NotOnce::Full);
        }
        self.seen.insert(digest);
        self.by_expiry.entry(second).or_default().push(digest);
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

    fn sweep(&mut self, now: Time) {
        self.forgotten = self.forgotten.max(now.millis() / 1000);
        while let Some(first) = self.by_expiry.first_entry() {
            if *first.key() >= self.forgotten {
                return;
            }
            for digest in first.remove() {
                self.seen.remove(&digest);
            }
        }
    }
}

fn digest_of(owner: &[u8], id: &str) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&(owner.len() as u64).to_be_bytes());
    context.update(owner);
    context.update(id.as_bytes());
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    short
}

#[cfg(test)]
mod tests;
