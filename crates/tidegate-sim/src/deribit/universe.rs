//! What the venue lists: perpetuals, the next dated futures, and option chains around the index.

use crate::calendar::{civil, fridays, last_fridays};
use crate::engine::universe::{Kind, Listing, Unit, Venue};
use std::sync::Arc;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::time::{Span, Time};

/// Strikes on each side of the one at the money.
const WINGS: i64 = 4;

/// A coin with inverse futures and options.
struct Coin {
    name: &'static str,
    /// The price step of its futures.
    tick: Decimal,
    /// One contract of its inverse futures, dollars.
    contract: Decimal,
    /// The largest futures order, dollars.
    largest: Decimal,
    /// The smallest option order, coins.
    option_lot: Decimal,
    /// The distance of strikes in the shortest expiries.
    strike_step: Decimal,
    /// One contract and the price step of its linear perpetual.
    linear: (Decimal, Decimal),
}

const COINS: [Coin; 2] = [
    Coin {
        name: "BTC",
        tick: Decimal::new(5, 1),
        contract: Decimal::new(10, 0),
        largest: Decimal::new(20_000_000, 0),
        option_lot: Decimal::new(1, 1),
        strike_step: Decimal::new(1_000, 0),
        linear: (Decimal::new(1, 4), Decimal::new(5, 1)),
    },
    Coin {
        name: "ETH",
        tick: Decimal::new(5, 2),
        contract: Decimal::ONE,
        largest: Decimal::new(10_000_000, 0),
        option_lot: Decimal::ONE,
        strike_step: Decimal::new(50, 0),
        linear: (Decimal::new(1, 3), Decimal::new(5, 2)),
    },
];

/// Everything that should be listed at `now`, with strikes around the present index of each coin.
/// What was listed before under the same name stays as it was.
pub(crate) fn due(now: Time, index: &dyn Fn(&str) -> Decimal) -> Vec<Listing> {
    let mut listings = Vec::new();
    for coin in &COINS {
        listings.push(inverse(coin, &format!("{}-PERPETUAL", coin.name), Kind::Perpetual, now));
        listings.push(linear_perpetual(coin, now));
        let expiries = expiries(now);
        for expiry in &expiries {
            let name = format!("{}-{}", coin.name, date_code(*expiry));
            listings.push(inverse(coin, &name, Kind::Future { expiry: *expiry }, now));
        }
        for (place, expiry) in expiries.iter().enumerate() {
            for strike in strikes(coin, index(coin.name), place) {
                listings.push(option(coin, *expiry, strike, true, now));
                listings.push(option(coin, *expiry, strike, false, now));
            }
        }
    }
    listings
}

/// The name of an option's date: `27DEC24`, without a leading zero.
pub(crate) fn date_code(expiry: Time) -> String {
    const MONTHS: [&str; 12] =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let (year, month, day) = civil(expiry);
    let name = MONTHS.get(month.saturating_sub(1) as usize).unwrap_or(&"JAN");
    format!("{day}{name}{:02}", year % 100)
}

/// The next daily, the next Friday, and the last Fridays of this or the next month and of the
/// quarter after it, each at 08:00 UTC.
fn expiries(now: Time) -> Vec<Time> {
    const EIGHT: u64 = 8 * 3_600_000;
    const DAY: u64 = 86_400_000;
    let daily = Time::from_millis((now.millis().saturating_sub(EIGHT) / DAY + 1) * DAY + EIGHT);
    let friday = fridays(now).next().unwrap_or(daily);
    let monthly = last_fridays(now, 1).find(|day| *day > friday).unwrap_or(friday);
    let quarterly = last_fridays(now, 3).find(|day| *day > monthly).unwrap_or(monthly);
    let mut all = vec![daily, friday, monthly, quarterly];
    all.dedup();
    all
}

/// Strikes around the index, further apart for later expiries.
fn strikes(coin: &Coin, index: Decimal, place: usize) -> Vec<Decimal> {
    let wider: i64 = match place {
        0 => 1,
        1 => 2,
        2 => 5,
        _ => 10,
    };
    let step = Decimal::from_raw(coin.strike_step.raw().saturating_mul(wider));
    let middle = index.round_to(step, Rounding::Nearest).unwrap_or(step);
    let around = |n: i64| Decimal::from_raw(middle.raw() + step.raw().saturating_mul(n));
    (-WINGS..=WINGS).map(around).filter(|strike| strike.is_positive()).collect()
}

