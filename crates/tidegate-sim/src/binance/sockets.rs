//! Stream connections: addresses, subscriptions, delivery.

use super::params::Params;
use super::streams::{Lane, Stream};
use crate::engine::{AccountIx, Effect, Exchange, Venue};
use crate::serve::faults::Fault;
use crate::serve::http::{Request, Socket};
use crate::serve::world::{Batch, Feed, Shared, World};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;
use tidegate_types::time::Time;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Streams on one connection.
const STREAMS_MAX: usize = 1_024;
/// How often the venue pings.
const PING: Duration = Duration::from_secs(180);

/// One connection's subscriptions.
struct Session {
    lane: Lane,
    wrapped: bool,
    /// Only these events of the user stream; all of them when empty.
    only: Vec<String>,
    streams: Vec<Stream>,
}

/// Serves a stream connection to its end.
pub(super) async fn serve(world: Shared, request: &Request, mut socket: Socket) {
    let opened = Session::open(request, &world.borrow());
    let Some(mut session) = opened else {
        let _ = socket.close(None).await;
        return;
    };
    let feed = world.borrow_mut().subscribe();
    // A connection that fails is over; its client connects again.
    let _ = run(&world, &mut session, feed, &mut socket).await;
}

/// A stream connection without its socket, read by whoever holds it.
pub struct Reader {
    session: Session,
    feed: Feed,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// Opens the streams that `request` names; `None` where the venue closes the socket.
    pub fn open(request: &Request, world: &mut World) -> Option<Reader> {
        let session = Session::open(request, world)?;
        Some(Reader { session, feed: world.subscribe() })
    }

    /// The messages since the last call, in order.
    pub fn read(&mut self, world: &mut World) -> Vec<String> {
        match self.feed.try_recv() {
            Ok(batch) => deliver(world, &mut self.session, &mut self.feed, batch),
            Err(_) => Vec::new(),
        }
    }
}

async fn run(
    world: &Shared,
    session: &mut Session,
    mut feed: Feed,
    socket: &mut Socket,
) -> Result<(), Error> {
    let mut pings = tokio::time::interval(PING);
    pings.tick().await;
    loop {
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    let answer = session.command(&text, &world.borrow());
                    socket.send(Message::text(answer.to_string())).await?;
                }
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(Ok(_)) => socket.flush().await?,
                Some(Err(error)) => return Err(error),
            },
            batch = feed.recv() => {
                let Some(batch) = batch else { return socket.close(None).await };
                let messages = deliver(&mut world.borrow_mut(), session, &mut feed, batch);
                for message in messages {
                    socket.feed(Message::text(message)).await?;
                }
                socket.flush().await?;
            }
            _ = pings.tick() => socket.send(Message::Ping(Vec::new().into())).await?,
        }
    }
}

/// Takes in all that has happened, then what is due: the book the due messages are made of is
/// exactly the one after the last effect taken in.
fn deliver(
    world: &mut World,
    session: &mut Session,
    feed: &mut Feed,
    first: Rc<Batch>,
) -> Vec<String> {
    let mut said: Vec<(String, Value)> = Vec::new();
    let mut next = Some(first);
    let mut due = false;
    while let Some(batch) = next {
        due |= session.take(&batch, &world.exchange, &mut said);
        next = feed.try_recv().ok();
    }
    let now = world.now();
    for stream in &mut session.streams {
        if due || stream.name.contains("bookTicker") {
            let fresh = stream.due(&world.exchange, now);
            said.extend(fresh.into_iter().map(|value| (stream.name.clone(), value)));
        }
    }
    session.render(said, world)
}

impl Session {
    fn open(request: &Request, world: &World) -> Option<Session> {
        let (lane, rest) = lane_of(&request.path);
        let params = Params::of_form(&request.query, "");
        let (wrapped, names) = match rest.strip_prefix("/ws") {
            Some(names) => (false, names.trim_start_matches('/').to_owned()),
            None if rest == "/stream" => {
                (true, params.get("streams").unwrap_or_default().to_owned())
            }
            None => return None,
        };
        let events = params.get("events").unwrap_or_default();
        let only = events.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let mut session = Session { lane, wrapped, only, streams: Vec::new() };
        let keys = params.pairs().iter().filter(|(name, _)| name == "listenKey");
        for name in names.split('/').chain(keys.map(|(_, key)| key.as_str())) {
            session.add(name, &world.exchange, world.now());
        }
        Some(session)
    }

