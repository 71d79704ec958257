//! The core with everything around it played: journal, signer, network and a venue, each moved by
//! hand or all at once.

use super::venue::Venue;
use crate::action::{Action, Answer};
use crate::event::Event;
use crate::positions::Positions;
use crate::{Core, CoreSettings};
use std::collections::BTreeMap;
use tidegate_types::approval::Showing;
use tidegate_types::call::{Call, CallClass, Warrant, WireRequest};
use tidegate_types::codec::to_bytes;
use tidegate_types::decimal::Decimal;
use tidegate_types::emergency::Emergency;
use tidegate_types::grant::{
    AccountLimits, Grant, KeyScheme, OnRepeat, Pattern, Scope, VirtualKey,
};
use tidegate_types::hours::Window;
use tidegate_types::ids::*;
use tidegate_types::instrument::*;
use tidegate_types::key::KeyTerms;
use tidegate_types::limits::MAX_RECORD_BYTES;
use tidegate_types::order::*;
use tidegate_types::proof::{Authenticated, Durable, Signed};
use tidegate_types::record::{Approvals, Body, Change, Durability, Record};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::{AccountSnapshot, Outcome};
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};

pub(super) const VENUE: &str = "paper";
pub(super) const MAIN: &str = "main";
pub(super) const PERP: &str = "BTC-PERP";
pub(super) const INVERSE: &str = "BTC-INV";
pub(super) const OPTION: &str = "BTC-OPT";

pub(super) fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn name<T: std::str::FromStr<Err = BadName>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(super) fn instrument(text: &str) -> InstrumentId {
    InstrumentId { venue: name(VENUE), name: name(text) }
}

pub(super) fn who(caller: &str) -> Authenticated {
    Authenticated::vouch(name(caller), name(caller), name(VENUE), name(MAIN))
}

/// `buy 2 @ 99.5` of the perpetual.
pub(super) fn limit(side: Side, qty: &str, price: &str) -> NewOrder {
    NewOrder {
        instrument: instrument(PERP),
        side,
        order_type: OrderType::Limit,
        qty: Qty(d(qty)),
        price: Some(Price(d(price))),
        trigger: None,
        time_in_force: TimeInForce::GoodTilCancelled,
        post_only: PostOnly::No,
        reduce_only: false,
        self_trade: None,
        caller_id: None,
        valid_until: None,
        full_answer: false,
    }
}

pub(super) fn buy(qty: &str, price: &str) -> NewOrder {
    limit(Side::Buy, qty, price)
}

pub(super) fn sell(qty: &str, price: &str) -> NewOrder {
    limit(Side::Sell, qty, price)
}

pub(super) fn own(id: OrderId) -> OrderName {
    OrderName::Own { id }
}

pub(super) fn grant(caller: &str) -> Grant {
    use OrderType::*;
    Grant {
        caller: name(caller),
        venue: name(VENUE),
        account: name(MAIN),
        trade: true,
        instruments: vec![Pattern::new("*").unwrap()],
        sides: vec![Side::Buy, Side::Sell],
        order_types: vec![Limit, Market, MarketLimit, StopMarket, StopLimit, TakeMarket, TakeLimit],
        reduce_only: false,
        max_order_qty: None,
        max_order_notional: Usd(d("1000000")),
        max_open_notional: Usd(d("1000000")),
        max_daily_notional: None,
        orders_per_second: 1000,
        burst: 1000,
        settings: false,
        account_wide: false,
        window: Window::ALWAYS,
        until: None,
    }
}

pub(super) fn limits() -> AccountLimits {
    AccountLimits {
        account: name(MAIN),
        max_order_qty: vec![(Pattern::new("BTC-*").unwrap(), Qty(d("1000")))],
        max_order_notional: Usd(d("10000")),
        max_open_notional: Usd(d("20000")),
        max_position_notional: Usd(d("15000")),
        max_exposure: Usd(d("30000")),
        collar_bps: 500,
        option_collar_bps: 1000,
        max_mark_age: Span::from_secs(5),
        orders_per_second: 1000,
        burst: 1000,
        repeat_window: Span::ZERO,
        on_repeat: OnRepeat::Refuse,
        dead_man: Span::ZERO,
    }
}

