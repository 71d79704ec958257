//! The callers' side of the core: the pipeline and what it stands on.

mod callers;
mod local;
mod logins;
mod pipeline;
mod watch;

pub use callers::{Callers, Who};
pub use watch::Watch;

use crate::admin::Administration;
use crate::aside::to_the_end;
use crate::clock;
use crate::config::Logins;
use crate::desk::{Desk, Link, Links};
use crate::edge::{CallerSocket, Messages, Opening, Serve, Site, drive, plain_refusal};
use crate::web::{Web, oauth};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tidegate_core::event::Event;
use tidegate_identity::oauth::TokenBearer;
use tidegate_identity::{Named, Remembered};
use tidegate_types::ids::SessionId;
use tidegate_types::key::Origin;
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Presented, RawRequest, Reply};
use tidegate_types::time::Time;
use tidegate_venues::Venue;
use tokio::sync::watch as stop;

/// Everything that a request meets between its socket and the core.
pub struct Gate {
    desk: Arc<Desk>,
    callers: Arc<Callers>,
    links: Arc<Links>,
    admin: Arc<Administration>,
    web: Web,
    logins: Logins,
    stop: stop::Receiver<bool>,
    sessions: AtomicU64,
    this: Weak<Gate>,
}

impl Gate {
    /// A gate before this desk, which takes these ways to log in. `stop` turns true when the gateway is to stop.
    pub fn new(
        desk: Arc<Desk>,
        callers: Arc<Callers>,
        links: Arc<Links>,
        admin: Arc<Administration>,
        web: Web,
        logins: Logins,
        stop: stop::Receiver<bool>,
    ) -> Arc<Gate> {
        Arc::new_cyclic(|this| Gate {
            desk,
            callers,
            links,
            admin,
            web,
            logins,
            stop,
            sessions: AtomicU64::new(1),
            this: Weak::clone(this),
        })
    }

    /// The desk.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Returns when the gateway is to stop.
    pub async fn stopping(&self) {
        let mut stop = self.stop.clone();
        // A sender that is gone means a gateway that is gone.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Who shows these credentials at this venue's door.
    pub fn authenticate(
        &self,
        venue: &dyn Venue,
        presented: &Presented,
        origin: &Origin,
        now: Time,
    ) -> Result<Who, Reject> {
        self.takes(presented)?;
        let who = self.callers.authenticate(&venue.name(), presented, origin, now)?;
        if let Who::Proven(proven) = &who {
            self.callers.note_use(&self.desk, proven.key(), now);
        }
        Ok(who)
    }

    /// Who a session remembers, if the key is still in force.
    pub fn recall(&self, remembered: &Remembered) -> Result<Who, Reject> {
        let now = clock::now();
        let who = self.callers.recall(remembered, now)?;
        self.callers.take(who.key(), now)?;
        self.callers.note_use(&self.desk, who.key(), now);
        Ok(Who::Proven(who))
    }

    /// The app whose token opened a socket, as long as that is in force, with what it allows now.
    pub fn recall_app(
        &self,
        venue: &dyn Venue,
        bearer: &Arc<TokenBearer>,
    ) -> Result<Authenticated, Reject> {
        let still = self.web.oauth().recall(&venue.name(), bearer, clock::now());
        still.map(|shown| shown.who).map_err(|refused| refused.reject)
    }

    /// The same for one more of its requests, which count as any other of the app's.
    pub fn recall_app_to_ask(
        &self,
        venue: &dyn Venue,
        bearer: &Arc<TokenBearer>,
        now: Time,
    ) -> Result<Who, Reject> {
        let who = self.recall_app(venue, bearer)?;
        self.callers.take_app(who.caller(), now)?;
        Ok(Who::Proven(who))
    }

    /// The app whose token opened a socket, if that is what the stream key was made for.
    pub fn own_stream(
        &self,
        venue: &dyn Venue,
        bearer: &Arc<TokenBearer>,
        key: &str,
        now: Time,
    ) -> Result<Who, Reject> {
        let named = Named::from(&self.recall_app(venue, bearer)?);
        if self.callers.is_stream_key_of(&named, key, now) {
            return Ok(Who::Named(named));
        }
        Err(Reject::new(Code::BadToken, "the stream key is not this token's"))
    }

    /// Whether the app whose token opened a socket may still see its account's stream: never all of it.
    pub fn may_watch_by(&self, venue: &dyn Venue, bearer: &Arc<TokenBearer>) -> Option<bool> {
        let who = self.recall_app(venue, bearer).ok()?;
        let until = who.token().and_then(|allows| allows.until);
        until.is_none_or(|until| clock::now() < until).then_some(false)
    }

    /// Whose stream key this is.
    pub fn stream_owner(
        &self,
        venue: &dyn Venue,
        key: &str,
        origin: &Origin,
        now: Time,
    ) -> Result<Who, Reject> {
        let named = self.callers.stream_owner(&venue.name(), key, origin, now)?;
        self.desk.may_read(named.caller(), named.account(), now)?;
        Ok(Who::Named(named))
    }

    /// The private stream of this caller's account, from now on.
    pub fn watch(&self, who: Named) -> Watch {
        let frames = self.desk.frames(who.account());
        Watch::new(who, frames)
    }

    /// Whether the key that the watcher watches by is in force.
    pub fn is_in_force(&self, watch: &Watch) -> bool {
        self.callers.is_in_force(watch.key(), clock::now())
    }

    /// Whether the watcher may still see its account's stream, and then whether all of it.
    pub fn may_watch(&self, watch: &Watch) -> Option<bool> {
        if !self.is_in_force(watch) {
            return None;
        }
        self.desk.may_read(watch.caller(), watch.account(), clock::now()).ok()
    }

    /// Puts a refusal on record that the core has not seen.
    pub fn note_refusal(&self, who: Option<&Named>, reject: &Reject) {
        self.desk.event(Event::RefusedEarlier {
            caller: who.map(|who| who.caller().clone()),
            account: who.map(|who| who.account().clone()),
            shown: who.and_then(Named::shown),
            reject: reject.clone(),
        });
    }

    /// Puts a login on record, with the session that is the caller's from now on.
    pub fn note_login(&self, who: &Authenticated, session: Option<SessionId>) {
        let (caller, key) = (who.caller().clone(), who.key().clone());
        self.desk.event(Event::LoggedIn { caller, key, session });
    }

    /// A number for a session that begins.
    pub fn session(&self) -> SessionId {
        SessionId(self.sessions.fetch_add(1, Ordering::Relaxed))
    }

    /// A session ended; `lost` unless its caller logged out.
    pub fn session_ended(&self, session: SessionId, lost: bool) {
        self.desk.event(Event::Disconnected { session, lost });
    }

    /// The way to a venue, if it is served.
    pub fn link(&self, venue: &dyn Venue) -> Result<&Arc<Link>, Reject> {
        self.links.get(&venue.name())
    }
}

impl Site for Gate {
    async fn reply(&self, venue: &'static dyn Venue, request: RawRequest) -> Reply {
        self.serve(venue, request).await
    }

