//! A portfolio, summed up: everything an account holds and has ordered of one coin, in every scenario, with
//! the orders at their worst: whichever of filled and not filled loses more there, for each side of each
//! instrument.
//!
//! Sums are of integers, so that they do not depend on the order in which they came about, and one instrument
//! can be taken out and put in again: an order costs what its own instrument costs.

use crate::unit::PerUnit;
use std::collections::BTreeMap;
use tidegate_types::Decimal;
use tidegate_types::ids::{Currency, InstrumentId};
use tidegate_types::instrument::Usd;
use tidegate_types::options::Stress;
use tidegate_types::time::Time;

mod sums;

pub use sums::{Book, More};
use sums::{Part, Sums};

/// What an account holds, by coin.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Portfolio {
    coins: BTreeMap<Currency, Coin>,
}

/// Everything of one coin.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Coin {
    sums: Sums,
    held: BTreeMap<InstrumentId, Held>,
    /// What is bought less what is sold of an expiry, open sells included, in 10⁻⁸ coins; calls apart from puts.
    expiries: BTreeMap<(Time, bool), i128>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Held {
    unit: Option<PerUnit>,
    book: Book,
    part: Part,
}

/// What a portfolio comes to, in dollars, everything at its worst and rounded against the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Weighed {
    /// What it may lose by the worst scenario of each coin, with what is added for options sold.
    pub margin: Usd,
    /// What its options are worth: less than nothing where more is sold than bought.
    pub worth: Usd,
    /// How far it follows its coins, either way.
    pub delta: Usd,
    /// How far that changes by one percent.
    pub gamma: Usd,
    /// What one point of volatility may cost or bring.
    pub vega: Usd,
    /// What a day may cost or bring.
    pub theta: Usd,
}

/// One instrument as it would be.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Its coin.
    pub coin: &'a Currency,
    /// Which.
    pub instrument: &'a InstrumentId,
    /// What one of its units does.
    pub unit: &'a PerUnit,
    /// The order that is added.
    pub more: More,
}

impl Portfolio {
    /// Sets what is held of an instrument and what one unit of it does; `None` where it cannot be valued.
    pub fn set(
        &mut self,
        coin: &Currency,
        instrument: &InstrumentId,
        book: Book,
        unit: Option<PerUnit>,
    ) {
        self.remove(coin, instrument);
        if book == Book::default() {
            return;
        }
        let of = self.coins.entry(coin.clone()).or_default();
        let part = unit.as_ref().map(|unit| Part::of(unit, &book, None)).unwrap_or_default();
        of.sums.add(&part);
        if let Some(series) = unit.as_ref().and_then(PerUnit::series) {
            *of.expiries.entry(series).or_default() += part.net;
        }
        of.held.insert(instrument.clone(), Held { unit, book, part });
    }

    /// Sets what is held of an instrument that is known already; whether it was.
    pub fn set_book(&mut self, coin: &Currency, instrument: &InstrumentId, book: Book) -> bool {
        let held = self.coins.get(coin).and_then(|of| of.held.get(instrument));
        let Some(unit) = held.map(|held| held.unit.clone()) else { return false };
        self.set(coin, instrument, book, unit);
        true
    }

    /// What one unit of an instrument does, as it is known.
    pub fn unit(&self, coin: &Currency, instrument: &InstrumentId) -> Option<&PerUnit> {
        self.coins.get(coin)?.held.get(instrument)?.unit.as_ref()
    }

    /// An instrument that is held or ordered and cannot be valued, or only by figures from before `since`. What
    /// has expired by now is left out: the venue settles it.
    pub fn unvalued(&self, since: Time, now: Time) -> Option<&InstrumentId> {
        let all = self.coins.values().flat_map(|of| &of.held);
        let over = |unit: &PerUnit| unit.series.is_some_and(|(expiry, _)| expiry <= now);
        let old =
            |held: &Held| held.unit.as_ref().is_none_or(|unit| unit.at < since && !over(unit));
        all.into_iter().find(|(_, held)| old(held)).map(|(id, _)| id)
    }

