//! HTTP/1.1: reads requests within limits, hands them to the venue, upgrades WebSockets.

use super::deribit;
use super::faults::{self, Fault};
use super::world::Shared;
use crate::binance;
use crate::engine::Venue;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// The largest request body.
const BODY_MAX: usize = 256 * 1024;
/// The largest WebSocket message.
const FRAME_MAX: usize = 64 * 1024;
/// How long a request's head may take.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// An upgraded connection.
pub type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// A request, its venue's prefix taken off.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Where it came from.
    pub peer: SocketAddr,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beside the content's type and length.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON.
    pub body: Vec<u8>,
}

impl Request {
    /// A request that came by no socket; `None` when it cannot be one.
    pub fn new(
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Option<Request> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header = |(name, value): &(String, String)| {
            let name = header::HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        };
        Some(Request {
            method: Method::from_bytes(method.as_bytes()).ok()?,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(header).collect::<Option<HeaderMap>>()?,
            body: Bytes::copy_from_slice(body.as_bytes()),
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
        })
    }
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: u16, body: &serde_json::Value) -> Answer {
        Answer { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }
}

/// Which listener a connection came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The venue at the root of it; none for the listener with prefixes.
    pub(super) venue: Option<Venue>,
    /// Whether `/sim/…` answers.
    pub(super) control: bool,
    /// The other end.
    pub(super) peer: SocketAddr,
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct Hangup;

impl fmt::Display for Hangup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed without an answer")
    }
}

impl std::error::Error for Hangup {}

/// Serves one connection to its end.
pub(super) async fn serve<S>(stream: S, place: Place, world: Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, place, world.clone()));
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(64 * 1024);
    let connection = server.serve_connection(TokioIo::new(stream), service).with_upgrades();
    // How a connection ends is its peer's affair.
    let _ = connection.await;
}

async fn answer(
    request: http::Request<Incoming>,
    place: Place,
    world: Shared,
) -> Result<Response<Full<Bytes>>, Hangup> {
    let (parts, body) = request.into_parts();
    let full = parts.uri.path();
    let (venue, path) = match place.venue {
        Some(venue) => (Some(venue), full.to_owned()),
        None => split_prefix(full),
    };
    let mut request = Request {
        method: parts.method.clone(),
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.clone(),
        body: Bytes::new(),
        peer: place.peer,
    };
    if venue.is_some() && is_upgrade(&request) {
        let plain = http::Request::from_parts(parts, body);
        return Ok(upgrade(plain, request, venue, world));
    }
    let Ok(read) = tokio::time::timeout(HEAD_TIME, Limited::new(body, BODY_MAX).collect()).await
    else {
        return Err(Hangup);
    };
    let Ok(body) = read else {
        return Ok(render(Answer::json(413, &serde_json::json!({"error": "body too large"}))));
    };
    request.body = body.to_bytes();
    match venue {
        Some(venue) => dispatch(venue, &request, &world).await,
        None if place.control && request.path.starts_with("/sim/") => {
            Ok(render(faults::control(&mut world.borrow_mut(), &request)))
        }
        None => Ok(render(Answer::json(404, &serde_json::json!({"error": "no such venue"})))),
    }
}

async fn dispatch(
    venue: Venue,
    request: &Request,
    world: &Shared,
) -> Result<Response<Full<Bytes>>, Hangup> {
    let label = format!("{} {}", request.method, request.path);
    let fault = world.borrow_mut().faults.strike(venue, &label, false);
    match fault {
        Some(Fault::Close) => return Err(Hangup),
        Some(Fault::Status(status)) => return Ok(render(refusal(venue, status))),
        _ => {}
    }
    let answer = match venue {
        Venue::Binance => binance::rest(&mut world.borrow_mut(), request),
        Venue::Deribit => deribit::rest(&mut world.borrow_mut(), request),
    };
    match fault {
        Some(Fault::DropAnswer) => return Err(Hangup),
        Some(Fault::StatusAfter(status)) => return Ok(render(refusal(venue, status))),
        Some(Fault::Delay(millis)) => tokio::time::sleep(Duration::from_millis(millis)).await,
        _ => {}
    }
    Ok(render(answer))
}

/// What a venue says when its machinery fails.
fn refusal(venue: Venue, status: u16) -> Answer {
    let body = match venue {
        Venue::Binance => binance::unknown_error(),
        Venue::Deribit => deribit::unknown_error(),
    };
    Answer::json(status, &body)
}

fn split_prefix(path: &str) -> (Option<Venue>, String) {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let (first, rest) = rest.split_once('/').unwrap_or((rest, ""));
    match Venue::find(first) {
        Some(venue) => (Some(venue), format!("/{rest}")),
        None => (None, path.to_owned()),
    }
}

fn is_upgrade(request: &Request) -> bool {
    let wants = request.headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    wants.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

fn upgrade(
    plain: http::Request<Incoming>,
    request: Request,
    venue: Option<Venue>,
    world: Shared,
) -> Response<Full<Bytes>> {
    let key = request.headers.get(header::SEC_WEBSOCKET_KEY).cloned();
    let (Some(key), Some(venue)) = (key, venue) else {
        return render(Answer::json(400, &serde_json::json!({"error": "no websocket key"})));
    };
    let accept = derive_accept_key(key.as_bytes());
    tokio::task::spawn_local(async move {
        let Ok(upgraded) = hyper::upgrade::on(plain).await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(FRAME_MAX))
            .max_frame_size(Some(FRAME_MAX));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        match venue {
            Venue::Binance => binance::socket(world, request, socket).await,
            Venue::Deribit => deribit::socket(world, request, socket).await,
        }
    });
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

fn render(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json;charset=UTF-8");
    headers.insert(header::CONTENT_TYPE, json);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}