fn inverse(coin: &Coin, name: &str, kind: Kind, now: Time) -> Listing {
    let perpetual = kind == Kind::Perpetual;
    Listing {
        venue: Venue::Deribit,
        symbol: Arc::from(name),
        kind,
        unit: Unit::Inverse,
        coin: Arc::from(coin.name),
        quote: Arc::from("USD"),
        settle: Arc::from(coin.name),
        tick: coin.tick,
        tick_steps: Vec::new(),
        step: coin.contract,
        min_quantity: coin.contract,
        max_quantity: coin.largest,
        max_market_quantity: coin.largest,
        min_notional: Decimal::ZERO,
        contract_size: coin.contract,
        maker_fee: Decimal::ZERO,
        taker_fee: Decimal::new(5, 4),
        max_leverage: 50,
        band: if perpetual { Decimal::new(15, 3) } else { Decimal::new(25, 3) },
        funding_every: if perpetual { Span::from_secs(60) } else { Span::ZERO },
        listed: now,
    }
}

fn linear_perpetual(coin: &Coin, now: Time) -> Listing {
    let (contract, tick) = coin.linear;
    Listing {
        unit: Unit::Linear,
        quote: Arc::from("USDC"),
        settle: Arc::from("USDC"),
        tick,
        step: contract,
        min_quantity: contract,
        max_quantity: Decimal::new(5_000, 0),
        max_market_quantity: Decimal::new(5_000, 0),
        contract_size: contract,
        ..inverse(coin, &format!("{}_USDC-PERPETUAL", coin.name), Kind::Perpetual, now)
    }
}

fn option(coin: &Coin, expiry: Time, strike: Decimal, call: bool, now: Time) -> Listing {
    let letter = if call { 'C' } else { 'P' };
    let name = format!("{}-{}-{strike}-{letter}", coin.name, date_code(expiry));
    Listing {
        unit: Unit::CoinOption,
        quote: Arc::from(coin.name),
        tick: Decimal::new(1, 4),
        tick_steps: vec![(Decimal::new(5, 3), Decimal::new(5, 4))],
        step: coin.option_lot,
        min_quantity: coin.option_lot,
        max_quantity: Decimal::new(5_000, 0),
        max_market_quantity: Decimal::new(5_000, 0),
        contract_size: Decimal::ONE,
        maker_fee: Decimal::new(3, 4),
        taker_fee: Decimal::new(3, 4),
        max_leverage: 1,
        band: Decimal::new(1, 1),
        ..inverse(coin, &name, Kind::Option { expiry, strike, call }, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    fn index(coin: &str) -> Decimal {
        Decimal::new(if coin == "BTC" { 87_123 } else { 2_968 }, 0)
    }

    #[test]
    fn dates_have_the_venue_s_names() {
        assert_eq!(date_code(at(1_735_300_800)), "27DEC24");
        assert_eq!(date_code(at(1_661_990_400 + 86_400)), "2SEP22");
    }

    #[test]
    fn expiries_are_ahead_and_ordered() {
        // Saturday 2026-11-21, 17:00 UTC.
        let names = |now| expiries(now).into_iter().map(date_code).collect::<Vec<_>>();
        assert_eq!(names(at(1_795_280_400)), ["22NOV26", "27NOV26", "25DEC26", "26MAR27"]);
        // A Friday at 07:59:59 still has its own expiry ahead, at 08:00:00 no longer.
        assert_eq!(names(at(1_795_766_399)), ["27NOV26", "25DEC26", "26MAR27"]);
        assert_eq!(names(at(1_795_766_400)), ["28NOV26", "4DEC26", "25DEC26", "26MAR27"]);
    }

    #[test]
    fn the_universe_has_every_kind_once() {
        let listings = due(at(1_795_280_400), &index);
        let names: BTreeSet<&str> = listings.iter().map(|listing| &*listing.symbol).collect();
        assert_eq!(names.len(), listings.len());
        for name in [
            "BTC-PERPETUAL",
            "ETH-PERPETUAL",
            "BTC_USDC-PERPETUAL",
            "ETH_USDC-PERPETUAL",
            "BTC-25DEC26",
            "ETH-26MAR27",
            "BTC-22NOV26-87000-C",
            "BTC-26MAR27-90000-P",
            "ETH-27NOV26-2900-P",
        ] {
            assert!(names.contains(name), "{name} is missing");
        }
        assert_eq!(listings.len(), 2 * (2 + 4 + 4 * 9 * 2));
        assert!(listings.iter().all(|l| l.min_quantity.is_multiple_of(l.step)));
    }
}
