//! The one form of a policy: what two people compare, and what its digest is of.

use crate::limits::{quoted, written};
use crate::measure::{grouped, write_span};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use tidegate_types::policy::{Each, Limit, Policy, Reach, Rule, Strength};

/// The policy as a file. Reading it gives the same policy, and whatever file a policy was read from, this
/// is what it comes to: without comments, defaults left out, units the longest that fit.
pub fn canonical(policy: &Policy) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "name = {}", quoted(policy.name().as_str()));
    let _ = writeln!(out, "version = {}", policy.version());
    let _ = writeln!(out, "mark_age = {}", quoted(&write_span(policy.max_mark_age())));
    if !policy.pegs().is_empty() {
        out.push_str("\n[pegs]\n");
    }
    for peg in policy.pegs() {
        let price = quoted(&format!("{} USD", grouped(peg.price.0)));
        let _ = writeln!(out, "{} = {price}", quoted(peg.currency.as_str()));
    }
    for rule in policy.rules() {
        let _ = write!(out, "\n[[rule]]\nid = {}\n", quoted(rule.id.as_str()));
        if rule.reach != Reach::default() {
            let _ = writeln!(out, "over = {}", reach(&rule.reach));
        }
        if rule.each != Each::All {
            let _ = writeln!(out, "each = {}", quoted(rule.each.word()));
        }
        let (key, text) = written(&rule.limit);
        let _ = writeln!(out, "{key} = {text}");
        if rule.strength == Strength::Soft {
            out.push_str("soft = true\n");
        }
    }
    out
}

/// SHA-256 of the canonical form, in hex: what `sha256sum` says of the file.
pub fn digest(policy: &Policy) -> String {
    let digest = Sha256::digest(canonical(policy));
    digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A limit as its key and value, on one line.
pub fn limit_text(limit: &Limit) -> String {
    let (key, text) = written(limit);
    format!("{key} = {text}")
}

/// A rule on one line: its limit, what it is over, and how it counts.
pub fn rule_text(rule: &Rule) -> String {
    let mut text = format!("{} over {}", limit_text(&rule.limit), rule.reach);
    if rule.each != Each::All {
        let _ = write!(text, ", each {} by itself", rule.each.word());
    }
    if rule.strength == Strength::Soft {
        text.push_str(", soft");
    }
    text
}

fn reach(reach: &Reach) -> String {
    let of = &reach.instruments;
    let pairs = [
        ("account", reach.account.as_ref().map(ToString::to_string)),
        ("caller", reach.caller.as_ref().map(ToString::to_string)),
        ("venue", of.venue.as_ref().map(ToString::to_string)),
        ("class", of.class.map(|class| class.word().to_owned())),
        ("base", of.base.as_ref().map(ToString::to_string)),
        ("instrument", of.name.as_ref().map(ToString::to_string)),
    ];
    let given = pairs.iter().filter_map(|(key, text)| text.as_ref().map(|text| (key, text)));
    let given: Vec<String> = given.map(|(key, text)| format!("{key} = {}", quoted(text))).collect();
    format!("{{ {} }}", given.join(", "))
}
