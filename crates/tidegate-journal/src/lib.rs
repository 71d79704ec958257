//! The tamper-evident log: append-only segments of records, and the Merkle tree, tiles and signed
//! checkpoints derived from them. `docs/journal-format.md` gives every byte.
//!
//! The segments are the truth; what lies beside them can be made again from them. Nothing here
//! knows what a record means, except that [`reader`] decodes it.

pub mod archive;
pub mod checkpoint;
pub mod crc;
pub mod error;
pub mod journal;
pub mod keeper;
pub mod merkle;
pub mod reader;
pub mod recovery;
pub mod repair;
pub mod segment;
pub mod stepped;
pub mod storage;
#[cfg(test)]
mod testing;
pub mod tiles;
pub mod verify;
pub mod writer;

pub use archive::Archived;
pub use checkpoint::{Checkpoint, CheckpointKey, VerifierKey};
pub use error::{Damage, JournalError};
pub use journal::{Appender, FlushEvent, Journal, Options, Urgency};
pub use reader::Reader;
pub use recovery::Recovered;
pub use verify::{Report, verify, verify_with};
