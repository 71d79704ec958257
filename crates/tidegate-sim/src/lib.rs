//! The deterministic exchange: matching, margin, funding, options and liquidation, speaking the
//! venues' own dialects. It shares nothing with the gateway's core.

pub mod binance;
pub mod calendar;
pub mod config;
pub mod deribit;
pub mod engine;
pub mod serve;
pub mod store;

pub use config::SimConfig;
pub use serve::{SimError, SimReady, run};
