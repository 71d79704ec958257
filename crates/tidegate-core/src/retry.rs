//! Orders that a caller sends again. Where the venue has client order ids, the id tells: a request
//! like the one before, under the id of an order whose caller was never told what became of it, is
//! about that order. It is answered with that order's outcome, and nothing is sent.
//!
//! An order whose answer went out is not meant: what is sent under its id while it is open is
//! refused as the venue would, because that is what clients of the venue are made for.

use crate::Core;
use crate::action::{Action, Answer};
use crate::authorize;
use crate::orders::{Ending, Order, Stage};
use crate::pipeline::Asked;
use crate::refusals::Refusal;
use crate::state::Purpose;
use std::collections::BTreeMap;
use tidegate_types::ids::{OrderId, Ticket};
use tidegate_types::order::NewOrder;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::Outcome;
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};

/// How long after an order ended its id still means it to a caller that was not told. A venue
/// frees the id at once, so that a retry after a time-out could be a second order.
const AFTER_END: Span = Span::from_secs(60);

/// What is known of who was told what, beyond the journal; forgotten at a restart.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    /// Who waits for the venue's word about an order.
    waiting: BTreeMap<OrderId, Vec<Ticket>>,
    /// Whether an order's caller was told of it, where that is not as the journal has it.
    told: BTreeMap<OrderId, bool>,
}

impl Core {
    /// Takes an order that is a retry for what it is; whether it is one.
    pub(crate) fn retried(
        &mut self,
        asked: Asked<'_>,
        order: &NewOrder,
        out: &mut Vec<Action>,
    ) -> Result<bool, Refusal> {
        let Asked { ticket, who, now, .. } = asked;
        let Some(id) = order.caller_id.as_ref() else { return Ok(false) };
        if !self.settings.ids_are_unique(who.venue()) {
            return Ok(false);
        }
        let known = self.state.orders.by_caller(who.caller(), who.account(), id).next();
        let Some(known) = known.filter(|known| self.is_untold(known, now) && same(order, known))
        else {
            return Ok(false);
        };
        let known = known.id;
        authorize::key(&self.state, who)?;
        if self.join(Purpose::Place { order: known }, ticket) {
            return Ok(true);
        }
        let waiting = self.retries.waiting.entry(known).or_default();
        waiting.push(ticket);
        if waiting.len() == 1
            && let Some(query) = self.unrecorded_query(known)
        {
            self.sign(query, None, now, out);
        }
        Ok(true)
    }

    /// The venue was asked about an order: tells those who wait for that.
    pub(crate) fn retries_answered(
        &mut self,
        order: OrderId,
        outcome: &Outcome,
        reply: Option<Reply>,
        out: &mut Vec<Action>,
    ) {
        let Some(waiting) = self.retries.waiting.remove(&order) else { return };
        let result = match (outcome, reply) {
            (Outcome::Accepted { .. }, Some(reply)) => Ok(reply),
            (Outcome::Rejected { no_such_order: true, .. }, _) => Err("the venue does not show it"),
            _ => Err("the venue does not tell"),
        };
        self.tell_apart(order, result.is_ok());
        for ticket in waiting {
            let answer = match &result {
                Ok(reply) => {
                    Answer::Venue { reply: reply.clone(), order: Some(order), placed: true }
                }
                Err(why) => Answer::Refused { reject: Reject::new(Code::OutcomeUnknown, *why) },
            };
            out.push(Action::Answer { ticket, answer });
        }
    }

    /// The venue could not be asked about an order.
    pub(crate) fn retries_failed(
        &mut self,
        order: OrderId,
        reject: &Reject,
        out: &mut Vec<Action>,
    ) {
        for ticket in self.retries.waiting.remove(&order).unwrap_or_default() {
            let reject = Reject::new(Code::OutcomeUnknown, reject.to_string());
            out.push(Action::Answer { ticket, answer: Answer::Refused { reject } });
        }
    }

    /// Nobody was there any more to hear what became of an order.
    pub(crate) fn unheard(&mut self, order: OrderId) {
        self.tell_apart(order, false);
    }

    /// Takes note of whether an order's caller was told; of no more orders than there are.
    fn tell_apart(&mut self, order: OrderId, told: bool) {
        self.retries.told.insert(order, told);
        if self.retries.told.len() > self.state.orders.len() {
            self.retries.told.retain(|id, _| self.state.orders.get(*id).is_some());
        }
    }

    /// Whether the caller of an order cannot know what became of it.
    fn is_untold(&self, order: &Order, now: Time) -> bool {
        let told = self.retries.told.get(&order.id).copied().unwrap_or(!order.untold);
        let matters = match order.stage {
            Stage::Pending | Stage::Sent | Stage::Unknown | Stage::Live => true,
            Stage::Done { how: Ending::Filled | Ending::Cancelled } => {
                now <= order.changed.plus(AFTER_END)
            }
            // It did nothing: the same again is a new order.
            Stage::Done { how: Ending::Rejected | Ending::NotSent | Ending::NeverArrived } => false,
        };
        !told && matters
    }
}

/// Whether a request asks for what an order is. Until when it is good, and how long the answer
/// is to be, may differ.
fn same(order: &NewOrder, known: &Order) -> bool {
    let before = NewOrder {
        valid_until: order.valid_until,
        full_answer: order.full_answer,
        ..known.request.clone()
    };
    known.amend.is_none() && before == *order
}
