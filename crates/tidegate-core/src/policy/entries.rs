//! At which price an account's positions were entered, on average: what is won or lost on them is not in
//! the wallet yet. Counted from trades; where the venue corrects a position, its word holds.

use std::collections::BTreeMap;
use tidegate_types::codec_newtype;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::{AccountName, InstrumentId};
use tidegate_types::instrument::Price;

/// The average entry prices.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Entries(BTreeMap<AccountName, BTreeMap<InstrumentId, Price>>);
codec_newtype!(Entries);

impl Entries {
    pub(crate) fn of(&self, account: &AccountName, instrument: &InstrumentId) -> Option<Price> {
        self.0.get(account)?.get(instrument).copied()
    }

    /// A position went from `before` to `after`, in 10⁻⁸ of the instrument's unit, at a price.
    pub(crate) fn moved(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        (before, after): (i64, i64),
        price: Option<Price>,
    ) {
        let known = self.of(account, instrument);
        let entry = match (known, price) {
            _ if after == 0 => None,
            (Some(known), _) if nearer(before, after) => Some(known),
            (Some(known), Some(price)) if before.signum() == after.signum() => {
                Some(average(known, before, price, after).unwrap_or(price))
            }
            (known, price) => price.or(known),
        };
        self.set(account, instrument, entry);
    }

    /// The venue tells at which price a position was entered.
    pub(crate) fn set(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        entry: Option<Price>,
    ) {
        match entry {
            Some(price) => {
                self.0.entry(account.clone()).or_default().insert(instrument.clone(), price);
            }
            None => {
                if let Some(known) = self.0.get_mut(account) {
                    known.remove(instrument);
                }
            }
        }
    }
}

/// Whether a position only came nearer to zero.
fn nearer(before: i64, after: i64) -> bool {
    before.signum() == after.signum() && after.unsigned_abs() <= before.unsigned_abs()
}

fn average(known: Price, before: i64, price: Price, after: i64) -> Option<Price> {
    let (old, new) = (Decimal::from_raw(before).abs(), Decimal::from_raw(after).abs());
    let kept = known.0.mul_div(old, new, Rounding::Nearest).ok()?;
    let added = price.0.mul_div(new.sub(old).ok()?, new, Rounding::Nearest).ok()?;
    kept.add(added).ok().map(Price)
}
