//! What is left of a venue's rate limits, and who may have it.
//!
//! Whatever cancels, orders and the gateway itself need is counted and never refused. Callers' reads
//! leave what is reserved for those untouched, public ones a quarter more, and no caller or address
//! has more than its share, so that none can use up the desk's room at the venue.

use super::Errand;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::limits::MAX_BUDGET_SHARES;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::{Allowance, Per, Units};

/// One caller's or one address's part of what callers' reads may have: two thirds.
const SHARE: (u64, u64) = (2, 3);
/// The part of it that public reads may have: three quarters.
const PUBLIC: (u64, u64) = (3, 4);

/// What was spent at one venue.
#[derive(Debug)]
pub struct Budget {
    limits: Vec<Limit>,
    /// By allowance, and by account where the venue counts so.
    spent: BTreeMap<(usize, Option<AccountName>), Bucket>,
    /// By allowance and payer.
    shares: HashMap<(usize, Payer), Bucket>,
}

/// An allowance as it is now.
#[derive(Debug)]
struct Limit {
    table: Allowance,
    /// The most units at once.
    units: u64,
    /// How many of them callers' reads leave.
    reserved: u64,
    /// How many come back in a minute.
    per_minute: u64,
}

/// Who pays for a read.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Payer {
    Caller(CallerName),
    Address(IpAddr),
}

/// Spent units, as the time until the last of them is back.
#[derive(Clone, Copy, Default, Debug)]
struct Bucket {
    /// When nothing is owed any more, in ns since the epoch.
    full_at: u64,
}

impl Budget {
    /// Nothing spent of these allowances.
    pub fn new(allowances: &[Allowance]) -> Budget {
        let limits = allowances.iter().map(|table| Limit {
            table: *table,
            units: table.units.into(),
            reserved: table.reserved.into(),
            per_minute: table.per_minute.into(),
        });
        Budget { limits: limits.collect(), spent: BTreeMap::new(), shares: HashMap::new() }
    }

    /// Pays for a request.
    ///
    /// # Errors
    /// How long to wait, when a read would take more than there is for it.
    pub fn take(&mut self, errand: &Errand<'_>, cost: Units, now: Time) -> Result<(), Span> {
        let Some(limit) = self.limits.get(cost.allowance) else { return Ok(()) };
        let whole = self.spent.entry((cost.allowance, limit.account_of(errand))).or_default();
        let Some(payer) = payer(errand) else {
            whole.add(limit.span(cost.count.into()), limit.span(limit.units), now);
            return Ok(());
        };
        let (readable, count) = (limit.readable(&payer), limit.count(&payer, cost));
        let (all, slow) = (limit.span(count), limit.slow_span(count));
        let share = share(&mut self.shares, (cost.allowance, payer), now)?;
        let wait = whole.wait(all, limit.span(readable), now);
        let wait = wait.max(share.wait(slow, limit.span(readable), now));
        if wait.micros() > 0 {
            return Err(wait);
        }
        whole.add(all, limit.span(limit.units), now);
        share.add(slow, limit.span(readable), now);
        Ok(())
    }

    /// Gives back what was paid for a request that did not leave.
    pub fn give_back(&mut self, errand: &Errand<'_>, cost: Units) {
        let Some(limit) = self.limits.get(cost.allowance) else { return };
        let whole = (cost.allowance, limit.account_of(errand));
        let Some(payer) = payer(errand) else {
            if let Some(bucket) = self.spent.get_mut(&whole) {
                bucket.give_back(limit.span(cost.count.into()));
            }
            return;
        };
        let count = limit.count(&payer, cost);
        if let Some(bucket) = self.spent.get_mut(&whole) {
            bucket.give_back(limit.span(count));
        }
        if let Some(bucket) = self.shares.get_mut(&(cost.allowance, payer)) {
            bucket.give_back(limit.slow_span(count));
        }
    }

