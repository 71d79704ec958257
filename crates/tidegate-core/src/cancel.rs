//! Cancels: one in flight per order, however many ask for it.

use crate::Core;
use crate::action::{Action, Answer};
use crate::orders::Stage;
use crate::refusals::Refusal;
use crate::state::Purpose;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::ids::{AccountName, CallId, CallerName, OrderId, Ticket};
use tidegate_types::limits::MAX_IN_FLIGHT;
use tidegate_types::order::{CancelFilter, NewOrder};
use tidegate_types::record::Canceller;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// A cancel wanted of one order.
#[derive(Debug)]
struct Wanted {
    by: Canceller,
    /// A halt or a breaker wants it, maybe after somebody else did.
    kill: bool,
    /// The request to the venue, once there is one.
    sent: Option<CallId>,
    /// The venue said that it did it, and showed no order.
    done: bool,
    alone: Vec<Ticket>,
    groups: Vec<Ticket>,
}

/// A mass cancel: answered when each of its orders is.
#[derive(Debug, Default)]
struct Group {
    left: BTreeSet<OrderId>,
    done: Vec<OrderId>,
    failed: Vec<OrderId>,
}

/// Every cancel in flight or waiting.
#[derive(Debug, Default)]
pub(crate) struct Cancels {
    wanted: BTreeMap<OrderId, Wanted>,
    groups: BTreeMap<Ticket, Group>,
}

impl Cancels {
    /// Who wants an order cancelled.
    pub(crate) fn canceller(&self, order: OrderId) -> Option<&Canceller> {
        self.wanted.get(&order).map(|wanted| &wanted.by)
    }

    /// The venue said that an order is cancelled, and did not show it.
    pub(crate) fn said_done(&mut self, order: OrderId) {
        if let Some(wanted) = self.wanted.get_mut(&order) {
            wanted.done = true;
        }
    }
}

impl Core {
    /// Whether a call is a cancel that a halt or a breaker wants: nothing goes before it.
    pub fn is_kill(&self, call: CallId) -> bool {
        let Some(Purpose::Cancel { order }) = self.state.calls.get(&call) else { return false };
        self.cancels.wanted.get(order).is_some_and(|wanted| wanted.kill)
    }

    pub(crate) fn room_to_cancel(&self, order: OrderId) -> Result<(), Refusal> {
        let waiting = self.cancels.wanted.len();
        if waiting < MAX_IN_FLIGHT || self.cancels.wanted.contains_key(&order) {
            return Ok(());
        }
        let detail = format!("{waiting} cancels in flight, at most {MAX_IN_FLIGHT}");
        Err(Reject::new(Code::TooManyInFlight, detail).into())
    }

    /// Cancels an order for one who waits for the answer.
    pub(crate) fn cancel_one(
        &mut self,
        order: OrderId,
        by: Canceller,
        ticket: Ticket,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.want(order, by, out).alone.push(ticket);
        self.push_cancel(order, now, out);
    }

    /// Cancels several orders, one call each.
    pub(crate) fn cancel_group(
        &mut self,
        ticket: Ticket,
        orders: Vec<OrderId>,
        by: &Canceller,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let group = Group { left: orders.iter().copied().collect(), ..Group::default() };
        self.cancels.groups.insert(ticket, group);
        for order in orders {
            if self.room_to_cancel(order).is_ok() {
                self.want(order, by.clone(), out).groups.push(ticket);
                self.push_cancel(order, now, out);
            } else {
                self.group_heard(ticket, order, false);
            }
        }
        self.close_group(ticket, out);
    }

    /// Cancels an order for nobody who waits.
    pub(crate) fn cancel_quietly(
        &mut self,
        order: OrderId,
        by: Canceller,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.want(order, by, out);
        self.push_cancel(order, now, out);
    }

    /// The caller's open orders on the account that a mass cancel means.
    pub(crate) fn matching(
        &self,
        caller: &CallerName,
        account: &AccountName,
        filter: &CancelFilter,
    ) -> Vec<OrderId> {
        let own = self.state.orders.open_of(account).filter(|o| o.caller.as_ref() == Some(caller));
        own.filter(|order| is_meant(filter, &order.request)).map(|order| order.id).collect()
    }

