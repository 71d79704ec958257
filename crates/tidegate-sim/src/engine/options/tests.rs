use super::*;

fn terms(forward: f64, strike: f64, years: f64, call: bool) -> Terms {
    Terms { forward, strike, years, call }
}

fn near(left: f64, right: f64, within: f64) {
    assert!((left - right).abs() <= within, "{left} is not within {within} of {right}");
}

#[test]
fn the_normal_distribution_has_its_tabled_values() {
    for (x, p) in [
        (0.0, 0.5),
        (1.0, 0.841_344_746_068_542_9),
        (-1.96, 0.024_997_895_148_220_43),
        (2.575_829_303_548_901, 0.995),
        (-5.0, 2.866_515_718_791_946e-7),
        (-8.0, 6.220_960_574_271_785e-16),
    ] {
        near(normal_cdf(x), p, 1e-13);
    }
    near(normal_cdf(-8.0) / 6.220_960_574_271_785e-16, 1.0, 1e-6);
}

#[test]
fn textbook_option_on_a_future() {
    // Hull, "Options, Futures, and Other Derivatives", Black's model: F = 20, K = 20, r = 9 %,
    // four months, 25 %: the put costs 1.12, which is 1.1166 e^(0.09/3) before discounting.
    let put = terms(20.0, 20.0, 4.0 / 12.0, false);
    near(put.price(0.25) * (-0.09_f64 * 4.0 / 12.0).exp(), 1.1166, 5e-5);
    // At the money the price is F (2 N(σ√T/2) − 1).
    let call = terms(100.0, 100.0, 1.0, true);
    near(call.price(0.2), 7.965_567_455_405_804, 1e-9);
}

#[test]
fn puts_and_calls_are_in_parity() {
    for strike in [40_000.0, 87_000.0, 150_000.0] {
        for years in [0.002, 0.1, 2.0] {
            for vol in [0.1, 0.55, 2.0] {
                let call = terms(87_000.0, strike, years, true).price(vol);
                let put = terms(87_000.0, strike, years, false).price(vol);
                near(call - put, 87_000.0 - strike, 1e-6);
            }
        }
    }
}

#[test]
fn greeks_are_the_slopes_of_the_price() {
    let vol = 0.6;
    for call in [true, false] {
        let at = terms(87_000.0, 90_000.0, 0.2, call);
        let greeks = at.greeks(vol);
        let bumped = |forward: f64| terms(forward, 90_000.0, 0.2, call).price(vol);
        near(greeks.delta, (bumped(87_001.0) - bumped(86_999.0)) / 2.0, 1e-6);
        let curve = bumped(87_010.0) - 2.0 * bumped(87_000.0) + bumped(86_990.0);
        near(greeks.gamma, curve / 100.0, 1e-8);
        near(greeks.vega, (at.price(vol + 0.005) - at.price(vol - 0.005)) * 1.0, 0.01);
        let day = 1.0 / 365.0;
        let (earlier, later) =
            (Terms { years: 0.2 + day / 2.0, ..at }, Terms { years: 0.2 - day / 2.0, ..at });
        near(greeks.theta, later.price(vol) - earlier.price(vol), 0.01);
    }
    let call = terms(87_000.0, 90_000.0, 0.2, true).greeks(vol).delta;
    let put = terms(87_000.0, 90_000.0, 0.2, false).greeks(vol).delta;
    near(call - put, 1.0, 1e-12);
}

#[test]
fn implied_volatility_inverts_the_price() {
    for strike in [60_000.0, 87_000.0, 120_000.0] {
        for vol in [0.2, 0.55, 1.5] {
            for call in [true, false] {
                let option = terms(87_000.0, strike, 0.25, call);
                near(option.implied_vol(option.price(vol)).unwrap(), vol, 1e-6);
            }
        }
    }
    let option = terms(87_000.0, 60_000.0, 0.25, true);
    assert_eq!(option.implied_vol(option.intrinsic() - 1.0), None);
    assert_eq!(option.implied_vol(option.forward + 1.0), None);
    assert_eq!(option.implied_vol(f64::NAN), None);
}

#[test]
fn an_expiring_option_is_worth_its_intrinsic_value() {
    let years = years(Time::from_micros(5), Time::from_micros(5));
    assert!(years > 0.0);
    near(terms(90_000.0, 80_000.0, years, true).price(0.5), 10_000.0, 1.0);
    near(terms(90_000.0, 80_000.0, years, false).price(0.5), 0.0, 1.0);
    assert_eq!(terms(90_000.0, 80_000.0, 0.0, true).price(0.5), 10_000.0);
}

#[test]
fn prices_leave_on_their_grid() {
    let step = Decimal::new(1, 4);
    let option = terms(87_000.0, 90_000.0, 0.1, true);
    let price = option.coin_price(0.5, step);
    assert!(price.is_multiple_of(step) && price.is_positive());
    let worthless = terms(87_000.0, 900_000.0, 0.01, true);
    assert_eq!(worthless.coin_price(0.5, step), step, "an option is never free");
    let half = Decimal::new(5, 1);
    assert_eq!(to_decimal(2.74, half, Rounding::Floor), Decimal::new(25, 1));
    assert_eq!(to_decimal(2.51, half, Rounding::Ceil), Decimal::new(3, 0));
    assert_eq!(to_decimal(0.3, Decimal::new(1, 1), Rounding::Floor), Decimal::new(3, 1));
    assert_eq!(to_decimal(-2.74, half, Rounding::Nearest), Decimal::new(-25, 1));
}

#[test]
fn the_smile_has_wings_and_a_skew() {
    let iv = |strike| Smile::BTC.iv_percent(&terms(87_000.0, strike, 0.1, true));
    let middle = iv(87_000.0);
    assert!(iv(50_000.0) > middle && iv(150_000.0) > middle);
    assert!(iv(70_000.0) > iv(108_130.0), "puts are dearer at the same distance");
    let short = Smile::BTC.iv_percent(&terms(87_000.0, 87_000.0, 0.003, true));
    assert!(short > middle);
    assert!(middle.is_multiple_of(Decimal::new(1, 2)));
}
