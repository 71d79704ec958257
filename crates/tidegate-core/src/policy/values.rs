//! Exposure in one currency: what a unit of an instrument, a coin and a position are worth in dollars, by
//! the marks in force.
//!
//! | what | dollars for one unit | source |
//! |---|---|---|
//! | linear contract | mark × what its coin of settlement counts | its mark; the policy's peg |
//! | inverse contract | one (its quantity is in dollars) | – |
//! | option | the underlying's index | its mark |
//! | coin in a wallet | the policy's peg, else the index | a listed perpetual on it |
//!
//! A dollar is `USD`; every other coin that stands for one counts only if the policy says at which price.

use super::Ground;
use crate::profit::won;
use std::collections::BTreeMap;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::{Currency, InstrumentId};
use tidegate_types::instrument::{Instrument, Kind, Mark, Price, Unit};
use tidegate_types::policy::Policy;

const DOLLAR: &str = "USD";

/// The perpetual whose index prices a coin, for each coin that one is listed on: one that is settled in that
/// coin before others, then by name.
pub(crate) type Coins = BTreeMap<Currency, InstrumentId>;

pub(crate) fn coins(instruments: &BTreeMap<InstrumentId, Instrument>) -> Coins {
    let mut coins: BTreeMap<Currency, (bool, InstrumentId)> = BTreeMap::new();
    for terms in instruments.values().filter(|terms| terms.kind == Kind::Perpetual) {
        let rank = (terms.unit != Unit::Inverse, terms.id.clone());
        let best = coins.entry(terms.base.clone()).or_insert_with(|| rank.clone());
        if rank < *best {
            *best = rank;
        }
    }
    coins.into_iter().map(|(coin, (_, id))| (coin, id)).collect()
}

/// What a coin is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CoinPrice {
    pub(crate) price: Price,
    /// The perpetual whose index it is; none where the policy says it.
    pub(crate) by: Option<InstrumentId>,
}

/// Dollars for one of a coin.
pub(crate) fn coin_price(
    policy: &Policy,
    ground: &Ground<'_>,
    coin: &Currency,
) -> Option<CoinPrice> {
    if let Some(price) = fixed(policy, coin) {
        return Some(CoinPrice { price, by: None });
    }
    let id = ground.coins.get(coin)?;
    let mark = ground.marks.get(id).filter(|mark| mark.index.0.is_positive())?;
    Some(CoinPrice { price: mark.index, by: Some(id.clone()) })
}

fn fixed(policy: &Policy, coin: &Currency) -> Option<Price> {
    if coin.as_str() == DOLLAR {
        return Some(Price(Decimal::ONE));
    }
    policy.pegs().iter().find(|peg| peg.currency == *coin).map(|peg| peg.price)
}

/// Dollars for one of what an instrument's prices are in; it never changes while the policy is the same, so
/// that what an order took is what it gives back.
pub(crate) fn quote(policy: &Policy, terms: &Instrument) -> Option<Price> {
    match terms.unit {
        Unit::Inverse | Unit::CoinOption => Some(Price(Decimal::ONE)),
        Unit::Linear => fixed(policy, &terms.settlement),
    }
}

/// Dollars for one unit of an instrument, rounded up.
pub(crate) fn unit_value(policy: &Policy, terms: &Instrument, mark: &Mark) -> Option<Price> {
    let quote = quote(policy, terms)?;
    let of = match (terms.unit, &terms.kind) {
        (Unit::Inverse, _) => Price(Decimal::ONE),
        (Unit::CoinOption, _) | (Unit::Linear, Kind::Option { .. }) => mark.index,
        (Unit::Linear, _) => mark.mark,
    };
    of.0.mul(quote.0, Rounding::Ceil).ok().filter(|value| value.is_positive()).map(Price)
}

/// What is won (or lost) on a position beyond what is in the wallet, in dollars, rounded down. The premium of
/// an option left the wallet when it was bought, so that all it is worth counts.
pub(crate) fn gain(
    policy: &Policy,
    terms: &Instrument,
    mark: &Mark,
    qty: Decimal,
    entry: Option<Price>,
) -> Option<Decimal> {
    let quote = quote(policy, terms)?.0;
    let is_option = terms.unit == Unit::CoinOption || matches!(terms.kind, Kind::Option { .. });
    let entry = if is_option { Price(Decimal::ZERO) } else { entry.unwrap_or(mark.mark) };
    let won = i64::try_from(won(terms, mark, qty.raw(), entry)).ok()?;
    Decimal::from_raw(won).mul(quote, Rounding::Floor).ok()
}
