//! The account's private stream: logs in, subscribes to everything the account does, and tells it
//! to the core and to the callers' sessions.

use super::build::LOGIN_ID;
use super::{rows, rpc};
use crate::front::Instruments;
use crate::upstream::{AccountStream, StreamNews, StreamStep, Unreadable};
use serde_json::{Map, Value};
use tidegate_types::call::CallBody;
use tidegate_types::report::AccountEvent;
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};

const HEARTBEAT_ID: u64 = 2;
const SUBSCRIBE_ID: u64 = 3;
const TEST_ID: u64 = 4;
/// Seconds between heartbeats.
const HEARTBEAT: u64 = 10;
/// A stream that says nothing for this long is broken: three heartbeats are missing.
const SILENCE: Span = Span::from_secs(35);
/// Each step of opening must be answered within this.
const PATIENCE: Span = Span::from_secs(10);
/// The channel that the core is told orders, trades and positions from; one message holds what one
/// event changed.
const CHANGES: &str = "user.changes.any.any.raw";
/// The channel that the core is told balances from, one currency in a message.
const PORTFOLIO: &str = "user.portfolio.any";
/// The other channels are for the callers' sessions, which pass the venue's own messages on.
const CHANNELS: &[&str] =
    &[CHANGES, "user.orders.any.any.raw", "user.trades.any.any.raw", PORTFOLIO];

/// A private stream.
#[derive(Default)]
pub(crate) struct DeribitStream {
    phase: Phase,
    /// When the present phase, or silence, has lasted too long.
    give_up: Option<Time>,
    /// When to log in anew.
    renew: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Phase {
    #[default]
    Closed,
    LoggingIn,
    Subscribing,
    Up,
}

impl AccountStream for DeribitStream {
    fn start(&mut self, now: Time) -> Vec<StreamStep> {
        *self = DeribitStream { give_up: Some(now.plus(PATIENCE)), ..DeribitStream::default() };
        vec![StreamStep::Connect(rpc::SOCKET.into())]
    }

    fn on_reply(&mut self, _reply: &Reply, _now: Time) -> Vec<StreamStep> {
        Vec::new()
    }

    fn on_open(&mut self, now: Time) -> Vec<StreamStep> {
        self.phase = Phase::LoggingIn;
        self.give_up = Some(now.plus(PATIENCE));
        vec![StreamStep::SendCall(CallBody::Session { step: 0 })]
    }

    fn on_text(
        &mut self,
        text: &str,
        _instruments: &Instruments,
        now: Time,
    ) -> (Vec<StreamNews>, Vec<StreamStep>) {
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            return (Vec::new(), restart("a message is not JSON"));
        };
        if self.phase == Phase::Up {
            self.give_up = Some(now.plus(SILENCE));
        }
        match message.get("method").and_then(Value::as_str) {
            Some("subscription") => match told(text, &message) {
                Ok(news) => (news, Vec::new()),
                Err(Unreadable(why)) => (Vec::new(), restart(&why)),
            },
            Some("heartbeat") => (Vec::new(), heartbeat(&message)),
            _ => self.answered(&message, now),
        }
    }

    fn on_timer(&mut self, now: Time) -> Vec<StreamStep> {
        if self.give_up.is_some_and(|at| at <= now) {
            self.give_up = None;
            return restart(match self.phase {
                Phase::Closed => "the socket does not open",
                Phase::LoggingIn => "the login is not answered",
                Phase::Subscribing => "the subscription is not answered",
                Phase::Up => "the stream is silent",
            });
        }
        if self.renew.is_some_and(|at| at <= now) {
            self.renew = None;
            return vec![StreamStep::SendCall(CallBody::Session { step: 0 })];
        }
        Vec::new()
    }

    fn timer(&self) -> Option<Time> {
        match (self.give_up, self.renew) {
            (Some(give_up), Some(renew)) => Some(give_up.min(renew)),
            (one, other) => one.or(other),
        }
    }
}

