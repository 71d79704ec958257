//! The gateway: the core and the journal, and what the server does around them, without its sockets
//! and threads.

use super::broken::Broken;
use super::streams::Follower;
use super::venue::{VENUES, account_place, venue_of};
use super::wire::{Flying, Purpose};
use super::world::{Due, Simulation};
use std::collections::{BTreeMap, VecDeque};
use tidegate_core::action::Action;
use tidegate_core::event::Event;
use tidegate_core::state::State;
use tidegate_core::{Core, FIRST_SERVER_CALL, send};
use tidegate_journal::stepped::Stepped;
use tidegate_journal::{Appender, Urgency};
use tidegate_server::desk::urgency;
use tidegate_server::front::Callers;
use tidegate_shaping::Shaper;
use tidegate_types::call::{Call, CallBody, CallClass, Warrant, WireRequest};
use tidegate_types::ids::{AccountName, CallId, Seq};
use tidegate_types::proof::{Durable, Signed};
use tidegate_types::record::{Body, Record};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};
use tidegate_venues::front::Instruments;

/// A disk that has not answered for so long counts as one that cannot be written, as in the server.
const SILENCE: Span = Span::from_secs(2);

/// One process of the gateway, from its start to its end.
pub(super) struct Gate {
    pub(super) core: Core,
    pub(super) journal: Stepped,
    pub(super) appender: Appender,
    pub(super) events: VecDeque<Event>,
    pub(super) busy: bool,
    /// What was asked of the signer and is not sent yet.
    pub(super) calls: BTreeMap<CallId, (AccountName, CallBody, Warrant)>,
    /// The signer answers in the order it is asked.
    pub(super) signer_free: Time,
    pub(super) flying: BTreeMap<u64, Flying>,
    pub(super) followers: Vec<Follower>,
    /// By the place of the venue.
    pub(super) instruments: [Instruments; VENUES.len()],
    pub(super) flush_at: Option<Time>,
    /// The disk is busy until then.
    pub(super) slow_until: Time,
    pub(super) urgent: bool,
    pub(super) lazy: bool,
    pub(super) journal_failed: bool,
    /// The disk does not answer, and may yet.
    pub(super) silent: bool,
    /// Who may come in.
    pub(super) door: Callers,
    /// What each venue asked to wait for.
    pub(super) paused_until: [Time; VENUES.len()],
    pub(super) next_call: u64,
    /// What is left of each venue's rate limits.
    pub(super) budgets: [Shaper; VENUES.len()],
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    pub(super) fn new(
        core: Core,
        journal: Stepped,
        appender: Appender,
        followers: Vec<Follower>,
        door: Callers,
        budgets: [Shaper; VENUES.len()],
    ) -> Gate {
        // As the desk has it: those that the journal knows of, until the venues are asked.
        let mut instruments: [Instruments; VENUES.len()] = Default::default();
        for (id, known) in core.state().instruments() {
            for (venue, book) in VENUES.iter().zip(&mut instruments) {
                if venue.name() == id.venue.as_str() {
                    book.0.insert(id.name.clone(), known.clone());
                }
            }
        }
        Gate {
            core,
            journal,
            appender,
            events: VecDeque::new(),
            busy: false,
            calls: BTreeMap::new(),
            signer_free: Time::default(),
            flying: BTreeMap::new(),
            followers,
            instruments,
            flush_at: None,
            slow_until: Time::default(),
            urgent: false,
            lazy: false,
            journal_failed: false,
            silent: false,
            door,
            budgets,
            paused_until: Default::default(),
            next_call: FIRST_SERVER_CALL.0,
        }
    }
}

/// The accounts that take no new orders.
fn closed(state: &State) -> Vec<AccountName> {
    let closed = state.accounts().iter().filter(|(_, account)| !account.open);
    closed.map(|(name, _)| name.clone()).collect()
}

impl Simulation {
    /// Gives the core an event and carries out what comes of it.
    pub(super) fn give(&mut self, event: Event) {
        let Some(gate) = &mut self.gate else { return };
        gate.events.push_back(event);
        if !gate.busy {
            gate.busy = true;
            self.carry_out(Vec::new());
        }
    }

    /// Has the core do what is due.
    pub(super) fn timers(&mut self) {
        let shown = self.clock.shows(self.now);
        let mut out = Vec::new();
        if let Some(gate) = &mut self.gate {
            gate.busy = true;
            gate.core.handle_timeout(shown, &mut out);
        }
        self.carry_out(out);
    }

