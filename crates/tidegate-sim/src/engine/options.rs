//! Option pricing: Black-76 on the forward, its greeks and its implied volatility.
//!
//! The only floating-point numbers of the engine live here; what leaves is rounded to a decimal
//! step, so that the same inputs give the same book. Volatilities are fractions (0.5 is 50 %),
//! times are years, prices are in dollars unless a name says coin.

use super::calc;
use super::market::Market;
use super::universe::{Kind, Listing};
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::time::Time;

/// Microseconds of a year of 365 days, the venue's convention.
const YEAR_MICROS: f64 = 365.0 * 86_400.0 * 1e6;
/// The lowest and the highest volatility that are quoted.
const VOL_RANGE: (f64, f64) = (0.01, 5.0);
/// An option closer to its expiry than a minute is priced as at a minute.
const SHORTEST_YEARS: f64 = 60.0 / (365.0 * 86_400.0);

/// A European option on a forward.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Terms {
    /// The forward price for the expiry, dollars.
    pub forward: f64,
    /// The strike, dollars.
    pub strike: f64,
    /// Years to expiry.
    pub years: f64,
    /// Whether it is a call.
    pub call: bool,
}

/// Sensitivities in the venue's units.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Greeks {
    /// Change in dollars for one dollar of the forward.
    pub delta: f64,
    /// Change of delta for one dollar of the forward.
    pub gamma: f64,
    /// Change in dollars for one point (1 %) of volatility.
    pub vega: f64,
    /// Change in dollars over one day.
    pub theta: f64,
    /// Change in dollars for one point (1 %) of interest.
    pub rho: f64,
}

/// The shape of volatility over strike and expiry.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Smile {
    /// At-the-money volatility for long expiries.
    pub long: f64,
    /// What is added at the money for the shortest expiries.
    pub short_extra: f64,
    /// Slope over standardised moneyness; negative makes low strikes dearer.
    pub skew: f64,
    /// Curvature over standardised moneyness.
    pub curvature: f64,
}

impl Smile {
    /// A bitcoin-like surface.
    pub const BTC: Smile = Smile { long: 0.52, short_extra: 0.06, skew: -0.03, curvature: 0.018 };
    /// An ether-like surface.
    pub const ETH: Smile = Smile { long: 0.68, short_extra: 0.08, skew: -0.02, curvature: 0.022 };

    /// The volatility at a strike in percent, to two decimals.
    pub fn iv_percent(&self, terms: &Terms) -> Decimal {
        let years = terms.years.max(SHORTEST_YEARS);
        let at_the_money = self.long + self.short_extra * (-6.0 * years).exp();
        let deviation = at_the_money * years.sqrt().max(0.03);
        let moneyness = ((terms.strike / terms.forward).ln() / deviation).clamp(-4.0, 4.0);
        let wings = self.skew * moneyness + self.curvature * moneyness * moneyness;
        let vol = (at_the_money + wings).clamp(VOL_RANGE.0, VOL_RANGE.1);
        to_decimal(vol * 100.0, Decimal::new(1, 2), Rounding::Nearest)
    }
}

/// The mark price in coin and the implied volatility it comes from, as a fraction.
pub fn mark(listing: &Listing, index: Decimal, now: Time) -> (Decimal, Decimal) {
    let Kind::Option { expiry, strike, call } = listing.kind else {
        return (index, Decimal::ZERO);
    };
    let terms = Terms {
        forward: super::price::forward(index, expiry, now).to_f64(),
        strike: strike.to_f64(),
        years: years(now, expiry),
        call,
    };
    let smile = if &*listing.coin == "ETH" { Smile::ETH } else { Smile::BTC };
    let vol = calc::div(smile.iv_percent(&terms), calc::int(100));
    (terms.coin_price(vol.to_f64(), Decimal::new(1, 6)), vol)
}

/// Years from now to an expiry, at least a minute.
#[allow(clippy::cast_precision_loss)]
pub fn years(now: Time, expiry: Time) -> f64 {
    (expiry.since(now).micros() as f64 / YEAR_MICROS).max(SHORTEST_YEARS)
}

impl Terms {
    /// The price in dollars.
    pub fn price(&self, vol: f64) -> f64 {
        let Some((d1, d2)) = self.d(vol) else { return self.intrinsic() };
        if self.call {
            self.forward * normal_cdf(d1) - self.strike * normal_cdf(d2)
        } else {
            self.strike * normal_cdf(-d2) - self.forward * normal_cdf(-d1)
        }
    }

    /// The price in coin, to `step`, never below one step.
    pub fn coin_price(&self, vol: f64, step: Decimal) -> Decimal {
        to_decimal(self.price(vol) / self.forward, step, Rounding::Nearest).max(step)
    }

    /// What it would pay now, dollars.
    pub fn intrinsic(&self) -> f64 {
        let worth = self.forward - self.strike;
        if self.call { worth.max(0.0) } else { (-worth).max(0.0) }
    }

