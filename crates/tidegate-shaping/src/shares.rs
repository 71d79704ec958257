//! How much of something each payer had of late: a share that comes back evenly.

use crate::rank::Payer;
use std::collections::BTreeMap;
use tidegate_types::limits::MAX_BUDGET_SHARES;
use tidegate_types::time::{Span, Time};

/// When each payer's share is whole again.
#[derive(Clone, Default, Debug)]
pub(crate) struct Shares(BTreeMap<Payer, Time>);

impl Shares {
    /// How long until a payer's share is whole again.
    pub(crate) fn owed(&self, payer: &Payer, now: Time) -> Span {
        self.0.get(payer).map_or(Span::ZERO, |whole| whole.since(now))
    }

    /// A payer takes what comes back in that time. Of too many payers the newest ones are not counted.
    pub(crate) fn take(&mut self, payer: &Payer, comes_back: Span, now: Time) {
        if self.0.len() >= MAX_BUDGET_SHARES && !self.0.contains_key(payer) {
            self.0.retain(|_, whole| *whole > now);
        }
        if self.0.len() < MAX_BUDGET_SHARES || self.0.contains_key(payer) {
            let whole = self.0.entry(payer.clone()).or_default();
            *whole = (*whole).max(now).plus(comes_back);
        }
    }

    /// It did not take it after all.
    pub(crate) fn give_back(&mut self, payer: &Payer, comes_back: Span) {
        if let Some(whole) = self.0.get_mut(payer) {
            *whole = whole.minus(comes_back);
        }
    }
}

/// How long so many units take to come back, of which `most` come back in a span.
pub(crate) fn comes_back(units: u64, most: u64, span: Span) -> Span {
    Span::from_micros(units.saturating_mul(span.micros()) / most.max(1))
}
