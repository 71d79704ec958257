//! Who is calling: checks over bytes, a store and the time, without input or output.
//!
//! `authenticate` turns what a caller shows into the proof that the core asks for. The key ring, the
//! replay guard, the stamps of orders, the tokens and the stream keys are what it checks against; the server owns them.

pub mod authenticate;
mod constant_time;
pub mod keyring;
pub mod ledger;
pub mod message_signature;
pub mod oauth;
pub mod order_stamps;
pub mod people;
pub mod replay;
pub mod rsa;
pub mod stream_keys;
pub mod tokens;

pub use authenticate::{Named, Remembered, authenticate};
pub use keyring::Keyring;
pub use ledger::Ledger;
pub use order_stamps::OrderStamps;
pub use replay::ReplayGuard;
pub use rsa::RsaBits;
pub use stream_keys::StreamKeys;
pub use tokens::{Issued, TokenStore};
