use super::*;
use crate::stress::Grid;
use proptest::prelude::*;
use tidegate_types::instrument::{Instrument, Kind, Mark, Price, Qty, Unit};
use tidegate_types::options::OptionQuote;
use tidegate_types::order::Side;
use tidegate_types::time::Span;

const NOW: Time = Time::from_millis(1_700_000_000_000);
const ONE: i64 = 100_000_000;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn coin() -> Currency {
    "BTC".parse().unwrap()
}

fn id(name: &str) -> InstrumentId {
    InstrumentId { venue: "paper".parse().unwrap(), name: name.parse().unwrap() }
}

fn expiry(days: u64) -> Time {
    NOW.plus(Span::from_secs(days * 86_400))
}

fn terms(name: &str, kind: Kind) -> Instrument {
    Instrument {
        id: id(name),
        kind,
        unit: Unit::Linear,
        base: coin(),
        settlement: "USDC".parse().unwrap(),
        index: "btc_usdc".parse().unwrap(),
        contract_size: Qty(Decimal::ONE),
        tick: Price(d("0.1")),
        tick_steps: Vec::new(),
        lot: Qty(d("0.1")),
        min_qty: Qty(d("0.1")),
        max_qty: None,
        open: true,
    }
}

fn unit(name: &str, call: bool, strike: &str, days: u64, volatility: &str) -> PerUnit {
    let kind = Kind::Option { expiry: expiry(days), strike: Price(d(strike)), call };
    let terms = terms(name, kind);
    let (index, forward) = (Price(d("60000")), Price(d("60000")));
    let mark = Mark { instrument: terms.id.clone(), mark: Price(d("1000")), index, at: NOW };
    let volatility = d(volatility);
    let quote = OptionQuote { instrument: id(name), forward, volatility, greeks: None, at: NOW };
    PerUnit::of(&terms, &mark, Some(&quote), &Grid::new(&Stress::STANDARD)).unwrap()
}

fn perpetual() -> PerUnit {
    let terms = terms("PERP", Kind::Perpetual);
    let (mark, index) = (Price(d("60000")), Price(d("60000")));
    let mark = Mark { instrument: terms.id.clone(), mark, index, at: NOW };
    PerUnit::of(&terms, &mark, None, &Grid::new(&Stress::STANDARD)).unwrap()
}

fn held(position: i64) -> Book {
    Book { position: position * ONE, ..Book::default() }
}

fn bare() -> Stress {
    Stress { short_bps: 0, expiry_bps: 0, concentration_bps: 0, ..Stress::STANDARD }
}

fn wings() -> Portfolio {
    let mut portfolio = Portfolio::default();
    portfolio.set(&coin(), &id("C"), held(-10), Some(unit("C", true, "70000", 30, "0.65")));
    portfolio.set(&coin(), &id("P"), held(-5), Some(unit("P", false, "50000", 30, "0.70")));
    portfolio.set(&coin(), &id("PERP"), held(2), Some(perpetual()));
    portfolio
}

fn dollars(usd: Usd) -> f64 {
    usd.0.raw() as f64 / 1e8
}

/// The portfolio of which `methods/paradex/tests.rs` has every scenario.
#[test]
fn the_margin_is_the_worst_scenario_rounded_up() {
    let weighed = wings().weigh(&bare(), None);
    let margin = dollars(weighed.margin);
    assert!((72_985.107_5..72_985.107_52).contains(&margin), "{margin}");
}

#[test]
fn what_is_sold_is_charged_by_series_in_its_last_day_and_in_bulk() {
    let margin = |stress: Stress| dollars(wings().weigh(&stress, None).margin);
    let base = margin(bare());
    // Fifteen coins of 60,000 dollars.
    let short = margin(Stress { short_bps: 100, ..bare() }) - base;
    assert!((short - 9_000.0).abs() < 1e-4, "{short}");
    assert!((margin(Stress { expiry_bps: 100, ..bare() }) - base).abs() < 1e-6);
    let concentrated_above = Usd(d("500000"));
    let bulk = margin(Stress { concentrated_above, concentration_bps: 200, ..bare() }) - base;
    assert!((bulk - 8_000.0).abs() < 1e-4, "{bulk}");
    let mut last = Portfolio::default();
    last.set(&coin(), &id("C"), held(-1), Some(unit("C", true, "90000", 1, "0.65")));
    let ends = dollars(last.weigh(&Stress { expiry_bps: 100, ..bare() }, None).margin)
        - dollars(last.weigh(&bare(), None).margin);
    assert!((ends - 600.0).abs() < 1e-4, "{ends}");
}

