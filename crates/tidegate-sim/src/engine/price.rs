//! How indexes and marks move.

use super::calc;
use super::exchange::Exchange;
use super::keep::{Queue, Set};
use super::market::{InstrumentIx, Market, Phase};
use super::options;
use super::rng::Rng;
use super::universe::{Kind, Listing};
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_types::codec_struct;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::Time;

/// The index of a coin: a random walk that is drawn back to where it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) price: Decimal,
    pub(crate) anchor: Decimal,
}
codec_struct!(Index { price, anchor });

/// The largest step of an index in one tick, in millionths.
const STEP_PPM: i64 = 40;
/// The share of the distance to the anchor that a tick takes back: one in this many.
const PULL: i64 = 2_000_000;

pub(crate) fn openings() -> BTreeMap<Arc<str>, Index> {
    let open = |coin: &str, dollars: i64| {
        let price = calc::int(dollars);
        (Arc::from(coin), Index { price, anchor: price })
    };
    BTreeMap::from([open("BTC", 91_500), open("ETH", 3_050)])
}

impl Index {
    fn step(&mut self, rng: &mut Rng) {
        let raw = self.price.raw();
        let shock = raw / 1_000_000 * rng.around(STEP_PPM);
        let pull = (self.anchor.raw() - raw) / PULL;
        self.price = Decimal::from_raw((raw + shock + pull).max(1_000_000));
    }

    /// The index to the cent, as it is published.
    fn published(&self) -> Decimal {
        calc::round(self.price, Decimal::new(1, 2), tidegate_types::decimal::Rounding::Nearest)
    }
}

impl Exchange {
    /// Moves every index one step and values every instrument anew.
    pub(crate) fn reprice(&mut self, now: Time) {
        for index in self.indexes.values_mut() {
            index.step(&mut self.rng);
        }
        for market in &mut self.markets {
            let Some(index) = self.indexes.get(&market.listing.coin) else { continue };
            if market.phase == Phase::Trading {
                market.revalue(index.published(), now);
                market.advance_candles(now);
            }
        }
    }
}

impl Market {
    pub(crate) fn open(listing: Listing, index: Decimal, now: Time) -> Market {
        let next_funding = Market::first_funding(listing.funding_every, now);
        let mut market = Market {
            listing,
            phase: Phase::Trading,
            book: super::book::Book::from_update(1_000_000),
            mark: index,
            index,
            vol: Decimal::ZERO,
            last: Decimal::ZERO,
            direction: 0,
            trade_count: 0,
            trades: Queue::default(),
            minutes: Queue::default(),
            hours: Queue::default(),
            days: Queue::default(),
            premium: Decimal::ZERO,
            next_funding,
            fundings: Queue::default(),
            open_interest: Decimal::ZERO,
            delivered_at: None,
            waiting: Set::default(),
        };
        market.revalue(index, now);
        market.last = calc::round(
            market.mark,
            market.listing.tick,
            tidegate_types::decimal::Rounding::Nearest,
        );
        market.advance_candles(now);
        market
    }

    fn revalue(&mut self, index: Decimal, now: Time) {
        self.index = index;
        self.mark = match self.listing.kind {
            Kind::Perpetual => {
                if let Some(middle) = self.book.middle() {
                    let gap = calc::div(calc::sub(middle, index), index);
                    let step = Decimal::from_raw(calc::sub(gap, self.premium).raw() / 300);
                    self.premium = calc::add(self.premium, step);
                }
                let mark = calc::add(index, calc::mul(index, self.premium));
                calc::round(mark, Decimal::new(1, 4), tidegate_types::decimal::Rounding::Nearest)
            }
            Kind::Future { expiry } => forward(index, expiry, now),
            Kind::Option { .. } => {
                let (mark, vol) = options::mark(&self.listing, index, now);
                self.vol = vol;
                mark
            }
        };
    }
}

/// What a coin costs at a later time: five percent a year above the index.
pub(crate) fn forward(index: Decimal, expiry: Time, now: Time) -> Decimal {
    const YEAR_SECONDS: i64 = 365 * 86_400;
    let seconds = i64::try_from(expiry.since(now).micros() / 1_000_000).unwrap_or(0);
    let share = calc::div(calc::int(seconds), calc::int(YEAR_SECONDS));
    let carry = calc::mul(calc::mul(index, Decimal::new(5, 2)), share);
    let cents = Decimal::new(1, 2);
    calc::round(calc::add(index, carry), cents, tidegate_types::decimal::Rounding::Nearest)
}

impl Exchange {
    /// Every instrument's number.
    pub fn instruments(&self) -> impl Iterator<Item = InstrumentIx> + use<> {
        let count = u32::try_from(self.markets.len()).unwrap_or(u32::MAX);
        (0..count).map(InstrumentIx)
    }
}
