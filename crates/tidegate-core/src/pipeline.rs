//! The path of a request, as straight-line code. Each step takes the proof that the one before
//! was passed and gives its own: nothing is risk-checked that was not authorized and shaped,
//! nothing journalled that was not cleared, nothing signed that was not journalled. The last step,
//! `send.rs`, releases what is both signed and durable.
//!
//! authenticate and parse (before the core) → authorize → shape → risk → journal → sign → send

use crate::action::Action;
use crate::refusals::Refusal;
use crate::risk::Cleared;
use crate::{Core, authorize, cancel, repeat, risk, shape};
use tidegate_types::ids::{OrderId, SessionId, Ticket};
use tidegate_types::order::{
    AmendOrder, CancelFilter, CancelOrder, Intent, NewOrder, OrderName, Setting,
};
use tidegate_types::proof::{Authenticated, TokenShown};
use tidegate_types::record::{Body, Canceller};
use tidegate_types::reject::Reject;
use tidegate_types::time::Time;

/// A question, with who asks it when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) ticket: Ticket,
    pub(crate) who: &'a Authenticated,
    pub(crate) session: Option<SessionId>,
    pub(crate) now: Time,
}

impl Core {
    /// Answers a question, or has it answered later. Gives back what must wait first until other orders of the
    /// same owner are cancelled (`Core::wait_apart`).
    #[must_use]
    pub(crate) fn submit(
        &mut self,
        asked: Asked<'_>,
        intent: Intent,
        out: &mut Vec<Action>,
    ) -> Option<Intent> {
        let Asked { ticket, who, now, .. } = asked;
        let done = match &intent {
            Intent::New { order } => self.place(asked, order, out),
            Intent::Amend { amend } => self.amend(asked, amend, out),
            Intent::Cancel { cancel } => self.cancel(asked, cancel, out),
            Intent::CancelMany { filter } => self.cancel_many(asked, filter, out),
            Intent::Set { setting } => self.set(asked, setting, out),
            Intent::Guard { guard } => self.guard(asked, guard, out),
        };
        let refusal = done.err()?;
        if self.waits.noted(ticket) {
            return Some(intent);
        }
        self.refuse(ticket, who, intent, refusal, now, out);
        None
    }

    fn place(
        &mut self,
        asked: Asked<'_>,
        order: &NewOrder,
        out: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        if self.retried(asked, order, out)? {
            return Ok(());
        }
        self.can_write()?;
        let Asked { who, now, .. } = asked;
        let found = self.clear_order(who, order, now);
        let refused = found.as_ref().err().map(|refusal| refusal.reject.code);
        self.ask_for_market(who, &order.instrument, refused, out);
        let (mut cleared, warning) = found?;
        if self.is_better_reducing(who, &cleared, now) {
            let reduces = NewOrder { reduce_only: true, ..order.clone() };
            (cleared, _) = self.clear_order(who, &reduces, now)?;
        }
        let mut cleared = self.keep_apart(asked, cleared, out)?;
        let id = self.state.next_order;
        self.note_aside(cleared.take_aside(), id, who, now, out);
        let journalled = self.journal_order(cleared, who, asked.session, now, out)?;
        if let Some(reject) = warning {
            self.append(Body::Warned { order: id, reject }, now, out);
        }
        self.sign(journalled, Some(asked.ticket), now, out);
        self.start_dead_man(who.account(), &order.instrument, now, out);
        Ok(())
    }

    /// What the gates make of a new order in the state as it is, and what the desk wants to be told of it.
    /// It is all that decides, so that a journal that is decided again is decided by the same.
    pub(crate) fn clear_order(
        &self,
        who: &Authenticated,
        order: &NewOrder,
        now: Time,
    ) -> Result<(Cleared, Option<Reject>), Refusal> {
        let unique = self.settings.ids_are_unique(who.venue());
        let mut authorized = authorize::order(&self.state, who, order, unique, now)?;
        let warning = repeat::check(&self.state, &mut authorized, order, now)?;
        let shaped = shape::admit(&self.state, authorized, self.in_flight(), now)?;
        let cleared = risk::clear(&self.state, shaped, now)?;
        Ok((cleared, warning))
    }

