//! What is in force, how far it is used, and what a shadow would have refused.

use super::super::args::Common;
use super::super::output::{Failure, print};
use super::told;
use serde_json::json;
use std::fmt::Write as _;
use tidegate_server::admin::protocol::{HoldingStatus, InForce, PolicyStatus, Shadow};

/// `tidegate policy show`
pub(super) fn show(common: &Common, as_file: bool) -> Result<(), Failure> {
    let status = told(common)?;
    if !as_file {
        print(common.json, &status, &text(&status));
        return Ok(());
    }
    let in_force = status.in_force.ok_or_else(|| {
        let hint = "put one there with `tidegate policy apply`";
        Failure::new("no-policy", "no policy is in force", hint)
    })?;
    let value = json!({ "digest": in_force.digest, "file": in_force.file });
    print(common.json, &value, in_force.file.trim_end());
    Ok(())
}

/// `tidegate policy shadow report`
pub(super) fn report(common: &Common) -> Result<(), Failure> {
    let shadow = told(common)?.shadow.ok_or_else(|| {
        let hint = "start one with `tidegate policy shadow FILE`";
        Failure::new("no-shadow", "no policy runs beside", hint)
    })?;
    print(common.json, &shadow, &shadow_text(&shadow));
    Ok(())
}

/// The policies as lines of text.
pub(super) fn text(status: &PolicyStatus) -> String {
    let mut out = match &status.in_force {
        Some(in_force) => in_force_text(in_force),
        None => "no policy is in force: the limits of accounts and grants hold alone\n".to_owned(),
    };
    if let Some(shadow) = &status.shadow {
        let refused: u64 = shadow.refused.iter().map(|row| row.count).sum();
        let Shadow { name, version, .. } = shadow;
        let _ =
            writeln!(out, "\nbeside it runs {name} v{version}: it would have refused {refused}");
    }
    if !status.holdings.is_empty() {
        out.push_str("\nheld, as the policy values it\n");
    }
    for of in &status.holdings {
        let HoldingStatus { account, what, amount, .. } = of;
        let _ = writeln!(out, "{account}: {amount} {what}{}", valued(of));
    }
    if !status.overrides.is_empty() {
        let count = status.overrides.len();
        let _ = writeln!(out, "\n{count} overrides are good now: `tidegate override list`");
    }
    out.trim_end().to_owned()
}

/// What that is worth, by whose price, and how old that is.
fn valued(of: &HoldingStatus) -> String {
    let Some((worth, price)) = of.worth.as_ref().zip(of.price.as_ref()) else {
        return ", NOT VALUED: no price of it is known, so orders that add risk are refused"
            .to_owned();
    };
    let source = match (&of.source, of.age_ms) {
        (Some(source), Some(age)) => format!("{source}, {age} ms old"),
        (Some(source), None) => source.clone(),
        (None, _) => "the policy".to_owned(),
    };
    format!(" = {worth} USD at {price} by {source}")
}

fn in_force_text(policy: &InForce) -> String {
    let InForce { name, version, digest, reason, rules, .. } = policy;
    let why = reason.as_ref().map(|reason| format!("reason {reason}\n")).unwrap_or_default();
    let mut out = format!("{name} v{version} is in force\ndigest {digest}\n{why}\n");
    let width = rules.iter().map(|rule| rule.rule.len()).max().unwrap_or(0);
    for rule in rules {
        let _ = writeln!(out, "{:<width$}  {}", rule.rule, rule.text);
        for used in &rule.used {
            let _ = writeln!(out, "{:<width$}    {}", "", used.text);
        }
    }
    out
}

fn shadow_text(shadow: &Shadow) -> String {
    let Shadow { name, version, digest, refused, .. } = shadow;
    let mut out = format!("{name} v{version} runs beside\ndigest {digest}\n");
    for row in refused {
        let _ = writeln!(out, "would have refused {} by {}", row.count, row.rule);
    }
    if refused.is_empty() {
        out.push_str("it would have refused nothing");
    }
    out.trim_end().to_owned()
}
