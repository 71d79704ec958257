//! Those who wait: strictly by rank, and at the same rank by start-time fair queueing (Goyal, Vin, Cheng,
//! 1996), so that each payer gets room in proportion to its weight, whatever its requests cost and however
//! many of them wait.

use crate::rank::{Payer, Rank};
use crate::shaper::Ask;
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
pub(crate) type FlowKey = (Rank, usize, Payer);

/// A flow's place: by rank, and by its first request's start tag.
pub(crate) type Place = (Rank, u64, FlowKey);

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
    next: u64,
}

impl Queue {
    /// Whether somebody waits who must go first.
    pub(crate) fn is_before(&self, rank: Rank) -> bool {
        self.lengths.range(..=rank).any(|(_, length)| *length > 0)
    }

    pub(crate) fn len(&self) -> usize {
        self.lengths.values().sum()
    }

    /// Adds a request, whose length is what it costs by its weight; none when too many wait.
    pub(crate) fn push(&mut self, ask: Ask, length: u64, now: Time) -> Option<Ticket> {
        let (rank, key) = (ask.rank, key(&ask));
        let waiting = self.lengths.entry(rank).or_default();
        let ours = self.flows.get(&key).map_or(0, |flow| flow.waiting.len());
        if *waiting >= MAX_QUEUED_REQUESTS || ours >= MAX_QUEUED_OF_ONE {
            return None;
        }
        *waiting += 1;
        self.next += 1;
        let ticket = Ticket(self.next);
        let virtual_time = self.virtual_time.get(&rank).copied().unwrap_or(0);
        let flow = self.flows.entry(key).or_default();
        let start = virtual_time.max(flow.finish);
        let length = length.max(1);
        flow.finish = start.saturating_add(length);
        flow.waiting.push_back(Waiting { ticket, ask: Arc::new(ask), since: now, start, length });
        Some(ticket)
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
        if let Some(length) = self.lengths.get_mut(&key.0) {
            *length -= 1;
        }
        let virtual_time = self.virtual_time.entry(key.0).or_default();
        *virtual_time = (*virtual_time).max(first.start);
        // A flow that is not ahead of the others is like one that never was.
        if flow.waiting.is_empty() && flow.finish <= *virtual_time {
            self.flows.remove(key);
        }
        Some(first)
    }

    /// Takes out everything that has to go out, whatever its place.
    pub(crate) fn drop_where(&mut self, gone: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let mut dropped = Vec::new();
        for ((rank, ..), flow) in &mut self.flows {
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
            if let Some(length) = self.lengths.get_mut(rank) {
                *length -= out.len();
            }
            dropped.extend(out);
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
    Some((key.0, flow.waiting.front()?.start, key.clone()))
}

fn key(ask: &Ask) -> FlowKey {
    let first = ask.costs.first().map_or(0, |cost| cost.allowance);
    (ask.rank, first, ask.payer.clone())
}
