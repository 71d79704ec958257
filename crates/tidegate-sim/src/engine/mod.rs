//! The exchange itself: pure, without clock, sockets or files. Inputs with their time go in,
//! replies and effects come out; the same seed and the same inputs give the same history.

pub mod account;
mod amend;
pub mod book;
pub mod calc;
mod check;
mod conditional;
pub mod effect;
pub mod exchange;
mod funding;
pub mod input;
mod keep;
pub mod margin;
pub mod market;
mod matching;
pub mod options;
pub mod order;
mod price;
mod rng;
mod settings;
mod settle;
mod snapshot;
mod traders;
pub mod universe;

pub use account::{Account, AccountIx, Position};
pub use effect::{Effect, OrderEvent};
pub use exchange::{Exchange, Setup};
pub use input::{Input, OrderRef, Refusal, Reply};
pub use market::{InstrumentIx, Market};
pub use order::{Fill, NewOrder, Order, Status};
pub use universe::{Kind, Listing, Unit, Venue};

#[cfg(test)]
mod tests;
