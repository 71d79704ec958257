//! Requests on their way to the venue and back.

pub(super) use super::faults::Fate;

use super::broken::Broken;
use super::clients::Question;
use super::setup::SEATS;
use super::venue::{account_place, venue_of};
use super::world::{Due, Simulation};
use tidegate_core::event::Event;
use tidegate_server::desk::{CALLED_BACK, Errand};
use tidegate_shaping::{Ask, Paid, Rank};
use tidegate_types::call::{CallBody, CallClass, Warrant, WireRequest};
use tidegate_types::ids::{AccountName, CallId, CallerName, InstrumentId};
use tidegate_types::limits::{SEND_TIMEOUT, VENUE_TIMEOUT};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::Outcome;
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};
use tidegate_venues::front::Instruments;

/// What a request is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// A call of the core's.
    Call { id: CallId, account: AccountName, body: CallBody, warrant: Warrant },
    /// Part of an account's snapshot.
    Snapshot { account: AccountName, question: u64, replies: Vec<Reply> },
    /// An account's trades of an instrument.
    Trades { account: AccountName, question: u64, instrument: InstrumentId },
    /// A step of an account's private stream.
    Stream { account: usize, attempt: u64 },
    /// The venue's terms.
    Instruments,
    /// A private read of a client's.
    Read { question: Box<Question> },
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct Flying {
    venue: usize,
    purpose: Purpose,
    /// What was paid for it out of the venue's rate limits.
    paid: Option<Paid>,
    /// When it left, by the gateway's clock.
    left: Time,
}

impl Purpose {
    /// What the request is for, as the server has it.
    fn errand<'a>(&'a self, reader: &'a Option<(CallerName, AccountName)>) -> Errand<'a> {
        match (self, reader) {
            (Purpose::Call { body: CallBody::DeadMan { .. }, account, .. }, _) => {
                Errand::Upkeep(Some(account))
            }
            (Purpose::Call { body, account, .. }, _) => match body.class() {
                CallClass::Cancel | CallClass::Read => Errand::cancel(account),
                CallClass::New | CallClass::Amend | CallClass::Setting => {
                    Errand::Order { caller: None, account, reduces: false }
                }
                CallClass::Session => Errand::Upkeep(Some(account)),
            },
            (Purpose::Snapshot { account, .. }, _) => Errand::cancel(account),
            (Purpose::Trades { account, .. }, _) => Errand::Upkeep(Some(account)),
            (Purpose::Read { .. }, Some((caller, account))) => Errand::Read { caller, account },
            (Purpose::Stream { .. } | Purpose::Instruments | Purpose::Read { .. }, _) => {
                Errand::Upkeep(None)
            }
        }
    }

    /// Who pays for a read.
    fn reader(&self) -> Option<(CallerName, AccountName)> {
        let Purpose::Read { question } = self else { return None };
        let (caller, account) = SEATS.get(question.seat).copied()?;
        Some((CallerName::new(caller).ok()?, AccountName::new(account).ok()?))
    }
}

impl Simulation {
    /// A request is handed over: it leaves as soon as it has a connection.
    pub(super) fn depart(&mut self, venue: usize, purpose: Purpose, wire: WireRequest) {
        let is_call = matches!(purpose, Purpose::Call { .. });
        let often = match self.broken(Broken::CallsNothingBack) {
            true => 500,
            false => self.profile.waits,
        };
        if is_call && !self.quiet && self.rng.chance(often) {
            self.counts.add("waited for a connection");
            let wait = self.rng.millis(1, SEND_TIMEOUT.millis());
            let (life, purpose, wire) = (self.life, Box::new(purpose), Box::new(wire));
            return self.after(wait, Due::Depart { life, venue, purpose, wire });
        }
        self.leave(venue, purpose, wire);
    }

    /// Whether a call was called back while it waited; the core hears that it stays.
    fn is_called_back(&mut self, purpose: &Purpose) -> bool {
        let (Purpose::Call { id, .. }, Some(gate)) = (purpose, &self.gate) else { return false };
        if gate.core.may_leave(*id) || self.broken(Broken::CallsNothingBack) {
            return false;
        }
        self.counts.add("called back");
        let reject = Reject::new(Code::VenueUnreachable, CALLED_BACK);
        self.give(Event::NotSent { call: *id, reject });
        true
    }

