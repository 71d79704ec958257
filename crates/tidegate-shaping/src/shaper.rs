//! One venue's limits as they apply to one address, and everybody who shares them.

use crate::freeze::{Freezes, Frozen};
use crate::meter::Meter;
use crate::pace::{Half, Held, Pace};
use crate::queue::{Place, Queue, Ticket, Waiting};
use crate::rank::{Payer, Rank};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use tidegate_types::ids::AccountName;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::{Allowance, BackOff, Counting, Per, Units};

/// What a request of full length of one allowance is worth in the queue.
const WHOLE: u64 = 1_000_000_000;
/// What the table does not name is not limited.
const NO_LIMIT: Allowance = Allowance {
    name: "",
    per: Per::Address,
    counting: Counting::Within(Span::from_secs(1)),
    units: u32::MAX,
    reserved: 0,
};
/// The soonest that those who wait are looked at again.
const SOON: Span = Span::from_millis(2);

/// May this leave?
#[derive(Clone, Debug)]
pub struct Ask {
    /// How urgent it is.
    pub rank: Rank,
    /// For whom.
    pub payer: Payer,
    /// On which account.
    pub account: Option<AccountName>,
    /// What it costs.
    pub costs: Vec<Units>,
    /// The payer's share in proportion to others', from 1.
    pub weight: u32,
    /// Until when it may wait.
    pub deadline: Time,
}

/// What was counted for a request that may leave. It must be given to `settle` or `give_back`.
#[must_use]
#[derive(PartialEq, Eq, Debug)]
pub struct Paid {
    counted: Vec<(Key, u64)>,
    paced: Option<(usize, Half, Payer, u64)>,
}

/// Whether a request may leave.
#[derive(PartialEq, Eq, Debug)]
pub enum Answer {
    /// It may.
    Go(Paid),
    /// It waits; `turn` will tell.
    Waits(Ticket),
    /// It may not.
    Refused(Refusal),
}

/// Why a request may not leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The venue forbade it for a while.
    Frozen(Frozen),
    /// There is no room, and none in the time it may wait.
    NoRoom {
        /// The allowance.
        name: &'static str,
        /// How much of it is used.
        used: u64,
        /// How much of it a request of this rank may leave used.
        most: u64,
        /// How long until there is room, at the earliest.
        wait: Span,
    },
    /// It waited for as long as it may.
    TooOld {
        /// For how long.
        waited: Span,
    },
    /// Too many wait already.
    Crowded,
}

/// What came of one that waited.
#[derive(Debug)]
pub struct Served {
    /// Which.
    pub ticket: Ticket,
    /// It may leave, or why not.
    pub outcome: Result<Paid, Refusal>,
}

/// How much of an allowance is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Use {
    /// The allowance.
    pub name: &'static str,
    /// Whose, where the venue counts by account.
    pub account: Option<AccountName>,
    /// Units used, at most.
    pub used: u64,
    /// The venue's limit.
    pub limit: u64,
    /// How much of it is kept for cancels and for orders that reduce.
    pub reserved: u64,
    /// How long until the limit is reached at the present rate of what is not held back.
    pub reaches_limit: Option<Span>,
}

type Key = (usize, Option<AccountName>);

/// The shaper of one venue and address.
#[derive(Debug)]
pub struct Shaper {
    table: Vec<Allowance>,
    meters: BTreeMap<Key, Meter>,
    paces: BTreeMap<usize, Pace>,
    queue: Queue,
    freezes: Freezes,
    /// When the gateway before this one was last seen.
    before: Option<Time>,
}

/// Why one may not go yet.
struct Blocked {
    key: Key,
    wait: Span,
    /// Only its own share is used up: nobody else waits because of it.
    alone: bool,
    used: u64,
    most: u64,
}

impl Shaper {
    /// Nothing is used of these allowances.
    pub fn new(table: &[Allowance]) -> Shaper {
        Shaper {
            table: table.to_vec(),
            meters: BTreeMap::new(),
            paces: BTreeMap::new(),
            queue: Queue::default(),
            freezes: Freezes::default(),
            before: None,
        }
    }

