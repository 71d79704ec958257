//! Orders that wait until others of the same owner are cancelled. Nothing of them is on record or
//! reserved until they go; then every gate is passed anew. They are forgotten at a restart, which ends
//! the connection of who asked.

use super::apart::newer;
use crate::Core;
use crate::action::Action;
use crate::orders::Order;
use crate::pipeline::Asked;
use crate::refusals::Refusal;
use crate::timers::Timer;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{AccountName, CallerName, OrderId, SessionId, Ticket};
use tidegate_types::instrument::Qty;
use tidegate_types::limits::SELF_TRADE_WAIT;
use tidegate_types::order::{Intent, NewOrder};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// What has to end before an order goes.
#[derive(Debug)]
pub(crate) struct Before {
    pub(super) orders: BTreeSet<OrderId>,
    /// The order goes without what they had left.
    pub(super) cut: bool,
    /// It reduces the position: it goes even where they did not end in time.
    pub(super) reduces: bool,
}

/// Who asked for what.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) ticket: Ticket,
    pub(crate) who: Authenticated,
    pub(crate) session: Option<SessionId>,
    pub(crate) intent: Intent,
}

#[derive(Debug)]
struct Waiting {
    asker: Asker,
    before: Before,
    until: Time,
}

/// Every order that waits so.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    noted: Option<(Ticket, Before)>,
    /// Whose time to wait is over just now.
    late: Option<Ticket>,
    waiting: BTreeMap<Ticket, Waiting>,
    /// Who waits for an order's end.
    by_order: BTreeMap<OrderId, BTreeSet<Ticket>>,
}

impl Waits {
    pub(super) fn note(&mut self, ticket: Ticket, before: Before) {
        self.noted = Some((ticket, before));
    }

    /// Whether a question that was refused just now is to wait instead.
    pub(crate) fn noted(&self, ticket: Ticket) -> bool {
        self.noted.as_ref().is_some_and(|(noted, _)| *noted == ticket)
    }

    /// Whether a question waited for as long as it may, and is asked for the last time.
    pub(super) fn is_late(&self, ticket: Ticket) -> bool {
        self.late == Some(ticket)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn remove(&mut self, ticket: Ticket) -> Option<Waiting> {
        let waiting = self.waiting.remove(&ticket)?;
        for id in &waiting.before.orders {
            if let Some(tickets) = self.by_order.get_mut(id) {
                tickets.remove(&ticket);
                if tickets.is_empty() {
                    self.by_order.remove(id);
                }
            }
        }
        Some(waiting)
    }
}

impl Core {
    /// Has an order wait, and what it waits for cancelled. One that waited before goes on until then.
    pub(crate) fn wait_apart(
        &mut self,
        asker: Asker,
        until: Option<Time>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some((ticket, before)) = self.waits.noted.take() else { return };
        let until = until.unwrap_or_else(|| now.plus(SELF_TRADE_WAIT));
        for id in &before.orders {
            self.waits.by_order.entry(*id).or_default().insert(ticket);
        }
        let orders: Vec<OrderId> = before.orders.iter().copied().collect();
        let by = newer(&asker.who);
        self.timers.set(Timer::SelfTrade(ticket), until);
        self.waits.waiting.insert(ticket, Waiting { asker, before, until });
        for id in orders {
            self.cancel_quietly(id, by.clone(), now, out);
        }
    }

    /// An order ended: what waited for it alone goes through the gates again.
    pub(crate) fn apart_heard(&mut self, id: OrderId, now: Time, out: &mut Vec<Action>) {
        let Some(tickets) = self.waits.by_order.get(&id) else { return };
        for ticket in tickets.iter().copied().collect::<Vec<_>>() {
            self.go_on(ticket, now, out);
        }
    }

    /// The time to wait is over. An order that reduces the position passes the gates once more, and is sent
    /// whatever it may meet; any other is refused.
    pub(crate) fn apart_late(&mut self, ticket: Ticket, now: Time, out: &mut Vec<Action>) {
        self.go_on(ticket, now, out);
        let Some(Waiting { asker, before, .. }) = self.waits.remove(ticket) else { return };
        if !before.reduces {
            return self.refuse_late(asker, now, out);
        }
        let Asker { who, session, intent, .. } = asker;
        self.waits.late = Some(ticket);
        let asked = Asked { ticket, who: &who, session, now };
        let again = self.submit(asked, intent, out);
        self.waits.late = None;
        if let Some(intent) = again {
            self.waits.noted = None;
            self.refuse_late(Asker { ticket, who, session, intent }, now, out);
        }
    }

