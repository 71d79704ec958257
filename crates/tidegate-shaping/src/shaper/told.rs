//! What a venue tells of its limits, and what is told of them.

use super::Shaper;
use crate::ask::{Ask, Use, Whose};
use crate::freeze::Frozen;
use tidegate_types::ids::AccountName;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::{AccountLimit, BackOff, Counting, Per, UNTOLD, Units};

impl Shaper {
    /// The venue says how much of an allowance it has counted, in the answer to a request from this address,
    /// on this account, that left at `left`. Its clock shows `there` now.
    pub fn told(
        &mut self,
        used: Units,
        (from, account): (usize, Option<&AccountName>),
        left: Time,
        (now, there): (Time, Time),
    ) {
        let Some(allowance) = self.table.get(used.allowance) else { return };
        let whose = match (allowance.per, account) {
            (Per::Address, _) => Whose::Address(from),
            (Per::Account, Some(account)) => Whose::Account(Some(account.clone())),
            (Per::Account, None) => return,
        };
        self.meter((used.allowance, whose), now).told(used.count.into(), left, (now, there));
    }

    /// The venue publishes another limit than the table has.
    pub fn publish(&mut self, limit: Units) {
        let Some(allowance) = self.table.get_mut(limit.allowance) else { return };
        let (new, old) = (u64::from(limit.count), u64::from(allowance.units).max(1));
        let scaled = |part: u32| u32::try_from(u64::from(part) * new / old).unwrap_or(u32::MAX);
        let kept = (u64::from(allowance.reserved) * new).div_ceil(old);
        allowance.reserved = u32::try_from(kept).unwrap_or(u32::MAX);
        if let Counting::Refill { per_minute } = allowance.counting {
            allowance.counting = Counting::Refill { per_minute: scaled(per_minute).max(1) };
        }
        allowance.units = limit.count;
        for ((_, _), meter) in
            self.meters.iter_mut().filter(|((index, _), _)| *index == limit.allowance)
        {
            meter.set_limit(new);
        }
    }

    /// The venue tells what an account has.
    pub fn publish_of(&mut self, account: &AccountName, limit: AccountLimit, now: Time) {
        let Some(allowance) = self.table.get(limit.allowance) else { return };
        if allowance.per == Per::Account {
            let key = (limit.allowance, Whose::Account(Some(account.clone())));
            let meter = self.meter(key, now);
            meter.tell_limit(limit.units.into(), limit.per_minute.into(), now);
        }
    }

    /// The venue asked us to wait, in answer to a request from this address and on this account; whether it had
    /// not before.
    pub fn freeze(
        &mut self,
        told: BackOff,
        (from, account): (usize, Option<&AccountName>),
        now: Time,
    ) -> bool {
        self.freezes.note(told, from, account, now)
    }

    /// What the venue said that stops such a request, from where it is to leave.
    pub fn stops(&self, ask: &Ask, now: Time) -> Option<Frozen> {
        self.freezes.stops(ask, now)
    }

    /// Whether the venue stopped such a request, from where it is to leave.
    pub fn is_stopped(&self, ask: &Ask, now: Time) -> bool {
        self.stops(ask, now).is_some()
    }

    /// What is stopped, and of whom.
    pub fn frozen(&self, now: Time) -> Vec<(Frozen, Whose)> {
        self.freezes.all(now).collect()
    }

    /// How much of each allowance is used, those alone of which something was ever used.
    pub fn uses(&mut self, now: Time) -> Vec<Use> {
        let table = &self.table;
        let limited = self.meters.iter_mut().filter(|(_, meter)| meter.limit() < UNTOLD.into());
        let told = limited.filter_map(|((allowance, whose), meter)| {
            Some(Use {
                name: table.get(*allowance)?.name,
                whose: whose.clone(),
                used: meter.used(now),
                limit: meter.limit(),
                reserved: meter.reserved(),
                reaches_limit: meter.reaches_limit(now),
            })
        });
        told.collect()
    }

    /// The limit that is reached first at the present rate of what is not held back, and when.
    pub fn forecast(&mut self, now: Time) -> Option<(&'static str, Span)> {
        let table = &self.table;
        let told = self.meters.iter_mut().filter_map(|((allowance, _), meter)| {
            Some((meter.reaches_limit(now)?, table.get(*allowance)?.name))
        });
        told.min().map(|(left, name)| (name, left))
    }
}
