//! A journal decided again: each order and amend on record is put before the gates once more, in the state
//! that the records before it lead to. By the same rules the answer must be the same, bit for bit.
//!
//! What is folded in is what happened, whatever the gates say now: how a market would have answered orders
//! that were never sent, nobody knows.

mod peak;
mod request;
mod stress;
mod used;

pub use peak::{Busiest, Peak};
pub use request::Request;
pub use stress::Strain;
pub use used::{LimitName, Used};

use crate::Core;
use crate::action::Action;
use crate::event::Event;
use crate::pipeline::Asked;
use crate::story::belongs_to_next;
use tidegate_types::ids::{AccountName, CallerName, Seq, Ticket};
use tidegate_types::order::{Intent, NewOrder};
use tidegate_types::policy::Policy;
use tidegate_types::record::{Body, Change, Decision, RULES, Record};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// What the gates made of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It passes, as this order.
    Cleared {
        /// The order, or what an amend makes of one.
        order: Box<NewOrder>,
        /// The numbers.
        decision: Box<Decision>,
    },
    /// It does not.
    Refused {
        /// Why.
        reject: Reject,
        /// The numbers, as far as they were reached.
        decision: Box<Decision>,
    },
}

impl Verdict {
    /// The numbers.
    pub fn decision(&self) -> &Decision {
        match self {
            Verdict::Cleared { decision, .. } | Verdict::Refused { decision, .. } => decision,
        }
    }

    /// Why it does not pass.
    pub fn reject(&self) -> Option<&Reject> {
        match self {
            Verdict::Cleared { .. } => None,
            Verdict::Refused { reject, .. } => Some(reject),
        }
    }

    fn is_cleared(&self) -> bool {
        self.reject().is_none()
    }
}

/// A request that is decided otherwise now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The record of what was decided.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// Who asked.
    pub caller: CallerName,
    /// On which account.
    pub account: AccountName,
    /// What the record says.
    pub was: Verdict,
    /// What the gates say now.
    pub now: Verdict,
}

/// What came of deciding a record again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Again {
    /// The record is of no order or amend.
    Nothing,
    /// It is decided the same.
    Same,
    /// It is not.
    Other(Box<Difference>),
    /// It was decided from something that no record holds.
    Unknowable(&'static str),
}

/// A core that decides again; it has no way out to be one that trades.
#[derive(Debug)]
pub struct Rehearsal {
    core: Core,
    /// Records that stand before the one they belong to; what that one says was decided before them.
    before: Vec<(Seq, Record)>,
    tickets: u64,
    /// Another policy is in force than the journal says.
    another: bool,
}

impl Rehearsal {
    /// One that goes on from where a core is.
    pub fn new(core: Core) -> Rehearsal {
        Rehearsal { core, before: Vec::new(), tickets: 0, another: false }
    }

    /// One where this policy is in force from now on, whatever the records say. What counts over time, counts
    /// what happens from here on.
    pub fn under(core: Core, policy: Policy) -> Rehearsal {
        let mut rehearsal = Rehearsal { another: true, ..Rehearsal::new(core) };
        let (state, policy) = (&mut rehearsal.core.state, Box::new(policy));
        let now = state.at;
        crate::policy::apply(state, &Change::PolicySet { policy }, now);
        rehearsal
    }

    /// The state that the records so far led to.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Folds a record in without deciding it.
    pub fn fold(&mut self, seq: Seq, record: &Record) {
        self.fold_before();
        let held = (self.another && may_set_policy(&record.body))
            .then(|| self.core.state.policies.clone());
        self.core.replay(seq, record);
        if let Some(held) = held
            && held.in_force() != self.core.state.policies.in_force()
        {
            self.core.state.policies = held;
            self.core.state.follow_where_due();
        }
    }

    /// Decides a record again, and folds it in.
    pub fn again(&mut self, seq: Seq, record: &Record) -> Again {
        if belongs_to_next(&record.body) {
            self.before.push((seq, record.clone()));
            return Again::Nothing;
        }
        let again = self.compare(seq, record);
        self.fold(seq, record);
        again
    }

