//! What a venue forbade for a while, and until when.

use std::collections::BTreeMap;
use tidegate_types::ids::AccountName;
use tidegate_types::limits::MAX_BUDGET_SHARES;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::{BackOff, Stops};

use crate::rank::Rank;

/// The longest stop that is believed (the longest ban of a venue).
const LONGEST: Span = Span::from_secs(3 * 24 * 3600);

/// Something that is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frozen {
    /// What.
    pub stops: Stops,
    /// Until when.
    pub until: Time,
}

/// What is stopped at one venue, at one address.
#[derive(Clone, Default, Debug)]
pub(crate) struct Freezes {
    requests: Time,
    everything: Time,
    orders: BTreeMap<AccountName, Time>,
}

impl Freezes {
    /// The venue asked for it; whether it is news.
    pub(crate) fn note(&mut self, told: BackOff, account: Option<&AccountName>, now: Time) -> bool {
        let until = told.until.unwrap_or_default().clamp(now.plus(told.wait), now.plus(LONGEST));
        let kept = match (told.stops, account) {
            (Stops::Orders, Some(account)) => {
                if self.orders.len() >= MAX_BUDGET_SHARES {
                    self.orders.retain(|_, until| *until > now);
                }
                self.orders.entry(account.clone()).or_default()
            }
            (Stops::Orders | Stops::Requests, _) => &mut self.requests,
            (Stops::Everything, _) => &mut self.everything,
        };
        let news = *kept <= now;
        *kept = (*kept).max(until);
        news
    }

    /// What stops such a request now.
    pub(crate) fn stops(
        &self,
        rank: Rank,
        account: Option<&AccountName>,
        now: Time,
    ) -> Option<Frozen> {
        let until = |stops, until: Time| (until > now).then_some(Frozen { stops, until });
        let everything = until(Stops::Everything, self.everything);
        if rank <= Rank::Cancel {
            return everything;
        }
        let orders = account.and_then(|account| self.orders.get(account)).copied();
        let orders = orders.filter(|_| matches!(rank, Rank::Reduce | Rank::New));
        everything
            .or_else(|| until(Stops::Requests, self.requests))
            .or_else(|| orders.and_then(|at| until(Stops::Orders, at)))
    }

    /// What is stopped now, of every account.
    pub(crate) fn all(&self, now: Time) -> impl Iterator<Item = (Frozen, Option<&AccountName>)> {
        let orders = self.orders.iter().map(|(account, until)| {
            (Frozen { stops: Stops::Orders, until: *until }, Some(account))
        });
        [(Stops::Everything, self.everything), (Stops::Requests, self.requests)]
            .into_iter()
            .map(|(stops, until)| (Frozen { stops, until }, None))
            .chain(orders)
            .filter(move |(frozen, _)| frozen.until > now)
    }
}