    /// The sensitivities at a volatility, with no interest.
    pub fn greeks(&self, vol: f64) -> Greeks {
        let Some((d1, d2)) = self.d(vol) else { return Greeks::default() };
        let (density, root) = (normal_density(d1), self.years.sqrt());
        let (delta, rho) = if self.call {
            (normal_cdf(d1), self.strike * self.years * normal_cdf(d2))
        } else {
            (normal_cdf(d1) - 1.0, -self.strike * self.years * normal_cdf(-d2))
        };
        Greeks {
            delta,
            gamma: density / (self.forward * vol * root),
            vega: self.forward * density * root / 100.0,
            theta: -self.forward * density * vol / (2.0 * root) / 365.0,
            rho: rho / 100.0,
        }
    }

    /// The volatility at which the option costs `dollars`; none below its intrinsic value or above
    /// what any quoted volatility gives.
    pub fn implied_vol(&self, dollars: f64) -> Option<f64> {
        let (mut low, mut high) = (VOL_RANGE.0 / 10.0, VOL_RANGE.1 * 2.0);
        if !(dollars.is_finite() && self.price(low) <= dollars && dollars <= self.price(high)) {
            return None;
        }
        for _ in 0..80 {
            let middle = f64::midpoint(low, high);
            if self.price(middle) < dollars { low = middle } else { high = middle }
        }
        Some(f64::midpoint(low, high))
    }

    fn d(&self, vol: f64) -> Option<(f64, f64)> {
        let deviation = vol * self.years.sqrt();
        let sane = deviation > 0.0 && self.forward > 0.0 && self.strike > 0.0;
        let d1 = (self.forward / self.strike).ln() / deviation + deviation / 2.0;
        (sane && d1.is_finite()).then_some((d1, d1 - deviation))
    }
}

/// A float as a decimal on a grid; not-a-number is zero, out of range is the largest.
#[allow(clippy::cast_possible_truncation)]
pub fn to_decimal(value: f64, step: Decimal, rounding: Rounding) -> Decimal {
    let steps = value / step.to_f64();
    // A value that is a grid point up to the float's own error must not move a whole step.
    let nearest = steps.round();
    let steps = match rounding {
        _ if (steps - nearest).abs() < 1e-9 * nearest.abs().max(1.0) => nearest,
        Rounding::Floor => steps.floor(),
        Rounding::Ceil => steps.ceil(),
        Rounding::Nearest => nearest,
    };
    Decimal::from_raw((steps as i64).saturating_mul(step.raw()))
}

/// Initial margin, in coin, of an option position: none for a bought one, which is paid; for a written
/// one 15 % of the underlying less how far it is out of the money, at least 10 %, plus its mark.
pub fn initial(market: &Market, size: Decimal) -> Decimal {
    let rate = calc::sub(Decimal::new(15, 2), out_of_the_money(market)).max(Decimal::new(1, 1));
    written(market, size, rate).max(maintenance(market, size))
}

/// Maintenance margin, in coin, of an option position: nothing for a bought one; for a written one
/// 7.5 % of the underlying plus its mark.
pub fn maintenance(market: &Market, size: Decimal) -> Decimal {
    let Kind::Option { call, .. } = market.listing.kind else { return Decimal::ZERO };
    let floor = Decimal::new(75, 3);
    let rate = if call { floor } else { floor.max(calc::mul(floor, market.mark)) };
    written(market, size, rate)
}

fn written(market: &Market, size: Decimal, rate: Decimal) -> Decimal {
    if !size.is_negative() {
        return Decimal::ZERO;
    }
    calc::mul(size.neg(), calc::add(rate, market.mark))
}

/// How far the strike is from where the option would pay, as a fraction of the index.
fn out_of_the_money(market: &Market) -> Decimal {
    let Kind::Option { strike, call, .. } = market.listing.kind else { return Decimal::ZERO };
    let away = calc::sub(strike, market.index);
    let away = if call { away } else { away.neg() };
    calc::div(away.max(Decimal::ZERO), market.index)
}

fn normal_density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The cumulative normal distribution to double precision (Hart's rational approximation in the
/// form of West, "Better approximations to cumulative normal functions", 2005).
fn normal_cdf(x: f64) -> f64 {
    const UPPER: [f64; 7] = [
        0.035_262_496_599_891_1,
        0.700_383_064_443_688,
        6.373_962_203_531_65,
        33.912_866_078_383,
        112.079_291_497_871,
        221.213_596_169_931,
        220.206_867_912_376,
    ];
    const LOWER: [f64; 8] = [
        0.088_388_347_648_318_4,
        1.755_667_163_182_64,
        16.064_177_579_207,
        86.780_732_202_946_1,
        296.564_248_779_674,
        637.333_633_378_831,
        793.826_512_519_948,
        440.413_735_824_752,
    ];
    let distance = x.abs();
    if distance > 37.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let bell = (-distance * distance / 2.0).exp();
    let horner = |terms: &[f64]| terms.iter().fold(0.0, |sum, term| sum * distance + term);
    let tail = if distance < 7.071_067_811_865_47 {
        bell * horner(&UPPER) / horner(&LOWER)
    } else {
        let fraction = (1..=4).rev().fold(0.65, |below, n| f64::from(n) / (distance + below));
        bell / (distance + fraction) / 2.506_628_274_631
    };
    if x > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests;
