//! The server side of the Deribit dialect: JSON-RPC over HTTP and WebSocket.
//!
//! Nothing here waits or reads a clock. The host hands in requests, frames, effects of the
//! exchange and ticks, each with the time, and sends what [`Deribit::drain`] gives back.

mod account;
mod auth;
mod auth_methods;
mod channel;
mod fault;
mod feeds;
mod history;
mod limits;
mod market_data;
mod methods;
mod num;
mod orders;
mod params;
mod public;
mod rpc;
mod scope;
mod session;
mod session_methods;
mod tokens;
pub mod universe;
mod view;

pub use auth::{Key, Proof};

use crate::engine::effect::Effect;
use crate::engine::input::{Input, Reply};
use crate::engine::order::EndReason;
use crate::engine::{Exchange, InstrumentIx, Market, Venue};
use auth::{Auth, Caller};
use fault::Fault;
use feeds::Hub;
use limits::{Credits, Payer};
use methods::{Context, Method};
use rpc::{Answer, Call, Unreadable};
use scope::Level;
use session::Session;
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_types::time::Time;

/// The exchange as the dialect uses it: it reads, and what changes something goes through the
/// host, which logs it first.
pub trait Desk {
    /// The state.
    fn exchange(&self) -> &Exchange;
    /// Changes it.
    fn apply(&mut self, input: Input) -> Reply;
}

/// What is to be sent on a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Out {
    /// A text message.
    Text(u64, Arc<str>),
    /// The end, with a code and a reason; nothing follows.
    Close(u64, u16, &'static str),
}

/// An HTTP request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The request target as sent: path and query.
    pub target: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The raw body.
    pub body: &'a [u8],
    /// The address it came from.
    pub peer: &'a str,
}

/// The venue.
pub struct Deribit {
    auth: Auth,
    sessions: BTreeMap<u64, Session>,
    hub: Hub,
    credits: Credits,
    out: Vec<Out>,
}

impl Deribit {
    /// A venue with these keys. Tokens are derived from `seed`. Callers have `credit_scale` times
    /// the real venue's credits; zero is no limit.
    pub fn new(keys: Vec<Key>, seed: u64, credit_scale: u64) -> Deribit {
        Deribit {
            auth: Auth::new(keys, seed),
            sessions: BTreeMap::new(),
            hub: Hub::default(),
            credits: Credits::new(credit_scale),
            out: Vec::new(),
        }
    }

    /// Answers an HTTP request: the status and the JSON body.
    pub fn http(&mut self, desk: &mut dyn Desk, request: &Request<'_>, now: Time) -> (u16, String) {
        let (id, answer) = match rpc::read_http(request.method, request.target, request.body) {
            Ok(call) => {
                let answer = self.call(desk, &call, Source::Http(request), now);
                (call.id, answer)
            }
            Err(unreadable) => {
                let Unreadable(id, fault) = *unreadable;
                (id, Err(fault))
            }
        };
        let status = if answer.is_ok() { 200 } else { 400 };
        (status, rpc::respond(id.as_ref(), &answer, now, now))
    }

    /// A WebSocket connection begins. Its number must be new.
    pub fn connect(&mut self, connection: u64, peer: &str, now: Time) {
        self.sessions.insert(connection, Session::new(connection, peer, now));
    }

