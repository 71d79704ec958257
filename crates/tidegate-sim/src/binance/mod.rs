//! The server side of the Binance USDⓈ-M dialect.

pub mod universe;
