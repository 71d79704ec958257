//! A venue made of sockets that a test holds the other ends of.

use crate::desk::{BoxedSocket, Departure, Failure, Link, NotOpen, Transport};
use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tidegate_types::call::WireRequest;
use tidegate_types::ids::VenueName;
use tidegate_types::request::Reply;
use tidegate_venues::registry;
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

/// It can be reached as often as there are sockets, and answers as often as there are answers.
struct Scripted {
    sockets: Mutex<VecDeque<DuplexStream>>,
    answers: Mutex<VecDeque<Reply>>,
}

impl Transport for Scripted {
    fn send<'a>(
        &'a self,
        _: WireRequest,
        departure: Departure<'a>,
    ) -> BoxFuture<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let answer = self.answers.lock().unwrap().pop_front();
            let answer = answer.ok_or_else(|| Failure::NotSent("no HTTP here".to_owned()))?;
            (departure.left)();
            Ok(answer)
        })
    }

    fn socket<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<BoxedSocket, NotOpen>> {
        Box::pin(async {
            let next = self.sockets.lock().unwrap().pop_front();
            let stream = next.ok_or_else(|| NotOpen::from("nobody listens".to_owned()))?;
            let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
            Ok(Box::pin(socket) as BoxedSocket)
        })
    }
}

/// A link to a venue that opens these sockets in turn.
pub(crate) fn link(venue: &str, sockets: Vec<DuplexStream>) -> Arc<Link> {
    answering(venue, sockets, Vec::new())
}

/// The same, to one that gives these answers in turn.
pub(crate) fn answering(venue: &str, sockets: Vec<DuplexStream>, answers: Vec<Reply>) -> Arc<Link> {
    let venue = registry::find(&VenueName::new(venue).unwrap()).unwrap();
    let (sockets, answers) = (Mutex::new(sockets.into()), Mutex::new(answers.into()));
    Arc::new(Link::new(venue, Box::new(Scripted { sockets, answers })))
}
