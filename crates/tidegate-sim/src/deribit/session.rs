//! One WebSocket connection: who it is, what it listens to, and when it ends.

use super::rpc::heartbeat;
use crate::engine::order::OrderId;
use crate::engine::{AccountIx, Exchange};
use std::collections::BTreeSet;
use tidegate_types::time::{Span, Time};

/// A connection without heartbeat and subscriptions ends after this long without a message.
const IDLE: Span = Span::from_secs(60);
/// A test request must be answered within this long.
const TEST_PATIENCE: Span = Span::from_secs(10);

/// Why and how the server ends a connection.
pub(crate) type Ending = (u16, &'static str);

/// A connection.
#[derive(Debug)]
pub(crate) struct Session {
    /// Its number.
    pub(crate) id: u64,
    /// Where it comes from.
    pub(crate) peer: String,
    /// The access token it signed in with.
    pub(crate) token: Option<String>,
    /// The account it signed in for.
    pub(crate) account: Option<AccountIx>,
    /// The channels it is subscribed to.
    pub(crate) channels: BTreeSet<String>,
    /// Whether its orders are cancelled when it ends.
    pub(crate) covered: bool,
    /// How it is to end, once its answer is out.
    pub(crate) ending: Option<Ending>,
    /// Whether the client said goodbye.
    pub(crate) left: bool,
    placed: Vec<OrderId>,
    prune_at: usize,
    last_message: Time,
    beat: Option<Beat>,
}

#[derive(Debug)]
struct Beat {
    every: Span,
    last: Time,
    asked: Option<Time>,
}

impl Session {
    pub(crate) fn new(id: u64, peer: &str, now: Time) -> Session {
        Session {
            id,
            peer: peer.to_owned(),
            token: None,
            account: None,
            channels: BTreeSet::new(),
            covered: false,
            ending: None,
            left: false,
            placed: Vec::new(),
            prune_at: 256,
            last_message: now,
            beat: None,
        }
    }

    /// Signs in; `covered` is the account's wish for new connections.
    pub(crate) fn sign_in(&mut self, token: String, account: AccountIx, covered: bool) {
        self.token = Some(token);
        self.account = Some(account);
        self.covered |= covered;
    }

    /// A message came.
    pub(crate) fn heard(&mut self, now: Time) {
        self.last_message = now;
        if let Some(beat) = &mut self.beat {
            beat.asked = None;
        }
    }

    /// Sends heartbeats from now on, or no longer.
    pub(crate) fn beat(&mut self, every: Option<Span>, now: Time) {
        self.beat = every.map(|every| Beat { every, last: now, asked: None });
    }

    /// An order came by this connection.
    pub(crate) fn placed(&mut self, order: OrderId, exchange: &Exchange) {
        if self.placed.len() >= self.prune_at {
            self.placed.retain(|id| exchange.order(*id).is_some_and(|order| order.is_live()));
            self.prune_at = (2 * self.placed.len()).max(256);
        }
        self.placed.push(order);
    }

    /// The live orders that came by this connection, and those they triggered.
    pub(crate) fn live_orders(&self, exchange: &Exchange) -> Vec<OrderId> {
        let orders = self.placed.iter().filter_map(|id| exchange.order(*id));
        let latest = orders.map(|order| match order.child.and_then(|id| exchange.order(id)) {
            Some(child) => child,
            None => order,
        });
        latest.filter(|order| order.is_live()).map(|order| order.id).collect()
    }

    /// What time brings: messages to send, and whether to end.
    pub(crate) fn tick(&mut self, now: Time) -> (Vec<String>, Option<Ending>) {
        let silent = now.since(self.last_message);
        let Some(beat) = &mut self.beat else {
            let idle = self.channels.is_empty() && silent >= IDLE;
            return (Vec::new(), idle.then_some((1001, "idle")));
        };
        if beat.asked.is_some_and(|asked| now.since(asked) >= TEST_PATIENCE) {
            return (Vec::new(), Some((4000, "heartbeat close")));
        }
        let mut messages = Vec::new();
        if now.since(beat.last) >= beat.every {
            beat.last = now;
            messages.push(heartbeat("heartbeat"));
            if silent >= beat.every && beat.asked.is_none() {
                beat.asked = Some(now);
                messages.push(heartbeat("test_request"));
            }
        }
        (messages, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Time {
        Time::from_millis(1_000_000 + seconds * 1000)
    }

    #[test]
    fn a_silent_client_is_asked_and_then_dropped() {
        let mut session = Session::new(1, "", at(0));
        session.beat(Some(Span::from_secs(10)), at(0));
        assert_eq!(session.tick(at(9)), (vec![], None));
        let (messages, ending) = session.tick(at(10));
        assert!(messages[0].contains(r#""heartbeat""#) && messages[1].contains("test_request"));
        assert_eq!(ending, None);
        session.heard(at(12));
        assert_eq!(session.tick(at(20)).1, None);
        assert_eq!(session.tick(at(31)).0.len(), 2, "silent for another interval");
        assert_eq!(session.tick(at(41)).1, Some((4000, "heartbeat close")));
    }

    #[test]
    fn an_idle_connection_ends_unless_it_listens() {
        let mut session = Session::new(1, "", at(0));
        assert_eq!(session.tick(at(59)).1, None);
        assert_eq!(session.tick(at(60)).1, Some((1001, "idle")));
        session.channels.insert("quote.BTC-PERPETUAL".into());
        assert_eq!(session.tick(at(600)).1, None);
    }
}