    /// A gateway ran until `last`: what it used is assumed to be most of what there is, until the venue
    /// tells or its span is over.
    #[must_use]
    pub fn after(mut self, last: Time) -> Shaper {
        self.before = Some(last);
        self
    }

    /// Asks for a request.
    pub fn ask(&mut self, ask: Ask, now: Time) -> Answer {
        if let Some(frozen) = self.freezes.stops(ask.rank, ask.account.as_ref(), now) {
            return Answer::Refused(Refusal::Frozen(frozen));
        }
        let blocked = match (self.try_go(&ask, now), self.queue.is_before(ask.rank)) {
            (Ok(half), false) => return Answer::Go(self.go(&ask, half, now)),
            (Ok(_), true) => None,
            (Err(blocked), _) => Some(blocked),
        };
        if let Some(blocked) = blocked
            && now.plus(blocked.wait) > ask.deadline
        {
            return Answer::Refused(self.no_room(&blocked));
        }
        let length = self.length(&ask);
        match self.queue.push(ask, length, now) {
            Some(ticket) => Answer::Waits(ticket),
            None => Answer::Refused(Refusal::Crowded),
        }
    }

    /// Asks for a request that cannot wait.
    ///
    /// # Errors
    /// Why it may not leave.
    pub fn ask_now(&mut self, ask: &Ask, now: Time) -> Result<Paid, Refusal> {
        if let Some(frozen) = self.freezes.stops(ask.rank, ask.account.as_ref(), now) {
            return Err(Refusal::Frozen(frozen));
        }
        match self.try_go(ask, now) {
            Ok(half) => Ok(self.go(ask, half, now)),
            Err(blocked) => Err(self.no_room(&blocked)),
        }
    }

    /// Counts what leaves in any case: what keeps a socket alive.
    pub fn charge(&mut self, ask: &Ask, now: Time) {
        let paid = self.go(ask, None, now);
        self.settle(paid, now);
    }

    /// Lets go whom there is room for, and turns away whose time is over.
    pub fn turn(&mut self, now: Time) -> Vec<Served> {
        let mut served = self.turn_away(now);
        let mut places: BinaryHeap<Reverse<Place>> = self.queue.places().map(Reverse).collect();
        let mut held: Vec<Key> = Vec::new();
        while let Some(Reverse((.., flow))) = places.pop() {
            let Some(ask) = self.queue.head(&flow).map(|head| Arc::clone(&head.ask)) else {
                continue;
            };
            if ask.costs.iter().any(|cost| is_held(&held, *cost, &ask)) {
                continue;
            }
            match self.try_go(&ask, now) {
                Ok(half) => {
                    let paid = self.go(&ask, half, now);
                    if let Some(Waiting { ticket, .. }) = self.queue.pop(&flow) {
                        served.push(Served { ticket, outcome: Ok(paid) });
                    }
                    places.extend(self.queue.place(&flow).map(Reverse));
                }
                Err(blocked) if blocked.alone => {}
                // Nobody behind takes what it waits for.
                Err(_) => held.extend(ask.costs.iter().map(|cost| self.key(*cost, &ask))),
            }
        }
        served
    }

    /// When `turn` is due again; none when nobody waits.
    pub fn due(&mut self, now: Time) -> Option<Time> {
        let deadline = self.queue.first_deadline()?;
        let mut due = deadline;
        let mut places: Vec<Place> = self.queue.places().collect();
        places.sort_unstable();
        let mut held: Vec<Key> = Vec::new();
        for (.., flow) in &places {
            let Some(ask) = self.queue.head(flow).map(|head| Arc::clone(&head.ask)) else {
                continue;
            };
            if ask.costs.iter().any(|cost| is_held(&held, *cost, &ask)) {
                continue;
            }
            let wait = match self.try_go(&ask, now) {
                Ok(_) => Span::ZERO,
                Err(blocked) => {
                    if !blocked.alone {
                        held.extend(ask.costs.iter().map(|cost| self.key(*cost, &ask)));
                    }
                    blocked.wait
                }
            };
            due = due.min(now.plus(wait.max(SOON)));
        }
        Some(due)
    }

