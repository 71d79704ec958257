//! What bounds callers beyond their connection: rates of addresses, bad credentials and callers, turns
//! of each caller, and the room of the whole gateway. Everything here is counted before anything is
//! parsed or checked that costs more. See `docs/inbound.md`.

mod pace;
mod peers;
mod turns;

pub(super) use pace::Pace;
pub use peers::Peers;
pub use turns::{Class, Turn, Turns, Whose};

use crate::config::Requests;

/// A rate: so many a second, and so many at once.
pub type Rate = (u32, u32);

/// How much callers may ask, over all their connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests of one address.
    pub address: Rate,
    /// Bad signatures and secrets of one key from one address.
    pub failures: Rate,
    /// What one caller asks, by what it costs (`turns::Class::cost`).
    pub caller: Rate,
    /// Requests of one caller that are served at once.
    pub at_once: usize,
    /// Requests of one caller that wait for those.
    pub waiting: usize,
    /// Requests of all callers together, those that wait included.
    pub inside: usize,
}

impl From<&Requests> for Limits {
    fn from(set: &Requests) -> Limits {
        Limits {
            address: (set.address_per_second, set.address_burst),
            failures: (set.failures_per_second, set.failures_burst),
            caller: (set.caller_per_second, set.caller_burst),
            at_once: set.caller_at_once,
            waiting: set.caller_waiting,
            inside: set.inside,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::from(&Requests::default())
    }
}
