//! What trades come to: the price of what was filled of late, and what is won on what is held. Whoever counts
//! money asks here, so that entry prices, equity and loss breakers never tell different stories.

use crate::orders::Order;
use tidegate_types::decimal::Decimal;
use tidegate_types::instrument::{Instrument, Mark, Price, Unit};

/// One in the steps of a decimal.
const ONE: i128 = Decimal::ONE.raw() as i128;

/// How much of an order was filled, and what that came to, as far as is told. All in steps of 10⁻⁸, worths in
/// steps of 10⁻¹⁶.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tally {
    filled: i128,
    /// Of the trades heard of.
    qty: i128,
    worth: i128,
    /// The average that the venue tells.
    average: Option<i128>,
}

impl Tally {
    pub(crate) fn of(order: &Order) -> Tally {
        let sums = order.trades.values().fold((0_i128, 0_i128), |(qty, worth), trade| {
            let more = i128::from(trade.qty.0.raw());
            (qty + more, worth.saturating_add(more * i128::from(trade.price.0.raw())))
        });
        Tally {
            filled: order.filled.0.raw().into(),
            qty: sums.0,
            worth: sums.1,
            average: order.average.map(|average| average.0.raw().into()),
        }
    }

    /// At which price was filled what was filled since: that of the very trades, else what the averages
    /// before and after come to. None where the venue told neither.
    pub(crate) fn price_since(&self, before: &Tally) -> Option<Price> {
        let filled = self.filled - before.filled;
        if filled <= 0 {
            return None;
        }
        if self.qty - before.qty == filled {
            return price(self.worth.saturating_sub(before.worth), filled);
        }
        let since = self.total().zip(before.total());
        let since = since.and_then(|(now, then)| price(now.saturating_sub(then), filled));
        since.or_else(|| price(self.average?, 1))
    }

    /// What all that was filled came to.
    fn total(&self) -> Option<i128> {
        if self.qty == self.filled {
            return Some(self.worth);
        }
        Some(self.average?.saturating_mul(self.filled))
    }
}

/// What is won on `qty` (signed, in 10⁻⁸) that was entered at `from`, at the mark, in 10⁻⁸ of what its prices
/// are in; dollars where it is settled in coin. Cut towards loss.
pub(crate) fn won(terms: &Instrument, mark: &Mark, qty: i64, from: Price) -> i128 {
    let [qty, from, to, index] =
        [qty, from.0.raw(), mark.mark.0.raw(), mark.index.0.raw()].map(i128::from);
    let moved = qty.saturating_mul(to - from);
    match terms.unit {
        Unit::Linear => moved.div_euclid(ONE),
        // Coins won, quantity × (1/from − 1/to), each worth the index.
        Unit::Inverse if from > 0 && to > 0 => {
            moved.div_euclid(from).saturating_mul(index).div_euclid(to)
        }
        Unit::Inverse => 0,
        Unit::CoinOption => moved.div_euclid(ONE).saturating_mul(index).div_euclid(ONE),
    }
}

fn price(worth: i128, qty: i128) -> Option<Price> {
    let price = i64::try_from(worth.checked_div(qty)?).ok()?;
    (price > 0).then(|| Price(Decimal::from_raw(price)))
}

#[cfg(test)]
mod tests;
