//! The ways to the venues.

use super::transport::{Failure, Transport};
use crate::clock;
use crate::oplog;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tidegate_types::call::WireRequest;
use tidegate_types::ids::VenueName;
use tidegate_types::limits::VENUE_TIMEOUT;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;
use tidegate_venues::Venue;

/// The way to one venue.
pub struct Link {
    venue: &'static dyn Venue,
    transport: Box<dyn Transport>,
    /// Until when the venue asked us to wait, in µs.
    paused_until: AtomicU64,
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
        Link { venue, transport, paused_until: AtomicU64::new(0) }
    }

    /// The venue.
    pub fn venue(&self) -> &'static dyn Venue {
        self.venue
    }

    /// What carries requests and sockets there.
    pub fn transport(&self) -> &dyn Transport {
        self.transport.as_ref()
    }

    /// Whether the venue takes requests; refused for as long as it asked us to wait.
    pub fn budget(&self) -> Result<(), Reject> {
        let until = Time::from_micros(self.paused_until.load(Ordering::Relaxed));
        let left = until.since(clock::now());
        if left.micros() == 0 {
            return Ok(());
        }
        Err(Reject::new(Code::VenueBudget, format!("for another {} ms", left.millis())))
    }

    /// Sends a request once. `sent` is called when its first byte is about to leave.
    pub async fn send(
        &self,
        request: WireRequest,
        sent: impl FnOnce() + Send,
    ) -> Result<Reply, SendError> {
        let left = AtomicBool::new(false);
        let note = || {
            left.store(true, Ordering::Relaxed);
            sent();
        };
        let limit = Duration::from_micros(VENUE_TIMEOUT.micros());
        let reply =
            match tokio::time::timeout(limit, self.transport.send(request, Box::new(note))).await {
                Ok(Ok(reply)) => reply,
                Ok(Err(Failure::NotSent(why))) => return Err(not_sent(why)),
                Ok(Err(Failure::Unknown(why))) => return Err(SendError::Unknown(why)),
                Err(_) if !left.load(Ordering::Relaxed) => {
                    return Err(not_sent("no connection in time".to_owned()));
                }
                Err(_) => return Err(SendError::Unknown("no answer in time".to_owned())),
            };
        if let Some(wait) = self.venue.back_off(&reply) {
            let until = clock::now().plus(wait).micros();
            let before = self.paused_until.fetch_max(until, Ordering::Relaxed);
            if before < clock::now().micros() {
                let (venue, wait) = (self.venue.name(), wait.millis());
                oplog::warn("venue-asks-to-wait", &[("venue", &venue), ("ms", &wait)]);
            }
        }
        Ok(reply)
    }

    /// Sends a request that changes nothing.
    pub async fn fetch(&self, request: WireRequest) -> Result<Reply, Reject> {
        self.budget()?;
        self.send(request, || ()).await.map_err(|error| match error {
            SendError::NotSent(reject) => reject,
            SendError::Unknown(why) => Reject::new(Code::VenueUnreachable, why),
        })
    }
}

fn not_sent(why: String) -> SendError {
    SendError::NotSent(Reject::new(Code::VenueUnreachable, why))
}
