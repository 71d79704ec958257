//! Owns the core and carries out what it wants.
//!
//! Whoever has an event hands it over with the core locked, and the actions that come of it are
//! carried out, in order, before the lock is let go: appending, asking the signer, sending and
//! answering all only put something into a queue. So no event waits behind a task's turn, from
//! whichever thread it comes, and a halt waits for one event at most.

mod carry_out;
mod egress;
mod exchange;
mod fanout;
mod links;
mod markets;
mod measure;
mod notices;
mod read;
mod rooms;
mod shared;
mod signing;
mod sink;
mod timer;
mod transport;
mod venue_clock;
mod weir;

pub use carry_out::urgency;
pub use egress::Egress;
pub use fanout::{Follower, Membership};
pub use links::{Errand, Link, Links, OwnSocket, SendError};
pub use measure::{Histogram, Measures, Quantiles};
pub use notices::{Counts, RecentRefusal};
pub use read::{AccountOwners, AllowedRead};
pub use signing::Signer;
pub use sink::{Signing, Sink};
pub use transport::{
    BoxedSocket, CALLED_BACK, Departure, Failure, NotOpen, Transport, VenueSocket,
};
pub use venue_clock::{Offset, Reading, VenueClock, apart};
pub use weir::{Gauge, Shares, word as stopped};

use crate::clock;
use carry_out::Inner;
use markets::Markets;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::time::Instant;
use tidegate_core::action::Answer;
use tidegate_core::approvals::Word;
use tidegate_core::event::Event;
use tidegate_core::state::State;
use tidegate_core::{Core, Outstanding};
use tidegate_identity::ledger::Fact;
use tidegate_journal::Appender;
use tidegate_types::approval::{Act, Showing};
use tidegate_types::codec::{Octets, to_bytes};
use tidegate_types::emergency::Emergency;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{
    AccountName, ApprovalId, CallId, InstrumentId, PersonName, Seq, SessionId, Ticket, VenueName,
};
use tidegate_types::instrument::Mark;
use tidegate_types::limits::MAX_IN_FLIGHT;
use tidegate_types::options::OptionQuote;
use tidegate_types::order::Intent;
use tidegate_types::proof::Authenticated;
use tidegate_types::record::Change;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;
use tidegate_venues::front::Instruments;
use timer::Alarm;
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast, oneshot, watch};

/// How many messages of a private stream wait for a slow session.
const FRAMES_KEPT: usize = 1024;

/// Keeps what goes without a record.
pub type Keeper = Box<dyn Fn(Kept) + Send + Sync>;

/// What a keeper is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// This goes without a record, and must not be forgotten.
    Act {
        /// When.
        at: Time,
        /// What.
        act: Emergency,
    },
    /// All that was told until now is on record, and on disk there.
    OnRecord,
}

/// The core and everything around it that is shared.
pub struct Desk {
    inner: Mutex<Inner>,
    /// Halts that wait for `inner`. The lock alone is not fair: a busy loop could take it again and
    /// again before a halt's thread wakes.
    pressing: AtomicUsize,
    books: RwLock<BTreeMap<VenueName, Arc<Instruments>>>,
    marks: Mutex<BTreeMap<InstrumentId, Mark>>,
    quotes: Mutex<BTreeMap<InstrumentId, OptionQuote>>,
    markets: Markets,
    frames: Mutex<BTreeMap<AccountName, broadcast::Sender<Arc<Value>>>>,
    pulse: watch::Sender<()>,
    measures: Measures,
    alarm: Alarm,
    /// There are records to commit.
    due: Notify,
    signer_lacks: Mutex<Vec<String>>,
    keeper: OnceLock<Keeper>,
    links: Arc<Links>,
    signer: Arc<dyn Signer>,
    runtime: Handle,
    this: Weak<Desk>,
}

