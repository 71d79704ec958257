//! The ways to the venues.

use super::egress::Egress;
use super::fanout::{Depths, Follower, Hubs, Membership};
use super::rooms::{Rooms, SocketPlace};
use super::shared::Shared;
use super::transport::{BoxedSocket, Departure, Failure, NotOpen, Transport};
use super::venue_clock::VenueClock;
use super::weir::{Bound, Fare, Gauge, Shares, Weir};
use crate::clock;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tidegate_shaping::{Frozen, Payer, Rank, Whose};
use tidegate_types::call::WireRequest;
use tidegate_types::ids::{AccountName, CallerName, VenueName};
use tidegate_types::limits::{SEND_TIMEOUT, VENUE_TIMEOUT};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};
use tidegate_venues::Venue;
use tidegate_venues::upstream::{BackOff, Units};

/// The way to one venue.
pub struct Link {
    venue: &'static dyn Venue,
    first: Way,
    /// From the other addresses, where there are several.
    more: Vec<Way>,
    egress: Arc<Egress>,
    clock: VenueClock,
    weir: Arc<Weir>,
    hubs: Hubs,
    depths: Depths,
    shared: Shared,
    leave_within: Duration,
    answer_within: Duration,
}

/// The way there from one of the desk's addresses.
struct Way {
    transport: Box<dyn Transport>,
    rooms: Rooms,
}

/// A socket to a venue of the gateway's own. Its place at the venue is free again when it is dropped.
pub struct OwnSocket {
    /// What carries its messages.
    pub stream: BoxedSocket,
    account: Option<AccountName>,
    place: SocketPlace,
}

