//! The machine's clock, against the time that each venue puts on its answers.

use super::Finding;
use crate::cli::run::runtime;
use jiff::fmt::rfc2822::DateTimeParser;
use std::time::{Duration, SystemTime};
use tidegate_server::config::{Config, Venue};
use tidegate_server::desk::{Departure, Failure, Transport as _};
use tidegate_server::edge::tls;
use tidegate_server::upstream::Pool;
use tidegate_types::call::WireRequest;

/// How long a venue may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a clock may be off for certain: requests from a second ahead are refused.
const MAX_OFF_MS: i64 = 500;
/// A venue tells whole seconds.
const STEP_MS: i64 = 1000;

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

fn compared(name: &str, venue: &Venue) -> Finding {
    let before = now_ms();
    let told = runtime().map_err(|e| e.message).and_then(|runtime| runtime.block_on(ask(venue)));
    match told {
        Ok(told) => judged(name, off(before, now_ms(), told)),
        Err(why) => alone(before, &format!("{name} does not tell its time: {why}")),
    }
}

/// By so many milliseconds the clock is ahead of a venue's; behind it when negative.
fn judged(name: &str, off: i64) -> Finding {
    let seen = match off {
        0 => format!("agrees with {name}'s to the second"),
        ahead @ 1.. => format!("at least {ahead} ms ahead of {name}'s"),
        behind => format!("at least {} ms behind {name}'s", behind.unsigned_abs()),
    };
    match off.unsigned_abs() <= MAX_OFF_MS.unsigned_abs() {
        true => Finding::good("clock", seen),
        false => Finding::bad("clock", seen, MEND),
    }
}

/// A clock that was never set makes every request stale.
fn alone(now_ms: i64, why: &str) -> Finding {
    let year_2025 = 1_735_689_600_000;
    match now_ms > year_2025 {
        true => Finding::good("clock", format!("{} s since 1970; {why}", now_ms / 1000)),
        false => Finding::bad("clock", "before 2025", MEND),
    }
}

/// How far a clock is off for certain that showed `before` and `after` around the second `told`.
fn off(before: i64, after: i64, told: i64) -> i64 {
    let latest = told.saturating_add(STEP_MS);
    if before > latest {
        before - latest
    } else if after < told {
        after - told
    } else {
        0
    }
}

/// The time on a venue's answer, in milliseconds since 1970.
async fn ask(venue: &Venue) -> Result<i64, String> {
    tls::install_provider();
    let pool = Pool::configured(venue).map_err(|e| e.to_string())?;
    let request = WireRequest {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        body: String::new(),
    };
    let answer = tokio::time::timeout(PATIENCE, pool.send(request, Departure::certain())).await;
    let reply = answer
        .map_err(|_| "no answer in time".to_owned())?
        .map_err(|(Failure::NotSent(why) | Failure::Unknown(why))| why)?;
    let date = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("date"));
    date.and_then(|(_, date)| parse(date)).ok_or_else(|| "an answer without a date".to_owned())
}

/// A date as HTTP writes it, in milliseconds since 1970.
fn parse(date: &str) -> Option<i64> {
    DateTimeParser::new().parse_timestamp(date).ok().map(|time| time.as_millisecond())
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
