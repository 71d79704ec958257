//! Commands that ask a running gateway.

use super::args::{
    Account, Caller, Common, Grant, GrantSet, Halt, Limit, LimitOptions, LimitSet, OnRepeat, Resume,
};
use super::keys;
use super::margin;
use super::output::{Failure, print, say};
use super::reach::{ask, data_dir, remains};
use super::status;
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_server::admin::protocol::{
    GrantSpec, LimitsSpec, OptionLimitsSpec, Remains, RepeatSpec, Request, TermsSpec,
};
use tidegate_server::folder::DataFolder;
use tidegate_types::grant::Scope;

pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// `tidegate account …`
pub fn account(common: &Common, command: Account) -> Result<(), Failure> {
    match command {
        Account::Add { account, venue, self_trade } => {
            let text = format!("added account {account} at {venue}");
            let self_trade = Some(self_trade);
            done(common, &Request::AccountAdd { venue, account, self_trade }, &text)
        }
        Account::Owner { account, owner, none: _ } => {
            let text = match &owner {
                Some(owner) => format!("{account} belongs to {owner}"),
                None => format!("{account} belongs to no owner that has others"),
            };
            done(common, &Request::AccountOwner { account, owner }, &text)
        }
    }
}

/// `tidegate caller …`
pub fn caller(common: &Common, command: Caller) -> Result<(), Failure> {
    match command {
        Caller::Add { caller } => {
            let text = format!("added caller {caller}");
            done(common, &Request::CallerAdd { caller }, &text)
        }
        Caller::Share { caller, person } => {
            let text = format!("{person} reads {caller}");
            done(common, &Request::CallerShare { caller, person }, &text)
        }
        Caller::Unshare { caller, person } => {
            let text = format!("{person} reads {caller} no more");
            done(common, &Request::CallerUnshare { caller, person }, &text)
        }
        Caller::Key { caller, account, public_key, from, certificate, until } => {
            let public = public_key.as_deref().map(keys::public_key_hex).transpose()?;
            let terms = TermsSpec {
                from,
                certificate: certificate.as_deref().map(keys::certificate_digest).transpose()?,
                until_ms: until.as_deref().map(milliseconds).transpose()?,
            };
            made_key(common, &Request::KeyAdd { caller, account, public, terms })
        }
        Caller::Rotate { key, overlap_h, until, public_key } => {
            let until_ms = until.as_deref().map(milliseconds).transpose()?;
            let public = public_key.as_deref().map(keys::public_key_hex).transpose()?;
            let overlap_s = overlap_h.saturating_mul(3600);
            made_key(common, &Request::KeyRotate { id: key, overlap_s, until_ms, public })
        }
        Caller::Keys => keys::list(common),
        Caller::Revoke { key } => {
            let text = format!("revoked {key}");
            done(common, &Request::KeyRevoke { id: key }, &text)
        }
    }
}

/// Asks for a key and shows it, which happens this once.
fn made_key(common: &Common, request: &Request) -> Result<(), Failure> {
    let made = ask(common, request, PATIENCE)?;
    let text = |name: &str| made.get(name).and_then(Value::as_str).unwrap_or_default();
    let shown = match text("secret") {
        "" => format!("key    {}", text("id")),
        secret => format!("key    {}\nsecret {secret}", text("id")),
    };
    if !text("secret").is_empty() {
        say("the secret is shown this once");
    }
    let Some(id) = pending(&made) else {
        print(common.json, &made, &shown);
        return Ok(());
    };
    if !common.json {
        print(false, &made, &shown);
    }
    Err(Failure::pending(id, made))
}

/// `tidegate grant …`
pub fn grant(common: &Common, command: Grant) -> Result<(), Failure> {
    match command {
        Grant::Set(set) => {
            let text = format!("granted {} on {}", set.caller, set.account);
            done(common, &Request::GrantSet(grant_spec(set)?), &text)
        }
        Grant::Remove { caller, account } => {
            let text = format!("took back the grant of {caller} on {account}");
            done(common, &Request::GrantRemove { caller, account }, &text)
        }
    }
}

