//! What waits to be written to a caller's socket: bounded in messages, and in bytes by how long they wait.

use crate::edge::unsent::Debt;
use std::collections::VecDeque;
use std::time::Duration;
use tidegate_types::limits::{
    BACKLOG_PATIENCE, MAX_WS_BACKLOG, MAX_WS_BACKLOG_BYTES, MAX_WS_UNSENT_BYTES,
};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// Messages that wait, the oldest first.
#[derive(Debug)]
pub(super) struct Backlog {
    messages: VecDeque<Message>,
    bytes: usize,
    /// Since when more waits than may for long.
    much_since: Option<Instant>,
    /// The same bytes among those of all sockets.
    debt: Debt,
}

impl Backlog {
    pub(super) fn new(debt: Debt) -> Backlog {
        Backlog { messages: VecDeque::new(), bytes: 0, much_since: None, debt }
    }

    pub(super) fn push(&mut self, message: Message, now: Instant) {
        self.bytes = self.bytes.saturating_add(message.len());
        self.debt.owe(message.len());
        self.messages.push_back(message);
        if self.bytes > MAX_WS_BACKLOG_BYTES {
            self.much_since.get_or_insert(now);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes = self.bytes.saturating_sub(message.len());
        self.debt.pay(message.len());
        if self.bytes <= MAX_WS_BACKLOG_BYTES {
            self.much_since = None;
        }
        Some(message)
    }

    pub(super) fn clear(&mut self) {
        self.messages.clear();
        (self.bytes, self.much_since) = (0, None);
        self.debt.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether the caller has let too much pile up, or more than anybody while all sockets together have too much. Bytes alone are no sign of it: one answer may be long, and
    /// a burst is read in a moment.
    pub(super) fn is_too_much(&self, now: Instant) -> bool {
        let patience = Duration::from_millis(BACKLOG_PATIENCE.millis());
        let waits = self.much_since.is_some_and(|since| now.duration_since(since) >= patience);
        waits
            || self.debt.is_cut_off()
            || self.bytes > MAX_WS_UNSENT_BYTES
            || self.messages.len() > MAX_WS_BACKLOG
    }
}

#[cfg(test)]
mod tests;
