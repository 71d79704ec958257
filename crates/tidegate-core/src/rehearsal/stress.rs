//! The busiest minute at several times its rate: its messages, as often and so much closer together, go
//! through the whole core, and the venue answers as it did. Own ids are left out, so that no message is
//! taken for one that was sent before.

use super::peak::MINUTE;
use super::used::{LimitName, Used};
use super::{Rehearsal, Request};
use crate::action::{Action, Answer};
use crate::event::Event;
use crate::story::{self, Held};
use std::collections::BTreeMap;
use tidegate_types::ids::{CallId, CallerName, ClientId, OrderId, Seq, TradeId, VenueOrderId};
use tidegate_types::instrument::Mark;
use tidegate_types::order::{CancelOrder, Intent, OrderName};
use tidegate_types::record::{Body, Canceller, Record};
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, FillReport, OrderReport, Outcome};
use tidegate_types::time::{Span, Time};

/// How the core bore it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Strain {
    /// New orders, amends and cancels that were decided.
    pub messages: u64,
    /// How many passed.
    pub passed: u64,
    /// How many did not, by why.
    pub refused: BTreeMap<Code, u64>,
    /// What they were held against: how much of each limit was used at most, and how often it refused.
    pub limits: BTreeMap<LimitName, Used>,
    /// How many came in the second that had the most.
    pub busiest_second: u64,
    /// The second of the newest, and how many came in it so far.
    second: (u64, u64),
    /// Messages about orders that had ended by then, and of whom the state does not know: left out.
    pub left_out: u64,
    /// How long each decision took, in nanoseconds, sorted.
    pub took: Vec<u64>,
}

