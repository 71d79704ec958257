//! Which request for an order under one id was signed last.
//!
//! A client that hears nothing sends its order again under the same id, with a new stamp. The first
//! request may still be on its way: held up in a socket of a network that lost packets, it arrives
//! seconds later, when the order has been placed by the second, told to the client and perhaps ended,
//! which frees its id. It is not a wish for another order.

use aws_lc_rs::digest;
use std::collections::{BTreeMap, HashMap};
use tidegate_types::ids::CallerOrderId;
use tidegate_types::limits::{MAX_CLOCK_AHEAD, MAX_REPLAY_ENTRIES, MAX_SIGNATURE_WINDOW};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// The last stamp by caller, account and id, for as long as an earlier one may be good. What the
/// gateway before this one was asked needs no memory: the replay guard refuses what was stamped
/// before the start.
#[derive(Debug)]
pub struct OrderStamps {
    capacity: usize,
    newest: HashMap<[u8; 16], Time>,
    /// The same entries by the second after which they are looked at again.
    by_expiry: BTreeMap<u64, Vec<[u8; 16]>>,
}

impl Default for OrderStamps {
    fn default() -> OrderStamps {
        OrderStamps::with_capacity(MAX_REPLAY_ENTRIES)
    }
}

impl OrderStamps {
    /// Remembers the stamps of `capacity` ids.
    pub fn with_capacity(capacity: usize) -> OrderStamps {
        OrderStamps { capacity, newest: HashMap::new(), by_expiry: BTreeMap::new() }
    }

    /// Takes a request for an order under `id` that was signed at `at`; whether one that was signed
    /// later came before.
    ///
    /// # Errors
    /// Code 403 when there is no room to remember it.
    pub fn admit(
        &mut self,
        who: &Authenticated,
        id: &CallerOrderId,
        at: Time,
        now: Time,
    ) -> Result<bool, Reject> {
        self.evict(now);
        let entry = fingerprint(&[who.caller().as_str(), who.account().as_str(), id.as_str()]);
        let is_full = self.newest.len() >= self.capacity;
        match self.newest.get_mut(&entry) {
            Some(newest) if at < *newest => Ok(true),
            Some(newest) => {
                *newest = at;
                Ok(false)
            }
            None if is_full => {
                Err(Reject::new(Code::TooManyInFlight, "no room to remember the order's id"))
            }
            None => {
                self.newest.insert(entry, at);
                self.by_expiry.entry(last_second(at)).or_default().push(entry);
                Ok(false)
            }
        }
    }

    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.newest.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    fn evict(&mut self, now: Time) {
        let now = now.millis() / 1000;
        while let Some(first) = self.by_expiry.first_entry().filter(|first| *first.key() < now) {
            for entry in first.remove() {
                match self.newest.get(&entry).map(|at| last_second(*at)) {
                    // Asked for again since.
                    Some(last) if last >= now => {
                        self.by_expiry.entry(last).or_default().push(entry);
                    }
                    _ => {
                        self.newest.remove(&entry);
                    }
                }
            }
        }
    }
}

/// The last second in which a request that was signed before `at` may be good.
fn last_second(at: Time) -> u64 {
    at.plus(MAX_SIGNATURE_WINDOW).plus(MAX_CLOCK_AHEAD).millis() / 1000
}

fn fingerprint(parts: &[&str]) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    short
}

#[cfg(test)]
mod tests;
