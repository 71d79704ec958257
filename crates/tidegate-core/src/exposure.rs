//! What an account's positions and open orders may come to be worth, all instruments together.
//!
//! Each instrument counts with the worse of its two sides (the position if every open buy traded,
//! or every open sell) at its mark. The sums are kept running: one instrument is valued anew when
//! its position, its orders or its mark change.

use crate::orders::worth;
use crate::positions::Book;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{AccountName, InstrumentId};
use tidegate_types::instrument::{Instrument, Mark, Price, Qty, Unit};
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// The exposure of every account, in dollars of 10⁻⁸.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exposures {
    accounts: BTreeMap<AccountName, Exposure>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Exposure {
    total: i128,
    /// What each is worth, and when the mark was made that says so.
    values: BTreeMap<InstrumentId, (i128, Time)>,
    /// The same marks, from the oldest.
    ages: BTreeSet<(Time, InstrumentId)>,
    /// Held, but without terms or mark.
    unvalued: BTreeSet<InstrumentId>,
}

impl Exposures {
    /// The account's exposure, as far as it can be valued.
    pub(crate) fn total(&self, account: &AccountName) -> i128 {
        self.accounts.get(account).map_or(0, |exposure| exposure.total)
    }

    /// The part of one instrument.
    pub(crate) fn of(&self, account: &AccountName, instrument: &InstrumentId) -> i128 {
        let part = self.accounts.get(account).and_then(|exposure| exposure.values.get(instrument));
        part.map_or(0, |(value, _)| *value)
    }

    /// What the account holds by marks from before a time, from the oldest.
    pub(crate) fn older(
        &self,
        account: &AccountName,
        since: Time,
    ) -> impl Iterator<Item = (&InstrumentId, Time)> {
        let ages = self.accounts.get(account).into_iter().flat_map(|exposure| &exposure.ages);
        ages.take_while(move |(at, _)| *at < since).map(|(at, id)| (id, *at))
    }

    /// An instrument that the account holds and that cannot be valued.
    pub(crate) fn unvalued(&self, account: &AccountName) -> Option<&InstrumentId> {
        self.accounts.get(account).and_then(|exposure| exposure.unvalued.first())
    }

    /// Whether two hold the same, accounts that hold nothing aside.
    #[cfg(test)]
    pub(crate) fn same(&self, other: &Exposures) -> bool {
        let held = |of: &Exposures| {
            let mut held = of.accounts.clone();
            held.retain(|_, exposure| *exposure != Exposure::default());
            held
        };
        held(self) == held(other)
    }

    /// Values one instrument of an account anew: by what a unit is worth, and the time of the mark that says so.
    pub(crate) fn set(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        book: Book,
        unit_value: Option<(Price, Time)>,
    ) {
        let exposure = match self.accounts.get_mut(account) {
            Some(exposure) => exposure,
            None => self.accounts.entry(account.clone()).or_default(),
        };
        if let Some((value, at)) = exposure.values.remove(instrument) {
            exposure.total -= value;
            exposure.ages.remove(&(at, instrument.clone()));
        }
        exposure.unvalued.remove(instrument);
        match unit_value {
            _ if book == Book::default() => {}
            None => {
                exposure.unvalued.insert(instrument.clone());
            }
            Some((unit, at)) => {
                let value = worst(book, None, unit);
                exposure.total += value;
                exposure.values.insert(instrument.clone(), (value, at));
                exposure.ages.insert((at, instrument.clone()));
            }
        }
    }
}

/// What one unit is worth at the mark, in dollars: the mark itself, one for an inverse contract,
/// the underlying for an option that is paid in coin.
pub(crate) fn at_mark(terms: &Instrument, mark: &Mark) -> Price {
    match terms.unit {
        Unit::Linear => mark.mark,
        Unit::Inverse => Price(Decimal::ONE),
        Unit::CoinOption => mark.index,
    }
}

/// The worse of the two sides a position may come to, with `more` on one of them.
pub(crate) fn worst(book: Book, more: Option<(Side, i128)>, unit_value: Price) -> i128 {
    let extra = |side| more.filter(|(on, _)| *on == side).map_or(0, |(_, qty)| qty);
    let bought = book.worst(Side::Buy, extra(Side::Buy));
    let sold = book.worst(Side::Sell, extra(Side::Sell));
    let most = i64::try_from(bought.max(sold)).unwrap_or(i64::MAX);
    worth(Qty(Decimal::from_raw(most)), unit_value)
}
