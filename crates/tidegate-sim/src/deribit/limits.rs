//! Credits: each request costs some, and they come back over time.

use super::methods::Pool;
use std::collections::BTreeMap;
use tidegate_types::time::Time;

/// Who pays.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Payer {
    /// A key, by its place.
    Key(usize),
    /// Someone unknown, by address.
    Peer(String),
}

/// Cost of one request, the most that can be saved up, and what comes back in a second.
const fn prices(pool: Pool) -> (u64, u64, u64) {
    match pool {
        Pool::Plain => (500, 50_000, 10_000),
        Pool::Instruments => (10_000, 500_000, 10_000),
        Pool::Subscribe => (3_000, 30_000, 10_000),
        Pool::TransactionLog => (10_000, 80_000, 10_000),
        // Five a second and twenty at once, the venue's lowest tier.
        Pool::Matching => (2_000, 40_000, 10_000),
    }
}

/// The credits of every payer.
#[derive(Debug)]
pub(crate) struct Credits {
    scale: u64,
    left: BTreeMap<(Payer, u8), (u64, Time)>,
}

/// Payers that are remembered.
const PAYERS_MAX: usize = 100_000;

impl Credits {
    /// With `scale` times the venue's credits; nothing is limited when it is zero.
    pub(crate) const fn new(scale: u64) -> Credits {
        Credits { scale, left: BTreeMap::new() }
    }

    /// How many times the venue's credits there are; none is no limit.
    pub(crate) const fn scale(&self) -> u64 {
        self.scale
    }

    /// Pays for a request; false when there is not enough left.
    pub(crate) fn pay(&mut self, payer: Payer, pool: Pool, now: Time) -> bool {
        if self.scale == 0 {
            return true;
        }
        let (cost, most, per_second) = prices(pool);
        let (most, per_second) =
            (most.saturating_mul(self.scale), per_second.saturating_mul(self.scale));
        if self.left.len() > PAYERS_MAX {
            self.left.clear();
        }
        let (left, at) = self.left.entry((payer, pool as u8)).or_insert((most, now));
        let back = now.since(*at).micros().saturating_mul(per_second) / 1_000_000;
        if back > 0 {
            *left = left.saturating_add(back).min(most);
            *at = now;
        }
        match left.checked_sub(cost) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_types::time::Span;

    #[test]
    fn credits_run_out_and_come_back() {
        let mut credits = Credits::new(1);
        let now = Time::from_millis(1_000);
        let mut pay = |now| credits.pay(Payer::Key(0), Pool::Matching, now);
        assert!((0..20).all(|_| pay(now)));
        assert!(!pay(now));
        let later = now.plus(Span::from_secs(1));
        assert!((0..5).all(|_| pay(later)));
        assert!(!pay(later));
        assert!(credits.pay(Payer::Key(1), Pool::Matching, later), "each key has its own");
        assert!(credits.pay(Payer::Key(0), Pool::Plain, later), "and each pool");
    }

    #[test]
    fn no_scale_is_no_limit() {
        let mut credits = Credits::new(0);
        let payer = || Payer::Peer("::1".into());
        assert!((0..10_000).all(|_| credits.pay(payer(), Pool::Instruments, Time::default())));
    }
}
