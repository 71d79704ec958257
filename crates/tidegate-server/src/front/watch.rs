//! A session's view of an account's private stream.

use serde_json::Value;
use std::sync::Arc;
use tidegate_identity::Named;
use tidegate_types::ids::{AccountName, CallerName, KeyId};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

/// Who watches, and the messages that have not been taken yet.
#[derive(Debug)]
pub struct Watch {
    who: Named,
    frames: Receiver<Arc<Value>>,
    missed: bool,
}

impl Watch {
    /// Watches `frames` for `who`.
    pub fn new(who: Named, frames: Receiver<Arc<Value>>) -> Watch {
        Watch { who, frames, missed: false }
    }

    /// The caller.
    pub fn caller(&self) -> &CallerName {
        self.who.caller()
    }

    /// The account.
    pub fn account(&self) -> &AccountName {
        self.who.account()
    }

    /// The key it watches by.
    pub fn key(&self) -> &KeyId {
        self.who.key()
    }

    /// The next message; `None` when some were missed. May be dropped at any time.
    pub async fn next(&mut self) -> Option<Arc<Value>> {
        if self.missed {
            return None;
        }
        self.frames.recv().await.ok()
    }

    /// The next message if it is there already.
    pub fn ready(&mut self) -> Option<Arc<Value>> {
        match self.frames.try_recv() {
            Ok(frame) => Some(frame),
            Err(TryRecvError::Lagged(_)) => {
                self.missed = true;
                None
            }
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}