impl Strain {
    /// The time that so many of a thousand decisions took at most, in nanoseconds.
    pub fn quantile(&self, per_mille: usize) -> u64 {
        let at = self.took.len().saturating_mul(per_mille) / 1000;
        self.took.get(at.min(self.took.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    /// Takes note of a message that is decided at this time.
    fn came(&mut self, now: Time) {
        self.messages += 1;
        let second = now.millis() / 1000;
        let so_far = if self.second.0 == second { self.second.1 } else { 0 };
        self.second = (second, so_far + 1);
        self.busiest_second = self.busiest_second.max(so_far + 1);
    }

    /// Takes note of what a message was held against, and of the limit that stood in its way.
    fn held(&mut self, held: &[Held], refused: bool) {
        let mut blame = refused;
        for one in held {
            let used = self.limits.entry(LimitName::of(one)).or_default();
            used.most = used.most.max(one.percent());
            if blame && !one.kept {
                used.refused += 1;
                blame = false;
            }
        }
    }
}

/// One playing of the minute: which of its numbers stand for which of now.
struct Play<'a> {
    times: u64,
    number: u64,
    start: Time,
    orders: BTreeMap<OrderId, OrderId>,
    calls: BTreeMap<CallId, CallId>,
    clients: BTreeMap<ClientId, ClientId>,
    /// What was refused last to a caller by a code: what is only counted was the like of it.
    refused: BTreeMap<(CallerName, Code), Request>,
    clock: &'a mut dyn FnMut() -> u64,
}

/// What came of a message.
struct Came {
    placed: Option<(OrderId, ClientId)>,
    call: Option<CallId>,
}

impl Rehearsal {
    /// Plays a minute's records `times` over at `times` its rate, from the state before it. `clock` tells
    /// nanoseconds. The core is worn out then: nothing can be decided again from where it stands.
    pub fn stress(
        mut self,
        start: Time,
        minute: &[(Seq, Record)],
        times: u32,
        clock: &mut dyn FnMut() -> u64,
    ) -> Strain {
        let mut strain = Strain::default();
        let marks: Vec<Mark> = self.core().state().marks().values().cloned().collect();
        for number in 0..u64::from(times) {
            let mut play = Play {
                times: u64::from(times),
                number,
                start,
                orders: BTreeMap::new(),
                calls: BTreeMap::new(),
                clients: BTreeMap::new(),
                refused: BTreeMap::new(),
                clock: &mut *clock,
            };
            if let Some((_, first)) = minute.first().filter(|_| number > 0) {
                play.marks(&mut self, &marks, first.at);
            }
            for (at, (seq, record)) in minute.iter().enumerate() {
                let before = minute.get(at.saturating_sub(2)..at).unwrap_or_default();
                if number == 0 && holds_on(&record.body, strain.messages == 0) {
                    self.fold(*seq, &Record { at: play.when(record.at), ..record.clone() });
                }
                play.step(&mut self, before, record, &mut strain);
            }
        }
        strain.took.sort_unstable();
        strain
    }

    /// The numbers that a request is held against in the state as it is; none of a cancel.
    fn held(&self, request: &Request, now: Time) -> Vec<Held> {
        let Some(verdict) = self.decide(request, now) else { return Vec::new() };
        let Request { caller, account, intent, .. } = request;
        let whose = (caller, account, intent);
        story::numbers(self.core().state(), whose, verdict.decision(), now)
    }
}

/// Whether something happens once, in the first playing, and holds through all: what the desk changed, and
/// before the first message what made the desk ready.
fn holds_on(body: &Body, before_all: bool) -> bool {
    match body {
        Body::Changed { .. } | Body::Instruments { .. } => true,
        Body::Started { .. }
        | Body::Closed { .. }
        | Body::Reconciled { .. }
        | Body::Opened { .. }
        | Body::BalancesTaken { .. }
        | Body::VenueTermsRead { .. }
        | Body::Halted { .. }
        | Body::Resumed { .. } => before_all,
        _ => false,
    }
}

impl Play<'_> {
    /// When something of the minute happens in this playing.
    fn when(&self, at: Time) -> Time {
        let part = MINUTE.micros() / self.times.max(1);
        let into = at.since(self.start).micros() / self.times.max(1);
        self.start.plus(Span::from_micros(part * self.number + into))
    }

    /// Each playing begins with the marks that the minute began with, as old as they were.
    fn marks(&self, core: &mut Rehearsal, marks: &[Mark], at: Time) {
        let now = self.when(at);
        let as_old = |mark: &Mark| Mark { at: now.minus(at.since(mark.at)), ..mark.clone() };
        let marks = marks.iter().map(as_old).collect();
        core.tell(Event::Marks { marks }, now, &mut Vec::new());
    }

    fn step(
        &mut self,
        core: &mut Rehearsal,
        before: &[(Seq, Record)],
        record: &Record,
        strain: &mut Strain,
    ) {
        let now = self.when(record.at);
        match &record.body {
            Body::Cleared { .. } | Body::AmendCleared { .. } | Body::Refused { .. } => {
                self.ask_again(core, before, record, now, strain);
            }
            Body::RefusedMore { caller: Some(caller), code, count } => {
                let like = self.refused.get(&(caller.clone(), *code)).cloned();
                for request in std::iter::repeat_n(like, usize::try_from(*count).unwrap_or(0)) {
                    match request {
                        Some(request) => drop(self.ask(core, &request, now, strain)),
                        None => strain.left_out += 1,
                    }
                }
            }
            Body::CancelCleared { order, call, by } => {
                self.cancel(core, (*order, *call), by, now, strain);
            }
            Body::Sent { call } => {
                if let Some(call) = self.calls.get(call).copied() {
                    core.tell(Event::Sent { call }, now, &mut Vec::new());
                }
            }
            Body::NotSent { call, reject } => {
                if let Some(call) = self.calls.remove(call) {
                    let event = Event::NotSent { call, reject: reject.clone() };
                    core.tell(event, now, &mut Vec::new());
                }
            }
            Body::Replied { call, outcome } => {
                if let Some(call) = self.calls.remove(call) {
                    let outcome = self.outcome(outcome);
                    core.tell(Event::Replied { call, outcome, reply: None }, now, &mut Vec::new());
                }
            }
            Body::Streamed { account, event } => {
                if let Some(event) = self.event(event) {
                    let event = Event::Streamed { account: account.clone(), event };
                    core.tell(event, now, &mut Vec::new());
                }
            }
            Body::Marks { marks } => {
                let mut marks = marks.clone();
                for mark in &mut marks {
                    mark.at = now.minus(record.at.since(mark.at));
                }
                core.tell(Event::Marks { marks }, now, &mut Vec::new());
            }
            _ => {}
        }
    }

    fn ask_again(
        &mut self,
        core: &mut Rehearsal,
        before: &[(Seq, Record)],
        record: &Record,
        now: Time,
        strain: &mut Strain,
    ) {
        let Some((mut request, was)) = Request::of(core.core().state(), before, record) else {
            // An amend of an order that is no more, or what no gate of the core refused.
            strain.left_out += u64::from(matches!(record.body, Body::AmendCleared { .. }));
            return;
        };
        match &mut request.intent {
            Intent::New { order } => order.caller_id = None,
            Intent::Amend { amend } => {
                if let OrderName::Own { id } = &mut amend.order {
                    *id = self.orders.get(id).copied().unwrap_or(*id);
                }
            }
            _ => {}
        }
        if let Some(reject) = was.reject() {
            self.refused.insert((request.caller.clone(), reject.code), request.clone());
        }
        let came = self.ask(core, &request, now, strain);
        match &record.body {
            Body::Cleared { order, call, client_id, .. } => {
                if let (Some((id, client)), Some(new)) = (came.placed, came.call) {
                    self.orders.insert(*order, id);
                    self.clients.insert(client_id.clone(), client);
                    self.calls.insert(*call, new);
                }
            }
            Body::AmendCleared { call, .. } => {
                if let Some(new) = came.call {
                    self.calls.insert(*call, new);
                }
            }
            _ => {}
        }
    }

    fn cancel(
        &mut self,
        core: &mut Rehearsal,
        (order, call): (OrderId, CallId),
        by: &Canceller,
        now: Time,
        strain: &mut Strain,
    ) {
        let (Canceller::Caller { caller } | Canceller::Token { caller, .. }) = by else { return };
        let id = self.orders.get(&order).copied().unwrap_or(order);
        let known = core.core().state().orders().get(id).filter(|order| order.is_open());
        let Some(account) = known.map(|order| order.account.clone()) else {
            strain.left_out += 1;
            return;
        };
        let cancel = CancelOrder { order: OrderName::Own { id }, instrument: None };
        let (caller, intent) = (caller.clone(), Intent::Cancel { cancel });
        let request = Request { caller, account, key: None, token: None, intent };
        if let Some(new) = self.ask(core, &request, now, strain).call {
            self.calls.insert(call, new);
        }
    }

    /// Puts a message through the core, and takes the time.
    fn ask(
        &mut self,
        core: &mut Rehearsal,
        request: &Request,
        now: Time,
        strain: &mut Strain,
    ) -> Came {
        let mut out = Vec::new();
        let held = core.held(request, now);
        let began = (self.clock)();
        core.submit(request, now, &mut out);
        let took = (self.clock)().saturating_sub(began);
        let mut came = Came { placed: None, call: None };
        if out.is_empty() {
            // Nobody is known by that name, or there is no such account: no gate looked at it.
            strain.left_out += 1;
            return came;
        }
        strain.took.push(took);
        strain.came(now);
        let mut refused = None;
        for action in out {
            match action {
                Action::Append { record, .. } => {
                    if let Body::Cleared { order, client_id, .. } = record.body {
                        came.placed = Some((order, client_id));
                    }
                }
                Action::Sign { call, .. } => came.call = Some(call.id),
                Action::Answer { answer: Answer::Refused { reject }, .. } => {
                    refused = Some(reject.code);
                }
                _ => {}
            }
        }
        strain.held(&held, refused.is_some());
        match refused {
            Some(code) => *strain.refused.entry(code).or_default() += 1,
            None => strain.passed += 1,
        }
        came
    }

    fn outcome(&self, outcome: &Outcome) -> Outcome {
        match outcome {
            Outcome::Accepted { report, fills } => Outcome::Accepted {
                report: self.report(report),
                fills: fills.iter().map(|fill| self.fill(fill)).collect(),
            },
            other => other.clone(),
        }
    }

    /// What the private stream told, of an order of this playing; what it told of others is theirs.
    fn event(&self, event: &AccountEvent) -> Option<AccountEvent> {
        let ours =
            |id: &Option<ClientId>| id.as_ref().is_some_and(|id| self.clients.contains_key(id));
        match event {
            AccountEvent::Order { report } if ours(&report.client_id) => {
                Some(AccountEvent::Order { report: self.report(report) })
            }
            AccountEvent::Fill { fill } if ours(&fill.client_id) => {
                Some(AccountEvent::Fill { fill: self.fill(fill) })
            }
            _ => None,
        }
    }

    fn report(&self, report: &OrderReport) -> OrderReport {
        let mut report = report.clone();
        report.client_id = self.client(report.client_id);
        report.venue_id = self.venue_id(&report.venue_id);
        report.triggered_as = report.triggered_as.as_ref().map(|id| self.venue_id(id));
        report.at = self.when(report.at);
        report
    }

    fn fill(&self, fill: &FillReport) -> FillReport {
        let mut fill = fill.clone();
        fill.client_id = self.client(fill.client_id);
        fill.venue_id = self.venue_id(&fill.venue_id);
        let another = format!("{}+{}", fill.trade_id, self.number + 1);
        fill.trade_id = TradeId::new(&another).unwrap_or(fill.trade_id);
        fill.at = self.when(fill.at);
        fill
    }

    fn client(&self, id: Option<ClientId>) -> Option<ClientId> {
        id.map(|id| self.clients.get(&id).cloned().unwrap_or(id))
    }

    /// Another id for each playing, as the venue would give.
    fn venue_id(&self, id: &VenueOrderId) -> VenueOrderId {
        VenueOrderId::new(&format!("{id}+{}", self.number + 1)).unwrap_or_else(|_| id.clone())
    }
}
