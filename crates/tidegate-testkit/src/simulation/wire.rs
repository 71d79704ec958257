//! Requests on their way to the venue and back.

pub(super) use super::faults::Fate;

use super::world::{Due, Simulation};
use tidegate_core::event::Event;
use tidegate_types::call::{CallBody, CallClass, Warrant, WireRequest};
use tidegate_types::ids::{AccountName, CallId};
use tidegate_types::limits::VENUE_TIMEOUT;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::Outcome;
use tidegate_types::request::Reply;
use tidegate_types::time::Span;
use tidegate_venues::front::Instruments;

/// What a request is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// A call of the core's.
    Call { id: CallId, body: CallBody, warrant: Warrant },
    /// Part of an account's snapshot.
    Snapshot { account: AccountName, replies: Vec<Reply> },
    /// A step of an account's private stream.
    Stream { account: usize, attempt: u64 },
    /// The venue's terms.
    Instruments,
}

impl Simulation {
    /// A request leaves, or does not.
    pub(super) fn depart(&mut self, purpose: Purpose, wire: WireRequest) {
        let number = self.number();
        let life = self.life;
        let mut fate = match self.quiet {
            true => Fate::Fine,
            false => self.profile.fate(&mut self.rng, self.outage_until > self.now),
        };
        let Some(gate) = &mut self.gate else { return };
        let cancels =
            matches!(&purpose, Purpose::Call { body, .. } if body.class() == CallClass::Cancel);
        if gate.paused_until > self.now && !cancels {
            fate = Fate::Refused;
        }
        if let Purpose::Call { id, body, warrant } = &purpose
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
        gate.flying.insert(number, purpose);
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
                let sooner = self.rng.millis(1, 200);
                self.after(sooner, broken);
                self.after(wait, Due::Arrive { life, number, wire: Box::new(wire), fate });
            }
            Fate::Late => {
                let wait = self.rng.millis(500, 20_000);
                self.after(wait, Due::Arrive { life, number, wire: Box::new(wire), fate });
            }
            Fate::Fine | Fate::Deaf | Fate::MachineryBefore | Fate::MachineryAfter => {
                self.after(wait, Due::Arrive { life, number, wire: Box::new(wire), fate });
            }
        }
    }

    /// A request reaches the venue, whoever sent it and whether that one still lives.
    pub(super) fn arrive(&mut self, life: u32, number: u64, wire: &WireRequest, fate: Fate) {
        let reply = if fate == Fate::MachineryBefore {
            self.machinery()
        } else {
            self.digest.add(wire.target.as_bytes());
            let answered = self.venue.rest(wire);
            self.venue_moved();
            match answered {
                Ok(_) if fate == Fate::MachineryAfter => self.machinery(),
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
    fn machinery(&mut self) -> Reply {
        let (status, body): (u16, &[u8]) = match self.rng.below(4) {
            0 => (503, b"{\"code\":-1000,\"msg\":\"Unknown error\"}"),
            1 => (504, b"{\"code\":-1007,\"msg\":\"Timeout waiting for response\"}"),
            2 => (502, b"<html>502 Bad Gateway</html>"),
            _ => (200, b"{\"orderId\":41"),
        };
        Reply { status, headers: Vec::new(), body: body.to_vec() }
    }

    /// An answer reaches the gateway.
    pub(super) fn answer(&mut self, number: u64, reply: Reply) {
        let Some(gate) = &mut self.gate else { return };
        let Some(purpose) = gate.flying.remove(&number) else { return };
        if let Some(wait) = self.dialect.back_off(&reply) {
            self.counts.add("venue asks to wait");
            gate.paused_until = gate.paused_until.max(self.now.plus(wait));
        }
        match purpose {
            Purpose::Call { id, body, .. } => {
                let outcome = self.dialect.outcome(&body, &reply, &gate.instruments);
                self.give(Event::Replied { call: id, outcome, reply: Some(reply) });
            }
            Purpose::Snapshot { account, mut replies } => {
                replies.push(reply);
                self.ask_snapshot(account, replies);
            }
            Purpose::Stream { account, attempt } => self.stream_reply(account, attempt, &reply),
            Purpose::Instruments => match self.dialect.instruments(&[reply]) {
                Ok(list) => {
                    let rows = list.iter().map(|i| (i.id.name.clone(), i.clone()));
                    gate.instruments = Instruments(rows.collect());
                    let venue = self.dialect.name();
                    self.give(Event::Instruments { venue, instruments: list });
                }
                Err(_) => self.instruments_later(),
            },
        }
    }

    /// There is no answer to a request, unless there was one already.
    pub(super) fn gave_up(&mut self, number: u64, left: bool, why: &str) {
        let Some(gate) = &mut self.gate else { return };
        let Some(purpose) = gate.flying.remove(&number) else { return };
        let why = why.to_owned();
        match purpose {
            Purpose::Call { id, .. } if left => {
                self.counts.add("outcomes unknown");
                let outcome = Outcome::Unknown { why };
                self.give(Event::Replied { call: id, outcome, reply: None });
            }
            Purpose::Call { id, .. } => {
                let reject = Reject::new(Code::VenueUnreachable, why);
                self.give(Event::NotSent { call: id, reject });
            }
            Purpose::Snapshot { account, .. } => {
                self.give(Event::Snapshot { account, result: Err(why) });
            }
            Purpose::Stream { account, attempt } => self.stream_fails(account, attempt, why),
            Purpose::Instruments => self.instruments_later(),
        }
    }

    /// Asks for the next part of a snapshot, or hands it over when it is whole.
    pub(super) fn ask_snapshot(&mut self, account: AccountName, replies: Vec<Reply>) {
        let part = u32::try_from(replies.len()).unwrap_or(u32::MAX);
        if part < self.dialect.snapshot_parts() {
            let purpose = Purpose::Snapshot { account: account.clone(), replies };
            if let Err(why) = self.fetch(&account, CallBody::Snapshot { part }, purpose) {
                self.give(Event::Snapshot { account, result: Err(why) });
            }
            return;
        }
        let Some(gate) = &self.gate else { return };
        let result = self.dialect.snapshot(&replies, &gate.instruments).map_err(|e| e.0);
        self.give(Event::Snapshot { account, result });
    }

    pub(super) fn ask_instruments(&mut self) {
        if let Some(wire) = self.dialect.instrument_requests().into_iter().next() {
            self.depart(Purpose::Instruments, wire);
        }
    }

    fn instruments_later(&mut self) {
        let life = self.life;
        self.after(Span::from_secs(1), Due::Instruments { life });
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