    /// A text frame came.
    pub fn text(&mut self, desk: &mut dyn Desk, connection: u64, text: &[u8], now: Time) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        session.heard(now);
        let (id, answer) = match rpc::read_json(text) {
            Ok(call) => {
                let answer = self.call(desk, &call, Source::Socket(connection), now);
                (call.id, answer)
            }
            Err(unreadable) => {
                let Unreadable(id, fault) = *unreadable;
                (id, Err(fault))
            }
        };
        let Some(session) = self.sessions.get(&connection) else { return };
        if !session.left {
            let message = rpc::respond(id.as_ref(), &answer, now, now);
            self.out.push(Out::Text(connection, Arc::from(message)));
        }
        self.out.extend(self.hub.drain());
        if let Some((code, reason)) = session.ending {
            self.end(desk, connection, code, reason);
        }
    }

    /// A connection was lost. Its orders are cancelled if it asked for that.
    pub fn disconnect(&mut self, desk: &mut dyn Desk, connection: u64) {
        let Some(session) = self.sessions.remove(&connection) else { return };
        self.hub.forget(connection);
        self.auth.tokens().end_connection(connection);
        if let Some(account) = session.account.filter(|_| session.covered && !session.left) {
            let orders = session.live_orders(desk.exchange());
            if !orders.is_empty() {
                desk.apply(Input::CancelMany { account, orders, reason: EndReason::Disconnect });
            }
        }
    }

    /// Things happened at the exchange.
    pub fn effects(&mut self, exchange: &Exchange, effects: &[Effect], now: Time) {
        self.hub.effects(exchange, effects, now);
        self.out.extend(self.hub.drain());
    }

    /// Time passes: due messages, heartbeats, ends of connections. Call it ten times a second.
    pub fn tick(&mut self, desk: &mut dyn Desk, now: Time) {
        self.hub.tick(desk.exchange(), now);
        self.out.extend(self.hub.drain());
        let mut endings = Vec::new();
        for (connection, session) in &mut self.sessions {
            let (messages, ending) = session.tick(now);
            self.out.extend(messages.into_iter().map(|m| Out::Text(*connection, Arc::from(m))));
            endings.extend(ending.map(|ending| (*connection, ending)));
        }
        for (connection, (code, reason)) in endings {
            self.end(desk, connection, code, reason);
        }
    }

    /// What is to be sent, in order.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Out> {
        self.out.drain(..)
    }

    fn end(&mut self, desk: &mut dyn Desk, connection: u64, code: u16, reason: &'static str) {
        self.disconnect(desk, connection);
        self.out.push(Out::Close(connection, code, reason));
    }

    fn call(&mut self, desk: &mut dyn Desk, call: &Call, from: Source<'_>, now: Time) -> Answer {
        let method = methods::find(&call.method).ok_or(Fault::NO_SUCH_METHOD)?;
        let caller = self.caller(call, from, method, now)?;
        self.charge(caller, from, method, now)?;
        permitted(caller, method)?;
        let session = match from {
            Source::Socket(connection) => self.sessions.get_mut(&connection),
            Source::Http(_) if method.socket => return Err(Fault::MUST_BE_WEBSOCKET),
            Source::Http(_) => None,
        };
        let mut context = Context {
            desk,
            auth: &mut self.auth,
            caller,
            hub: &mut self.hub,
            session,
            params: &call.params,
            credit_scale: self.credits.scale(),
            now,
        };
        (method.run)(&mut context)
    }

    /// Who calls: by a token among the parameters, by the header, or by what the connection signed
    /// in with. Bad credentials are refused even where none are needed.
    fn caller(
        &mut self,
        call: &Call,
        from: Source<'_>,
        method: &Method,
        now: Time,
    ) -> Result<Option<Caller>, Fault> {
        if let Some(token) = call.params.text("access_token")? {
            return self.auth.bearer(token, now).map(Some);
        }
        match from {
            Source::Http(request) => match request.authorization {
                Some(header) => {
                    let signed = (request.method, request.target, request.body);
                    self.auth.header(header, signed, now).map(Some)
                }
                None => Ok(None),
            },
            Source::Socket(connection) => {
                let session = self.sessions.get(&connection);
                let Some(token) = session.and_then(|session| session.token.as_deref()) else {
                    return Ok(None);
                };
                match self.auth.bearer(token, now) {
                    Err(fault) if method.right.is_some() => Err(fault),
                    // A token that ran out on a connection does not stop its public calls.
                    found => Ok(found.ok()),
                }
            }
        }
    }

    fn charge(
        &mut self,
        caller: Option<Caller>,
        from: Source<'_>,
        method: &Method,
        now: Time,
    ) -> Result<(), Fault> {
        let session = match from {
            Source::Socket(connection) => self.sessions.get_mut(&connection),
            Source::Http(_) => None,
        };
        let payer = match (caller, from, &session) {
            (Some(caller), ..) => Payer::Key(caller.key),
            (None, Source::Http(request), _) => Payer::Peer(request.peer.to_owned()),
            (None, _, Some(session)) => Payer::Peer(session.peer.clone()),
            (None, _, None) => Payer::Peer(String::new()),
        };
        if self.credits.pay(payer, method.pool, now) {
            return Ok(());
        }
        if let Some(session) = session {
            session.ending = Some((1008, "too_many_requests"));
        }
        Err(Fault::TOO_MANY_REQUESTS)
    }
}

/// Where a call came from.
#[derive(Clone, Copy)]
enum Source<'a> {
    Http(&'a Request<'a>),
    Socket(u64),
}

fn permitted(caller: Option<Caller>, method: &Method) -> Result<(), Fault> {
    match (method.right, caller) {
        (None, _) => Ok(()),
        (Some(_), None) if method.socket => Err(Fault::UNAUTHORIZED),
        (Some(_), None) => Err(Fault::AUTHORIZATION_REQUIRED),
        (Some((area, level)), Some(caller)) if caller.rights.level(area) < level => {
            Err(Fault::SCOPE_EXCEEDED)
        }
        (Some((_, Level::None)), Some(_)) | (Some(_), Some(_)) => Ok(()),
    }
}

/// The instrument of that name.
fn lookup<'a>(exchange: &'a Exchange, name: &str) -> Result<(InstrumentIx, &'a Market), Fault> {
    let ix = exchange.instrument(Venue::Deribit, name).ok_or(Fault::INVALID_INSTRUMENT)?;
    exchange.market(ix).map(|market| (ix, market)).ok_or(Fault::INVALID_INSTRUMENT)
}

#[cfg(test)]
mod tests;
