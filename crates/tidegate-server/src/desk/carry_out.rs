//! Carrying out actions, in the order given.

use super::exchange::reduces;
use super::notices::Notices;
use super::read::{key_of, no_key};
use super::venue_clock::apart;
use super::{Desk, Histogram, Kept, Waiting};
use crate::oplog;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tidegate_core::action::{Action, Answer};
use tidegate_core::event::Event;
use tidegate_core::send::Sendable;
use tidegate_core::state::State;
use tidegate_core::{AskedBy, Core, Outstanding, ReadRights};
use tidegate_journal::{Appender, FlushEvent, JournalError, Urgency};
use tidegate_types::call::{Call, CallBody, CallClass, Warrant};
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, CallId, CallerName, Seq, Ticket, VenueName};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Record};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};
use tidegate_vault::signer::protocol::SignAs;
use tokio::sync::{mpsc, oneshot, watch};

/// What the desk's lock guards.
pub(super) struct Inner {
    core: Core,
    /// What the core wants and is not done yet.
    actions: Vec<Action>,
    appender: Appender,
    waiting: HashMap<Ticket, Waiting>,
    next_ticket: Ticket,
    calls: HashMap<CallId, Ongoing>,
    /// Of the cancels that are not answered, which are a halt's or a breaker's.
    kills: HashMap<CallId, watch::Sender<bool>>,
    /// Records that something waits for, and since when.
    gating: VecDeque<(Seq, Instant)>,
    /// Since when records wait that nothing waits for.
    pub(super) lazy_since: Option<Time>,
    /// Why it cannot be written, in one line.
    pub(super) journal_failed: Option<String>,
    /// It cannot because the disk does not answer: since when. It may yet.
    silent: Option<Instant>,
    /// What goes on without, in one line.
    pub(super) journal_degraded: Option<String>,
    pub(super) notices: Notices,
    degraded: oplog::Repeated,
    /// The record before which all is on record that went without one.
    taken_up: Option<Seq>,
}

/// A disk that has not answered for so long counts as one that cannot be written until it does:
/// orders are refused, and cancels go without their records.
pub(super) const SILENCE: Duration = Duration::from_secs(2);

/// A call between signing and sending.
pub(super) struct Ongoing {
    pub(super) venue: VenueName,
    pub(super) account: AccountName,
    pub(super) body: CallBody,
    /// Who asked for it, where a caller did.
    pub(super) caller: Option<CallerName>,
    /// Whether it is a cancel of a halt's or a breaker's.
    pub(super) kill: watch::Receiver<bool>,
    /// When it was cleared.
    pub(super) asked: Instant,
    /// Since when it waits, as its caller sees it.
    pub(super) since: Instant,
}

/// Whether a send or an answer of the administration's waits for this record.
pub fn urgency(body: &Body) -> Urgency {
    match body {
        Body::Started { .. }
        | Body::Stopped
        | Body::StoppedBy { .. }
        | Body::Changed { .. }
        | Body::ApprovalAsked { .. }
        | Body::ApprovalMissed { .. }
        | Body::ApprovalConfirmed { .. }
        | Body::ApprovalEnded { .. }
        | Body::Halted { .. }
        | Body::HaltProven { .. }
        | Body::BreakerTripped { .. }
        | Body::Resumed { .. }
        | Body::Flattening { .. }
        | Body::Flattened { .. }
        | Body::ClosingCleared { .. }
        | Body::Unrecorded { .. }
        | Body::Cleared { .. }
        | Body::AmendCleared { .. }
        | Body::ShrinkCleared { .. }
        | Body::CancelCleared { .. }
        | Body::SettingCleared { .. }
        | Body::Guarded { .. }
        | Body::Unguarded { .. }
        | Body::GuardedEver { .. }
        | Body::DeadManTold { .. }
        | Body::Identity { .. }
        | Body::CountdownSet { .. } => Urgency::Now,
        Body::Instruments { .. }
        | Body::Marks { .. }
        | Body::VenueTermsRead { .. }
        | Body::Liquidity { .. }
        | Body::OptionQuotes { .. }
        | Body::Closed { .. }
        | Body::Reconciled { .. }
        | Body::BalancesTaken { .. }
        | Body::MarginTold { .. }
        | Body::SettledAt { .. }
        | Body::Opened { .. }
        | Body::Refused { .. }
        | Body::RefusedMore { .. }
        | Body::RefusedMoreOf { .. }
        | Body::Sent { .. }
        | Body::NotSent { .. }
        | Body::Replied { .. }
        | Body::Streamed { .. }
        | Body::Resolved { .. }
        | Body::LoggedIn { .. }
        | Body::StateSaved { .. }
        | Body::Warned { .. }
        | Body::BreakerStopped { .. }
        | Body::ClockMeasured { .. }
        | Body::ShadowRefused { .. }
        | Body::ShadowRefusedMore { .. }
        // The order that it is used for follows.
        | Body::OverrideUsed { .. }
        | Body::BookLost { .. }
        | Body::BookWhole { .. }
        // An order or a cancel that something waits for follows these.
        | Body::ByToken { .. }
        | Body::BySignature { .. }
        | Body::RefusedByToken { .. }
        | Body::RefusedBecause { .. }
        | Body::Through { .. }
        | Body::OptionsWeighed { .. }
        | Body::SessionEnded { .. }
        | Body::CountdownLapsed { .. } => Urgency::Lazy,
    }
}

