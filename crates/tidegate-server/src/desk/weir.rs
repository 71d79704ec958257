//! What holds requests back so that a venue's rate limits are kept: the shaper, and those who wait.
//!
//! Each request takes the lock once, for as long as counting takes. Only while somebody waits is there a
//! task that looks when it is the next one's turn.

use super::Errand;
use super::egress::Egress;
use crate::clock;
use crate::oplog;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tidegate_shaping::{
    Answer, Ask, Frozen, Paid, Payer, Rank, Refusal, Served, Shaper, Ticket, Use, Whose,
};
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::limits::{ORDER_PATIENCE, READ_PATIENCE, SEND_TIMEOUT};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};
use tidegate_venues::Venue;
use tidegate_venues::upstream::{AccountLimit, BackOff, Stops, Units};
use tokio::sync::{Notify, oneshot, watch};

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
    egress: Arc<Egress>,
    inner: Mutex<Inner>,
    /// Somebody waits now who did not, or there is room.
    news: Notify,
}

struct Inner {
    shaper: Shaper,
    waiting: BTreeMap<Ticket, Waiter>,
    watched: bool,
    /// A limit is being approached, and the log was told.
    warned: bool,
}

/// One that waits, and from where it leaves.
struct Waiter {
    tell: oneshot::Sender<Result<Fare, Refusal>>,
    from: usize,
}

/// What is known of a request that is to leave, beside what it is for.
#[derive(Default)]
pub(super) struct Bound {
    /// From which of the desk's addresses, where it cannot choose.
    pub(super) from: Option<usize>,
    /// Of a cancel: whether it is a halt's, which it may become.
    pub(super) kill: Option<watch::Receiver<bool>>,
    /// How old it is already.
    pub(super) waited: Duration,
}

/// What was paid for a request. Dropped, it counts as one that may have arrived.
pub(super) struct Fare {
    weir: Arc<Weir>,
    paid: Option<Paid>,
    from: usize,
}

/// What a venue's limits look like now.
#[derive(Clone, Debug)]
pub struct Gauge {
    /// What is used of each.
    pub uses: Vec<Use>,
    /// What the venue stopped, and of whom.
    pub frozen: Vec<(Frozen, Whose)>,
    /// The addresses that requests leave from, where they are chosen.
    pub addresses: Vec<IpAddr>,
    /// How many requests wait.
    pub waiting: usize,
}

impl Weir {
    pub(super) fn new(
        venue: &'static dyn Venue,
        shares: Shares,
        egress: Arc<Egress>,
        before: Option<Time>,
    ) -> Arc<Weir> {
        let shaper = Shaper::new(venue.allowances());
        let shaper = match before {
            Some(last) => shaper.after(last),
            None => shaper,
        };
        let inner = Inner { shaper, waiting: BTreeMap::new(), watched: false, warned: false };
        Arc::new(Weir { venue, shares, egress, inner: Mutex::new(inner), news: Notify::new() })
    }

    /// Waits for a request's turn and pays for it, as one that leaves from this address, or from where it is best. A
    /// cancel that becomes a halt's while it waits goes as one.
    ///
    /// # Errors
    /// When there is no room in the time it may wait, or the venue asked us to stop.
    pub(super) async fn pass(
        self: &Arc<Weir>,
        errand: &Errand<'_>,
        costs: Vec<Units>,
        bound: Bound,
    ) -> Result<Fare, Reject> {
        let Bound { from: place, kill, waited } = bound;
        let waited = Span::from_micros(u64::try_from(waited.as_micros()).unwrap_or(u64::MAX));
        if matches!(errand, Errand::Order { .. }) && waited >= self.patience(errand) {
            return Err(self.said(errand, waited, &Refusal::TooOld { waited: Span::ZERO }));
        }
        let mut ask = self.ask(errand, costs);
        ask.deadline = ask.deadline.minus(waited);
        let (rank, from);
        let answer = {
            let mut inner = self.lock();
            let now = clock::now();
            match place {
                Some(place) => ask.from = place,
                None => self.choose(&mut inner.shaper, errand, &mut ask, now),
            }
            (rank, from) = (ask.rank, ask.from);
            match inner.shaper.ask(ask, now) {
                Answer::Go(paid) => {
                    self.look_ahead(&mut inner, rank, now);
                    Ok(paid)
                }
                Answer::Refused(refusal) => return Err(self.said(errand, waited, &refusal)),
                Answer::Waits(ticket) => {
                    let (tell, told) = oneshot::channel();
                    inner.waiting.insert(ticket, Waiter { tell, from });
                    if !std::mem::replace(&mut inner.watched, true) {
                        tokio::spawn(Arc::clone(self).watch());
                    }
                    Err((ticket, told))
                }
            }
        };
        match answer {
            Ok(paid) => Ok(self.fare(paid, from)),
            Err((ticket, mut told)) => {
                self.news.notify_one();
                let served = tokio::select! {
                    served = &mut told => served,
                    () = killed(kill) => {
                        self.hasten(ticket, errand);
                        told.await
                    }
                };
                let gone = |_| Reject::new(Code::VenueUnreachable, "closed");
                served.map_err(gone)?.map_err(|refusal| self.said(errand, waited, &refusal))
            }
        }
    }

    /// What waits goes before everything else from now on.
    fn hasten(&self, ticket: Ticket, errand: &Errand<'_>) {
        if let Some(account) = errand.account() {
            let (rank, payer) = Errand::Kill(account).line();
            self.lock().shaper.hasten(ticket, rank, &payer);
            self.news.notify_one();
        }
    }