    /// Coins of the expiry that are sold more than bought, calls and puts each for themselves, added, in 10⁻⁸;
    /// with an order.
    pub fn net_short(&self, coin: &Currency, expiry: Time, change: Option<&Change<'_>>) -> i128 {
        let of = self.coins.get(coin);
        let more = change.filter(|change| change.coin == coin);
        let side = |call: bool| {
            let series = (expiry, call);
            let held = of.and_then(|of| of.expiries.get(&series)).copied().unwrap_or(0);
            let sold = more.filter(|change| change.unit.series == Some(series));
            (sold.map_or(0, |change| change.more.sold()) - held).max(0)
        };
        side(true).saturating_add(side(false))
    }

    /// The same as it is, of the coin and expiry of which most are.
    pub fn most_net_short(&self) -> i128 {
        let all = self.coins.iter().flat_map(|(coin, of)| {
            of.expiries.keys().map(move |(expiry, _)| self.net_short(coin, *expiry, None))
        });
        all.max().unwrap_or(0)
    }

    /// What it comes to, with an order that is added.
    pub fn weigh(&self, stress: &Stress, change: Option<&Change<'_>>) -> Weighed {
        let mut total = Total::default();
        let mut seen = false;
        for (coin, of) in &self.coins {
            match change.filter(|change| change.coin == coin) {
                Some(change) => {
                    seen = true;
                    total.add(&of.with(change), stress);
                }
                None => total.add(&of.sums, stress),
            }
        }
        if let Some(change) = change.filter(|_| !seen) {
            total.add(&Coin::default().with(change), stress);
        }
        total.weighed()
    }

    /// The same portfolio, summed up anew from each instrument: for tests and measurements.
    pub fn anew(&self) -> Portfolio {
        let mut fresh = Portfolio::default();
        for (coin, of) in &self.coins {
            for (instrument, held) in &of.held {
                fresh.set(coin, instrument, held.book, held.unit.clone());
            }
        }
        fresh
    }

    /// How many instruments there are in it.
    pub fn len(&self) -> usize {
        self.coins.values().map(|of| of.held.len()).sum()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.coins.is_empty()
    }

    fn remove(&mut self, coin: &Currency, instrument: &InstrumentId) {
        let Some(of) = self.coins.get_mut(coin) else { return };
        let Some(held) = of.held.remove(instrument) else { return };
        of.sums.take(&held.part);
        if let Some(series) = held.unit.as_ref().and_then(PerUnit::series) {
            let net = of.expiries.entry(series).or_default();
            *net -= held.part.net;
            if *net == 0 {
                of.expiries.remove(&series);
            }
        }
        if of.held.is_empty() {
            self.coins.remove(coin);
        }
    }
}

impl Coin {
    fn with(&self, change: &Change<'_>) -> Sums {
        let mut sums = self.sums.clone();
        let held = self.held.get(change.instrument);
        if let Some(held) = held {
            sums.take(&held.part);
        }
        let book = held.map(|held| held.book).unwrap_or_default();
        sums.add(&Part::of(change.unit, &book, Some(&change.more)));
        sums
    }
}

/// The coins, added up.
#[derive(Default)]
struct Total {
    margin: i128,
    worth: i128,
    greeks: [i128; 4],
}

impl Total {
    fn add(&mut self, sums: &Sums, stress: &Stress) {
        self.margin = self.margin.saturating_add(sums.margin(stress));
        self.worth = self.worth.saturating_add(sums.worth());
        for (total, worst) in self.greeks.iter_mut().zip(sums.greeks()) {
            *total = total.saturating_add(worst);
        }
    }

    fn weighed(self) -> Weighed {
        let [delta, gamma, vega, theta] = self.greeks.map(sums::up);
        let (margin, worth) = (sums::up(self.margin), sums::down(self.worth));
        Weighed { margin, worth, delta, gamma, vega, theta }
    }
}

/// Dollars from a count of 10⁻⁸ that may not fit.
fn usd(raw: i128) -> Usd {
    let end = if raw < 0 { i64::MIN } else { i64::MAX };
    Usd(Decimal::from_raw(i64::try_from(raw).unwrap_or(end)))
}

#[cfg(test)]
mod tests;
