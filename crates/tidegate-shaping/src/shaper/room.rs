//! Whether there is room for a request now, and what it takes of it.

use super::{Shaper, WHOLE};
use crate::ask::{Ask, Key, Paid, Refusal, Whose};
use crate::meter::Meter;
use crate::pace::{Half, Held, Pace};
use crate::shares::comes_back;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::{Allowance, Counting, Per, Units};

/// What the table does not name is not limited.
const NO_LIMIT: Allowance = Allowance {
    name: "",
    per: Per::Address,
    counting: Counting::Within(Span::from_secs(1)),
    units: u32::MAX,
    reserved: 0,
    cancels: false,
};

/// Why one may not go yet.
pub(super) struct Blocked {
    /// Where there is least room.
    pub(super) key: Key,
    pub(super) wait: Span,
    /// Where there is none now.
    pub(super) short: Vec<Key>,
    /// Only its own share is used up: nobody else waits because of it.
    pub(super) alone: bool,
    pub(super) used: u64,
    pub(super) most: u64,
}

impl Shaper {
    /// Whether it may go now, and from which half of the pace.
    pub(super) fn try_go(&mut self, ask: &Ask, now: Time) -> Result<Option<Half>, Blocked> {
        let mut worst: Option<Blocked> = None;
        let (mut short, mut alone) = (Vec::new(), true);
        for cost in &ask.costs {
            let key = self.key(*cost, ask);
            let units = u64::from(cost.count);
            let cancels = self.table.get(cost.allowance).is_some_and(|allowance| allowance.cancels);
            let greed = self.greed(&key, ask, now);
            let meter = self.meter(key.clone(), now);
            let (limit, reserved) = (meter.limit(), meter.reserved());
            let open = limit.saturating_sub(ask.rank.kept_from(reserved, cancels));
            let most = match greed {
                Some(_) => limit.saturating_sub(ask.rank.kept_from_greedy(reserved, cancels)),
                None => open,
            };
            // What costs more than there is goes when nothing else is on the way.
            let target = most.saturating_sub(units);
            let used = meter.used(now);
            if used > target {
                let room = meter.falls_to(target, now);
                // Who is greedy no more has all that is open.
                let wait = match greed {
                    Some(lasts) => {
                        let of_all = meter.falls_to(open.saturating_sub(units), now);
                        room.min(lasts.max(of_all))
                    }
                    None => room,
                };
                let wait = wait.max(Span::from_micros(1));
                // What is kept for others holds nobody else up.
                let own = used <= open.saturating_sub(units);
                alone &= own;
                short.push(key.clone());
                if worst.as_ref().is_none_or(|worst| worst.wait < wait) {
                    let short = Vec::new();
                    worst = Some(Blocked { key, wait, short, alone: false, used, most });
                }
            }
        }
        if let Some(blocked) = worst {
            return Err(Blocked { short, alone, ..blocked });
        }
        self.try_pace(ask, now)
    }

    fn try_pace(&mut self, ask: &Ask, now: Time) -> Result<Option<Half>, Blocked> {
        let Some((key, units)) = self.paced(ask) else { return Ok(None) };
        let open = self.open(&key);
        let Some(pace) = self.paces.get_mut(&key) else { return Ok(None) };
        match pace.may_go((ask.rank, &ask.payer), units, open, now) {
            Ok(half) => Ok(Some(half)),
            Err(Held { until, alone }) => {
                let used = self.meter(key.clone(), now).used(now);
                let wait = until.since(now).max(Span::from_micros(1));
                Err(Blocked { short: vec![key.clone()], key, wait, alone, used, most: open })
            }
        }
    }

    /// Counts a request that may leave.
    pub(super) fn go(&mut self, ask: &Ask, half: Option<Half>, now: Time) -> Paid {
        let urgent = ask.rank.may_use_reserve();
        let mut counted = Vec::with_capacity(ask.costs.len());
        for cost in &ask.costs {
            let (key, units) = (self.key(*cost, ask), u64::from(cost.count));
            self.meter(key.clone(), now).reserve(units, urgent, now);
            counted.push((key, units));
        }
        let paced = half.and_then(|half| {
            let (key, units) = self.paced(ask)?;
            let open = self.open(&key);
            let pace = self.paces.get_mut(&key)?;
            pace.take(half, &ask.payer, units, open, now);
            Some((key, half, ask.payer.clone(), units))
        });
        let urgent = urgent.then(|| ask.payer.clone());
        if let Some(payer) = &urgent {
            for (key, units) in &counted {
                let comes_back = self.half_comes_back(key, *units);
                self.urgent.entry(key.clone()).or_default().take(payer, comes_back, now);
            }
        }
        Paid { counted, paced, urgent }
    }

