//! The one place that reads the machine's clocks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tidegate_types::Time;
use tidegate_types::time::Span;

static LATEST: AtomicU64 = AtomicU64::new(0);
static STEADY: OnceLock<(Instant, Time)> = OnceLock::new();

/// The time now. It never goes back, even when the machine's clock is set back: it then stands
/// still until the clock has caught up.
pub fn now() -> Time {
    let micros = machine().micros();
    Time::from_micros(LATEST.fetch_max(micros, Ordering::Relaxed).max(micros))
}

/// What the machine's clock shows, which may have been set back.
pub fn machine() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// The time on a clock that nobody sets: it was the machine's when it was first asked for.
pub fn steady() -> Time {
    let (began, at) = STEADY.get_or_init(|| (Instant::now(), machine()));
    at.plus(Span::from_micros(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)))
}