/// `tidegate limit …`
pub fn limit(common: &Common, command: Limit) -> Result<(), Failure> {
    match command {
        Limit::Set(set) => {
            let text = format!("set the limits of {}", set.account);
            done(common, &Request::LimitsSet(limits_spec(set)?), &text)
        }
        Limit::SelfTrade { account, mode } => {
            let text = format!("{account}: orders that would meet each other: {mode}");
            done(common, &Request::SelfTradeSet { account, mode }, &text)
        }
        Limit::Options(LimitOptions { account, remove: true, .. }) => {
            let text = format!("took the limits of the options of {account} away");
            done(common, &Request::OptionLimitsRemove { account }, &text)
        }
        Limit::Options(set) => {
            let text = format!("set the limits of the options of {}", set.account);
            let account = set.account.clone();
            done(common, &Request::OptionLimitsSet(option_limits_spec(set)), &text)?;
            show_standing(common, &account);
            Ok(())
        }
    }
}

/// How the account stands by its new limits, beside its venue's own margin, for people. That they are set is said
/// already, so a status that does not come is no failure.
fn show_standing(common: &Common, account: &str) {
    if common.json {
        return;
    }
    let status = ask(common, &Request::Status {}, PATIENCE).and_then(|told| status::read(&told));
    for line in status.iter().flat_map(|status| margin::of(status, account)) {
        say(&line);
    }
}

/// The request that something waits for, if a second person has to approve it.
pub fn pending(value: &Value) -> Option<u64> {
    value.get("pending").and_then(Value::as_u64)
}

/// `tidegate halt`: ends well only when the venue shows no order of the scope. With no gateway that
/// answers, leaves the halt file, which every gateway on the folder obeys.
pub fn halt(common: &Common, halt: Halt) -> Result<(), Failure> {
    let Halt { scope, reason, timeout, allow_reduce, flatten } = halt;
    // Which order is meant by a name, the gateway knows.
    let order = scope.strip_prefix("order:").is_some_and(|name| !name.is_empty());
    if !order && scope.parse::<Scope>().is_err() {
        return Err(Failure::usage(
            format!("{scope} is no scope"),
            "use all, desk:NAME, venue:NAME, account:NAME, caller:NAME, instrument:VENUE/NAME or order:N",
        ));
    }
    let request = Request::Halt {
        scope: scope.clone(),
        reason: reason.clone(),
        timeout_s: timeout,
        allow_reduce,
        flatten,
    };
    if !common.json {
        say("halting; the halt stays in force if this is interrupted");
    }
    let answer = ask(common, &request, Duration::from_secs(timeout) + PATIENCE);
    match answer {
        Ok(value) => {
            let text = match flatten {
                false => format!("halted {scope}: proven, nothing of it is open"),
                true => flat(&scope, &value),
            };
            print(common.json, &value, &text);
            Ok(())
        }
        Err(failure)
            if common.url.is_none() && matches!(failure.code, "not-running" | "no-answer") =>
        {
            let why = match failure.code {
                "not-running" => Failure::new(
                    "blocked-not-proven",
                    match flatten {
                        false => "no gateway runs: blocked, not proven",
                        true => "no gateway runs: blocked, not proven, and no position is closed",
                    },
                    "look at the venues for open orders",
                ),
                _ => failure,
            };
            Err(leave_halt_file(common, &format!("{scope}: {reason}\n"), why))
        }
        Err(failure) => Err(failure),
    }
}

/// That a halt is flat, and what was traded for that.
fn flat(scope: &str, told: &Value) -> String {
    let closed = serde_json::from_value(told.get("closed").cloned().unwrap_or_default());
    let done = Remains { closed: closed.unwrap_or_default(), ..Remains::default() };
    let first = format!(
        "halted {scope}: proven, nothing of it is open; flat, the exchange shows no position"
    );
    std::iter::once(first).chain(remains(&done, 0)).collect::<Vec<_>>().join("\n")
}

/// Leaves the halt file, and says so with the failure.
fn leave_halt_file(common: &Common, text: &str, failure: Failure) -> Failure {
    let path = match data_dir(common) {
        Ok(dir) => DataFolder::new(dir).halt_file(),
        Err(failure) => return failure,
    };
    let shown = path.display();
    match tidegate_server::admin::write_halt_file(&path, text) {
        Ok(()) => {
            let hint = format!("while {shown} is there, everything is halted; {}", failure.hint);
            Failure { hint, ..failure }
        }
        Err(error) => Failure::new(
            "not-halted",
            format!("{}; cannot write {shown}: {error}", failure.message),
            "halt at the venue",
        ),
    }
}

