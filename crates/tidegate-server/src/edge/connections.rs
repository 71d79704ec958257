//! How many connections there are, in all and from each address.

use super::inbound::{Limits, Peers, Rate};
use super::unsent::{Debt, Unsent};
use crate::oplog;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tidegate_types::limits::MAX_UNSENT_BYTES;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

/// Once three quarters of the places are taken, an address that has so many gets no more: whoever has few, or
/// comes anew, is not shut out by a few others with many.
const FEW: usize = 16;

/// Counts connections against their limits.
#[derive(Debug)]
pub struct Connections {
    most: usize,
    most_per_peer: usize,
    open: Mutex<Open>,
    asking: Peers<()>,
    unsent: Arc<Unsent>,
    turned_away: AtomicU64,
    handshakes: Mutex<Refused>,
    requests: Mutex<Refused>,
}

/// What was refused before anybody asked for anything.
#[derive(Debug, Default)]
struct Refused {
    count: u64,
    told: oplog::Repeated,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    per_peer: HashMap<IpAddr, usize>,
}

/// A counted connection, until dropped.
#[derive(Debug)]
pub struct Seat {
    peer: IpAddr,
    connections: Arc<Connections>,
}

impl Connections {
    /// Limits: in all, and per address, with the default rate of requests for each address and the default bound
    /// of what waits to be written.
    pub fn new(most: usize, most_per_peer: usize) -> Arc<Connections> {
        Connections::within(most, most_per_peer, Limits::default().address, MAX_UNSENT_BYTES)
    }

    /// Limits: in all, and per address, with the rate of requests for each address, and so many bytes at most that
    /// wait to be written to all sockets together.
    pub fn within(
        most: usize,
        most_per_peer: usize,
        rate: Rate,
        unsent: usize,
    ) -> Arc<Connections> {
        Arc::new(Connections {
            most,
            most_per_peer,
            open: Mutex::default(),
            asking: Peers::new(rate),
            unsent: Unsent::new(unsent),
            turned_away: AtomicU64::new(0),
            handshakes: Mutex::default(),
            requests: Mutex::default(),
        })
    }

    /// A seat for one more connection from `peer`; none when a limit is reached.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Seat> {
        let seat = self.find_seat(peer);
        if seat.is_none() {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        seat
    }

    fn find_seat(self: &Arc<Self>, peer: IpAddr) -> Option<Seat> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.most {
            return None;
        }
        let peer = network_of(peer);
        let crowded = open.total >= self.most - self.most / 4;
        let most_here = if crowded { self.most_per_peer.min(FEW) } else { self.most_per_peer };
        let here = open.per_peer.entry(peer).or_insert(0);
        if *here >= most_here {
            return None;
        }
        *here += 1;
        open.total += 1;
        Some(Seat { peer, connections: Arc::clone(self) })
    }

    /// Counts one more request of an address's, over whichever of its connections.
    ///
    /// # Errors
    /// When there were too many.
    pub fn asks(&self, peer: IpAddr, now: Time) -> Result<(), Reject> {
        if self.asking.take(peer, (), now) {
            return Ok(());
        }
        let (per_second, burst) = self.asking.rate();
        let why = format!("{per_second} a second for the address, {burst} at once");
        Err(Reject::later(Code::AddressRate, &why, Span::from_secs(1)))
    }

    /// How many found no seat.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Counts a handshake that failed.
    pub fn note_handshake(&self, peer: IpAddr, why: &str) {
        note(&self.handshakes, "handshake-failed", peer, why);
    }

    /// Counts a request that no record tells of: it was for no venue, and could not be read.
    pub fn note_request(&self, peer: IpAddr, why: &str) {
        note(&self.requests, "request-refused", peer, why);
    }

    /// How many handshakes failed.
    pub fn failed_handshakes(&self) -> u64 {
        self.handshakes.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// How many requests that no record tells of were refused.
    pub fn refused_requests(&self) -> u64 {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// How many connections are open.
    pub fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

impl Seat {
    /// Counts one more request of its address's.
    pub(super) fn asks(&self, now: Time) -> Result<(), Reject> {
        self.connections.asks(self.peer, now)
    }

    /// What will wait to be written to its socket.
    pub(super) fn unsent(&self) -> Debt {
        self.connections.unsent.enter()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        if let Some(here) = open.per_peer.get_mut(&self.peer) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                open.per_peer.remove(&self.peer);
            }
        }
    }
}

/// What counts as one address: of IPv6 the network of 64 bits that one customer is given at least.
pub fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The log has how many there were and the newest of them, once a minute.
fn note(refused: &Mutex<Refused>, what: &str, peer: IpAddr, why: &str) {
    let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
    refused.count += 1;
    if refused.told.is_news("") {
        oplog::warn(what, &[("count", &refused.count), ("peer", &peer), ("why", &why)]);
    }
}

#[cfg(test)]
mod tests;
