//! The ways to the venues.

use super::budget::Budget;
use super::fanout::{Hubs, Membership, Payer};
use super::rooms::{Rooms, SocketPlace};
use super::shared::Shared;
use super::transport::{Departure, Failure, Transport};
use crate::clock;
use crate::oplog;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tidegate_types::call::WireRequest;
use tidegate_types::ids::{AccountName, CallerName, VenueName};
use tidegate_types::limits::{READ_PATIENCE, SEND_TIMEOUT, VENUE_TIMEOUT};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};
use tidegate_venues::Venue;
use tidegate_venues::upstream::Units;

/// The way to one venue.
pub struct Link {
    venue: &'static dyn Venue,
    transport: Box<dyn Transport>,
    rooms: Rooms,
    budget: Mutex<Budget>,
    hubs: Hubs,
    shared: Shared,
    leave_within: Duration,
    answer_within: Duration,
    read_patience: Duration,
    /// Until when the venue asked us to wait, in µs.
    paused_until: AtomicU64,
}

/// What a request to a venue is for: which connections it may take, and who pays for it out of the
/// venue's rate limits.
#[derive(Clone, Copy, Debug)]
pub enum Errand<'a> {
    /// To cancel on this account, or to ask what is open there. Goes even when the venue asked us to
    /// wait: it bans an address that does not heed it, which a cancel is worth.
    Cancel(&'a AccountName),
    /// An order, a change or a setting on this account.
    Order(&'a AccountName),
    /// What the gateway must know or keep up: instruments, marks, private streams.
    Upkeep(Option<&'a AccountName>),
    /// A private read.
    Read {
        /// Whose.
        caller: &'a CallerName,
        /// Of which account.
        account: &'a AccountName,
    },
    /// A public read.
    Public {
        /// From where.
        peer: IpAddr,
    },
}

impl Errand<'_> {
    /// On which account, if on one.
    pub fn account(&self) -> Option<&AccountName> {
        match self {
            Errand::Cancel(account) | Errand::Order(account) | Errand::Read { account, .. } => {
                Some(account)
            }
            Errand::Upkeep(account) => *account,
            Errand::Public { .. } => None,
        }
    }
}

/// The ways to the venues that are served.
#[derive(Default)]
pub struct Links(BTreeMap<VenueName, Arc<Link>>);

/// Why a request has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SendError {
    /// No byte of it left.
    NotSent(Reject),
    /// It may or may not have arrived.
    Unknown(String),
}

impl Links {
    /// The ways to these venues.
    pub fn new(links: impl IntoIterator<Item = Link>) -> Links {
        Links(links.into_iter().map(|link| (link.venue.name(), Arc::new(link))).collect())
    }

    /// The way to a venue, if it is served.
    pub fn get(&self, venue: &VenueName) -> Result<&Arc<Link>, Reject> {
        self.0
            .get(venue)
            .ok_or_else(|| Reject::new(Code::VenueUnreachable, format!("{venue} is not set up")))
    }

    /// Every way.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.0.values()
    }
}

impl Link {
    /// The way to `venue` over `transport`.
    pub fn new(venue: &'static dyn Venue, transport: Box<dyn Transport>) -> Link {
        let rooms = Rooms::new(venue.connections());
        let budget = Mutex::new(Budget::new(venue.allowances()));
        Link {
            venue,
            transport,
            rooms,
            budget,
            hubs: Hubs::default(),
            shared: Shared::default(),
            leave_within: Duration::from_micros(SEND_TIMEOUT.micros()),
            answer_within: Duration::from_micros(VENUE_TIMEOUT.micros()),
            read_patience: Duration::from_micros(READ_PATIENCE.micros()),
            paused_until: AtomicU64::new(0),
        }
    }