/// `tidegate resume`
pub fn resume(common: &Common, resume: Resume) -> Result<(), Failure> {
    let text = format!("resumed {}", resume.scope);
    done(common, &Request::Resume { scope: resume.scope, reason: resume.reason }, &text)
}

/// Asks, and prints that it is done, or that it waits for a second person.
pub fn done(common: &Common, request: &Request, text: &str) -> Result<(), Failure> {
    let value = match ask(common, request, PATIENCE)? {
        Value::Null => json!({ "done": true }),
        value => value,
    };
    if let Some(id) = pending(&value) {
        return Err(Failure::pending(id, value));
    }
    print(common.json, &value, text);
    Ok(())
}

fn grant_spec(set: GrantSet) -> Result<GrantSpec, Failure> {
    Ok(GrantSpec {
        caller: set.caller,
        account: set.account,
        trade: !set.read_only,
        instruments: set.instruments,
        sides: set.sides,
        order_types: set.order_types.iter().map(|name| name.replace('-', "_")).collect(),
        reduce_only: set.reduce_only,
        max_order_qty: set.max_order_qty,
        max_order_notional: set.max_order.unwrap_or_else(|| "0".to_owned()),
        max_open_notional: set.max_open.unwrap_or_else(|| "0".to_owned()),
        max_daily_notional: set.max_daily_notional,
        orders_per_second: set.orders_per_second,
        burst: set.burst,
        settings: set.settings,
        account_wide: set.account_wide,
        hours: set.hours,
        days: set.days,
        until_ms: set.until.as_deref().map(milliseconds).transpose()?,
    })
}

fn limits_spec(set: LimitSet) -> Result<LimitsSpec, Failure> {
    let pair = |text: &String| {
        let (pattern, qty) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("{text} is not PATTERN=QUANTITY"), "write it as BTC-*=100000")
        })?;
        Ok((pattern.to_owned(), qty.to_owned()))
    };
    Ok(LimitsSpec {
        account: set.account,
        max_order_qty: set.max_order_qty.iter().map(pair).collect::<Result<_, Failure>>()?,
        max_order_notional: set.max_order,
        max_open_notional: set.max_open,
        max_position_notional: set.max_position,
        max_exposure: set.max_exposure,
        collar_bps: set.collar_bps,
        option_collar_bps: set.option_collar_bps,
        max_mark_age_ms: set.max_mark_age_ms,
        orders_per_second: set.orders_per_second,
        burst: set.burst,
        repeat_window_ms: set.repeat_window_ms,
        on_repeat: match set.on_repeat {
            OnRepeat::Refuse => RepeatSpec::Refuse,
            OnRepeat::Warn => RepeatSpec::Warn,
        },
        dead_man_s: set.dead_man_s,
    })
}

fn option_limits_spec(set: LimitOptions) -> OptionLimitsSpec {
    OptionLimitsSpec {
        account: set.account,
        max_delta: set.max_delta,
        max_gamma: set.max_gamma,
        max_vega: set.max_vega,
        max_theta: set.max_theta,
        max_net_short: set.max_net_short,
        max_margin_bps: set.max_margin_bps,
        range_bps: set.range_bps,
        vol_up_bps: set.vol_up_bps,
        vol_down_bps: set.vol_down_bps,
        short_bps: set.short_bps,
        expiry_bps: set.expiry_bps,
        concentrated_above: set.concentrated_above,
        concentration_bps: set.concentration_bps,
    }
}

fn milliseconds(text: &str) -> Result<u64, Failure> {
    let time: jiff::Timestamp = text.parse().map_err(|_| {
        Failure::usage(format!("{text} is not a time"), "write it as 2026-12-31T17:00:00Z")
    })?;
    u64::try_from(time.as_millisecond())
        .map_err(|_| Failure::usage(format!("{text} is before 1970"), "give a time to come"))
}
