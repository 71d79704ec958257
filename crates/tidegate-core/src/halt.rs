//! Halts: block at once, cancel what is open, and prove by asking the venue that nothing is.

use crate::Core;
use crate::action::{Action, Answer};
use crate::orders::Order;
use crate::state::{Halt, Purpose, State};
use crate::timers::{Backoff, Timer};
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, InstrumentId, OrderId, PersonName, Ticket};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Canceller};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::{AccountSnapshot, Outcome};
use tidegate_types::text::one_line;
use tidegate_types::time::Time;

/// Why a halt stands in an order's way.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) reject: Reject,
    /// Orders that reduce a position may pass.
    pub(crate) allow_reduce: bool,
}

/// A halt that is not proven yet.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    tickets: Vec<Ticket>,
    cancelled: BTreeSet<OrderId>,
    /// What came of the last cancel of an order, where that was not its end.
    pub(crate) told: BTreeMap<OrderId, String>,
    /// No order of the scope is known to be open; the first snapshot asked for since then.
    pub(crate) clean: Option<u64>,
    /// Accounts whose venue showed none since then.
    pub(crate) proven: BTreeSet<AccountName>,
    backoff: Backoff,
}

/// Who asks for a halt.
#[derive(Debug)]
pub(crate) struct HaltOrder {
    pub(crate) ticket: Option<Ticket>,
    pub(crate) by: PersonName,
    pub(crate) scope: Scope,
    pub(crate) reason: String,
    pub(crate) allow_reduce: bool,
    pub(crate) flatten: bool,
}

/// Whether halts let a request of this caller pass; of several the strictest holds. `order` is the
/// one that it changes.
pub(crate) fn check(
    state: &State,
    who: &Authenticated,
    instrument: Option<&InstrumentId>,
    order: Option<OrderId>,
) -> Result<(), Block> {
    let mut block = None;
    for (scope, halt) in &state.halts {
        let hit = match scope {
            Scope::All | Scope::Desk { .. } => true,
            Scope::Venue { name } => name == who.venue(),
            Scope::Account { name } => name == who.account(),
            Scope::Caller { name } => name == who.caller(),
            Scope::Instrument { id } => instrument == Some(id),
            Scope::Order { id } => order == Some(*id),
        };
        if hit {
            let detail = format!("{scope}: {}", halt.reason);
            let reject = Reject::new(Code::Halted, detail);
            block = Some(Block { reject, allow_reduce: halt.allow_reduce });
            if !halt.allow_reduce {
                break;
            }
        }
    }
    block.map_or(Ok(()), Err)
}

/// Whether an order must go for the halt to be proven.
pub(crate) fn covers(scope: &Scope, halt: &Halt, order: &Order) -> bool {
    let spared =
        order.id >= halt.from && (order.closes.is_some() || halt.allow_reduce && order.reducing);
    !spared
        && match scope {
            Scope::All | Scope::Desk { .. } => true,
            Scope::Venue { name } => order.request.instrument.venue == *name,
            Scope::Account { name } => order.account == *name,
            Scope::Caller { name } => order.caller.as_ref() == Some(name),
            Scope::Instrument { id } => order.request.instrument == *id,
            Scope::Order { id } => order.id == *id,
        }
}

/// An order was put into the table or changed: a halt that was proven and covers it, though it is open,
/// is not proven any more.
pub(crate) fn turned_up(halts: &mut BTreeMap<Scope, Halt>, order: &Order) {
    for (scope, halt) in halts.iter_mut().filter(|(_, halt)| halt.proven) {
        halt.proven = !(order.is_open() && covers(scope, halt, order));
    }
}

impl Core {
    pub(crate) fn halt(&mut self, order: HaltOrder, now: Time, out: &mut Vec<Action>) {
        if let Err(detail) = self.makes_sense_to_halt(&order) {
            let reject = Reject::new(Code::BadParameter, detail);
            self.answer(order.ticket, Answer::Refused { reject }, out);
            return;
        }
        let HaltOrder { ticket, by, scope, reason, allow_reduce, flatten } = order;
        // It is shown to people, and a record holds it: nobody is refused a halt for its reason.
        let reason = one_line(&reason);
        let blocked = Reject::new(Code::Halted, format!("{scope}: {reason}"));
        let halted = Body::Halted { by: by.clone(), scope: scope.clone(), reason, allow_reduce };
        self.append(halted, now, out);
        if flatten {
            self.append(Body::Flattening { by, scope: scope.clone() }, now, out);
        }
        self.begin_flattening(&scope, ticket.filter(|_| flatten));
        let proof = self.proofs.entry(scope.clone()).or_default();
        proof.tickets.extend(ticket.filter(|_| !flatten));
        proof.clean = None;
        proof.backoff = Backoff::default();
        let dropped = |core: &Core, flight: &crate::calls::Flight| {
            let order = flight.purpose.order().and_then(|id| core.state.orders.get(id));
            let halt = core.state.halts.get(&scope);
            order.zip(halt).is_some_and(|(order, halt)| covers(&scope, halt, order))
        };
        self.hold_back(dropped, &blocked, now, out);
        self.prove(&scope, now, out);
    }

