//! The deterministic exchange: matching, margin, funding, options and liquidation, speaking the
//! venues' own dialects. It shares nothing with the gateway's core.

pub mod binance;
pub mod calendar;
pub mod deribit;
pub mod engine;
