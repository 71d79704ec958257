//! One thing that a gate held an order against.

use crate::over::distance;
use std::fmt;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::policy::{Measure, PolicyVersion};

/// A number or name, beside what bounds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The limit: `open notional`, or a policy's rule.
    pub rule: String,
    /// Whose it is: `account main`.
    pub of: String,
    /// The version of the rules, or the policy's name and version.
    pub version: String,
    /// What was measured.
    pub measured: String,
    /// What bounds it.
    pub limit: String,
    /// What both count, with a space before it.
    pub unit: &'static str,
    /// How far they are apart; none of names.
    pub distance: Option<String>,
    /// Whether it is kept.
    pub kept: bool,
    /// Whether it is an amount, of which a share can be used; a price is none.
    amount: bool,
    /// Between both: `≤`, `>`, `is one of` …
    sign: &'static str,
}

impl Held {
    /// A number that may be `limit` at most.
    pub(super) fn most(
        (rule, of, version): (&str, &str, &str),
        measured: Decimal,
        limit: Decimal,
        unit: &'static str,
    ) -> Held {
        let kept = measured <= limit;
        let sign = if kept { "≤" } else { ">" };
        Held::number((rule, of, version), (measured, sign, limit), unit, kept)
    }

    /// A number that may be `limit` at least.
    pub(super) fn least(
        (rule, of, version): (&str, &str, &str),
        measured: Decimal,
        limit: Decimal,
        unit: &'static str,
    ) -> Held {
        let kept = measured >= limit;
        let sign = if kept { "≥" } else { "<" };
        Held::number((rule, of, version), (measured, sign, limit), unit, kept)
    }

    /// Something that has to be one of what is allowed.
    pub(super) fn among(
        (rule, of, version): (&str, &str, &str),
        measured: String,
        limit: String,
        kept: bool,
    ) -> Held {
        let sign = if kept { "is one of:" } else { "is none of:" };
        let (rule, of, version) = (rule.to_owned(), of.to_owned(), version.to_owned());
        Held {
            rule,
            of,
            version,
            measured,
            limit,
            unit: "",
            distance: None,
            kept,
            amount: false,
            sign,
        }
    }

    /// What a policy's rule measured.
    pub(super) fn by_policy(policy: &PolicyVersion, measure: &Measure) -> Held {
        let (rule, of) = (measure.rule.to_string(), measure.of.to_string());
        let version = policy.to_string();
        let name = (rule.as_str(), of.as_str(), version.as_str());
        let (number, limit, unit) = (measure.measured, measure.limit, measure.unit.word());
        let held = match measure.least {
            true => Held::least(name, number, limit, unit),
            false => Held::most(name, number, limit, unit),
        };
        Held { rule: format!("{rule} ({})", measure.kind.word()), amount: true, ..held }
    }

    /// How much of the limit is used, in per cent, rounded up; none of names and prices, which are no
    /// amounts of something.
    pub(crate) fn percent(&self) -> Option<Decimal> {
        let (measured, limit): (Decimal, Decimal) =
            (self.measured.parse().ok()?, self.limit.parse().ok()?);
        let (part, whole) = match self.sign {
            "≤" | ">" => (measured, limit),
            _ => (limit, measured),
        };
        if !self.amount || !whole.is_positive() {
            return None;
        }
        let percent = part.max(Decimal::ZERO).mul_div(Decimal::new(100, 0), whole, Rounding::Ceil);
        percent.and_then(|percent| percent.round_to(Decimal::new(1, 0), Rounding::Ceil)).ok()
    }

    fn number(
        (rule, of, version): (&str, &str, &str),
        (measured, sign, limit): (Decimal, &'static str, Decimal),
        unit: &'static str,
        kept: bool,
    ) -> Held {
        Held {
            rule: rule.to_owned(),
            of: of.to_owned(),
            version: version.to_owned(),
            measured: measured.to_string(),
            limit: limit.to_string(),
            unit,
            distance: Some(distance(measured, limit).to_string()),
            kept,
            amount: !unit.is_empty(),
            sign,
        }
    }
}

impl fmt::Display for Held {
    /// `open notional of account main, rules v5: 100 ≤ 20000 USD (19900 left)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Held { rule, of, version, measured, limit, unit, sign, .. } = self;
        write!(f, "{rule} of {of}, {version}: {measured} {sign} {limit}{unit}")?;
        match (&self.distance, self.kept) {
            (Some(far), true) => write!(f, " ({far} left)"),
            (Some(far), false) if *sign == "<" => write!(f, " (short by {far})"),
            (Some(far), false) => write!(f, " (over by {far})"),
            (None, _) => Ok(()),
        }
    }
}