/// What a request to a venue is for: which connections it may take, and who pays for it out of the
/// venue's rate limits.
#[derive(Clone, Copy, Debug)]
pub enum Errand<'a> {
    /// To cancel on this account for a halt or a breaker.
    Kill(&'a AccountName),
    /// To cancel on this account, or to ask what is open there. Goes even when the venue asked us to
    /// wait: it bans an address that does not heed it, which a cancel is worth. Only while it has banned
    /// us does it stay: it would not be heard, and make the ban longer.
    Cancel {
        /// Who asked for it, where a caller did.
        caller: Option<&'a CallerName>,
        /// On which account.
        account: &'a AccountName,
    },
    /// An order, a change or a setting.
    Order {
        /// Whose, where it is known.
        caller: Option<&'a CallerName>,
        /// On which account.
        account: &'a AccountName,
        /// It can only reduce a position.
        reduces: bool,
    },
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

impl<'a> Errand<'a> {
    /// A cancel, or a question what is open, of the gateway's own.
    pub fn cancel(account: &'a AccountName) -> Errand<'a> {
        Errand::Cancel { caller: None, account }
    }

    /// On which account, if on one.
    pub fn account(&self) -> Option<&AccountName> {
        match self {
            Errand::Kill(account)
            | Errand::Cancel { account, .. }
            | Errand::Order { account, .. }
            | Errand::Read { account, .. } => Some(account),
            Errand::Upkeep(account) => *account,
            Errand::Public { .. } => None,
        }
    }

    /// In which line it waits for room under the venue's rate limits, and whose turn it takes there.
    pub fn line(&self) -> (Rank, Payer) {
        match self {
            Errand::Kill(account) => (Rank::Kill, Payer::Account((*account).clone())),
            Errand::Cancel { caller, account } => (Rank::Cancel, whose(*caller, account)),
            Errand::Order { caller, account, reduces } => {
                let rank = if *reduces { Rank::Reduce } else { Rank::New };
                (rank, whose(*caller, account))
            }
            Errand::Upkeep(_) => (Rank::Upkeep, Payer::Gateway),
            Errand::Read { caller, .. } => (Rank::Read, Payer::Caller((*caller).clone())),
            Errand::Public { peer } => (Rank::Public, Payer::at(*peer)),
        }
    }
}

/// Whose turn a request takes: its caller's, so that one who asks for much does not keep those of others waiting.
fn whose(caller: Option<&CallerName>, account: &AccountName) -> Payer {
    match caller {
        Some(caller) => Payer::Caller(caller.clone()),
        None => Payer::Account(account.clone()),
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

    /// The time to stamp a request to a venue with.
    pub fn stamp(&self, venue: &VenueName) -> Time {
        self.0.get(venue).map_or_else(clock::machine, |link| link.clock.stamp())
    }

    /// Every way.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.0.values()
    }
}

impl Link {
    /// The way to `venue` over `transport`.
    pub fn new(venue: &'static dyn Venue, transport: Box<dyn Transport>) -> Link {
        let egress = Arc::new(Egress::default());
        Link {
            venue,
            first: Way { transport, rooms: Rooms::new(venue.connections()) },
            more: Vec::new(),
            weir: Weir::new(venue, Shares::default(), Arc::clone(&egress), None),
            egress,
            clock: VenueClock::default(),
            hubs: Hubs::default(),
            depths: Depths::default(),
            shared: Shared::default(),
            leave_within: Duration::from_micros(SEND_TIMEOUT.micros()),
            answer_within: Duration::from_micros(VENUE_TIMEOUT.micros()),
        }
    }

    /// With these shares of its rate limits, after a gateway that ran until `before`.
    #[must_use]
    pub fn shared(self, shares: Shares, before: Option<Time>) -> Link {
        let weir = Weir::new(self.venue, shares, Arc::clone(&self.egress), before);
        Link { weir, ..self }
    }

    /// From these addresses, the first by the transport that it has, the others by one of these each. Before its
    /// rate limits are shared.
    #[must_use]
    pub fn leaving_from(self, egress: Egress, others: Vec<Box<dyn Transport>>) -> Link {
        let most = self.venue.connections();
        let way = |transport| Way { transport, rooms: Rooms::new(most) };
        let egress = Arc::new(egress);
        let weir = Weir::new(self.venue, Shares::default(), Arc::clone(&egress), None);
        Link { more: others.into_iter().map(way).collect(), egress, weir, ..self }
    }

    /// Where its accounts are; these take their places in this order, unless they have one.
    pub fn pin<'a>(&self, accounts: impl IntoIterator<Item = &'a AccountName>) {
        for account in accounts {
            self.egress.of(account);
        }
    }

    /// How much of the venue's limits is used, and what it stopped.
    pub fn gauge(&self) -> Gauge {
        self.weir.gauge()
    }

    /// The venue had stopped this before the gateway began.
    pub fn stop_again(&self, frozen: Frozen, whose: &Whose) {
        if frozen.until <= clock::now() {
            return;
        }
        let told = BackOff { stops: frozen.stops, wait: Span::ZERO, until: Some(frozen.until) };
        match whose {
            Whose::Account(account) => self.weir.freeze(told, (0, account.as_ref())),
            Whose::Address(from) => self.weir.freeze(told, (*from, None)),
        }
    }

    /// The venue.
    pub fn venue(&self) -> &'static dyn Venue {
        self.venue
    }

    /// The venue's clock.
    pub fn clock(&self) -> &VenueClock {
        &self.clock
    }

    /// Opens the venue's WebSocket at this path and query for the gateway itself: an account's from its address, one
    /// of no account from where most are free.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub async fn socket(
        &self,
        account: Option<&AccountName>,
        target: &str,
    ) -> Result<OwnSocket, String> {
        let from = match account {
            Some(account) => self.egress.of(account),
            None => self.freest(Rooms::free_own_sockets),
        };
        let place = self.way(from).rooms.own_socket(from).ok_or_else(|| {
            let venue = self.venue.name();
            format!(
                "the connections that {venue} allows from one address are in use; give it more addresses (`egress`)"
            )
        })?;
        let stream = self.socket_from(from, target).await?;
        Ok(OwnSocket { stream, account: account.cloned(), place })
    }

    /// From this of the desk's addresses.
    pub(super) async fn socket_from(
        &self,
        from: usize,
        target: &str,
    ) -> Result<BoxedSocket, String> {
        if let Some(reject) = self.weir.stops(&Errand::Upkeep(None), from) {
            return Err(reject.to_string());
        }
        let opened = self.way(from).transport.socket(target).await;
        opened.map_err(|NotOpen { why, answer }| {
            if let Some(told) = answer.and_then(|answer| self.venue.back_off(&answer, &[])) {
                self.weir.freeze(told, (from, None));
            }
            why
        })
    }

    fn way(&self, from: usize) -> &Way {
        from.checked_sub(1).and_then(|other| self.more.get(other)).unwrap_or(&self.first)
    }

    /// Sends a request once, unless the venue's rate limits or connections do not allow for it.
    pub async fn send(
        &self,
        errand: Errand<'_>,
        request: WireRequest,
        mut departure: Departure<'_>,
    ) -> Result<Reply, SendError> {
        let began = departure.since;
        let (costs, counted) = (self.venue.cost(&request), self.venue.is_counted(&request));
        let kill = departure.kill.take();
        let hurried = kill.clone();
        let bound = Bound { from: None, kill, waited: began.elapsed() };
        let fare =
            self.weir.pass(&errand, costs.clone(), bound).await.map_err(SendError::NotSent)?;
        let errand = match (errand, &hurried) {
            (Errand::Cancel { account, .. }, Some(kill)) if *kill.borrow() => Errand::Kill(account),
            (errand, _) => errand,
        };
        let (from, left) = (fare.from(), clock::now());
        let leave_within = self.leave_within(&errand).saturating_sub(began.elapsed());
        let departure = Departure { kill: hurried, ..departure };
        let exchanged = self.exchange((&errand, from), request, departure, leave_within).await;
        match &exchanged {
            Err(SendError::NotSent(_)) => fare.give_back(),
            Ok(_) | Err(SendError::Unknown(_)) => drop(fare),
        }
        let reply = exchanged?;
        if !counted {
            return Ok(reply);
        }
        let whose = (from, errand.account());
        self.weir.told(&self.venue.used(&reply), whose, left, self.clock.stamp());
        if let Some(told) = self.venue.back_off(&reply, &costs) {
            self.weir.freeze(told, whose);
        }
        if self.venue.refuses_time(&reply) {
            self.clock.doubt();
        }
        Ok(reply)
    }

    /// Sends a request that changes nothing.
    pub async fn fetch(&self, errand: Errand<'_>, request: WireRequest) -> Result<Reply, Reject> {
        self.send(errand, request, Departure::certain()).await.map_err(|error| match error {
            SendError::NotSent(reject) => reject,
            SendError::Unknown(why) => Reject::new(Code::VenueUnreachable, why),
        })
    }

    /// The books that are kept from shared streams.
    pub(super) fn depths(&self) -> &Depths {
        &self.depths
    }

    /// Fetches what anybody may read. One answer serves everybody who asks for the same while it is on
    /// its way, or within `PUBLIC_AGE` after it came; and a book that somebody follows is answered as it stands.
    pub async fn fetch_public(
        self: &Arc<Link>,
        peer: IpAddr,
        request: WireRequest,
    ) -> Result<Reply, Reject> {
        if !self.venue.is_shareable(&request) {
            return self.fetch(Errand::Public { peer }, request).await;
        }
        if let Some(reply) = self.depths.answer(self.venue, &request).await {
            return Ok(reply);
        }
        let (kind, target) = (request.method.clone(), request.target.clone());
        let patience = self.weir.patience(&Errand::Public { peer });
        let link = Arc::clone(self);
        let fetch = || async move {
            let reply = link.fetch(Errand::Public { peer }, request.clone()).await?;
            link.depths.learn(link.venue, &request, &reply);
            Ok(reply)
        };
        let patience = Duration::from_micros(patience.micros());
        self.shared.get(format!("{kind} {target}"), patience, fetch).await
    }

    /// Makes a session a member of those who share the venue's public socket at `target`.
    ///
    /// # Errors
    /// When too many ask for that at once.
    pub fn follow(
        self: &Arc<Link>,
        target: &str,
        follower: Follower,
    ) -> Result<Membership, Reject> {
        self.hubs.enter(Arc::downgrade(self), target, follower)
    }

    /// A place for one more public socket, held for as long as the socket is open.
    ///
    /// # Errors
    /// When the venue's connections are in use, but for those that are kept for the gateway itself.
    pub(super) fn reserve_socket(&self) -> Result<SocketPlace, Reject> {
        let from = self.freest(Rooms::free_sockets);
        self.way(from).rooms.socket(from)
    }

    /// The address with most places of a kind, those last that the venue stopped.
    fn freest(&self, places: impl Fn(&Rooms) -> usize) -> usize {
        let most_free = |from: &usize| {
            let free = places(&self.way(*from).rooms);
            (free > 0, !self.weir.is_stopped(*from), free, std::cmp::Reverse(*from))
        };
        (0..self.egress.count()).max_by_key(most_free).unwrap_or(0)
    }

    /// Waits in line for what is said on a public socket, and pays for it.
    ///
    /// # Errors
    /// As for a request.
    pub(super) async fn pay(
        &self,
        errand: Errand<'_>,
        cost: Units,
        from: usize,
    ) -> Result<Fare, Reject> {
        let bound = Bound { from: Some(from), ..Bound::default() };
        self.weir.pass(&errand, vec![cost], bound).await
    }

    /// Counts what the gateway says for itself on a socket of its own; it is never refused to it.
    pub fn charge(&self, socket: &OwnSocket, text: &str) {
        self.charge_of(socket.account.as_ref(), socket.place.from, text);
    }

    /// The same, on a public socket that callers share from this of the desk's addresses.
    pub(super) fn charge_from(&self, from: usize, text: &str) {
        self.charge_of(None, from, text);
    }

    fn charge_of(&self, account: Option<&AccountName>, from: usize, text: &str) {
        if let Some(cost) = self.venue.socket_cost(text) {
            self.weir.charge(&Errand::Upkeep(account), from, cost);
        }
    }

    /// Heeds what the venue says on a socket of the gateway's own, where that is to stop.
    pub fn heed(&self, socket: &OwnSocket, text: &str) {
        self.heed_of(socket.account.as_ref(), socket.place.from, text);
    }

    /// The same, on a public socket that callers share from this of the desk's addresses.
    pub(super) fn heed_from(&self, from: usize, text: &str) {
        self.heed_of(None, from, text);
    }

    fn heed_of(&self, account: Option<&AccountName>, from: usize, text: &str) {
        if let Some(told) = self.venue.socket_back_off(text) {
            self.weir.freeze(told, (from, account));
        }
    }

    /// How long an order of this caller may wait for its turn.
    pub fn order_patience(&self, caller: Option<&CallerName>) -> Duration {
        Duration::from_micros(self.weir.order_patience(caller).micros())
    }

    /// The venue's instruments were answered so.
    pub fn note_instruments(&self, replies: &[Reply]) {
        self.weir.publish(&self.venue.published_limits(replies));
    }

    /// An account's snapshot was answered so.
    pub(super) fn note_snapshot(&self, account: &AccountName, replies: &[Reply]) {
        self.weir.publish_of(account, &self.venue.account_limits(replies));
    }

    async fn exchange(
        &self,
        (errand, from): (&Errand<'_>, usize),
        request: WireRequest,
        departure: Departure<'_>,
        leave_within: Duration,
    ) -> Result<Reply, SendError> {
        let way = self.way(from);
        let gone = AtomicBool::new(false);
        let Departure { may_leave, left, since, kill } = departure;
        // The venue may have stopped such requests while this one waited for a connection.
        let stopped = &Mutex::new(None);
        let may_leave = move || {
            let told = self.weir.stops(errand, from);
            let free = told.is_none();
            *stopped.lock().unwrap_or_else(PoisonError::into_inner) = told;
            free && may_leave()
        };
        let note = || {
            gone.store(true, Ordering::Relaxed);
            left();
        };
        let departure =
            Departure { may_leave: Box::new(may_leave), left: Box::new(note), kill: None, since };
        let mut exchange = pin!(async {
            let _place = way.rooms.enter(errand, kill).await.map_err(SendError::NotSent)?;
            let answered = way.transport.send(request, departure).await;
            answered.map_err(|failure| match failure {
                Failure::NotSent(why) => {
                    let told = stopped.lock().unwrap_or_else(PoisonError::into_inner).take();
                    told.map_or_else(|| not_sent(why), SendError::NotSent)
                }
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

    /// An order that its caller would not want any more does not leave; nor does anything whose signature
    /// would be stale.
    fn leave_within(&self, errand: &Errand<'_>) -> Duration {
        match errand {
            Errand::Order { .. } => {
                let patience = Duration::from_micros(self.weir.patience(errand).micros());
                patience.min(self.leave_within)
            }
            _ => self.leave_within,
        }
    }
}

fn not_sent(why: String) -> SendError {
    SendError::NotSent(Reject::new(Code::VenueUnreachable, why))
}

#[cfg(test)]
mod tests;
