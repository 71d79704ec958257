//! One venue's limits as they apply to the desk's addresses and accounts, and everybody who shares them.

use crate::ask::{Answer, Ask, Key, Paid, Refusal, Served};
use crate::freeze::Freezes;
use crate::meter::Meter;
use crate::pace::Pace;
use crate::queue::{Place, Queue, Ticket, Waiting};
use crate::rank::{Payer, Rank};
use crate::shares::Shares;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::Allowance;

mod room;
mod told;

/// What a request of full length of one allowance is worth in the queue.
const WHOLE: u64 = 1_000_000_000;
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

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
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
}

#[cfg(test)]
mod tests;
