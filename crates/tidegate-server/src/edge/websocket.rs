//! Drives a venue's session over a caller's WebSocket.

mod backlog;
mod wire;

use super::unsent::Debt;
use super::{Messages, Opening};
use crate::clock;
use crate::desk::{Follower, Membership};
use crate::front::{Gate, Watch, Who};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tidegate_identity::Remembered;
use tidegate_identity::oauth::TokenBearer;
use tidegate_types::ids::SessionId;
use tidegate_types::key::Origin;
use tidegate_types::limits::MAX_WS_MESSAGE_BYTES;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;
use tidegate_venues::Venue;
use tidegate_venues::front::{From, Parsed, Session, Step, Tag, Viewer};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
pub use wire::{Heard, Wire};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A caller's socket after the upgrade.
pub struct CallerSocket {
    socket: Socket,
    debt: Debt,
}

/// How often a silent caller is pinged.
pub const PING_INTERVAL: Duration = Duration::from_secs(30);
/// A caller that has said nothing for this many pings is gone.
pub const PINGS_UNANSWERED: u32 = 3;
/// Most questions of one session that wait for their answers.
const MAX_QUESTIONS: usize = 256;
/// How often it is looked whether a session's key is still in force: what is revoked closes its sockets
/// within a second.
pub const LOOK_EVERY: Duration = Duration::from_millis(400);
/// How long the last words to a caller may take.
pub const FAREWELL: Duration = Duration::from_secs(5);
/// The same, for one that was revoked: with the look before it that is less than a second.
pub const FAREWELL_OF_REVOKED: Duration = Duration::from_millis(400);
/// How many messages of one kind are taken in before the socket is flushed.
const BATCH: usize = 64;

/// Takes over an upgraded connection.
pub(super) async fn accept_socket(upgraded: Upgraded, debt: Debt) -> CallerSocket {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_WS_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_WS_MESSAGE_BYTES))
        .read_buffer_size(16 * 1024)
        .write_buffer_size(64 * 1024);
    let upgraded = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await;
    CallerSocket { socket, debt }
}

/// Serves a session until its socket closes, breaks, reads too slowly, or was used for nothing for as
/// long as `unused`.
pub async fn drive(
    gate: Arc<Gate>,
    venue: &'static dyn Venue,
    opening: Opening,
    socket: CallerSocket,
    origin: Origin,
    messages: Messages,
    unused: Duration,
) {
    let mut pings = interval(PING_INTERVAL);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let Opening { session, by } = opening;
    let mut driver = Driver {
        id: gate.session(),
        gate,
        venue,
        session,
        wire: Wire::new(socket),
        origin,
        messages,
        by,
        remembered: None,
        watch: None,
        questions: FuturesUnordered::new(),
        public: None,
        pings,
        looks,
        silent_pings: 0,
        unused: Instant::now().checked_add(unused),
        farewell: FAREWELL,
        open: true,
    };
    driver.begin();
    let steps = driver.session.on_open(clock::now());
    driver.carry_out(steps);
    while driver.open {
        let happened = driver.next().await;
        driver.take(happened);
        driver.open &= !driver.wire.overflows();
    }
    driver.end().await;
}

/// A session and everything it is connected to.
struct Driver {
    id: SessionId,
    gate: Arc<Gate>,
    venue: &'static dyn Venue,
    session: Box<dyn Session>,
    wire: Wire,
    origin: Origin,
    messages: Messages,
    /// Whose token opened the socket, if one did: every question is that app's.
    by: Option<Arc<TokenBearer>>,
    /// Whom later questions come from.
    remembered: Option<Remembered>,
    /// The private stream that the session may see.
    watch: Option<Watch>,
    questions: FuturesUnordered<BoxFuture<'static, (Tag, Reply)>>,
    /// Its part in the venue's public streams.
    public: Option<Membership>,
    pings: Interval,
    looks: Interval,
    silent_pings: u32,
    /// When the socket is closed, unless it is used for something until then.
    unused: Option<Instant>,
    /// How long the last words may take.
    farewell: Duration,
    open: bool,
}

/// What can happen to a session.
enum Happened {
    Heard(Heard),
    Answered(Tag, Reply),
    Private(Arc<Value>),
    /// Messages of the private stream were missed.
    Missed,
    Public(Option<Arc<str>>),
    Timer,
    Ping,
    /// It is time to look whether whose session this is may go on.
    Look,
    Unused,
    Stopping,
}

impl Driver {
    /// The app whose token opened the socket is logged in from the start.
    fn begin(&mut self) {
        let Some(bearer) = &self.by else { return };
        let Ok(who) = self.gate.recall_app(self.venue, bearer) else { return self.revoked() };
        self.watch = Some(self.gate.watch((&who).into()));
        self.gate.note_login(&who, Some(self.id));
        self.session.identified(who.caller().as_str(), clock::now());
        self.unused = None;
    }

