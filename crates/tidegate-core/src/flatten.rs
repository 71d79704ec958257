//! Closing the positions of a halt. Once the venue has shown that nothing of the scope is open, each
//! position gets an order that closes it, one at a time, until the venue shows no position either.
//! The orders are on record first like any other, are Tidegate's own, and pass the halts that were
//! there before; a halt that comes later, without closing positions itself, stops them, and so does
//! `resume`.

mod way;

use crate::Core;
use crate::action::{Action, Answer};
use crate::orders::{Ending, Stage};
use crate::risk;
use crate::state::{Flatten, Halt, Purpose, State};
use crate::timers::{Backoff, Timer};
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, InstrumentId, OrderId, Ticket};
use tidegate_types::instrument::{Kind, SignedQty};
use tidegate_types::order::Side;
use tidegate_types::record::Body;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::{AccountSnapshot, PositionReport};
use tidegate_types::time::Time;
use way::Way;

/// How often the way to the collar's edge is halved at most, when the venue refuses what is there.
const CLOSEST: u32 = 3;

/// What is known of a halt whose positions are being closed, besides its records.
#[derive(Debug, Default)]
pub(crate) struct Flattening {
    tickets: Vec<Ticket>,
    /// How many orders the halt cancelled.
    cancelled: u64,
    tries: BTreeMap<(AccountName, InstrumentId), Try>,
    /// No position of the scope is known; the first snapshot asked for since then.
    clean: Option<u64>,
    /// Accounts whose venue showed none since then.
    proven: BTreeSet<AccountName>,
    backoff: Backoff,
}

/// How closing one position goes.
#[derive(Debug, Default)]
struct Try {
    order: Option<OrderId>,
    not_before: Time,
    backoff: Backoff,
    closeness: u32,
    why: String,
    way: Option<Way>,
}

impl Flattening {
    /// Why a position is not closed yet.
    pub(crate) fn why(&self, account: &AccountName, instrument: &InstrumentId) -> Option<&str> {
        let one = self.tries.get(&(account.clone(), instrument.clone()))?;
        Some(one.why.as_str()).filter(|why| !why.is_empty())
    }
}

/// Whether a position is one of the scope's.
fn reaches(scope: &Scope, account: &AccountName, instrument: &InstrumentId) -> bool {
    match scope {
        Scope::All | Scope::Desk { .. } => true,
        Scope::Venue { name } => instrument.venue == *name,
        Scope::Account { name } => account == name,
        Scope::Instrument { id } => instrument == id,
        Scope::Caller { .. } | Scope::Order { .. } => false,
    }
}

/// The positions of a scope, as they are counted: short ones first, because a bought option may be
/// what covers them.
pub(crate) fn held(state: &State, scope: &Scope) -> Vec<(AccountName, InstrumentId, SignedQty)> {
    let held = state.positions.iter();
    let held = held.filter(|(account, instrument, _)| reaches(scope, account, instrument));
    let mut held: Vec<_> = held.map(|(a, i, qty)| (a.clone(), i.clone(), qty)).collect();
    held.sort_by_key(|(_, _, qty)| qty.0.is_positive());
    held
}

/// What forbids to close a position for the halt of `scope` now.
fn barred(
    state: &State,
    scope: &Scope,
    halt: &Halt,
    account: &AccountName,
    instrument: &InstrumentId,
) -> Result<(), Reject> {
    let later = state.halts.iter().find(|(other, later)| {
        later.number > halt.number
            && later.flatten.is_none()
            && !later.allow_reduce
            && *other != scope
            && reaches(other, account, instrument)
    });
    if let Some((other, later)) = later {
        let detail = format!("{other} was halted after {scope}: {}", later.reason);
        return Err(Reject::new(Code::Halted, detail));
    }
    match covered_by(state, account, instrument) {
        Some(other) => {
            let detail = format!("{instrument} may cover {other}, which is to be closed first");
            Err(Reject::new(Code::NotReducing, detail))
        }
        None => Ok(()),
    }
}

/// A position on the same index that a bought option may cover.
fn covered_by(
    state: &State,
    account: &AccountName,
    instrument: &InstrumentId,
) -> Option<InstrumentId> {
    let option = |id: &InstrumentId| {
        state.instruments.get(id).filter(|terms| matches!(terms.kind, Kind::Option { .. }))
    };
    let position = |id| state.positions.book(account, id).position;
    let own = option(instrument).filter(|_| position(instrument) > 0)?;
    let mut others = state.positions.books(account).filter(|(id, book)| {
        let same = state.instruments.get(*id).is_none_or(|other| other.index == own.index);
        same && book.position != 0 && !(option(id).is_some() && book.position > 0)
    });
    others.next().map(|(id, _)| id.clone())
}

impl Core {
    /// A halt was pulled: whoever waits for its positions to be closed waits from now on.
    pub(crate) fn begin_flattening(&mut self, scope: &Scope, ticket: Option<Ticket>) {
        if self.is_closing(scope) {
            let flattening = self.flattenings.entry(scope.clone()).or_default();
            flattening.tickets.extend(ticket);
            flattening.clean = None;
            flattening.backoff = Backoff::default();
        }
    }

