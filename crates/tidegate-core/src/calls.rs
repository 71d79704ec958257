//! Requests in flight: signed, sent when durable, answered or given up.

use crate::action::{Action, Answer};
use crate::journal::{AskedBy, Journalled};
use crate::state::Purpose;
use crate::timers::Timer;
use crate::{Core, send};
use tidegate_types::call::{Call, Warrant};
use tidegate_types::ids::{CallId, Seq, Ticket};
use tidegate_types::limits::VENUE_TIMEOUT;
use tidegate_types::proof::{Durable, Signed};
use tidegate_types::record::Body;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::Outcome;
use tidegate_types::request::Reply;
use tidegate_types::text::one_line;
use tidegate_types::time::{Span, Time};

/// The server gives a call up after `VENUE_TIMEOUT`; should it not say so, the core does.
const BACKSTOP: Span = Span::from_micros(VENUE_TIMEOUT.micros() + 5_000_000);

/// One request on its way.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) purpose: Purpose,
    pub(crate) asked: Time,
    call: Call,
    warrant: Warrant,
    asked_by: Option<AskedBy>,
    signed: Option<Signed>,
    /// It was handed out to be sent.
    released: bool,
    /// Its first byte left.
    left: bool,
    /// Why it must not leave any more, though it was handed out.
    recalled: Option<Reject>,
    ticket: Option<Ticket>,
    /// Others who asked for the same.
    joined: Vec<Ticket>,
}

impl Flight {
    /// Whether it was handed out to be sent.
    pub(crate) fn is_released(&self) -> bool {
        self.released
    }
}

impl Core {
    /// Has a request signed. It leaves when that is done and its record is durable.
    pub(crate) fn sign(
        &mut self,
        journalled: Journalled,
        ticket: Option<Ticket>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let (call, purpose, warrant, asked_by) = journalled.into_parts();
        self.timers.set(Timer::Call(call.id), now.plus(BACKSTOP));
        self.orders_in_flight += usize::from(takes_room(purpose));
        out.push(Action::Sign { call: call.clone(), warrant });
        let id = call.id;
        let flight = Flight {
            purpose,
            asked: now,
            call,
            warrant,
            asked_by,
            signed: None,
            released: false,
            left: false,
            recalled: None,
            ticket,
            joined: Vec::new(),
        };
        self.flights.insert(id, flight);
    }

    /// Who asked for an order, a change or a setting on its way. An older order that is made smaller for a newer one
    /// is the newer one's caller's to ask for.
    pub fn asked_by(&self, call: CallId) -> Option<&AskedBy> {
        self.flights.get(&call)?.asked_by.as_ref()
    }

