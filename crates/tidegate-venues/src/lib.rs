//! How each exchange speaks, signs and complains: one folder each, all the same shape, behind the
//! traits here. Pure: bytes in, values out; the gateway and the simulator do the talking.

pub mod binance;
pub mod book;
pub mod deribit;
pub mod fanout;
pub mod front;
pub mod json;
mod raw;
pub mod registry;
pub mod upstream;

use tidegate_types::ids::{KeyId, VenueName};

/// A random virtual key in the venue's own form.
#[derive(Debug)]
pub struct NewKey {
    /// What the caller sends.
    pub id: KeyId,
    /// The secret it signs with.
    pub secret: tidegate_types::secret::Secret,
}

/// An exchange.
pub trait Venue: front::Front + upstream::Upstream + fanout::Fanout + Send + Sync {
    /// Its name: of the registry, of the path prefix, of accounts and grants.
    fn name(&self) -> VenueName;

    /// A virtual HMAC key in the form of this venue's own, from 64 random bytes.
    fn virtual_key(&self, random: &[u8; 64]) -> NewKey;

    /// Whether a caller may give several live orders the same id (labels).
    fn repeats_order_ids(&self) -> bool {
        false
    }

    /// Whether it can be told to cancel every order of an instrument after a while, however the
    /// orders were sent (`CallBody::DeadMan`).
    fn has_dead_man(&self) -> bool {
        false
    }
}
