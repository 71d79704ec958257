//! Strict HTTP/1.1: one Host, no Transfer-Encoding, origin-form targets, everything bounded.

mod head;

use super::connections::Seat;
use super::guard::{Guarded, Phase};
use super::listener::{Door, Mount};
use super::messages::too_fast;
use super::websocket::accept_socket;
use super::{Bucket, Messages, Serve, Site};
use crate::clock;
use bytes::Bytes;
use head::{Head, Wants};
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, STRICT_TRANSPORT_SECURITY,
    TRANSFER_ENCODING, UPGRADE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tidegate_types::key::Origin;
use tidegate_types::limits::{MAX_BODY_BYTES, MAX_HEAD_BYTES};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{RawRequest, Reply};
use tidegate_venues::Venue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

/// Most header lines in one request.
const MAX_HEADERS: usize = 64;
/// Where administration is served.
pub(crate) const ADMIN_PATH: &str = "/admin/v1";

/// What every answer says unless it says otherwise: nobody guesses at its type, and nobody keeps it.
const DEFAULTS: [(HeaderName, &str); 3] = [
    (CONTENT_TYPE, "application/json"),
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Browsers that were here once come by TLS for a year.
const LASTING: &str = "max-age=31536000; includeSubDomains";

type Answer = Response<Full<Bytes>>;

/// Serves one connection until it closes, breaks, or `stop` turns true between two requests. It keeps
/// its seat for as long as it is open, as a WebSocket too.
pub(super) async fn serve<S, IO>(
    io: IO,
    origin: Origin,
    seat: Seat,
    door: Arc<Door<S>>,
    mut stop: watch::Receiver<bool>,
) where
    S: Site,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let phase = Phase::new();
    let io = TokioIo::new(Guarded::new(io, phase.clone(), door.timeouts));
    let (per_second, burst) = door.rate;
    let bucket = Arc::new(Mutex::new(Bucket::new(per_second, burst)));
    let seat = Arc::new(seat);
    let service = service_fn(move |request| {
        let visit = Visit {
            door: Arc::clone(&door),
            origin,
            seat: Arc::clone(&seat),
            bucket: Arc::clone(&bucket),
            phase: phase.clone(),
        };
        async move { Ok::<_, Infallible>(visit.answer(request).await) }
    });
    // `Guarded` times heads and pauses: hyper's own timer cannot tell the two apart.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(MAX_HEAD_BYTES + MAX_BODY_BYTES)
        .half_close(false)
        .serve_connection(io, service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// One request on a connection.
struct Visit<S> {
    door: Arc<Door<S>>,
    origin: Origin,
    seat: Arc<Seat>,
    bucket: Arc<Mutex<Bucket>>,
    phase: Phase,
}

impl<S: Site> Visit<S> {
    async fn answer(self, request: Request<Incoming>) -> Answer {
        self.phase.busy();
        let lasting = self.door.tls.is_some() && !is_local(request.headers());
        let (mut answer, upgraded) = self.decide(request).await;
        if lasting {
            let value = HeaderValue::from_static(LASTING);
            answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, value);
        }
        if !upgraded {
            self.phase.idle();
        }
        answer
    }

    /// The answer, and whether the connection becomes a WebSocket.
    async fn decide(&self, mut request: Request<Incoming>) -> (Answer, bool) {
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, body) = request.into_parts();
        let (place, path) = place(&self.door.mount, parts.uri.path());
        let head = match Head::read(&parts, path, self.origin) {
            Ok(head) => head,
            Err(reject) => {
                let mut answer = self.refuse(place, None, &reject);
                // What is wrong with the request itself has its status at every venue.
                let status = match reject.code {
                    _ if parts.version != Version::HTTP_11 => {
                        StatusCode::HTTP_VERSION_NOT_SUPPORTED
                    }
                    Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    _ => answer.status(),
                };
                *answer.status_mut() = status;
                return (answer, false);
            }
        };
        if !self.door.names.have(head.request.header("host").unwrap_or_default()) {
            let reject = Reject::new(Code::Malformed, "the Host is none of the gateway's names");
            let mut answer = self.refuse(place, Some(&head.request), &reject);
            *answer.status_mut() = StatusCode::MISDIRECTED_REQUEST;
            return (answer, false);
        }
        let now = clock::now();
        if let Err(reject) = self.door.connections.asks(self.origin.peer, now) {
            return (self.refuse(place, Some(&head.request), &reject), false);
        }
        let paid = {
            let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
            let paid = bucket.take(now);
            paid.then_some(()).ok_or_else(|| too_fast(&bucket, "connection"))
        };
        if let Err(reject) = paid {
            return (self.refuse(place, Some(&head.request), &reject), false);
        }
        match (place, head.wants) {
            (place, Wants::WebSocket { accept }) => match self.socket(place, &head.request) {
                Some(Ok(serve)) if self.phase.upgrade() => {
                    self.hand_over(upgrade, serve);
                    (switching(&accept), true)
                }
                Some(Ok(_)) => {
                    let reject =
                        Reject::new(Code::Malformed, "what follows came before the answer");
                    (self.refuse(place, Some(&head.request), &reject), false)
                }
                Some(Err(reply)) => (render(reply, true), false),
                None => (self.request(place, head.request, body).await, false),
            },
            (place, Wants::Answer) => (self.request(place, head.request, body).await, false),
        }
    }

    /// What serves a socket at this place, or why there is none.
    fn socket(&self, place: Place, request: &RawRequest) -> Option<Result<Serve, Reply>> {
        match place {
            Place::Venue(venue) => {
                let session = match self.door.site.open(venue, request) {
                    Ok(session) => session,
                    Err(reply) => return Some(Err(reply)),
                };
                let (site, origin) = (Arc::clone(&self.door.site), self.origin);
                let unused = self.door.timeouts.unused;
                Some(Ok(Box::new(move |socket, messages| {
                    Box::pin(async move {
                        site.drive(venue, session, socket, origin, messages, unused).await;
                    })
                })))
            }
            Place::Web => self.door.site.upgrade(request),
            Place::Admin => None,
        }
    }

    /// Has the connection served as a socket, once it is one.
    fn hand_over(&self, upgrade: OnUpgrade, serve: Serve) {
        let (seat, (per_second, burst)) = (Arc::clone(&self.seat), self.door.rate);
        tokio::spawn(async move {
            if let Ok(upgraded) = upgrade.await {
                let socket = accept_socket(upgraded, seat.unsent()).await;
                let own = Bucket::new(per_second, burst);
                serve(socket, Messages::new(own, Arc::clone(&seat))).await;
            }
            drop(seat);
        });
    }

    async fn request(&self, place: Place, mut request: RawRequest, body: Incoming) -> Answer {
        self.phase.body();
        let body = self.body(body).await;
        self.phase.busy();
        match body {
            Ok(body) => request.body = body,
            Err(reject) => return self.refuse(place, Some(&request), &reject),
        }
        match place {
            Place::Venue(venue) => render(self.door.site.reply(venue, request).await, false),
            Place::Admin => render(self.door.site.administer(request).await, false),
            Place::Web => render(self.door.site.visit(request).await, false),
        }
    }

    async fn body(&self, body: Incoming) -> Result<Vec<u8>, Reject> {
        let read = Limited::new(body, MAX_BODY_BYTES).collect();
        match tokio::time::timeout(self.door.timeouts.body, read).await {
            Ok(Ok(body)) => Ok(body.to_bytes().into()),
            Ok(Err(e)) if e.is::<LengthLimitError>() => {
                Err(Reject::new(Code::TooLarge, format!("the body is over {MAX_BODY_BYTES} bytes")))
            }
            Ok(Err(_)) => Err(Reject::new(Code::Malformed, "the body ends early")),
            Err(_) => Err(Reject::new(Code::TooSlow, "the body came too slowly")),
        }
    }

    /// A refusal in the words of the venue, where it is known; the connection ends with it, since
    /// what follows on it may be the rest of what was refused.
    fn refuse(&self, place: Place, request: Option<&RawRequest>, reject: &Reject) -> Answer {
        self.phase.refuse();
        match place {
            Place::Venue(venue) => render(self.door.site.refuse(venue, request, reject), true),
            Place::Admin | Place::Web => {
                self.door.connections.note_request(self.origin.peer, &reject.to_string());
                let mut reply = plain_refusal(reject);
                // Of a head that cannot be read, only the method is nothing that is served.
                if request.is_none() && reject.code == Code::UnknownRoute {
                    reply.status = 405;
                    reply.headers.push(("allow".to_owned(), METHODS.to_owned()));
                }
                render(reply, true)
            }
        }
    }
}