impl Desk {
    /// A desk around a core that has replayed its journal. Work for venues runs on `runtime`.
    pub fn new(
        core: Core,
        appender: Appender,
        signer: Arc<dyn Signer>,
        links: Arc<Links>,
        runtime: Handle,
    ) -> Arc<Desk> {
        let books = RwLock::new(books_of(core.state()));
        Arc::new_cyclic(|this| Desk {
            inner: Mutex::new(Inner::new(core, appender)),
            pressing: AtomicUsize::new(0),
            books,
            marks: Mutex::default(),
            quotes: Mutex::default(),
            markets: Markets::default(),
            frames: Mutex::default(),
            pulse: watch::Sender::new(()),
            measures: Measures::default(),
            alarm: Alarm::default(),
            due: Notify::new(),
            signer_lacks: Mutex::default(),
            keeper: OnceLock::new(),
            links,
            signer,
            runtime,
            this: Weak::clone(this),
        })
    }

    /// Hands an event to the core and carries out what comes of it.
    pub fn event(&self, event: Event) {
        self.turn(|inner, now| inner.handle(event, now));
    }

    /// Asks the core for something on a caller's behalf, over a session or without one. The decision is made, and its records are
    /// on their way, when this returns; the answer follows.
    pub fn submit(
        &self,
        who: Authenticated,
        session: Option<SessionId>,
        intent: Intent,
    ) -> impl Future<Output = Answer> + Send + use<> {
        // Cancels have as much room again to themselves, so that a flood of orders cannot keep
        // them out.
        let most = if intent.is_cancel() { MAX_IN_FLIGHT * 2 } else { MAX_IN_FLIGHT };
        answer(self.question(most, |ticket| Event::Submit { ticket, who, session, intent }))
    }

    /// Has the core make a change; answered once it is durable.
    pub fn administer(
        &self,
        by: PersonName,
        change: Change,
    ) -> impl Future<Output = Answer> + Send + use<> {
        self.ask(by, Showing::Door, Act::Change { change })
    }

    /// Has the core do what somebody asks, or have it wait for who may let it pass; answered once durable.
    pub fn ask(
        &self,
        by: PersonName,
        showing: Showing,
        act: Act,
    ) -> impl Future<Output = Answer> + Send + use<> {
        answer(self.question(usize::MAX, |ticket| match act {
            Act::Change { change } => Event::Administer { ticket, by, showing, change },
            Act::Resume { scope, reason } => Event::Resume { ticket, by, showing, scope, reason },
        }))
    }

    /// Halts a scope, and closes its positions if that is asked for. In force when this returns;
    /// answered once proven, and flat.
    pub fn halt(
        &self,
        by: PersonName,
        scope: Scope,
        reason: String,
        allow_reduce: bool,
        flatten: bool,
    ) -> impl Future<Output = Answer> + Send + use<> {
        self.pressing.fetch_add(1, Ordering::Release);
        let mut inner = self.lock();
        self.pressing.fetch_sub(1, Ordering::Release);
        let asked = self.question_in(&mut inner, usize::MAX, |ticket| {
            let ticket = Some(ticket);
            Event::Halt { ticket, by, scope, reason, allow_reduce, flatten }
        });
        drop(inner);
        answer(asked)
    }

    /// A second person approves what somebody asked, or who asked confirms it; answered once durable.
    pub fn approve(&self, word: Word) -> impl Future<Output = Answer> + Send + use<> {
        answer(self.question(usize::MAX, |ticket| Event::Approve { ticket, word }))
    }

    /// Somebody denies what was asked, or takes its own request back.
    pub fn deny(
        &self,
        by: PersonName,
        id: ApprovalId,
    ) -> impl Future<Output = Answer> + Send + use<> {
        answer(self.question(usize::MAX, |ticket| Event::Deny { ticket, by, id }))
    }

    /// Records that the state before record `next` was saved, with its digest; answered once that
    /// is durable.
    pub fn state_saved(
        &self,
        next: Seq,
        digest: [u8; 32],
    ) -> impl Future<Output = Answer> + Send + use<> {
        answer(self.question(usize::MAX, |ticket| Event::StateSaved { ticket, next, digest }))
    }

    /// Puts a fact of the identity's ledger on record; answered once that is durable.
    pub fn identity(&self, fact: &Fact) -> impl Future<Output = Answer> + Send + use<> {
        let fact = Octets(to_bytes(fact));
        answer(self.question(usize::MAX, |ticket| Event::Identity { ticket, fact }))
    }

