//! The volatility that a price implies.

use crate::black::{self, European};

/// Volatilities are sought between these, a year's.
const LEAST: f64 = 1e-4;
const MOST: f64 = 50.0;
/// Newton's steps halve the bracket where they would leave it, so that this is ample.
const STEPS: usize = 120;

/// Why a price implies no volatility.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoVolatility {
    /// It is not above what exercising now would bring.
    BelowIntrinsic,
    /// It is as much as the option could ever be worth, or more than any volatility that is looked for makes it.
    AboveMost,
    /// A number is missing, negative or not a number, or the option has expired.
    Senseless,
}

/// The volatility by which an option is worth `price` dollars; the one that `option` has is not looked at.
///
/// # Errors
/// When there is none.
pub fn volatility(option: &European, price: f64) -> Result<f64, NoVolatility> {
    let European { forward, strike, years, .. } = *option;
    let sound = |x: f64| x.is_finite() && x > 0.0;
    if ![forward, strike, years, price].into_iter().all(sound) {
        return Err(NoVolatility::Senseless);
    }
    // The side out of the money is worth the same beyond what exercising brings, and tells more digits.
    let outside = price - option.intrinsic();
    if outside <= 0.0 {
        return Err(NoVolatility::BelowIntrinsic);
    }
    if outside >= forward.min(strike) {
        return Err(NoVolatility::AboveMost);
    }
    let moneyness = libm::log(forward / strike);
    let call = moneyness <= 0.0;
    let root = libm::sqrt(years);
    let worth = |spread: f64| black::price(call, forward, strike, moneyness, spread);
    let (mut low, mut high) = (LEAST * root, MOST * root);
    if worth(high) <= outside {
        return Err(NoVolatility::AboveMost);
    }
    if worth(low) >= outside {
        return Ok(LEAST);
    }
    // Of the logarithm of the price: nearly straight, also where the price is next to nothing.
    let target = libm::log(outside);
    let mut spread = libm::sqrt(2.0 * libm::fabs(moneyness)).clamp(low, high);
    for _ in 0..STEPS {
        let now = worth(spread);
        if now < outside {
            low = spread;
        } else {
            high = spread;
        }
        let slope = forward * black::density(moneyness / spread + spread / 2.0);
        let step = (target - libm::log(now)) * now / slope;
        let newton = spread + step;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if libm::fabs(next - spread) <= 1e-15 * spread {
            return Ok(next / root);
        }
        spread = next;
    }
    Ok(spread / root)
}

#[cfg(test)]
mod tests;