    /// A request was answered, or may have arrived: it counts at the venue from now on, at the latest.
    pub fn settle(&mut self, paid: Paid, now: Time) {
        for (key, units) in paid.counted {
            if let Some(meter) = self.meters.get_mut(&key) {
                meter.settle(units, now);
            }
        }
    }

    /// No byte of a request left.
    pub fn give_back(&mut self, paid: Paid) {
        for (key, units) in &paid.counted {
            if let Some(meter) = self.meters.get_mut(key) {
                meter.release(*units);
            }
        }
        let Some((allowance, half, payer, units)) = paid.paced else { return };
        let open = self.open(&(allowance, None));
        if let Some(pace) = self.paces.get_mut(&allowance) {
            pace.give_back(half, &payer, units, open);
        }
    }

    /// The venue says how much of an allowance it has counted, in the answer to a request that left at `left`.
    pub fn told(&mut self, used: Units, account: Option<&AccountName>, left: Time, now: Time) {
        let Some(allowance) = self.table.get(used.allowance) else { return };
        let account = match (allowance.per, account) {
            (Per::Address, _) => None,
            (Per::Account, Some(account)) => Some(account.clone()),
            (Per::Account, None) => return,
        };
        self.meter((used.allowance, account), now).told(used.count.into(), left, now);
    }

