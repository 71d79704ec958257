//! At which price an account's positions were entered, on average: what is won or lost on them is not in
//! the wallet yet. Counted from trades; where the venue corrects a position, its word holds.

use std::collections::BTreeMap;
use tidegate_types::codec_newtype;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::{AccountName, InstrumentId};
use tidegate_types::instrument::{Price, Unit};

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
        (instrument, unit): (&InstrumentId, Unit),
        (before, after): (i64, i64),
        price: Option<Price>,
    ) {
        let known = self.of(account, instrument);
        let entry = match (known, price) {
            _ if after == 0 => None,
            (Some(known), _) if nearer(before, after) => Some(known),
            (Some(known), Some(price)) if before.signum() == after.signum() => {
                Some(average(unit, (known, before), (price, after)).unwrap_or(price))
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

/// What a position cost on average that was `before` at one price and is `after`, the rest of it at another; rounded
/// towards loss. An inverse one cost coins, of which a price buys the more the lower it is: there the average of
/// `1 / price` counts.
fn average(
    unit: Unit,
    (known, before): (Price, i64),
    (price, after): (Price, i64),
) -> Option<Price> {
    let rounding = if after > 0 { Rounding::Ceil } else { Rounding::Floor };
    let (old, new) = (Decimal::from_raw(before).abs(), Decimal::from_raw(after).abs());
    let added = new.sub(old).ok()?;
    let (known, price) = (known.0, price.0);
    let (low, high) = (known.min(price), known.max(price));
    let (at_low, at_high) = if low == known { (old, added) } else { (added, old) };
    if unit != Unit::Inverse {
        let above = high.sub(low).ok()?.mul_div(at_high, new, rounding).ok()?;
        return low.add(above).ok().map(Price);
    }
    // low ÷ (share at low + share at high × low ÷ high)
    let whole = Decimal::from_raw(SHARES);
    let share = whole.mul_div(at_low, new, Rounding::Nearest).ok()?;
    let rest = whole.sub(share).ok()?.mul_div(low, high, opposite(rounding)).ok()?;
    low.mul_div(whole, share.add(rest).ok()?, rounding).ok().map(Price)
}

/// Into so many parts a position is divided: as fine as a decimal counts.
const SHARES: i64 = 1_000_000_000_000_000_000;

fn opposite(rounding: Rounding) -> Rounding {
    match rounding {
        Rounding::Ceil => Rounding::Floor,
        Rounding::Floor => Rounding::Ceil,
        other => other,
    }
}