    /// Sends a cancel that is wanted, once the order's placement is answered or given up; before
    /// that the venue might see the cancel first. An order that ended needs none.
    pub(crate) fn push_cancel(&mut self, id: OrderId, now: Time, out: &mut Vec<Action>) {
        let Some(wanted) = self.cancels.wanted.get_mut(&id).filter(|wanted| wanted.sent.is_none())
        else {
            return;
        };
        match self.state.orders.get(id).map(|order| order.stage) {
            Some(Stage::Pending | Stage::Sent) => {}
            Some(Stage::Live | Stage::Unknown) => {
                let by = wanted.by.clone();
                if let Some(journalled) = self.journal_cancel(id, by, now, out) {
                    if let Some(wanted) = self.cancels.wanted.get_mut(&id) {
                        wanted.sent = Some(journalled.call());
                    }
                    self.sign(journalled, None, now, out);
                }
            }
            Some(Stage::Done { .. }) | None => {
                let reject = Reject::new(Code::OrderEnded, "it ended before it was cancelled");
                self.cancel_answered(id, Err(reject), now, out);
            }
        }
    }

    /// Answers everybody who waits for the cancel of an order.
    pub(crate) fn cancel_answered(
        &mut self,
        id: OrderId,
        result: Result<Reply, Reject>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(wanted) = self.cancels.wanted.remove(&id) else { return };
        for ticket in wanted.alone {
            let answer = match &result {
                Ok(reply) => Answer::Venue { reply: reply.clone(), order: Some(id), placed: false },
                Err(reject) => Answer::Refused { reject: reject.clone() },
            };
            out.push(Action::Answer { ticket, answer });
        }
        for ticket in wanted.groups {
            self.group_heard(ticket, id, wanted.done);
            self.close_group(ticket, out);
        }
        if self.state.orders.get(id).is_some_and(|order| !order.is_open()) {
            self.halts_heard(id, now);
        }
    }

    /// Notes who wants an order cancelled. A cancel that is on its way already is hastened where a halt or a
    /// breaker wants it too.
    fn want(&mut self, order: OrderId, by: Canceller, out: &mut Vec<Action>) -> &mut Wanted {
        let kill = matches!(
            by,
            Canceller::Halt { .. } | Canceller::Breaker { .. } | Canceller::Throttle { .. }
        );
        let wanted = self.cancels.wanted.entry(order).or_insert_with(|| Wanted {
            by,
            kill,
            sent: None,
            done: false,
            alone: Vec::new(),
            groups: Vec::new(),
        });
        if kill && !wanted.kill {
            wanted.kill = true;
            out.extend(wanted.sent.map(|call| Action::Hasten { call }));
        }
        wanted
    }

    fn group_heard(&mut self, ticket: Ticket, id: OrderId, said_done: bool) {
        let order = self.state.orders.get(id);
        let cancelled = said_done || order.is_some_and(|order| order.stage.is_cancelled());
        if let Some(group) = self.cancels.groups.get_mut(&ticket)
            && group.left.remove(&id)
        {
            if cancelled { group.done.push(id) } else { group.failed.push(id) }
        }
    }

    fn close_group(&mut self, ticket: Ticket, out: &mut Vec<Action>) {
        if self.cancels.groups.get(&ticket).is_some_and(|group| group.left.is_empty())
            && let Some(Group { done, failed, .. }) = self.cancels.groups.remove(&ticket)
        {
            out.push(Action::Answer { ticket, answer: Answer::Cancelled { orders: done, failed } });
        }
    }
}

/// Whether a mass cancel means an order.
pub(crate) fn is_meant(filter: &CancelFilter, request: &NewOrder) -> bool {
    filter.instrument.as_ref().is_none_or(|i| *i == request.instrument)
        && (filter.instruments.is_empty() || filter.instruments.contains(&request.instrument))
        && (filter.caller_id.is_none() || filter.caller_id == request.caller_id)
        && filter.conditional.is_none_or(|c| c == request.order_type.is_conditional())
}