    fn carry_out(&mut self, mut out: Vec<Action>) {
        let shown = self.clock.shows(self.now);
        loop {
            for action in std::mem::take(&mut out) {
                self.act(action);
            }
            let Some(gate) = &mut self.gate else { return };
            let Some(event) = gate.events.pop_front() else { break };
            self.gaps.takes(&event, gate.core.state());
            let closed = closed(gate.core.state());
            gate.core.handle(event, shown, &mut out);
            // Looked for in the state: while the disk is silent, the records come later.
            let accounts = gate.core.state().accounts();
            let opened = closed.iter().filter(|name| accounts.get(*name).is_some_and(|a| a.open));
            let held = opened.into_iter().try_for_each(|account| self.gaps.opens(account));
            self.hold(held);
        }
        if let Some(gate) = &mut self.gate {
            gate.busy = false;
        }
        self.commit();
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Append { seq, record } => self.append(seq, &record),
            Action::Keep { at, act } => {
                self.counts.add("acts without a record");
                self.kept.push((at, act));
            }
            Action::Sign { call, warrant } => self.sign(call, warrant),
            Action::Send { request } => {
                let id = request.call();
                let Some(gate) = &mut self.gate else { return };
                let Some((account, body, warrant)) = gate.calls.remove(&id) else {
                    return self.fail(format!("{id} is to be sent and was not to be signed"));
                };
                // A cancel that waited for a record that cannot be written goes without.
                let cancel = body.class() == CallClass::Cancel;
                let failed = gate.journal_failed;
                let warrant = if cancel && failed { Warrant::Emergency } else { warrant };
                if self.broken(Broken::SendsEarly) && !cancel {
                    return;
                }
                if self.skips(&body) {
                    return self.pretend(id, &body);
                }
                let venue = venue_of(account_place(account.as_str()));
                let purpose = Purpose::Call { id, account, body, warrant };
                self.depart(venue, purpose, request.into_request());
            }
            Action::Answer { ticket, answer } => {
                let silent = self.broken(Broken::LeavesUnanswered) && ticket.0 % 50 == 40;
                if !silent {
                    self.answered(ticket, answer);
                }
            }
            // Nothing of the simulated gateway's waits in a line.
            Action::Hasten { .. } | Action::FollowMarket { .. } => {}
            Action::ReadTrades { account, question, instrument, since } => {
                if self.broken(Broken::ReadsNoTrades) {
                    return self.give(Event::Trades {
                        account,
                        question,
                        instrument,
                        result: Ok(Vec::new()),
                    });
                }
                self.gaps.asks_trades(&account, question);
                self.ask_trades(account, question, instrument, since);
            }
            Action::Reconcile { account, question } => {
                self.counts.add("snapshots");
                self.gaps.asks_snapshot(&account, question);
                self.ask_snapshot(account, question, Vec::new());
            }
        }
    }

    fn append(&mut self, seq: Seq, record: &Record) {
        let taken = self.reference.append(seq, record);
        self.hold(taken);
        self.digest.add(self.reference.newest());
        self.say(|| format!("record {seq} {:?}", record.body));
        if let Body::Flattened { scope } = &record.body {
            self.said_flat(scope);
        }
        let urgency = urgency(&record.body);
        let Some(gate) = &mut self.gate else { return };
        match urgency {
            Urgency::Now => gate.urgent = true,
            Urgency::Lazy => gate.lazy = true,
        }
        if let Err(error) = gate.appender.append(seq, record, urgency) {
            self.journal_fails(error.to_string());
        }
    }

    /// Tells the core, once.
    pub(super) fn journal_fails(&mut self, why: String) {
        let Some(gate) = &mut self.gate else { return };
        if !gate.journal_failed {
            gate.journal_failed = true;
            self.counts.add("journal failures");
            self.say(|| format!("journal fails: {why}"));
            self.give(Event::JournalFailed { why });
        }
    }

    fn commit(&mut self) {
        let slow = !self.quiet && self.rng.chance(self.profile.slow_disk);
        let wait = if slow {
            self.counts.add("slow flushes");
            self.rng.millis(50, 4_000)
        } else {
            self.rng.millis(1, 4)
        };
        let Some(gate) = &mut self.gate else { return };
        if gate.journal_failed || !(gate.urgent || gate.lazy) {
            return;
        }
        let lazy = if gate.urgent { Span::ZERO } else { Span::from_millis(20) };
        (gate.urgent, gate.lazy) = (false, false);
        // What comes after a slow flush waits for it.
        let at = self.now.plus(lazy).plus(wait).max(gate.slow_until);
        if slow {
            gate.slow_until = at;
        }
        let committed = gate.appender.commit();
        if gate.flush_at.is_none_or(|set| at < set) {
            gate.flush_at = Some(at);
            self.queue.push(at, Due::Flush { life: self.life });
            if at > self.now.plus(SILENCE) {
                self.queue.push(self.now.plus(SILENCE), Due::Silent { life: self.life, until: at });
            }
        }
        if let Err(error) = committed {
            self.journal_fails(error.to_string());
        }
    }

    /// The disk has not answered for long: the core hears of it as of a failure, until it answers.
    pub(super) fn disk_is_silent(&mut self, until: Time) {
        let Some(gate) = &mut self.gate else { return };
        if gate.journal_failed || gate.flush_at != Some(until) {
            return;
        }
        (gate.journal_failed, gate.silent) = (true, true);
        self.counts.add("silences of the disk");
        self.give(Event::JournalFailed { why: "its disk does not answer".to_owned() });
    }

    pub(super) fn durable(&mut self, proof: Durable) {
        let end = proof.end();
        self.give(Event::Durable { proof });
        let Some(gate) = &mut self.gate else { return };
        if end >= self.kept_until && !gate.journal_failed {
            self.kept.clear();
        }
        if !std::mem::take(&mut gate.silent) {
            return;
        }
        let (_, lost) = gate.core.held();
        if lost > 0 {
            return self.say(|| format!("{lost} records did not fit while the disk was silent"));
        }
        gate.journal_failed = false;
        self.kept.clear();
        self.give(Event::JournalRestored);
    }

    fn sign(&mut self, call: Call, warrant: Warrant) {
        let took = Span::from_micros(self.rng.between(30, 600));
        let Some(gate) = &mut self.gate else { return };
        gate.calls.insert(call.id, (call.account.clone(), call.body.clone(), warrant));
        let at = gate.signer_free.max(self.now).plus(took);
        gate.signer_free = at;
        self.queue.push(at, Due::Signed { life: self.life, call: Box::new(call), warrant });
    }

    /// The signer answers.
    pub(super) fn signed(&mut self, call: Call, warrant: Warrant) {
        let class = call.body.class();
        let held = self.reference.signing(class, warrant);
        self.hold(held);
        if self.broken(Broken::SignsBackwards) && class == CallClass::Amend {
            let held = self.reference.signing(class, warrant);
            self.hold(held);
        }
        match self.build(&call) {
            Ok(request) => {
                if self.broken(Broken::SendsEarly) && class != CallClass::Cancel {
                    let (id, body) = (call.id, call.body.clone());
                    let venue = venue_of(account_place(call.account.as_str()));
                    let account = call.account.clone();
                    let purpose = Purpose::Call { id, account, body, warrant };
                    self.depart(venue, purpose, request.clone());
                }
                let proof = Signed::vouch(call.id, class, request);
                self.give(Event::Signed { proof });
            }
            Err(reject) => {
                if let Some(gate) = &mut self.gate {
                    gate.calls.remove(&call.id);
                }
                self.give(Event::NotSent { call: call.id, reject });
            }
        }
    }

    /// Words and signs a call as the signer does.
    pub(super) fn build(&mut self, call: &Call) -> Result<WireRequest, Reject> {
        if self.now < self.signer_until {
            self.counts.add("signatures refused");
            return Err(Reject::new(Code::SignerUnavailable, "the signer is gone"));
        }
        let shown = self.clock.shows(self.now);
        let key = self.keys.iter().find(|key| key.account == call.account);
        let key = key.ok_or_else(|| Reject::new(Code::SignerRefused, "no key"))?;
        let venue = venue_of(account_place(call.account.as_str()));
        let built = self.dialect(venue).build(call, key, shown);
        built.map_err(|error| Reject::new(Code::SignerRefused, format!("{error:?}")))
    }

    /// Has something signed that changes nothing, and sends it.
    pub(super) fn fetch(
        &mut self,
        account: &AccountName,
        body: CallBody,
        purpose: Purpose,
    ) -> Result<(), String> {
        let venue = venue_of(account_place(account.as_str()));
        if let Some(request) = self.unrecorded(account, body)? {
            self.depart(venue, purpose, request);
        }
        Ok(())
    }

    /// A signed request that changes nothing; none without a gateway.
    pub(super) fn unrecorded(
        &mut self,
        account: &AccountName,
        body: CallBody,
    ) -> Result<Option<WireRequest>, String> {
        let Some(gate) = &mut self.gate else { return Ok(None) };
        let id = CallId(gate.next_call);
        gate.next_call += 1;
        let call = Call { id, account: account.clone(), body };
        let request = self.build(&call).map_err(|reject| reject.to_string())?;
        let signed = Signed::vouch(id, call.body.class(), request);
        match send::unrecorded(signed) {
            Ok(sendable) => Ok(Some(sendable.into_request())),
            Err(_) => {
                self.fail(format!("{:?} leaves without a record", call.body));
                Ok(None)
            }
        }
    }
}
