//! `tidegate breaker …`

use super::args::{Breaker, BreakerSet, Common, Stops};
use super::manage::{PATIENCE, done, pending};
use super::output::{Failure, print};
use super::reach::ask;
use super::status::{now_ms, read, span};
use serde_json::{Value, json};
use tidegate_server::admin::breaker_spec;
use tidegate_server::admin::protocol::{BreakerPlace, BreakerSpec, BreakerStatus, Request};
use tidegate_types::breaker::{Standard, standard};

/// Carries a command out.
pub fn breaker(common: &Common, command: Breaker) -> Result<(), Failure> {
    match command {
        Breaker::List => list(common),
        Breaker::Set(set) if set.standard => set_standard(common),
        Breaker::Set(set) => {
            let spec = spec(set);
            let text = format!("set {}, which trips at {}", spec.breaker, spec.limit);
            done(common, &Request::BreakerSet(spec), &text)
        }
        Breaker::Remove { breaker } => {
            let text = format!("removed {breaker}");
            done(common, &Request::BreakerRemove { breaker }, &text)
        }
        Breaker::HalfOpen(turn) => {
            let text =
                format!("{} is half-open: few orders pass, and any trip stops it", turn.breaker);
            let (breaker, scope, reason) = (turn.breaker, turn.scope, turn.reason);
            done(common, &Request::BreakerHalfOpen { breaker, scope, reason }, &text)
        }
        Breaker::Close(turn) => {
            let text = format!("{} is closed", turn.breaker);
            let (breaker, scope, reason) = (turn.breaker, turn.scope, turn.reason);
            done(common, &Request::BreakerClose { breaker, scope, reason }, &text)
        }
        Breaker::Reset { breaker, scope } => {
            let text = format!("{breaker} measures anew");
            done(common, &Request::BreakerReset { breaker, scope }, &text)
        }
    }
}

fn spec(set: BreakerSet) -> BreakerSpec {
    BreakerSpec {
        breaker: set.breaker.unwrap_or_default(),
        limit: set.limit.unwrap_or_default(),
        window_s: set.window_s,
        least: set.least,
        stops: match set.stops {
            Stops::Increases => "increases".to_owned(),
            Stops::All => "all".to_owned(),
        },
        cancel: set.cancel,
        trial_per_minute: set.trial,
    }
}

fn breakers(common: &Common) -> Result<Vec<BreakerStatus>, Failure> {
    Ok(read(&ask(common, &Request::Status {}, PATIENCE)?)?.breakers)
}

/// Sets what is not set yet, so that nothing is loosened by it.
fn set_standard(common: &Common) -> Result<(), Failure> {
    let known = breakers(common)?;
    let (mut set, mut kept) = (Vec::new(), Vec::new());
    for spec in standard(Standard::Whole).iter().map(breaker_spec) {
        let name = spec.breaker.clone();
        if known.iter().any(|known| known.breaker == name) {
            kept.push(name);
            continue;
        }
        let value: Value = ask(common, &Request::BreakerSet(spec), PATIENCE)?;
        if let Some(id) = pending(&value) {
            return Err(Failure::pending(id, value));
        }
        set.push(name);
    }
    let text = match kept.is_empty() {
        true => format!("set {}", set.join(", ")),
        false => format!("set {}; kept as they were: {}", set.join(", "), kept.join(", ")),
    };
    print(common.json, &json!({ "set": set, "kept": kept }), &text);
    Ok(())
}

fn list(common: &Common) -> Result<(), Failure> {
    let breakers = breakers(common)?;
    let mut lines: Vec<String> = breakers.iter().flat_map(lines).collect();
    if lines.is_empty() {
        lines.push("no breakers: `tidegate breaker set --standard`".to_owned());
    }
    print(common.json, &json!({ "breakers": breakers }), &lines.join("\n"));
    Ok(())
}

/// A breaker in lines of text: what it is, and where it measured what.
fn lines(row: &BreakerStatus) -> Vec<String> {
    let of = row.window_s.map(|s| format!(" within {s} s, {} at least", row.least));
    let first = format!(
        "{}: {}; trips at {} {}{}, stops {}{}",
        row.breaker,
        row.measures,
        row.limit,
        row.unit,
        of.unwrap_or_default(),
        row.stops,
        if row.cancel { " and cancels" } else { "" },
    );
    let places = row.places.iter().map(|place| format!("  {}", place_line(row, place)));
    std::iter::once(first).chain(places).collect()
}

fn place_line(row: &BreakerStatus, place: &BreakerPlace) -> String {
    let now = place.measured.as_deref().unwrap_or("nothing");
    match place.stage.as_str() {
        "closed" => format!("{}: {now} of {}", place.scope, place.count),
        _ => trip_line(row, place),
    }
}

/// A breaker that is not closed, as `status` says it too.
pub fn trip_line(row: &BreakerStatus, place: &BreakerPlace) -> String {
    let since = place.since_ms.unwrap_or_default();
    let ago = span(now_ms().saturating_sub(since) / 1000);
    let at = place.tripped_at.as_deref().unwrap_or("?");
    let stage = if place.stage == "tripped" { "TRIPPED" } else { "HALF-OPEN" };
    format!(
        "{stage} {} for {} {ago} ago: {at} {}, the limit is {}; stops {}, stopped {}",
        row.breaker, place.scope, row.unit, row.limit, row.stops, place.stopped
    )
}
