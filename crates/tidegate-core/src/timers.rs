//! What is due when.

use crate::guards::Countdown;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, ApprovalId, CallId, OrderId};
use tidegate_types::time::{Span, Time};

/// Something that comes due.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    /// The time for a call is over.
    Call(CallId),
    /// Ask what became of an order.
    Resolve(OrderId),
    /// Ask about an order that its caller sent again.
    Retry(OrderId),
    /// Read an account's state.
    Account(AccountName),
    /// Go on proving a halt.
    Halt(Scope),
    /// Go on closing the positions of a halt.
    Flatten(Scope),
    /// A caller's dead-man timer lapses.
    Countdown(Countdown),
    /// Try again to cancel what is to go.
    Doomed,
    /// Feed the venue's dead-man timers for an account.
    DeadMan(AccountName),
    /// The time for a second person to approve is over.
    Approval(ApprovalId),
    /// Write the counts of refusals.
    Refusals,
    /// Writes how often the policy beside would have refused.
    Shadows,
}

/// Every timer, each set once at most.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Time, Timer)>,
    at: BTreeMap<Timer, Time>,
}

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Time) {
        self.clear(&timer);
        self.due.insert((at, timer.clone()));
        self.at.insert(timer, at);
    }

    pub(crate) fn set_if_sooner(&mut self, timer: Timer, at: Time) {
        if self.at.get(&timer).is_none_or(|set| at < *set) {
            self.set(timer, at);
        }
    }

    pub(crate) fn clear(&mut self, timer: &Timer) {
        if let Some(at) = self.at.remove(timer) {
            self.due.remove(&(at, timer.clone()));
        }
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(crate) fn pop(&mut self, now: Time) -> Option<Timer> {
        let (at, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        let (_, timer) = self.due.pop_first()?;
        self.at.remove(&timer);
        Some(timer)
    }
}

/// Waits between tries: half a second, doubled up to 30.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Backoff(Span);

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff(Span::from_millis(500))
    }
}

impl Backoff {
    /// How long to wait now; longer the next time.
    pub(crate) fn step(&mut self) -> Span {
        let wait = self.0;
        self.0 = Span::from_micros(wait.micros().saturating_mul(2).min(30_000_000));
        wait
    }
}
