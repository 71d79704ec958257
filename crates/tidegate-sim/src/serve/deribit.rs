//! Deribit's dialect behind the listeners.

mod line;

pub use line::{Line, News};

use super::faults::Fault;
use super::http::{Answer, Request, Socket};
use super::world::{Shared, World};
use crate::config::{KeyConfig, KeySecret};
use crate::deribit::{self, Deribit, Desk, Key, Out, Proof};
use crate::engine::{AccountIx, Exchange, Input, Reply, Venue};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Messages that may wait for a connection; one that is slower is cut off.
const QUEUE: usize = 50_000;
/// How often due messages and heartbeats are looked for.
const TICK: Duration = Duration::from_millis(50);

/// What the dialect keeps between requests.
#[derive(Default)]
pub struct State {
    inner: Option<Box<Inner>>,
}

struct Inner {
    venue: Deribit,
    links: BTreeMap<u64, mpsc::Sender<Message>>,
    next: u64,
    pumping: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("State")
    }
}

impl Desk for World {
    fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    fn apply(&mut self, input: Input) -> Reply {
        World::apply(self, &input)
    }
}

/// Answers a request.
pub fn rest(world: &mut World, request: &Request) -> Answer {
    let mut target = request.path.clone();
    if !request.query.is_empty() {
        target.push('?');
        target.push_str(&request.query);
    }
    let peer = request.peer.ip().to_string();
    let asked = deribit::Request {
        method: request.method.as_str(),
        target: &target,
        authorization: request.headers.get("authorization").and_then(|value| value.to_str().ok()),
        body: &request.body,
        peer: &peer,
    };
    let now = world.now();
    let (status, body) = with(world, |inner, desk| inner.venue.http(desk, &asked, now));
    Answer { status, headers: Vec::new(), body: body.into_bytes() }
}

/// Serves a WebSocket to its end.
pub(super) async fn socket(world: Shared, request: Request, socket: Socket) {
    if request.path.trim_end_matches('/') != "/ws/api/v2" {
        return;
    }
    let peer = request.peer.ip().to_string();
    let (link, mut queue) = open(&world, &peer);
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if !heard(&world, link, text.as_bytes()).await {
                        break;
                    }
                }
                Some(Ok(Message::Binary(bytes))) => {
                    if !heard(&world, link, &bytes).await {
                        break;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
            },
            message = queue.recv() => match message {
                None => break,
                Some(message) => {
                    let ends = message.is_close();
                    if sink.send(message).await.is_err() || ends {
                        break;
                    }
                }
            },
        }
    }
    with(&mut world.borrow_mut(), |inner, desk| {
        inner.links.remove(&link);
        inner.venue.disconnect(desk, link);
    });
}

/// What Deribit says when its machinery fails.
pub(super) fn unknown_error() -> Value {
    json!({"jsonrpc": "2.0", "error": {"code": 11094, "message": "internal_server_error"}})
}

/// Calls the dialect with the world beside it, and sends what it has to say.
fn with<T>(world: &mut World, call: impl FnOnce(&mut Inner, &mut dyn Desk) -> T) -> T {
    let mut inner = world.deribit.inner.take().unwrap_or_else(|| Box::new(Inner::new(world)));
    let result = call(&mut inner, world);
    let out: Vec<Out> = inner.venue.drain().collect();
    for out in out {
        inner.deliver(world, &out);
    }
    world.deribit.inner = Some(inner);
    result
}

fn open(world: &Shared, peer: &str) -> (u64, mpsc::Receiver<Message>) {
    let (sender, queue) = mpsc::channel(QUEUE);
    let mut borrowed = world.borrow_mut();
    let (link, pump_now) = connect(&mut borrowed, peer, sender);
    drop(borrowed);
    if pump_now {
        tokio::task::spawn_local(pump(world.clone()));
    }
    (link, queue)
}

/// Takes in a connection; whether nobody brings news to the dialect yet.
fn connect(world: &mut World, peer: &str, sender: mpsc::Sender<Message>) -> (u64, bool) {
    let now = world.now();
    with(world, |inner, _| {
        let link = inner.next;
        inner.next += 1;
        inner.links.insert(link, sender);
        inner.venue.connect(link, peer, now);
        (link, !std::mem::replace(&mut inner.pumping, true))
    })
}

