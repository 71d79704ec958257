//! Markets that a policy's rules read, by the orders that were for them: what they show is followed for a while.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tidegate_types::ids::{InstrumentId, VenueName};
use tidegate_types::limits::{MARKET_FOLLOWED, MAX_MARKETS_ASKED};

const FOLLOWED: Duration = Duration::from_micros(MARKET_FOLLOWED.micros());

/// When each was ordered last.
#[derive(Default)]
pub(super) struct Markets(Mutex<BTreeMap<InstrumentId, Instant>>);

impl Markets {
    /// An order was for it. Of too many at a venue the one that was not ordered for the longest time is let go of.
    pub(super) fn ask(&self, instrument: InstrumentId) {
        self.ask_at(instrument, Instant::now());
    }

    /// Those of a venue.
    pub(super) fn asked(&self, venue: &VenueName) -> Vec<InstrumentId> {
        self.asked_at(venue, Instant::now())
    }

    fn ask_at(&self, instrument: InstrumentId, now: Instant) {
        let mut markets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let venue = instrument.venue.clone();
        markets.insert(instrument, now);
        let of_venue = || markets.iter().filter(|(id, _)| id.venue == venue);
        if of_venue().count() > MAX_MARKETS_ASKED {
            let oldest = of_venue().min_by_key(|(_, at)| **at).map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                markets.remove(&oldest);
            }
        }
    }

    fn asked_at(&self, venue: &VenueName, now: Instant) -> Vec<InstrumentId> {
        let mut markets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        markets.retain(|_, at| now.duration_since(*at) < FOLLOWED);
        markets.keys().filter(|id| id.venue == *venue).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