    /// The halt is proven: if its positions are to be closed, that begins.
    pub(crate) fn flatten_proven(&mut self, scope: &Scope, cancelled: u64, now: Time) {
        if self.is_closing(scope) {
            self.flattenings.entry(scope.clone()).or_default().cancelled += cancelled;
            self.timers.set(Timer::Flatten(scope.clone()), now);
        }
    }

    /// After a restart: goes on with what was being closed.
    pub(crate) fn flatten_again(&mut self, now: Time) {
        for scope in self.state.halts.keys().cloned().collect::<Vec<_>>() {
            self.begin_flattening(&scope, None);
            if self.flattenings.contains_key(&scope) {
                self.timers.set(Timer::Flatten(scope), now);
            }
        }
    }

    /// The halt is lifted: what has not left never does.
    pub(crate) fn stop_flattening(
        &mut self,
        scope: &Scope,
        lifted: &Reject,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(flattening) = self.flattenings.remove(scope) else { return };
        self.timers.clear(&Timer::Flatten(scope.clone()));
        let own = |core: &Core, flight: &crate::calls::Flight| match flight.purpose {
            Purpose::Place { order } => {
                let order = core.state.orders.get(order);
                order.is_some_and(|order| order.closes.as_ref() == Some(scope))
            }
            _ => false,
        };
        self.hold_back(own, lifted, now, out);
        for ticket in flattening.tickets {
            let answer = Answer::Refused { reject: lifted.clone() };
            out.push(Action::Answer { ticket, answer });
        }
    }

    /// One step: an order for each position that has none on its way and whose time to try has come;
    /// when there is no position left, every venue concerned is asked.
    pub(crate) fn flatten(&mut self, scope: &Scope, now: Time, out: &mut Vec<Action>) {
        let proven = self.state.halts.get(scope).is_some_and(|halt| halt.proven);
        if !proven || !self.is_closing(scope) {
            return;
        }
        let held = held(&self.state, scope);
        let Some(flattening) = self.flattenings.get_mut(scope) else { return };
        let mut again = now.plus(flattening.backoff.step());
        let closing = self.state.orders.open().any(|o| o.closes.as_ref() == Some(scope));
        if held.is_empty() && !closing {
            self.timers.set(Timer::Flatten(scope.clone()), again);
            return self.prove_flat(scope, now, out);
        }
        flattening.clean = None;
        for (account, instrument, _) in held {
            let of = (account, instrument);
            let waits = self.flattenings.get(scope).and_then(|f| f.tries.get(&of));
            let waits = waits.map(|one| one.not_before).filter(|until| *until > now);
            match waits {
                Some(until) => again = again.min(until),
                None => again = again.min(self.close(scope, of, now, out).unwrap_or(again)),
            }
        }
        self.timers.set(Timer::Flatten(scope.clone()), again);
    }

    /// Sends an order that closes a position; or when to try again.
    fn close(
        &mut self,
        scope: &Scope,
        of: (AccountName, InstrumentId),
        now: Time,
        out: &mut Vec<Action>,
    ) -> Option<Time> {
        let (account, instrument) = of.clone();
        let mut open = self.state.orders.open_of(&account);
        if open.any(|order| order.closes.is_some() && order.request.instrument == instrument) {
            return None;
        }
        drop(open);
        let closeness = self.flattenings.get(scope).and_then(|f| f.tries.get(&of));
        let closeness = closeness.map_or(0, |one| one.closeness);
        let sent = self.try_to_close(scope, &account, &instrument, closeness, now, out);
        let one = self.flattenings.get_mut(scope)?.tries.entry(of).or_default();
        match sent {
            Ok(order) => {
                one.order = Some(order);
                None
            }
            Err(reject) => {
                one.why = reject.to_string();
                one.not_before = match &one.way {
                    Some(way) if way.until > now => way.until,
                    _ => now.plus(one.backoff.step()),
                };
                Some(one.not_before)
            }
        }
    }

