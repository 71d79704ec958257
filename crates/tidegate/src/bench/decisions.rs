//! What the core takes to decide on an order and to write down why: without limits beyond an account's, under
//! twenty limits of a policy, and for options beside a portfolio of them. Each order is called back, unmeasured,
//! so that the next one comes upon the same desk.

mod desk;
mod instructions;

use super::machine::machine;
use super::stage::failed;
use crate::cli::args::{Bench, BenchWhat, Decided};
use crate::cli::output::{Failure, say};
use desk::{Desk, Spent};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// Decisions of each kind in a round.
const DECISIONS: u32 = 20_000;
/// Decisions whose instructions are counted.
const COUNTED: u32 = 200;

/// Every kind of decision there is.
const KINDS: [Decided; 3] = [Decided::Plain, Decided::Limits, Decided::Options];

/// One row of what is told.
struct Row {
    name: String,
    spent: Vec<Duration>,
    instructions: Option<u64>,
}

/// Measures all kinds in turn, or has one of them decide a while for whoever counts instructions.
pub fn measure(args: &Bench) -> Result<(Value, String), Failure> {
    if let Some(kind) = args.decided {
        let spent = Desk::new(kind)?.decide(COUNTED)?;
        return Ok((json!({ "decisions": spent.whole.len() }), String::new()));
    }
    let mut desks = Vec::new();
    for kind in KINDS {
        desks.push((kind, Desk::new(kind)?, Spent::default()));
    }
    for round in 1..=args.rounds {
        say(&format!("round {round} of {}", args.rounds));
        for (_, desk, all) in &mut desks {
            let spent = desk.decide(DECISIONS)?;
            all.gates.extend(spent.gates);
            all.whole.extend(spent.whole);
        }
    }
    let mut rows = Vec::new();
    for (kind, _, spent) in desks {
        // The gates have decided on each open order, too.
        for (part, timed, decisions, spent) in [
            ("the gates", instructions::GATES, desk::OPEN + COUNTED, spent.gates),
            ("with its records", instructions::WHOLE, COUNTED, spent.whole),
        ] {
            let name = format!("{}: {part}", desk::text(kind));
            let instructions = instructions::of(kind, timed, decisions);
            rows.push(Row { name, spent, instructions });
        }
    }
    Ok(told(rows))
}

fn told(rows: Vec<Row>) -> (Value, String) {
    let (machine, open) = (machine(), desk::OPEN);
    let mut text = format!("{machine}\none decision beside {open} open orders, µs\n");
    let mut values = Vec::new();
    for Row { name, mut spent, instructions } in rows {
        spent.sort_unstable();
        let at = |per_mille: usize| {
            let found = spent.get(spent.len().saturating_mul(per_mille) / 1000);
            found.copied().unwrap_or_default().as_secs_f64() * 1e6
        };
        let (p50, p99, p999) = (at(500), at(990), at(999));
        let counted = instructions.map_or_else(|| "not counted".to_owned(), |n| n.to_string());
        let _ = writeln!(
            text,
            "{name:<57} p50 {p50:>6.2}   p99 {p99:>6.2}   p99.9 {p999:>7.2}   instructions {counted:>8}"
        );
        values.push(json!({
            "decision": name, "p50_us": p50, "p99_us": p99, "p999_us": p999,
            "instructions": instructions,
        }));
    }
    if text.contains("not counted") {
        text.push_str("instructions are counted by valgrind: apt-get install valgrind\n");
    }
    (json!({ "decisions": values, "open_orders": open }), text)
}

/// What cannot be on a desk that this file makes.
fn bad(why: &str) -> Failure {
    let what = BenchWhat::Decisions;
    failed(&format!("{what:?}: {why}"))
}
