//! Those who wait: strictly by rank, and at the same rank by start-time fair queueing (Goyal, Vin, Cheng,
//! 1996), so that each payer gets room in proportion to its weight, whatever its requests cost and however
//! many of them wait.

use crate::ask::{Ask, Key};
use crate::rank::{Payer, Rank};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tidegate_types::limits::{MAX_QUEUED_OF_ONE, MAX_QUEUED_REQUESTS};
use tidegate_types::time::Time;

/// A request that waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(u64);

#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) ticket: Ticket,
    pub(crate) ask: Arc<Ask>,
    pub(crate) since: Time,
    start: u64,
    length: u64,
}

/// A payer's requests of a rank that are paid first of all from the same allowance: none of them goes
/// before an earlier one.
pub(crate) type FlowKey = (Rank, Key, Payer);

/// A flow's place: by rank, and by its first request's start tag; at the same tag who came first, whatever its name.
pub(crate) type Place = (Rank, u64, Ticket, FlowKey);

#[derive(Default, Debug)]
struct Flow {
    finish: u64,
    waiting: VecDeque<Waiting>,
}

/// Everybody who waits at one venue.
#[derive(Default, Debug)]
pub(crate) struct Queue {
    flows: BTreeMap<FlowKey, Flow>,
    /// The start tag of what was served last, by rank.
    virtual_time: BTreeMap<Rank, u64>,
    /// How many wait, by rank.
    lengths: BTreeMap<Rank, usize>,
    /// How many of them are whose.
    places: BTreeMap<(Rank, Payer), Places>,
    next: u64,
}

/// The places that a payer has at a rank.
#[derive(Clone, Copy, Default, Debug)]
struct Places {
    taken: usize,
    weight: u32,
}

impl Places {
    /// Whether these are more than those, each by its weight.
    fn is_more_than(self, other: Places) -> bool {
        self.by(other.weight) > other.by(self.weight)
    }

    fn by(self, weight: u32) -> u64 {
        (self.taken as u64).saturating_mul(weight.max(1).into())
    }
}

impl Queue {
    /// Whether somebody waits who must go first.
    pub(crate) fn is_before(&self, rank: Rank) -> bool {
        self.lengths.range(..=rank).any(|(_, length)| *length > 0)
    }

    pub(crate) fn len(&self) -> usize {
        self.lengths.values().sum()
    }

    /// Adds a request, whose length is what it costs by its weight, to the flow of what it is paid from first. Where
    /// too many wait, the newest of whoever has most places for its weight gives way to a payer that has fewer; none
    /// is added when nobody has to.
    pub(crate) fn push(
        &mut self,
        ask: Ask,
        first: Key,
        length: u64,
        now: Time,
    ) -> Option<(Ticket, Option<Waiting>)> {
        let (rank, payer) = (ask.rank, ask.payer.clone());
        let taken = self.places.get(&(rank, payer.clone())).map_or(0, |places| places.taken) + 1;
        let ours = Places { taken, weight: ask.weight };
        if taken > MAX_QUEUED_OF_ONE {
            return None;
        }
        let is_full = self.lengths.get(&rank).is_some_and(|length| *length >= MAX_QUEUED_REQUESTS);
        let displaced = if is_full { Some(self.displace(rank, ours)?) } else { None };
        self.next += 1;
        let (ticket, length) = (Ticket(self.next), length.max(1));
        self.add(Waiting { ticket, ask: Arc::new(ask), since: now, start: 0, length }, first);
        Some((ticket, displaced))
    }

    /// Adds it behind those of its flow.
    fn add(&mut self, mut waiting: Waiting, first: Key) {
        let (rank, payer) = (waiting.ask.rank, waiting.ask.payer.clone());
        let places = self.places.entry((rank, payer.clone())).or_default();
        *places = Places { taken: places.taken + 1, weight: waiting.ask.weight };
        *self.lengths.entry(rank).or_default() += 1;
        let virtual_time = self.virtual_time.get(&rank).copied().unwrap_or(0);
        let flow = self.flows.entry((rank, first, payer)).or_default();
        waiting.start = virtual_time.max(flow.finish);
        flow.finish = waiting.start.saturating_add(waiting.length);
        flow.waiting.push_back(waiting);
    }

    /// Has a request wait at another rank and for another payer, unless too many do already.
    pub(crate) fn hasten(&mut self, ticket: Ticket, rank: Rank, payer: &Payer) {
        let is_it = |waiting: &Waiting| waiting.ticket == ticket;
        let flow = self.flows.iter().find(|(_, flow)| flow.waiting.iter().any(is_it));
        let Some((_, first, _)) = flow.map(|(key, _)| key.clone()) else { return };
        let taken = self.places.get(&(rank, payer.clone())).map_or(0, |places| places.taken);
        let all = self.lengths.get(&rank).copied().unwrap_or(0);
        if taken >= MAX_QUEUED_OF_ONE || all >= MAX_QUEUED_REQUESTS {
            return;
        }
        for waiting in self.drop_where(is_it) {
            let ask = Ask { rank, payer: payer.clone(), ..Ask::clone(&waiting.ask) };
            self.add(Waiting { ask: Arc::new(ask), ..waiting }, first.clone());
        }
    }

