//! Records: made, folded in, and handed out to be written. A request that passed its gates becomes
//! a record here, and the record's number is what it is signed under.

use crate::action::Action;
use crate::refusals::Refusal;
use crate::risk::{Cleared, ClearedSetting};
use crate::state::Purpose;
use crate::{Core, emergency};
use std::collections::VecDeque;
use tidegate_types::call::{Call, CallBody, Warrant};
use tidegate_types::codec::Octets;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{
    AccountName, CallId, CallerName, ClientId, InstrumentId, OrderId, Seq, SessionId,
};
use tidegate_types::instrument::Qty;
use tidegate_types::limits::ORDER_DEADLINE;
use tidegate_types::options::OptionFigures;
use tidegate_types::order::{AmendOrder, Setting};
use tidegate_types::proof::{Authenticated, Evidence};
use tidegate_types::record::{Body, Canceller, Decision, RULES, Record};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

/// Most records kept back while the journal cannot be written; later ones are counted only.
const MAX_HELD: usize = 65_536;

/// Records that could not be written yet.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) failed: Option<String>,
    records: VecDeque<Record>,
    dropped: u64,
}

/// Proof that a request is on record. Made here alone.
#[derive(Debug)]
pub(crate) struct Journalled {
    call: Call,
    purpose: Purpose,
    warrant: Warrant,
    asked: Option<AskedBy>,
}

/// Who asked for what is on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskedBy {
    /// Which caller.
    pub caller: CallerName,
    /// When its request came in, where that is known.
    pub came: Option<Time>,
}

impl Journalled {
    /// The request's number.
    pub(crate) fn call(&self) -> CallId {
        self.call.id
    }

    pub(crate) fn into_parts(self) -> (Call, Purpose, Warrant, Option<AskedBy>) {
        (self.call, self.purpose, self.warrant, self.asked)
    }

    /// It is sent because this caller asked for it, or for what takes it.
    fn asked_by(self, who: &Authenticated) -> Journalled {
        let asked = AskedBy { caller: who.caller().clone(), came: who.came() };
        Journalled { asked: Some(asked), ..self }
    }
}

impl Core {
    /// Folds a record in and hands it out.
    pub(crate) fn append(&mut self, body: Body, now: Time, out: &mut Vec<Action>) -> Seq {
        let record = Record { at: now, body };
        crate::apply::apply(&mut self.state, &record, self.settings.max_done_orders);
        self.reopen_proofs(now);
        let seq = self.next;
        if self.held.failed.is_none() {
            self.next = seq.next();
            out.push(Action::Append { seq, record: Box::new(record) });
            return seq;
        }
        if let Some(act) = emergency::of(&self.state, &record.body) {
            out.push(Action::Keep { at: now, act });
        }
        if self.held.records.len() < MAX_HELD {
            self.held.records.push_back(record);
        } else {
            self.held.dropped += 1;
        }
        seq
    }

    pub(crate) fn journal_restored(&mut self, out: &mut Vec<Action>) {
        self.held.failed = None;
        for record in std::mem::take(&mut self.held.records) {
            out.push(Action::Append { seq: self.next, record: Box::new(record) });
            self.next = self.next.next();
        }
    }

    /// How many records are kept back, and how many were lost beyond that.
    pub fn held(&self) -> (usize, u64) {
        (self.held.records.len(), self.held.dropped)
    }

    pub(crate) fn can_write(&self) -> Result<(), Refusal> {
        match &self.held.failed {
            None if self.running => Ok(()),
            None => Err(Reject::new(Code::JournalUnavailable, "the gateway is starting").into()),
            Some(why) => Err(Reject::new(Code::JournalUnavailable, why.as_str()).into()),
        }
    }

