//! What can go wrong with a journal, and what to do about it.

use crate::storage::{Room, Storage};
use std::fmt;
use std::io;
use tidegate_types::ids::Seq;

/// One thing that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The file, from the journal's folder.
    pub file: String,
    /// Where in the file.
    pub offset: Option<u64>,
    /// Which record.
    pub record: Option<Seq>,
    /// What is wrong.
    pub what: String,
}

/// What lies under a journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ground {
    /// Where the folder is.
    pub place: String,
    /// How much room there is, if the system tells.
    pub room: Option<Room>,
}

/// Why a journal could not be opened, or is closed.
#[derive(Debug)]
pub enum JournalError {
    /// Another process has the folder open.
    Locked,
    /// The disk refused.
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file, from the journal's folder.
        file: String,
        /// What the system said.
        source: io::Error,
        /// The disk as it was then, where that was looked at.
        ground: Option<Ground>,
    },
    /// Something that was once on disk is not as it was written.
    Damaged(Damage),
    /// The folder belongs to another key or origin.
    WrongKey {
        /// The verifier key in the folder.
        found: String,
        /// The verifier key of the key that was given.
        given: String,
    },
    /// A key file or verifier key cannot be read.
    BadKey(String),
    /// A record is longer than [`MAX_RECORD_BYTES`](tidegate_types::limits::MAX_RECORD_BYTES), or
    /// empty.
    BadLength(usize),
    /// A record does not follow the last one.
    OutOfOrder {
        /// The number that comes next.
        expected: Seq,
        /// The number that was given.
        given: Seq,
    },
    /// Records that are needed were archived, and cannot be read where they were moved to.
    Archived {
        /// The first that is needed.
        from: Seq,
        /// The first that is still here.
        next: Seq,
        /// Where they were moved to.
        places: String,
    },
    /// Segments are being archived or brought back already.
    Moving,
    /// More records wait for the disk than there is room for.
    Full,
    /// A write or flush failed earlier, or the journal was closed.
    Closed(String),
}

impl Damage {
    /// Damage of a whole file.
    pub fn of_file(file: impl Into<String>, what: impl Into<String>) -> Damage {
        Damage { file: file.into(), offset: None, record: None, what: what.into() }
    }

    /// Damage at a place in a file.
    pub fn at(file: impl Into<String>, offset: u64, what: impl Into<String>) -> Damage {
        Damage { offset: Some(offset), ..Damage::of_file(file, what) }
    }

    /// The same damage, of this record.
    #[must_use]
    pub fn of_record(self, seq: Seq) -> Damage {
        Damage { record: Some(seq), ..self }
    }
}

impl JournalError {
    /// Says what was being done to which file when the disk refused.
    pub fn io<'a>(
        doing: &'static str,
        file: impl fmt::Display + 'a,
    ) -> impl FnOnce(io::Error) -> JournalError + 'a {
        move |source| JournalError::Io { doing, file: file.to_string(), source, ground: None }
    }

    /// The same, telling of the disk as it is now: where, how much room, and what to do.
    #[must_use]
    pub fn on(self, storage: &dyn Storage) -> JournalError {
        match self {
            JournalError::Io { doing, file, source, .. } => {
                let ground = Ground { place: storage.place(), room: storage.room().ok() };
                JournalError::Io { doing, file, source, ground: Some(ground) }
            }
            other => other,
        }
    }
}

impl Ground {
    /// What is wrong, in the operator's words, and what mends it.
    fn explain(&self, source: &io::Error) -> (String, &'static str) {
        let Ground { place, room } = self;
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                let room = room.map_or(String::new(), |room| format!(" ({room})"));
                let what = match source.kind() {
                    io::ErrorKind::QuotaExceeded => "the quota is used up on",
                    _ => "no space left on",
                };
                (format!("{what} {place}{room}"), "make room there")
            }
            io::ErrorKind::ReadOnlyFilesystem => (
                format!("{place} is read-only"),
                "see `dmesg` for why, and mount it writable again",
            ),
            io::ErrorKind::FileTooLarge => (
                format!("the system limits the size of files, too little for {place}"),
                "raise it (`ulimit -f`, or LimitFSIZE in the unit)",
            ),
            io::ErrorKind::PermissionDenied => (
                format!("{place} may not be written"),
                "give it back to the user that the gateway runs as",
            ),
            io::ErrorKind::NotFound => (
                format!("a part of {place} is gone"),
                "see that the right disk is mounted there, and `tidegate verify`",
            ),
            _ => (
                format!("the disk under {place} fails: {source}"),
                "see `dmesg`, and move the folder to a sound disk if it goes on",
            ),
        }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let giga = 10 << 30;
        if self.size < giga {
            return write!(f, "{} of {} MiB free", self.free >> 20, self.size >> 20);
        }
        write!(f, "{} of {} GiB free", self.free >> 30, self.size >> 30)
    }
}

impl From<Damage> for JournalError {
    fn from(damage: Damage) -> JournalError {
        JournalError::Damaged(damage)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(offset) = self.offset {
            write!(f, ", byte {offset}")?;
        }
        if let Some(record) = self.record {
            write!(f, ", record {}", record)?;
        }
        write!(f, ": {}", self.what)
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Locked => f.write_str(
                "another process has this journal open; stop it first, or use another data folder",
            ),
            JournalError::Io { doing, file, source, ground: None } => {
                write!(f, "could not {doing} `{file}` of the journal: {source}")
            }
            JournalError::Io { doing, file, source, ground: Some(ground) } => {
                let (what, mend) = ground.explain(source);
                write!(f, "{what} (could not {doing} `{file}`): {mend}")
            }
            JournalError::Damaged(damage) => write!(
                f,
                "the journal is damaged: {damage}; `tidegate verify` shows all of it, and \
                 `tidegate journal repair` mends it from what the folder and copies of it have"
            ),
            JournalError::WrongKey { found, given } => write!(
                f,
                "the journal belongs to the verifier key `{found}`, the key given is `{given}`; \
                 put the right key file back"
            ),
            JournalError::BadKey(why) => write!(f, "the journal's key cannot be read: {why}"),
            JournalError::BadLength(length) => {
                write!(f, "a record of {length} bytes cannot be journalled")
            }
            JournalError::OutOfOrder { expected, given } => {
                write!(f, "record {} was given where record {} comes next", given, expected)
            }
            JournalError::Archived { from, next, places } => write!(
                f,
                "records {from} to {} are needed and were archived in {places}, where they cannot \
                 be read now; make that place available, or bring them back from wherever they are \
                 with `tidegate journal restore --from DIR`",
                next.0.saturating_sub(1)
            ),
            JournalError::Moving => f.write_str(
                "segments are being archived or brought back by another command; wait for it",
            ),
            JournalError::Full => {
                f.write_str("too many records wait for the disk; try again when it has caught up")
            }
            JournalError::Closed(why) => {
                write!(f, "the journal is closed until a restart: {why}")
            }
        }
    }
}

impl std::error::Error for Damage {}
impl std::error::Error for JournalError {}