#[test]
fn an_order_never_lessens_a_margin() {
    let unit = unit("C", true, "70000", 30, "0.65");
    let (coin, instrument) = (coin(), id("C"));
    let before = wings().weigh(&bare(), None);
    for side in [Side::Buy, Side::Sell] {
        let more = More { side, qty: 10 * ONE, slip: 0 };
        let change = Change { coin: &coin, instrument: &instrument, unit: &unit, more };
        let after = wings().weigh(&bare(), Some(&change));
        assert!(after.margin >= before.margin && after.delta >= before.delta, "{side:?}");
        // A buy that closes the short wing lessens nothing before it trades, and adds little.
        let grew = dollars(after.margin) - dollars(before.margin);
        assert_eq!(side == Side::Sell, grew > 60_000.0, "{grew}");
    }
}

#[test]
fn what_is_paid_beyond_the_mark_is_lost() {
    let (coin, instrument, unit) = (coin(), id("PERP"), perpetual());
    let of = |slip: i64| {
        let more = More { side: Side::Buy, qty: ONE, slip };
        let change = Change { coin: &coin, instrument: &instrument, unit: &unit, more };
        Portfolio::default().weigh(&bare(), Some(&change)).margin
    };
    assert!((dollars(of(50 * ONE)) - dollars(of(0)) - 50.0).abs() < 1e-6);
}

#[test]
fn net_short_is_by_expiry_with_open_sells() {
    let mut portfolio = wings();
    let (coin, call) = (coin(), unit("C2", true, "80000", 30, "0.65"));
    let book = Book { position: 3 * ONE, buys: 5 * ONE, sells: ONE };
    portfolio.set(&coin, &id("C2"), book, Some(call.clone()));
    // Ten calls sold, two bought beyond what is for sale, and five puts sold.
    assert_eq!(portfolio.net_short(&coin, expiry(30), None), i128::from(13 * ONE));
    assert_eq!(portfolio.net_short(&coin, expiry(7), None), 0);
    let instrument = id("C2");
    let more = More { side: Side::Sell, qty: 4 * ONE, slip: 0 };
    let change = Change { coin: &coin, instrument: &instrument, unit: &call, more };
    assert_eq!(portfolio.net_short(&coin, expiry(30), Some(&change)), i128::from(17 * ONE));
}

#[test]
fn what_cannot_be_valued_or_only_by_old_figures_is_named() {
    let mut portfolio = wings();
    assert_eq!(portfolio.unvalued(NOW, NOW), None);
    assert_eq!(portfolio.unvalued(NOW.plus(Span::from_secs(1)), NOW), Some(&id("C")));
    assert_eq!(portfolio.unvalued(expiry(90), expiry(90)), Some(&id("PERP")));
    portfolio.set(&coin(), &id("X"), held(1), None);
    assert_eq!(portfolio.unvalued(NOW, NOW), Some(&id("X")));
    portfolio.set(&coin(), &id("X"), Book::default(), None);
    assert_eq!(portfolio.unvalued(NOW, NOW), None);
}

fn series(pick: u8) -> (String, PerUnit) {
    let strike = 40_000 + 2_500 * u32::from(pick % 16);
    let (call, days) = (pick.is_multiple_of(2), 1 + u64::from(pick / 16) * 9);
    let name = format!("O{pick}");
    let unit = unit(&name, call, &strike.to_string(), days, "0.6");
    (name, unit)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn step_by_step_is_the_same_as_anew(
        steps in prop::collection::vec((0_u8..64, -50_i64..50, 0_i64..20, 0_i64..20), 1..40),
        (pick, qty, buy) in (0_u8..64, 1_i64..30, any::<bool>()),
    ) {
        let mut portfolio = Portfolio::default();
        for (pick, position, buys, sells) in steps {
            let (name, unit) = series(pick);
            let book = Book {
                position: position * ONE, buys: buys * ONE, sells: sells * ONE,
            };
            portfolio.set(&coin(), &id(&name), book, Some(unit));
        }
        prop_assert_eq!(&portfolio, &portfolio.anew());
        // An order weighs what it would as an open order.
        let (name, unit) = series(pick);
        let (coin, instrument) = (coin(), id(&name));
        let side = if buy { Side::Buy } else { Side::Sell };
        let more = More { side, qty: qty * ONE, slip: 0 };
        let change = Change { coin: &coin, instrument: &instrument, unit: &unit, more };
        let with = portfolio.weigh(&Stress::STANDARD, Some(&change));
        let held = portfolio.coins.get(&coin).and_then(|of| of.held.get(&instrument));
        let mut book = held.map(|held| held.book).unwrap_or_default();
        if buy {
            book.buys += qty * ONE;
        } else {
            book.sells += qty * ONE;
        }
        portfolio.set(&coin, &instrument, book, Some(unit));
        let then = portfolio.weigh(&Stress::STANDARD, None);
        let close = |a: Usd, b: Usd| (a.0.raw() - b.0.raw()).abs() <= 1;
        prop_assert!(close(with.margin, then.margin), "{:?} {:?}", with, then);
        prop_assert!(close(with.delta, then.delta) && close(with.vega, then.vega));
    }
}
