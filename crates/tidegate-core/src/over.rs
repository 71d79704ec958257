//! How a fixed limit tells in one line why it stands in the way: the limit, whose it is, the version of the
//! rules, the number, the bound and the distance. A policy's rules tell themselves (`policy::Measure`).
//!
//! `open notional of account main, rules v5: 20100 > 20000 USD (over by 100)`

use std::fmt::{Debug, Display};
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::grant::Grant;
use tidegate_types::ids::AccountName;
use tidegate_types::record::RULES;
use tidegate_types::time::{Span, Time};

/// A number above the most there may be.
pub(crate) fn most(
    rule: &str,
    of: &str,
    number: Decimal,
    bound: Decimal,
    unit: &'static str,
) -> String {
    let by = distance(number, bound);
    format!("{rule} of {of}, rules v{RULES}: {number} > {bound}{unit} (over by {by})")
}

/// A number below the least there may be.
pub(crate) fn least(
    rule: &str,
    of: &str,
    number: Decimal,
    bound: Decimal,
    unit: &'static str,
) -> String {
    let by = distance(number, bound);
    format!("{rule} of {of}, rules v{RULES}: {number} < {bound}{unit} (short by {by})")
}

/// A number that is no multiple of its step.
pub(crate) fn step(rule: &str, of: &str, number: Decimal, step: Decimal) -> String {
    let below = number.round_to(step, Rounding::Floor).unwrap_or(Decimal::ZERO);
    let by = distance(number, below);
    format!("{rule} of {of}, rules v{RULES}: {number} is no multiple of {step} (over by {by})")
}

/// A number that is not above zero.
pub(crate) fn nothing(rule: &str, of: &str, number: Decimal) -> String {
    let by = number.abs();
    format!("{rule} of {of}, rules v{RULES}: {number} ≤ 0 (short by {by} and a step)")
}

/// A span longer than may be.
pub(crate) fn most_ms(rule: &str, of: &str, span: Span, bound: Span) -> String {
    most(rule, of, ms(span), ms(bound), " ms")
}

/// A span shorter than may be.
pub(crate) fn least_ms(rule: &str, of: &str, span: Span, bound: Span) -> String {
    least(rule, of, ms(span), ms(bound), " ms")
}

/// A time that has passed, both as milliseconds since 1970.
pub(crate) fn time(rule: &str, of: &str, now: Time, until: Time) -> String {
    let (by, now, until) = (now.since(until).millis(), now.millis(), until.millis());
    format!("{rule} of {of}, rules v{RULES}: now {now} ≥ {until} ms (over by {by} ms)")
}

/// Something that is none of what is allowed: there is no number, and so no distance.
pub(crate) fn outside(rule: &str, of: &str, what: impl Display, allowed: impl Display) -> String {
    format!("{rule} of {of}, rules v{RULES}: {what} is none of: {allowed}")
}

/// A grant, in words.
pub(crate) fn grant(grant: &Grant) -> String {
    format!("the grant of {} on {}", grant.caller, grant.account)
}

/// An account, in words.
pub(crate) fn account(name: &AccountName) -> String {
    format!("account {name}")
}

/// A count as a number.
pub(crate) fn count(many: usize) -> Decimal {
    i64::try_from(many).ok().and_then(|n| Decimal::from_int(n).ok()).unwrap_or(Decimal::MAX)
}

/// Most of a list that a line has room for.
const LISTED: usize = 8;

/// What is allowed, in a line.
pub(crate) fn list<T: Display>(allowed: &[T]) -> String {
    joined(allowed.iter().map(T::to_string), allowed.len())
}

/// The same of what has a name in the program only.
pub(crate) fn words<T: Debug>(allowed: &[T]) -> String {
    joined(allowed.iter().map(|one| format!("{one:?}")), allowed.len())
}

fn joined(all: impl Iterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = all.take(LISTED).collect();
    match count.saturating_sub(LISTED) {
        0 if shown.is_empty() => "nothing".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A span in milliseconds.
pub(crate) fn ms(span: Span) -> Decimal {
    // A microsecond is a thousandth of the unit, a decimal counts in hundred-millionths.
    let raw = i64::try_from(span.micros()).unwrap_or(i64::MAX).saturating_mul(100_000);
    Decimal::from_raw(raw)
}

/// How far a number is from its bound, on whichever side.
pub(crate) fn distance(number: Decimal, bound: Decimal) -> Decimal {
    bound.sub(number).unwrap_or(Decimal::MAX).abs()
}