    /// New orders, amends and settings in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.orders_in_flight
    }

    pub(crate) fn on_signed(&mut self, proof: Signed, out: &mut Vec<Action>) {
        let Some(flight) = self.flights.get_mut(&proof.call()) else { return };
        let id = proof.call();
        if flight.released || proof.class() != flight.call.body.class() {
            return;
        }
        flight.signed = Some(proof);
        if let Warrant::Journalled { seq } = flight.warrant {
            self.unflushed.insert(seq, id);
        }
        self.release(id, out);
    }

    pub(crate) fn on_durable(&mut self, proof: Durable, out: &mut Vec<Action>) {
        let end = proof.end();
        self.durable = Some(proof);
        let later = self.unflushed.split_off(&end);
        for id in std::mem::replace(&mut self.unflushed, later).into_values() {
            self.release(id, out);
        }
        let later = self.answers.split_off(&end);
        for (ticket, answer) in std::mem::replace(&mut self.answers, later).into_values() {
            out.push(Action::Answer { ticket, answer });
        }
    }

    /// Answers once the record is durable.
    pub(crate) fn answer_when_durable(&mut self, seq: Seq, ticket: Ticket, answer: Answer) {
        self.answers.insert(seq, (ticket, answer));
    }

    fn release(&mut self, id: CallId, out: &mut Vec<Action>) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let Some(signed) = flight.signed.take() else { return };
        match send::recorded(signed, flight.warrant, self.durable.as_ref()) {
            Ok(request) => {
                flight.released = true;
                out.push(Action::Send { request });
            }
            Err(signed) => flight.signed = Some(signed),
        }
    }

    /// Whether a request that was handed out may leave: asked when its way is free, right before its first
    /// byte. One that a halt overtook while it waited for a connection stays, and so does one that
    /// was given up.
    pub fn may_leave(&self, call: CallId) -> bool {
        self.flights.get(&call).is_some_and(|flight| flight.recalled.is_none())
    }

    pub(crate) fn on_sent(&mut self, call: CallId, now: Time, out: &mut Vec<Action>) {
        if let Some(flight) = self.flights.get_mut(&call) {
            flight.left = true;
        }
        if self.state.calls.contains_key(&call) {
            self.append(Body::Sent { call }, now, out);
        }
    }

    pub(crate) fn on_not_sent(
        &mut self,
        call: CallId,
        reject: Reject,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(flight) = self.land(call) else { return };
        let reject = flight.recalled.unwrap_or(reject);
        if self.state.calls.contains_key(&call) {
            self.append(Body::NotSent { call, reject: reject.clone() }, now, out);
        }
        self.halts_told(flight.purpose, &reject);
        self.count_held_back(flight.purpose.order(), &reject);
        match flight.purpose {
            Purpose::Query { order } => {
                self.retries_failed(order, &reject, out);
                self.query_failed(order, now);
            }
            Purpose::Cancel { order } => self.cancel_answered(order, Err(reject), now, out),
            Purpose::DeadMan => self.dead_man_unfed(flight.call.account, now),
            Purpose::Place { .. } | Purpose::Amend { .. } | Purpose::Set => {
                for ticket in flight.ticket.into_iter().chain(flight.joined) {
                    self.answer(Some(ticket), Answer::Refused { reject: reject.clone() }, out);
                }
            }
        }
        self.settle(flight.purpose, now, out);
    }

    pub(crate) fn on_replied(
        &mut self,
        call: CallId,
        outcome: Outcome,
        reply: Option<Reply>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(flight) = self.land(call) else { return };
        if let Purpose::Query { order } = flight.purpose {
            self.retries_answered(order, &outcome, reply, out);
            self.query_answered(order, outcome, flight.asked, now, out);
            return;
        }
        let doubtful = matches!(
            outcome,
            Outcome::Unknown { .. } | Outcome::Rejected { no_such_order: true, .. }
        );
        let result = match (&outcome, reply) {
            (Outcome::Unknown { why }, _) => Err(Reject::new(Code::OutcomeUnknown, one_line(why))),
            (_, Some(reply)) => Ok(reply),
            (_, None) => Err(Reject::new(Code::OutcomeUnknown, "the venue's answer was lost")),
        };
        self.halts_answered(flight.purpose, &outcome);
        let unreported = match flight.purpose {
            Purpose::Cancel { order } => Some(order).filter(|_| outcome == Outcome::Done),
            _ => None,
        };
        let unfed = matches!(outcome, Outcome::Unknown { .. });
        self.append(Body::Replied { call, outcome }, now, out);
        if let (true, Some(order)) = (doubtful, flight.purpose.order()) {
            self.doubt(order, now);
        }
        if let Some(order) = unreported {
            self.cancels.said_done(order);
            self.doubt_at_once(order, now);
        }
        match flight.purpose {
            Purpose::Cancel { order } => self.cancel_answered(order, result, now, out),
            Purpose::DeadMan if unfed => self.dead_man_unfed(flight.call.account, now),
            // A venue that refused would refuse at once again.
            Purpose::DeadMan => {}
            Purpose::Place { .. }
            | Purpose::Amend { .. }
            | Purpose::Set
            | Purpose::Query { .. } => {
                let order = flight.purpose.order();
                let placed = matches!(flight.purpose, Purpose::Place { .. });
                let answer = |result| match result {
                    Ok(reply) => Answer::Venue { reply, order, placed },
                    Err(reject) => Answer::Refused { reject },
                };
                for ticket in flight.joined {
                    self.answer(Some(ticket), answer(result.clone()), out);
                }
                self.answer(flight.ticket, answer(result), out);
            }
        }
        self.settle(flight.purpose, now, out);
    }

    /// The time for a call is over and the server has not said so.
    pub(crate) fn expire(&mut self, call: CallId, now: Time, out: &mut Vec<Action>) {
        match self.flights.get(&call) {
            Some(flight) if flight.released => {
                let why = "no answer in time".to_owned();
                self.on_replied(call, Outcome::Unknown { why }, None, now, out);
            }
            Some(_) => {
                let reject = Reject::new(Code::SignerUnavailable, "not signed and durable in time");
                self.on_not_sent(call, reject, now, out);
            }
            None => {}
        }
    }

    /// Drops requests that have not been handed out to be sent; those never leave.
    pub(crate) fn drop_unsent(
        &mut self,
        which: impl Fn(&Core, &Flight) -> bool,
        reject: &Reject,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let unsent = self.flights.iter().filter(|(_, f)| !f.released && takes_room(f.purpose));
        let unsent = unsent.filter(|(_, flight)| which(self, flight)).map(|(id, _)| *id);
        for call in unsent.collect::<Vec<_>>() {
            self.on_not_sent(call, reject.clone(), now, out);
        }
    }

    /// As `drop_unsent`; those that were handed out and wait for a connection are called back.
    pub(crate) fn hold_back(
        &mut self,
        which: impl Fn(&Core, &Flight) -> bool,
        reject: &Reject,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.drop_unsent(&which, reject, now, out);
        let waiting = self.flights.iter().filter(|(_, f)| !f.left && takes_room(f.purpose));
        let waiting = waiting.filter(|(_, flight)| which(self, flight)).map(|(id, _)| *id);
        for call in waiting.collect::<Vec<_>>() {
            if let Some(flight) = self.flights.get_mut(&call) {
                flight.recalled.get_or_insert_with(|| reject.clone());
            }
        }
    }

    /// Cancels that wait for a record which cannot be written any more go without.
    pub(crate) fn cancels_in_emergency(&mut self, out: &mut Vec<Action>) {
        let waiting = self.flights.iter().filter(|(_, flight)| {
            let cancels = matches!(flight.purpose, Purpose::Cancel { .. } | Purpose::DeadMan);
            !flight.released && cancels
        });
        for id in waiting.map(|(id, _)| *id).collect::<Vec<_>>() {
            let Some(flight) = self.flights.get_mut(&id) else { continue };
            flight.warrant = Warrant::Emergency;
            if flight.signed.is_some() {
                self.release(id, out);
            } else {
                out.push(Action::Sign { call: flight.call.clone(), warrant: Warrant::Emergency });
            }
        }
    }

    pub(crate) fn answer(&self, ticket: Option<Ticket>, answer: Answer, out: &mut Vec<Action>) {
        if let Some(ticket) = ticket {
            out.push(Action::Answer { ticket, answer });
        }
    }

    /// Waits for the answer of a request in flight, if there is one of this purpose.
    pub(crate) fn join(&mut self, purpose: Purpose, ticket: Ticket) -> bool {
        let flight = self.flights.values_mut().find(|flight| flight.purpose == purpose);
        let joined = flight.map(|flight| flight.joined.push(ticket));
        joined.is_some()
    }

    fn land(&mut self, call: CallId) -> Option<Flight> {
        let flight = self.flights.remove(&call)?;
        self.timers.clear(&Timer::Call(call));
        self.orders_in_flight -= usize::from(takes_room(flight.purpose));
        if let Warrant::Journalled { seq } = flight.warrant {
            self.unflushed.remove(&seq);
        }
        Some(flight)
    }

    fn settle(&mut self, purpose: Purpose, now: Time, out: &mut Vec<Action>) {
        if let Some(order) = purpose.order() {
            self.settled(order, now, out);
        }
    }
}

fn takes_room(purpose: Purpose) -> bool {
    match purpose {
        Purpose::Place { .. } | Purpose::Amend { .. } | Purpose::Set => true,
        Purpose::Cancel { .. } | Purpose::Query { .. } | Purpose::DeadMan => false,
    }
}
