//! How often one address may ask the endpoints, whoever it says that it is: signatures are checked there before
//! anybody is known.

use crate::edge::{Bucket, network_of};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use tidegate_types::time::Time;

/// How many requests of one address are looked at a second, and how many at once. Many clients may be behind one.
pub(super) const CALLS: (u32, u32) = (100, 1000);
/// Most addresses that are counted at once.
const MAX_PEERS: usize = 10_000;

/// What an address asks for. Each has its rate for itself, so that whoever asks for tokens too often keeps
/// nobody beside it from ending one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Asks {
    /// A token to be revoked.
    Revocation,
    /// Anything else.
    Other,
}

/// The addresses that asked of late.
#[derive(Debug, Default)]
pub(super) struct Peers(Mutex<HashMap<(IpAddr, Asks), Bucket>>);

impl Peers {
    /// Takes one request of an address; whether it may ask. This machine always may: behind a proxy of the desk's
    /// own all come from there, and nobody is to be shut out for another.
    pub(super) fn take(&self, peer: IpAddr, asks: Asks, now: Time) -> bool {
        if peer.to_canonical().is_loopback() {
            return true;
        }
        let peer = (network_of(peer), asks);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Who has so many addresses is held back by none: nobody else is to be shut out for it.
        if known.len() >= MAX_PEERS && !known.contains_key(&peer) {
            known.clear();
        }
        known.entry(peer).or_insert_with(|| Bucket::new(CALLS.0, CALLS.1)).take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_rate_and_ipv6_one_for_each_network() {
        let peers = Peers::default();
        let at = |ms: u64| Time::from_millis(1_000_000 + ms);
        let takes = |peer: &str, ms| peers.take(peer.parse().unwrap(), Asks::Other, at(ms));
        for n in 0..CALLS.1 {
            assert!(takes("192.0.2.1", 0) && takes(&format!("2001:db8::{n:x}"), 0), "{n}");
        }
        assert!(!takes("192.0.2.1", 0) && !takes("::ffff:192.0.2.1", 0));
        let revokes = || peers.take("192.0.2.1".parse().unwrap(), Asks::Revocation, at(0));
        assert_eq!(
            (0..=CALLS.1).filter(|_| revokes()).count(),
            CALLS.1 as usize,
            "apart, and bounded"
        );
        assert!(!takes("2001:db8::ffff:1", 0) && takes("2001:db8:0:1::1", 0));
        assert!(takes("192.0.2.2", 0));
        let of_here = (0..=CALLS.1).filter(|_| takes("127.0.0.1", 0) && takes("::1", 0));
        assert_eq!(of_here.count(), CALLS.1 as usize + 1);
        let again = (0..=CALLS.0).filter(|_| takes("192.0.2.1", 1000));
        assert_eq!(again.count(), CALLS.0 as usize);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let peers = Peers::default();
        for n in 0..u32::try_from(MAX_PEERS).unwrap() + 1 {
            assert!(peers.take(IpAddr::from(n.to_be_bytes()), Asks::Other, Time::from_millis(1)));
        }
        assert_eq!(peers.0.lock().unwrap().len(), 1);
    }
}
