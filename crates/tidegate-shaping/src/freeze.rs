//! What a venue forbade for a while, and until when.

use std::collections::BTreeMap;
use tidegate_types::ids::AccountName;
use tidegate_types::limits::MAX_BUDGET_SHARES;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::{BackOff, Stops};

use crate::ask::{Ask, Whose};
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

/// What is stopped at one venue: by address, and orders by account.
#[derive(Clone, Default, Debug)]
pub(crate) struct Freezes {
    requests: BTreeMap<usize, Time>,
    everything: BTreeMap<usize, Time>,
    orders: BTreeMap<AccountName, Time>,
}

impl Freezes {
    /// The venue asked for it, of this address; whether it is news.
    pub(crate) fn note(
        &mut self,
        told: BackOff,
        from: usize,
        account: Option<&AccountName>,
        now: Time,
    ) -> bool {
        let until = told.until.unwrap_or_default().clamp(now.plus(told.wait), now.plus(LONGEST));
        let kept = match (told.stops, account) {
            (Stops::Orders, Some(account)) => {
                if self.orders.len() >= MAX_BUDGET_SHARES {
                    self.orders.retain(|_, until| *until > now);
                }
                self.orders.entry(account.clone()).or_default()
            }
            (Stops::Orders | Stops::Requests, _) => self.requests.entry(from).or_default(),
            (Stops::Everything, _) => self.everything.entry(from).or_default(),
        };
        let news = *kept <= now;
        *kept = (*kept).max(until);
        news
    }

    /// What stops such a request now.
    pub(crate) fn stops(&self, ask: &Ask, now: Time) -> Option<Frozen> {
        let until = |stops, until: Option<&Time>| {
            until.filter(|until| **until > now).map(|until| Frozen { stops, until: *until })
        };
        let everything = until(Stops::Everything, self.everything.get(&ask.from));
        if ask.rank <= Rank::Cancel {
            return everything;
        }
        let orders = ask.account.as_ref().and_then(|account| self.orders.get(account));
        let orders = orders.filter(|_| matches!(ask.rank, Rank::Reduce | Rank::New));
        everything
            .or_else(|| until(Stops::Requests, self.requests.get(&ask.from)))
            .or_else(|| until(Stops::Orders, orders))
    }

    /// What is stopped now, and of whom.
    pub(crate) fn all(&self, now: Time) -> impl Iterator<Item = (Frozen, Whose)> {
        let of = |stops, from: &usize, until: &Time| {
            (Frozen { stops, until: *until }, Whose::Address(*from))
        };
        let everything = self.everything.iter().map(move |(f, t)| of(Stops::Everything, f, t));
        let requests = self.requests.iter().map(move |(f, t)| of(Stops::Requests, f, t));
        let orders = self.orders.iter().map(|(account, until)| {
            let frozen = Frozen { stops: Stops::Orders, until: *until };
            (frozen, Whose::Account(Some(account.clone())))
        });
        everything.chain(requests).chain(orders).filter(move |(frozen, _)| frozen.until > now)
    }
}
