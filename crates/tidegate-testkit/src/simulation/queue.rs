//! What is to happen when: one order for everything, by time and then by number.

use std::collections::BTreeMap;
use tidegate_types::time::Time;

/// The queue.
#[derive(Debug)]
pub(super) struct Queue<T> {
    due: BTreeMap<(Time, u64), T>,
    next: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue { due: BTreeMap::new(), next: 0 }
    }
}

impl<T> Queue<T> {
    /// Has something happen at a time.
    pub(super) fn push(&mut self, at: Time, what: T) {
        self.due.insert((at, self.next), what);
        self.next += 1;
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next thing, and when.
    pub(super) fn pop(&mut self) -> Option<(Time, T)> {
        self.due.pop_first().map(|((at, _), what)| (at, what))
    }
}
