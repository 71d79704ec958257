//! Requests to a venue over kept-alive HTTP/1.1.
//!
//! A connection is driven by the request that uses it and by nothing else, so it is known at every
//! moment whether a byte of that request was written. Nothing is ever sent again on its own. There
//! are as many connections to a host as requests were on their way at once: `Link` bounds those.

use super::hosts::ByPath;
use super::origin::{Origin, Roots, UrlError};
use super::watched::{Watched, Written};
use crate::config;
use crate::desk::{BoxedSocket, CALLED_BACK, Departure, Failure, NotOpen, Transport};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tidegate_types::call::WireRequest;
use tidegate_types::limits::MAX_VENUE_BODY_BYTES;
use tidegate_types::request::Reply;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// A connection that was idle for longer is not used again: venues close idle ones, and a request on
/// a connection that is just being closed has an unknown outcome.
const MAX_IDLE: Duration = Duration::from_secs(20);
/// Most headers of an answer.
const MAX_HEADERS: usize = 100;

/// The network to one venue.
pub struct Pool {
    http: ByPath<Host>,
    websocket: ByPath<Origin>,
}

/// One of a venue's hosts and the connections to it that wait for a request.
struct Host {
    origin: Origin,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    link: Link,
    since: Instant,
}

/// A connection and what it takes to drive it.
struct Link {
    requests: SendRequest<Full<Bytes>>,
    connection: Option<Connection<TokioIo<Watched>, Full<Bytes>>>,
    written: Written,
}

impl Pool {
    /// A pool for these base URLs.
    ///
    /// # Errors
    /// When a URL is none, is plain and not on loopback, or the roots cannot be read.
    pub fn new(rest: &str, ws: &str, roots: &Roots) -> Result<Pool, UrlError> {
        Ok(Pool {
            http: ByPath::new(Host::new(rest, roots)?),
            websocket: ByPath::new(websocket(ws, roots)?),
        })
    }

    /// A pool for a venue as it is configured, with the hosts of its own that some paths have.
    ///
    /// # Errors
    /// As `new`.
    pub fn configured(venue: &config::Venue) -> Result<Pool, UrlError> {
        let roots = venue.ca_file.clone().map_or(Roots::System, Roots::File);
        let mut pool = Pool::new(&venue.rest, &venue.ws, &roots)?;
        for (prefix, url) in &venue.hosts {
            match url.starts_with("ws") {
                true => pool.websocket.insert(prefix, websocket(url, &roots)?),
                false => pool.http.insert(prefix, Host::new(url, &roots)?),
            }
        }
        Ok(pool)
    }

    /// With every connection leaving from this address of the machine.
    #[must_use]
    pub fn leaving_from(mut self, local: IpAddr) -> Pool {
        self.http.each(|host| host.origin.leaves_from = Some(local));
        self.websocket.each(|origin| origin.leaves_from = Some(local));
        self
    }

    async fn exchange(
        &self,
        request: WireRequest,
        departure: Departure<'_>,
    ) -> Result<Reply, Failure> {
        let host = self.http.of(&request.target);
        let request = host.to_http(request).map_err(Failure::NotSent)?;
        let mut link = match host.take_idle().await {
            Some(link) => link,
            None => host.connect().await.map_err(Failure::NotSent)?,
        };
        if !(departure.may_leave)() {
            host.keep(link);
            return Err(Failure::NotSent(CALLED_BACK.to_owned()));
        }
        link.written.clear();
        let answered = link.ask(request, departure.left).await;
        let failed = |why: String| match link.written.get() {
            true => Failure::Unknown(why),
            false => Failure::NotSent(why),
        };
        let reply = answered.map_err(failed)?;
        host.keep(link);
        Ok(reply)
    }

    async fn open_socket(&self, target: &str) -> Result<BoxedSocket, NotOpen> {
        let origin = self.websocket.of(target);
        let Origin { authority, base, .. } = origin;
        let wire = origin.connect().await?;
        let mut limits = WebSocketConfig::default();
        limits.max_message_size = Some(MAX_VENUE_BODY_BYTES);
        limits.max_frame_size = Some(MAX_VENUE_BODY_BYTES);
        // The scheme is for the library alone; the bytes go over the stream that is open.
        let url = format!("ws://{authority}{base}{target}");
        let opened = tokio_tungstenite::client_async_with_config(url, wire, Some(limits)).await;
        match opened {
            Ok((socket, _)) => Ok(Box::pin(socket)),
            Err(error) => {
                let why = format!("cannot open a WebSocket at {authority}: {error}");
                Err(NotOpen { why, answer: answered(error) })
            }
        }
    }
}

