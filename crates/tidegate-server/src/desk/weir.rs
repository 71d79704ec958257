//! What holds requests back so that a venue's rate limits are kept: the shaper, and those who wait.
//!
//! Each request takes the lock once, for as long as counting takes. Only while somebody waits is there a
//! task that looks when it is the next one's turn.

use super::Errand;
use crate::clock;
use crate::oplog;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tidegate_shaping::{
    Answer, Ask, Frozen, Paid, Payer, Rank, Refusal, Served, Shaper, Ticket, Use,
};
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::limits::{ORDER_PATIENCE, READ_PATIENCE, SEND_TIMEOUT};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};
use tidegate_venues::Venue;
use tidegate_venues::upstream::{BackOff, Stops, Units};
use tokio::sync::{Notify, oneshot};

/// The shares of callers, and how old their orders may get while they wait.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shares {
    /// A caller's share in proportion to others'; 1 for those that are not named.
    pub weights: BTreeMap<CallerName, u32>,
    /// How long orders wait.
    pub order_patience: Span,
    /// How long those of some callers wait instead.
    pub order_patience_of: BTreeMap<CallerName, Span>,
    /// How long reads wait.
    pub read_patience: Span,
}

impl Default for Shares {
    fn default() -> Shares {
        Shares {
            weights: BTreeMap::new(),
            order_patience: ORDER_PATIENCE,
            order_patience_of: BTreeMap::new(),
            read_patience: READ_PATIENCE,
        }
    }
}

/// What holds requests to one venue back.
pub(super) struct Weir {
    venue: &'static dyn Venue,
    shares: Shares,
    inner: Mutex<Inner>,
    /// Somebody waits now who did not, or there is room.
    news: Notify,
}

struct Inner {
    shaper: Shaper,
    waiting: BTreeMap<Ticket, oneshot::Sender<Result<Fare, Refusal>>>,
    watched: bool,
    /// A limit is being approached, and the log was told.
    warned: bool,
}

/// What was paid for a request. Dropped, it counts as one that may have arrived.
pub(super) struct Fare {
    weir: Arc<Weir>,
    paid: Option<Paid>,
}

/// What a venue's limits look like now.
#[derive(Clone, Debug)]
pub struct Gauge {
    /// What is used of each.
    pub uses: Vec<Use>,
    /// What the venue stopped, and whose, where it is one account's alone.
    pub frozen: Vec<(Frozen, Option<AccountName>)>,
    /// How many requests wait.
    pub waiting: usize,
}

impl Weir {
    pub(super) fn new(
        venue: &'static dyn Venue,
        shares: Shares,
        before: Option<Time>,
    ) -> Arc<Weir> {
        let shaper = Shaper::new(venue.allowances());
        let shaper = match before {
            Some(last) => shaper.after(last),
            None => shaper,
        };
        let inner = Inner { shaper, waiting: BTreeMap::new(), watched: false, warned: false };
        Arc::new(Weir { venue, shares, inner: Mutex::new(inner), news: Notify::new() })
    }

    /// Waits for a request's turn and pays for it.
    ///
    /// # Errors
    /// When there is no room in the time it may wait, or the venue asked us to stop.
    pub(super) async fn pass(
        self: &Arc<Weir>,
        errand: &Errand<'_>,
        costs: Vec<Units>,
    ) -> Result<Fare, Reject> {
        let ask = self.ask(errand, costs);
        let rank = ask.rank;
        let answer = {
            let mut inner = self.lock();
            let now = clock::now();
            match inner.shaper.ask(ask, now) {
                Answer::Go(paid) => {
                    self.look_ahead(&mut inner, rank, now);
                    Ok(paid)
                }
                Answer::Refused(refusal) => return Err(self.said(&refusal)),
                Answer::Waits(ticket) => {
                    let (tell, told) = oneshot::channel();
                    inner.waiting.insert(ticket, tell);
                    if !std::mem::replace(&mut inner.watched, true) {
                        tokio::spawn(Arc::clone(self).watch());
                    }
                    Err(told)
                }
            }
        };
        match answer {
            Ok(paid) => Ok(self.fare(paid)),
            Err(told) => {
                self.news.notify_one();
                let gone = |_| Reject::new(Code::VenueUnreachable, "closed");
                told.await.map_err(gone)?.map_err(|refusal| self.said(&refusal))
            }
        }
    }

    fn fare(self: &Arc<Weir>, paid: Paid) -> Fare {
        Fare { weir: Arc::clone(self), paid: Some(paid) }
    }

