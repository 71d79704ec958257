//! Starting and stopping: what runs, in which order.

mod lock;
mod start;
mod streams;

pub use start::GatewayError;

use crate::config::Config;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How long a stop may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(4);

/// What a gateway runs on.
#[derive(Debug)]
pub struct GatewayConfig {
    /// The data folder, made by `tidegate init`.
    pub data_dir: PathBuf,
    /// Its configuration.
    pub config: Config,
}

/// What is told once callers can trade.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where every venue is served under its prefix.
    pub address: SocketAddr,
    /// Where each venue is served at the root, for those that are.
    pub venues: BTreeMap<String, SocketAddr>,
    /// Whether that is TLS.
    pub tls: bool,
    /// The signer's process.
    pub signer_pid: Option<u32>,
}
