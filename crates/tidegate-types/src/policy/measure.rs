//! What a rule measured, as decisions and refusals tell it.

use super::LimitKind;
use crate::decimal::Decimal;
use crate::ids::{PolicyName, RuleId};
use crate::{codec_enum, codec_struct};
use std::fmt;
use std::sync::Arc;

/// A policy's name and version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyVersion {
    /// The name.
    pub name: PolicyName,
    /// The version.
    pub version: u32,
}
codec_struct!(PolicyVersion { name, version });

impl fmt::Display for PolicyVersion {
    /// `desk v3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}", self.name, self.version)
    }
}

/// What a measured number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// US dollars.
    Usd,
    /// The instrument's own unit.
    Quantity,
    /// Basis points.
    BasisPoints,
    /// Things: orders, messages, executions.
    Count,
    /// A plain ratio.
    Times,
    /// Seconds.
    Seconds,
}
codec_enum!(Unit {
    0 => Usd, 1 => Quantity, 2 => BasisPoints, 3 => Count, 4 => Times, 5 => Seconds,
});

impl Unit {
    /// What stands behind the number.
    pub const fn word(self) -> &'static str {
        match self {
            Unit::Usd => " USD",
            Unit::Quantity | Unit::Count => "",
            Unit::BasisPoints => " bp",
            Unit::Times => " times",
            Unit::Seconds => " s",
        }
    }
}

/// What a rule measured of an order, beside its limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measure {
    /// Which rule.
    pub rule: RuleId,
    /// What it limits.
    pub kind: LimitKind,
    /// Over what, in words: `desk`, `account main`.
    pub of: Arc<str>,
    /// What the numbers count.
    pub unit: Unit,
    /// The number with this order.
    pub measured: Decimal,
    /// The limit.
    pub limit: Decimal,
    /// The limit is the least, not the most, that is allowed.
    pub least: bool,
}
codec_struct!(Measure { rule, kind, of, unit, measured, limit, least });

impl Measure {
    /// Whether the limit is not kept.
    pub fn is_over(&self) -> bool {
        if self.least { self.measured < self.limit } else { self.measured > self.limit }
    }

    /// How far the number is from the limit, on whichever side of it.
    pub fn distance(&self) -> Decimal {
        self.limit.sub(self.measured).unwrap_or(Decimal::MAX).abs()
    }
}

impl fmt::Display for Measure {
    /// `1,250,000 > 1,000,000 USD gross position of desk (over by 250,000)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, far) = match (self.is_over(), self.least) {
            (true, false) => (">", "over"),
            (true, true) => ("<", "short"),
            (false, false) => ("≤", "left"),
            (false, true) => ("≥", "above"),
        };
        let (measured, limit) = (grouped(self.measured), grouped(self.limit));
        let (unit, kind) = (self.unit.word(), self.kind.word());
        let distance = grouped(self.distance());
        let by =
            if far == "left" { format!("{distance} left") } else { format!("{far} by {distance}") };
        write!(f, "{measured} {sign} {limit}{unit} {kind} of {} ({by})", self.of)
    }
}

/// A number with its thousands apart.
fn grouped(number: Decimal) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut out = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}