impl DeribitStream {
    fn answered(&mut self, message: &Value, now: Time) -> (Vec<StreamNews>, Vec<StreamStep>) {
        let Some(id) = message.get("id").and_then(Value::as_u64) else {
            return (Vec::new(), Vec::new());
        };
        if let Some(error) = message.get("error") {
            let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
            let why = match id {
                LOGIN_ID => "the venue refuses the login",
                _ => "the venue refuses the subscription",
            };
            return (Vec::new(), restart(&format!("{why}: {code}")));
        }
        match (id, self.phase) {
            (LOGIN_ID, phase) => {
                let result = message.get("result");
                let lives = result.and_then(|result| result.get("expires_in"));
                let Some(lives) = lives.and_then(Value::as_u64) else {
                    return (Vec::new(), restart("the login names no lifetime"));
                };
                // At four fifths, so that a slow renewal still comes in time.
                self.renew = Some(now.plus(Span::from_secs((lives / 5).saturating_mul(4).max(1))));
                if phase == Phase::Up {
                    return (Vec::new(), Vec::new());
                }
                self.phase = Phase::Subscribing;
                self.give_up = Some(now.plus(PATIENCE));
                (Vec::new(), hello())
            }
            (SUBSCRIBE_ID, Phase::Subscribing) => {
                let names = message.get("result").and_then(Value::as_array);
                let there = |name: &&str| {
                    names.is_some_and(|names| names.iter().any(|one| one.as_str() == Some(name)))
                };
                if let Some(missing) = CHANNELS.iter().find(|name| !there(name)) {
                    return (Vec::new(), restart(&format!("the venue does not give {missing}")));
                }
                self.phase = Phase::Up;
                self.give_up = Some(now.plus(SILENCE));
                (Vec::new(), vec![StreamStep::Up])
            }
            _ => (Vec::new(), Vec::new()),
        }
    }
}

fn hello() -> Vec<StreamStep> {
    let mut interval = Map::new();
    interval.insert("interval".into(), HEARTBEAT.into());
    let mut channels = Map::new();
    channels.insert("channels".into(), CHANNELS.iter().copied().map(Value::from).collect());
    vec![
        StreamStep::SendText(rpc::call(HEARTBEAT_ID, "public/set_heartbeat", interval)),
        StreamStep::SendText(rpc::call(SUBSCRIBE_ID, "private/subscribe", channels)),
    ]
}

fn heartbeat(message: &Value) -> Vec<StreamStep> {
    let kind = message.get("params").and_then(|params| params.get("type"));
    if kind.and_then(Value::as_str) == Some("test_request") {
        return vec![StreamStep::SendText(rpc::call(TEST_ID, "public/test", Map::new()))];
    }
    Vec::new()
}

/// What a message tells the core, and then the message itself for the sessions.
fn told(text: &str, message: &Value) -> Result<Vec<StreamNews>, Unreadable> {
    let params = message.get("params");
    let channel = params.and_then(|params| params.get("channel")).and_then(Value::as_str);
    let mut news = Vec::new();
    let data = params.and_then(|params| params.get("data"));
    if let Some(data) = data.filter(|_| channel == Some(PORTFOLIO)) {
        news.push(StreamNews::Event(AccountEvent::Balance { balance: rows::balance(data)? }));
    }
    if channel == Some(CHANGES) {
        let list = |name: &str| {
            let rows = data.and_then(|data| data.get(name)).and_then(Value::as_array);
            rows.map_or(&[][..], Vec::as_slice)
        };
        // Fills come first: an order that its last fill ends is whole when its end is told.
        for row in list("trades") {
            news.push(StreamNews::Event(AccountEvent::Fill { fill: rows::fill(row)? }));
        }
        for row in list("orders") {
            let report = rows::order(row)?;
            news.extend(report.map(|report| StreamNews::Event(AccountEvent::Order { report })));
        }
        for row in list("positions") {
            let position = rows::position(row)?;
            news.push(StreamNews::Event(AccountEvent::Position { position }));
        }
    }
    news.push(StreamNews::Frame(text.to_owned()));
    Ok(news)
}

fn restart(why: &str) -> Vec<StreamStep> {
    vec![StreamStep::Restart(why.to_owned())]
}

#[cfg(test)]
mod tests;