fn terms(text: &str, kind: Kind, unit: Unit, tick: &str, lot: &str) -> Instrument {
    Instrument {
        id: instrument(text),
        kind,
        unit,
        base: name("BTC"),
        settlement: name("BTC"),
        index: name("btc_usd"),
        contract_size: Qty(Decimal::ONE),
        tick: Price(d(tick)),
        tick_steps: Vec::new(),
        lot: Qty(d(lot)),
        min_qty: Qty(d(lot)),
        max_qty: Some(Qty(d("100000"))),
        open: true,
    }
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: Time,
    pub(super) venue: Venue,
    pub(super) journal: Vec<Record>,
    pub(super) flushed: u64,
    pub(super) to_sign: Vec<(Call, Warrant)>,
    pub(super) signed: BTreeMap<CallId, (Call, Warrant)>,
    pub(super) to_send: Vec<Call>,
    pub(super) answers: BTreeMap<Ticket, Answer>,
    pub(super) asked: Vec<Ticket>,
    /// The numbers of the questions after the account.
    pub(super) to_read: Vec<u64>,
    pub(super) trades_to_read: Vec<(u64, InstrumentId, Time)>,
    pub(super) starts: u32,
    /// What went without a record.
    pub(super) kept: Vec<(Time, Emergency)>,
}

impl World {
    /// Two callers, `ann` and `bob`, on one open account; marks are 100, and 0.05 for the option
    /// on an index of 100.
    pub(super) fn new() -> World {
        let mut world = World::closed();
        world.up();
        assert!(world.is_open());
        world
    }

    pub(super) fn closed() -> World {
        let mut world = World {
            core: Core::new(CoreSettings::default()),
            now: Time::from_millis(1_700_000_000_000),
            venue: Venue::default(),
            journal: Vec::new(),
            flushed: 0,
            to_sign: Vec::new(),
            signed: BTreeMap::new(),
            to_send: Vec::new(),
            answers: BTreeMap::new(),
            asked: Vec::new(),
            to_read: Vec::new(),
            trades_to_read: Vec::new(),
            starts: 0,
            kept: Vec::new(),
        };
        world.start();
        let (venue, account): (VenueName, AccountName) = (name(VENUE), name(MAIN));
        let key = Change::VenueKeyImported {
            account: account.clone(),
            key: "k".to_owned(),
            rights: Vec::new(),
        };
        let desk = Change::DeskSet { desk: name("desk"), approvals: Approvals::One };
        world.change(desk);
        world.change(Change::AccountAdded { venue: venue.clone(), account });
        world.change(key);
        for caller in ["ann", "bob"] {
            world.change(Change::CallerAdded { caller: name(caller) });
            let key = VirtualKey {
                id: name(caller),
                caller: name(caller),
                venue: venue.clone(),
                account: name(MAIN),
                scheme: KeyScheme::Hmac,
                terms: KeyTerms::default(),
            };
            world.change(Change::KeyAdded { key, replaces: None });
            world.change(Change::GrantSet { grant: grant(caller) });
        }
        world.change(Change::LimitsSet { limits: limits() });
        let expiry = Time::from_millis(1_800_000_000_000);
        let option = Kind::Option { expiry, strike: Price(d("100")), call: true };
        let instruments = vec![
            terms(PERP, Kind::Perpetual, Unit::Linear, "0.1", "0.001"),
            terms(INVERSE, Kind::Perpetual, Unit::Inverse, "0.5", "10"),
            terms(OPTION, option, Unit::CoinOption, "0.0005", "0.1"),
        ];
        world.event(Event::Instruments { venue, instruments });
        world.mark();
        world
    }

    pub(super) fn start(&mut self) {
        self.starts += 1;
        let epoch = format!("epoch{:03}", self.starts);
        let version = "test".to_owned();
        self.event(Event::Started { epoch, version, durability: Durability::Disk });
    }

    pub(super) fn up(&mut self) {
        self.event(Event::StreamUp { account: name(MAIN) });
        self.settle();
    }

    pub(super) fn is_open(&self) -> bool {
        self.core.state().accounts()[&name::<AccountName>(MAIN)].open
    }

