//! A token bucket.

use crate::time::Time;

/// Lets `per_second` requests through a second, and `burst` at once.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Nanoseconds that a token takes to come back.
    refill: u64,
    /// The most that may be owed, in nanoseconds.
    depth: u64,
    /// When the bucket is full again, in nanoseconds since the epoch.
    full_at: u64,
}

impl Bucket {
    /// A full bucket. A rate of nothing lets nothing through.
    pub fn new(per_second: u32, burst: u32) -> Bucket {
        let refill = 1_000_000_000_u64.checked_div(u64::from(per_second)).unwrap_or(u64::MAX);
        Bucket { refill, depth: refill.saturating_mul(u64::from(burst)), full_at: 0 }
    }

    /// How many tokens come back in a second, and how many it holds.
    pub fn rate(&self) -> (u64, u64) {
        let per_second = 1_000_000_000_u64.checked_div(self.refill).unwrap_or_default();
        (per_second, self.depth.checked_div(self.refill).unwrap_or_default())
    }

    /// Takes a token; whether there was one.
    pub fn take(&mut self, now: Time) -> bool {
        self.take_many(1, now)
    }

    /// Takes so many tokens, or none; whether there were that many.
    pub fn take_many(&mut self, tokens: u32, now: Time) -> bool {
        let full_at = self.full_after(tokens, now);
        if let Some(full_at) = full_at {
            self.full_at = full_at;
        }
        full_at.is_some()
    }

    /// Whether there is a token, which is left where it is.
    pub fn has_one(&self, now: Time) -> bool {
        self.full_after(1, now).is_some()
    }

    /// When the bucket is full again after so many were taken, if they may be.
    fn full_after(&self, tokens: u32, now: Time) -> Option<u64> {
        let now = now.micros().saturating_mul(1000);
        // More than can be owed is owed to a clock that went back since: it is forgiven.
        let owed = Some(self.full_at.saturating_sub(now)).filter(|owed| *owed <= self.depth);
        let taken = self.refill.saturating_mul(u64::from(tokens));
        let full_at = now.saturating_add(owed.unwrap_or_default()).saturating_add(taken);
        (full_at - now <= self.depth && self.refill < u64::MAX).then_some(full_at)
    }
}

#[cfg(test)]
mod tests;
