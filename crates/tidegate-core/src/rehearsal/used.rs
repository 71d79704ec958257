//! How much of a limit is used, and how often it stands in the way.

use crate::story::Held;
use tidegate_types::decimal::Decimal;

/// A limit, as it is told.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LimitName {
    /// Whose it is: `account main`.
    pub of: String,
    /// Which: `open notional`, or a policy's rule.
    pub rule: String,
    /// The version of the rules, or the policy's name and version.
    pub version: String,
}

impl LimitName {
    pub(super) fn of(held: &Held) -> LimitName {
        let Held { rule, of, version, .. } = held;
        LimitName { of: of.clone(), rule: rule.clone(), version: version.clone() }
    }
}

/// What came of a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Used {
    /// The highest use, in per cent of the limit: over 100 is past it. None where there is no share to
    /// speak of: of prices, and of a limit of nothing.
    pub most: Option<Decimal>,
    /// How many messages it refused.
    pub refused: u64,
}
