//! How often one address may do something, whoever it says that it is: what is counted here is counted before
//! anybody is known.

use super::Rate;
use crate::edge::{Bucket, network_of};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use tidegate_types::time::Time;

/// Most addresses that are counted at once.
const MAX_PEERS: usize = 10_000;

/// The addresses that did something of late. Each has its rate for each of the things `W`, so that whoever does
/// one of them too often is not kept from another.
#[derive(Debug)]
pub struct Peers<W> {
    rate: Rate,
    known: Mutex<HashMap<(IpAddr, W), Bucket>>,
}

impl<W: Eq + Hash> Peers<W> {
    /// Each address may do each of the things so often.
    pub fn new(rate: Rate) -> Peers<W> {
        Peers { rate, known: Mutex::default() }
    }

    /// How often that is in a second, and at once.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Counts one more time; whether the address may. This machine always may: behind a proxy of the desk's
    /// own all come from there, and nobody is to be shut out for another.
    pub fn take(&self, peer: IpAddr, what: W, now: Time) -> bool {
        peer.to_canonical().is_loopback() || self.count(peer, what, now)
    }

    fn count(&self, peer: IpAddr, what: W, now: Time) -> bool {
        let peer = (network_of(peer), what);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Who has so many addresses is held back by none: nobody else is to be shut out for it.
        if known.len() >= MAX_PEERS && !known.contains_key(&peer) {
            known.clear();
        }
        known.entry(peer).or_insert_with(|| Bucket::new(self.rate.0, self.rate.1)).take(now)
    }

    /// Whether the address may do it once more, without counting it.
    pub fn may(&self, peer: IpAddr, what: W, now: Time) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(network_of(peer), what)).is_none_or(|bucket| bucket.has_one(now))
    }
}

#[cfg(test)]
mod tests;
