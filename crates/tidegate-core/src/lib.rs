//! Every decision, and no input or output: authorization, shaping, risk, halts, the life of
//! orders, positions, timers.
//!
//! The core takes events with the time they happened and returns actions for the server to carry
//! out. It has no clock, no randomness, no files, no sockets and no threads, so that the journal
//! replays to the same state and a whole trading day runs under one seed.
//!
//! Start with `pipeline.rs`, the path of an order. Decisions make records; `apply.rs` folds records
//! into `state.rs`, live and on replay alike. What is not a fold (requests in flight, timers,
//! questions waiting) is forgotten at a restart and found out again.

mod admin;
mod alarms;
mod amends;
mod apply;
mod attributed;
mod authorize;
mod books;
mod calls;
mod cancel;
mod clocks;
mod daily;
mod dead_man;
mod emergency;
mod exposure;
mod flatten;
mod gains;
mod guards;
mod halt;
mod journal;
mod liquidity;
mod options;
mod outstanding;
mod over;
mod people;
mod pipeline;
mod profit;
mod reconcile;
mod refusals;
mod repeat;
mod resolve;
mod retry;
mod risk;
mod saved;
mod self_trade;
mod settlements;
mod table;
mod timers;
mod told;
mod trades;
mod venue_margin;
mod venue_terms;

pub mod action;
pub mod approvals;
pub mod balances;
pub mod breakers;
pub mod event;
pub mod news;
pub mod orders;
pub mod policy;
pub mod positions;
pub mod rehearsal;
pub mod roles;
pub mod send;
pub mod shape;
pub mod state;
pub mod story;

pub use alarms::{About, Alarm, AlarmKind, Alarms};
pub use authorize::ReadRights;
pub use books::LostBook;
pub use clocks::Clock;
pub use guards::{Countdown, Guards};
pub use journal::AskedBy;
pub use options::Standing;
pub use outstanding::{Outstanding, StillHeld};
pub use self_trade::SelfTrades;
pub use venue_margin::{MarginTotal, VenueStanding};
pub use venue_terms::TermsInForce;

use action::{Action, Answer};
use event::Event;
use state::State;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::approval::Act;
use tidegate_types::codec::CodecError;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, CallId, OrderId, Seq, Ticket, VenueName};
use tidegate_types::limits::MAX_DONE_ORDERS;
use tidegate_types::proof::{Authenticated, Durable};
use tidegate_types::record::{Body, Record};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;
use timers::{Timer, Timers};

/// The server numbers its own calls (reads, sessions) from here on, the core's are below.
pub const FIRST_SERVER_CALL: CallId = CallId(1 << 63);
const FIRST_QUERY: u64 = 1 << 62;

/// What the core must be told before anything else; the same at every replay of a journal.
#[derive(Clone, Debug)]
pub struct CoreSettings {
    /// Venues where a caller may give several live orders the same id (labels).
    pub label_venues: BTreeSet<VenueName>,
    /// Venues that can be told to cancel everything after a while.
    pub dead_man_venues: BTreeSet<VenueName>,
    /// Most orders kept after they are done.
    pub max_done_orders: usize,
}

impl Default for CoreSettings {
    fn default() -> CoreSettings {
        CoreSettings {
            label_venues: BTreeSet::new(),
            dead_man_venues: BTreeSet::new(),
            max_done_orders: MAX_DONE_ORDERS,
        }
    }
}

impl CoreSettings {
    fn ids_are_unique(&self, venue: &VenueName) -> bool {
        !self.label_venues.contains(venue)
    }
}

/// The deciding machine.
#[derive(Debug)]
pub struct Core {
    settings: CoreSettings,
    state: State,
    next: Seq,
    running: bool,
    held: journal::Held,
    durable: Option<Durable>,
    /// Signed requests whose record is not durable yet.
    unflushed: BTreeMap<Seq, CallId>,
    /// Answers to give once a record is durable.
    answers: BTreeMap<Seq, (Ticket, Answer)>,
    flights: BTreeMap<CallId, calls::Flight>,
    orders_in_flight: usize,
    next_query: u64,
    snapshots_asked: u64,
    cancels: cancel::Cancels,
    sessions: guards::Sessions,
    doomed: guards::Doomed,
    dead_man: dead_man::DeadMan,
    doubts: resolve::Doubts,
    retries: retry::Retries,
    waits: self_trade::Waits,
    watches: BTreeMap<AccountName, reconcile::Watch>,
    proofs: BTreeMap<Scope, halt::Proof>,
    flattenings: BTreeMap<Scope, flatten::Flattening>,
    windows: refusals::Windows,
    stopped: breakers::Stopped,
    shadows: policy::Shadows,
    timers: Timers,
}

