//! What trades come to: the price of what was filled of late, and what is won on what is held. Whoever counts
//! money asks here, so that entry prices, equity and loss breakers never tell different stories.

use crate::orders::Order;
use tidegate_types::decimal::Decimal;
use tidegate_types::instrument::{Instrument, Mark, Price, Unit};
use tidegate_types::order::Side;

/// One in the steps of a decimal.
const ONE: i128 = Decimal::ONE.raw() as i128;

/// So many steps of quantity over price are a step of coins.
const COINS: i128 = 100_000_000_000_000_000_000;

/// How much of an order was filled, and what that came to, as far as is told. Quantities in steps of 10⁻⁸.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tally {
    filled: i128,
    /// Of the trades heard of.
    trades: Sum,
    /// The average that the venue tells.
    average: Option<i128>,
}

/// What trades come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Sum {
    qty: i128,
    /// Quantity times price, in steps of 10⁻¹⁶.
    worth: i128,
    /// Quantity over price, in steps of 10⁻²⁰.
    coins: i128,
}

/// At which average price something was filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Average {
    /// Of what is linear: what was paid over how many.
    pub(crate) linear: Price,
    /// Of what is inverse: how many dollars over the coins that they were.
    pub(crate) inverse: Price,
}

impl Average {
    /// That of an instrument counted so.
    pub(crate) fn of(self, unit: Unit) -> Price {
        match unit {
            Unit::Inverse => self.inverse,
            Unit::Linear | Unit::CoinOption => self.linear,
        }
    }
}

impl Sum {
    fn of(qty: i128, price: i128) -> Sum {
        let coins = qty.saturating_mul(COINS).checked_div(price).unwrap_or(0);
        Sum { qty, worth: qty.saturating_mul(price), coins }
    }

    fn plus(self, more: Sum) -> Sum {
        Sum {
            qty: self.qty.saturating_add(more.qty),
            worth: self.worth.saturating_add(more.worth),
            coins: self.coins.saturating_add(more.coins),
        }
    }

    fn minus(self, less: Sum) -> Sum {
        Sum {
            qty: self.qty.saturating_sub(less.qty),
            worth: self.worth.saturating_sub(less.worth),
            coins: self.coins.saturating_sub(less.coins),
        }
    }

    /// Rounded against whoever bought, or sold.
    fn average(self, side: Side) -> Option<Average> {
        let linear = price(self.worth, self.qty, side)?;
        let inverse = price(self.qty.saturating_mul(COINS), self.coins, side)?;
        Some(Average { linear, inverse })
    }
}

impl Tally {
    pub(crate) fn of(order: &Order) -> Tally {
        let trades = order.trades.values().fold(Sum::default(), |sum, trade| {
            sum.plus(Sum::of(trade.qty.0.raw().into(), trade.price.0.raw().into()))
        });
        Tally {
            filled: order.filled.0.raw().into(),
            trades,
            average: order.average.map(|average| average.0.raw().into()),
        }
    }

    /// At which price was filled what was filled since: that of the very trades, else what the averages
    /// before and after come to. None where the venue told neither.
    pub(crate) fn average_since(&self, before: &Tally, side: Side) -> Option<Average> {
        let filled = self.filled - before.filled;
        if filled <= 0 {
            return None;
        }
        let since = self.trades.minus(before.trades);
        if since.qty == filled {
            return since.average(side);
        }
        let since = self.total().zip(before.total());
        let since = since.and_then(|(now, then)| now.minus(then).average(side));
        since.or_else(|| Sum::of(filled, self.average?).average(side))
    }

    /// What all that was filled came to.
    fn total(&self) -> Option<Sum> {
        if self.trades.qty == self.filled {
            return Some(self.trades);
        }
        Some(Sum::of(self.filled, self.average?))
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

/// A quotient, rounded up of what was bought and down of what was sold.
fn price(dividend: i128, divisor: i128, side: Side) -> Option<Price> {
    let whole = dividend.checked_div(divisor)?;
    let up = side == Side::Buy && dividend.checked_rem(divisor)? != 0;
    let price = i64::try_from(whole + i128::from(up)).ok()?;
    (price > 0).then(|| Price(Decimal::from_raw(price)))
}

#[cfg(test)]
mod tests;
