//! `tidegate status`: what runs, in a form that a person can read at a glance.

use super::args::{Common, Status as Args};
use super::output::{Failure, draw, print};
use super::reach::{ask, remains};
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;
use tidegate_server::admin::protocol::{AccountStatus, OptionsStatus, Request, Status};
use tidegate_types::text::visible;

const PATIENCE: Duration = Duration::from_secs(5);
/// Most kinds of refusal that are shown.
const REFUSALS: usize = 6;
/// Most alarms that are shown.
const ALARMS: usize = 6;

/// Prints the status once, or again every second.
pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    loop {
        let value = ask(common, &Request::Status {}, PATIENCE)?;
        let text = text(&read(&value)?);
        match args.watch && !common.json {
            // Home, the new text with each line cleared to its end, and nothing below.
            true => {
                draw(&format!("\x1b[H{}\x1b[K\x1b[J", visible(&text).replace('\n', "\x1b[K\n")));
            }
            false => print(common.json, &value, &text),
        }
        if !args.watch {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// The status that a gateway told.
pub fn read(value: &Value) -> Result<Status, Failure> {
    serde_json::from_value(value.clone()).map_err(|error| {
        Failure::new(
            "version",
            format!("the status cannot be read: {error}"),
            "use the gateway's own version of this command",
        )
    })
}

/// The status as lines of text.
pub fn text(status: &Status) -> String {
    let mut out = String::new();
    heading(&mut out, status);
    alarms(&mut out, status);
    accounts(&mut out, status);
    super::limits::lines(&mut out, status);
    refusals(&mut out, status);
    clocks(&mut out, status);
    latency(&mut out, status);
    out.trim_end().to_owned()
}

fn heading(out: &mut String, status: &Status) {
    let signer = status.pids.signer.map_or("DOWN".to_owned(), |pid| pid.to_string());
    let _ = writeln!(
        out,
        "tidegate {} · desk {} · durability {} · approvals {} · up {}",
        status.version,
        status.desk,
        status.durability,
        status.approvals,
        span(now_ms().saturating_sub(status.started_ms) / 1000),
    );
    if !status.has_admin {
        let _ =
            writeln!(out, "no administrator is named yet: the owner of the data folder acts alone");
    }
    for line in weak_controls(status) {
        let _ = writeln!(out, " ! {line}");
    }
    if let Some(policy) = &status.policy {
        let _ = writeln!(out, "policy {policy}: `tidegate policy show`");
    }
    if status.approvals_waiting > 0 {
        let waiting = status.approvals_waiting;
        let _ = writeln!(out, " ! {waiting} waiting for a second person: `tidegate approvals`");
    }
    let _ = writeln!(
        out,
        "gateway {} · signer {signer} · {} connections · journal {} records, {} checkpointed, {} MiB{}",
        status.pids.gateway,
        status.connections,
        status.journal.next,
        status.journal.checkpointed,
        status.journal.bytes >> 20,
        status.journal.free_bytes.map_or(String::new(), |free| format!(
            ", {}.{} GiB free",
            free >> 30,
            (free >> 20) % 1024 * 10 / 1024
        )),
    );
}

/// The controls that a desk of several people could have, and has not.
pub(super) fn weak_controls(status: &Status) -> Vec<String> {
    let several = status.has_admin && status.people >= 2;
    let one = several && status.approvals == "one";
    let any = several && status.approve_by == "any";
    let one = one.then_some("one person loosens alone: `tidegate approvals set two`");
    let any = any.then_some("approving takes no passkey: `tidegate approvals by passkey`");
    one.into_iter().chain(any).map(str::to_owned).collect()
}

/// What somebody has to look at.
fn alarms(out: &mut String, status: &Status) {
    if let Some(why) = &status.journal_failed {
        let _ = writeln!(out, "!! JOURNAL CLOSED: {why}");
    }
    if let Some(why) = &status.journal_degraded {
        let _ = writeln!(out, " ! journal: {why}; orders pass while it has room");
    }
    for halt in &status.halts {
        let proven = if halt.proven { "proven" } else { "NOT YET PROVEN" };
        let reduce = if halt.allow_reduce { ", reducing orders pass" } else { "" };
        let flat = match halt.flatten.as_deref() {
            Some("flat") => ", flat",
            Some(_) => ", CLOSING POSITIONS",
            None => "",
        };
        let (scope, ago) = (&halt.scope, span(now_ms().saturating_sub(halt.since_ms) / 1000));
        let _ = writeln!(
            out,
            "!! HALTED {scope} ({proven}{reduce}{flat}) {ago} ago by {}: {}",
            halt.by, halt.reason
        );
        for too in &halt.too {
            let ago = span(now_ms().saturating_sub(too.at_ms) / 1000);
            let _ = writeln!(out, "   too by {} {ago} ago: {}", too.by, too.reason);
        }
        for line in remains(&halt.remains, halt.left_count) {
            let _ = writeln!(out, "   {line}");
        }
    }
    for row in &status.breakers {
        for place in row.places.iter().filter(|place| place.stage != "closed") {
            let _ = writeln!(out, "!! BREAKER {}", super::breakers::trip_line(row, place));
        }
    }
    for book in &status.lost_books {
        let ago = span(now_ms().saturating_sub(book.since_ms) / 1000);
        let (instrument, why) = (&book.instrument, &book.why);
        let now = if book.whole { ", whole again: waiting for a mark" } else { "" };
        let _ = writeln!(
            out,
            "!! NO BOOK of {instrument} since {ago}{now}: {why}; only reducing orders pass"
        );
    }
    for line in status.accounts.iter().filter_map(super::margin::warning) {
        let _ = writeln!(out, "!! {line}");
    }
    for order in &status.foreign {
        let id = order.venue_id.as_deref().unwrap_or("?");
        let _ = writeln!(
            out,
            "!! NOT OURS: order {id} of {} on {} was placed past Tidegate",
            order.instrument, order.account
        );
    }
    let older = status.alarms.len().saturating_sub(ALARMS);
    for alarm in status.alarms.iter().skip(older).rev() {
        let _ = writeln!(out, "!! {}", super::alarms::line(alarm));
    }
    if older > 0 {
        let _ = writeln!(out, "!! and {older} alarms more: `tidegate alarms`");
    }
    for what in &status.signer_lacks {
        let _ = writeln!(out, " ! {what}");
    }
}

fn accounts(out: &mut String, status: &Status) {
    let rows: Vec<_> = status.accounts.iter().map(|a| (a, account_state(a))).collect();
    let callers: Vec<_> = status.callers.iter().collect();
    let names = rows.iter().map(|(a, _)| a.account.len());
    let width = names.chain(callers.iter().map(|c| c.caller.len() + 2)).max().unwrap_or(0).max(7);
    let _ = writeln!(
        out,
        "\n{:<width$}  {:<8} {:>6}  {:>24}  {:>26}  state and positions",
        "account", "venue", "orders", "open USD of at most", "exposure USD of at most"
    );
    let limit = |most: &Option<String>| most.clone().unwrap_or("no limits: nothing".to_owned());
    for (account, state) in rows {
        let _ = writeln!(
            out,
            "{:<width$}  {:<8} {:>6}  {:>24}  {:>26}  {state}{}",
            account.account,
            account.venue,
            account.open_orders,
            of(&account.open_notional, &limit(&account.max_open_notional)),
            of(&account.exposure, &limit(&account.max_exposure)),
            positions(account),
        );
        if !account.balances.is_empty() {
            let held =
                account.balances.iter().map(|(asset, amount)| format!(" · {asset} {amount}"));
            let _ = writeln!(out, "  wallet{}", held.collect::<String>());
        }
        for line in super::margin::both(account) {
            let _ = writeln!(out, "  {line}");
        }
        for caller in callers.iter().filter(|caller| caller.account == account.account) {
            let rights = if caller.trade { "" } else { "reads only" };
            let _ = writeln!(
                out,
                "  {:<rest$}  {:<8} {:>6}  {:>24}  {:>26}  {rights}",
                caller.caller,
                "",
                caller.open_orders,
                of(&caller.open_notional, &caller.max_open_notional),
                "",
                rest = width - 2,
            );
        }
    }
    if status.accounts.is_empty() {
        let _ = writeln!(out, "none yet: `tidegate account add`");
    }
}

/// How an account's options stand, in dollars.
pub(super) fn standing(options: &OptionsStatus) -> String {
    let most = match (&options.max_margin, &options.equity) {
        (Some(most), _) => format!(" of at most {most}"),
        (None, Some(equity)) => format!(", equity {equity}, no limits of its own for options"),
        (None, None) => ", and a balance that cannot be valued".to_owned(),
    };
    let OptionsStatus { margin, delta, gamma, vega, theta, .. } = options;
    format!(
        " · scenario margin USD {margin}{most} · at worst delta {delta}, gamma {gamma}, vega {vega}, theta {theta}"
    )
}

fn account_state(account: &AccountStatus) -> String {
    match (account.open, account.why.as_str()) {
        (true, _) => "open".to_owned(),
        (false, "") => "CLOSED".to_owned(),
        (false, why) => format!("CLOSED: {why}"),
    }
}

fn positions(account: &AccountStatus) -> String {
    let rows = account.positions.iter().map(|(name, qty)| format!(" · {name} {qty}"));
    rows.chain([self_trades(account)]).collect()
}

/// What happens to orders that would trade with one of the same owner.
fn self_trades(account: &AccountStatus) -> String {
    let owner = account.owner.as_ref().map(|owner| format!(" with all accounts of {owner}"));
    format!(" · self-trades: {}{}", account.self_trade, owner.unwrap_or_default())
}

fn refusals(out: &mut String, status: &Status) {
    let counts = &status.counts;
    let _ = writeln!(
        out,
        "\nsince the start: {} orders, {} amends, {} cancels, {} fills, {} refusals, {} outcomes unknown",
        counts.orders, counts.amends, counts.cancels, counts.fills, counts.refusals, counts.unknown,
    );
    for refusal in status.recent_refusals.iter().rev().take(REFUSALS) {
        let ago = span(now_ms().saturating_sub(refusal.at_ms) / 1000);
        let who = refusal.caller.as_deref().unwrap_or("somebody");
        let reason = match refusal.reason.as_str() {
            "" => &refusal.code,
            reason => reason,
        };
        let _ = writeln!(out, "  refused {who} × {}, {ago} ago: {reason}", refusal.count);
    }
}

/// How far the venues' clocks are ahead of the gateway's.
fn clocks(out: &mut String, status: &Status) {
    for clock in &status.clocks {
        let (off, give) = (clock.ahead_us / 1000, clock.give_us.div_ceil(1000));
        let where_ = if off < 0 { "behind" } else { "ahead of" };
        let (venue, off, ago) =
            (&clock.venue, off.abs(), span(now_ms().saturating_sub(clock.at_ms) / 1000));
        let stamped = if clock.used { "its" } else { "our" };
        let _ = writeln!(
            out,
            "clock: {venue}'s is {off} ms {where_} ours, give or take {give} ms, compared {ago} ago; \
             requests carry {stamped} time"
        );
    }
}

fn latency(out: &mut String, status: &Status) {
    let order = ["gateway", "decision", "signer", "flush", "venue"];
    let meaning = [
        "a request, head to answer, the venue included",
        "the core: authorize, shape, risk",
        "the signer, there and back",
        "the journal, to its flush",
        "the venue, there and back",
    ];
    let _ = writeln!(out, "\n{:<9} {:>11} {:>11} {:>11}", "latency", "p50", "p99", "p99.9");
    for (stage, means) in order.into_iter().zip(meaning) {
        let Some(quantiles) = status.latency.get(stage).filter(|q| q.count > 0) else { continue };
        let _ = writeln!(
            out,
            "{stage:<9} {:>11} {:>11} {:>11}  {means} ({})",
            took(quantiles.p50_ns),
            took(quantiles.p99_ns),
            took(quantiles.p999_ns),
            quantiles.count,
        );
    }
}

/// `used / most`, both in whole dollars.
fn of(used: &str, most: &str) -> String {
    format!("{} / {}", whole(used), whole(most))
}

/// An amount without its fraction, in groups of three digits.
fn whole(amount: &str) -> String {
    let digits = amount.split('.').next().unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return amount.to_owned();
    }
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

fn took(ns: u64) -> String {
    match ns {
        0..10_000 => format!("{}.{} µs", ns / 1000, ns % 1000 / 100),
        10_000..10_000_000 => format!("{} µs", ns / 1000),
        _ => format!("{} ms", ns / 1_000_000),
    }
}

pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Now, in ms since 1970.
pub fn now_ms() -> u64 {
    tidegate_server::clock::now().millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_times_are_short() {
        assert_eq!(whole("1234567.8"), "1\u{202f}234\u{202f}567");
        assert_eq!((whole("0.5").as_str(), whole("nothing").as_str()), ("0", "nothing"));
        assert_eq!((took(1_250), took(250_000), took(12_000_000)), {
            ("1.2 µs".to_owned(), "250 µs".to_owned(), "12 ms".to_owned())
        });
        assert_eq!((span(59), span(3_700)), ("59 s".to_owned(), "1 h 1 min".to_owned()));
    }

    #[test]
    fn an_account_tells_what_becomes_of_self_trades_and_with_whom() {
        let account = |owner: Option<&str>| -> AccountStatus {
            serde_json::from_value(serde_json::json!({
                "self_trade": "cancel-old", "owner": owner, "account": "main", "venue": "deribit",
                "open": true, "why": "", "key": null, "rights": [], "open_orders": 0,
                "foreign_orders": 0, "open_notional": "0", "max_open_notional": null,
                "exposure": "0", "max_exposure": null, "positions": {}, "balances": {},
            }))
            .unwrap()
        };
        assert_eq!(positions(&account(None)), " · self-trades: cancel-old");
        let shared = " · self-trades: cancel-old with all accounts of fund-one";
        assert_eq!(positions(&account(Some("fund-one"))), shared);
    }
}
