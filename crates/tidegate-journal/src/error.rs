//! What can go wrong with a journal, and what to do about it.

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
        move |source| JournalError::Io { doing, file: file.to_string(), source }
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
            JournalError::Io { doing, file, source } => {
                write!(f, "could not {doing} `{file}` of the journal: {source}")
            }
            JournalError::Damaged(damage) => write!(
                f,
                "the journal is damaged: {damage}; run `tidegate verify` to see all of it and \
                 restore the folder from a copy"
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