    /// The same of a change of an order.
    pub(crate) fn clear_amend(
        &self,
        who: &Authenticated,
        amend: &AmendOrder,
        now: Time,
    ) -> Result<Cleared, Refusal> {
        let authorized = authorize::amend(&self.state, who, amend, now)?;
        let shaped = shape::admit(&self.state, authorized, self.in_flight(), now)?;
        risk::clear(&self.state, shaped, now)
    }

    fn amend(
        &mut self,
        asked: Asked<'_>,
        amend: &AmendOrder,
        out: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        self.can_write()?;
        let Asked { who, now, .. } = asked;
        let cleared = self.clear_amend(who, amend, now)?;
        let mut cleared = self.keep_apart(asked, cleared, out)?;
        if let Some(order) = cleared.replaces() {
            self.note_aside(cleared.take_aside(), order, who, now, out);
        }
        let journalled = self.journal_amend(cleared, amend, who, now, out)?;
        self.sign(journalled, Some(asked.ticket), now, out);
        Ok(())
    }

    fn set(
        &mut self,
        asked: Asked<'_>,
        setting: &Setting,
        out: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        self.can_write()?;
        let Asked { who, now, .. } = asked;
        let authorized = authorize::setting(&self.state, who, now)?;
        let shaped = shape::admit(&self.state, authorized, self.in_flight(), now)?;
        let cleared = risk::clear_setting(&self.state, shaped, now)?;
        let journalled = self.journal_setting(cleared, setting, who, now, out);
        self.sign(journalled, Some(asked.ticket), now, out);
        Ok(())
    }

    /// Puts on record what a policy has to say besides that an order passed.
    fn note_aside(
        &mut self,
        aside: risk::Aside,
        order: OrderId,
        who: &Authenticated,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let risk::Aside { exception, shadow } = aside;
        if let Some(id) = exception {
            self.append(Body::OverrideUsed { id, order }, now, out);
        }
        if let Some(found) = shadow {
            self.shadowed(found, (order, who.caller(), who.account()), now, out);
        }
    }

    /// Cancels pass every limit; they have room of their own, and join one that is in flight.
    fn cancel(
        &mut self,
        asked: Asked<'_>,
        cancel: &CancelOrder,
        out: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        if let OrderName::Caller { id } = &cancel.order {
            let is_meant = |order: &NewOrder| order.caller_id.as_ref() == Some(id);
            let whose = (asked.who.caller(), asked.who.account());
            self.apart_cancelled(whose, is_meant, asked.now, out);
        }
        let order = authorize::cancel(&self.state, asked.who, cancel, asked.now)?.id;
        self.room_to_cancel(order)?;
        self.cancel_one(order, canceller(asked.who), asked.ticket, asked.now, out);
        Ok(())
    }

    fn cancel_many(
        &mut self,
        asked: Asked<'_>,
        filter: &CancelFilter,
        out: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        authorize::cancels(&self.state, asked.who, asked.now)?;
        let (caller, account) = (asked.who.caller(), asked.who.account());
        let is_meant = |order: &NewOrder| cancel::is_meant(filter, order);
        self.apart_cancelled((caller, account), is_meant, asked.now, out);
        let orders = self.matching(caller, account, filter);
        self.cancel_group(asked.ticket, orders, &canceller(asked.who), asked.now, out);
        Ok(())
    }
}

/// Who cancels: a caller by a key, or an app by a token and in whose name.
fn canceller(who: &Authenticated) -> Canceller {
    let caller = who.caller().clone();
    match who.shown() {
        Some(TokenShown { token, subject }) => {
            Canceller::Token { caller, token, subject: subject.to_string() }
        }
        None => Canceller::Caller { caller },
    }
}