    /// Puts facts of the identity's ledger on record, all or none of them: they are in the journal's hands
    /// when this returns, and durable when what it returns is answered.
    ///
    /// # Errors
    /// When the journal takes none now; then nothing came of them.
    pub fn identities(
        &self,
        facts: &[Fact],
    ) -> Result<impl Future<Output = Answer> + Send + use<>, Reject> {
        let mut inner = self.inner();
        inner.takes_records()?;
        let asked: Vec<Asked> = facts
            .iter()
            .map(|fact| {
                let fact = Octets(to_bytes(fact));
                let event = |ticket| Event::Identity { ticket, fact };
                self.question_in(&mut inner, usize::MAX, event)
            })
            .collect();
        // It may have failed at one of these.
        inner.takes_records()?;
        Ok(async move {
            for asked in asked {
                let answer = answer(asked).await;
                if !matches!(answer, Answer::Done) {
                    return answer;
                }
            }
            Answer::Done
        })
    }

    /// Looks at the core's state and what a halt still waits for.
    pub fn outstanding<T>(&self, scope: &Scope, look: impl FnOnce(&State, Outstanding) -> T) -> T {
        let inner = self.inner();
        look(inner.state(), inner.outstanding(scope))
    }

    /// What a closed account still waits for.
    pub fn waits_for(&self, account: &AccountName) -> Option<String> {
        self.inner().waits_for(account)
    }

