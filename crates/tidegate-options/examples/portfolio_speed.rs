//! What one order costs beside a whole revaluation: a portfolio of 500 options and 200 open orders.
//!
//! ```text
//! cargo run --release -p tidegate-options --example portfolio_speed
//! ```

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};
use tidegate_options::portfolio::{Book, Change, More, Portfolio};
use tidegate_options::stress::Grid;
use tidegate_options::unit::PerUnit;
use tidegate_types::Decimal;
use tidegate_types::ids::{Currency, InstrumentId};
use tidegate_types::instrument::{Instrument, Kind, Mark, Price, Qty, Unit};
use tidegate_types::options::{OptionQuote, Stress};
use tidegate_types::order::Side;
use tidegate_types::time::{Span, Time};

const OPTIONS: u32 = 500;
const ORDERS: u32 = 200;
const ROUNDS: usize = 20_000;
const NOW: Time = Time::from_millis(1_800_000_000_000);
const ONE: i64 = 100_000_000;

/// An option with what it is valued by.
struct Series {
    terms: Instrument,
    mark: Mark,
    quote: OptionQuote,
    book: Book,
}

fn series(number: u32) -> Series {
    let (column, row) = (i64::from(number % 50), u64::from(number / 50));
    let strike = Price(Decimal::new(30_000 + column * 1_500, 0));
    let expiry = NOW.plus(Span::from_secs((1 + row * 9) * 86_400));
    let kind = Kind::Option { expiry, strike, call: number.is_multiple_of(2) };
    let id = InstrumentId { venue: name("paper"), name: name(&format!("BTC-{number}")) };
    let terms = Instrument {
        id: id.clone(),
        kind,
        unit: Unit::CoinOption,
        base: name("BTC"),
        settlement: name("BTC"),
        index: name("btc_usd"),
        contract_size: Qty(Decimal::ONE),
        tick: Price(Decimal::new(5, 4)),
        tick_steps: Vec::new(),
        lot: Qty(Decimal::new(1, 1)),
        min_qty: Qty(Decimal::new(1, 1)),
        max_qty: None,
        open: true,
    };
    let price = |dollars: i64| Price(Decimal::new(dollars, 0));
    let mark = Mark {
        instrument: id.clone(),
        mark: Price(Decimal::new(5, 2)),
        index: price(60_000),
        at: NOW,
    };
    let volatility = Decimal::new(50 + column, 2);
    let quote =
        OptionQuote { instrument: id, forward: price(60_100), volatility, greeks: None, at: NOW };
    let orders = if number < ORDERS { 2 * ONE } else { 0 };
    let position = (i64::from(number % 21) - 10) * ONE;
    let book = Book { position, buys: orders, sells: orders };
    Series { terms, mark, quote, book }
}

fn name<T: std::str::FromStr>(text: &str) -> T {
    match text.parse() {
        Ok(name) => name,
        Err(_) => std::process::abort(),
    }
}

fn valued(series: &Series, grid: &Grid) -> Option<PerUnit> {
    PerUnit::of(&series.terms, &series.mark, Some(&series.quote), grid).ok()
}

fn portfolio(all: &[Series], grid: &Grid) -> Portfolio {
    let mut portfolio = Portfolio::default();
    for series in all {
        portfolio.set(&series.terms.base, &series.terms.id, series.book, valued(series, grid));
    }
    portfolio
}

fn measured(what: &str, rounds: usize, mut each: impl FnMut(usize)) {
    let mut spent: Vec<Duration> = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let start = Instant::now();
        each(round);
        spent.push(start.elapsed());
    }
    spent.sort();
    let at = |part: usize| spent.get(rounds * part / 1000).copied().unwrap_or_default();
    let (p50, p99, most) = (at(500), at(990), at(999));
    println!("{what:<44} p50 {p50:>9.2?}  p99 {p99:>9.2?}  p99.9 {most:>9.2?}");
}

fn main() {
    let grid = Grid::new(&Stress::STANDARD);
    let all: Vec<Series> = (0..OPTIONS).map(series).collect();
    let mut held = portfolio(&all, &grid);
    let strange = series(OPTIONS);
    let coin: Currency = name("BTC");
    let order = |round: usize| {
        let side = if round.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        More { side, qty: ONE, slip: ONE }
    };
    println!("{} options held, {ORDERS} of them with open orders on both sides", held.len());
    measured("an order in an option that is held", ROUNDS, |round| {
        let Some(series) = all.get(round % all.len()) else { return };
        let Some(unit) = held.unit(&coin, &series.terms.id) else { return };
        let change = Change { coin: &coin, instrument: &series.terms.id, unit, more: order(round) };
        std::hint::black_box(held.weigh(&Stress::STANDARD, None));
        std::hint::black_box(held.weigh(&Stress::STANDARD, Some(&change)));
    });
    measured("an order in an option that is new", ROUNDS, |round| {
        let Some(unit) = valued(&strange, &grid) else { return };
        let instrument = &strange.terms.id;
        let change = Change { coin: &coin, instrument, unit: &unit, more: order(round) };
        std::hint::black_box(held.weigh(&Stress::STANDARD, None));
        std::hint::black_box(held.weigh(&Stress::STANDARD, Some(&change)));
    });
    measured("a quote: one option valued and put in again", ROUNDS, |round| {
        let Some(series) = all.get(round % all.len()) else { return };
        held.set(&coin, &series.terms.id, series.book, valued(series, &grid));
    });
    measured("whether everything has fresh figures", ROUNDS, |_| {
        std::hint::black_box(held.unvalued(NOW, NOW));
    });
    measured("the whole portfolio, valued anew", 200, |_| {
        std::hint::black_box(portfolio(&all, &grid).weigh(&Stress::STANDARD, None));
    });
}
