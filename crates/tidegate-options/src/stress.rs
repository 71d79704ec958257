//! The grid of scenarios: moves of the price, each with volatility up, as it is and down, and moves that are
//! out of all bounds, of which a part counts.
//!
//! Deribit's portfolio margin is of this kind; Paradex publishes its own in full
//! (docs.paradex.trade/risk/portfolio-margin), from which the numbers are: volatility moves by
//! (30 / days)^p, p being 0.30 below thirty days and 0.13 above, days at least one; of a move beyond the range
//! as large a part counts as the range is of the move.

use tidegate_types::options::Stress;

/// Steps of the price to each side.
const STEPS: i32 = 4;
/// Moves beyond the range, all with volatility up, and how far each is taken to be for the part that counts.
const EXTENDED: [(f64, f64); 8] = [
    (-0.66, 2.0 / 3.0),
    (-0.33, 1.0 / 3.0),
    (0.5, 0.5),
    (1.0, 1.0),
    (2.0, 2.0),
    (3.0, 3.0),
    (4.0, 4.0),
    (5.0, 5.0),
];
/// How many scenarios there are.
pub const ROWS: usize = 3 * (2 * STEPS as usize + 1) + EXTENDED.len();

const BASIS_POINTS: f64 = 10_000.0;

/// What happens to volatility.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vol {
    /// It rises.
    Up,
    /// It stays.
    Same,
    /// It falls.
    Down,
}

/// A scenario.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Row {
    /// By what part the price moves: 0.16.
    pub price: f64,
    /// What volatility does.
    pub vol: Vol,
    /// The part of the gain or loss that counts.
    pub weight: f64,
    /// The logarithm of the price after over the price before.
    pub(crate) log: f64,
}

/// All scenarios, and how far volatility moves.
#[derive(Clone, PartialEq, Debug)]
pub struct Grid {
    rows: [Row; ROWS],
    up: f64,
    down: f64,
}

impl Grid {
    /// The grid of these figures.
    pub fn new(stress: &Stress) -> Grid {
        let part = |bps: u32| f64::from(bps) / BASIS_POINTS;
        let range = part(stress.range_bps).min(0.95);
        let core = (-STEPS..=STEPS).flat_map(|step| {
            let price = range * f64::from(step) / f64::from(STEPS);
            [Vol::Up, Vol::Same, Vol::Down].map(|vol| (price, vol, 1.0))
        });
        let beyond = EXTENDED.map(|(price, far)| (price, Vol::Up, (range / far).min(1.0)));
        let mut all = core.chain(beyond);
        let still = Row { price: 0.0, vol: Vol::Same, weight: 1.0, log: 0.0 };
        let rows = [still; ROWS].map(|still| match all.next() {
            Some((price, vol, weight)) => Row { price, vol, weight, log: libm::log1p(price) },
            None => still,
        });
        Grid { rows, up: part(stress.vol_up_bps), down: part(stress.vol_down_bps).min(0.95) }
    }

    /// The scenarios, in order.
    pub fn rows(&self) -> &[Row; ROWS] {
        &self.rows
    }

    /// What volatility is multiplied with for an option that has so many days to go.
    pub fn shocks(&self, days: f64) -> Shocks {
        let power = if days < 30.0 { 0.30 } else { 0.13 };
        let scale = libm::pow(30.0 / days.max(1.0), power);
        Shocks { up: 1.0 + self.up * scale, down: (1.0 - self.down * scale).max(0.0) }
    }
}

/// What volatility is multiplied with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shocks {
    /// Where it rises.
    pub up: f64,
    /// Where it falls.
    pub down: f64,
}

impl Shocks {
    /// In one scenario.
    pub fn of(&self, vol: Vol) -> f64 {
        match vol {
            Vol::Up => self.up,
            Vol::Same => 1.0,
            Vol::Down => self.down,
        }
    }
}

#[cfg(test)]
mod tests;