    /// Looks at the core's state.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(self.inner().state())
    }

    /// Whether a request that was handed out to be sent may still leave.
    fn may_leave(&self, call: CallId) -> bool {
        self.inner().may_leave(call)
    }

    /// The instruments of a venue as last read.
    pub fn book(&self, venue: &VenueName) -> Arc<Instruments> {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        books.get(venue).cloned().unwrap_or_default()
    }

    /// Takes a venue's instruments as read just now.
    pub fn publish(&self, venue: &VenueName, instruments: Instruments) {
        let list = instruments.0.values().cloned().collect();
        {
            let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
            books.insert(venue.clone(), Arc::new(instruments));
        }
        self.event(Event::Instruments { venue: venue.clone(), instruments: list });
    }

    /// The messages of an account's private stream from now on.
    pub fn frames(&self, account: &AccountName) -> broadcast::Receiver<Arc<Value>> {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        match frames.get(account) {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, receiver) = broadcast::channel(FRAMES_KEPT);
                frames.insert(account.clone(), sender);
                receiver
            }
        }
    }

    /// Changes whenever the core's state did, but for marks and instruments.
    pub fn pulse(&self) -> watch::Receiver<()> {
        self.pulse.subscribe()
    }

    /// Holds marks back until the core is to see them; whether there are any.
    fn hold_marks(&self, marks: Vec<Mark>) -> bool {
        let mut held = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        held.extend(marks.into_iter().map(|mark| (mark.instrument.clone(), mark)));
        !held.is_empty()
    }

    /// Holds what options are valued by back, as marks are; whether there is any.
    fn hold_quotes(&self, quotes: Vec<OptionQuote>) -> bool {
        let mut held = self.quotes.lock().unwrap_or_else(PoisonError::into_inner);
        held.extend(quotes.into_iter().map(|quote| (quote.instrument.clone(), quote)));
        !held.is_empty()
    }

    /// Hands a message of a private stream to whoever watches.
    fn broadcast(&self, account: &AccountName, frame: &str) {
        let frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let watchers = frames.get(account).filter(|watchers| watchers.receiver_count() > 0);
        // Most accounts trade unwatched: only a message that is seen is read as a tree.
        let Some(watchers) = watchers else { return };
        if let Ok(frame) = serde_json::from_str(frame) {
            let _ = watchers.send(Arc::new(frame));
        }
    }

    /// How long things take.
    pub fn measures(&self) -> &Measures {
        &self.measures
    }

    /// The protections that the signer lacks on this machine.
    pub fn signer_lacks(&self) -> Vec<String> {
        self.signer_lacks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Names who keeps what goes without a record; it must not wait for anything. Once, at the start.
    pub fn set_keeper(&self, keeper: Keeper) {
        // There is none yet.
        let _ = self.keeper.set(keeper);
    }

    fn keep(&self, kept: Kept) {
        if let Some(keeper) = self.keeper.get() {
            keeper(kept);
        }
    }

    /// Takes note of the protections that a signer that is up lacks.
    pub fn set_signer_lacks(&self, lacks: Vec<String>) {
        *self.signer_lacks.lock().unwrap_or_else(PoisonError::into_inner) = lacks;
    }

    /// What there was since the start, and the newest kinds of refusal, the newest last.
    pub fn notices(&self) -> (Counts, Vec<RecentRefusal>) {
        let inner = self.inner();
        (inner.notices.counts.clone(), inner.notices.refusals.iter().cloned().collect())
    }

    /// The number of the record that comes next.
    pub fn next_seq(&self) -> Seq {
        self.inner().next_seq()
    }

    /// Whether every record that something may wait for is written.
    pub fn is_flushed(&self) -> bool {
        let inner = self.inner();
        inner.is_flushed() && inner.journal_failed.is_none()
    }

    /// Why the journal cannot be written, if it cannot.
    pub fn journal_failed(&self) -> Option<String> {
        self.inner().journal_failed.clone()
    }

    /// Whether it cannot be written because the disk does not answer, which may yet end.
    pub fn journal_is_silent(&self) -> bool {
        self.inner().is_silent()
    }

    /// What the journal goes on without, if there is something.
    pub fn journal_degraded(&self) -> Option<String> {
        self.inner().journal_degraded.clone()
    }

    /// Hands a question to the core; its answer comes out of what is returned.
    fn question(&self, most: usize, event: impl FnOnce(Ticket) -> Event) -> Asked {
        self.question_in(&mut self.inner(), most, event)
    }

    fn question_in(
        &self,
        inner: &mut Inner,
        most: usize,
        event: impl FnOnce(Ticket) -> Event,
    ) -> Asked {
        self.turn_in(inner, |inner, now| {
            let (ticket, answer) = inner.ask(most)?;
            let began = Instant::now();
            inner.handle(event(ticket), now);
            self.measures.decision.record(began.elapsed());
            Ok(answer)
        })
    }

    /// Gives the core a turn and carries out what comes of it.
    fn turn<T>(&self, give: impl FnOnce(&mut Inner, Time) -> T) -> T {
        self.turn_in(&mut self.inner(), give)
    }

    fn turn_in<T>(&self, inner: &mut Inner, give: impl FnOnce(&mut Inner, Time) -> T) -> T {
        let now = clock::now();
        let given = give(inner, now);
        self.carry_out(inner, now);
        self.set_alarm(inner);
        given
    }

    /// The core, for anybody but a halt, which goes first.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        while self.pressing.load(Ordering::Acquire) > 0 {
            std::thread::yield_now();
        }
        self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Waiting = oneshot::Sender<Answer>;
type Asked = Result<oneshot::Receiver<Answer>, Reject>;

async fn answer(asked: Asked) -> Answer {
    let dropped = |_| Reject::new(Code::TooManyInFlight, "the question was dropped");
    let answer = match asked {
        Ok(answer) => answer.await.map_err(dropped),
        Err(reject) => Err(reject),
    };
    answer.unwrap_or_else(|reject| Answer::Refused { reject })
}

/// The instruments that the journal knows of. Until the venues are asked, they say what a caller
/// means: a cancel of everything in a currency must find the orders that were there before.
fn books_of(state: &State) -> BTreeMap<VenueName, Arc<Instruments>> {
    let mut books: BTreeMap<VenueName, Instruments> = BTreeMap::new();
    for (id, instrument) in state.instruments() {
        let book = books.entry(id.venue.clone()).or_default();
        book.0.insert(id.name.clone(), instrument.clone());
    }
    books.into_iter().map(|(venue, book)| (venue, Arc::new(book))).collect()
}

#[cfg(test)]
pub(crate) mod tests;