/// Takes in a frame; false when a fault ends the connection.
async fn heard(world: &Shared, link: u64, text: &[u8]) -> bool {
    // A fault names the method, which stands somewhere in the frame.
    let label = String::from_utf8_lossy(text).into_owned();
    let fault = world.borrow_mut().faults.strike(Venue::Deribit, &label, false);
    match fault {
        Some(Fault::Close | Fault::Status(_)) => return false,
        Some(Fault::Delay(millis)) => tokio::time::sleep(Duration::from_millis(millis)).await,
        _ => {}
    }
    let mut world = world.borrow_mut();
    let now = world.now();
    let cut = matches!(fault, Some(Fault::DropAnswer | Fault::StatusAfter(_)));
    with(&mut world, |inner, desk| {
        if cut {
            inner.links.remove(&link);
        }
        inner.venue.text(desk, link, text, now);
    });
    !cut
}

/// Brings the exchange's news to the dialect as long as the simulator runs.
async fn pump(world: Shared) {
    let mut feed = world.borrow_mut().subscribe();
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            batch = feed.recv() => {
                let mut world = world.borrow_mut();
                let Some(batch) = batch else {
                    feed = world.subscribe();
                    continue;
                };
                with(&mut world, |inner, desk| {
                    inner.venue.effects(desk.exchange(), &batch.effects, batch.time);
                });
            }
            _ = clock.tick() => {
                let mut world = world.borrow_mut();
                let now = world.now();
                with(&mut world, |inner, desk| inner.venue.tick(desk, now));
            }
        }
    }
}

impl Inner {
    fn new(world: &World) -> Inner {
        let own = world.keys.iter().filter(|((venue, _), _)| *venue == Venue::Deribit);
        let keys = own.zip(1..).map(|((_, key), id)| key_of(&key.config, key.account, id));
        Inner {
            venue: Deribit::new(keys.collect(), world.exchange.seed(), credit_scale(world)),
            links: BTreeMap::new(),
            next: 1,
            pumping: false,
        }
    }

    /// Hands a message to its connection; a full queue ends it.
    fn deliver(&mut self, world: &mut World, out: &Out) {
        let (link, message, label) = match out {
            Out::Text(link, text) => (*link, Message::text(&**text), Some(text)),
            Out::Close(link, code, reason) => {
                let frame = CloseFrame { code: CloseCode::from(*code), reason: (*reason).into() };
                (*link, Message::Close(Some(frame)), None)
            }
        };
        let Some(sender) = self.links.get(&link) else { return };
        let copies = match label.and_then(|text| stream_fault(world, text)) {
            Some(Fault::Gap) => 0,
            Some(Fault::Duplicate) => 2,
            _ => 1,
        };
        if (0..copies).any(|_| sender.try_send(message.clone()).is_err()) {
            self.links.remove(&link);
        }
    }
}

fn stream_fault(world: &mut World, text: &Arc<str>) -> Option<Fault> {
    if !text.contains("\"subscription\"") {
        return None;
    }
    world.faults.strike(Venue::Deribit, text, true)
}

/// The published order limit is the venue's own, and so is any narrower one; a wider one widens all
/// credits alike.
fn credit_scale(world: &World) -> u64 {
    let venue = crate::config::Limits::VENUE.orders_per_10s.max(1);
    u64::from((world.limits.orders_per_10s / venue).max(1))
}

fn key_of(config: &KeyConfig, account: AccountIx, id: u64) -> Key {
    let scope = match (config.trade, config.withdraw) {
        (_, true) => "account:read_write trade:read_write wallet:read_write mainaccount",
        (true, false) => "account:read trade:read_write mainaccount",
        (false, false) => "account:read trade:read mainaccount",
    };
    let proof = match &config.secret {
        KeySecret::Hmac(secret) => Proof::Secret(secret.clone()),
        KeySecret::Ed25519(public) => {
            Proof::Ed25519(public.first_chunk().copied().unwrap_or([0; 32]))
        }
    };
    Key {
        id,
        name: format!("key{id}"),
        client_id: config.id.clone(),
        proof,
        account,
        max_scope: scope.to_owned(),
    }
}
