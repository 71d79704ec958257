//! One venue's limits as they apply to the desk's addresses and accounts, and everybody who shares them.

use crate::ask::{Answer, Ask, Key, Paid, Refusal, Served, Use, Whose};
use crate::freeze::{Freezes, Frozen};
use crate::meter::Meter;
use crate::pace::{Half, Held, Pace};
use crate::queue::{Place, Queue, Ticket, Waiting};
use crate::rank::{Payer, Rank};
use crate::shares::{Shares, comes_back};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use tidegate_types::ids::AccountName;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::{AccountLimit, Allowance, BackOff, Counting, Per, UNTOLD, Units};

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

/// The shaper of one venue.
#[derive(Debug)]
pub struct Shaper {
    table: Vec<Allowance>,
    meters: BTreeMap<Key, Meter>,
    paces: BTreeMap<Key, Pace>,
    /// What each payer had of late of what cancels and reducing orders use.
    urgent: BTreeMap<Key, Shares>,
    queue: Queue,
    /// Who gave its place up, and was not told yet.
    displaced: Vec<Served>,
    freezes: Freezes,
    /// When the gateway before this one was last seen.
    before: Option<Time>,
}

/// Why one may not go yet.
struct Blocked {
    /// Where there is least room.
    key: Key,
    wait: Span,
    /// Where there is none now.
    short: Vec<Key>,
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
            urgent: BTreeMap::new(),
            queue: Queue::default(),
            displaced: Vec::new(),
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
        if let Some(frozen) = self.freezes.stops(&ask, now) {
            return Answer::Refused(Refusal::Frozen(frozen));
        }
        let blocked = match (self.try_go(&ask, now), self.is_behind(&ask, now)) {
            (Ok(half), false) => return Answer::Go(self.go(&ask, half, now)),
            (Ok(_), true) => None,
            (Err(blocked), _) => Some(blocked),
        };
        if let Some(blocked) = blocked
            && now.plus(blocked.wait) > ask.deadline
        {
            return Answer::Refused(self.no_room(&blocked));
        }
        let (length, first) = (self.length(&ask, now), self.first(&ask));
        let Some((ticket, displaced)) = self.queue.push(ask, first, length, now) else {
            return Answer::Refused(Refusal::Crowded);
        };
        let gone =
            displaced.map(|gone| Served { ticket: gone.ticket, outcome: Err(Refusal::Crowded) });
        self.displaced.extend(gone);
        Answer::Waits(ticket)
    }

    /// Has a request that may leave from any of so many addresses leave from the one with most room: not from
    /// a stopped one if there is another, then from where it waits least, then from the one least used.
    pub fn place(&mut self, ask: &mut Ask, addresses: usize, now: Time) {
        let mut best = None;
        for from in 0..addresses {
            ask.from = from;
            let stopped = self.freezes.stops(ask, now).map(|frozen| frozen.until);
            let wait = self.try_go(ask, now).map_or_else(|blocked| blocked.wait, |_| Span::ZERO);
            let rating = (stopped, wait, self.part_used(ask, now), from);
            best = best.into_iter().chain([rating]).min();
        }
        ask.from = best.map_or(0, |(.., from)| from);
    }

    /// The largest part of an allowance that is used of those that it costs.
    fn part_used(&mut self, ask: &Ask, now: Time) -> u64 {
        let parts = ask.costs.iter().map(|cost| {
            let meter = self.meter(self.key(*cost, ask), now);
            meter.used(now).saturating_mul(WHOLE) / meter.limit().max(1)
        });
        parts.max().unwrap_or(0)
    }

    /// Whether somebody who goes first waits for what this costs, or an earlier one of the same payer does.
    fn is_behind(&mut self, ask: &Ask, now: Time) -> bool {
        if !self.queue.is_before(ask.rank) {
            return false;
        }
        let costs: Vec<Key> = ask.costs.iter().map(|cost| self.key(*cost, ask)).collect();
        let own = (ask.rank, self.first(ask), ask.payer.clone());
        let queue = std::mem::take(&mut self.queue);
        let mut heads = queue.heads(ask.rank);
        let behind = heads.any(|(flow, head)| {
            if *flow == own {
                return true;
            }
            if !head.costs.iter().any(|cost| costs.contains(&self.key(*cost, head))) {
                return false;
            }
            match self.try_go(head, now) {
                Ok(_) => true,
                Err(blocked) => {
                    !blocked.alone && blocked.short.iter().any(|key| costs.contains(key))
                }
            }
        });
        drop(heads);
        self.queue = queue;
        behind
    }

    /// Asks for a request that cannot wait.
    ///
    /// # Errors
    /// Why it may not leave.
    pub fn ask_now(&mut self, ask: &Ask, now: Time) -> Result<Paid, Refusal> {
        if let Some(frozen) = self.freezes.stops(ask, now) {
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

    /// Has one that waits go as one of this rank and payer from now on, for as long as it may wait in any case. It
    /// stays as it is where too many of those wait already; so does one that waits no more.
    pub fn hasten(&mut self, ticket: Ticket, rank: Rank, payer: &Payer) {
        self.queue.hasten(ticket, rank, payer);
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
            if self.is_held(&held, &ask) {
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
                Err(blocked) => held.extend(blocked.short),
            }
        }
        served
    }

    /// When `turn` is due again; none when nobody waits.
    pub fn due(&mut self, now: Time) -> Option<Time> {
        if !self.displaced.is_empty() {
            return Some(now);
        }
        let deadline = self.queue.first_deadline()?;
        let mut due = deadline;
        let mut places: Vec<Place> = self.queue.places().collect();
        places.sort_unstable();
        let mut held: Vec<Key> = Vec::new();
        for (.., flow) in &places {
            let Some(ask) = self.queue.head(flow).map(|head| Arc::clone(&head.ask)) else {
                continue;
            };
            if self.is_held(&held, &ask) {
                continue;
            }
            let wait = match self.try_go(&ask, now) {
                Ok(_) => Span::ZERO,
                Err(blocked) => {
                    if !blocked.alone {
                        held.extend(blocked.short);
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
        if let Some(payer) = &paid.urgent {
            for (key, units) in &paid.counted {
                let comes_back = self.half_comes_back(key, *units);
                if let Some(shares) = self.urgent.get_mut(key) {
                    shares.give_back(payer, comes_back);
                }
            }
        }
        let Some((key, half, payer, units)) = paid.paced else { return };
        let open = self.open(&key);
        if let Some(pace) = self.paces.get_mut(&key) {
            pace.give_back(half, &payer, units, open);
        }
    }

    /// The venue says how much of an allowance it has counted, in the answer to a request from this address,
    /// on this account, that left at `left`.
    pub fn told(
        &mut self,
        used: Units,
        (from, account): (usize, Option<&AccountName>),
        left: Time,
        now: Time,
    ) {
        let Some(allowance) = self.table.get(used.allowance) else { return };
        let whose = match (allowance.per, account) {
            (Per::Address, _) => Whose::Address(from),
            (Per::Account, Some(account)) => Whose::Account(Some(account.clone())),
            (Per::Account, None) => return,
        };
        self.meter((used.allowance, whose), now).told(used.count.into(), left, now);
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

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
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

    fn turn_away(&mut self, now: Time) -> Vec<Served> {
        let freezes = &self.freezes;
        let stopped = |waiting: &Waiting| freezes.stops(&waiting.ask, now);
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
        std::mem::take(&mut self.displaced).into_iter().chain(refused).collect()
    }

    /// Whether it may go now, and from which half of the pace.
    fn try_go(&mut self, ask: &Ask, now: Time) -> Result<Option<Half>, Blocked> {
        let mut worst: Option<Blocked> = None;
        let (mut short, mut alone) = (Vec::new(), true);
        for cost in &ask.costs {
            let key = self.key(*cost, ask);
            let units = u64::from(cost.count);
            let meter = self.meter(key.clone(), now);
            let (limit, reserved) = (meter.limit(), meter.reserved());
            let open = limit.saturating_sub(ask.rank.kept_from(reserved));
            let most = match self.is_greedy(&key, ask, now) {
                true => limit.saturating_sub(ask.rank.kept_from_greedy(reserved)),
                false => open,
            };
            // What costs more than there is goes when nothing else is on the way.
            let target = most.saturating_sub(units);
            let meter = self.meter(key.clone(), now);
            let used = meter.used(now);
            if used > target {
                let wait = meter.falls_to(target, now).max(Span::from_micros(1));
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
    fn go(&mut self, ask: &Ask, half: Option<Half>, now: Time) -> Paid {
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

    /// Whether whoever asks has had more than half of all there is of late, for cancels and what reduces.
    fn is_greedy(&mut self, key: &Key, ask: &Ask, now: Time) -> bool {
        if !ask.rank.may_use_reserve() {
            return false;
        }
        let owed = self.urgent.get(key).map_or(Span::ZERO, |shares| shares.owed(&ask.payer, now));
        owed > Span::ZERO && {
            let half = self.meter(key.clone(), now).limit() / 2;
            owed > self.half_comes_back(key, half)
        }
    }

    /// How long so many units take to come back of a share that is half of an allowance.
    fn half_comes_back(&self, key: &Key, units: u64) -> Span {
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
    fn open(&self, key: &Key) -> u64 {
        let allowance = self.table.get(key.0);
        allowance.map_or(0, |a| u64::from(a.units.saturating_sub(a.reserved)))
    }

    fn key(&self, cost: Units, ask: &Ask) -> Key {
        let per = self.table.get(cost.allowance).map(|allowance| allowance.per);
        let whose = match per {
            Some(Per::Account) => Whose::Account(ask.account.clone()),
            Some(Per::Address) | None => Whose::Address(ask.from),
        };
        (cost.allowance, whose)
    }

    /// What it is paid from first of all.
    fn first(&self, ask: &Ask) -> Key {
        match ask.costs.first() {
            Some(cost) => self.key(*cost, ask),
            None => (0, Whose::Address(ask.from)),
        }
    }

    /// Whether somebody before waits for what this costs.
    fn is_held(&self, held: &[Key], ask: &Ask) -> bool {
        !held.is_empty() && ask.costs.iter().any(|cost| held.contains(&self.key(*cost, ask)))
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
    fn length(&mut self, ask: &Ask, now: Time) -> u64 {
        let parts = ask.costs.iter().map(|cost| {
            let units = self.meter(self.key(*cost, ask), now).limit().max(1);
            u64::from(cost.count).saturating_mul(WHOLE) / units
        });
        parts.max().unwrap_or(0) / u64::from(ask.weight.max(1))
    }

    fn no_room(&self, blocked: &Blocked) -> Refusal {
        let name = self.table.get(blocked.key.0).map_or("", |allowance| allowance.name);
        let Blocked { used, most, wait, .. } = *blocked;
        Refusal::NoRoom { name, used, most, wait }
    }
}

#[cfg(test)]
mod tests;