    pub(crate) fn journal_order(
        &mut self,
        cleared: Cleared,
        who: &Authenticated,
        session: Option<SessionId>,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<Journalled, Refusal> {
        let figures = cleared.options();
        let (request, _, decision) = cleared.into_parts();
        let (order, call) = (self.state.next_order, self.state.next_call);
        let client_id = client_id(&self.state.epoch, order)?;
        let deadline = deadline(request.valid_until, now);
        self.note_figures(order, figures, now, out);
        self.placed_over(session, order, now, out);
        let purpose = Purpose::Place { order };
        let account = who.account().clone();
        let body =
            CallBody::Place { order: request.clone(), client_id: client_id.clone(), deadline };
        self.note_proof(who, now, out);
        let seq = self.append(
            Body::Cleared {
                order,
                call,
                caller: who.caller().clone(),
                account: account.clone(),
                client_id,
                deadline,
                request,
                decision,
            },
            now,
            out,
        );
        let journalled = journalled(call, account, body, purpose, Warrant::Journalled { seq });
        Ok(journalled.asked_by(who))
    }

    /// Puts on record by which numbers the order or amend that follows passed the limits of options.
    fn note_figures(
        &mut self,
        order: OrderId,
        figures: Option<OptionFigures>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if let Some(figures) = figures {
            self.append(Body::OptionsWeighed { order, figures }, now, out);
        }
    }

    /// An order of Tidegate's own that closes a position for the halt of `scope`.
    pub(crate) fn journal_closing(
        &mut self,
        cleared: Cleared,
        scope: Scope,
        account: AccountName,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<Journalled, Reject> {
        let (request, _, decision) = cleared.into_parts();
        let (order, call) = (self.state.next_order, self.state.next_call);
        let client_id = client_id(&self.state.epoch, order)?;
        let deadline = deadline(None, now);
        let body =
            CallBody::Place { order: request.clone(), client_id: client_id.clone(), deadline };
        let record = Body::ClosingCleared {
            order,
            call,
            scope,
            account: account.clone(),
            client_id,
            deadline,
            request,
            decision,
        };
        let seq = self.append(record, now, out);
        Ok(journalled(call, account, body, Purpose::Place { order }, Warrant::Journalled { seq }))
    }

    pub(crate) fn journal_amend(
        &mut self,
        cleared: Cleared,
        amend: &AmendOrder,
        who: &Authenticated,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<Journalled, Refusal> {
        let figures = cleared.options();
        let (becomes, replaces, decision) = cleared.into_parts();
        let order = replaces.and_then(|id| self.state.orders.get(id));
        let order = order.ok_or_else(|| Reject::new(Code::OrderNotFound, "the order is gone"))?;
        // What was cleared is said, not what was asked for: past a limit it goes as one that reduces.
        let says = amend.reduce_only.is_some() || becomes.reduce_only != order.request.reduce_only;
        let reduce_only = says.then_some(becomes.reduce_only);
        let body = CallBody::Amend {
            order: order.reference(),
            side: becomes.side,
            qty: becomes.qty,
            price: becomes.price,
            trigger_price: becomes.trigger.map(|trigger| trigger.price),
            post_only: amend.post_only,
            reduce_only,
            deadline: deadline(becomes.valid_until, now),
        };
        let (order, call, account) = (order.id, self.state.next_call, order.account.clone());
        let record = Body::AmendCleared {
            order,
            call,
            caller: who.caller().clone(),
            body: body.clone(),
            decision,
        };
        self.note_figures(order, figures, now, out);
        self.note_proof(who, now, out);
        let seq = self.append(record, now, out);
        let purpose = Purpose::Amend { order };
        let journalled = journalled(call, account, body, purpose, Warrant::Journalled { seq });
        Ok(journalled.asked_by(who))
    }

    /// Makes an order smaller, because a newer one of the same owner, which `who` asked for, would have traded
    /// with it.
    pub(crate) fn journal_shrink(
        &mut self,
        (order, total): (OrderId, Qty),
        who: &Authenticated,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Option<Journalled> {
        let found = self.state.orders.get(order)?;
        let of = found.caller.clone()?;
        let (call, account) = (self.state.next_call, found.account.clone());
        let body = CallBody::Amend {
            order: found.reference(),
            side: found.request.side,
            qty: total,
            price: found.request.price,
            trigger_price: None,
            post_only: None,
            reduce_only: None,
            deadline: deadline(None, now),
        };
        let decision = Decision {
            rules: RULES,
            unit_value: Some(found.unit_value),
            reducing: found.reducing,
            ..Decision::default()
        };
        let record = Body::ShrinkCleared {
            order,
            of,
            call,
            caller: who.caller().clone(),
            account: who.account().clone(),
            body: body.clone(),
            decision,
        };
        let seq = self.append(record, now, out);
        let purpose = Purpose::Amend { order };
        let journalled = journalled(call, account, body, purpose, Warrant::Journalled { seq });
        Some(journalled.asked_by(who))
    }

    pub(crate) fn journal_setting(
        &mut self,
        _cleared: ClearedSetting,
        setting: &Setting,
        who: &Authenticated,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Journalled {
        let (call, account) = (self.state.next_call, who.account().clone());
        let (route, params) = (setting.route.clone(), setting.params.clone());
        let body = CallBody::Set { route, params };
        let record = Body::SettingCleared {
            call,
            caller: who.caller().clone(),
            account: account.clone(),
            body: body.clone(),
        };
        self.note_proof(who, now, out);
        let seq = self.append(record, now, out);
        journalled(call, account, body, Purpose::Set, Warrant::Journalled { seq }).asked_by(who)
    }

    /// Says what the next call is asked by, beyond a key: a token and in whose name that is, or what the
    /// caller signed and can be held to.
    pub(crate) fn note_proof(&mut self, who: &Authenticated, now: Time, out: &mut Vec<Action>) {
        let (caller, key) = (who.caller().clone(), who.key().clone());
        let call = self.state.next_call;
        if let Some(subject) = who.subject() {
            let said = Body::ByToken { call, caller, token: key, subject: subject.to_string() };
            self.append(said, now, out);
        } else if let Some(evidence) = who.evidence() {
            let Evidence { signed, signature, content } = evidence.as_ref().clone();
            let (signed, signature) = (Octets(signed), Octets(signature));
            let content = Octets(content);
            self.append(
                Body::BySignature { call, caller, key, signed, signature, content },
                now,
                out,
            );
        }
    }

    /// A cancel is recorded like the rest, but does not wait for a journal that cannot be written.
    pub(crate) fn journal_cancel(
        &mut self,
        order: OrderId,
        by: Canceller,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Option<Journalled> {
        let found = self.state.orders.get(order)?;
        let (call, account) = (self.state.next_call, found.account.clone());
        let body = CallBody::Cancel { order: found.reference() };
        let seq = self.append(Body::CancelCleared { order, call, by }, now, out);
        let warrant = match self.held.failed {
            None => Warrant::Journalled { seq },
            Some(_) => Warrant::Emergency,
        };
        Some(journalled(call, account, body, Purpose::Cancel { order }, warrant))
    }

    /// The venue's dead-man timer is fed like a cancel is sent: with a record, or without a journal.
    pub(crate) fn journal_dead_man(
        &mut self,
        account: AccountName,
        instrument: InstrumentId,
        after: Span,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Journalled {
        let call = self.state.next_call;
        let body = CallBody::DeadMan { instrument: instrument.clone(), after };
        let told = Body::DeadManTold { call, account: account.clone(), instrument, after };
        let seq = self.append(told, now, out);
        let warrant = match self.held.failed {
            None => Warrant::Journalled { seq },
            Some(_) => Warrant::Emergency,
        };
        journalled(call, account, body, Purpose::DeadMan, warrant)
    }

    /// A question after an order changes nothing at the venue and needs no record.
    pub(crate) fn unrecorded_query(&mut self, order: OrderId) -> Option<Journalled> {
        let found = self.state.orders.get(order)?;
        let call = CallId(self.next_query);
        self.next_query = self.next_query.saturating_add(1);
        let body = CallBody::QueryOrder { order: found.reference() };
        let account = found.account.clone();
        Some(journalled(call, account, body, Purpose::Query { order }, Warrant::Unrecorded))
    }
}

fn journalled(
    id: CallId,
    account: AccountName,
    body: CallBody,
    purpose: Purpose,
    warrant: Warrant,
) -> Journalled {
    Journalled { call: Call { id, account, body }, purpose, warrant, asked: None }
}

fn deadline(asked: Option<Time>, now: Time) -> Time {
    let ours = now.plus(ORDER_DEADLINE);
    asked.map_or(ours, |asked| asked.min(ours))
}

/// The number of the order that was sent with this id; none if it is not Tidegate's.
pub(crate) fn number_in(id: &ClientId) -> Option<OrderId> {
    let (_, digits) = id.as_str().strip_prefix("tg")?.split_once('-')?;
    u64::from_str_radix(digits, 36).ok().map(OrderId)
}

/// `tg`, the epoch and the order's number in base 36: never used before nor after.
fn client_id(epoch: &str, order: OrderId) -> Result<ClientId, Reject> {
    let mut digits = String::new();
    let mut left = order.0;
    loop {
        let digit = u32::try_from(left % 36).unwrap_or(0);
        digits.insert(0, char::from_digit(digit, 36).unwrap_or('0'));
        left /= 36;
        if left == 0 {
            break;
        }
    }
    ClientId::new(&format!("tg{epoch}-{digits}"))
        .map_err(|_| Reject::new(Code::Uncomputable, "the epoch is not a short word"))
}