    /// Whoever waits for the proof of a halt hears that it is lifted.
    pub(crate) fn end_proof(&mut self, scope: &Scope, now: Time, out: &mut Vec<Action>) {
        let lifted =
            |what| Reject::new(Code::Halted, format!("{scope} was lifted before it was {what}"));
        for ticket in self.proofs.remove(scope).map(|proof| proof.tickets).unwrap_or_default() {
            let reject = lifted("proven");
            out.push(Action::Answer { ticket, answer: Answer::Refused { reject } });
        }
        self.stop_flattening(scope, &lifted("flat"), now, out);
    }

    /// Nothing of a halt that was lifted is left to prove.
    pub(crate) fn forget_proof(&mut self, scope: &Scope) {
        self.proofs.remove(scope);
        self.timers.clear(&Timer::Halt(scope.clone()));
    }

    /// After a restart, goes on with what was not proven.
    pub(crate) fn prove_again(&mut self, now: Time) {
        self.reopen_proofs(now);
        self.flatten_again(now);
    }

    /// Begins to prove every halt in force that is not proven: after a restart, or when an order of its
    /// scope turned up after the proof.
    pub(crate) fn reopen_proofs(&mut self, now: Time) {
        let unproven = self
            .state
            .halts
            .iter()
            .filter(|(scope, halt)| !halt.proven && !self.proofs.contains_key(*scope));
        for scope in unproven.map(|(scope, _)| scope.clone()).collect::<Vec<_>>() {
            self.proofs.entry(scope.clone()).or_default();
            self.timers.set(Timer::Halt(scope), now);
        }
    }

    /// One step of a proof: cancel what is open; when nothing is, ask every venue concerned; when
    /// all show nothing, it is proven.
    pub(crate) fn prove(&mut self, scope: &Scope, now: Time, out: &mut Vec<Action>) {
        let Some(halt) = self.state.halts.get(scope).filter(|halt| !halt.proven) else { return };
        let open = self.state.orders.open().filter(|order| covers(scope, halt, order));
        let open: Vec<OrderId> = open.map(|order| order.id).collect();
        let accounts = self.concerned(scope);
        let Some(proof) = self.proofs.get_mut(scope) else { return };
        let again = now.plus(proof.backoff.step());
        self.timers.set(Timer::Halt(scope.clone()), again);
        if !open.is_empty() {
            proof.clean = None;
            proof.cancelled.extend(&open);
            for id in open {
                self.cancel_quietly(id, Canceller::Halt { scope: scope.clone() }, now, out);
            }
            return;
        }
        if proof.clean.is_none() {
            proof.clean = Some(self.snapshots_asked);
            proof.proven.clear();
        }
        let left: Vec<_> =
            accounts.into_iter().filter(|account| !proof.proven.contains(account)).collect();
        if left.is_empty() {
            self.proven(scope, now, out);
        }
        for account in left {
            self.ask(&account, now, out);
        }
    }

    fn proven(&mut self, scope: &Scope, now: Time, out: &mut Vec<Action>) {
        let Some(proof) = self.proofs.remove(scope) else { return };
        self.timers.clear(&Timer::Halt(scope.clone()));
        self.append(Body::HaltProven { scope: scope.clone() }, now, out);
        let gone = |id: &&OrderId| {
            self.state.orders.get(**id).is_some_and(|order| order.stage.is_cancelled())
        };
        let cancelled = proof.cancelled.iter().filter(gone).count() as u64;
        self.flatten_proven(scope, cancelled, now);
        for ticket in proof.tickets {
            let answer = Answer::Halted { scope: scope.clone(), cancelled };
            out.push(Action::Answer { ticket, answer });
        }
    }

    /// An order ended, or is known to be live after all: proofs that waited for it go on.
    pub(crate) fn halts_heard(&mut self, id: OrderId, now: Time) {
        if self.proofs.is_empty() {
            return;
        }
        let Some(order) = self.state.orders.get(id) else {
            return;
        };
        let waiting = self.proofs.iter().filter(|(scope, proof)| {
            let halt = self.state.halts.get(scope);
            proof.clean.is_none() && halt.is_some_and(|halt| covers(scope, halt, order))
        });
        for scope in waiting.map(|(scope, _)| scope.clone()).collect::<Vec<_>>() {
            self.timers.set(Timer::Halt(scope), now);
        }
    }