    /// Pays for something that does not wait in line, and is answered by no one.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn pay(&self, errand: &Errand<'_>, cost: Units) -> Result<(), Span> {
        let ask = self.ask(errand, vec![cost]);
        let mut inner = self.lock();
        let now = clock::now();
        if let Errand::Upkeep(_) = errand {
            inner.shaper.charge(&ask, now);
            return Ok(());
        }
        match inner.shaper.ask_now(&ask, now) {
            Ok(paid) => {
                inner.shaper.settle(paid, now);
                Ok(())
            }
            Err(Refusal::NoRoom { wait, .. }) => Err(wait),
            Err(Refusal::Frozen(frozen)) => Err(frozen.until.since(now)),
            Err(Refusal::TooOld { .. } | Refusal::Crowded) => Err(Span::from_secs(1)),
        }
    }

    /// The venue told how much is used, of the account's where it counts so, when it answered what left then.
    pub(super) fn told(&self, used: &[Units], account: Option<&AccountName>, left: Time) {
        if used.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for used in used {
            inner.shaper.told(*used, account, left, clock::now());
        }
    }

    /// The venue publishes these limits.
    pub(super) fn publish(&self, limits: &[Units]) {
        let mut inner = self.lock();
        for limit in limits {
            inner.shaper.publish(*limit);
        }
    }

    /// The venue asked us to wait.
    pub(super) fn freeze(&self, told: BackOff, account: Option<&AccountName>) {
        let news = self.lock().shaper.freeze(told, account, clock::now());
        self.news.notify_one();
        if news {
            let (venue, wait, stops) = (self.venue.name(), told.wait.millis(), word(told.stops));
            let fields: [(&str, &dyn std::fmt::Display); 3] =
                [("venue", &venue), ("ms", &wait), ("stops", &stops)];
            oplog::warn("venue-asks-to-wait", &fields);
        }
    }

    /// How much is used, and what is stopped.
    pub(super) fn gauge(&self) -> Gauge {
        let mut inner = self.lock();
        let now = clock::now();
        Gauge {
            uses: inner.shaper.uses(now),
            frozen: inner.shaper.frozen(now),
            waiting: inner.shaper.waiting(),
        }
    }

    /// How long an order may wait, its connection included.
    pub(super) fn patience(&self, errand: &Errand<'_>) -> Span {
        match errand {
            Errand::Order { caller, .. } => {
                let own = caller.and_then(|caller| self.shares.order_patience_of.get(caller));
                own.copied().unwrap_or(self.shares.order_patience)
            }
            Errand::Read { .. } | Errand::Public { .. } => self.shares.read_patience,
            Errand::Kill(_) | Errand::Cancel(_) | Errand::Upkeep(_) => SEND_TIMEOUT,
        }
    }

    /// Looks whose turn it is for as long as anybody waits.
    async fn watch(self: Arc<Weir>) {
        loop {
            let now = clock::now();
            let (served, due) = {
                let mut inner = self.lock();
                let served = inner.shaper.turn(now);
                let tell = |Served { ticket, outcome }| (inner.waiting.remove(&ticket), outcome);
                let served: Vec<_> = served.into_iter().map(tell).collect();
                let due = inner.shaper.due(now);
                inner.watched = due.is_some();
                (served, due)
            };
            // What is paid for is a fare from here on: whoever drops it, it is not lost.
            for (tell, outcome) in served {
                let outcome = outcome.map(|paid| self.fare(paid));
                let unheard = match tell {
                    Some(tell) => tell.send(outcome).err(),
                    None => Some(outcome),
                };
                if let Some(Ok(fare)) = unheard {
                    fare.give_back();
                }
            }
            let Some(due) = due else { return };
            let wait = Duration::from_micros(due.since(now).micros());
            // Whatever changes meanwhile is looked at right away.
            let _ = tokio::time::timeout(wait, self.news.notified()).await;
        }
    }

    /// Tells the log when a limit is going to be reached.
    fn look_ahead(&self, inner: &mut Inner, rank: Rank, now: Time) {
        if !rank.may_use_reserve() {
            return;
        }
        let coming = inner.shaper.forecast(now);
        if let Some((name, left)) = coming.filter(|_| !inner.warned) {
            let (venue, ms) = (self.venue.name(), left.millis());
            let fields: [(&str, &dyn std::fmt::Display); 3] =
                [("venue", &venue), ("limit", &name), ("reached_in_ms", &ms)];
            oplog::warn("venue-limit-ahead", &fields);
        }
        inner.warned = coming.is_some();
    }

    fn ask(&self, errand: &Errand<'_>, costs: Vec<Units>) -> Ask {
        let (rank, payer) = errand.line();
        let weight = match &payer {
            Payer::Caller(caller) => self.shares.weights.get(caller).copied().unwrap_or(1),
            _ => 1,
        };
        let deadline = clock::now().plus(self.patience(errand));
        Ask { rank, payer, account: errand.account().cloned(), costs, weight, deadline }
    }

    fn said(&self, refusal: &Refusal) -> Reject {
        let venue = self.venue.name();
        match refusal {
            Refusal::Frozen(frozen) => {
                let left = frozen.until.since(clock::now());
                let why = format!("{venue} stopped {}", word(frozen.stops));
                Reject::later(Code::VenueFrozen, &why, left)
            }
            Refusal::NoRoom { name, used, most, wait } => {
                let why =
                    format!("the {name} of {venue}: {used} used of {most} that such requests have");
                Reject::later(Code::VenueBudget, &why, *wait)
            }
            Refusal::TooOld { waited } => {
                let detail = format!("{} ms for {venue}; send it again", waited.millis());
                Reject::new(Code::WaitedTooLong, detail)
            }
            Refusal::Crowded => {
                let detail = format!("too many requests to {venue} wait already");
                Reject::new(Code::TooManyInFlight, detail)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fare {
    /// No byte of the request left.
    pub(super) fn give_back(mut self) {
        if let Some(paid) = self.paid.take() {
            self.weir.lock().shaper.give_back(paid);
            self.weir.news.notify_one();
        }
    }
}

impl Drop for Fare {
    fn drop(&mut self) {
        if let Some(paid) = self.paid.take() {
            self.weir.lock().shaper.settle(paid, clock::now());
        }
    }
}

/// What is stopped, in a word.
pub fn word(stops: Stops) -> &'static str {
    match stops {
        Stops::Orders => "orders",
        Stops::Requests => "requests",
        Stops::Everything => "everything",
    }
}
