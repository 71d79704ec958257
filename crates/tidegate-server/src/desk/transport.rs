//! What carries requests to a venue: the network, or something that stands in for it.

use futures_util::future::BoxFuture;
use futures_util::{Sink, Stream};
use std::pin::Pin;
use std::time::Instant;
use tidegate_types::call::WireRequest;
use tidegate_types::request::Reply;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Why a request has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// No byte of it left.
    NotSent(String),
    /// It may or may not have arrived.
    Unknown(String),
}

/// A venue's WebSocket.
pub trait VenueSocket:
    Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Send
{
}

impl<S> VenueSocket for S where
    S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Send
{
}

/// A socket, whatever carries it.
pub type BoxedSocket = Pin<Box<dyn VenueSocket>>;

/// Why a WebSocket is not open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotOpen {
    /// In words.
    pub why: String,
    /// What the venue answered instead of opening it, if it did.
    pub answer: Option<Reply>,
}

impl From<String> for NotOpen {
    fn from(why: String) -> NotOpen {
        NotOpen { why, answer: None }
    }
}

/// What whoever sends a request has to say, and is told, about its way.
pub struct Departure<'a> {
    /// Whether it may still leave: asked once its way is free, right before the first byte.
    pub may_leave: Box<dyn Fn() -> bool + Send + 'a>,
    /// The first byte leaves.
    pub left: Box<dyn FnOnce() + Send + 'a>,
    /// Of a cancel: whether it is a halt's or a breaker's, which it may become on its way.
    pub kill: Option<watch::Receiver<bool>>,
    /// When it was decided: it grows old from then on.
    pub since: Instant,
}

impl Departure<'_> {
    /// Of a request that nothing calls back.
    pub fn certain() -> Departure<'static> {
        let (may_leave, left) = (Box::new(|| true), Box::new(|| ()));
        Departure { may_leave, left, kill: None, since: Instant::now() }
    }
}

/// Said of a request that was called back.
pub const CALLED_BACK: &str = "it was called back before it left";

/// The network to one venue.
pub trait Transport: Send + Sync {
    /// Sends a request once; nothing is ever sent again on its own.
    fn send<'a>(
        &'a self,
        request: WireRequest,
        departure: Departure<'a>,
    ) -> BoxFuture<'a, Result<Reply, Failure>>;

    /// Opens the venue's WebSocket at this path and query.
    fn socket<'a>(&'a self, target: &'a str) -> BoxFuture<'a, Result<BoxedSocket, NotOpen>>;
}
