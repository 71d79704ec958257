//! What callers ask to have cancelled without asking again: the orders of a session when it ends,
//! and the orders that a dead-man timer is for when it lapses. Both outlive a restart, because a
//! restart ends every session and stops no clock.
//!
//! An order that is to go is doomed, which is part of the state: its cancel is tried until the
//! order has ended, also by the gateway after this one.

use crate::Core;
use crate::action::{Action, Answer};
use crate::authorize;
use crate::calls::Flight;
use crate::orders::Order;
use crate::pipeline::Asked;
use crate::refusals::Refusal;
use crate::state::State;
use crate::timers::{Backoff, Timer};
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::codec_struct;
use tidegate_types::ids::{AccountName, CallerName, InstrumentId, KeyId, OrderId, Seq, SessionId};
use tidegate_types::order::{Guard, GuardScope, NewOrder};
use tidegate_types::record::{Body, Canceller};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

/// Orders in one record, so that it stays below the longest a record may be.
const ORDERS: usize = 1000;

/// Which of a caller's orders a dead-man timer is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Countdown {
    /// Whose.
    pub caller: CallerName,
    /// On which account.
    pub account: AccountName,
    /// Of this instrument only.
    pub instrument: Option<InstrumentId>,
}
codec_struct!(Countdown { caller, account, instrument });

/// The part of the state that says when callers' orders are cancelled without their asking.
#[derive(Debug, Default)]
pub struct Guards {
    /// Sessions whose orders are cancelled when they end, and who asked for it.
    sessions: BTreeMap<SessionId, CallerName>,
    /// Callers whose later sessions are guarded, and since when.
    ever: BTreeMap<(CallerName, AccountName), Time>,
    /// The dead-man timers, and when they lapse.
    countdowns: BTreeMap<Countdown, Time>,
    /// The order cleared next, and the session that it is placed over.
    through: Option<(OrderId, SessionId)>,
}
codec_struct!(Guards { sessions, ever, countdowns, through });

impl Guards {
    /// Whether the orders placed over a session are cancelled when it ends.
    pub fn session(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// Whether a caller's later sessions are guarded.
    pub fn ever(&self, caller: &CallerName, account: &AccountName) -> bool {
        self.ever.contains_key(&(caller.clone(), account.clone()))
    }

    /// The dead-man timers that run, and when they lapse.
    pub fn countdowns(&self) -> &BTreeMap<Countdown, Time> {
        &self.countdowns
    }
}

/// Folds a record about guards in.
pub(crate) fn apply(state: &mut State, body: &Body, now: Time) {
    let guards = &mut state.guards;
    match body {
        Body::Guarded { session, caller, orders } => {
            guards.sessions.insert(*session, caller.clone());
            for id in orders {
                state.change(*id, |order| order.session = Some(*session));
            }
        }
        Body::Unguarded { session } => {
            guards.sessions.remove(session);
        }
        Body::Through { session, order } => guards.through = Some((*order, *session)),
        Body::SessionEnded { session, lost } => {
            let guarded = guards.sessions.remove(session).is_some();
            if guarded && *lost {
                doom(state, disconnected, |order| order.session == Some(*session));
            }
        }
        Body::GuardedEver { caller, account, on } => {
            let whose = (caller.clone(), account.clone());
            if *on {
                guards.ever.entry(whose).or_insert(now);
            } else {
                guards.ever.remove(&whose);
            }
        }
        Body::CountdownSet { caller, account, instrument, until } => {
            let of = countdown(caller, account, instrument.as_ref());
            match until {
                Some(until) => guards.countdowns.insert(of, *until),
                None => guards.countdowns.remove(&of),
            };
        }
        Body::CountdownLapsed { caller, account, instrument } => {
            guards.countdowns.remove(&countdown(caller, account, instrument.as_ref()));
            let lapsed = |caller: CallerName| Canceller::Countdown { caller };
            doom(state, lapsed, |order| {
                order.caller.as_ref() == Some(caller)
                    && order.account == *account
                    && instrument.as_ref().is_none_or(|i| *i == order.request.instrument)
            });
        }
        _ => {}
    }
}

/// The gateway started: every session that was there has ended.
pub(crate) fn sessions_died(state: &mut State) {
    let guarded = std::mem::take(&mut state.guards.sessions);
    state.guards.through = None;
    doom(state, disconnected, |order| order.session.is_some_and(|s| guarded.contains_key(&s)));
    let over: Vec<OrderId> =
        state.orders.iter().filter(|order| order.session.is_some()).map(|order| order.id).collect();
    for id in over {
        state.change(id, |order| order.session = None);
    }
}

/// The guarded session that an order is placed over.
pub(crate) fn over(state: &mut State, order: OrderId) -> Option<SessionId> {
    let (through, session) = state.guards.through.take()?;
    (through == order).then_some(session)
}

fn doom(state: &mut State, by: impl Fn(CallerName) -> Canceller, which: impl Fn(&Order) -> bool) {
    let meant = state.orders.open().filter(|order| which(order));
    let meant = meant.filter_map(|order| Some((order.id, order.caller.clone()?)));
    for (id, caller) in meant.collect::<Vec<_>>() {
        state.change(id, |order| {
            order.doom.get_or_insert_with(|| by(caller));
        });
    }
}

fn disconnected(caller: CallerName) -> Canceller {
    Canceller::Disconnect { caller }
}

fn countdown(
    caller: &CallerName,
    account: &AccountName,
    instrument: Option<&InstrumentId>,
) -> Countdown {
    Countdown { caller: caller.clone(), account: account.clone(), instrument: instrument.cloned() }
}

/// The orders of each session that are not on record as such, because it is not guarded.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    orders: BTreeMap<SessionId, Vec<OrderId>>,
}

