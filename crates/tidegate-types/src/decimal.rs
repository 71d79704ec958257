//! Exact decimal numbers: a 64-bit integer counting units of 10⁻⁸.
//!
//! Eight places hold every price and quantity the supported venues publish, and a satoshi. Products
//! and quotients go through 128 bits and name their rounding; a result that does not fit is an
//! error, never a wrap.

use std::fmt;
use std::str::FromStr;

const PLACES: u32 = 8;
const SCALE: i64 = 100_000_000;

/// An exact decimal between ±92 233 720 368.547 758 07, in steps of 10⁻⁸.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(i64);

/// Which neighbour a result between two steps becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    /// Towards minus infinity.
    Floor,
    /// Towards plus infinity.
    Ceil,
    /// Towards the nearer step; ties away from zero.
    Nearest,
}

/// Why a number could not be read or computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecimalError {
    /// The text is not a decimal number.
    NotANumber,
    /// The number has digits below 10⁻⁸.
    TooPrecise,
    /// The number or the result is out of range.
    Overflow,
    /// A division by zero.
    DivisionByZero,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal(0);
    /// One.
    pub const ONE: Decimal = Decimal(SCALE);
    /// The largest number.
    pub const MAX: Decimal = Decimal(i64::MAX);

    /// A number from its count of 10⁻⁸ units.
    pub const fn from_raw(raw: i64) -> Decimal {
        Decimal(raw)
    }

    /// The count of 10⁻⁸ units.
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// A whole number.
    pub const fn from_int(whole: i64) -> Result<Decimal, DecimalError> {
        match whole.checked_mul(SCALE) {
            Some(raw) => Ok(Decimal(raw)),
            None => Err(DecimalError::Overflow),
        }
    }

    /// `digits × 10^-places`, for constants: `Decimal::new(5, 1)` is 0.5. Out of range is zero
    /// at compile time only by mistake, so callers pass literals.
    pub const fn new(digits: i64, places: u32) -> Decimal {
        let mut raw = digits;
        let mut left = PLACES.saturating_sub(places);
        while left > 0 {
            raw = raw.saturating_mul(10);
            left -= 1;
        }
        Decimal(raw)
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether this is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether this is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The distance from zero, the largest number for the one that has none.
    pub const fn abs(self) -> Decimal {
        Decimal(self.0.saturating_abs())
    }

    /// The sum.
    pub const fn add(self, other: Decimal) -> Result<Decimal, DecimalError> {
        match self.0.checked_add(other.0) {
            Some(raw) => Ok(Decimal(raw)),
            None => Err(DecimalError::Overflow),
        }
    }

    /// The difference.
    pub const fn sub(self, other: Decimal) -> Result<Decimal, DecimalError> {
        match self.0.checked_sub(other.0) {
            Some(raw) => Ok(Decimal(raw)),
            None => Err(DecimalError::Overflow),
        }
    }

    /// The number with the other sign; the largest for the one that has none.
    pub const fn neg(self) -> Decimal {
        Decimal(self.0.saturating_neg())
    }

    /// The product.
    pub fn mul(self, other: Decimal, rounding: Rounding) -> Result<Decimal, DecimalError> {
        divide(i128::from(self.0) * i128::from(other.0), i128::from(SCALE), rounding)
    }

    /// The quotient.
    pub fn div(self, other: Decimal, rounding: Rounding) -> Result<Decimal, DecimalError> {
        divide(i128::from(self.0) * i128::from(SCALE), i128::from(other.0), rounding)
    }

    /// `self × other / divisor` with one rounding at the end.
    pub fn mul_div(
        self,
        other: Decimal,
        divisor: Decimal,
        rounding: Rounding,
    ) -> Result<Decimal, DecimalError> {
        divide(i128::from(self.0) * i128::from(other.0), i128::from(divisor.0), rounding)
    }

    /// Whether this is a whole multiple of `step`; nothing is a multiple of zero.
    pub const fn is_multiple_of(self, step: Decimal) -> bool {
        step.0 != 0 && self.0 % step.0 == 0
    }

    /// The neighbour of this that is a multiple of `step`.
    pub fn round_to(self, step: Decimal, rounding: Rounding) -> Result<Decimal, DecimalError> {
        let steps = divide(i128::from(self.0), i128::from(step.0), rounding)?;
        steps.0.checked_mul(step.0).map(Decimal).ok_or(DecimalError::Overflow)
    }

    /// The smaller of two.
    pub fn min(self, other: Decimal) -> Decimal {
        Ord::min(self, other)
    }

    /// The larger of two.
    pub fn max(self, other: Decimal) -> Decimal {
        Ord::max(self, other)
    }

    /// The text with exactly `places` decimals, cut (not rounded) below them.
    pub fn to_fixed(self, places: usize) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let raw = self.0.unsigned_abs();
        let whole = raw / SCALE.unsigned_abs();
        let fraction = format!("{:08}", raw % SCALE.unsigned_abs());
        let padded = format!("{fraction:0<places$}");
        match padded.get(..places) {
            Some(digits) if places > 0 => format!("{sign}{whole}.{digits}"),
            _ => format!("{sign}{whole}"),
        }
    }

    /// The nearest binary floating-point number, for statistics, pricing and display only.
    #[allow(clippy::cast_precision_loss)]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / SCALE as f64
    }
}

