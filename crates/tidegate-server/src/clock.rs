//! The one place that reads the wall clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tidegate_types::Time;

static LATEST: AtomicU64 = AtomicU64::new(0);

/// The time now. It never goes back, even when the machine's clock is set back: it then stands
/// still until the clock has caught up.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
    Time::from_micros(LATEST.fetch_max(micros, Ordering::Relaxed).max(micros))
}