    fn add(&mut self, name: &str, exchange: &Exchange, now: Time) {
        if self.streams.iter().any(|stream| stream.name == name)
            || self.streams.len() >= STREAMS_MAX
        {
            return;
        }
        let public = Stream::open(name, self.lane, exchange, now);
        let private = || {
            let allowed = matches!(self.lane, Lane::Any | Lane::Private);
            let account = listener(exchange, name).filter(|_| allowed)?;
            Some(Stream::user(name, account, now))
        };
        // Unknown names are taken and stay silent, as at the venue.
        self.streams.extend(public.or_else(private));
    }

    fn command(&mut self, text: &str, world: &World) -> Value {
        let Ok(Value::Object(asked)) = serde_json::from_str::<Value>(text) else {
            return json!({"error": {"code": 3, "msg": "Invalid JSON: expected value"}});
        };
        let id = asked.get("id").cloned().unwrap_or(Value::Null);
        let names = || -> Option<Vec<&str>> {
            asked.get("params")?.as_array()?.iter().map(Value::as_str).collect()
        };
        let result = match asked.get("method").and_then(Value::as_str) {
            Some("SUBSCRIBE") => names().map(|names| {
                for name in names {
                    self.add(name, &world.exchange, world.now());
                }
                Value::Null
            }),
            Some("UNSUBSCRIBE") => names().map(|names| {
                self.streams.retain(|stream| !names.contains(&stream.name.as_str()));
                Value::Null
            }),
            Some("LIST_SUBSCRIPTIONS") => {
                Some(self.streams.iter().map(|stream| stream.name.as_str()).collect())
            }
            Some("SET_PROPERTY") => self.set_property(&asked),
            Some("GET_PROPERTY") => Some(json!(self.wrapped)),
            _ => None,
        };
        match result {
            Some(result) => json!({"result": result, "id": id}),
            None => json!({
                "error": {"code": 2, "msg": "Invalid request: unknown method or parameters"},
                "id": id,
            }),
        }
    }

    fn set_property(&mut self, asked: &serde_json::Map<String, Value>) -> Option<Value> {
        let params = asked.get("params")?.as_array()?;
        let ("combined", wrapped) = (params.first()?.as_str()?, params.get(1)?.as_bool()?) else {
            return None;
        };
        self.wrapped = wrapped;
        Some(Value::Null)
    }

    /// Takes a batch in; tells whether the clock ticked.
    fn take(
        &mut self,
        batch: &Batch,
        exchange: &Exchange,
        said: &mut Vec<(String, Value)>,
    ) -> bool {
        let mut ticked = false;
        for effect in &batch.effects {
            ticked |= matches!(effect, Effect::Prices);
            for stream in &mut self.streams {
                let fresh = stream.take(effect, exchange, batch.time);
                said.extend(fresh.into_iter().map(|value| (stream.name.clone(), value)));
            }
        }
        ticked
    }

    fn render(&self, said: Vec<(String, Value)>, world: &mut World) -> Vec<String> {
        let mut out = Vec::with_capacity(said.len());
        for (name, value) in said {
            let event = value.get("e").and_then(Value::as_str).unwrap_or_default();
            let upper = event.chars().next().is_some_and(|c| c.is_ascii_uppercase());
            if upper && !self.only.is_empty() && !self.only.iter().any(|only| only == event) {
                continue;
            }
            let fault = world.faults.strike(Venue::Binance, &name, true);
            let text = if self.wrapped {
                json!({"stream": name, "data": value}).to_string()
            } else {
                value.to_string()
            };
            match fault {
                Some(Fault::Gap) => continue,
                Some(Fault::Duplicate) => out.push(text.clone()),
                _ => {}
            }
            out.push(text);
        }
        out
    }
}

fn lane_of(path: &str) -> (Lane, &str) {
    for (prefix, lane) in
        [("/public", Lane::Public), ("/market", Lane::Market), ("/private", Lane::Private)]
    {
        if let Some(rest) = path.strip_prefix(prefix) {
            return (lane, rest);
        }
    }
    (Lane::Any, path)
}

/// Whose listen key that is.
fn listener(exchange: &Exchange, key: &str) -> Option<AccountIx> {
    if key.len() < 32 {
        return None;
    }
    (0_u32..).map(AccountIx).map_while(|ix| exchange.account(ix).map(|a| (ix, a))).find_map(
        |(ix, account)| {
            let held = account.listen_key.as_ref().filter(|(held, _)| **held == *key);
            held.map(|_| ix)
        },
    )
}