    fn refuse(&self, venue: &'static dyn Venue, at: Option<&RawRequest>, reject: &Reject) -> Reply {
        self.note_refusal(None, reject);
        venue.refuse(at, None, reject, clock::now())
    }

    fn open(&self, venue: &'static dyn Venue, request: &RawRequest) -> Result<Opening, Reply> {
        let now = clock::now();
        self.address_is_clean(venue, request)
            .map_err(|reject| Site::refuse(self, venue, Some(request), &reject))?;
        let by = match oauth::shows_token(request) {
            true => Some(self.opener(venue, request, now)?),
            false => None,
        };
        let session = venue.open(request, now);
        let session =
            session.map_err(|reject| Site::refuse(self, venue, Some(request), &reject))?;
        Ok(Opening { session, by })
    }

    async fn drive(
        &self,
        venue: &'static dyn Venue,
        opening: Opening,
        socket: CallerSocket,
        origin: Origin,
        messages: Messages,
        unused: Duration,
    ) {
        if let Some(gate) = self.this.upgrade() {
            drive(gate, venue, opening, socket, origin, messages, unused).await;
        }
    }

    async fn administer(&self, request: RawRequest) -> Reply {
        let admin = Arc::clone(&self.admin);
        let work = to_the_end(async move { admin.over_http(request).await });
        let stops = || {
            let why = "the gateway stops; look what became of it";
            plain_refusal(&Reject::new(Code::OutcomeUnknown, why))
        };
        work.await.unwrap_or_else(stops)
    }

    async fn visit(&self, request: RawRequest) -> Reply {
        self.web.answer(request).await
    }

    fn upgrade(&self, request: &RawRequest) -> Option<Result<Serve, Reply>> {
        let stream = match self.web.upgrade(request)? {
            Ok(stream) => stream,
            Err(reply) => return Some(Err(reply)),
        };
        let gate = self.this.upgrade()?;
        Some(Ok(Box::new(move |socket, messages| {
            Box::pin(async move { stream.serve(socket, messages, gate.stopping()).await })
        })))
    }
}

#[cfg(test)]
mod tests;
