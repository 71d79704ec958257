//! What people and callers ask of it.

use super::*;
use tidegate_types::approval::Showing;
use tidegate_types::grant::Scope;
use tidegate_types::ids::*;
use tidegate_types::order::*;
use tidegate_types::record::Change;
use tidegate_types::reject::Code;

impl World {
    pub(in crate::tests) fn change(&mut self, change: Change) {
        self.change_by("root", change);
    }

    pub(in crate::tests) fn change_by(&mut self, by: &str, change: Change) {
        let ticket = self.ticket();
        self.event(Event::Administer { ticket, by: name(by), showing: Showing::Door, change });
        self.flush();
        assert!(matches!(self.answers[&ticket], Answer::Done), "{:?}", self.answers[&ticket]);
    }

    pub(in crate::tests) fn refused_by(&mut self, by: &str, change: Change) -> String {
        let ticket = self.ticket();
        self.event(Event::Administer { ticket, by: name(by), showing: Showing::Door, change });
        match &self.answers[&ticket] {
            Answer::Refused { reject } => reject.to_string(),
            Answer::Denied { denial } => denial.to_string(),
            other => panic!("{other:?}"),
        }
    }

    pub(in crate::tests) fn halt(&mut self, scope: &str, allow_reduce: bool) -> Ticket {
        self.pull(scope, allow_reduce, false)
    }

    pub(in crate::tests) fn flatten(&mut self, scope: &str) -> Ticket {
        self.pull(scope, false, true)
    }

    pub(in crate::tests) fn pull(
        &mut self,
        scope: &str,
        allow_reduce: bool,
        flatten: bool,
    ) -> Ticket {
        let ticket = self.ticket();
        let (by, scope): (PersonName, Scope) = (name("root"), scope.parse().unwrap());
        let reason = "test".to_owned();
        let ticket_too = Some(ticket);
        self.event(Event::Halt { ticket: ticket_too, by, scope, reason, allow_reduce, flatten });
        ticket
    }

    pub(in crate::tests) fn resume(&mut self, scope: &str) -> Ticket {
        let ticket = self.ticket();
        let (by, scope) = (name("root"), scope.parse().unwrap());
        self.event(Event::Resume {
            ticket,
            by,
            showing: Showing::Door,
            scope,
            reason: "test".to_owned(),
        });
        ticket
    }

    pub(in crate::tests) fn submit(&mut self, caller: &str, intent: Intent) -> Ticket {
        self.submit_over(None, caller, intent)
    }

    pub(in crate::tests) fn submit_over(
        &mut self,
        session: Option<SessionId>,
        caller: &str,
        intent: Intent,
    ) -> Ticket {
        let ticket = self.ticket();
        let who = if self.is_about_away(&intent) { who_away(caller) } else { who(caller) };
        self.event(Event::Submit { ticket, who, session, intent });
        ticket
    }

    /// Whether an order of the other venue is asked for or named.
    fn is_about_away(&self, intent: &Intent) -> bool {
        let named = |order: &OrderName| match order {
            OrderName::Own { id } => self.core.state().orders().get(*id),
            _ => None,
        };
        match intent {
            Intent::New { order } => order.instrument.venue == name(AWAY),
            Intent::Cancel { cancel } => {
                named(&cancel.order).is_some_and(|order| order.account == name(AWAY))
            }
            Intent::Amend { amend } => {
                named(&amend.order).is_some_and(|order| order.account == name(AWAY))
            }
            _ => false,
        }
    }

    pub(in crate::tests) fn place(&mut self, caller: &str, order: NewOrder) -> Ticket {
        self.submit(caller, Intent::New { order })
    }

    /// Places an order and has the venue take it.
    pub(in crate::tests) fn live(&mut self, caller: &str, order: NewOrder) -> OrderId {
        let ticket = self.place(caller, order);
        self.settle();
        match &self.answers[&ticket] {
            Answer::Venue { order: Some(id), .. } => *id,
            other => panic!("{other:?}"),
        }
    }

    pub(in crate::tests) fn cancel(&mut self, caller: &str, order: OrderName) -> Ticket {
        self.submit(caller, Intent::Cancel { cancel: CancelOrder { order, instrument: None } })
    }

    pub(in crate::tests) fn amend(
        &mut self,
        caller: &str,
        order: OrderId,
        qty: Option<&str>,
        price: Option<&str>,
    ) -> Ticket {
        let amend = AmendOrder {
            order: own(order),
            instrument: None,
            side: None,
            qty: qty.map(|q| Qty(d(q))),
            price: price.map(|p| Price(d(p))),
            trigger_price: None,
            post_only: None,
            reduce_only: None,
            valid_until: None,
        };
        self.submit(caller, Intent::Amend { amend })
    }

    /// The code a question was refused with.
    pub(in crate::tests) fn code(&self, ticket: Ticket) -> Option<Code> {
        match self.answers.get(&ticket) {
            Some(Answer::Refused { reject }) => Some(reject.code),
            _ => None,
        }
    }

    /// An order that goes live while a snapshot is under way.
    pub(in crate::tests) fn live_without_reading(&mut self, caller: &str) -> OrderId {
        self.place(caller, buy("1", "100"));
        self.flush();
        self.sign(0);
        self.deliver(0);
        self.venue.stream.clear();
        self.core.state().orders().open().last().unwrap().id
    }
}