    fn fare(self: &Arc<Weir>, paid: Paid, from: usize) -> Fare {
        Fare { weir: Arc::clone(self), paid: Some(paid), from }
    }

    /// Counts something of the gateway's own that leaves in any case, and is answered by no one.
    pub(super) fn charge(&self, errand: &Errand<'_>, from: usize, cost: Units) {
        let mut ask = self.ask(errand, vec![cost]);
        ask.from = from;
        self.lock().shaper.charge(&ask, clock::now());
    }

    /// From where a request leaves: what is of an account from the address that it is pinned to, what is of none
    /// from where there is most room. A cancel does not wait for the end of a stop, where keys are good at
    /// other addresses too.
    fn choose(&self, shaper: &mut Shaper, errand: &Errand<'_>, ask: &mut Ask, now: Time) {
        let addresses = self.egress.count();
        let Some(account) = errand.account() else { return shaper.place(ask, addresses, now) };
        ask.from = self.egress.of(account);
        let may_move = matches!(errand, Errand::Kill(_) | Errand::Cancel { .. });
        if may_move && !self.egress.binds_keys() && shaper.is_stopped(ask, now) {
            shaper.place(ask, addresses, now);
        }
    }

    /// What the venue said that stops such a request from there now.
    pub(super) fn stops(&self, errand: &Errand<'_>, from: usize) -> Option<Reject> {
        let mut ask = self.ask(errand, Vec::new());
        ask.from = from;
        let frozen = self.lock().shaper.stops(&ask, clock::now());
        frozen.map(|frozen| self.said(errand, Span::ZERO, &Refusal::Frozen(frozen)))
    }

    /// Whether public requests from there are stopped.
    pub(super) fn is_stopped(&self, from: usize) -> bool {
        let mut ask = self.ask(&Errand::Upkeep(None), Vec::new());
        ask.from = from;
        self.lock().shaper.is_stopped(&ask, clock::now())
    }

    /// The venue told how much is used, of the address's or the account's as it counts, when it answered what left
    /// then. Its clock shows `there` now.
    pub(super) fn told(
        &self,
        used: &[Units],
        whose: (usize, Option<&AccountName>),
        left: Time,
        there: Time,
    ) {
        if used.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for used in used {
            inner.shaper.told(*used, whose, left, (clock::now(), there));
        }
    }

    /// The venue publishes these limits.
    pub(super) fn publish(&self, limits: &[Units]) {
        let mut inner = self.lock();
        for limit in limits {
            inner.shaper.publish(*limit);
        }
    }

    /// The venue told what an account has.
    pub(super) fn publish_of(&self, account: &AccountName, limits: &[AccountLimit]) {
        let mut inner = self.lock();
        for limit in limits {
            inner.shaper.publish_of(account, *limit, clock::now());
        }
    }

    /// The venue asked us to wait, at this address and on this account.
    pub(super) fn freeze(&self, told: BackOff, whose: (usize, Option<&AccountName>)) {
        let news = self.lock().shaper.freeze(told, whose, clock::now());
        self.news.notify_one();
        if news {
            let (venue, wait, stops) = (self.venue.name(), told.wait.millis(), word(told.stops));
            let from = self.egress.address(whose.0).map(|address| address.to_string());
            let from = from.unwrap_or_else(|| "here".to_owned());
            let fields: [(&str, &dyn std::fmt::Display); 4] =
                [("venue", &venue), ("ms", &wait), ("stops", &stops), ("from", &from)];
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
            addresses: self.egress.addresses().to_vec(),
        }
    }

    /// How long an order of this caller may wait.
    pub(super) fn order_patience(&self, caller: Option<&CallerName>) -> Span {
        let own = caller.and_then(|caller| self.shares.order_patience_of.get(caller));
        own.copied().unwrap_or(self.shares.order_patience)
    }

    /// How long an order may wait, its connection included.
    pub(super) fn patience(&self, errand: &Errand<'_>) -> Span {
        match errand {
            Errand::Order { caller, .. } => self.order_patience(*caller),
            Errand::Read { .. } | Errand::Public { .. } => self.shares.read_patience,
            Errand::Kill(_) | Errand::Cancel { .. } | Errand::Upkeep(_) => SEND_TIMEOUT,
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
            for (waiter, outcome) in served {
                let from = waiter.as_ref().map_or(0, |waiter| waiter.from);
                let outcome = outcome.map(|paid| self.fare(paid, from));
                let unheard = match waiter {
                    Some(waiter) => waiter.tell.send(outcome).err(),
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
        let account = errand.account().cloned();
        Ask { rank, payer, account, from: 0, costs, weight, deadline }
    }

    /// What a caller is told, whose request had waited for so long before it came here.
    fn said(&self, errand: &Errand<'_>, before: Span, refusal: &Refusal) -> Reject {
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
                let waited = Span::from_micros(before.micros().saturating_add(waited.micros()));
                let (waited, most) = (waited.millis(), self.patience(errand).millis());
                let detail = format!("{waited} ms for {venue}, at most {most} ms; send it again");
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
    /// From which of the desk's addresses it may leave.
    pub(super) fn from(&self) -> usize {
        self.from
    }

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

/// Waits until a cancel becomes a halt's, for ever where it does not.
pub(super) async fn killed(kill: Option<watch::Receiver<bool>>) {
    let Some(mut kill) = kill else { return std::future::pending().await };
    if kill.wait_for(|kill| *kill).await.is_err() {
        std::future::pending().await
    }
}

/// What is stopped, in a word.
pub fn word(stops: Stops) -> &'static str {
    match stops {
        Stops::Orders => "orders",
        Stops::Reads => "reads",
        Stops::Requests => "requests",
        Stops::Everything => "everything",
    }
}
