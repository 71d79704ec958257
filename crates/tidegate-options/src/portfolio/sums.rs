//! The sums of a coin, and what one instrument adds to them, in 10⁻¹⁶ dollars.

use crate::stress::ROWS;
use crate::unit::{LANES, PerUnit};
use tidegate_types::instrument::Usd;
use tidegate_types::options::Stress;
use tidegate_types::order::Side;

const SCALE: i128 = 100_000_000;
const BASIS_POINTS: i128 = 10_000;

/// What is held of an instrument and ordered, in 10⁻⁸ of its unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Book {
    /// The position, signed.
    pub position: i64,
    /// What open buys may add.
    pub buys: i64,
    /// What open sells may take, those that only reduce a position included.
    pub sells: i64,
}

/// An order on top of that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct More {
    /// Its side.
    pub side: Side,
    /// How much, in 10⁻⁸ of the instrument's unit.
    pub qty: i64,
    /// What is lost at once when it trades at its worst price instead of the mark, in 10⁻⁸ dollars.
    pub slip: i64,
}

impl More {
    /// What it may take from the position.
    pub(super) fn sold(&self) -> i128 {
        if self.side == Side::Sell { i128::from(self.qty) } else { 0 }
    }
}

/// What one instrument adds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part {
    lanes: [i128; LANES],
    worth: i128,
    /// The underlying of what is sold more than bought, in dollars.
    short: i128,
    /// Of that, what is in its last day.
    last_day: i128,
    /// What is bought less what is sold, in 10⁻⁸ coins, of an option.
    pub(super) net: i128,
}

impl Default for Part {
    fn default() -> Part {
        Part { lanes: [0; LANES], worth: 0, short: 0, last_day: 0, net: 0 }
    }
}

impl Part {
    pub(super) fn of(unit: &PerUnit, book: &Book, more: Option<&More>) -> Part {
        let mut lanes = [0; LANES];
        let (qty, slip) = more.map_or((0, 0), |more| (signed(more), i128::from(more.slip) * SCALE));
        for (at, (lane, gain)) in lanes.iter_mut().zip(&unit.lanes).enumerate() {
            // What is paid beyond the mark is lost in every scenario, and changes no sensitivity.
            let slip = if at < ROWS { slip } else { 0 };
            *lane = times(book.position, *gain)
                + times(book.buys, *gain).min(0)
                + times(book.sells.saturating_neg(), *gain).min(0)
                + (times(qty, *gain) - slip).min(0);
        }
        // All that is being sold may trade, what reduces before the rest; and a bought option that is being sold covers
        // none of another strike.
        let sold = i128::from(book.sells) + more.map_or(0, More::sold);
        let net = i128::from(book.position) - sold;
        let short = if unit.series.is_some() { (-net).max(0) } else { 0 };
        let short = short.saturating_mul(i128::from(unit.underlying) + 1);
        Part {
            lanes,
            worth: times(book.position, unit.worth),
            short,
            last_day: if unit.last_day { short } else { 0 },
            net: if unit.series.is_some() { net } else { 0 },
        }
    }
}

fn signed(more: &More) -> i64 {
    match more.side {
        Side::Buy => more.qty,
        Side::Sell => more.qty.saturating_neg(),
    }
}

/// A quantity of units. What one of them gains was rounded down, so one that is owed gains a step more; what gains
/// nothing at all gains nothing either way.
fn times(qty: i64, gain: i64) -> i128 {
    let owed = i128::from(qty < 0 && gain != 0);
    i128::from(qty) * (i128::from(gain) + owed)
}

/// What all instruments of a coin come to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Sums(Part);

impl Sums {
    pub(super) fn add(&mut self, part: &Part) {
        self.combine(part, i128::saturating_add);
    }

    pub(super) fn take(&mut self, part: &Part) {
        self.combine(part, i128::saturating_sub);
    }

    fn combine(&mut self, part: &Part, by: impl Fn(i128, i128) -> i128) {
        for (sum, lane) in self.0.lanes.iter_mut().zip(&part.lanes) {
            *sum = by(*sum, *lane);
        }
        self.0.worth = by(self.0.worth, part.worth);
        self.0.short = by(self.0.short, part.short);
        self.0.last_day = by(self.0.last_day, part.last_day);
        self.0.net = by(self.0.net, part.net);
    }

    /// The loss of the worst scenario, and what is added for options sold.
    pub(super) fn margin(&self, stress: &Stress) -> i128 {
        let worst = self.0.lanes.iter().take(ROWS).min().copied().unwrap_or(0);
        let part = |of: i128, bps: u32| {
            of.saturating_mul(i128::from(bps)).div_euclid(BASIS_POINTS).saturating_add(1)
        };
        let above = i128::from(stress.concentrated_above.0.raw()) * SCALE;
        let concentrated = (self.0.short - above).max(0);
        let mut margin = worst.saturating_neg().max(0);
        for (of, bps) in [
            (self.0.short, stress.short_bps),
            (self.0.last_day, stress.expiry_bps),
            (concentrated, stress.concentration_bps),
        ] {
            if of > 0 {
                margin = margin.saturating_add(part(of, bps));
            }
        }
        margin
    }

    pub(super) fn worth(&self) -> i128 {
        self.0.worth
    }

    /// The worst of each sensitivity, either way.
    pub(super) fn greeks(&self) -> [i128; 4] {
        let mut greeks = [0; 4];
        let pairs = self.0.lanes.get(ROWS..).unwrap_or_default().chunks(2);
        for (greek, pair) in greeks.iter_mut().zip(pairs) {
            let lowest = pair.iter().min().copied().unwrap_or(0);
            *greek = lowest.saturating_neg().max(0);
        }
        greeks
    }
}

/// Dollars, rounded up.
pub(super) fn up(sum: i128) -> Usd {
    super::usd(sum.div_euclid(SCALE) + i128::from(sum.rem_euclid(SCALE) != 0))
}

/// Dollars, rounded down.
pub(super) fn down(sum: i128) -> Usd {
    super::usd(sum.div_euclid(SCALE))
}