/// Whether a record changes what a caller may follow.
fn is_news(body: &Body) -> bool {
    !matches!(
        body,
        Body::Marks { .. }
            | Body::Liquidity { .. }
            | Body::ClockMeasured { .. }
            | Body::OptionQuotes { .. }
            | Body::MarginTold { .. }
            | Body::Instruments { .. }
            | Body::Refused { .. }
            | Body::RefusedMore { .. }
            | Body::RefusedMoreOf { .. }
            | Body::RefusedByToken { .. }
            | Body::RefusedBecause { .. }
            | Body::ShadowRefused { .. }
            | Body::ShadowRefusedMore { .. }
            | Body::OverrideUsed { .. }
            | Body::LoggedIn { .. }
            | Body::Identity { .. }
            | Body::StateSaved { .. }
    )
}

impl Inner {
    pub(super) fn new(core: Core, appender: Appender) -> Inner {
        Inner {
            core,
            actions: Vec::new(),
            appender,
            waiting: HashMap::new(),
            next_ticket: Ticket(0),
            calls: HashMap::new(),
            kills: HashMap::new(),
            gating: VecDeque::new(),
            lazy_since: None,
            journal_failed: None,
            silent: None,
            journal_degraded: None,
            notices: Notices::default(),
            degraded: oplog::Repeated::default(),
            taken_up: None,
        }
    }

    /// Whether what is put on record now gets into the journal.
    pub(super) fn takes_records(&self) -> Result<(), Reject> {
        self.core.takes_records()
    }

    /// Gives the core an event; `carry_out` follows.
    pub(super) fn handle(&mut self, event: Event, now: Time) {
        let takes_up = matches!(event, Event::Kept { .. } | Event::JournalRestored);
        let fails = matches!(event, Event::JournalFailed { .. });
        if let Event::NotSent { call, .. } | Event::Replied { call, .. } = &event {
            self.kills.remove(call);
        }
        self.core.handle(event, now, &mut self.actions);
        if takes_up || fails {
            self.taken_up = takes_up.then(|| self.core.next_seq());
        }
    }

    /// Whether all that went without a record is on record and durable now; told once.
    fn is_taken_up(&mut self, durable: Seq) -> bool {
        self.taken_up.take_if(|end| *end <= durable).is_some()
    }

