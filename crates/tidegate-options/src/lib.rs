//! What options are worth, how that changes, and what a portfolio may lose.
//!
//! A function of numbers alone: no clock, no input or output. Floats stay inside; what leaves for a
//! decision is an integer of 10⁻⁸ dollars, rounded against the account. Logarithms and the rest come from
//! one library in Rust, so that two machines agree to the last bit.
//!
//! `black.rs` prices one option, `implied.rs` turns a price into a volatility, `stress.rs` is the grid of
//! scenarios, `unit.rs` what one unit of an instrument gains or loses in each, and `portfolio.rs` sums them
//! up. `methods/` has the rules that venues publish for margins of their own.

pub mod black;
pub mod implied;
pub mod methods;
pub mod portfolio;
pub mod stress;
pub mod unit;