/// What was answered to a handshake instead of an open socket.
fn answered(error: tungstenite::Error) -> Option<Reply> {
    let tungstenite::Error::Http(answer) = error else { return None };
    let (head, body) = answer.into_parts();
    let text = |value: &http::HeaderValue| Some(value.to_str().ok()?.to_owned());
    let headers = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)));
    let headers = headers.collect();
    Some(Reply { status: head.status.as_u16(), headers, body: body.unwrap_or_default() })
}

impl Host {
    fn new(url: &str, roots: &Roots) -> Result<Host, UrlError> {
        let origin = Origin::parse(url, "https", "http", roots)?;
        Ok(Host { origin, idle: Mutex::default() })
    }

    fn to_http(&self, request: WireRequest) -> Result<http::Request<Full<Bytes>>, String> {
        let target = format!("{}{}", self.origin.base, request.target);
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(target)
            .header(http::header::HOST, &self.origin.authority)
            .header(http::header::USER_AGENT, "tidegate");
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        // The error may repeat the request, which holds a signature.
        builder
            .body(Full::new(Bytes::from(request.body)))
            .map_err(|_| "the request cannot be written as HTTP".to_owned())
    }

    async fn connect(&self) -> Result<Link, String> {
        let written = Written::default();
        let wire = Watched::new(self.origin.connect().await?, written.clone());
        let (requests, connection) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| error.to_string())?;
        Ok(Link { requests, connection: Some(connection), written })
    }

    /// An idle connection that is still open, the one used last first.
    async fn take_idle(&self) -> Option<Link> {
        loop {
            let Idle { mut link, since } = self.idle().pop()?;
            if since.elapsed() < MAX_IDLE && link.is_open().await {
                return Some(link);
            }
        }
    }

    fn keep(&self, link: Link) {
        if link.connection.is_some() {
            self.idle().push(Idle { link, since: Instant::now() });
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn websocket(url: &str, roots: &Roots) -> Result<Origin, UrlError> {
    Origin::parse(url, "wss", "ws", roots)
}

impl Transport for Pool {
    fn send<'a>(
        &'a self,
        request: WireRequest,
        departure: Departure<'a>,
    ) -> BoxFuture<'a, Result<Reply, Failure>> {
        Box::pin(self.exchange(request, departure))
    }

    fn socket<'a>(&'a self, target: &'a str) -> BoxFuture<'a, Result<BoxedSocket, NotOpen>> {
        Box::pin(self.open_socket(target))
    }
}

impl Link {
    /// Sends a request and reads the answer to its end.
    async fn ask(
        &mut self,
        request: http::Request<Full<Bytes>>,
        sent: impl FnOnce(),
    ) -> Result<Reply, String> {
        let response = self.requests.send_request(request);
        let Link { connection, written, .. } = self;
        let exchange = async {
            let response = response.await.map_err(|error| error.to_string())?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_VENUE_BODY_BYTES).collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            Ok(Reply { status: head.status.as_u16(), headers: headers(&head), body: body.into() })
        };
        let mut exchange = pin!(exchange);
        let mut sent = Some(sent);
        poll_fn(|cx| {
            let mut turn = exchange.as_mut().poll(cx);
            let ended = poll_connection(connection, cx);
            if written.get()
                && let Some(sent) = sent.take()
            {
                sent();
            }
            if turn.is_pending() && ended.is_some() {
                // What the connection read last, or that it ended.
                turn = exchange.as_mut().poll(cx);
            }
            match (turn, ended) {
                (Poll::Ready(answer), _) => Poll::Ready(answer),
                (Poll::Pending, Some(why)) => Poll::Ready(Err(why)),
                (Poll::Pending, None) => Poll::Pending,
            }
        })
        .await
    }

    /// Whether the connection can take another request, after a look at what the venue did to it.
    async fn is_open(&mut self) -> bool {
        let Link { requests, connection, .. } = self;
        let mut ended = false;
        // Twice: what one turn reads, the next acts on.
        for _ in 0..2 {
            ended |= poll_fn(|cx| Poll::Ready(poll_connection(connection, cx).is_some())).await;
        }
        let ready = poll_fn(|cx| Poll::Ready(requests.poll_ready(cx))).await;
        !ended && matches!(ready, Poll::Ready(Ok(())))
    }
}

/// Drives a connection; why it ended, if it did.
fn poll_connection(
    connection: &mut Option<Connection<TokioIo<Watched>, Full<Bytes>>>,
    cx: &mut Context<'_>,
) -> Option<String> {
    let Some(open) = connection else {
        return Some("the connection is closed".to_owned());
    };
    let why = match Pin::new(open).poll(cx) {
        Poll::Pending => return None,
        Poll::Ready(Ok(())) => "the venue closed the connection".to_owned(),
        Poll::Ready(Err(error)) => error.to_string(),
    };
    *connection = None;
    Some(why)
}

fn headers(head: &http::response::Parts) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| value.to_str().ok().map(str::to_owned);
    head.headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
        .collect()
}

#[cfg(test)]
mod tests;
