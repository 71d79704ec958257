//! The fewest bytes a second that whoever owes bytes may send, or take, on average over a window.

use tokio::time::{Duration, Instant};

/// One direction of a connection, measured while something is owed there.
#[derive(Clone, Debug)]
pub(in crate::edge) struct Pace {
    window: Duration,
    /// The fewest bytes in a window; one at least.
    fewest: u64,
    /// Since when the window runs; none while nothing is owed.
    since: Option<Instant>,
    bytes: u64,
}

impl Pace {
    /// So many bytes a second, looked at over `window`. At no bytes a second one byte in a window is enough.
    pub(in crate::edge) fn new(bytes_per_second: u32, window: Duration) -> Pace {
        let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        let fewest = (u64::from(bytes_per_second).saturating_mul(millis) / 1000).max(1);
        Pace { window, fewest, since: None, bytes: 0 }
    }

    /// Something is owed from now on, unless it was before.
    pub(in crate::edge) fn owe(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// Nothing is owed any more.
    pub(in crate::edge) fn rest(&mut self) {
        (self.since, self.bytes) = (None, 0);
    }

    /// So many bytes came, or went.
    pub(in crate::edge) fn moved(&mut self, bytes: usize) {
        if self.since.is_some() {
            self.bytes = self.bytes.saturating_add(bytes as u64);
        }
    }

    /// When it is to be looked at next; none while nothing is owed.
    pub(in crate::edge) fn due(&self) -> Option<Instant> {
        self.since.and_then(|since| since.checked_add(self.window))
    }

    /// Whether a window has passed in which too little moved. One in which enough did begins anew.
    pub(in crate::edge) fn is_too_slow(&mut self, now: Instant) -> bool {
        if self.due().is_none_or(|due| now < due) {
            return false;
        }
        let too_slow = self.bytes < self.fewest;
        if !too_slow {
            (self.since, self.bytes) = (Some(now), 0);
        }
        too_slow
    }
}

#[cfg(test)]
mod tests;
