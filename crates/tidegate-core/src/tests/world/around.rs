//! The journal, the signer, the network and the venue, each moved by hand or all at once.

use super::*;
use tidegate_types::call::{Call, CallClass, Warrant, WireRequest};
use tidegate_types::codec::to_bytes;
use tidegate_types::ids::*;
use tidegate_types::limits::MAX_RECORD_BYTES;
use tidegate_types::proof::{Durable, Signed};
use tidegate_types::record::Body;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::{AccountEvent, AccountSnapshot, Outcome};
use tidegate_types::request::Reply;

impl World {
    pub(in crate::tests) fn carry_out(&mut self, out: Vec<Action>) {
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
                Action::Hasten { call } => self.hastened.push(call),
                Action::Answer { ticket, answer } => {
                    let twice = self.answers.insert(ticket, answer);
                    assert!(twice.is_none(), "{ticket} was answered twice");
                }
                Action::Reconcile { account, question } => {
                    self.to_read.push(question);
                    if account != name(MAIN) {
                        self.about.insert(question, account);
                    }
                }
                Action::FollowMarket { instrument } => self.markets_asked.push(instrument),
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
                    | Body::ShrinkCleared { call, .. }
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

    pub(in crate::tests) fn flush(&mut self) {
        self.flushed = self.journal.len() as u64;
        self.event(Event::Durable { proof: Durable::vouch(Seq(self.flushed)) });
    }

    pub(in crate::tests) fn sign(&mut self, at: usize) {
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

    pub(in crate::tests) fn not_sent(&mut self, at: usize) {
        let (call, _) = self.to_sign.remove(at);
        let reject = Reject::new(Code::SignerUnavailable, "test");
        self.event(Event::NotSent { call: call.id, reject });
    }

    /// One request leaves and is answered.
    pub(in crate::tests) fn deliver(&mut self, at: usize) {
        let call = self.to_send.remove(at);
        if self.departs(call.id) {
            let outcome = self.venue.arrive(&call.body, self.now);
            self.reply(call.id, outcome);
        }
    }

    /// One request leaves; the answer says that it is done and shows no order.
    pub(in crate::tests) fn deliver_unshown(&mut self, at: usize) {
        let call = self.to_send.remove(at);
        if self.departs(call.id) {
            let outcome = self.venue.arrive(&call.body, self.now);
            let is_done = matches!(outcome, Outcome::Accepted { .. });
            self.reply(call.id, if is_done { Outcome::Done } else { outcome });
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
    pub(in crate::tests) fn lose(&mut self, at: usize, arrives: bool) {
        let call = self.to_send.remove(at);
        if !self.departs(call.id) {
            return;
        }
        if arrives {
            let _ = self.venue.arrive(&call.body, self.now);
        }
        self.reply(call.id, Outcome::Unknown { why: "time-out".to_owned() });
    }

    pub(in crate::tests) fn reply(&mut self, call: CallId, outcome: Outcome) {
        let reply = Reply { status: 200, headers: Vec::new(), body: Vec::new() };
        let reply = (!matches!(outcome, Outcome::Unknown { .. })).then_some(reply);
        self.event(Event::Replied { call, outcome, reply });
    }

    pub(in crate::tests) fn read(&mut self) {
        let mut snapshot = self.venue.snapshot();
        let of = self.asked_about(self.to_read[0]);
        snapshot.orders.retain(|o| self.whose(o.client_id.as_ref(), &o.instrument) == of);
        snapshot.positions.retain(|held| account_at(&held.instrument.venue) == of);
        self.answer_read(Ok(snapshot));
    }

    fn asked_about(&self, question: u64) -> AccountName {
        self.about.get(&question).cloned().unwrap_or_else(|| name(MAIN))
    }

    /// The account of an order by the id it was sent with, else by its venue; there is one book for all of them.
    fn whose(&self, id: Option<&ClientId>, of: &InstrumentId) -> AccountName {
        let known = id.and_then(|id| self.core.state().orders().by_client(id));
        known.map_or_else(|| account_at(&of.venue), |order| order.account.clone())
    }

    /// The first question that waits is answered so.
    pub(in crate::tests) fn answer_read(&mut self, result: Result<AccountSnapshot, String>) {
        let question = self.to_read.remove(0);
        let account = self.asked_about(question);
        self.event(Event::Snapshot { account, question, result });
    }

    pub(in crate::tests) fn read_trades(&mut self) {
        let (question, instrument, since) = self.trades_to_read.remove(0);
        let result = self.venue.trades(&instrument, since);
        let account = account_at(&instrument.venue);
        self.event(Event::Trades { account, question, instrument, result });
    }

    pub(in crate::tests) fn tell(&mut self, at: usize) {
        let event = self.venue.stream.remove(at);
        let account = match &event {
            AccountEvent::Order { report } => {
                self.whose(report.client_id.as_ref(), &report.instrument)
            }
            AccountEvent::Fill { fill } => self.whose(fill.client_id.as_ref(), &fill.instrument),
            _ => name(MAIN),
        };
        self.event(Event::Streamed { account, event });
    }

    /// Lets one of the things that wait happen; whether there was one.
    pub(in crate::tests) fn step(&mut self) -> bool {
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
    pub(in crate::tests) fn settle(&mut self) {
        while self.step() {}
    }

    /// Lets a long time pass in which the venue answers what it is asked.
    pub(in crate::tests) fn live_through(&mut self, ms: u64) {
        let mut left = ms;
        while left > 0 {
            let step = left.min(20_000);
            self.pass(step);
            self.settle();
            left -= step;
        }
    }

    /// Settles, and goes on doing so for a while.
    pub(in crate::tests) fn settle_for(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.settle();
            self.pass(1000);
        }
        self.settle();
    }
}

/// The account at a venue.
fn account_at(venue: &VenueName) -> AccountName {
    name(if *venue == name(AWAY) { AWAY } else { MAIN })
}