    /// A request has a connection: it leaves, or does not.
    pub(super) fn leave(&mut self, venue: usize, purpose: Purpose, wire: WireRequest) {
        if self.is_called_back(&purpose) {
            return;
        }
        let number = self.number();
        let life = self.life;
        let mut fate = match self.quiet {
            true => Fate::Fine,
            false => self.profile.fate(&mut self.rng, self.outage_until > self.now),
        };
        let (shown, costs) = (self.clock.shows(self.now), self.dialect(venue).cost(&wire));
        let Some(gate) = &mut self.gate else { return };
        let reader = purpose.reader();
        let errand = purpose.errand(&reader);
        let goes = matches!(errand, Errand::Cancel { .. });
        if gate.paused_until.get(venue).is_some_and(|until| *until > self.now) && !goes {
            fate = Fate::Refused;
        }
        let (rank, payer) = errand.line();
        let account = errand.account().cloned();
        let ask = Ask { rank, payer, from: 0, account, costs, weight: 1, deadline: shown };
        let paid = gate.budgets.get_mut(venue).map(|budget| budget.ask_now(&ask, shown));
        let paid = match paid {
            Some(Err(_)) if rank == Rank::Read => {
                self.counts.add("reads refused by the budget");
                return;
            }
            Some(Err(_)) => {
                self.counts.add("refused by the budget");
                fate = Fate::Refused;
                None
            }
            Some(Ok(paid)) => Some(paid),
            None => None,
        };
        if let Purpose::Call { id, body, warrant, .. } = &purpose
            && fate != Fate::Refused
        {
            self.counts.add(class_name(body.class()));
            let held = self.reference.leaves(*id, body, *warrant);
            let id = *id;
            self.hold(held);
            self.give(Event::Sent { call: id });
        }
        self.say(|| format!("{number} {fate:?} {purpose:?}"));
        let Some(gate) = &mut self.gate else { return };
        gate.flying.insert(number, Flying { venue, purpose, paid, left: shown });
        if fate != Fate::Fine {
            self.counts.add(fate_name(fate));
        }
        let timeout = Due::Failed { life, number, left: true, why: "no answer in time" };
        self.after(VENUE_TIMEOUT, timeout);
        let wait = self.rng.millis(1, 80);
        let broken = Due::Failed { life, number, left: true, why: "the connection broke" };
        match fate {
            Fate::Refused => {
                let why = "no connection";
                self.after(wait, Due::Failed { life, number, left: false, why });
            }
            Fate::Lost => {}
            Fate::BrokenBefore => self.after(wait, broken),
            Fate::BrokenAfter => {
                if self.broken(Broken::RepeatsRequests) {
                    let wire = Box::new(wire.clone());
                    self.after(wait, Due::Arrive { life, venue, number, wire, fate });
                }
                let sooner = self.rng.millis(1, 200);
                self.after(sooner, broken);
                self.after(wait, Due::Arrive { life, venue, number, wire: Box::new(wire), fate });
            }
            Fate::Late => {
                let wait = self.rng.millis(500, 20_000);
                self.after(wait, Due::Arrive { life, venue, number, wire: Box::new(wire), fate });
            }
            Fate::Fine | Fate::Deaf | Fate::MachineryBefore | Fate::MachineryAfter => {
                self.after(wait, Due::Arrive { life, venue, number, wire: Box::new(wire), fate });
            }
        }
    }

    /// A request reaches the venue, whoever sent it and whether that one still lives.
    pub(super) fn arrive(
        &mut self,
        life: u32,
        venue: usize,
        number: u64,
        wire: &WireRequest,
        fate: Fate,
    ) {
        let reply = if fate == Fate::MachineryBefore {
            self.machinery(venue)
        } else {
            self.digest.add(wire.target.as_bytes());
            self.digest.add(wire.body.as_bytes());
            let answered = self.venue.rest(venue, wire);
            self.venue_moved();
            match answered {
                Ok(_) if fate == Fate::MachineryAfter => self.machinery(venue),
                Ok(reply) => reply,
                Err(why) => return self.fail(why),
            }
        };
        self.say(|| format!("{number} answers {} {}", reply.status, short(&reply)));
        self.digest.add(&reply.body);
        if !matches!(fate, Fate::Deaf | Fate::BrokenAfter) {
            let wait = self.rng.millis(1, 80);
            self.after(wait, Due::Answer { life, number, reply });
        }
    }