    fn refuse_late(&mut self, asker: Asker, now: Time, out: &mut Vec<Action>) {
        let most = SELF_TRADE_WAIT.millis();
        let detail = format!("waited {most} ms for the venue to confirm it; try again");
        self.refuse_asker(asker, Reject::new(Code::SelfTradeWait, detail), now, out);
    }

    /// A session ended: what waits of it is not sent any more.
    pub(crate) fn apart_session_ended(
        &mut self,
        session: SessionId,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let of = |asker: &Asker| asker.session == Some(session);
        self.apart_called_back(of, "its session ended meanwhile", now, out);
    }

    /// A caller does not want any more what it has waiting: it cancelled, or its dead-man timer lapsed.
    pub(crate) fn apart_cancelled(
        &mut self,
        (caller, account): (&CallerName, &AccountName),
        is_meant: impl Fn(&NewOrder) -> bool,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let of = |asker: &Asker| {
            let own = asker.who.caller() == caller && asker.who.account() == account;
            own && matches!(&asker.intent, Intent::New { order } if is_meant(order))
        };
        self.apart_called_back(of, "it was cancelled meanwhile", now, out);
    }

    fn apart_called_back(
        &mut self,
        of: impl Fn(&Asker) -> bool,
        why: &str,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let gone: Vec<_> =
            self.waits.waiting.iter().filter(|(_, w)| of(&w.asker)).map(|(t, _)| *t).collect();
        for ticket in gone {
            self.timers.clear(&Timer::SelfTrade(ticket));
            if let Some(Waiting { asker, .. }) = self.waits.remove(ticket) {
                self.refuse_asker(asker, Reject::new(Code::SelfTradeWait, why), now, out);
            }
        }
    }

    fn go_on(&mut self, ticket: Ticket, now: Time, out: &mut Vec<Action>) {
        let Some(waiting) = self.waits.waiting.get(&ticket) else { return };
        let open = |id: &OrderId| self.state.orders.get(*id).is_some_and(Order::is_open);
        if waiting.before.orders.iter().any(open) {
            return;
        }
        let Some(Waiting { mut asker, before, until }) = self.waits.remove(ticket) else { return };
        if before.cut && !self.cut_by(&mut asker.intent, &before) {
            self.timers.clear(&Timer::SelfTrade(ticket));
            let reject = Reject::new(Code::SelfTradeCut, "nothing that the venue takes is left");
            return self.refuse_asker(asker, reject, now, out);
        }
        let Asker { who, session, intent, .. } = asker;
        let asked = Asked { ticket, who: &who, session, now };
        match self.submit(asked, intent, out) {
            // It waits again, for no longer than at first.
            Some(intent) => {
                let asker = Asker { ticket, who, session, intent };
                self.wait_apart(asker, Some(until), now, out);
            }
            None => self.timers.clear(&Timer::SelfTrade(ticket)),
        }
    }

    /// Takes off an order what those had left that were cancelled for it; whether it can still be sent.
    fn cut_by(&self, intent: &mut Intent, before: &Before) -> bool {
        let Intent::New { order } = intent else { return true };
        let ended = before.orders.iter().filter_map(|id| self.state.orders.get(*id));
        let unsent = |o: &&Order| o.stage.is_cancelled();
        let gone = ended.filter(unsent).map(|order| order.remaining().0.raw());
        let left = gone.fold(order.qty.0.raw(), i64::saturating_sub);
        order.qty = Qty(Decimal::from_raw(left));
        let least = self.state.instruments.get(&order.instrument).map(|terms| terms.min_qty);
        left > 0 && least.is_none_or(|least| order.qty >= least)
    }

    fn refuse_asker(&mut self, asker: Asker, reject: Reject, now: Time, out: &mut Vec<Action>) {
        let Asker { ticket, who, intent, .. } = asker;
        let refusal = Refusal::from(reject);
        self.refuse(ticket, &who, intent, refusal, now, out);
    }
}