    /// Takes out the newest request of the payer with most places at this rank, if it has more than these.
    fn displace(&mut self, rank: Rank, ours: Places) -> Option<Waiting> {
        let at_rank = self.places.iter().filter(|((of, _), _)| *of == rank);
        let most =
            at_rank.reduce(|most, next| if next.1.is_more_than(*most.1) { next } else { most });
        let ((_, largest), _) = most.filter(|(_, places)| places.is_more_than(ours))?;
        let theirs =
            self.flows.iter_mut().filter(|((of, _, payer), _)| (of, payer) == (&rank, largest));
        let newest = theirs.max_by_key(|(_, flow)| flow.waiting.back().map(|last| last.ticket));
        let (_, flow) = newest?;
        let last = flow.waiting.pop_back()?;
        flow.finish = last.start;
        self.free(&last);
        Some(last)
    }

    /// It does not wait any more.
    fn free(&mut self, gone: &Waiting) {
        if let Some(length) = self.lengths.get_mut(&gone.ask.rank) {
            *length = length.saturating_sub(1);
        }
        let place = (gone.ask.rank, gone.ask.payer.clone());
        if let Some(places) = self.places.get_mut(&place) {
            places.taken = places.taken.saturating_sub(1);
            if places.taken == 0 {
                self.places.remove(&place);
            }
        }
    }

    /// The first request of each flow that goes before others of this rank, or may.
    pub(crate) fn heads(&self, rank: Rank) -> impl Iterator<Item = (&FlowKey, &Ask)> {
        let before = self.flows.iter().take_while(move |((of, ..), _)| *of <= rank);
        before.filter_map(|(key, flow)| Some((key, flow.waiting.front()?.ask.as_ref())))
    }

    /// The flows in which somebody waits, each with its place in the order: the least goes first.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.flows.iter().filter_map(|(key, flow)| place(key, flow))
    }

    /// A flow's place now.
    pub(crate) fn place(&self, key: &FlowKey) -> Option<Place> {
        place(key, self.flows.get(key)?)
    }

    pub(crate) fn head(&self, key: &FlowKey) -> Option<&Waiting> {
        self.flows.get(key)?.waiting.front()
    }

    /// Takes a flow's first request out; it was served, or will not be.
    pub(crate) fn pop(&mut self, key: &FlowKey) -> Option<Waiting> {
        let flow = self.flows.get_mut(key)?;
        let first = flow.waiting.pop_front()?;
        let virtual_time = self.virtual_time.entry(key.0).or_default();
        *virtual_time = (*virtual_time).max(first.start);
        // A flow that is not ahead of the others is like one that never was.
        if flow.waiting.is_empty() && flow.finish <= *virtual_time {
            self.flows.remove(key);
        }
        self.free(&first);
        Some(first)
    }

    /// Takes out everything that has to go out, whatever its place.
    pub(crate) fn drop_where(&mut self, gone: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let mut dropped = Vec::new();
        for flow in self.flows.values_mut() {
            if !flow.waiting.iter().any(&gone) {
                continue;
            }
            let (out, kept): (Vec<_>, Vec<_>) = flow.waiting.drain(..).partition(&gone);
            flow.waiting = kept.into();
            // Who was not served pays nothing: those behind move up.
            let first = out.iter().chain(&flow.waiting).map(|waiting| waiting.start).min();
            let mut tag = first.unwrap_or(flow.finish);
            for waiting in &mut flow.waiting {
                waiting.start = tag;
                tag = tag.saturating_add(waiting.length);
            }
            flow.finish = tag;
            dropped.extend(out);
        }
        for gone in &dropped {
            self.free(gone);
        }
        let virtual_time = &self.virtual_time;
        self.flows.retain(|(rank, ..), flow| {
            !flow.waiting.is_empty() || flow.finish > virtual_time.get(rank).copied().unwrap_or(0)
        });
        if self.len() == 0 {
            self.flows.clear();
        }
        dropped
    }

    /// When the first of those who wait has waited for as long as it may.
    pub(crate) fn first_deadline(&self) -> Option<Time> {
        let all = self.flows.values().flat_map(|flow| &flow.waiting);
        all.map(|waiting| waiting.ask.deadline).min()
    }
}

fn place(key: &FlowKey, flow: &Flow) -> Option<Place> {
    let first = flow.waiting.front()?;
    Some((key.0, first.start, first.ticket, key.clone()))
}
