//! What carries requests to a venue: the network, or something that stands in for it.

use futures_util::future::BoxFuture;
use futures_util::{Sink, Stream};
use std::pin::Pin;
use tidegate_types::call::WireRequest;
use tidegate_types::request::Reply;
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

/// The network to one venue.
pub trait Transport: Send + Sync {
    /// Sends a request once; nothing is ever sent again on its own. `sent` is called when its
    /// first byte is about to leave.
    fn send<'a>(
        &'a self,
        request: WireRequest,
        sent: Box<dyn FnOnce() + Send + 'a>,
    ) -> BoxFuture<'a, Result<Reply, Failure>>;

    /// Opens the venue's WebSocket at this path and query.
    fn socket<'a>(&'a self, target: &'a str) -> BoxFuture<'a, Result<BoxedSocket, String>>;
}