    /// For how long whoever asks will have had more than half of all there is of late, for cancels and what
    /// reduces, if it takes no more; none where it has not.
    fn greed(&mut self, key: &Key, ask: &Ask, now: Time) -> Option<Span> {
        if !ask.rank.may_use_reserve() {
            return None;
        }
        let owed = self.urgent.get(key)?.owed(&ask.payer, now);
        if owed == Span::ZERO {
            return None;
        }
        let half = self.meter(key.clone(), now).limit() / 2;
        let comes_back = self.half_comes_back(key, half);
        let lasts = Span::from_micros(owed.micros().checked_sub(comes_back.micros())?);
        (lasts > Span::ZERO).then_some(lasts)
    }

    /// How long so many units take to come back of a share that is half of an allowance.
    pub(super) fn half_comes_back(&self, key: &Key, units: u64) -> Span {
        let Some((all, span)) = self.meters.get(key).map(Meter::comes_back_in) else {
            return Span::ZERO;
        };
        comes_back(units, all / 2, span)
    }

    /// What of a read's costs is spread over time: the first that the venue counts by the span and address.
    fn paced(&mut self, ask: &Ask) -> Option<(Key, u64)> {
        if !ask.rank.is_paced() {
            return None;
        }
        let (cost, span) = ask.costs.iter().find_map(|cost| {
            let allowance = self.table.get(cost.allowance)?;
            match (allowance.per, allowance.counting) {
                (Per::Address, Counting::Within(span)) => Some((*cost, span)),
                _ => None,
            }
        })?;
        let key = (cost.allowance, Whose::Address(ask.from));
        if !self.paces.contains_key(&key) {
            self.paces.insert(key.clone(), Pace::new(span));
        }
        Some((key, cost.count.into()))
    }

    /// How many units those may have who may not use the reserve.
    pub(super) fn open(&self, key: &Key) -> u64 {
        let allowance = self.table.get(key.0);
        allowance.map_or(0, |a| u64::from(a.units.saturating_sub(a.reserved)))
    }

    pub(super) fn key(&self, cost: Units, ask: &Ask) -> Key {
        let per = self.table.get(cost.allowance).map(|allowance| allowance.per);
        let whose = match per {
            Some(Per::Account) => Whose::Account(ask.account.clone()),
            Some(Per::Address) | None => Whose::Address(ask.from),
        };
        (cost.allowance, whose)
    }

    /// What it is paid from first of all.
    pub(super) fn first(&self, ask: &Ask) -> Key {
        match ask.costs.first() {
            Some(cost) => self.key(*cost, ask),
            None => (0, Whose::Address(ask.from)),
        }
    }

    /// Whether somebody before waits for what this costs.
    pub(super) fn is_held(&self, held: &[Key], ask: &Ask) -> bool {
        !held.is_empty() && ask.costs.iter().any(|cost| held.contains(&self.key(*cost, ask)))
    }

    pub(super) fn meter(&mut self, key: Key, now: Time) -> &mut Meter {
        let (table, before) = (&self.table, self.before);
        let allowance = table.get(key.0).copied().unwrap_or(NO_LIMIT);
        self.meters.entry(key).or_insert_with(|| {
            let mut meter = Meter::new(&allowance);
            if let Some(last) = before {
                meter.assume(last, now);
            }
            meter
        })
    }

    /// What a request is worth in the queue: the largest part of an allowance that it takes, by weight.
    pub(super) fn length(&mut self, ask: &Ask, now: Time) -> u64 {
        let parts = ask.costs.iter().map(|cost| {
            let units = self.meter(self.key(*cost, ask), now).limit().max(1);
            u64::from(cost.count).saturating_mul(WHOLE) / units
        });
        parts.max().unwrap_or(0) / u64::from(ask.weight.max(1))
    }

    pub(super) fn no_room(&self, blocked: &Blocked) -> Refusal {
        let name = self.table.get(blocked.key.0).map_or("", |allowance| allowance.name);
        let Blocked { used, most, wait, .. } = *blocked;
        Refusal::NoRoom { name, used, most, wait }
    }
}