    fn try_to_close(
        &mut self,
        scope: &Scope,
        account: &AccountName,
        instrument: &InstrumentId,
        closeness: u32,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<OrderId, Reject> {
        self.can_write().map_err(|refusal| refusal.reject)?;
        let lifted = || Reject::new(Code::BadParameter, format!("no halt of {scope} is in force"));
        let halt = self.state.halts.get(scope).ok_or_else(lifted)?;
        barred(&self.state, scope, halt, account, instrument)?;
        let cleared = risk::clear_closing(&self.state, account, instrument, closeness, now)?;
        self.clear_the_way(scope, account, cleared.order(), now, out)?;
        let order = self.state.next_order;
        let journalled = self.journal_closing(cleared, scope.clone(), account.clone(), now, out)?;
        self.sign(journalled, None, now, out);
        Ok(order)
    }

    /// An order that closes a position was refused, or its answer is missing.
    pub(crate) fn closing_failed(&mut self, order: OrderId, why: &str, refused: bool) {
        let Some(one) = self.try_of(order) else { return };
        why.clone_into(&mut one.why);
        if refused {
            // Venues have price bands of their own: the next one stays nearer to the mark.
            one.closeness = (one.closeness + 1) % (CLOSEST + 1);
        }
    }

    /// Something was heard about an order. One that closed a part of a position is followed by the
    /// next at once; one that did not, after a while.
    pub(crate) fn closing_heard(&mut self, id: OrderId, now: Time, out: &mut Vec<Action>) {
        let Some(order) = self.state.orders.get(id) else { return };
        let (Some(scope), Stage::Done { how }) = (order.closes.clone(), order.stage) else {
            return;
        };
        let (traded, price) = (order.filled.0.is_positive(), order.request.price);
        let (account, instrument) = (order.account.clone(), order.request.instrument.clone());
        if let Some(one) = self.try_of(id) {
            one.order = None;
            if traded {
                *one = Try { closeness: one.closeness, way: one.way.take(), ..Try::default() };
            } else {
                if how.is_cancelled() {
                    let at = price.unwrap_or_default();
                    one.why = format!("nobody trades {instrument} at {at} or better");
                }
                one.not_before = now.plus(one.backoff.step());
            }
            if how == Ending::Rejected {
                // The position may not be what it is taken for.
                self.ask(&account, now, out);
            }
        }
        if self.flattenings.contains_key(&scope) {
            self.timers.set(Timer::Flatten(scope), now);
        }
    }

    /// The venue showed an account in snapshot number `asked`, already folded in.
    pub(crate) fn flattenings_saw(
        &mut self,
        account: &AccountName,
        snapshot: &AccountSnapshot,
        asked: u64,
        now: Time,
    ) {
        for (scope, flattening) in &mut self.flattenings {
            if flattening.clean.is_none_or(|clean| clean > asked) {
                continue;
            }
            let mut shown = snapshot.positions.iter();
            if shown.any(|p| !p.qty.0.is_zero() && reaches(scope, account, &p.instrument)) {
                flattening.clean = None;
                let again = now.plus(flattening.backoff.step());
                self.timers.set_if_sooner(Timer::Flatten(scope.clone()), again);
            } else {
                flattening.proven.insert(account.clone());
                self.timers.set(Timer::Flatten(scope.clone()), now);
            }
        }
    }

    fn prove_flat(&mut self, scope: &Scope, now: Time, out: &mut Vec<Action>) {
        let accounts = self.concerned(scope);
        let Some(flattening) = self.flattenings.get_mut(scope) else { return };
        if flattening.clean.is_none() {
            flattening.clean = Some(self.snapshots_asked);
            flattening.proven.clear();
        }
        let left: Vec<_> =
            accounts.into_iter().filter(|name| !flattening.proven.contains(name)).collect();
        if left.is_empty() {
            return self.flat(scope, now, out);
        }
        for account in left {
            self.ask(&account, now, out);
        }
    }

    fn flat(&mut self, scope: &Scope, now: Time, out: &mut Vec<Action>) {
        let Some(Flattening { tickets, cancelled, .. }) = self.flattenings.remove(scope) else {
            return;
        };
        self.timers.clear(&Timer::Flatten(scope.clone()));
        self.append(Body::Flattened { scope: scope.clone() }, now, out);
        let closed = self.closed(scope);
        for ticket in tickets {
            let (scope, closed) = (scope.clone(), closed.clone());
            let answer = Answer::Flattened { scope, cancelled, closed };
            out.push(Action::Answer { ticket, answer });
        }
    }

    /// What was traded to close positions since the halt.
    pub(crate) fn closed(&self, scope: &Scope) -> Vec<PositionReport> {
        let halt = self.state.halts.get(scope).filter(|halt| halt.flatten.is_some());
        let Some(halt) = halt else { return Vec::new() };
        let own = self.state.orders.since(halt.from).filter(|o| o.closes.as_ref() == Some(scope));
        let mut sums: BTreeMap<&InstrumentId, i64> = BTreeMap::new();
        for order in own {
            let filled = order.filled.0.raw();
            let sum = sums.entry(&order.request.instrument).or_default();
            *sum = match order.request.side {
                Side::Buy => sum.saturating_add(filled),
                Side::Sell => sum.saturating_sub(filled),
            };
        }
        let told = sums.into_iter().filter(|(_, sum)| *sum != 0).map(|(instrument, sum)| {
            let qty = SignedQty(Decimal::from_raw(sum));
            PositionReport { instrument: instrument.clone(), qty, entry: None }
        });
        told.collect()
    }

    fn is_closing(&self, scope: &Scope) -> bool {
        let halt = self.state.halts.get(scope);
        halt.is_some_and(|halt| halt.flatten == Some(Flatten::Closing))
    }

    /// The try that an order is, while it is the last one of its position.
    fn try_of(&mut self, id: OrderId) -> Option<&mut Try> {
        let order = self.state.orders.get(id)?;
        let of = (order.account.clone(), order.request.instrument.clone());
        let one = self.flattenings.get_mut(order.closes.as_ref()?)?.tries.get_mut(&of)?;
        (one.order == Some(id)).then_some(one)
    }
}
