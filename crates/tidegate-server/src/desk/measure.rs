//! How long things take, as histograms that cost a few nanoseconds to feed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Steps per doubling: what is read back is right to one part in sixteen.
const STEPS: usize = 16;
const STEPS_BITS: u32 = STEPS.trailing_zeros();
const SLOTS: usize = STEPS * 48;

/// Durations, counted by size.
pub struct Histogram {
    slots: [AtomicU64; SLOTS],
    count: AtomicU64,
}

/// What a histogram shows, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Quantiles {
    /// How many were counted.
    pub count: u64,
    /// Half took no longer.
    pub p50_ns: u64,
    /// 99 of 100 took no longer.
    pub p99_ns: u64,
    /// 999 of 1000 took no longer.
    pub p999_ns: u64,
}

/// The stages that are measured.
#[derive(Default)]
pub struct Measures {
    /// The core, from an intent to its decision.
    pub decision: Histogram,
    /// A request, from its head read to its answer ready.
    pub gateway: Histogram,
    /// The signer, there and back.
    pub signer: Histogram,
    /// The journal, from a record that gates to its flush.
    pub flush: Histogram,
    /// The venue, from sending to its answer.
    pub venue: Histogram,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { slots: [const { AtomicU64::new(0) }; SLOTS], count: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts one.
    pub fn record(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(slot) = self.slots.get(slot_of(nanos)) {
            slot.fetch_add(1, Ordering::Relaxed);
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was counted so far.
    pub fn quantiles(&self) -> Quantiles {
        let counts = self.slots.each_ref().map(|slot| slot.load(Ordering::Relaxed));
        let count: u64 = counts.iter().sum();
        let at = |per_mille: u64| {
            let rank = count.saturating_mul(per_mille).div_ceil(1000).max(1);
            let mut seen = 0;
            let found = counts.iter().position(|n| {
                seen += n;
                seen >= rank
            });
            found.map_or(0, top_of)
        };
        Quantiles { count, p50_ns: at(500), p99_ns: at(990), p999_ns: at(999) }
    }
}

fn slot_of(nanos: u64) -> usize {
    let bits = u64::BITS - nanos.leading_zeros();
    if bits <= STEPS_BITS {
        return nanos as usize;
    }
    let shift = bits - STEPS_BITS - 1;
    let step = (nanos >> shift) as usize - STEPS;
    ((shift as usize + 1) * STEPS + step).min(SLOTS - 1)
}

/// The largest value of a slot.
fn top_of(slot: usize) -> u64 {
    if slot < STEPS {
        return slot as u64;
    }
    let shift = slot / STEPS - 1;
    (((slot % STEPS + STEPS + 1) as u64) << shift) - 1
}

#[cfg(test)]
mod tests;