impl Core {
    /// A core that has seen nothing.
    pub fn new(settings: CoreSettings) -> Core {
        Core {
            settings,
            state: State::default(),
            next: Seq(0),
            running: false,
            held: journal::Held::default(),
            durable: None,
            unflushed: BTreeMap::new(),
            answers: BTreeMap::new(),
            flights: BTreeMap::new(),
            orders_in_flight: 0,
            next_query: FIRST_QUERY,
            snapshots_asked: 0,
            cancels: cancel::Cancels::default(),
            sessions: guards::Sessions::default(),
            doomed: guards::Doomed::default(),
            dead_man: dead_man::DeadMan::default(),
            doubts: resolve::Doubts::default(),
            retries: retry::Retries::default(),
            waits: self_trade::Waits::default(),
            watches: BTreeMap::new(),
            proofs: BTreeMap::new(),
            flattenings: BTreeMap::new(),
            windows: refusals::Windows::default(),
            stopped: breakers::Stopped::default(),
            shadows: policy::Shadows::default(),
            timers: Timers::default(),
        }
    }

    /// Folds a record of the journal in, before `Event::Started`.
    pub fn replay(&mut self, seq: Seq, record: &Record) {
        apply::apply(&mut self.state, record, self.settings.max_done_orders);
        self.next = seq.next();
    }

    /// A core as it was before record `next`, from the `state_bytes` of then; replay goes on there.
    ///
    /// # Errors
    /// When the bytes are not those of a state.
    pub fn restored(settings: CoreSettings, next: Seq, bytes: &[u8]) -> Result<Core, CodecError> {
        let mut input = bytes;
        let state = State::decode(&mut input)?;
        if !input.is_empty() {
            return Err(CodecError::TrailingBytes);
        }
        Ok(Core { state, next, ..Core::new(settings) })
    }

