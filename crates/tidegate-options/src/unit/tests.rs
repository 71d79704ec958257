use super::*;
use crate::stress::Vol;
use tidegate_types::ids::InstrumentId;
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::options::Stress;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

const NOW: Time = Time::from_millis(1_700_000_000_000);

fn expiry(days: u64) -> Time {
    NOW.plus(Span::from_secs(days * 86_400))
}

fn terms(kind: Kind, unit: Unit) -> Instrument {
    let venue = "paper".parse().unwrap();
    Instrument {
        id: InstrumentId { venue, name: "X".parse().unwrap() },
        kind,
        unit,
        base: "BTC".parse().unwrap(),
        settlement: "BTC".parse().unwrap(),
        index: "btc_usd".parse().unwrap(),
        contract_size: Qty(Decimal::ONE),
        tick: Price(d("0.0001")),
        tick_steps: Vec::new(),
        lot: Qty(d("0.1")),
        min_qty: Qty(d("0.1")),
        max_qty: None,
        open: true,
    }
}

fn mark(terms: &Instrument, mark: &str) -> Mark {
    Mark { instrument: terms.id.clone(), mark: Price(d(mark)), index: Price(d("60000")), at: NOW }
}

fn quote(terms: &Instrument) -> OptionQuote {
    let (forward, volatility) = (Price(d("60000")), d("0.65"));
    OptionQuote { instrument: terms.id.clone(), forward, volatility, greeks: None, at: NOW }
}

fn call(days: u64, unit: Unit) -> Instrument {
    terms(Kind::Option { expiry: expiry(days), strike: Price(d("70000")), call: true }, unit)
}

fn grid() -> Grid {
    Grid::new(&Stress::STANDARD)
}

fn row(unit: &PerUnit, price: f64, vol: Vol) -> f64 {
    let is = |row: &Row| (row.price - price).abs() < 1e-9 && row.vol == vol;
    let at = grid().rows().iter().position(is).unwrap();
    unit.lanes[at] as f64 / SCALE
}

fn greek(unit: &PerUnit, at: usize) -> f64 {
    unit.lanes[ROWS + 2 * at] as f64 / SCALE
}

#[test]
fn a_linear_option_gains_dollars() {
    let terms = call(30, Unit::Linear);
    let unit = PerUnit::of(&terms, &mark(&terms, "1379.8"), Some(&quote(&terms)), &grid()).unwrap();
    // By the formula: worth 1379.80 now, of a delta of 0.2315.
    assert!((greek(&unit, 0) - 0.231_462_354_28 * 60_000.0).abs() < 1e-4);
    assert!((greek(&unit, 1) - 2.725_394_128_45e-5 * 36e6).abs() < 1e-4);
    assert!((greek(&unit, 2) - 52.417_169_265).abs() < 1e-6);
    assert!((greek(&unit, 3) + 56.785_266_703_8).abs() < 1e-6);
    assert!(row(&unit, 0.16, Vol::Up) > 3000.0 && row(&unit, -0.16, Vol::Down) < -1300.0);
    assert!(row(&unit, 0.0, Vol::Same).abs() < 1e-7);
    assert_eq!(unit.series(), Some((expiry(30), true)));
}

#[test]
fn an_inverse_option_follows_its_coin_less_by_its_premium() {
    let terms = call(30, Unit::CoinOption);
    let unit = PerUnit::of(&terms, &mark(&terms, "0.023"), Some(&quote(&terms)), &grid()).unwrap();
    assert!((greek(&unit, 0) - 0.208_465_661_306 * 60_000.0).abs() < 1e-4);
    assert!((unit.worth as f64 / SCALE - 1_379.801_578_49).abs() < 1e-6);
    // The coin that it is worth, at the price now: 300 % up it is 170,000 of 240,000 dollars or a little more.
    let grid = grid();
    let at = grid.rows().iter().position(|row| (row.price - 3.0).abs() < 1e-9).unwrap();
    let coin = (unit.lanes[at] as f64 / SCALE / (0.16 / 3.0) + 1_379.801_578) / 60_000.0;
    assert!((coin - 170_000.0 / 240_000.0).abs() < 1e-3, "{coin}");
}

#[test]
fn futures_gain_what_the_price_moves() {
    let linear = terms(Kind::Perpetual, Unit::Linear);
    let unit = PerUnit::of(&linear, &mark(&linear, "60000"), None, &grid()).unwrap();
    assert!((row(&unit, -0.16, Vol::Up) + 9600.0).abs() < 1e-6);
    let inverse = terms(Kind::Perpetual, Unit::Inverse);
    let unit = PerUnit::of(&inverse, &mark(&inverse, "60000"), None, &grid()).unwrap();
    assert!((row(&unit, -0.16, Vol::Same) + 0.16 / 0.84).abs() < 1e-7);
    assert!((greek(&unit, 0) - 1.0).abs() < 1e-7);
    assert_eq!(unit.series(), None);
}

#[test]
fn the_venues_own_greeks_hold_while_they_are_new() {
    let terms = call(30, Unit::Linear);
    let own = VenueGreeks { delta: d("0.5"), vega: d("40"), theta: d("-60") };
    let told = OptionQuote { greeks: Some(own), ..quote(&terms) };
    let unit = PerUnit::of(&terms, &mark(&terms, "1379.8"), Some(&told), &grid()).unwrap();
    assert!((greek(&unit, 0) - 30_000.0).abs() < 1e-6);
    assert!((greek(&unit, 2) - 40.0).abs() < 1e-6 && (greek(&unit, 3) + 60.0).abs() < 1e-6);
    let late = Mark { at: NOW.plus(Span::from_secs(11)), ..mark(&terms, "1379.80157849") };
    let unit = PerUnit::of(&terms, &late, Some(&told), &grid()).unwrap();
    assert!((greek(&unit, 0) - 0.231_462 * 60_000.0).abs() < 1.0, "{}", greek(&unit, 0));
    assert_eq!(unit.at(), late.at);
}

#[test]
fn without_a_quote_the_mark_tells_the_volatility() {
    let terms = call(30, Unit::CoinOption);
    let mark = mark(&terms, "0.02299669");
    let basis = basis(&terms, &mark, None).unwrap().unwrap();
    assert!((basis.option.volatility - 0.65).abs() < 1e-6, "{}", basis.option.volatility);
    assert_eq!(basis.greeks, None);
}

#[test]
fn what_cannot_be_valued_is_said() {
    let past = terms(Kind::Option { expiry: NOW, strike: Price(d("1")), call: true }, Unit::Linear);
    let of =
        |terms: &Instrument, worth: &str| PerUnit::of(terms, &mark(terms, worth), None, &grid());
    assert_eq!(basis(&past, &mark(&past, "1"), None), Err(Unvalued::Expired));
    assert!(of(&past, "1").unwrap().lanes.iter().all(|lane| *lane == 0));
    let dear = call(30, Unit::CoinOption);
    assert_eq!(of(&dear, "1").unwrap_err(), Unvalued::NoVolatility);
    // Worth nothing, or less than exercising: nearly no volatility is left in it.
    assert!(of(&dear, "0").is_ok());
    assert!(of(&call(30, Unit::Linear), "0.0001").is_ok());
}

#[test]
fn the_last_day_is_known() {
    for (days, last) in [(1, true), (2, false)] {
        let terms = call(days, Unit::Linear);
        let unit = PerUnit::of(&terms, &mark(&terms, "1"), Some(&quote(&terms)), &grid()).unwrap();
        assert_eq!(unit.last_day, last, "{days}");
    }
}
