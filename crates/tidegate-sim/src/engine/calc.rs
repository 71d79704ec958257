//! Arithmetic on money that stays in range: orders too large to value are refused on entry, so a
//! result out of range here means a broken state and sticks at the largest number.

use tidegate_types::decimal::{Decimal, Rounding};

/// The sum.
pub fn add(a: Decimal, b: Decimal) -> Decimal {
    Decimal::from_raw(a.raw().saturating_add(b.raw()))
}

/// The difference.
pub fn sub(a: Decimal, b: Decimal) -> Decimal {
    Decimal::from_raw(a.raw().saturating_sub(b.raw()))
}

/// The product, to the nearest step.
pub fn mul(a: Decimal, b: Decimal) -> Decimal {
    a.mul(b, Rounding::Nearest).unwrap_or(Decimal::MAX)
}

/// The quotient, to the nearest step; nothing when divided by zero.
pub fn div(a: Decimal, b: Decimal) -> Decimal {
    if b.is_zero() {
        return Decimal::ZERO;
    }
    a.div(b, Rounding::Nearest).unwrap_or(Decimal::MAX)
}

/// `a × b ÷ c` with one rounding; nothing when divided by zero.
pub fn mul_div(a: Decimal, b: Decimal, c: Decimal) -> Decimal {
    if c.is_zero() {
        return Decimal::ZERO;
    }
    a.mul_div(b, c, Rounding::Nearest).unwrap_or(Decimal::MAX)
}

/// A whole number.
pub fn int(whole: i64) -> Decimal {
    Decimal::from_int(whole).unwrap_or(Decimal::MAX)
}

/// The nearest multiple of `step`.
pub fn round(value: Decimal, step: Decimal, rounding: Rounding) -> Decimal {
    value.round_to(step, rounding).unwrap_or(value)
}

/// The nearest decimal to a model's floating-point result.
#[allow(clippy::cast_possible_truncation)]
pub fn from_f64(value: f64) -> Decimal {
    Decimal::from_raw((value * 1e8).round() as i64)
}
