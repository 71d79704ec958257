//! Orders that a caller sends again. Where the venue has client order ids, the id tells: a request
//! like the one before, under the id of an order that is open or whose outcome is not known, is
//! about that order. It is answered with that order's outcome, and nothing is sent. Any other
//! request under the id of an open order is refused as the venue would (`authorize::order`).
//!
//! An order that ended is meant for a while too, unless its caller was told how it ended.

use crate::Core;
use crate::action::{Action, Answer};
use crate::authorize;
use crate::orders::{Ending, Order, Stage, Terms};
use crate::pipeline::Asked;
use crate::refusals::Refusal;
use crate::state::Purpose;
use crate::timers::Timer;
use std::collections::BTreeMap;
use tidegate_types::ids::{OrderId, Ticket};
use tidegate_types::order::{NewOrder, Trigger};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::Outcome;
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};

/// How long after an order ended its id still means it to a caller that was not told. A venue
/// frees the id at once, so that a retry after a time-out could be a second order.
pub(crate) const AFTER_END: Span = Span::from_secs(60);
/// The venue is asked about one order this often at most, however often it is sent again.
const EVERY: Span = Span::from_secs(1);

/// What is known of who was told what, beyond the journal; forgotten at a restart.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    /// Who waits for the venue's word about an order.
    waiting: BTreeMap<OrderId, Vec<Ticket>>,
    /// When the venue was asked about an order lately.
    asked: BTreeMap<OrderId, Time>,
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
        let Some(known) = known.filter(|known| self.is_meant(known, now) && same(order, known))
        else {
            return Ok(false);
        };
        let known = known.id;
        authorize::key(&self.state, who, now)?;
        if self.join(Purpose::Place { order: known }, ticket) {
            return Ok(true);
        }
        let waiting = self.retries.waiting.entry(known).or_default();
        waiting.push(ticket);
        if waiting.len() == 1 {
            let last = self.retries.asked.get(&known);
            match last.map(|last| last.plus(EVERY)).filter(|next| now < *next) {
                Some(next) => self.timers.set(Timer::Retry(known), next),
                None => self.ask_for_retries(known, now, out),
            }
        }
        Ok(true)
    }

    /// Asks the venue about an order that was sent again.
    pub(crate) fn ask_for_retries(&mut self, order: OrderId, now: Time, out: &mut Vec<Action>) {
        match self.unrecorded_query(order) {
            Some(query) => {
                self.retries.asked.retain(|_, last| now < last.plus(EVERY));
                self.retries.asked.insert(order, now);
                self.sign(query, None, now, out);
            }
            None => {
                let reject = Reject::new(Code::OrderEnded, "it ended meanwhile");
                self.retries_failed(order, &reject, out);
            }
        }
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
        self.timers.clear(&Timer::Retry(order));
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
        self.timers.clear(&Timer::Retry(order));
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

    /// Whether an order is what a request like it means.
    fn is_meant(&self, order: &Order, now: Time) -> bool {
        match order.stage {
            Stage::Pending | Stage::Sent | Stage::Unknown | Stage::Live => true,
            Stage::Done { how: Ending::Filled | Ending::Cancelled | Ending::Gone } => {
                let told = self.retries.told.get(&order.id).copied().unwrap_or(!order.untold);
                !told && now <= order.changed.plus(AFTER_END)
            }
            // It did nothing: the same again is a new order.
            Stage::Done { how: Ending::Rejected | Ending::NotSent | Ending::NeverArrived } => false,
        }
    }
}

/// Whether a request asks for what an order was placed as. Until when it is good, and how long the
/// answer is to be, may differ.
fn same(order: &NewOrder, known: &Order) -> bool {
    let Terms { qty, price, trigger_price, post_only, reduce_only } = known.asked;
    let trigger = known.request.trigger.clone();
    let before = NewOrder {
        qty,
        price,
        trigger: trigger.map(|t| Trigger { price: trigger_price.unwrap_or(t.price), ..t }),
        post_only,
        // An order that reduces is made reduce-only where that lets it pass, whatever was asked.
        reduce_only: reduce_only && order.reduce_only,
        valid_until: order.valid_until,
        full_answer: order.full_answer,
        ..known.request.clone()
    };
    before == *order
}