    async fn next(&mut self) -> Happened {
        let due = self.session.timer().map(until);
        tokio::select! {
            heard = self.wire.next() => Happened::Heard(heard),
            Some((tag, reply)) = self.questions.next() => Happened::Answered(tag, reply),
            frame = next_frame(&mut self.watch) => match frame {
                Some(frame) => Happened::Private(frame),
                None => Happened::Missed,
            },
            text = next_public(&mut self.public) => Happened::Public(text),
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => Happened::Timer,
            _ = self.pings.tick() => Happened::Ping,
            _ = self.looks.tick(), if self.watch.is_some() => Happened::Look,
            () = sleep_until(self.unused.unwrap_or_else(Instant::now)), if self.unused.is_some() => {
                Happened::Unused
            }
            () = self.gate.stopping() => Happened::Stopping,
        }
    }

    fn take(&mut self, happened: Happened) {
        let now = clock::now();
        match happened {
            Happened::Heard(heard) => self.heard(heard, now),
            Happened::Answered(tag, reply) => {
                let steps = self.session.on_reply(tag, reply, now);
                self.carry_out(steps);
            }
            Happened::Private(frame) => {
                let mut next = Some(frame);
                for _ in 0..BATCH {
                    let Some(frame) = next else { break };
                    self.private(&frame, now);
                    next = self.watch.as_mut().and_then(Watch::ready);
                }
            }
            // What the caller would have to be told can no longer be told in order.
            Happened::Missed => self.close(1008, "TG403 too slow for the private stream"),
            Happened::Public(text) => {
                let mut next = text;
                if next.is_none() {
                    let why = self.public.as_ref().map(Membership::why);
                    return self.close(1001, &why.map_or_else(String::new, |why| why.to_string()));
                }
                for _ in 0..BATCH {
                    let Some(text) = next else { break };
                    let steps = self.session.on_public(&text, now);
                    self.carry_out(steps);
                    next = self.public.as_mut().and_then(Membership::ready);
                }
            }
            Happened::Timer => {
                let steps = self.session.on_timer(now);
                self.carry_out(steps);
            }
            Happened::Ping => {
                self.silent_pings += 1;
                if self.silent_pings > PINGS_UNANSWERED {
                    self.open = false;
                }
                self.wire.send(Message::Ping(bytes::Bytes::new()));
            }
            Happened::Look => {
                let in_force = match (&self.by, &self.watch) {
                    (Some(bearer), _) => self.gate.recall_app(self.venue, bearer).is_ok(),
                    (None, Some(watch)) => self.gate.is_in_force(watch),
                    (None, None) => true,
                };
                if !in_force {
                    self.revoked();
                }
            }
            Happened::Unused => {
                self.close(1008, "TG101 nobody logged in, and nothing was subscribed to or asked");
            }
            Happened::Stopping => self.close(1001, "the gateway stops"),
        }
    }

    fn heard(&mut self, heard: Heard, now: Time) {
        self.silent_pings = 0;
        match heard {
            Heard::Text(text) => {
                if let Err(reject) = self.messages.take(now) {
                    self.gate.note_refusal(None, &reject);
                    let code = reject.code.number();
                    return self.close(1008, &format!("TG{code} too many messages a second"));
                }
                let instruments = self.gate.desk().book(&self.venue.name());
                let steps = self.session.on_text(&text, &instruments, now);
                self.carry_out(steps);
            }
            Heard::Other => {}
            Heard::Binary => self.close(1003, "text only"),
            Heard::End => self.open = false,
        }
    }

    fn private(&mut self, frame: &Value, now: Time) {
        let Some(watch) = &self.watch else { return };
        // What is revoked sees nothing from then on.
        let may = match &self.by {
            Some(bearer) => self.gate.may_watch_by(self.venue, bearer),
            None => self.gate.may_watch(watch),
        };
        let Some(account_wide) = may else { return self.revoked() };
        let owners = self.gate.desk().owners(watch.account());
        let viewer = Viewer { caller: watch.caller(), account_wide, owners: &owners };
        let steps = self.session.on_private(frame, &viewer, now);
        self.carry_out(steps);
    }

    fn revoked(&mut self) {
        self.watch = None;
        // What was to be told before is told no more.
        self.wire.forget();
        self.farewell = FAREWELL_OF_REVOKED;
        self.close(
            1008,
            match self.by {
                Some(_) => "TG107 the token is over or revoked",
                None => "TG102 the key was revoked or has ended",
            },
        );
    }

