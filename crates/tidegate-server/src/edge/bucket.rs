//! A token bucket.

use tidegate_types::time::Time;

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

    /// Takes a token; whether there was one.
    pub fn take(&mut self, now: Time) -> bool {
        let now = now.micros().saturating_mul(1000);
        let full_at = self.full_at.max(now).saturating_add(self.refill);
        let allowed = full_at - now <= self.depth && self.refill < u64::MAX;
        if allowed {
            self.full_at = full_at;
        }
        allowed
    }
}

#[cfg(test)]
mod tests;
