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

/// What is stopped at one venue: by address, and orders and reads by account.
#[derive(Clone, Default, Debug)]
pub(crate) struct Freezes {
    requests: BTreeMap<usize, Time>,
    everything: BTreeMap<usize, Time>,
    orders: BTreeMap<AccountName, Time>,
    reads: BTreeMap<AccountName, Time>,
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
            (Stops::Orders, Some(account)) => of_account(&mut self.orders, account, now),
            (Stops::Reads, Some(account)) => of_account(&mut self.reads, account, now),
            (Stops::Orders | Stops::Reads | Stops::Requests, _) => {
                self.requests.entry(from).or_default()
            }
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
        let (stops, of_accounts) = match ask.rank {
            Rank::Kill | Rank::Cancel | Rank::Reduce | Rank::New => (Stops::Orders, &self.orders),
            Rank::Upkeep | Rank::Read | Rank::Public => (Stops::Reads, &self.reads),
        };
        let of_account = ask.account.as_ref().and_then(|account| of_accounts.get(account));
        everything
            .or_else(|| until(Stops::Requests, self.requests.get(&ask.from)))
            .or_else(|| until(stops, of_account))
    }

    /// What is stopped now, and of whom.
    pub(crate) fn all(&self, now: Time) -> impl Iterator<Item = (Frozen, Whose)> {
        let of = |stops, from: &usize, until: &Time| {
            (Frozen { stops, until: *until }, Whose::Address(*from))
        };
        let everything = self.everything.iter().map(move |(f, t)| of(Stops::Everything, f, t));
        let requests = self.requests.iter().map(move |(f, t)| of(Stops::Requests, f, t));
        let of_account = |stops, account: &AccountName, until: &Time| {
            (Frozen { stops, until: *until }, Whose::Account(Some(account.clone())))
        };
        let orders = self.orders.iter().map(move |(a, t)| of_account(Stops::Orders, a, t));
        let reads = self.reads.iter().map(move |(a, t)| of_account(Stops::Reads, a, t));
        let all = everything.chain(requests).chain(orders).chain(reads);
        all.filter(move |(frozen, _)| frozen.until > now)
    }
}

/// Until when an account is stopped. Of too many accounts those are left out that are not any more.
fn of_account<'a>(
    stopped: &'a mut BTreeMap<AccountName, Time>,
    account: &AccountName,
    now: Time,
) -> &'a mut Time {
    if stopped.len() >= MAX_BUDGET_SHARES {
        stopped.retain(|_, until| *until > now);
    }
    stopped.entry(account.clone()).or_default()
}
