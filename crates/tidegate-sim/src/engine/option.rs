//! What options are worth, and the margin they need.

use super::calc;
use super::market::Market;
use super::universe::{Kind, Listing};
use tidegate_types::decimal::Decimal;
use tidegate_types::time::Time;

/// The mark price in coin and the implied volatility it comes from, as a fraction.
pub fn mark(listing: &Listing, index: Decimal, now: Time) -> (Decimal, Decimal) {
    let Kind::Option { expiry, strike, call } = listing.kind else {
        return (index, Decimal::ZERO);
    };
    let forward = super::price::forward(index, expiry, now).to_f64();
    let years = to_years(expiry, now);
    let vol = smile(forward, strike.to_f64(), years);
    let price = black(forward, strike.to_f64(), years, vol, call) / forward;
    let micro = Decimal::new(1, 6);
    let rounded = tidegate_types::decimal::Rounding::Nearest;
    (calc::round(calc::from_f64(price), micro, rounded).max(micro), calc::from_f64(vol))
}

/// The time to expiry in years, an hour at least.
#[allow(clippy::cast_precision_loss)]
pub fn to_years(expiry: Time, now: Time) -> f64 {
    let seconds = (expiry.since(now).micros() / 1_000_000).max(3_600);
    seconds as f64 / (365.0 * 86_400.0)
}

/// Implied volatility by strike: lowest at the money.
pub fn smile(forward: f64, strike: f64, years: f64) -> f64 {
    let distance = (strike / forward).ln() / years.sqrt().max(0.05);
    0.52 + 0.04 * distance * distance.min(3.0) - 0.01 * distance
}

/// Black-76 in the forward's currency, not discounted.
pub fn black(forward: f64, strike: f64, years: f64, vol: f64, call: bool) -> f64 {
    let spread = vol * years.sqrt();
    let d1 = (forward / strike).ln() / spread + spread / 2.0;
    let d2 = d1 - spread;
    if call {
        forward * normal(d1) - strike * normal(d2)
    } else {
        strike * normal(-d2) - forward * normal(-d1)
    }
}

/// The cumulative normal distribution (Abramowitz and Stegun 26.2.17, error below 7.5e-8).
pub fn normal(x: f64) -> f64 {
    let k = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let poly = k
        * (0.319_381_530
            + k * (-0.356_563_782
                + k * (1.781_477_937 + k * (-1.821_255_978 + k * 1.330_274_429))));
    let tail = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly;
    if x >= 0.0 { 1.0 - tail } else { tail }
}

/// Initial margin of an option position in coin; long positions were paid for.
pub(crate) fn initial(market: &Market, size: Decimal) -> Decimal {
    if !size.is_negative() {
        return Decimal::ZERO;
    }
    let floor = Decimal::new(1, 1);
    let rate = calc::sub(Decimal::new(15, 2), out_of_the_money(market)).max(floor);
    calc::mul(size.abs(), calc::add(rate, market.mark))
}

/// Maintenance margin of an option position in coin.
pub(crate) fn maintenance(market: &Market, size: Decimal) -> Decimal {
    if !size.is_negative() {
        return Decimal::ZERO;
    }
    calc::mul(size.abs(), calc::add(Decimal::new(75, 3), market.mark))
}

/// How far out of the money, as a share of the index.
fn out_of_the_money(market: &Market) -> Decimal {
    let Kind::Option { strike, call, .. } = market.listing.kind else { return Decimal::ZERO };
    let gap = if call { calc::sub(strike, market.index) } else { calc::sub(market.index, strike) };
    calc::div(gap.max(Decimal::ZERO), market.index)
}
