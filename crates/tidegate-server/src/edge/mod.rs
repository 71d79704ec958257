//! Where callers connect: TLS, listeners, strict HTTP, WebSocket sessions.

mod connections;
mod guard;
mod http;
mod inbound;
mod lines;
mod listener;
mod messages;
mod names;
pub mod tls;
mod unsent;
mod websocket;

pub use connections::{Connections, network_of};
#[cfg(test)]
pub(crate) use http::ADMIN_PATH;
pub use http::plain_refusal;
pub use inbound::{Class, Limits, Peers, Rate, Turn, Turns, Whose};
pub use listener::{Door, Listening, Mount, listen};
pub use messages::Messages;
pub use names::Names;
pub use tidegate_types::bucket::Bucket;
pub use websocket::{
    CallerSocket, FAREWELL, FAREWELL_OF_REVOKED, Heard, LOOK_EVERY, PING_INTERVAL,
    PINGS_UNANSWERED, Wire, drive,
};

use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tidegate_identity::oauth::TokenBearer;
use tidegate_types::key::Origin;
use tidegate_types::reject::Reject;
use tidegate_types::request::{RawRequest, Reply};
use tidegate_venues::Venue;
use tidegate_venues::front::Session;

/// A session that opens.
pub struct Opening {
    /// The venue's side of it.
    pub session: Box<dyn Session>,
    /// Whose token opened it, if one did: the proof that came with it is the whole connection's.
    pub by: Option<Arc<TokenBearer>>,
}

/// Serves a socket to its end, at this rate of messages.
pub type Serve = Box<dyn FnOnce(CallerSocket, Messages) -> BoxFuture<'static, ()> + Send>;

/// What stands behind the doors.
pub trait Site: Send + Sync + 'static {
    /// The answer to a request at a venue's door.
    fn reply(
        &self,
        venue: &'static dyn Venue,
        request: RawRequest,
    ) -> impl Future<Output = Reply> + Send;

    /// The answer to a request that is refused before it could be handed over; without a request
    /// not even its head could be read.
    fn refuse(
        &self,
        venue: &'static dyn Venue,
        request: Option<&RawRequest>,
        reject: &Reject,
    ) -> Reply;

    /// Opens a session, or says why not.
    fn open(&self, venue: &'static dyn Venue, request: &RawRequest) -> Result<Opening, Reply>;

    /// Serves a session until its socket closes, or was used for nothing for as long as `unused`.
    fn drive(
        &self,
        venue: &'static dyn Venue,
        opening: Opening,
        socket: CallerSocket,
        origin: Origin,
        messages: Messages,
        unused: Duration,
    ) -> impl Future<Output = ()> + Send;

    /// The answer to a request of the administration's.
    fn administer(&self, request: RawRequest) -> impl Future<Output = Reply> + Send;

    /// The answer to a request at the main listener that is for no venue and not for the
    /// administration: pages, tokens, the API of the gateway's own.
    fn visit(&self, request: RawRequest) -> impl Future<Output = Reply> + Send;

    /// What serves a WebSocket that such a request asks for, or why there is none; `None` where none is
    /// served at all.
    fn upgrade(&self, request: &RawRequest) -> Option<Result<Serve, Reply>>;
}

/// How long callers may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For the head of a request, from its first byte.
    pub head: Duration,
    /// For the body of a request.
    pub body: Duration,
    /// Between requests.
    pub idle: Duration,
    /// For what is written to them to go on: over so long they take what `slowest` asks.
    pub write: Duration,
    /// The fewest bytes a second that are sent of a head or a body, and taken of what is written.
    pub slowest: u32,
    /// For a WebSocket to be used for anything.
    pub unused: Duration,
}

impl From<&crate::config::Timeouts> for Timeouts {
    fn from(set: &crate::config::Timeouts) -> Timeouts {
        Timeouts {
            handshake: Duration::from_millis(set.handshake_ms),
            head: Duration::from_millis(set.head_ms),
            body: Duration::from_millis(set.body_ms),
            idle: Duration::from_millis(set.idle_ms),
            write: Duration::from_millis(set.write_ms),
            slowest: set.slowest,
            unused: Duration::from_millis(set.unused_ms),
        }
    }
}

#[cfg(test)]
mod tests;