    /// What a venue's machinery says that does not know what its engine did.
    fn machinery(&mut self, venue: usize) -> Reply {
        let (status, body): (u16, &[u8]) = match (self.rng.below(4), venue) {
            (0, 1) => (500, b"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":11094,\"message\":\"internal_server_error\"}}"),
            (1, 1) => (400, b"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":13028,\"message\":\"temporarily_unavailable\"}}"),
            (0, _) => (503, b"{\"code\":-1000,\"msg\":\"Unknown error\"}"),
            (1, _) => (504, b"{\"code\":-1007,\"msg\":\"Timeout waiting for response\"}"),
            (2, _) => (502, b"<html>502 Bad Gateway</html>"),
            (_, 1) => (200, b"{\"jsonrpc\":\"2.0\",\"result\":{\"order\":{\"order_id\":\"41"),
            _ => (200, b"{\"orderId\":41"),
        };
        Reply { status, headers: Vec::new(), body: body.to_vec() }
    }

    /// An answer reaches the gateway.
    pub(super) fn answer(&mut self, number: u64, reply: Reply) {
        let Some(gate) = &mut self.gate else { return };
        let Some(Flying { venue, purpose, paid, left }) = gate.flying.remove(&number) else {
            return;
        };
        let [first, second] = self.dialects;
        let dialect = if venue == 0 { first } else { second };
        let shown = self.clock.shows(self.now);
        let reader = purpose.reader();
        let account = purpose.errand(&reader).account().cloned();
        if let Some(budget) = gate.budgets.get_mut(venue) {
            if let Some(paid) = paid {
                budget.settle(paid, shown);
            }
            for used in dialect.used(&reply) {
                budget.told(used, (0, account.as_ref()), left, (shown, self.now));
            }
        }
        if let (Some(told), Some(until)) =
            (dialect.back_off(&reply, &[]), gate.paused_until.get_mut(venue))
        {
            self.counts.add("venue asks to wait");
            *until = (*until).max(self.now.plus(told.wait));
        }
        match purpose {
            Purpose::Call { id, body, .. } => {
                let none = Instruments::default();
                let known = gate.instruments.get(venue).unwrap_or(&none);
                let outcome = dialect.outcome(&body, &reply, known);
                self.give(Event::Replied { call: id, outcome, reply: Some(reply) });
            }
            Purpose::Snapshot { account, question, mut replies } => {
                replies.push(reply);
                self.ask_snapshot(account, question, replies);
            }
            Purpose::Trades { account, question, instrument } => {
                let none = Instruments::default();
                let known = gate.instruments.get(venue).unwrap_or(&none);
                let result = dialect.trades(&reply, known).map_err(|e| e.0);
                self.counts.add("trades read after a gap");
                self.trades_are_read(account, question, instrument, result);
            }
            Purpose::Stream { account, attempt } => self.stream_reply(account, attempt, &reply),
            Purpose::Read { question } => self.read_is_answered(&question, reply),
            Purpose::Instruments => match dialect.instruments(std::slice::from_ref(&reply)) {
                Ok(list) => {
                    if let Some(budget) = gate.budgets.get_mut(venue) {
                        for limit in dialect.published_limits(&[reply]) {
                            budget.publish(limit);
                        }
                    }
                    let rows = list.iter().map(|i| (i.id.name.clone(), i.clone()));
                    if let Some(known) = gate.instruments.get_mut(venue) {
                        *known = Instruments(rows.collect());
                    }
                    let venue = dialect.name();
                    self.give(Event::Instruments { venue, instruments: list });
                }
                Err(_) => self.instruments_later(venue),
            },
        }
    }

