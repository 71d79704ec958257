//! `tidegate override`: single orders that may pass soft rules of the policy.

use super::args::{Common, Override, OverrideGive};
use super::manage::{PATIENCE, done, pending};
use super::output::{Failure, print};
use super::reach::ask;
use super::status::{now_ms, span};
use serde_json::{Value, json};
use tidegate_server::admin::protocol::{OverrideSpec, OverrideStatus, Request};

/// Gives, lists or takes back.
pub fn run(common: &Common, command: Override) -> Result<(), Failure> {
    match command {
        Override::Give(give) => self::give(common, give),
        Override::List => list(common),
        Override::TakeBack { id } => {
            let text = format!("override {id} is good no more");
            done(common, &Request::OverrideTakeBack { id }, &text)
        }
    }
}

fn give(common: &Common, give: OverrideGive) -> Result<(), Failure> {
    let valid_s = tidegate_policy::seconds(&give.valid_for).ok_or_else(|| {
        let message = format!("{} is no length of time", give.valid_for);
        Failure::usage(message, "write it as 90s, 10min or 1h")
    })?;
    let spec = OverrideSpec {
        caller: give.caller,
        account: give.account,
        instrument: give.instrument,
        side: give.side.word().to_owned(),
        max_quantity: give.max_quantity,
        rules: give.rules,
        reason: give.reason,
        valid_s,
    };
    let rules = spec.rules.join(", ");
    let (caller, valid) = (spec.caller.clone(), span(valid_s));
    let given = ask(common, &Request::OverrideGive(spec), PATIENCE)?;
    if let Some(id) = pending(&given) {
        return Err(Failure::pending(id, given));
    }
    let id = given.get("override").and_then(Value::as_str).unwrap_or_default();
    let text = format!("override {id}: one order of {caller} may pass {rules} within {valid}");
    print(common.json, &given, &text);
    Ok(())
}

fn list(common: &Common) -> Result<(), Failure> {
    let overrides = super::policy::told(common)?.overrides;
    let mut lines: Vec<String> = overrides.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("no override is good now".to_owned());
    }
    print(common.json, &json!({ "overrides": overrides }), &lines.join("\n"));
    Ok(())
}

fn line(of: &OverrideStatus) -> String {
    let left = span(of.expires_ms.saturating_sub(now_ms()) / 1000);
    let OverrideStatus { id, caller, account, instrument, side, max_quantity, reason, .. } = of;
    let rules = of.rules.join(", ");
    format!(
        "{id}  {caller} on {account}: {side} at most {max_quantity} {instrument} past {rules}, for {left}: {reason}"
    )
}
