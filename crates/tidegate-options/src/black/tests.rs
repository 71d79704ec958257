//! Figures worked out with forty digits apart from this code, and what must hold of every option.

use super::*;
use proptest::prelude::*;

struct Worked {
    option: European,
    dollars: f64,
    greeks: Greeks,
    net: f64,
}

fn worked(call: bool, of: [f64; 4], dollars: f64, delta: f64, net: f64, rest: [f64; 3]) -> Worked {
    let [forward, strike, days, volatility] = of;
    let [gamma, vega, theta] = rest;
    let option = European { call, forward, strike, years: days / 365.0, volatility };
    Worked { option, dollars, greeks: Greeks { delta, gamma, vega, theta }, net }
}

fn table() -> Vec<Worked> {
    let at = [60_000.0, 60_000.0, 30.0, 0.60];
    let rest = [3.85112021206e-5, 68.370572532, -68.370572532];
    vec![
        worked(true, at, 4112.36443095, 0.534269703591, 0.465730296409, rest),
        worked(false, at, 4112.36443095, -0.465730296409, -0.534269703591, rest),
        worked(
            true,
            [60_000.0, 70_000.0, 30.0, 0.65],
            1379.80157849,
            0.23146235428,
            0.208465661306,
            [2.72539412845e-5, 52.417169265, -56.7852667038],
        ),
        worked(
            false,
            [60_000.0, 50_000.0, 7.0, 0.80],
            126.385836774,
            -0.0444645285811,
            -0.046570959194,
            [1.41226888261e-5, 7.80036730776, -44.5735274729],
        ),
        worked(
            true,
            [3000.0, 3600.0, 90.0, 0.75],
            243.90171494,
            0.380813791908,
            0.299513220261,
            [0.000341013316122, 5.67576957655, -2.36490399023],
        ),
    ]
}

fn near(what: &str, is: f64, should: f64) {
    assert!((is / should - 1.0).abs() < 1e-9, "{what}: {is} is not {should}");
}

#[test]
fn prices_and_greeks_are_as_worked_out() {
    for Worked { option, dollars, greeks, net } in table() {
        let is = option.greeks();
        near("price", option.price(), dollars);
        near("delta", is.delta, greeks.delta);
        near("net delta", option.net_delta(), net);
        near("gamma", is.gamma, greeks.gamma);
        near("vega", is.vega, greeks.vega);
        near("theta", is.theta, greeks.theta);
    }
}

#[test]
fn far_out_nothing_is_lost_and_nothing_is_negative() {
    let option = European {
        call: false,
        forward: 100_000.0,
        strike: 20_000.0,
        years: 1.0 / 365.0,
        volatility: 1.5,
    };
    let price = option.price();
    assert!((price / 1.877818985e-91 - 1.0).abs() < 1e-6, "{price:e}");
    let farther = European { strike: 1.0, ..option };
    assert!(farther.price() >= 0.0 && farther.price() < 1e-300);
    assert!(farther.greeks().delta.abs() < 1e-300);
}

#[test]
fn at_its_end_an_option_is_what_exercising_brings() {
    let end = European { call: true, forward: 110.0, strike: 100.0, years: 0.0, volatility: 0.5 };
    assert!((end.price() - 10.0).abs() < f64::EPSILON);
    assert!((end.greeks().delta - 1.0).abs() < f64::EPSILON);
    assert!(European { call: false, ..end }.price().abs() < f64::EPSILON);
}

/// A day's theta is never more than what is left of the option's life can take.
#[test]
fn the_last_hours_take_no_whole_day() {
    let hour = European {
        call: true,
        forward: 100.0,
        strike: 100.0,
        years: 1.0 / 24.0 / 365.0,
        volatility: 0.6,
    };
    assert!(-hour.greeks().theta <= hour.price());
}

fn any_option() -> impl Strategy<Value = European> {
    (any::<bool>(), 100.0..200_000.0, -1.5..1.5_f64, 0.02..800.0, 0.05..3.0).prop_map(
        |(call, forward, log, days, volatility): (bool, f64, f64, f64, f64)| European {
            call,
            forward,
            strike: forward * libm::exp(log),
            years: days / 365.0,
            volatility,
        },
    )
}

proptest! {
    #[test]
    fn a_call_less_a_put_is_a_forward(option in any_option()) {
        let call = European { call: true, ..option }.price();
        let put = European { call: false, ..option }.price();
        let forward = option.forward - option.strike;
        prop_assert!((call - put - forward).abs() <= 1e-9 * option.forward.max(option.strike));
    }

    #[test]
    fn worth_rises_with_volatility_and_time(option in any_option(), more in 1.01..1.5) {
        let longer = European { years: option.years * more, ..option };
        let wilder = European { volatility: option.volatility * more, ..option };
        prop_assert!(longer.price() >= option.price() * (1.0 - 1e-12));
        prop_assert!(wilder.price() >= option.price() * (1.0 - 1e-12));
    }

    #[test]
    fn a_call_rises_with_the_forward_and_a_put_falls(option in any_option(), more in 1.001..1.2) {
        let higher = European { forward: option.forward * more, ..option };
        let (is, then) = (option.price(), higher.price());
        let held = if option.call { then >= is * (1.0 - 1e-12) } else { then <= is * (1.0 + 1e-12) };
        prop_assert!(held, "{} {}", is, then);
    }

    #[test]
    fn greeks_are_the_slopes_of_the_price(option in any_option()) {
        let step = option.forward * 1e-5;
        let at = |forward: f64| European { forward, ..option };
        let slope = (at(option.forward + step).price() - at(option.forward - step).price()) / (2.0 * step);
        let delta = option.greeks().delta;
        prop_assert!((slope - delta).abs() < 1e-4, "{} {}", slope, delta);
    }
}