    fn carry_out(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Send(text) => self.wire.send(Message::text(text)),
                Step::Close { code, reason } => self.close(code, &reason),
                Step::Ask { tag, from, parsed } => self.ask(tag, from, *parsed),
                Step::Identify { tag, from } => {
                    let now = clock::now();
                    let result = self.identify(from, now).map(|_| ());
                    let steps = self.session.on_identity(tag, result, now);
                    self.carry_out(steps);
                }
                Step::Relay(text) => self.relay(text),
            }
        }
    }

    fn ask(&mut self, tag: Tag, from: From, parsed: Parsed) {
        let now = clock::now();
        // Whoever waits for as many orders can still cancel them.
        let most = if parsed.asked.is_cancel() { 2 * MAX_QUESTIONS } else { MAX_QUESTIONS };
        let who = if self.questions.len() < most {
            self.identify(from, now)
        } else {
            let reject = Reject::new(Code::TooManyInFlight, "on this socket");
            self.gate.note_refusal(None, &reject);
            Err(reject)
        };
        match who {
            Ok(who) => {
                let (gate, venue, origin) = (Arc::clone(&self.gate), self.venue, self.origin);
                let over = Some(self.id);
                let answer = async move { (tag, gate.ask(venue, origin, who, over, parsed).await) };
                self.questions.push(Box::pin(answer));
            }
            Err(reject) => {
                let steps = self.session.on_reject(tag, &reject, now);
                self.carry_out(steps);
            }
        }
    }

    /// Who a question comes from. A refusal is on record when this returns.
    fn identify(&mut self, from: From, now: Time) -> Result<Who, Reject> {
        let who = match (from, &self.by, &self.remembered) {
            (From::Nobody, ..) => Ok(Who::Nobody),
            (From::Session, Some(bearer), _) => {
                self.gate.recall_app_to_ask(self.venue, bearer, now)
            }
            (From::StreamKey { key }, Some(bearer), _) => {
                self.gate.own_stream(self.venue, bearer, &key, now)
            }
            (From::Credentials { .. }, Some(_), _) => {
                let why = "a token opened the socket; it takes no other credentials";
                Err(Reject::new(Code::BadToken, why))
            }
            (From::Credentials { presented, remember }, None, _) => {
                let who = self.gate.authenticate(self.venue, &presented, &self.origin, now);
                if let (Ok(Who::Proven(proven)), true) = (&who, remember) {
                    self.remembered = Some(Remembered::from(proven));
                    self.watch = Some(self.gate.watch(proven.into()));
                    self.gate.note_login(proven, Some(self.id));
                }
                who
            }
            (From::Session, None, Some(remembered)) => self.gate.recall(remembered),
            (From::Session, None, None) => {
                Err(Reject::new(Code::MissingCredentials, "log in first"))
            }
            (From::StreamKey { key }, None, _) => {
                self.gate.stream_owner(self.venue, &key, &self.origin, now).inspect(|who| {
                    if let Who::Named(named) = who {
                        self.watch = Some(self.gate.watch(named.clone()));
                    }
                })
            }
        };
        match &who {
            Ok(_) => self.unused = None,
            Err(reject) => self.gate.note_refusal(None, reject),
        }
        who
    }

    fn relay(&mut self, text: String) {
        if self.public.is_none() {
            let Some(target) = self.session.relay_target() else { return };
            let payer = self.watch.as_ref().map_or(Follower::Peer(self.origin.peer), |who| {
                Follower::Caller(who.caller().clone(), who.account().clone())
            });
            let link = self.gate.link(self.venue);
            match link.and_then(|link| link.follow(&target, payer)) {
                Ok(membership) => self.public = Some(membership),
                Err(reject) => {
                    self.gate.note_refusal(None, &reject);
                    return self.close(1013, &reject.to_string());
                }
            }
        }
        self.unused = None;
        let said = self.public.as_ref().is_some_and(|public| public.say(text));
        if !said {
            self.close(1008, "TG403 too much is said to the venue's public socket");
        }
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.wire.close(code, reason);
        self.open = false;
    }

    async fn end(mut self) {
        // What was asked and not begun never will be.
        self.questions.clear();
        self.gate.session_ended(self.id, !self.session.left());
        let _ = tokio::time::timeout(self.farewell, self.wire.finish()).await;
    }
}

async fn next_frame(watch: &mut Option<Watch>) -> Option<Arc<Value>> {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

/// The next text of the venue's public streams; pending without a part in them.
async fn next_public(public: &mut Option<Membership>) -> Option<Arc<str>> {
    match public {
        Some(public) => public.next().await,
        None => std::future::pending().await,
    }
}

/// The timer's time on the runtime's clock.
fn until(at: Time) -> Instant {
    let wait = Duration::from_micros(at.since(clock::now()).micros());
    Instant::now().checked_add(wait).unwrap_or_else(Instant::now)
}