    /// The venue says how much is used already, by whomever at this address.
    pub fn told(&mut self, used: Units, now: Time) {
        if let Some(limit) = self.limits.get(used.allowance)
            && limit.table.per == Per::Address
        {
            let owed = limit.span(u64::from(used.count).min(limit.units));
            let whole = self.spent.entry((used.allowance, None)).or_default();
            whole.full_at = whole.full_at.max(nanos(now).saturating_add(owed));
        }
    }

    /// The venue publishes another limit than the table has: everything in proportion.
    pub fn publish(&mut self, published: Units) {
        if let Some(limit) = self.limits.get_mut(published.allowance) {
            let (new, old) = (u64::from(published.count), u64::from(limit.table.units).max(1));
            limit.units = new;
            limit.reserved = u64::from(limit.table.reserved) * new / old;
            limit.per_minute = (u64::from(limit.table.per_minute) * new / old).max(1);
        }
    }

    /// The name of an allowance.
    pub fn name(&self, of: Units) -> &'static str {
        self.limits.get(of.allowance).map_or("", |limit| limit.table.name)
    }
}

impl Limit {
    /// The account whose allowance pays, where the venue counts by account.
    fn account_of(&self, errand: &Errand<'_>) -> Option<AccountName> {
        match self.table.per {
            Per::Address => None,
            Per::Account => errand.account().cloned(),
        }
    }

    /// How many units all reads of this kind may have together.
    fn readable(&self, payer: &Payer) -> u64 {
        let readable = self.units.saturating_sub(self.reserved);
        match payer {
            Payer::Caller(_) => readable,
            Payer::Address(_) => part(readable, PUBLIC),
        }
    }

    /// How many units a read is taken for: one that costs more than a share has all of that.
    fn count(&self, payer: &Payer, cost: Units) -> u64 {
        u64::from(cost.count).min(part(self.readable(payer), SHARE))
    }

    /// How long units take to come back to a share, which does so as much more slowly as it is
    /// smaller.
    fn slow_span(&self, units: u64) -> u64 {
        self.span(units * SHARE.1 / SHARE.0)
    }

    /// How long units take to come back, in ns.
    fn span(&self, units: u64) -> u64 {
        units.saturating_mul(60_000_000_000) / self.per_minute.max(1)
    }
}

impl Bucket {
    fn owed(&self, now: Time) -> u64 {
        self.full_at.saturating_sub(nanos(now))
    }

    /// How long until this much more may be owed.
    fn wait(&self, more: u64, most: u64, now: Time) -> Span {
        let over = self.owed(now).saturating_add(more).saturating_sub(most);
        Span::from_micros(over.div_ceil(1000))
    }

    fn give_back(&mut self, span: u64) {
        self.full_at = self.full_at.saturating_sub(span);
    }

    fn add(&mut self, more: u64, most: u64, now: Time) {
        let owed = self.owed(now).saturating_add(more).min(most);
        self.full_at = nanos(now).saturating_add(owed);
    }
}

/// A payer's bucket. There are so many at most: those that owe nothing are forgotten first.
fn share(
    shares: &mut HashMap<(usize, Payer), Bucket>,
    of: (usize, Payer),
    now: Time,
) -> Result<&mut Bucket, Span> {
    if shares.len() >= MAX_BUDGET_SHARES && !shares.contains_key(&of) {
        shares.retain(|_, bucket| bucket.owed(now) > 0);
        if shares.len() >= MAX_BUDGET_SHARES {
            return Err(Span::from_secs(1));
        }
    }
    Ok(shares.entry(of).or_default())
}

fn payer(errand: &Errand<'_>) -> Option<Payer> {
    match errand {
        Errand::Cancel(_) | Errand::Order(_) | Errand::Upkeep(_) => None,
        Errand::Read { caller, .. } => Some(Payer::Caller((*caller).clone())),
        Errand::Public { peer } => Some(Payer::Address(network(*peer))),
    }
}

/// The addresses that one host has: of IPv6 a whole /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

const fn part(of: u64, (numerator, denominator): (u64, u64)) -> u64 {
    of * numerator / denominator
}

fn nanos(time: Time) -> u64 {
    time.micros().saturating_mul(1000)
}

#[cfg(test)]
mod tests;