    /// The venue publishes another limit than the table has.
    pub fn publish(&mut self, limit: Units) {
        let Some(allowance) = self.table.get_mut(limit.allowance) else { return };
        let (new, old) = (u64::from(limit.count), u64::from(allowance.units).max(1));
        let scaled = |part: u32| u32::try_from(u64::from(part) * new / old).unwrap_or(u32::MAX);
        allowance.reserved = scaled(allowance.reserved);
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

    /// The venue asked us to wait; whether it had not before.
    pub fn freeze(&mut self, told: BackOff, account: Option<&AccountName>, now: Time) -> bool {
        self.freezes.note(told, account, now)
    }

    /// What is stopped, and of which account where it is one's alone.
    pub fn frozen(&self, now: Time) -> Vec<(Frozen, Option<AccountName>)> {
        self.freezes.all(now).map(|(frozen, account)| (frozen, account.cloned())).collect()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// How much of each allowance is used, those alone of which something was ever used.
    pub fn uses(&mut self, now: Time) -> Vec<Use> {
        let table = &self.table;
        let told = self.meters.iter_mut().filter_map(|((allowance, account), meter)| {
            Some(Use {
                name: table.get(*allowance)?.name,
                account: account.clone(),
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

    fn turn_away(&mut self, now: Time) -> Vec<Served> {
        let freezes = &self.freezes;
        let stopped =
            |waiting: &Waiting| freezes.stops(waiting.ask.rank, waiting.ask.account.as_ref(), now);
        let gone = self
            .queue
            .drop_where(|waiting| waiting.ask.deadline <= now || stopped(waiting).is_some());
        let refused = gone.into_iter().map(|waiting| {
            let refusal = match stopped(&waiting) {
                Some(frozen) => Refusal::Frozen(frozen),
                None => Refusal::TooOld { waited: now.since(waiting.since) },
            };
            Served { ticket: waiting.ticket, outcome: Err(refusal) }
        });
        refused.collect()
    }

    /// Whether it may go now, and from which half of the pace.
    fn try_go(&mut self, ask: &Ask, now: Time) -> Result<Option<Half>, Blocked> {
        let mut worst: Option<Blocked> = None;
        for cost in &ask.costs {
            let key = self.key(*cost, ask);
            let units = u64::from(cost.count);
            let meter = self.meter(key.clone(), now);
            let kept = if ask.rank.may_use_reserve() { 0 } else { meter.reserved() };
            let most = meter.limit().saturating_sub(kept);
            // What costs more than there is goes when nothing else is on the way.
            let target = most.saturating_sub(units);
            let used = meter.used(now);
            if used > target {
                let wait = meter.falls_to(target, now).max(Span::from_micros(1));
                if worst.as_ref().is_none_or(|worst| worst.wait < wait) {
                    worst = Some(Blocked { key, wait, alone: false, used, most });
                }
            }
        }
        if let Some(blocked) = worst {
            return Err(blocked);
        }
        self.try_pace(ask, now)
    }

    fn try_pace(&mut self, ask: &Ask, now: Time) -> Result<Option<Half>, Blocked> {
        let Some((allowance, units)) = self.paced(ask) else { return Ok(None) };
        let key = (allowance, None);
        let open = self.open(&key);
        let Some(pace) = self.paces.get_mut(&allowance) else { return Ok(None) };
        match pace.may_go((ask.rank, &ask.payer), units, open, now) {
            Ok(half) => Ok(Some(half)),
            Err(Held { until, alone }) => {
                let used = self.meter(key.clone(), now).used(now);
                let wait = until.since(now).max(Span::from_micros(1));
                Err(Blocked { key, wait, alone, used, most: open })
            }
        }
    }

    /// Counts a request that may leave.
    fn go(&mut self, ask: &Ask, half: Option<Half>, now: Time) -> Paid {
        let urgent = ask.rank.may_use_reserve();
        let mut counted = Vec::with_capacity(ask.costs.len());
        for cost in &ask.costs {
            let (key, units) = (self.key(*cost, ask), u64::from(cost.count));
            self.meter(key.clone(), now).reserve(units, urgent, now);
            counted.push((key, units));
        }
        let paced = half.and_then(|half| {
            let (allowance, units) = self.paced(ask)?;
            let open = self.open(&(allowance, None));
            let pace = self.paces.get_mut(&allowance)?;
            pace.take(half, &ask.payer, units, open, now);
            Some((allowance, half, ask.payer.clone(), units))
        });
        Paid { counted, paced }
    }

    /// What of a read's costs is spread over time: the first that the venue counts by the span and address.
    fn paced(&mut self, ask: &Ask) -> Option<(usize, u64)> {
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
        self.paces.entry(cost.allowance).or_insert_with(|| Pace::new(span));
        Some((cost.allowance, cost.count.into()))
    }

    /// How many units those may have who may not use the reserve.
    fn open(&self, key: &Key) -> u64 {
        let allowance = self.table.get(key.0);
        allowance.map_or(0, |a| u64::from(a.units.saturating_sub(a.reserved)))
    }

    fn key(&self, cost: Units, ask: &Ask) -> Key {
        let per = self.table.get(cost.allowance).map(|allowance| allowance.per);
        let account = ask.account.clone().filter(|_| per == Some(Per::Account));
        (cost.allowance, account)
    }

    fn meter(&mut self, key: Key, now: Time) -> &mut Meter {
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
    fn length(&self, ask: &Ask) -> u64 {
        let parts = ask.costs.iter().filter_map(|cost| {
            let units = u64::from(self.table.get(cost.allowance)?.units).max(1);
            Some(u64::from(cost.count).saturating_mul(WHOLE) / units)
        });
        parts.max().unwrap_or(0) / u64::from(ask.weight.max(1))
    }

    fn no_room(&self, blocked: &Blocked) -> Refusal {
        let name = self.table.get(blocked.key.0).map_or("", |allowance| allowance.name);
        let Blocked { used, most, wait, .. } = *blocked;
        Refusal::NoRoom { name, used, most, wait }
    }
}

/// Whether somebody before waits for what this costs.
fn is_held(held: &[Key], cost: Units, ask: &Ask) -> bool {
    held.iter().any(|(allowance, account)| {
        *allowance == cost.allowance && (account.is_none() || *account == ask.account)
    })
}

#[cfg(test)]
mod tests;
