//! Orders in doubt: the venue is asked until it tells. Nothing is ever sent again.

use crate::Core;
use crate::action::Action;
use crate::orders::{Order, Stage};
use crate::timers::{Backoff, Timer};
use crate::told::NOT_FOUND_MARGIN;
use std::collections::BTreeMap;
use tidegate_types::ids::OrderId;
use tidegate_types::record::Body;
use tidegate_types::report::Outcome;
use tidegate_types::time::Time;

/// The orders in doubt.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    waits: BTreeMap<OrderId, Doubt>,
}

#[derive(Debug, Default)]
struct Doubt {
    backoff: Backoff,
    /// The venue was asked and did not have it. It may still arrive before its deadline, and
    /// reserves what it could do until then.
    not_there: bool,
}

impl Doubts {
    pub(crate) fn contains(&self, order: OrderId) -> bool {
        self.waits.contains_key(&order)
    }

    /// Whether the venue did not have an order when it was last asked.
    pub(crate) fn was_not_there(&self, order: OrderId) -> bool {
        self.waits.get(&order).is_some_and(|doubt| doubt.not_there)
    }
}

impl Core {
    /// Asks after an order soon, and until the venue's word is final.
    pub(crate) fn doubt(&mut self, order: OrderId, now: Time) {
        if !self.doubts.contains(order) && self.state.orders.get(order).is_some_and(Order::is_open)
        {
            let mut doubt = Doubt::default();
            self.timers.set(Timer::Resolve(order), now.plus(doubt.backoff.step()));
            self.doubts.waits.insert(order, doubt);
        }
    }

    /// As `doubt`, but asks at once: nothing is on its way that could still answer.
    pub(crate) fn doubt_at_once(&mut self, order: OrderId, now: Time) {
        self.doubt(order, now);
        if self.doubts.contains(order) {
            self.timers.set(Timer::Resolve(order), now);
        }
    }

    /// It is time to ask.
    pub(crate) fn query(&mut self, order: OrderId, now: Time, out: &mut Vec<Action>) {
        if !self.state.orders.get(order).is_some_and(Order::is_open) {
            self.doubts.waits.remove(&order);
        } else if let Some(query) = self.unrecorded_query(order) {
            self.sign(query, None, now, out);
        }
    }

    pub(crate) fn query_failed(&mut self, order: OrderId, now: Time) {
        if let Some(doubt) = self.doubts.waits.get_mut(&order) {
            let wait = doubt.backoff.step();
            self.timers.set(Timer::Resolve(order), now.plus(wait));
        }
    }

    /// "Not found" is final only when asked after the venue must have refused the order, and of one that was live only
    /// when said twice: a part of the venue may lag behind.
    pub(crate) fn query_answered(
        &mut self,
        order: OrderId,
        outcome: Outcome,
        asked: Time,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(known) = self.state.orders.get(order) else { return };
        let last = known.amend.as_ref().map_or(known.deadline, |a| a.deadline.max(known.deadline));
        let apart = self.state.clocks_apart(&known.request.instrument.venue);
        let told = match &outcome {
            Outcome::Accepted { .. } => true,
            Outcome::Rejected { no_such_order: true, .. } => {
                let twice = known.stage != Stage::Live || self.doubts.was_not_there(order);
                twice && asked > last.plus(NOT_FOUND_MARGIN).plus(apart)
            }
            Outcome::Rejected { .. } | Outcome::Done | Outcome::Unknown { .. } => false,
        };
        let account = known.account.clone();
        if told {
            self.append(Body::Resolved { order, outcome: outcome.clone(), asked }, now, out);
        }
        let still = self.state.orders.get(order).is_some_and(|order| {
            order.stage == Stage::Unknown || order.amend.as_ref().is_some_and(|a| a.unknown)
        });
        if told && !still {
            self.doubts.waits.remove(&order);
            self.halts_heard(order, now);
            self.doomed_heard(order, now);
        } else {
            let not_there = matches!(outcome, Outcome::Rejected { no_such_order: true, .. });
            if let Some(doubt) = self.doubts.waits.get_mut(&order) {
                doubt.not_there = not_there;
            }
            self.query_failed(order, now);
        }
        self.settled(order, now, out);
        self.may_open(&account, now, out);
    }

    /// Something was heard about an order: sees to what waited for it.
    pub(crate) fn settled(&mut self, id: OrderId, now: Time, out: &mut Vec<Action>) {
        let Some(order) = self.state.orders.get(id) else { return };
        let ended = !order.is_open();
        if ended {
            self.doubts.waits.remove(&id);
            self.timers.clear(&Timer::Resolve(id));
            self.note_short(id);
        } else if order.stage == Stage::Unknown || order.amend.as_ref().is_some_and(|a| a.unknown) {
            self.doubt(id, now);
        }
        self.push_cancel(id, now, out);
        self.doomed_back(id, now);
        self.closing_heard(id, now, out);
        if ended {
            self.halts_heard(id, now);
            self.apart_heard(id, now, out);
            self.way_heard(id, now);
        }
    }
}
