//! How many files and sockets the process may have open: as many as the system lets it, and never so
//! many callers that the journal, the venues or the administration find none left.

use super::GatewayError;
use crate::oplog;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Kept for the journal, the venues' connections, the signer and the administration.
const RESERVED: u64 = 256;
/// What a caller's connection may need: its own socket, and the venue's when it is relayed.
const PER_CONNECTION: u64 = 2;

/// Raises the limit as far as it goes. The result is how many of the `wanted` connections may be
/// open at once.
pub(super) fn connections(wanted: usize) -> Result<usize, GatewayError> {
    let wrong = GatewayError::of("the limit of open files");
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|e| wrong(&e))?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).map_err(|e| wrong(&e))?;
    let held = held(most, wanted)?;
    if held < wanted {
        oplog::warn("fewer-connections", &[("open_files", &most), ("connections", &held)]);
    }
    Ok(held)
}

/// How many connections a limit of open files holds.
fn held(open_files: u64, wanted: usize) -> Result<usize, GatewayError> {
    let room = open_files.saturating_sub(RESERVED) / PER_CONNECTION;
    if room == 0 {
        return Err(GatewayError(format!(
            "the system allows {open_files} open files, which leaves none for callers; allow at least \
             {} (`ulimit -Hn`, or LimitNOFILE in the unit)",
            RESERVED + PER_CONNECTION * wanted as u64
        )));
    }
    Ok(usize::try_from(room).unwrap_or(usize::MAX).min(wanted))
}

#[cfg(test)]
mod tests;
