//! Margins by the rules that venues publish, beside ours: a venue decides by its own, so what it will ask for
//! can be told before it does. One module per method, each with the venue's own figures as its test.

pub mod binance;
pub mod deribit;
pub mod paradex;
pub mod span;
