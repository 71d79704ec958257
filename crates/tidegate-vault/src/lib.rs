//! The exchange keys: sealed at rest, opened in a process of their own, never handed out.
//!
//! - `store` keeps the venue keys in `DATA/vault`; it is written by the command line and read by the
//!   signer.
//! - `signer` is the child process: it gives up the network and the file system, then opens the vault,
//!   and from then on builds and signs requests from intents.
//! - `client` is the gateway's end of the signer's socket.
//! - `callers` keeps the secrets of virtual keys, which are worth nothing at a venue, in
//!   `DATA/callers` under another key, which the signer hands the gateway.

pub mod callers;
pub mod client;
mod error;
mod file;
pub mod import;
mod keys;
pub mod rekey;
mod sealed;
pub mod signer;
pub mod store;

pub use callers::{CallerSecrets, Sealing, Undecided};
pub use client::SignerClient;
pub use error::VaultError;
pub use file::{read_private, write_private};
pub use keys::{CallersKey, Unlock, new_key_file};
pub use store::{VenueKeyInfo, VenueKeys};
