//! Amounts with their units, as people write them: `"1_000_000 USD"`, `"50 bp"`, `"10/s"`, `"20 %"`. Read and
//! written here alone, so that what is written is read back as the same.

use std::fmt::Write as _;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::time::Span;

/// Units of time, with their length in microseconds; the longest that divides a span is written.
const TIMES: [(&str, u64); 6] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// Splits `1_000.5 USD` into its number and its unit.
fn split(text: &str) -> Option<(Decimal, &str)> {
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '_' | '.');
    let end = text.find(|c| !is_digit(c)).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((number(digits)?, unit.trim_start_matches(' ')))
}

/// A number in which `_` may stand between two digits.
pub(crate) fn number(digits: &str) -> Option<Decimal> {
    let bare = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    let around_point = digits.contains("_.") || digits.contains("._");
    if bare || around_point {
        return None;
    }
    digits.replace('_', "").parse().ok()
}

/// A number with `_` between groups of three digits.
pub(crate) fn grouped(number: Decimal) -> String {
    let text = number.to_string();
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut out = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    if !rest.is_empty() {
        let _ = write!(out, ".{rest}");
    }
    out
}

pub(crate) fn read_in(text: &str, unit: &str) -> Option<Decimal> {
    split(text).filter(|(_, found)| *found == unit).map(|(amount, _)| amount)
}

/// Basis points: `50 bp`, or `0.5 %`.
pub(crate) fn read_bps(text: &str) -> Option<u32> {
    let (amount, unit) = split(text)?;
    let scaled = match unit {
        "bp" => amount,
        "%" => amount.mul(Decimal::new(100, 0), Rounding::Floor).ok()?,
        _ => return None,
    };
    whole(scaled).and_then(|bps| u32::try_from(bps).ok())
}

/// Basis points as per cent where that is shorter.
pub(crate) fn write_bps(bps: u32, percent: bool) -> String {
    match percent {
        true => {
            let share = Decimal::from_int(i64::from(bps));
            let share = share.and_then(|bps| bps.div(Decimal::new(100, 0), Rounding::Floor));
            format!("{} %", share.map_or_else(|_| bps.to_string(), grouped))
        }
        false => format!("{bps} bp"),
    }
}

/// The whole number that a decimal is.
pub(crate) fn whole(amount: Decimal) -> Option<u64> {
    let one = Decimal::ONE.raw();
    let exact = amount.raw() % one == 0 && !amount.is_negative();
    exact.then(|| u64::try_from(amount.raw() / one).ok()).flatten()
}

/// A length of time: `250 ms`, `5 s`, `10 min`, `1 h`, `1 d`.
pub(crate) fn read_span(text: &str) -> Option<Span> {
    let (amount, unit) = split(text)?;
    let (_, micros) = TIMES.iter().find(|(name, _)| *name == unit)?;
    let wide = i128::from(amount.raw()) * i128::from(*micros);
    let one = i128::from(Decimal::ONE.raw());
    (wide % one == 0).then(|| u64::try_from(wide / one).ok()).flatten().map(Span::from_micros)
}

pub(crate) fn write_span(span: Span) -> String {
    let micros = span.micros();
    let unit = TIMES.iter().find(|(_, length)| micros >= *length && micros.is_multiple_of(*length));
    match unit {
        Some((name, length)) => format!("{} {name}", micros / length),
        None => "0 s".to_owned(),
    }
}