    /// There is no answer to a request, unless there was one already.
    pub(super) fn gave_up(&mut self, number: u64, left: bool, why: &str) {
        let Some(gate) = &mut self.gate else { return };
        let Some(Flying { venue, purpose, paid, .. }) = gate.flying.remove(&number) else { return };
        let shown = self.clock.shows(self.now);
        if let (Some(paid), Some(budget)) = (paid, gate.budgets.get_mut(venue)) {
            match left {
                true => budget.settle(paid, shown),
                false => budget.give_back(paid),
            }
        }
        let why = why.to_owned();
        match purpose {
            Purpose::Call { id, account, body, warrant } if left => {
                self.counts.add("outcomes unknown");
                if self.broken(Broken::SendsTwice)
                    && let Some(wire) = self.again_for(id, &account, &body)
                {
                    let purpose = Purpose::Call { id, account, body, warrant };
                    return self.depart(venue, purpose, wire);
                }
                let outcome = Outcome::Unknown { why };
                self.give(Event::Replied { call: id, outcome, reply: None });
            }
            Purpose::Call { id, .. } => {
                let reject = Reject::new(Code::VenueUnreachable, why);
                self.give(Event::NotSent { call: id, reject });
            }
            Purpose::Snapshot { account, question, .. } => {
                self.snapshot_is_read(account, question, Err(why));
            }
            Purpose::Trades { account, question, instrument } => {
                self.trades_are_read(account, question, instrument, Err(why));
            }
            Purpose::Stream { account, attempt } => self.stream_fails(account, attempt, why),
            Purpose::Read { .. } => self.counts.add("reads not answered"),
            Purpose::Instruments => self.instruments_later(venue),
        }
    }

    /// Asks for the next part of a snapshot, or hands it over when it is whole.
    pub(super) fn ask_snapshot(
        &mut self,
        account: AccountName,
        question: u64,
        replies: Vec<Reply>,
    ) {
        let part = u32::try_from(replies.len()).unwrap_or(u32::MAX);
        let venue = venue_of(account_place(account.as_str()));
        let dialect = self.dialect(venue);
        if part < dialect.snapshot_parts() {
            let purpose = Purpose::Snapshot { account: account.clone(), question, replies };
            if let Err(why) = self.fetch(&account, CallBody::Snapshot { part }, purpose) {
                self.snapshot_is_read(account, question, Err(why));
            }
            return;
        }
        let Some(gate) = &self.gate else { return };
        let none = Instruments::default();
        let known = gate.instruments.get(venue).unwrap_or(&none);
        let mut result = dialect.snapshot(&replies, known).map_err(|e| e.0);
        if let Ok(snapshot) = &mut result {
            self.misread(snapshot);
        }
        self.snapshot_is_read(account, question, result);
    }

    /// Asks for an account's trades of an instrument.
    pub(super) fn ask_trades(
        &mut self,
        account: AccountName,
        question: u64,
        instrument: InstrumentId,
        since: Time,
    ) {
        let body = CallBody::Trades { instrument: instrument.clone(), since };
        let purpose =
            Purpose::Trades { account: account.clone(), question, instrument: instrument.clone() };
        if let Err(why) = self.fetch(&account, body, purpose) {
            self.trades_are_read(account, question, instrument, Err(why));
        }
    }

    pub(super) fn ask_instruments(&mut self, venue: usize) {
        if let Some(wire) = self.dialect(venue).instrument_requests().into_iter().next() {
            self.depart(venue, Purpose::Instruments, wire);
        }
    }

    fn instruments_later(&mut self, venue: usize) {
        let life = self.life;
        self.after(Span::from_secs(1), Due::Instruments { life, venue });
    }
}

fn short(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).chars().take(160).collect()
}

const fn class_name(class: CallClass) -> &'static str {
    match class {
        CallClass::New => "orders sent",
        CallClass::Amend => "amends sent",
        CallClass::Cancel => "cancels sent",
        CallClass::Setting => "settings sent",
        CallClass::Read => "queries sent",
        CallClass::Session => "sessions",
    }
}

const fn fate_name(fate: Fate) -> &'static str {
    match fate {
        Fate::Fine => "fine",
        Fate::Refused => "requests not sent",
        Fate::Lost => "requests lost",
        Fate::Deaf => "answers lost",
        Fate::BrokenBefore => "connections broken before arrival",
        Fate::BrokenAfter => "connections broken after arrival",
        Fate::Late => "requests late",
        Fate::MachineryBefore => "5xx and garbage, nothing done",
        Fate::MachineryAfter => "5xx and garbage, all done",
    }
}