fn divide(numerator: i128, divisor: i128, rounding: Rounding) -> Result<Decimal, DecimalError> {
    if divisor == 0 {
        return Err(DecimalError::DivisionByZero);
    }
    let (quotient, remainder) = (numerator / divisor, numerator % divisor);
    let negative = (remainder < 0) != (divisor < 0);
    let step = match rounding {
        _ if remainder == 0 => 0,
        Rounding::Floor => -i128::from(negative),
        Rounding::Ceil => i128::from(!negative),
        Rounding::Nearest if remainder.unsigned_abs() * 2 < divisor.unsigned_abs() => 0,
        Rounding::Nearest if negative => -1,
        Rounding::Nearest => 1,
    };
    i64::try_from(quotient + step).map(Decimal).map_err(|_| DecimalError::Overflow)
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads `-12.5`, `0.00010000` and, as clients print small floats, `1.5e-05`.
    fn from_str(text: &str) -> Result<Decimal, DecimalError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                if exponent.len() > 3 {
                    return Err(DecimalError::NotANumber);
                }
                (mantissa, exponent.parse::<i32>().map_err(|_| DecimalError::NotANumber)?)
            }
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() || mantissa.len() > 64 {
            return Err(DecimalError::NotANumber);
        }
        let mut value: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if !digit.is_ascii_digit() {
                return Err(DecimalError::NotANumber);
            }
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(i128::from(digit - b'0')))
                .ok_or(DecimalError::Overflow)?;
        }
        let places = i32::try_from(fraction.len()).map_err(|_| DecimalError::NotANumber)?;
        let shift = i32::try_from(PLACES).unwrap_or(8) + exponent - places;
        let raw = shift_by(value, shift)?;
        let raw = i64::try_from(if negative { -raw } else { raw });
        raw.map(Decimal).map_err(|_| DecimalError::Overflow)
    }
}

fn shift_by(value: i128, shift: i32) -> Result<i128, DecimalError> {
    if value == 0 {
        return Ok(0);
    }
    let factor = 10_i128.checked_pow(shift.unsigned_abs());
    match (shift >= 0, factor) {
        (true, Some(factor)) => value.checked_mul(factor).ok_or(DecimalError::Overflow),
        (false, Some(factor)) if value % factor == 0 => Ok(value / factor),
        (true, None) => Err(DecimalError::Overflow),
        (false, _) => Err(DecimalError::TooPrecise),
    }
}

impl fmt::Display for Decimal {
    /// The shortest exact text: `12.5`, `0`, `-0.0001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_fixed(8);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DecimalError::NotANumber => "not a decimal number",
            DecimalError::TooPrecise => "more than 8 decimals",
            DecimalError::Overflow => "number out of range",
            DecimalError::DivisionByZero => "division by zero",
        })
    }
}

impl std::error::Error for DecimalError {}

#[cfg(test)]
mod tests;
