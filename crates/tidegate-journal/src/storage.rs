//! The disk, as the journal needs it. [`Disk`] is the real one; [`Memory`] is one in memory that
//! loses, tears and refuses on demand, for tests and simulation.

mod disk;
mod memory;

pub use disk::Disk;
pub use memory::{Fault, Memory};

use std::io;
use std::sync::Arc;

/// An open file.
pub trait Handle: Send + Sync {
    /// Reads up to `buf.len()` bytes at `offset`; fewer only at the end of the file.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything written to the file is on disk.
    fn sync_data(&self) -> io::Result<()>;
    /// The file's length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Cuts the file to `size` bytes.
    fn truncate(&self, size: u64) -> io::Result<()>;
}

/// The room on a disk, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// What new files may take.
    pub free: u64,
    /// All there is.
    pub size: u64,
}

/// One folder and what is beneath it. Paths are relative to it, with `/` between names.
pub trait Storage: Send + Sync {
    /// Keeps every other process from opening the folder until the guard is dropped; `None` when
    /// another has it.
    fn lock(&self) -> io::Result<Option<Box<dyn Send + Sync>>>;
    /// Makes a file of `size` zero bytes that begins with `head`, all on disk before it gets its
    /// name, so that later writes inside it need no new blocks. A file of
    /// that name that is there already is an error.
    fn create(&self, path: &str, head: &[u8], size: u64) -> io::Result<Arc<dyn Handle>>;
    /// Opens a file for reading and, when `writable`, writing.
    fn open(&self, path: &str, writable: bool) -> io::Result<Arc<dyn Handle>>;
    /// The whole of a small file.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
    /// Puts a small file in place, whole or not at all. Not on disk before [`Storage::sync`].
    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()>;
    /// As [`Storage::put`], and on disk when this returns.
    fn put_synced(&self, path: &str, bytes: &[u8]) -> io::Result<()>;
    /// Every file beneath `path`, at any depth, in no order; none when there is no such folder.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;
    /// Removes a file, and its folder when that is empty and named `*.p`.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Returns when every file and name under the folder is on disk.
    fn sync(&self) -> io::Result<()>;
    /// How much room there is for new files.
    fn room(&self) -> io::Result<Room>;
    /// Where the folder is, for people.
    fn place(&self) -> String;
}
