//! `tidegate alarms`: what somebody has to look at.

use super::args::{Alarms as Args, Common};
use super::breakers::trip_line;
use super::output::{Failure, print};
use super::reach::ask;
use super::status::{now_ms, read, span};
use serde_json::json;
use std::time::Duration;
use tidegate_server::admin::protocol::{AlarmStatus, BreakerStatus, Request};

const PATIENCE: Duration = Duration::from_secs(5);

/// Prints the breakers that are not closed and the alarms that nobody has seen yet; with `--seen` takes those off
/// the list. A breaker stays on it until a person closes it.
pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let status = read(&ask(common, &Request::Status {}, PATIENCE)?)?;
    let alarms = status.alarms;
    let breakers = not_closed(&status.breakers);
    let tripped = breakers.iter().flat_map(|row| row.places.iter().map(|at| trip_line(row, at)));
    let mut lines: Vec<String> = tripped.map(|line| format!("BREAKER {line}")).collect();
    lines.extend(alarms.iter().rev().map(line));
    if lines.is_empty() {
        lines.push("no alarms".to_owned());
    }
    let newest = alarms.iter().map(|alarm| alarm.last_ms).max();
    if let Some(until_ms) = newest.filter(|_| args.seen) {
        ask(common, &Request::AlarmsSeen { until_ms }, PATIENCE)?;
        lines.push("taken off the list; the journal keeps them".to_owned());
    }
    let value = json!({ "alarms": alarms, "raised": status.alarms_raised, "breakers": breakers });
    print(common.json, &value, &lines.join("\n"));
    Ok(())
}

/// The breakers that are not closed, where they are not.
fn not_closed(breakers: &[BreakerStatus]) -> Vec<BreakerStatus> {
    let open = |row: &BreakerStatus| {
        let places = row.places.iter().filter(|place| place.stage != "closed").cloned().collect();
        BreakerStatus { places, ..row.clone() }
    };
    breakers.iter().map(open).filter(|row| !row.places.is_empty()).collect()
}

/// An alarm as a line of text.
pub fn line(alarm: &AlarmStatus) -> String {
    let AlarmStatus { account, qty, .. } = alarm;
    let of = alarm.instrument.as_deref().or(alarm.asset.as_deref()).unwrap_or("?");
    let id = alarm.venue_id.as_deref().unwrap_or("?");
    let side = alarm.side.as_deref().unwrap_or("?");
    let whose = alarm.caller.as_ref().map(|caller| format!(" of {caller}")).unwrap_or_default();
    let counted = alarm.counted.as_deref().unwrap_or("?");
    let what = match alarm.kind.as_str() {
        "foreign-order" => format!("order {id}, {side} {qty} {of}, was placed past Tidegate"),
        "foreign-fill" => format!("order {id}, placed past Tidegate, traded: {side} {qty} {of}"),
        "foreign-cancel" => {
            format!("order {id}{whose}, {side} {qty} {of}, was cancelled past Tidegate")
        }
        "foreign-amend" => {
            format!("order {id}{whose}, {side} {qty} {of}, was changed past Tidegate")
        }
        "position-differed" => {
            format!("the position in {of} is {qty} at the venue; the trades come to {counted}")
        }
        "balance-differed" => {
            format!("the balance of {of} is {qty} at the venue; its stream told {counted}")
        }
        kind => format!("{kind}: {side} {qty} {of}"),
    };
    let ago = span(now_ms().saturating_sub(alarm.last_ms) / 1000);
    let times = if alarm.count > 1 { format!(" × {}", alarm.count) } else { String::new() };
    format!("ALARM {account}: {what}{times}, {ago} ago")
}