/// The orders that are to go.
#[derive(Debug, Default)]
pub(crate) struct Doomed {
    orders: BTreeSet<OrderId>,
    backoff: Backoff,
}

impl Core {
    /// Takes a caller's word for when its orders are to be cancelled; answered once durable.
    ///
    /// Nothing is sent, so it takes no token of the caller's: a bot at its order rate must still be
    /// able to keep its dead-man timer from lapsing. What it may ask a second is bounded before the
    /// core.
    pub(crate) fn guard(
        &mut self,
        asked: Asked<'_>,
        guard: &Guard,
        out: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        self.can_write()?;
        let Asked { ticket, who, session, now } = asked;
        let (caller, account) = (who.caller().clone(), who.account().clone());
        let seq = match guard {
            Guard::Disconnect { scope: GuardScope::Session, on } => {
                authorize::guard(&self.state, who, None, now)?;
                let what = "cancel on disconnect is a session's";
                let session = session.ok_or_else(|| Reject::new(Code::NeedsWebSocket, what))?;
                match (on, self.state.guards.session(session)) {
                    (true, false) => Some(self.guard_session(session, caller, now, out)),
                    (false, true) => Some(self.append(Body::Unguarded { session }, now, out)),
                    (true, true) | (false, false) => None,
                }
            }
            Guard::Disconnect { scope: GuardScope::Account, on } => {
                authorize::guard(&self.state, who, None, now)?;
                Some(self.append(Body::GuardedEver { caller, account, on: *on }, now, out))
            }
            Guard::Countdown { instrument, after } => {
                authorize::guard(&self.state, who, instrument.as_ref(), now)?;
                let of = countdown(&caller, &account, instrument.as_ref());
                let until = after.map(|after: Span| now.plus(after));
                let instrument = instrument.clone();
                let body = Body::CountdownSet { caller, account, instrument, until };
                // Each is a record, so that the time that is left is known after a restart.
                let seq = self.append(body, now, out);
                match until {
                    Some(until) => self.timers.set(Timer::Countdown(of), until),
                    None => self.timers.clear(&Timer::Countdown(of)),
                }
                Some(seq)
            }
        };
        match seq {
            Some(seq) => self.answer_when_durable(seq, ticket, Answer::Done),
            None => out.push(Action::Answer { ticket, answer: Answer::Done }),
        }
        Ok(())
    }

    /// A caller logged in; maybe it wants every session guarded.
    pub(crate) fn logged_in(
        &mut self,
        caller: CallerName,
        key: KeyId,
        session: Option<SessionId>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let account = self.state.keys.get(&key).map(|key| key.key.account.clone());
        let guarded = account.is_some_and(|account| self.state.guards.ever(&caller, &account));
        self.append(Body::LoggedIn { caller: caller.clone(), key }, now, out);
        if let Some(session) = session.filter(|s| guarded && !self.state.guards.session(*s)) {
            self.guard_session(session, caller, now, out);
        }
    }

    /// A session ended: nothing more comes over it.
    pub(crate) fn session_ended(
        &mut self,
        session: SessionId,
        lost: bool,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.sessions.orders.remove(&session);
        self.apart_session_ended(session, now, out);
        if self.state.guards.session(session) {
            self.append(Body::SessionEnded { session, lost }, now, out);
            self.take_doomed(now, out);
        }
    }

    /// Takes note of the session that the order cleared next is placed over: on record where it
    /// matters, so that a session that ends with the gateway takes its orders along.
    pub(crate) fn placed_over(
        &mut self,
        session: Option<SessionId>,
        order: OrderId,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(session) = session else { return };
        if self.state.guards.session(session) {
            self.append(Body::Through { session, order }, now, out);
            return;
        }
        let orders = self.sessions.orders.entry(session).or_default();
        if orders.len() >= 64 && orders.len().is_power_of_two() {
            orders.retain(|id| self.state.orders.get(*id).is_some_and(Order::is_open));
        }
        orders.push(order);
    }