    /// The venue.
    pub fn venue(&self) -> &'static dyn Venue {
        self.venue
    }

    /// What carries requests and sockets there.
    pub fn transport(&self) -> &dyn Transport {
        self.transport.as_ref()
    }

    /// Sends a request once, unless the venue's rate limits or connections do not allow for it.
    pub async fn send(
        &self,
        errand: Errand<'_>,
        request: WireRequest,
        departure: Departure<'_>,
    ) -> Result<Reply, SendError> {
        self.heed(&errand).map_err(SendError::NotSent)?;
        let (began, cost) = (Instant::now(), self.venue.cost(&request));
        if let Some(cost) = cost {
            self.pay_soon(errand, cost).await.map_err(SendError::NotSent)?;
        }
        let leave_within = self.leave_within.saturating_sub(began.elapsed());
        let exchanged = self.exchange(&errand, request, departure, leave_within).await;
        if let (Err(SendError::NotSent(_)), Some(cost)) = (&exchanged, cost) {
            self.budget().give_back(&errand, cost);
        }
        let reply = exchanged?;
        if let Some(used) = self.venue.used(&reply) {
            self.budget().told(used, clock::now());
        }
        self.note_back_off(&reply);
        Ok(reply)
    }

    /// Sends a request that changes nothing.
    pub async fn fetch(&self, errand: Errand<'_>, request: WireRequest) -> Result<Reply, Reject> {
        self.send(errand, request, Departure::certain()).await.map_err(|error| match error {
            SendError::NotSent(reject) => reject,
            SendError::Unknown(why) => Reject::new(Code::VenueUnreachable, why),
        })
    }

    /// Fetches what anybody may read. One answer serves everybody who asks for the same while it is on
    /// its way, or within `PUBLIC_AGE` after it came.
    pub async fn fetch_public(&self, peer: IpAddr, request: WireRequest) -> Result<Reply, Reject> {
        if !self.venue.is_shareable(&request) {
            return self.fetch(Errand::Public { peer }, request).await;
        }
        let (kind, target) = (request.method.clone(), request.target.clone());
        let fetch = || self.fetch(Errand::Public { peer }, request);
        self.shared.get(format!("{kind} {target}"), fetch).await
    }

    /// Makes a session a member of those who share the venue's public socket at `target`.
    ///
    /// # Errors
    /// When too many ask for that at once.
    pub fn follow(self: &Arc<Link>, target: &str, payer: Payer) -> Result<Membership, Reject> {
        self.hubs.enter(Arc::downgrade(self), target, payer)
    }

    /// A place for one more public socket, held for as long as the socket is open.
    ///
    /// # Errors
    /// When the venue's connections are in use, but for those that are kept for the gateway itself.
    pub(super) fn reserve_socket(&self) -> Result<SocketPlace, Reject> {
        self.rooms.socket()
    }

    /// Pays for something that costs this much.
    ///
    /// # Errors
    /// How long to wait, when a read would take more than there is for it.
    pub fn pay(&self, errand: Errand<'_>, cost: Units) -> Result<(), Span> {
        self.budget().take(&errand, cost, clock::now())
    }

    /// Pays, and waits for room that is there again soon: a client that reads a few things at once is to
    /// be slowed down, not turned away.
    async fn pay_soon(&self, errand: Errand<'_>, cost: Units) -> Result<(), Reject> {
        let until = Instant::now() + self.read_patience;
        let mut place = None;
        loop {
            let Err(wait) = self.pay(errand, cost) else { return Ok(()) };
            let ready = Instant::now() + Duration::from_micros(wait.micros());
            place = place.or_else(|| self.rooms.patience(&errand));
            if ready > until || place.is_none() {
                return Err(self.spent(cost, wait));
            }
            tokio::time::sleep_until(ready.into()).await;
        }
    }

    /// The venue's instruments were answered so.
    pub fn note_instruments(&self, replies: &[Reply]) {
        if let Some(published) = self.venue.published_limit(replies) {
            self.budget().publish(published);
        }
    }

    async fn exchange(
        &self,
        errand: &Errand<'_>,
        request: WireRequest,
        departure: Departure<'_>,
        leave_within: Duration,
    ) -> Result<Reply, SendError> {
        let gone = AtomicBool::new(false);
        let Departure { may_leave, left } = departure;
        let note = || {
            gone.store(true, Ordering::Relaxed);
            left();
        };
        let departure = Departure { may_leave, left: Box::new(note) };
        let mut exchange = pin!(async {
            let _place = self.rooms.enter(errand).await.map_err(SendError::NotSent)?;
            let answered = self.transport.send(request, departure).await;
            answered.map_err(|failure| match failure {
                Failure::NotSent(why) => not_sent(why),
                Failure::Unknown(why) => SendError::Unknown(why),
            })
        });
        if let Ok(answered) = tokio::time::timeout(leave_within, &mut exchange).await {
            return answered;
        }
        if !gone.load(Ordering::Relaxed) {
            return Err(not_sent("no connection in time".to_owned()));
        }
        let more = self.answer_within.saturating_sub(leave_within);
        tokio::time::timeout(more, exchange)
            .await
            .unwrap_or_else(|_| Err(SendError::Unknown("no answer in time".to_owned())))
    }

    /// Refuses for as long as the venue asked us to wait.
    fn heed(&self, errand: &Errand<'_>) -> Result<(), Reject> {
        let until = Time::from_micros(self.paused_until.load(Ordering::Relaxed));
        let left = until.since(clock::now());
        if left.micros() == 0 || matches!(errand, Errand::Cancel(_)) {
            return Ok(());
        }
        Err(Reject::later(Code::VenueBudget, "the venue asked us to wait", left))
    }

    fn note_back_off(&self, reply: &Reply) {
        let Some(wait) = self.venue.back_off(reply) else { return };
        let until = clock::now().plus(wait).micros();
        let before = self.paused_until.fetch_max(until, Ordering::Relaxed);
        if before < clock::now().micros() {
            let (venue, wait) = (self.venue.name(), wait.millis());
            oplog::warn("venue-asks-to-wait", &[("venue", &venue), ("ms", &wait)]);
        }
    }

    fn spent(&self, cost: Units, wait: Span) -> Reject {
        let name = self.budget().name(cost);
        Reject::later(Code::VenueBudget, &format!("the share of the {name} is spent"), wait)
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_sent(why: String) -> SendError {
    SendError::NotSent(Reject::new(Code::VenueUnreachable, why))
}

#[cfg(test)]
mod tests;
