//! Black's formula of 1976: a European option on a forward, with no rate of interest.
//!
//! Prices are in dollars for one coin. F. Black, "The pricing of commodity contracts", Journal of
//! Financial Economics 3 (1976).

/// Days of the year by which volatility and theta are counted, as the venues count them.
pub const YEAR_DAYS: f64 = 365.0;

/// One European option, and what it is valued by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct European {
    /// Whether it is a call.
    pub call: bool,
    /// The underlying's price for the expiry, in dollars.
    pub forward: f64,
    /// The strike, in dollars.
    pub strike: f64,
    /// How long it still runs.
    pub years: f64,
    /// A year's volatility, as a fraction.
    pub volatility: f64,
}

/// How an option's worth changes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Greeks {
    /// Dollars for one dollar of the forward.
    pub delta: f64,
    /// How much delta changes for one dollar of the forward.
    pub gamma: f64,
    /// Dollars for one point of volatility.
    pub vega: f64,
    /// Dollars for a day, or for what is left of its life if that is less.
    pub theta: f64,
}

impl European {
    /// Its worth in dollars, never below zero.
    pub fn price(&self) -> f64 {
        let spread = self.volatility * libm::sqrt(self.years.max(0.0));
        let moneyness = libm::log(self.forward / self.strike);
        price(self.call, self.forward, self.strike, moneyness, spread)
    }

    /// What exercising it now would bring, in dollars.
    pub fn intrinsic(&self) -> f64 {
        let gain = self.forward - self.strike;
        if self.call { gain.max(0.0) } else { (-gain).max(0.0) }
    }

    /// Its sensitivities.
    pub fn greeks(&self) -> Greeks {
        let root = libm::sqrt(self.years.max(0.0));
        let spread = self.volatility * root;
        if spread <= 0.0 || spread.is_nan() {
            let inside = self.intrinsic() > 0.0;
            let delta = if self.call { 1.0 } else { -1.0 };
            return Greeks {
                delta: if inside { delta } else { 0.0 },
                gamma: 0.0,
                vega: 0.0,
                theta: 0.0,
            };
        }
        let d1 = libm::log(self.forward / self.strike) / spread + spread / 2.0;
        let density = density(d1);
        let days = (self.years * YEAR_DAYS).min(1.0);
        Greeks {
            delta: if self.call { normal(d1) } else { -normal(-d1) },
            gamma: density / (self.forward * spread),
            vega: self.forward * density * root / 100.0,
            theta: -self.forward * density * self.volatility / (2.0 * root) / YEAR_DAYS * days,
        }
    }

    /// By how much the account's coin follows, of one option whose premium is paid in that coin: delta less
    /// the premium. Deribit calls it net transaction delta.
    pub fn net_delta(&self) -> f64 {
        self.greeks().delta - self.price() / self.forward
    }
}

/// The price, of the logarithm of forward over strike and of volatility times the root of time.
///
/// The side out of the money is computed, and what the other is worth beyond it added, so that nothing is lost
/// in a difference of large numbers.
pub(crate) fn price(call: bool, forward: f64, strike: f64, moneyness: f64, spread: f64) -> f64 {
    let inside = if call { forward - strike } else { strike - forward };
    if spread <= 0.0 || spread.is_nan() {
        return inside.max(0.0);
    }
    let (d1, d2) = (moneyness / spread + spread / 2.0, moneyness / spread - spread / 2.0);
    let outside = if moneyness > 0.0 {
        strike * normal(-d2) - forward * normal(-d1)
    } else {
        forward * normal(d1) - strike * normal(d2)
    };
    outside.max(0.0) + inside.max(0.0)
}

/// The normal distribution, exact far out too.
pub(crate) fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

pub(crate) fn density(x: f64) -> f64 {
    const ROOT: f64 = 0.398_942_280_401_432_7;
    ROOT * libm::exp(-0.5 * x * x)
}

#[cfg(test)]
mod tests;
