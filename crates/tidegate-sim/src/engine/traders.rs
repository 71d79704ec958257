//! The exchange's own traders: they keep every book two-sided around the fair price and moving.

use super::account::AccountIx;
use super::calc;
use super::exchange::Exchange;
use super::market::{InstrumentIx, Market, Phase};
use super::matching::Origin;
use super::order::{EndReason, NewOrder, OrderId};
use super::universe::{Kind, Unit, Venue};
use std::collections::BTreeSet;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// The accounts of the traders at each venue.
pub(crate) const NAMES: [&str; 2] = ["maker", "taker"];
/// Rounds played before an exchange opens, so that its books are full.
pub(crate) const WARM_UP: u32 = 12;

/// How a kind of instrument is traded.
struct Style {
    /// Levels quoted on each side.
    levels: i64,
    /// A quote is renewed every this many ticks.
    every: u64,
    /// One in this many ticks sees an incoming order.
    takes: u64,
    /// Distance between levels and from the fair price, in millionths of it.
    gap_ppm: i64,
    /// The largest quote, in dollars.
    dollars: u64,
}

const fn style(kind: Kind) -> Style {
    match kind {
        Kind::Perpetual => Style { levels: 20, every: 2, takes: 3, gap_ppm: 20, dollars: 200_000 },
        Kind::Future { .. } => {
            Style { levels: 12, every: 5, takes: 30, gap_ppm: 60, dollars: 100_000 }
        }
        Kind::Option { .. } => {
            Style { levels: 4, every: 20, takes: 300, gap_ppm: 0, dollars: 400_000 }
        }
    }
}

impl Exchange {
    /// One round of background trading.
    pub(crate) fn trade_background(&mut self, now: Time) {
        for instrument in self.instruments() {
            let Some(market) = self.market(instrument) else { continue };
            if market.phase != Phase::Trading {
                continue;
            }
            let style = style(market.listing.kind);
            let venue = market.listing.venue;
            // Instruments take turns, so that no tick carries all of them.
            if (self.ticks + u64::from(instrument.0)).is_multiple_of(style.every)
                || market.book.best(Side::Buy).is_none()
                || market.book.best(Side::Sell).is_none()
            {
                self.quote(venue, instrument, &style, now);
            }
            if self.rng.below(style.takes) == 0 {
                self.take(venue, instrument, &style, now);
            }
        }
    }

    fn trader(&self, venue: Venue, place: usize) -> Option<AccountIx> {
        let mut own = self.accounts.iter().enumerate().filter(|(_, a)| a.venue == venue);
        let found = own.nth(place).filter(|(_, account)| account.background)?.0;
        u32::try_from(found).ok().map(AccountIx)
    }

    fn quote(&mut self, venue: Venue, instrument: InstrumentIx, style: &Style, now: Time) {
        let Some(maker) = self.trader(venue, 0) else { return };
        let Some(market) = self.market(instrument) else { return };
        let wanted = [Side::Buy, Side::Sell].map(|side| (side, ladder(market, side, style)));
        let mut stale: Vec<OrderId> = Vec::new();
        let mut kept = [BTreeSet::new(), BTreeSet::new()];
        let own = [Side::Buy, Side::Sell].map(|side| {
            let queue = market.book.queue(side);
            let own =
                |id: &OrderId| self.orders.get(id).is_some_and(|order| order.account == maker);
            queue.filter(|(_, id)| own(id)).collect::<Vec<_>>()
        });
        for (((_, prices), kept), own) in wanted.iter().zip(&mut kept).zip(own) {
            for (price, id) in own {
                let fresh = self.rng.below(12) != 0;
                if fresh && prices.contains(&price) && kept.insert(price) {
                    continue;
                }
                stale.push(id);
            }
        }
        for id in stale {
            self.end(id, EndReason::User, now);
        }
        for ((side, prices), kept) in wanted.into_iter().zip(kept) {
            for price in prices.into_iter().filter(|price| !kept.contains(price)) {
                let Some(quantity) = self.size(instrument, style) else { continue };
                let order = NewOrder::limit(instrument, side, quantity, price);
                let _ = self.submit(maker, order, Origin::CALLER, now);
            }
        }
    }

    fn take(&mut self, venue: Venue, instrument: InstrumentIx, style: &Style, now: Time) {
        let Some(taker) = self.trader(venue, 1) else { return };
        let small = Style { dollars: style.dollars / 4, ..*style };
        let Some(quantity) = self.size(instrument, &small) else { return };
        // The taker leans against its position, so that it does not grow for ever.
        let Some(owner) = self.account(taker) else { return };
        let lean = owner.net(instrument);
        let side = match self.rng.below(10) {
            0..=3 => Side::Buy,
            4..=7 => Side::Sell,
            _ if lean.is_positive() => Side::Sell,
            _ => Side::Buy,
        };
        let _ =
            self.submit(taker, NewOrder::market(instrument, side, quantity), Origin::CALLER, now);
    }

    /// A random quantity of up to the style's dollars, on the step.
    fn size(&mut self, instrument: InstrumentIx, style: &Style) -> Option<Decimal> {
        let dollars = 50 + self.rng.below(style.dollars / 1_000) * (1 + self.rng.below(1_000));
        let market = self.market(instrument)?;
        let dollars = calc::int(i64::try_from(dollars).unwrap_or(50));
        let quantity = match market.listing.unit {
            Unit::Inverse => dollars,
            Unit::Linear => calc::div(dollars, market.mark),
            Unit::CoinOption => calc::div(dollars, market.index),
        };
        let terms = &market.listing;
        let quantity = calc::round(quantity, terms.step, Rounding::Floor);
        Some(quantity.max(terms.min_quantity).min(terms.max_market_quantity))
    }
}

/// The prices quoted on a side, best first.
fn ladder(market: &Market, side: Side, style: &Style) -> Vec<Decimal> {
    let fair = market.mark;
    let tick = market.listing.tick_at(fair);
    let gap = match market.listing.unit {
        Unit::CoinOption => Decimal::from_raw(fair.raw() / 50).max(tick),
        Unit::Linear | Unit::Inverse => Decimal::from_raw(fair.raw() / 1_000_000 * style.gap_ppm),
    };
    let gap = calc::round(gap, tick, Rounding::Ceil).max(tick);
    let rounding = if side == Side::Buy { Rounding::Floor } else { Rounding::Ceil };
    let nearest = calc::round(fair, gap, rounding);
    (0..style.levels)
        .filter_map(|level| {
            // Deeper levels lie further apart.
            let far = Decimal::from_raw(gap.raw() * (level + level * level / 8));
            let price = match side {
                Side::Buy => calc::sub(nearest, far),
                Side::Sell => calc::add(nearest, far),
            };
            let price = calc::round(price, market.listing.tick_at(price), rounding);
            price.is_positive().then_some(price)
        })
        .filter(|price| *price != fair)
        .collect()
}
