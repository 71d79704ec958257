//! The demo, the simulator and the benchmarks: what a desk that trades does without.

use super::Approvals;
use clap::{Args, ValueEnum};
use std::net::SocketAddr;

#[derive(Args, Debug, Clone)]
pub struct Demo {
    /// Where callers connect; port 0 takes any.
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// What chance starts from.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Serve these venues only.
    #[arg(long, value_delimiter = ',')]
    pub venues: Vec<String>,
    /// How many people it takes to loosen something, from the first start on: `two`, and with `--json` `one`,
    /// where the administrator is there for risk as well, so that a script sets everything up alone.
    #[arg(long, value_enum)]
    pub approvals: Option<Approvals>,
}

#[derive(Args, Debug, Clone)]
pub struct Sim {
    /// Where clients connect; port 0 takes any.
    #[arg(long, default_value = "127.0.0.1:8543")]
    pub listen: SocketAddr,
    /// What chance starts from.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Speak these venues' dialects only.
    #[arg(long, value_delimiter = ',')]
    pub venues: Vec<String>,
    /// Plain HTTP instead of TLS; on a loopback address only.
    #[arg(long)]
    pub plain_http: bool,
    /// Take any number of requests: for benchmarks.
    #[arg(long)]
    pub no_rate_limits: bool,
    /// Serve `/sim/…`, which tells what arrived and injects faults: for tests.
    #[arg(long)]
    pub control: bool,
}

#[derive(Args, Debug, Clone)]
pub struct Bench {
    /// What to measure.
    #[arg(value_enum, default_value = "orders")]
    pub what: BenchWhat,
    /// Seconds for each measurement.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Times that every side is measured, in turn.
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// Orders a second, at which all sides are compared.
    #[arg(long, default_value_t = 1000)]
    pub rate: u32,
    /// Connections.
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// Orders in the journal (for `recovery`).
    #[arg(long, default_value_t = 1_000_000)]
    pub orders: u64,
    /// Decide in this way alone, for a program that counts instructions (for `decisions`).
    #[arg(long, value_enum, hide = true)]
    pub decided: Option<Decided>,
}

/// A way in which an order is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Decided {
    /// By the limits of its account and its caller's grant.
    Plain,
    /// By twenty limits of a policy besides.
    Limits,
    /// By what a portfolio of options may lose.
    Options,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchWhat {
    /// An order through the gateway, the bare simulator and nginx.
    Orders,
    /// Kills every process in turn under load and counts what was lost or sent twice.
    Crash,
    /// Halts everything while ten callers send as fast as they can and 1,000 orders are open.
    Kill,
    /// The same order by virtual key and by token, and the smallest answers with and without a caller.
    Callers,
    /// From the revocation of a key to the end of its last socket.
    Revocation,
    /// The core's decision on an order: plain, under 20 limits, and beside 500 options.
    Decisions,
    /// Starts on a long journal, with and without a saved state, until an order is answered.
    Recovery,
}