    /// What the gates make of a request in the state as it is; `None` where they decide nothing: of cancels
    /// and settings, and on an account that is not known.
    pub fn decide(&self, request: &Request, now: Time) -> Option<Verdict> {
        let who = request.who(self.core.state(), now)?;
        let cleared = match &request.intent {
            Intent::New { order } => {
                self.core.clear_order(&who, order, now).map(|(cleared, _)| cleared)
            }
            Intent::Amend { amend } => self.core.clear_amend(&who, amend, now),
            Intent::Cancel { .. }
            | Intent::CancelMany { .. }
            | Intent::Set { .. }
            | Intent::Guard { .. } => return None,
        };
        let asked = Asked { ticket: Ticket(self.tickets), who: &who, session: None, now };
        let apart = |cleared| self.core.refused_apart(asked, &cleared).map(|()| cleared);
        Some(match cleared.and_then(apart) {
            Ok(cleared) => {
                let (order, _, decision) = cleared.into_parts();
                Verdict::Cleared { order: Box::new(order), decision: Box::new(decision) }
            }
            Err(refusal) => Verdict::Refused { reject: refusal.reject, decision: refusal.decision },
        })
    }

    /// Puts a request through the whole core, records and all, as if it came now.
    pub fn submit(&mut self, request: &Request, now: Time, out: &mut Vec<Action>) {
        let Some(who) = request.who(self.core.state(), now) else { return };
        self.core.running = true;
        self.tickets += 1;
        let asked = Asked { ticket: Ticket(self.tickets), who: &who, session: None, now };
        // What must wait for the cancels of other orders is decided when those are, in the rehearsal as well.
        let _waits = self.core.submit(asked, request.intent.clone(), out);
    }

    /// Tells the core what happened outside.
    pub fn tell(&mut self, event: Event, now: Time, out: &mut Vec<Action>) {
        self.core.handle(event, now, out);
    }

    /// Whether two verdicts are the same: bit for bit by the same rules, else as far as what passes.
    fn is_same(&self, was: &Verdict, now: &Verdict) -> bool {
        if was.decision().rules == RULES && !self.another {
            return was == now;
        }
        was.is_cleared() == now.is_cleared()
    }

    fn fold_before(&mut self) {
        for (seq, record) in std::mem::take(&mut self.before) {
            self.core.replay(seq, &record);
        }
    }

    fn compare(&self, seq: Seq, record: &Record) -> Again {
        let Some((request, was)) = Request::of(self.core.state(), &self.before, record) else {
            return Again::Nothing;
        };
        let Some(now) = self.decide(&request, record.at) else { return Again::Nothing };
        if self.is_same(&was, &now) {
            return Again::Same;
        }
        if let Some(why) = was.reject().and_then(|reject| unrecorded(reject.code, &request)) {
            return Again::Unknowable(why);
        }
        let Request { caller, account, .. } = request;
        Again::Other(Box::new(Difference { seq, at: record.at, caller, account, was, now }))
    }
}

/// Whether a record may put a policy in force, or take it away.
fn may_set_policy(body: &Body) -> bool {
    match body {
        Body::Changed { change, .. } => {
            matches!(
                change,
                Change::PolicySet { .. }
                    | Change::PolicyRemoved
                    | Change::PolicyPut { .. }
                    | Change::PolicyTaken { .. }
            )
        }
        Body::ApprovalEnded { .. } => true,
        _ => false,
    }
}

/// Why a refusal cannot be found again from the records.
fn unrecorded(code: Code, request: &Request) -> Option<&'static str> {
    match code.number() {
        100..200 => Some("what the caller showed is not on record"),
        403 => Some("how many requests were on their way is not on record"),
        405..410 | 600.. => {
            Some("the journal's, the signer's or the venue's room is not on record")
        }
        570..573 => {
            Some("which of the owner's orders were being cancelled for it is not on record")
        }
        514 => Some("that a later request overtook it is not on record"),
        _ if request.token.is_some() => Some("what its token allowed is less than its app's grant"),
        _ => None,
    }
}
