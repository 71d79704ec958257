//! A portfolio with wings on both sides, worked out with forty digits apart from this code.

use super::*;

fn option(call: bool, strike: f64, volatility: f64) -> European {
    European { call, forward: 60_000.0, strike, years: 30.0 / 365.0, volatility }
}

fn legs() -> Vec<Leg> {
    vec![
        Leg::Option { qty: -10.0, option: option(true, 70_000.0, 0.65) },
        Leg::Option { qty: -5.0, option: option(false, 50_000.0, 0.70) },
        Leg::Future { qty: 2.0, price: 60_000.0 },
    ]
}

/// The move in percent, volatility, the gain and what of it counts.
const WORKED: &[(i32, Vol, f64, f64)] = &[
    (16, Vol::Up, -36882.91209, -36882.91209),
    (12, Vol::Up, -30542.21014, -30542.21014),
    (12, Vol::Down, 5801.803009, 5801.803009),
    (8, Vol::Up, -25809.38992, -25809.38992),
    (8, Vol::Down, 9495.504707, 9495.504707),
    (4, Vol::Up, -22774.35814, -22774.35814),
    (4, Vol::Down, 10749.03162, 10749.03162),
    (0, Vol::Up, -21508.34636, -21508.34636),
    (0, Vol::Down, 9663.903994, 9663.903994),
    (-4, Vol::Up, -22059.56246, -22059.56246),
    (-4, Vol::Down, 6396.866074, 6396.866074),
    (-8, Vol::Up, -24449.47667, -24449.47667),
    (-8, Vol::Down, 1112.888256, 1112.888256),
    (-12, Vol::Up, -28670.08367, -28670.08367),
    (-12, Vol::Down, -6054.736662, -6054.736662),
    (-16, Vol::Up, -34682.41025, -34682.41025),
    (-66, Vol::Up, -207993.1557, -49918.35736),
    (-33, Vol::Up, -78056.47363, -37467.10734),
    (50, Vol::Up, -139796.7245, -44734.95184),
    (100, Vol::Up, -362498.4799, -57999.75679),
    (200, Vol::Up, -840795.1473, -67263.61178),
    (300, Vol::Up, -1320784.686, -70397.82378),
    (400, Vol::Up, -1800784.61, -72031.38441),
    (500, Vol::Up, -2280784.609, -72985.1075),
];

#[test]
fn every_scenario_is_as_worked_out() {
    let outcomes = scan(&legs());
    assert_eq!(outcomes.len(), WORKED.len());
    for (percent, vol, gain, counted) in WORKED {
        let is =
            |row: &Row| row.vol == *vol && (row.price * 100.0 - f64::from(*percent)).abs() < 1e-9;
        let outcome = outcomes.iter().find(|outcome| is(&outcome.row)).unwrap();
        assert!((outcome.gain / gain - 1.0).abs() < 1e-8, "{percent} {vol:?}: {}", outcome.gain);
        // The published weight of 300 % is cut to 5.33 %.
        let part = if *percent == 300 { 1e-3 } else { 1e-8 };
        assert!((outcome.counted / counted - 1.0).abs() < part, "{percent}: {}", outcome.counted);
    }
}

#[test]
fn the_far_wing_decides() {
    assert!((scan_loss(&legs()) - 72_985.107_5).abs() < 1e-3);
    assert!((initial(&legs(), 60_000.0, 12.0) - 72_997.107_5).abs() < 1e-3);
    assert!((maintenance(&legs(), 60_000.0, 12.0) - (72_985.107_5 / 2.0 + 12.0)).abs() < 1e-3);
}

#[test]
fn a_future_alone_is_its_range() {
    let legs = [Leg::Future { qty: 1.0, price: 60_000.0 }];
    assert!((initial(&legs, 60_000.0, 0.0) - 9_600.0).abs() < 1e-6);
    let flat =
        [Leg::Future { qty: 1.0, price: 60_000.0 }, Leg::Future { qty: -1.0, price: 60_000.0 }];
    assert!((initial(&flat, 60_000.0, 0.0) - 600.0).abs() < 1e-6);
}
