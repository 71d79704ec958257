//! From which of the desk's addresses what is asked of a venue leaves.
//!
//! Venues count what comes from an address, and some keys are good at an address only. So each account stays at one:
//! the one that it is named for, or else the one that fewest accounts have when it is first seen.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use tidegate_types::ids::AccountName;

/// The addresses that one venue is asked from.
#[derive(Debug)]
pub struct Egress {
    /// None: the machine chooses one.
    addresses: Vec<IpAddr>,
    binds_keys: bool,
    pins: Mutex<BTreeMap<AccountName, usize>>,
}

impl Default for Egress {
    fn default() -> Egress {
        Egress::new(Vec::new(), true, BTreeMap::new())
    }
}

impl Egress {
    /// These addresses, to which the venue's keys are bound or not, with these accounts at these of them, counted
    /// from 0.
    pub fn new(
        addresses: Vec<IpAddr>,
        binds_keys: bool,
        pins: BTreeMap<AccountName, usize>,
    ) -> Egress {
        Egress { addresses, binds_keys, pins: Mutex::new(pins) }
    }

    /// How many there are, the machine's choice counted as one.
    pub fn count(&self) -> usize {
        self.addresses.len().max(1)
    }

    /// Those that were named.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// One of those.
    pub fn address(&self, from: usize) -> Option<IpAddr> {
        self.addresses.get(from).copied()
    }

    /// Whether a key is good at its account's address alone.
    pub fn binds_keys(&self) -> bool {
        self.binds_keys
    }

    /// Where an account is, for as long as the gateway runs.
    pub fn of(&self, account: &AccountName) -> usize {
        if self.count() == 1 {
            return 0;
        }
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pinned) = pins.get(account) {
            return *pinned;
        }
        let mut load = vec![0_usize; self.count()];
        for pinned in pins.values() {
            if let Some(accounts) = load.get_mut(*pinned) {
                *accounts += 1;
            }
        }
        let least = load.iter().enumerate().min_by_key(|(_, accounts)| **accounts);
        let from = least.map_or(0, |(from, _)| from);
        pins.insert(account.clone(), from);
        from
    }
}

#[cfg(test)]
mod tests;