    /// A caller's dead-man timer is over.
    pub(crate) fn lapse(&mut self, of: Countdown, now: Time, out: &mut Vec<Action>) {
        match self.state.guards.countdowns.get(&of) {
            Some(until) if *until <= now => {}
            Some(until) => return self.timers.set(Timer::Countdown(of), *until),
            None => return,
        }
        let Countdown { caller, account, instrument } = of;
        let is_meant = |order: &NewOrder| {
            instrument.as_ref().is_none_or(|instrument| *instrument == order.instrument)
        };
        self.apart_cancelled((&caller, &account), is_meant, now, out);
        self.append(Body::CountdownLapsed { caller, account, instrument }, now, out);
        self.take_doomed(now, out);
    }

    /// After a restart: goes on with the timers that run, and with what was to go.
    pub(crate) fn guard_again(&mut self, now: Time) {
        let running = self.state.guards.countdowns.iter();
        for (of, until) in running.map(|(of, until)| (of.clone(), *until)).collect::<Vec<_>>() {
            self.timers.set(Timer::Countdown(of), until.max(now));
        }
        self.find_doomed();
        self.timers.set(Timer::Doomed, now);
    }

    /// One more try to cancel what is to go.
    pub(crate) fn sweep(&mut self, now: Time, out: &mut Vec<Action>) {
        let state = &self.state;
        self.doomed.orders.retain(|id| state.orders.get(*id).is_some_and(Order::is_open));
        if self.doomed.orders.is_empty() {
            self.doomed.backoff = Backoff::default();
            return self.timers.clear(&Timer::Doomed);
        }
        self.timers.set(Timer::Doomed, now.plus(self.doomed.backoff.step()));
        for id in self.doomed.orders.clone() {
            if let Some(by) = self.state.orders.get(id).and_then(|order| order.doom.clone()) {
                self.cancel_quietly(id, by, now, out);
            }
        }
    }

    /// The venue's word about an order is final for now: if it is to go, the time to ask is now.
    pub(crate) fn doomed_heard(&mut self, id: OrderId, now: Time) {
        if self.doomed.orders.contains(&id) {
            self.timers.set(Timer::Doomed, now);
        }
    }

    /// An order that was taken for dead before it could be cancelled may be live after all.
    pub(crate) fn doomed_back(&mut self, id: OrderId, now: Time) {
        let order = self.state.orders.get(id);
        if order.is_some_and(|order| order.is_open() && order.doom.is_some())
            && self.doomed.orders.insert(id)
        {
            self.timers.set(Timer::Doomed, now);
        }
    }

    fn guard_session(
        &mut self,
        session: SessionId,
        caller: CallerName,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Seq {
        let mut orders = self.sessions.orders.remove(&session).unwrap_or_default();
        orders.retain(|id| self.state.orders.get(*id).is_some_and(Order::is_open));
        while orders.len() > ORDERS {
            let orders = orders.split_off(orders.len() - ORDERS);
            self.append(Body::Guarded { session, caller: caller.clone(), orders }, now, out);
        }
        self.append(Body::Guarded { session, caller, orders }, now, out)
    }

    /// A rule on repeated executions stopped strategies: what has not left of theirs does not, and what is open is
    /// cancelled.
    pub(crate) fn watch_throttles(&mut self, now: Time, out: &mut Vec<Action>) {
        let throttled = std::mem::take(&mut self.state.throttled);
        if throttled.is_empty() || !self.running {
            return;
        }
        for rule in throttled {
            let detail = format!("rule {rule} stopped it: it executed too often");
            let reject = Reject::new(Code::RepeatedExecutions, detail);
            let by = Canceller::Throttle { rule };
            let stopped = |core: &Core, flight: &Flight| {
                let order = flight.purpose.order().and_then(|id| core.state.orders.get(id));
                order.is_some_and(|order| order.doom.as_ref() == Some(&by))
            };
            self.hold_back(stopped, &reject, now, out);
        }
        self.take_doomed(now, out);
    }

    pub(crate) fn take_doomed(&mut self, now: Time, out: &mut Vec<Action>) {
        self.find_doomed();
        self.doomed.backoff = Backoff::default();
        self.sweep(now, out);
    }

    fn find_doomed(&mut self) {
        let doomed = self.state.orders.open().filter(|order| order.doom.is_some());
        self.doomed.orders.extend(doomed.map(|order| order.id));
    }
}
