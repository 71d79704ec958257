//! Numbers as the venue writes them: JSON numbers, exact, with a decimal point.

use crate::engine::calc;
use serde::{Serialize, Serializer};
use serde_json::Number;
use tidegate_types::decimal::{Decimal, Rounding};

/// A decimal that is written as `87003.0`, `0.0005`, `-1.25`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Num(pub(crate) Decimal);

impl Num {
    /// Nothing.
    pub(crate) const ZERO: Num = Num(Decimal::ZERO);

    /// A float to some decimal places (at most eight).
    pub(crate) fn float(value: f64, places: u32) -> Num {
        Num(calc::round(calc::from_f64(value), Decimal::new(1, places), Rounding::Nearest))
    }

    /// A decimal to some decimal places (at most eight).
    pub(crate) fn rounded(value: Decimal, places: u32) -> Num {
        Num(calc::round(value, Decimal::new(1, places), Rounding::Nearest))
    }
}

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut text = self.0.to_string();
        if !text.contains('.') {
            text.push_str(".0");
        }
        let number: Number = text.parse().map_err(serde::ser::Error::custom)?;
        number.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let text = |raw: i64| serde_json::to_string(&Num(Decimal::from_raw(raw))).unwrap();
        assert_eq!(text(8_700_300_000_000), "87003.0");
        assert_eq!(text(50_000), "0.0005");
        assert_eq!(text(-125_000_000), "-1.25");
        assert_eq!(text(0), "0.0");
        assert_eq!(serde_json::to_string(&Num::float(0.123_456, 3)).unwrap(), "0.123");
    }
}
