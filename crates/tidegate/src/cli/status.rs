//! `tidegate status`: what runs, in a form that a person can read at a glance.

use super::args::{Common, Status as Args};
use super::output::{Failure, print, say};
use super::reach::ask;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;
use tidegate_server::admin::protocol::{Request, Status};

const PATIENCE: Duration = Duration::from_secs(5);

/// Prints the status once, or again every second.
pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    loop {
        let value = ask(common, &Request::Status {}, PATIENCE)?;
        if args.watch && !common.json {
            say("\x1b[2J\x1b[H");
        }
        print(common.json, &value, &text(&value)?);
        if !args.watch {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// The status as lines of text.
pub fn text(value: &Value) -> Result<String, Failure> {
    let status: Status = serde_json::from_value(value.clone()).map_err(|error| {
        Failure::new(
            "version",
            format!("the status cannot be read: {error}"),
            "use the gateway's own version of this command",
        )
    })?;
    let mut text = format!(
        "tidegate {} · desk {} · durability {} · approvals {} · gateway {} · signer {} · {} connections\n",
        status.version,
        status.desk,
        status.durability,
        status.approvals,
        status.pids.gateway,
        status.pids.signer.map_or("down".to_owned(), |pid| pid.to_string()),
        status.connections,
    );
    if let Some(why) = &status.journal_failed {
        let _ = writeln!(
            text,
            "JOURNAL CLOSED: {why} (cancels and halts still pass; restart to open it)"
        );
    }
    for halt in &status.halts {
        let proven = if halt.proven { "proven" } else { "NOT YET PROVEN" };
        let _ = writeln!(text, "HALTED {} ({proven}) by {}: {}", halt.scope, halt.by, halt.reason);
    }
    for account in &status.accounts {
        accounts(&mut text, account);
    }
    if !status.refusals.is_empty() {
        let counts: Vec<String> =
            status.refusals.iter().map(|(c, n)| format!("{c} × {n}")).collect();
        let _ = writeln!(text, "refused   {}", counts.join("  "));
    }
    for (stage, quantiles) in &status.latency {
        let us = |ns: u64| format!("{}.{} µs", ns / 1000, ns % 1000 / 100);
        let _ = writeln!(
            text,
            "{stage:<9} p50 {:>12}  p99 {:>12}  of {}",
            us(quantiles.p50_ns),
            us(quantiles.p99_ns),
            quantiles.count
        );
    }
    Ok(text.trim_end().to_owned())
}

fn accounts(text: &mut String, account: &tidegate_server::admin::protocol::AccountStatus) {
    let state = match (account.open, account.why.as_str()) {
        (true, _) => "open".to_owned(),
        (false, "") => "closed".to_owned(),
        (false, why) => format!("closed: {why}"),
    };
    let _ = writeln!(
        text,
        "account   {} at {} · {state} · {} open orders worth {} USD{}",
        account.account,
        account.venue,
        account.open_orders,
        account.open_notional,
        if account.foreign_orders > 0 {
            format!(" · {} NOT OURS", account.foreign_orders)
        } else {
            String::new()
        },
    );
    if !account.positions.is_empty() {
        let rows: Vec<String> = account.positions.iter().map(|(i, q)| format!("{i} {q}")).collect();
        let _ = writeln!(text, "          {}", rows.join("  "));
    }
}