/// The methods that are served anywhere.
const METHODS: &str = "GET, POST, PUT, DELETE";

/// Whether a request is for `localhost`, which is other programs' as well.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    host.split(':').next().is_some_and(|name| name.eq_ignore_ascii_case("localhost"))
}

/// What stands at a path.
#[derive(Clone, Copy)]
enum Place {
    Venue(&'static dyn Venue),
    Admin,
    Web,
}

/// What stands at `path`, and the path as seen from there.
fn place<'a>(mount: &Mount, path: &'a str) -> (Place, &'a str) {
    let venues = match mount {
        Mount::Root(venue) => return (Place::Venue(*venue), path),
        Mount::Prefixes(_) if path == ADMIN_PATH => return (Place::Admin, path),
        Mount::Prefixes(venues) => venues,
    };
    let below = path.strip_prefix('/').unwrap_or(path);
    let name = below.split('/').next().unwrap_or_default();
    match venues.iter().find(|venue| venue.name().as_str() == name) {
        Some(venue) => {
            let rest = below.strip_prefix(name).unwrap_or_default();
            (Place::Venue(*venue), if rest.is_empty() { "/" } else { rest })
        }
        None => (Place::Web, path),
    }
}

/// A refusal where no venue's words fit.
pub fn plain_refusal(reject: &Reject) -> Reply {
    let code = format!("TG{}", reject.code.number());
    let body = serde_json::json!({ "error": { "code": code, "message": reject.to_string() } });
    let status = match reject.code {
        Code::UnknownRoute => 404,
        Code::TooLarge => 413,
        Code::TooSlow => 408,
        Code::RequestRate | Code::AddressRate => 429,
        _ => 400,
    };
    Reply { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

fn render(reply: Reply, close: bool) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(reply.body)));
    *answer.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    for (name, value) in &reply.headers {
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        else {
            continue;
        };
        // These belong to the connection that the answer came on.
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE].contains(&name) {
            headers.append(name, value);
        }
    }
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

fn switching(accept: &str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(http::header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    answer
}
