//! Paradex' portfolio margin, which it publishes in full and which follows Deribit's.
//!
//! Source: docs.paradex.trade/risk/portfolio-margin. Twenty-four scenarios: the price by 0, ±4, ±8, ±12 and
//! ±16 % with volatility up by 40 % and down by 22 % (at ±16 % up alone), and eight moves beyond, with volatility
//! up, of which `16 % / |move|` counts. Initial margin is the worst of them, or, where that is more, 2 % of the net delta
//! and 1 % of what is hedged, with the fees; half of it must stay.

use crate::black::{European, YEAR_DAYS};
use crate::stress::{Grid, Row, Vol};
use tidegate_types::options::Stress;

/// One holding, settled in dollars.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Leg {
    /// Coins of a future or a perpetual.
    Future {
        /// How many, signed.
        qty: f64,
        /// The price.
        price: f64,
    },
    /// Coins of an option.
    Option {
        /// How many, signed.
        qty: f64,
        /// Which, and what it is valued by.
        option: European,
    },
}

/// A scenario and what it costs, as the margin counts it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Outcome {
    /// The scenario.
    pub row: Row,
    /// The gain or loss in dollars.
    pub gain: f64,
    /// The part of it that counts.
    pub counted: f64,
}

/// What every scenario costs a portfolio of one coin.
pub fn scan(legs: &[Leg]) -> Vec<Outcome> {
    let grid = Grid::new(&Stress::STANDARD);
    let outcome = |row: &Row| {
        let gain = legs.iter().map(|leg| leg.gain(&grid, row)).sum::<f64>();
        Outcome { row: *row, gain, counted: gain * row.weight }
    };
    grid.rows().iter().filter(|row| is_theirs(row)).map(outcome).collect()
}

/// The loss of the worst scenario, in dollars.
pub fn scan_loss(legs: &[Leg]) -> f64 {
    scan(legs).iter().fold(0.0, |worst, outcome| worst.max(-outcome.counted))
}

/// What must be there, in dollars; `fees` are those of closing everything.
pub fn initial(legs: &[Leg], spot: f64, fees: f64) -> f64 {
    let deltas = legs.iter().map(Leg::delta);
    let net = deltas.clone().sum::<f64>();
    let gross = deltas.map(f64::abs).sum::<f64>();
    let hedged = (gross - net.abs()) / 2.0;
    scan_loss(legs).max((0.02 * net.abs() + 0.01 * hedged) * spot) + fees
}

/// What must stay there, in dollars.
pub fn maintenance(legs: &[Leg], spot: f64, fees: f64) -> f64 {
    (initial(legs, spot, fees) - fees) / 2.0 + fees
}

fn is_theirs(row: &Row) -> bool {
    row.vol == Vol::Up || (row.vol == Vol::Down && row.price.abs() < 0.15)
}

impl Leg {
    fn delta(&self) -> f64 {
        match self {
            Leg::Future { qty, .. } => *qty,
            Leg::Option { qty, option } => qty * option.greeks().delta,
        }
    }

    fn gain(&self, grid: &Grid, row: &Row) -> f64 {
        match self {
            Leg::Future { qty, price } => qty * price * row.price,
            Leg::Option { qty, option } => {
                let shock = grid.shocks(option.years * YEAR_DAYS).of(row.vol);
                let forward = option.forward * (1.0 + row.price);
                let then = European { forward, volatility: option.volatility * shock, ..*option };
                qty * (then.price() - option.price())
            }
        }
    }
}

#[cfg(test)]
mod tests;