    pub(super) fn mark(&mut self) {
        let at = self.now;
        let index = Price(d("100"));
        let of = |text: &str, mark: &str| Mark {
            instrument: instrument(text),
            mark: Price(d(mark)),
            index,
            at,
        };
        let marks = vec![of(PERP, "100"), of(INVERSE, "100"), of(OPTION, "0.05")];
        self.event(Event::Marks { marks });
    }

    pub(super) fn change(&mut self, change: Change) {
        self.change_by("root", change);
    }

    pub(super) fn change_by(&mut self, by: &str, change: Change) {
        let ticket = self.ticket();
        self.event(Event::Administer { ticket, by: name(by), showing: Showing::Door, change });
        self.flush();
        assert!(matches!(self.answers[&ticket], Answer::Done), "{:?}", self.answers[&ticket]);
    }

    pub(super) fn refused_by(&mut self, by: &str, change: Change) -> String {
        let ticket = self.ticket();
        self.event(Event::Administer { ticket, by: name(by), showing: Showing::Door, change });
        match &self.answers[&ticket] {
            Answer::Refused { reject } => reject.to_string(),
            Answer::Denied { denial } => denial.to_string(),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn halt(&mut self, scope: &str, allow_reduce: bool) -> Ticket {
        self.pull(scope, allow_reduce, false)
    }

    pub(super) fn flatten(&mut self, scope: &str) -> Ticket {
        self.pull(scope, false, true)
    }

    pub(super) fn pull(&mut self, scope: &str, allow_reduce: bool, flatten: bool) -> Ticket {
        let ticket = self.ticket();
        let (by, scope): (PersonName, Scope) = (name("root"), scope.parse().unwrap());
        let reason = "test".to_owned();
        let ticket_too = Some(ticket);
        self.event(Event::Halt { ticket: ticket_too, by, scope, reason, allow_reduce, flatten });
        ticket
    }

    pub(super) fn resume(&mut self, scope: &str) -> Ticket {
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

    pub(super) fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.asked.len() as u64);
        self.asked.push(ticket);
        ticket
    }

    pub(super) fn submit(&mut self, caller: &str, intent: Intent) -> Ticket {
        self.submit_over(None, caller, intent)
    }

    pub(super) fn submit_over(
        &mut self,
        session: Option<SessionId>,
        caller: &str,
        intent: Intent,
    ) -> Ticket {
        let ticket = self.ticket();
        self.event(Event::Submit { ticket, who: who(caller), session, intent });
        ticket
    }

    pub(super) fn place(&mut self, caller: &str, order: NewOrder) -> Ticket {
        self.submit(caller, Intent::New { order })
    }

    /// Places an order and has the venue take it.
    pub(super) fn live(&mut self, caller: &str, order: NewOrder) -> OrderId {
        let ticket = self.place(caller, order);
        self.settle();
        match &self.answers[&ticket] {
            Answer::Venue { order: Some(id), .. } => *id,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn cancel(&mut self, caller: &str, order: OrderName) -> Ticket {
        self.submit(caller, Intent::Cancel { cancel: CancelOrder { order, instrument: None } })
    }

    pub(super) fn amend(
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
    pub(super) fn code(&self, ticket: Ticket) -> Option<Code> {
        match self.answers.get(&ticket) {
            Some(Answer::Refused { reject }) => Some(reject.code),
            _ => None,
        }
    }

    pub(super) fn event(&mut self, event: Event) {
        self.venue.now = self.now;
        let mut out = Vec::new();
        self.core.handle(event, self.now, &mut out);
        self.carry_out(out);
    }

    /// Lets time pass, with every timer on its way and fresh marks each second.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now.plus(Span::from_millis(ms));
        while let Some(due) = self.core.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.timers();
        }
        self.now = end;
        self.venue.now = end;
        self.mark();
    }

    pub(super) fn timers(&mut self) {
        let mut out = Vec::new();
        self.core.handle_timeout(self.now, &mut out);
        self.carry_out(out);
    }

    fn carry_out(&mut self, out: Vec<Action>) {
        for action in out {
            match action {
                Action::Append { seq, record } => {
                    assert_eq!(seq.0, self.journal.len() as u64);
                    assert!(to_bytes(&record).len() <= MAX_RECORD_BYTES);
                    self.journal.push(*record);
                }
                Action::Keep { at, act } => self.kept.push((at, act)),
                Action::Sign { call, warrant } => self.to_sign.push((call, warrant)),
                Action::Send { request } => {
                    let (call, warrant) = self.signed.remove(&request.call()).unwrap();
                    self.check_recorded(&call, warrant);
                    self.to_send.push(call);
                }
                Action::Answer { ticket, answer } => {
                    let twice = self.answers.insert(ticket, answer);
                    assert!(twice.is_none(), "{ticket} was answered twice");
                }
                Action::Reconcile { question, .. } => self.to_read.push(question),
                Action::ReadTrades { question, instrument, since, .. } => {
                    self.trades_to_read.push((question, instrument, since));
                }
            }
        }
    }

    /// Nothing that changes the venue leaves without a durable record that names it.
    fn check_recorded(&self, call: &Call, warrant: Warrant) {
        let class = call.body.class();
        match warrant {
            Warrant::Journalled { seq } => {
                assert!(seq.0 < self.flushed, "{call:?} left before its record was durable");
                let recorded = match &self.journal[seq.0 as usize].body {
                    Body::Cleared { call, .. }
                    | Body::AmendCleared { call, .. }
                    | Body::CancelCleared { call, .. }
                    | Body::SettingCleared { call, .. }
                    | Body::DeadManTold { call, .. }
                    | Body::ClosingCleared { call, .. } => *call,
                    other => panic!("{other:?}"),
                };
                assert_eq!(recorded, call.id);
            }
            Warrant::Emergency => assert_eq!(class, CallClass::Cancel),
            Warrant::Unrecorded => assert_eq!(class, CallClass::Read),
        }
    }

    pub(super) fn flush(&mut self) {
        self.flushed = self.journal.len() as u64;
        self.event(Event::Durable { proof: Durable::vouch(Seq(self.flushed)) });
    }

    pub(super) fn sign(&mut self, at: usize) {
        let (call, warrant) = self.to_sign.remove(at);
        let request = WireRequest {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: Vec::new(),
            body: String::new(),
        };
        let proof = Signed::vouch(call.id, call.body.class(), request);
        self.signed.insert(call.id, (call, warrant));
        self.event(Event::Signed { proof });
    }

    pub(super) fn not_sent(&mut self, at: usize) {
        let (call, _) = self.to_sign.remove(at);
        let reject = Reject::new(Code::SignerUnavailable, "test");
        self.event(Event::NotSent { call: call.id, reject });
    }

    /// One request leaves and is answered.
    pub(super) fn deliver(&mut self, at: usize) {
        let call = self.to_send.remove(at);
        if self.departs(call.id) {
            let outcome = self.venue.arrive(&call.body, self.now);
            self.reply(call.id, outcome);
        }
    }

    /// A request has a connection: it leaves, unless it was called back.
    fn departs(&mut self, call: CallId) -> bool {
        if self.core.may_leave(call) {
            self.event(Event::Sent { call });
            return true;
        }
        let reject = Reject::new(Code::VenueUnreachable, "called back");
        self.event(Event::NotSent { call, reject });
        false
    }

    /// One request leaves, and its answer is lost; it may have arrived.
    pub(super) fn lose(&mut self, at: usize, arrives: bool) {
        let call = self.to_send.remove(at);
        if !self.departs(call.id) {
            return;
        }
        if arrives {
            let _ = self.venue.arrive(&call.body, self.now);
        }
        self.reply(call.id, Outcome::Unknown { why: "time-out".to_owned() });
    }

    pub(super) fn reply(&mut self, call: CallId, outcome: Outcome) {
        let reply = Reply { status: 200, headers: Vec::new(), body: Vec::new() };
        let reply = (!matches!(outcome, Outcome::Unknown { .. })).then_some(reply);
        self.event(Event::Replied { call, outcome, reply });
    }

    pub(super) fn read(&mut self) {
        let result = Ok(self.venue.snapshot());
        self.answer_read(result);
    }

    /// The first question that waits is answered so.
    pub(super) fn answer_read(&mut self, result: Result<AccountSnapshot, String>) {
        let question = self.to_read.remove(0);
        self.event(Event::Snapshot { account: name(MAIN), question, result });
    }

    pub(super) fn read_trades(&mut self) {
        let (question, instrument, since) = self.trades_to_read.remove(0);
        let result = self.venue.trades(&instrument, since);
        self.event(Event::Trades { account: name(MAIN), question, instrument, result });
    }

    pub(super) fn tell(&mut self, at: usize) {
        let event = self.venue.stream.remove(at);
        self.event(Event::Streamed { account: name(MAIN), event });
    }

    /// Lets one of the things that wait happen; whether there was one.
    pub(super) fn step(&mut self) -> bool {
        self.flush();
        if !self.to_sign.is_empty() {
            self.sign(0);
        } else if !self.to_send.is_empty() {
            self.deliver(0);
        } else if !self.venue.stream.is_empty() {
            self.tell(0);
        } else if !self.to_read.is_empty() {
            self.read();
        } else if !self.trades_to_read.is_empty() {
            self.read_trades();
        } else {
            return false;
        }
        true
    }

    /// Lets everything that waits happen.
    pub(super) fn settle(&mut self) {
        while self.step() {}
    }

    /// Settles, and goes on doing so for a while.
    pub(super) fn settle_for(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.settle();
            self.pass(1000);
        }
        self.settle();
    }

    /// A core made of the first records alone.
    pub(super) fn replayed(&self, records: usize) -> Core {
        let mut core = Core::new(CoreSettings::default());
        for (at, record) in self.journal.iter().take(records).enumerate() {
            core.replay(Seq(at as u64), record);
        }
        core
    }

    /// The gateway is killed: what was not flushed is gone, what had left may arrive.
    pub(super) fn kill(&mut self, arrives: bool) {
        self.journal.truncate(self.flushed as usize);
        self.core = self.replayed(self.journal.len());
        for call in std::mem::take(&mut self.to_send) {
            if arrives {
                let _ = self.venue.arrive(&call.body, self.now);
            }
        }
        self.to_sign.clear();
        self.signed.clear();
        self.to_read.clear();
        self.trades_to_read.clear();
        self.venue.stream.clear();
        self.start();
    }

    /// What must hold at every moment.
    pub(super) fn check(&self) {
        let state = self.core.state();
        let recount = Positions::counted(state.positions().iter(), state.orders());
        assert!(state.positions().same(&recount), "{:?}\n{recount:?}", state.positions());
        assert!(state.exposures.same(&state.counted_exposures()), "{:?}", state.exposures);
        for (client, times) in &self.venue.arrivals {
            assert_eq!(*times, 1, "{client} arrived {times} times");
        }
    }

    pub(super) fn check_replay(&self) {
        let replayed = self.replayed(self.journal.len());
        assert!(replayed.state_bytes() == self.core.state_bytes(), "replay differs");
        assert!(replayed.state().positions().same(self.core.state().positions()));
        // The same from a saved state and the records after it.
        let half = self.journal.len() / 2;
        let saved = self.replayed(half).state_bytes();
        let mut core = Core::restored(CoreSettings::default(), Seq(half as u64), &saved).unwrap();
        assert!(core.state_bytes() == saved, "a saved state comes back otherwise");
        for (at, record) in self.journal.iter().enumerate().skip(half) {
            core.replay(Seq(at as u64), record);
        }
        assert!(core.state_bytes() == replayed.state_bytes(), "replay from a saved state differs");
        assert!(core.state().positions().same(replayed.state().positions()));
        assert!(core.state().exposures.same(&replayed.state().exposures));
    }
}

impl World {
    /// An order that goes live while a snapshot is under way.
    pub(super) fn live_without_reading(&mut self, caller: &str) -> OrderId {
        self.place(caller, buy("1", "100"));
        self.flush();
        self.sign(0);
        self.deliver(0);
        self.venue.stream.clear();
        self.core.state().orders().open().last().unwrap().id
    }
}