    /// The venue showed an account in snapshot number `asked`, already folded in. It proves a halt there
    /// when it was asked after the last order was gone and shows none.
    pub(crate) fn halts_saw(
        &mut self,
        account: &AccountName,
        snapshot: &AccountSnapshot,
        asked: u64,
        now: Time,
    ) {
        let rows: Vec<_> = snapshot.orders.iter().filter(|row| row.state.is_live()).collect();
        for (scope, proof) in &mut self.proofs {
            let Some(halt) = self.state.halts.get(scope) else { continue };
            let shown = rows.iter().any(|row| {
                crate::told::find_reported(&self.state, account, row)
                    .and_then(|id| self.state.orders.get(id))
                    .is_some_and(|order| covers(scope, halt, order))
            });
            if shown {
                proof.clean = None;
                self.timers
                    .set_if_sooner(Timer::Halt(scope.clone()), now.plus(proof.backoff.step()));
            } else if proof.clean.is_some_and(|clean| clean <= asked) {
                proof.proven.insert(account.clone());
                self.timers.set(Timer::Halt(scope.clone()), now);
            }
        }
    }

    /// What came of a cancel that a halt waits for, or of an order that closes a position for one,
    /// other than success.
    pub(crate) fn halts_answered(&mut self, purpose: Purpose, outcome: &Outcome) {
        match outcome {
            Outcome::Rejected { code, message, .. } => {
                let message = one_line(message);
                self.note(purpose, &format!("the venue refused: {message} ({code})"), true);
            }
            Outcome::Unknown { why } => {
                let why = one_line(why);
                self.note(purpose, &format!("the venue's answer is missing: {why}"), false);
            }
            Outcome::Accepted { .. } | Outcome::Done => {}
        }
    }

    /// Such a request did not leave.
    pub(crate) fn halts_told(&mut self, purpose: Purpose, reject: &Reject) {
        self.note(purpose, &format!("not sent: {reject}"), false);
    }

    fn note(&mut self, purpose: Purpose, why: &str, refused: bool) {
        match purpose {
            Purpose::Cancel { order } => {
                let Some(known) = self.state.orders.get(order) else { return };
                for (scope, proof) in &mut self.proofs {
                    let halt = self.state.halts.get(scope);
                    if halt.is_some_and(|halt| covers(scope, halt, known)) {
                        proof.told.insert(order, why.to_owned());
                    }
                }
            }
            Purpose::Place { order } => self.closing_failed(order, why, refused),
            Purpose::Amend { .. } | Purpose::Set | Purpose::Query { .. } | Purpose::DeadMan => {}
        }
    }

    fn makes_sense_to_halt(&self, order: &HaltOrder) -> Result<(), String> {
        let HaltOrder { scope, allow_reduce, flatten, .. } = order;
        let whose = matches!(scope, Scope::Caller { .. } | Scope::Order { .. });
        if !self.knows(scope) {
            return Err(format!("nothing is called {scope}"));
        }
        if *flatten && whose {
            return Err(format!(
                "{scope} has no positions of its own, they are the account's: flatten an account, an \
                 instrument, a venue, the desk or all"
            ));
        }
        if *flatten && *allow_reduce {
            return Err(
                "either orders that reduce pass, or Tidegate closes the positions".to_owned()
            );
        }
        if *allow_reduce && matches!(scope, Scope::Order { .. }) {
            return Err("the halt of one order lets nothing of it pass".to_owned());
        }
        Ok(())
    }

    /// The accounts on which the scope may have orders. One without a key never had any.
    pub(crate) fn concerned(&self, scope: &Scope) -> Vec<AccountName> {
        let used = self.state.accounts.iter().filter(|(name, account)| {
            account.key.is_some()
                || account.open
                || self.state.orders.open_of(name).next().is_some()
        });
        let meant = used.filter(|(name, account)| match scope {
            Scope::All | Scope::Desk { .. } => true,
            Scope::Venue { name: venue } => account.venue == *venue,
            Scope::Account { name: one } => *name == one,
            Scope::Caller { name: caller } => {
                self.state.grant(caller, name).is_some()
                    || self
                        .state
                        .keys
                        .values()
                        .any(|k| k.key.caller == *caller && k.key.account == **name)
            }
            Scope::Instrument { id } => account.venue == id.venue,
            Scope::Order { id } => self.state.orders.get(*id).is_some_and(|o| o.account == **name),
        });
        meant.map(|(name, _)| name.clone()).collect()
    }

    fn knows(&self, scope: &Scope) -> bool {
        match scope {
            Scope::All => true,
            Scope::Desk { name } => self.state.desk.as_ref().is_some_and(|(desk, _)| desk == name),
            Scope::Venue { name } => self.state.accounts.values().any(|a| a.venue == *name),
            Scope::Account { name } => self.state.accounts.contains_key(name),
            Scope::Caller { name } => self.state.callers.contains_key(name),
            Scope::Instrument { id } => self.state.instruments.contains_key(id),
            Scope::Order { id } => self.state.orders.get(*id).is_some(),
        }
    }
}
