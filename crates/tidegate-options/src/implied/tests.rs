use super::*;
use proptest::prelude::*;

fn option(call: bool, strike: f64, days: f64, volatility: f64) -> European {
    European { call, forward: 60_000.0, strike, years: days / 365.0, volatility }
}

#[test]
fn the_volatility_that_made_the_price_comes_back() {
    for (call, strike, days, is) in [
        (true, 60_000.0, 30.0, 0.60),
        (true, 70_000.0, 30.0, 0.65),
        (false, 50_000.0, 7.0, 0.80),
        (false, 20_000.0, 1.0, 1.5),
        (true, 20_000.0, 30.0, 0.9),
    ] {
        let option = option(call, strike, days, is);
        let found = volatility(&European { volatility: 0.0, ..option }, option.price());
        // Deep in the money little of the price tells of volatility.
        let digits = if call && strike < 30_000.0 { 1e-4 } else { 1e-9 };
        match found {
            Ok(found) => {
                assert!((found / is - 1.0).abs() < digits, "{strike}: {found} is not {is}")
            }
            Err(none) => assert!(option.price() - option.intrinsic() <= 0.0, "{strike}: {none:?}"),
        }
    }
}

#[test]
fn what_no_volatility_makes_is_said() {
    let inside = option(true, 50_000.0, 30.0, 0.0);
    assert_eq!(volatility(&inside, 10_000.0), Err(NoVolatility::BelowIntrinsic));
    assert_eq!(volatility(&inside, 9_000.0), Err(NoVolatility::BelowIntrinsic));
    assert_eq!(volatility(&inside, 60_000.0), Err(NoVolatility::AboveMost));
    assert_eq!(volatility(&inside, f64::NAN), Err(NoVolatility::Senseless));
    let over = European { years: 0.0, ..inside };
    assert_eq!(volatility(&over, 10_001.0), Err(NoVolatility::Senseless));
}

proptest! {
    #[test]
    fn a_price_and_its_volatility_agree(
        call in any::<bool>(), log in -1.2..1.2_f64, days in 0.1..700.0, is in 0.05..4.0,
    ) {
        let option = option(call, 60_000.0 * libm::exp(log), days, is);
        let price = option.price();
        let beyond = price - option.intrinsic();
        // What is lost in the digits of the price cannot be found again.
        prop_assume!(beyond > price * 1e-6 && beyond > 1e-250);
        let found = volatility(&option, price).unwrap();
        let again = European { volatility: found, ..option }.price();
        prop_assert!((again - price).abs() <= 1e-9 * price, "{} {}", again, price);
    }
}
