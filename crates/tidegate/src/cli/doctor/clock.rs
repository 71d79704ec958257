//! The machine's clock, against the time that each venue tells.

use super::Finding;
use crate::cli::run::runtime;
use std::time::{Duration, SystemTime};
use tidegate_server::admin::protocol::ClockStatus;
use tidegate_server::config::{Config, Venue};
use tidegate_server::desk::Offset;
use tidegate_server::edge::tls;
use tidegate_server::upstream::compare_clock;

/// How long a venue may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a clock may be off for certain. Requests to a venue follow the venue's; the journal's times do not, and a caller's
/// time stamp may be a second ahead of it.
const MAX_OFF_MS: i64 = 500;

const MEND: &str = "set the clock and keep it with NTP or PTP";

/// What is told of the clock.
pub(super) fn findings(config: Option<&Config>) -> Vec<Finding> {
    let venues = config.into_iter().flat_map(|config| &config.venues);
    let mut found: Vec<Finding> = venues.map(|(name, venue)| compared(name, venue)).collect();
    if found.is_empty() {
        found.push(alone(now_ms(), "there is no venue to compare it with"));
    }
    found
}

/// What the gateway measured of a venue's clock, and what it does with it.
pub(super) fn measured(clock: &ClockStatus) -> Finding {
    let age = u64::try_from(now_ms()).unwrap_or_default().saturating_sub(clock.at_ms);
    let seen = format!(
        "{}, compared {} s ago by the gateway, whose requests carry {} time",
        told(&clock.venue, clock.ahead_us, clock.give_us),
        age / 1000,
        if clock.used { "its" } else { "our" },
    );
    match is_near(clock.ahead_us, clock.give_us) {
        true => Finding::good("venue clock", seen),
        false => Finding::bad("venue clock", seen, MEND),
    }
}

fn compared(name: &str, venue: &Venue) -> Finding {
    tls::install_provider();
    let found = runtime().map_err(|e| e.message).and_then(|runtime| {
        runtime.block_on(async {
            let asked = tokio::time::timeout(PATIENCE, compare_clock(name, venue)).await;
            asked.unwrap_or_else(|_| Err("no answer in time".to_owned()))
        })
    });
    match found {
        Ok(offset) => judged(name, offset),
        Err(why) => alone(now_ms(), &format!("{name} does not tell its time: {why}")),
    }
}

fn judged(name: &str, offset: Offset) -> Finding {
    let give = offset.give.micros();
    let seen = format!("{}, compared just now", told(name, offset.ahead, give));
    match is_near(offset.ahead, give) {
        true => Finding::good("clock", seen),
        false => Finding::bad("clock", seen, MEND),
    }
}

/// Whether the clocks may be as near as they must be.
fn is_near(ahead_us: i64, give_us: u64) -> bool {
    ahead_us.unsigned_abs().saturating_sub(give_us) <= MAX_OFF_MS.unsigned_abs() * 1000
}

fn told(name: &str, ahead_us: i64, give_us: u64) -> String {
    let way = if ahead_us < 0 { "behind" } else { "ahead of" };
    let (off, give) = (ahead_us.unsigned_abs() / 1000, give_us.div_ceil(1000));
    format!("{name}'s is {off} ms {way} ours, give or take {give} ms")
}

/// A clock that was never set makes every request stale.
fn alone(now_ms: i64, why: &str) -> Finding {
    let year_2025 = 1_735_689_600_000;
    match now_ms > year_2025 {
        true => Finding::good("clock", format!("{} s since 1970; {why}", now_ms / 1000)),
        false => Finding::bad("clock", "before 2025", MEND),
    }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
