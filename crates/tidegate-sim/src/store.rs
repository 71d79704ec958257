//! What survives a kill: a log of inputs, written before they are answered, and snapshots.
//!
//! The folder holds `snapshot.N` (the state before the first input of log N; log 0 begins with a
//! new exchange) and `log.N`. A record of the log is its length, its time and its input; a cut
//! one at the end is what a kill leaves and is dropped. Nothing is synced: this outlives the
//! process, not the machine.

use crate::engine::{Exchange, Input, Setup};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tidegate_types::codec::Codec;
use tidegate_types::time::Time;

/// Replay is to take two seconds at most: a tick costs about as much as this many orders.
const TICK_COST: u64 = 600;
/// Cost of the log, in orders, after which a new snapshot is made.
const SNAPSHOT_EVERY: u64 = 100_000;
/// What a snapshot begins with.
const MAGIC: &[u8; 8] = b"tgsim\0\0\x02";

/// Why a folder cannot be used.
#[derive(Debug)]
pub enum StoreError {
    /// The folder was made with another seed.
    OtherSeed {
        /// The folder's seed.
        kept: u64,
    },
    /// The folder's files are damaged.
    Damaged(&'static str),
    /// The disk failed.
    Io(io::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::OtherSeed { kept } => {
                write!(f, "the data folder was made with seed {kept}; use it or another folder")
            }
            StoreError::Damaged(what) => write!(f, "the simulator's data is damaged: {what}"),
            StoreError::Io(error) => write!(f, "the simulator's data: {error}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> StoreError {
        StoreError::Io(error)
    }
}

/// The open log.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    number: u64,
    log: File,
    written: u64,
    buffer: Vec<u8>,
}

impl Store {
    /// Opens a folder: the exchange as it was, or a new one.
    pub fn open(folder: &Path, setup: &Setup, now: Time) -> Result<(Store, Exchange), StoreError> {
        fs::create_dir_all(folder)?;
        let newest = newest_snapshot(folder)?;
        let (number, mut exchange) = match newest {
            Some(number) => {
                let exchange = read_snapshot(&snapshot_path(folder, number))?;
                if exchange.seed() != setup.seed {
                    return Err(StoreError::OtherSeed { kept: exchange.seed() });
                }
                (number, exchange)
            }
            None => {
                let exchange = Exchange::new(setup, now);
                write_snapshot(folder, 0, &exchange)?;
                (0, exchange)
            }
        };
        let path = log_path(folder, number);
        let (whole, written) = replay(&path, &mut exchange)?;
        let log = OpenOptions::new().create(true).append(true).open(&path)?;
        log.set_len(whole)?;
        let folder = folder.to_path_buf();
        Ok((Store { folder, number, log, written, buffer: Vec::new() }, exchange))
    }

    /// Writes an input down; it must be applied after this, at that time.
    pub fn append(&mut self, input: &Input, now: Time) -> io::Result<()> {
        self.buffer.clear();
        self.buffer.extend_from_slice(&[0; 4]);
        now.encode(&mut self.buffer);
        input.encode(&mut self.buffer);
        let length = u32::try_from(self.buffer.len() - 4).unwrap_or(u32::MAX);
        if let Some(head) = self.buffer.first_chunk_mut::<4>() {
            *head = length.to_le_bytes();
        }
        self.log.write_all(&self.buffer)?;
        self.written += cost(input);
        Ok(())
    }

    /// Whether the log is long enough for a new snapshot.
    pub const fn wants_snapshot(&self) -> bool {
        self.written >= SNAPSHOT_EVERY
    }

    /// Starts a new log from the present state.
    pub fn rotate(&mut self, exchange: &Exchange) -> Result<(), StoreError> {
        let next = self.number + 1;
        // The log must be there before the snapshot that points to it.
        let log =
            OpenOptions::new().create(true).append(true).open(log_path(&self.folder, next))?;
        log.set_len(0)?;
        write_snapshot(&self.folder, next, exchange)?;
        let _ = fs::remove_file(snapshot_path(&self.folder, self.number));
        let _ = fs::remove_file(log_path(&self.folder, self.number));
        (self.number, self.log, self.written) = (next, log, 0);
        Ok(())
    }
}

fn snapshot_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("snapshot.{number}"))
}

fn log_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("log.{number}"))
}

fn newest_snapshot(folder: &Path) -> io::Result<Option<u64>> {
    let mut newest = None;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("snapshot."));
        newest = newest.max(number.and_then(|number| number.parse::<u64>().ok()));
    }
    Ok(newest)
}

fn write_snapshot(folder: &Path, number: u64, exchange: &Exchange) -> io::Result<()> {
    let temporary = folder.join("snapshot.part");
    let mut file = File::create(&temporary)?;
    let state = exchange.encode();
    file.write_all(MAGIC)?;
    file.write_all(&checksum(&state))?;
    file.write_all(&state)?;
    drop(file);
    fs::rename(temporary, snapshot_path(folder, number))
}

fn read_snapshot(path: &Path) -> Result<Exchange, StoreError> {
    let bytes = fs::read(path)?;
    let rest = bytes
        .strip_prefix(MAGIC)
        .ok_or(StoreError::Damaged("not a snapshot of this version; begin in an empty folder"))?;
    let (sum, state) = rest.split_at_checked(32).ok_or(StoreError::Damaged("cut snapshot"))?;
    if sum != checksum(state) {
        return Err(StoreError::Damaged("snapshot with a wrong checksum"));
    }
    Exchange::decode(state).map_err(|_| StoreError::Damaged("unreadable snapshot"))
}

fn checksum(state: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, state).as_ref().to_vec()
}

const fn cost(input: &Input) -> u64 {
    if matches!(input, Input::Tick) { TICK_COST } else { 1 }
}

/// Applies a log; returns the bytes of its whole records and what they cost.
fn replay(path: &Path, exchange: &mut Exchange) -> Result<(u64, u64), StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, 0)),
        Err(error) => return Err(error.into()),
    };
    let (mut rest, mut count) = (bytes.as_slice(), 0);
    let mut effects = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
        let Some((mut record, after)) = after.split_at_checked(length) else { break };
        let unreadable = |_| StoreError::Damaged("unreadable record in the log");
        let now = Time::decode(&mut record).map_err(unreadable)?;
        let input = Input::decode(&mut record).map_err(unreadable)?;
        exchange.apply(&input, now, &mut effects);
        effects.clear();
        (rest, count) = (after, count + cost(&input));
    }
    Ok(((bytes.len() - rest.len()) as u64, count))
}

#[cfg(test)]
mod tests;