    /// Takes an event and adds what is to be done about it.
    pub fn handle(&mut self, event: Event, now: Time, out: &mut Vec<Action>) {
        match event {
            Event::Started { epoch, version, durability } => {
                self.append(Body::Started { epoch, version, durability }, now, out);
                self.running = true;
                self.take_up(now);
            }
            Event::Kept { acts } => self.kept(acts, now, out),
            Event::Stopping { by } => {
                self.close_windows(now, true, out);
                self.note_stopped(now, out);
                self.close_shadows(now, true, out);
                self.append(Body::StoppedBy { by }, now, out);
                self.running = false;
            }
            Event::Submit { ticket, who, session, intent } => {
                let asked = pipeline::Asked { ticket, who: &who, session, now };
                if let Some(intent) = self.submit(asked, intent, out) {
                    let asker = self_trade::Asker { ticket, who, session, intent };
                    self.wait_apart(asker, None, now, out);
                }
            }
            Event::PersonRefused { person, reject } => {
                self.person_refused(person, reject, now, out);
            }
            Event::RefusedEarlier { caller, account, shown, reject } => {
                self.refused_earlier((caller, account, shown), reject, now, out);
            }
            Event::StateSaved { ticket, next, digest } => {
                self.put_on_record(ticket, Body::StateSaved { next, digest }, now, out);
            }
            Event::Identity { ticket, fact } => {
                self.put_on_record(ticket, Body::Identity { fact }, now, out);
            }
            Event::LoggedIn { caller, key, session } => {
                self.logged_in(caller, key, session, now, out);
            }
            Event::Disconnected { session, lost } => self.session_ended(session, lost, now, out),
            Event::Administer { ticket, by, showing, change } => {
                self.propose((ticket, by, showing), Act::Change { change }, now, out);
            }
            Event::Halt { ticket, by, scope, reason, allow_reduce, flatten } => {
                let order = halt::HaltOrder { ticket, by, scope, reason, allow_reduce, flatten };
                self.halt(order, now, out);
            }
            Event::Resume { ticket, by, showing, scope, reason } => {
                self.propose((ticket, by, showing), Act::Resume { scope, reason }, now, out);
            }
            Event::Approve { ticket, word } => self.approve(ticket, word, now, out),
            Event::Deny { ticket, by, id } => self.deny(ticket, (by, id), now, out),
            Event::Instruments { venue, instruments } => {
                self.instruments(&venue, instruments, now, out);
            }
            Event::Marks { marks } => self.marks(marks, now, out),
            Event::VenueTerms { terms } => self.venue_terms(terms, now, out),
            Event::Liquidity { facts } => self.liquidity(facts, now, out),
            Event::ClockMeasured { venue, ahead, give } => {
                self.clock_measured(venue, ahead, give, now, out);
            }
            Event::OptionQuotes { quotes } => self.option_quotes(quotes, now, out),
            Event::BookLost { instrument, why } => self.book_lost(instrument, why, now, out),
            Event::BookWhole { instrument } => self.book_whole(instrument, now, out),
            Event::Durable { proof } => self.on_durable(proof, out),
            Event::JournalFailed { why } => self.journal_failed(&why, now, out),
            Event::JournalRestored => self.journal_restored(out),
            Event::Signed { proof } => self.on_signed(proof, out),
            Event::NotSent { call, reject } => self.on_not_sent(call, reject, now, out),
            Event::Sent { call } => self.on_sent(call, now, out),
            Event::Replied { call, outcome, reply } => {
                self.on_replied(call, outcome, reply, now, out);
            }
            Event::Unheard { order } => self.unheard(order),
            Event::Streamed { account, event } => drop(self.streamed(account, event, now, out)),
            Event::StreamUp { account } => self.stream_up(&account, now, out),
            Event::StreamDown { account, why } => self.stream_down(&account, why, now, out),
            Event::Trades { account, question, instrument, result } => {
                self.on_trades(&account, question, &instrument, result, now, out);
            }
            Event::Snapshot { account, question, result } => {
                self.on_snapshot(&account, question, result, now, out);
            }
        }
        self.watch_breakers(now, out);
        self.watch_throttles(now, out);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Action>) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Call(call) => self.expire(call, now, out),
                Timer::Resolve(order) => self.query(order, now, out),
                Timer::Retry(order) => self.ask_for_retries(order, now, out),
                Timer::Account(account) => self.ask_anew(&account, now, out),
                Timer::Halt(scope) => self.prove(&scope, now, out),
                Timer::Flatten(scope) => self.flatten(&scope, now, out),
                Timer::Countdown(countdown) => self.lapse(countdown, now, out),
                Timer::Doomed => self.sweep(now, out),
                Timer::DeadMan(account) => self.feed_dead_man(&account, now, out),
                Timer::Approval(id) => self.lapse_approval(id, now, out),
                Timer::SelfTrade(ticket) => self.apart_late(ticket, now, out),
                Timer::Refusals => self.close_windows(now, false, out),
                Timer::Breakers => self.breakers_due(now, out),
                Timer::Shadows => self.close_shadows(now, false, out),
            }
        }
        self.watch_breakers(now, out);
    }

    /// When `handle_timeout` is due next.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// What the journal says is so.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The number of the next record.
    pub fn next_seq(&self) -> Seq {
        self.next
    }

    /// Whether what is put on record now gets into the journal.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn takes_records(&self) -> Result<(), Reject> {
        self.can_write().map_err(|refusal| refusal.reject)
    }

    /// How many new orders, amends and settings are on their way.
    pub fn requests_in_flight(&self) -> usize {
        self.in_flight()
    }

    /// May this caller read its account, and how much of it?
    pub fn authorize_read(&self, who: &Authenticated, now: Time) -> Result<ReadRights, Reject> {
        authorize::read(&self.state, who, now)
    }

    /// The byte form of everything the journal's fold made.
    pub fn state_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.state.encode(&mut out);
        out
    }

    /// Puts something on record that changes nothing here; answered once that is durable.
    fn put_on_record(&mut self, ticket: Ticket, body: Body, now: Time, out: &mut Vec<Action>) {
        match self.can_write() {
            Ok(()) => {
                let seq = self.append(body, now, out);
                self.answer_when_durable(seq, ticket, Answer::Done);
            }
            Err(refusal) => {
                self.answer(Some(ticket), Answer::Refused { reject: refusal.reject }, out);
            }
        }
    }

    /// After replay: takes up what was left open.
    fn take_up(&mut self, now: Time) {
        let open: Vec<OrderId> = self.state.orders.open().map(|order| order.id).collect();
        for id in open {
            let order = self.state.orders.get(id);
            let amending = |o: &orders::Order| o.amend.as_ref().is_some_and(|a| a.unknown);
            if order.is_some_and(|o| o.stage == orders::Stage::Unknown || amending(o)) {
                self.doubt_at_once(id, now);
            }
        }
        for account in self.state.accounts.keys().cloned().collect::<Vec<_>>() {
            self.gap_begins(&account, now);
        }
        self.prove_again(now);
        self.wait_again();
        self.guard_again(now);
        self.dead_man_again(now);
    }

    fn journal_failed(&mut self, why: &str, now: Time, out: &mut Vec<Action>) {
        if self.held.failed.is_some() {
            return;
        }
        self.held.failed = Some(why.to_owned());
        let reject = Reject::new(Code::JournalUnavailable, why);
        self.drop_unsent(|_, _| true, &reject, now, out);
        self.keep_what_holds(now, out);
        self.cancels_in_emergency(out);
        // What they asked for is in force here and may be on the disk: that it was refused would be a lie.
        let unknown = Reject::new(
            Code::OutcomeUnknown,
            "the journal did not confirm it: it may be in force; see `tidegate status`",
        );
        for (ticket, _) in std::mem::take(&mut self.answers).into_values() {
            let answer = Answer::Refused { reject: unknown.clone() };
            out.push(Action::Answer { ticket, answer });
        }
    }
}

#[cfg(test)]
mod tests;