    /// Has the core do what is due.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        if self.core.poll_timeout().is_some_and(|due| due <= now) {
            self.core.handle_timeout(now, &mut self.actions);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.core.poll_timeout()
    }

    pub(super) fn next_seq(&self) -> Seq {
        self.core.next_seq()
    }

    pub(super) fn outstanding(&self, scope: &Scope) -> Outstanding {
        self.core.outstanding(scope)
    }

    pub(super) fn may_leave(&self, call: CallId) -> bool {
        self.core.may_leave(call)
    }

    pub(super) fn waits_for(&self, account: &AccountName) -> Option<String> {
        self.core.waits_for(account)
    }

    pub(super) fn state(&self) -> &State {
        self.core.state()
    }

    pub(super) fn authorize_read(
        &self,
        who: &Authenticated,
        now: Time,
    ) -> Result<ReadRights, Reject> {
        self.core.authorize_read(who, now)
    }

    /// A ticket for a question, if no more than `most` wait.
    pub(super) fn ask(
        &mut self,
        most: usize,
    ) -> Result<(Ticket, oneshot::Receiver<Answer>), Reject> {
        if self.waiting.len() >= most {
            let detail = format!("{} wait for their answers", self.waiting.len());
            return Err(Reject::new(Code::TooManyInFlight, detail));
        }
        let ticket = self.next_ticket;
        self.next_ticket = ticket.next();
        let (sender, receiver) = oneshot::channel();
        self.waiting.insert(ticket, sender);
        Ok((ticket, receiver))
    }

    /// Has the journal write what was appended.
    pub(super) fn commit(&mut self, now: Time) {
        self.lazy_since = None;
        if let Err(error) = self.appender.commit() {
            self.fail_journal(&error, now);
        }
    }

    /// The flush times of the records that a flush covers.
    pub(super) fn flushed(&mut self, end: Seq, mut each: impl FnMut(std::time::Duration)) {
        while self.gating.front().is_some_and(|(seq, _)| *seq < end) {
            if let Some((_, since)) = self.gating.pop_front() {
                each(since.elapsed());
            }
        }
    }

    /// Whether no record waits for its flush that something else waits for.
    pub(super) fn is_flushed(&self) -> bool {
        self.gating.is_empty()
    }

    /// Measures how long a signature took.
    pub(super) fn note_signed(&self, call: CallId, took: &Histogram) {
        if let Some(ongoing) = self.calls.get(&call) {
            took.record(ongoing.asked.elapsed());
        }
    }

    /// A call that is not going to be sent.
    pub(super) fn forget(&mut self, call: CallId) {
        self.calls.remove(&call);
    }

    fn append(&mut self, seq: Seq, record: &Record, now: Time) -> Urgency {
        self.notices.note(record);
        let urgency = urgency(&record.body);
        match self.appender.append(seq, record, urgency) {
            Ok(()) if urgency == Urgency::Now => self.gating.push_back((seq, Instant::now())),
            Ok(()) => {
                self.lazy_since.get_or_insert(now);
            }
            Err(error) => self.fail_journal(&error, now),
        }
        urgency
    }

    /// Tells the core, once; the actions that come of it are carried out with the rest.
    fn fail_journal(&mut self, error: &JournalError, now: Time) {
        let first = self.journal_failed.is_none();
        // A disk that was silent and then failed will not go on by itself.
        if first || self.silent.take().is_some() {
            let why = format!(
                "{error}; then restart. Until then orders are refused, cancels and halts go"
            );
            oplog::alarm("journal-failed", &[("why", &why)]);
            self.journal_failed = Some(why);
        }
        if first {
            // Callers are told no path.
            let why = "its disk refuses".to_owned();
            self.handle(Event::JournalFailed { why }, now);
        }
    }

    /// Whether it cannot be written for now because the disk does not answer.
    pub(super) fn is_silent(&self) -> bool {
        self.silent.is_some()
    }

    /// Looks whether the disk has stopped to answer.
    pub(super) fn look_at_journal(&mut self, folder: &str, now: Time) {
        let unanswered = self.appender.unanswered();
        if self.journal_failed.is_some() || unanswered < SILENCE {
            return;
        }
        let why = format!(
            "the disk under {folder} has not answered for {} s: see `dmesg`. Until it does orders \
             are refused, cancels and halts go",
            unanswered.as_secs()
        );
        oplog::alarm("journal-silent", &[("why", &why)]);
        self.journal_failed = Some(why);
        self.silent = Instant::now().checked_sub(unanswered);
        let why = "its disk does not answer".to_owned();
        self.handle(Event::JournalFailed { why }, now);
    }

    /// Takes up again what a silent disk held up: what was handed over is written, and the rest
    /// follows.
    fn disk_answers(&mut self, now: Time) {
        let Some(since) = self.silent.take() else { return };
        let (held, lost) = self.core.held();
        if lost > 0 {
            // The journal would have a gap.
            let error = JournalError::Closed(format!(
                "the disk was silent for {} s, and {lost} records did not fit into memory",
                since.elapsed().as_secs()
            ));
            self.silent = Some(since);
            return self.fail_journal(&error, now);
        }
        let silent_ms = since.elapsed().as_millis();
        oplog::info("journal-answers", &[("silent_ms", &silent_ms), ("held", &held)]);
        self.journal_failed = None;
        self.handle(Event::JournalRestored, now);
    }
}

impl Desk {
    /// Carries out every action there is, and what comes of that.
    pub(super) fn carry_out(&self, inner: &mut Inner, now: Time) {
        let (mut urgent, mut news) = (false, false);
        while !inner.actions.is_empty() {
            for action in std::mem::take(&mut inner.actions) {
                match action {
                    Action::Append { seq, record } => {
                        news |= is_news(&record.body);
                        urgent |= inner.append(seq, &record, now) == Urgency::Now;
                    }
                    Action::Keep { at, act } => self.keep(Kept::Act { at, act }),
                    Action::Sign { call, warrant } => self.sign_call(inner, call, warrant, now),
                    Action::Send { request } => self.send_call(inner, request, now),
                    Action::Hasten { call } => {
                        if let Some(kill) = inner.kills.get(&call) {
                            kill.send_replace(true);
                        }
                    }
                    Action::Answer { ticket, answer } => {
                        if let Some(waiting) = inner.waiting.remove(&ticket) {
                            // Nobody waits any more when the connection is gone.
                            if let Err(Answer::Venue { order: Some(order), placed: true, .. }) =
                                waiting.send(answer)
                            {
                                inner.handle(Event::Unheard { order }, now);
                            }
                        }
                    }
                    Action::Reconcile { account, question } => self.reconcile(account, question),
                    Action::FollowMarket { instrument } => self.markets.ask(instrument),
                    Action::ReadTrades { account, question, instrument, since } => {
                        self.read_trades(account, question, instrument, since);
                    }
                }
            }
        }
        if urgent {
            self.due.notify_one();
        }
        if news && self.pulse.receiver_count() > 0 {
            self.pulse.send_replace(());
        }
    }

