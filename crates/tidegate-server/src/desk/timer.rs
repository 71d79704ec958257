//! The desk's one timer: the core's own timers, marks that are held back, and records that wait
//! for a flush.

use super::Desk;
use super::carry_out::Inner;
use crate::clock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tidegate_core::event::Event;
use tidegate_types::instrument::Mark;
use tidegate_types::limits::MARK_INTERVAL;
use tidegate_types::options::OptionQuote;
use tidegate_types::time::{Span, Time};
use tokio::sync::Notify;

/// Records that nothing waits for are handed to the journal after this.
const LAZY_COMMIT: Span = Span::from_millis(20);

/// When the desk is to be woken.
pub(super) struct Alarm {
    /// In µs; the latest time when nothing is due.
    at: AtomicU64,
    sooner: Notify,
    marks_at: AtomicU64,
}

impl Default for Alarm {
    fn default() -> Alarm {
        Alarm { at: AtomicU64::new(u64::MAX), sooner: Notify::new(), marks_at: AtomicU64::new(0) }
    }
}

impl Alarm {
    fn set(&self, at: Time) {
        if at.micros() < self.at.fetch_min(at.micros(), Ordering::AcqRel) {
            self.sooner.notify_one();
        }
    }
}

impl Desk {
    /// Keeps the desk's time until dropped.
    pub async fn keep_time(self: Arc<Desk>) {
        loop {
            let due = Time::from_micros(self.alarm.at.load(Ordering::Acquire));
            let wait = Duration::from_micros(due.since(clock::now()).micros());
            let sleep = tokio::time::sleep(wait.min(Duration::from_secs(60)));
            tokio::select! {
                () = sleep => self.tick(),
                () = self.alarm.sooner.notified() => {}
            }
        }
    }

    /// The next time the core sees marks.
    pub(super) fn expect_marks(&self) {
        self.alarm.set(Time::from_micros(self.alarm.marks_at.load(Ordering::Acquire)));
    }

    /// Sees to it that the desk is woken in time for whatever is due next.
    pub(super) fn set_alarm(&self, inner: &Inner) {
        let lazy = inner.lazy_since.map(|since| since.plus(LAZY_COMMIT));
        if let Some(due) = [inner.poll_timeout(), lazy].into_iter().flatten().min() {
            self.alarm.set(due);
        }
    }

    fn tick(&self) {
        self.alarm.at.store(u64::MAX, Ordering::Release);
        self.turn(|inner, now| {
            inner.handle_timeout(now);
            self.hand_over_marks(inner, now);
            if inner.lazy_since.is_some_and(|since| since.plus(LAZY_COMMIT) <= now) {
                inner.commit(now);
            }
        });
    }

    fn hand_over_marks(&self, inner: &mut Inner, now: Time) {
        let due = Time::from_micros(self.alarm.marks_at.load(Ordering::Acquire));
        let mut held = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut quotes = self.quotes.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_empty() && quotes.is_empty() {
            return;
        }
        if now < due {
            return self.alarm.set(due);
        }
        self.alarm.marks_at.store(now.plus(MARK_INTERVAL).micros(), Ordering::Release);
        let marks: Vec<Mark> = std::mem::take(&mut *held).into_values().collect();
        let quotes: Vec<OptionQuote> = std::mem::take(&mut *quotes).into_values().collect();
        drop(held);
        if !marks.is_empty() {
            inner.handle(Event::Marks { marks }, now);
        }
        if !quotes.is_empty() {
            inner.handle(Event::OptionQuotes { quotes }, now);
        }
    }
}
