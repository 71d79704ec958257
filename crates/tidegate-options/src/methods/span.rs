//! SPAN's scan of sixteen scenarios, by which futures exchanges and their clearing houses margin options.
//!
//! The price by 0, ±⅓, ±⅔ and ±1 of its range, each with volatility up and down; then three times the range
//! to either side, of which 33 % counts (CME Group, "SPAN", the risk array).

use crate::black::European;

/// How far the scan goes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ranges {
    /// Of the price, in its own unit.
    pub price: f64,
    /// Of volatility, relative.
    pub volatility: f64,
}

/// What is held of one underlying, in its own unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Leg {
    /// Futures.
    Future {
        /// How many units, signed.
        qty: f64,
    },
    /// Options.
    Option {
        /// How many units, signed.
        qty: f64,
        /// Which, and what it is valued by.
        option: European,
    },
}

/// The gain or loss of each of the sixteen scenarios, as it counts, in their order.
pub fn risk_array(legs: &[Leg], ranges: &Ranges) -> [f64; 16] {
    let thirds = [0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0];
    let usual = thirds
        .into_iter()
        .flat_map(|third: f64| [(third / 3.0, 1.0, 1.0), (third / 3.0, -1.0, 1.0)]);
    let extreme = [(3.0, 0.0, 0.33), (-3.0, 0.0, 0.33)];
    let mut gains = [0.0; 16];
    for (gain, (price, vol, weight)) in gains.iter_mut().zip(usual.chain(extreme)) {
        let (moved, shock) = (price * ranges.price, 1.0 + vol * ranges.volatility);
        *gain = weight * legs.iter().map(|leg| leg.gain(moved, shock)).sum::<f64>();
    }
    gains
}

/// The largest loss of them.
pub fn scan_risk(legs: &[Leg], ranges: &Ranges) -> f64 {
    risk_array(legs, ranges).into_iter().fold(0.0, |worst, gain| worst.max(-gain))
}

impl Leg {
    fn gain(&self, moved: f64, shock: f64) -> f64 {
        match self {
            Leg::Future { qty } => qty * moved,
            Leg::Option { qty, option } => {
                let (forward, volatility) = (option.forward + moved, option.volatility * shock);
                let then = European { forward, volatility, ..*option };
                qty * (then.price() - option.price())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A future bought at 2790 and a call at 2825 sold, of 250 dollars a point; worked out with forty digits.
    #[test]
    fn a_covered_call_as_worked_out() {
        let option = European {
            call: true,
            forward: 2790.0,
            strike: 2825.0,
            years: 45.0 / 365.0,
            volatility: 0.16,
        };
        let legs = [Leg::Future { qty: 250.0 }, Leg::Option { qty: -250.0, option }];
        let ranges = Ranges { price: 120.0, volatility: 0.35 };
        let worked = [
            -5403.21458,
            5299.79765,
            -274.224005,
            10804.9365,
            -11278.1172,
            -1674.48842,
            4114.75657,
            14788.0388,
            -17878.536,
            -9867.24051,
            7794.26078,
            17408.0925,
            -25158.8483,
            -18922.8079,
            6623.22548,
            -25839.7344,
        ];
        for (is, should) in risk_array(&legs, &ranges).into_iter().zip(worked) {
            assert!((is / should - 1.0).abs() < 1e-7, "{is} is not {should}");
        }
        assert!((scan_risk(&legs, &ranges) - 25_839.734_4).abs() < 1e-3);
    }
}