    /// Has records written that something waits for, once the tasks that are ready
    /// have had their turn: what comes in together is flushed together.
    pub async fn keep_committing(self: Arc<Desk>) {
        loop {
            self.due.notified().await;
            self.commit();
        }
    }

    /// Watches, until dropped, that the disk answers; `folder` is the journal's, as it is told.
    pub async fn watch_journal(self: Arc<Desk>, folder: String) {
        loop {
            tokio::time::sleep(SILENCE / 8).await;
            self.turn(|inner, now| inner.look_at_journal(&folder, now));
        }
    }

    /// Has every record written.
    pub fn commit(&self) {
        self.turn(|inner, now| inner.commit(now));
    }

    fn send_call(&self, inner: &mut Inner, request: Sendable, now: Time) {
        let call = request.call();
        match inner.calls.remove(&call) {
            Some(ongoing) => self.send(request, ongoing),
            None => {
                let reject = Reject::new(Code::SignerRefused, "nothing was to be signed");
                inner.handle(Event::NotSent { call, reject }, now);
            }
        }
    }

    fn sign_call(&self, inner: &mut Inner, call: Call, warrant: Warrant, now: Time) {
        let id = call.id;
        let venue = inner.state().accounts().get(&call.account).map(|known| known.venue.clone());
        let Some(venue) = venue else {
            let reject = Reject::new(Code::SignerRefused, "the account is not known");
            return inner.handle(Event::NotSent { call: id, reject }, now);
        };
        let Some(key) = key_of(inner.state(), &call.account) else {
            return inner.handle(Event::NotSent { call: id, reject: no_key() }, now);
        };
        let (account, body, asked) = (call.account.clone(), call.body.clone(), Instant::now());
        let (caller, came) = match inner.core.asked_by(id).cloned() {
            Some(AskedBy { caller, came }) => (Some(caller), came),
            None => (None, None),
        };
        // What reduces a position may have waited for cancels longer than its caller would have it wait for the venue:
        // it is sent all the same.
        let waited = came.filter(|_| !reduces(&body)).map_or(Span::ZERO, |came| now.since(came));
        let since = asked.checked_sub(Duration::from_micros(waited.micros())).unwrap_or(asked);
        let (tell, kill) = watch::channel(inner.core.is_kill(id));
        if body.class() == CallClass::Cancel {
            inner.kills.insert(id, tell);
        }
        // The venue reads the deadline, and the time stamp, by its own clock.
        let at = self.links.stamp(&venue);
        let by = SignAs { key, at };
        inner.calls.insert(id, Ongoing { venue, account, body, caller, kill, asked, since });
        self.signer.sign(call.on_clock(apart(at, now)), warrant, by);
    }

    /// Takes up what the journal's threads tell, until they end. They never wait for the desk, nor
    /// the desk for them.
    pub async fn hear_journal(self: Arc<Desk>, mut news: mpsc::UnboundedReceiver<FlushEvent>) {
        while let Some(event) = news.recv().await {
            self.flushed(event);
        }
    }

    /// What the journal tells.
    pub fn flushed(&self, event: tidegate_journal::FlushEvent) {
        self.turn(|inner, now| match event {
            FlushEvent::Durable(proof) => {
                inner.flushed(proof.end(), |took| self.measures.flush.record(took));
                let end = proof.end();
                inner.handle(Event::Durable { proof }, now);
                if inner.is_taken_up(end) {
                    self.keep(Kept::OnRecord);
                }
                inner.disk_answers(now);
            }
            FlushEvent::Failed(error) => inner.fail_journal(&error, now),
            // The journal itself tries again, and says so for as long as it is so.
            FlushEvent::Degraded(error) => {
                let why = error.to_string();
                if inner.degraded.is_news(&why) {
                    oplog::warn("journal-degraded", &[("why", &why)]);
                }
                inner.journal_degraded = Some(why);
            }
            FlushEvent::Mended => {
                inner.journal_degraded = None;
                if inner.degraded.over() {
                    oplog::info("journal-mended", &[]);
                }
            }
        });
    }
}
