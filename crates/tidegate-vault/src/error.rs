//! What can go wrong with what is sealed.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why the store could not be used.
#[derive(Debug)]
pub enum VaultError {
    /// The file system refused.
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than the owner may read or write a file of secrets, or somebody else owns it.
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// Another process is changing the store.
    Busy {
        /// Which file.
        path: PathBuf,
    },
    /// There is a store already.
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file is not a sealed store of a version that this program reads.
    Format(&'static str),
    /// The passphrase or the key file is not the one that the store was sealed with.
    WrongKey,
    /// The store was changed since it was sealed.
    Tampered,
    /// The store's key sealed as much as one may.
    WornOut,
    /// The system's generator or the machine's memory failed.
    System(&'static str),
    /// The store has no key for the account.
    NoKey(String),
    /// The store has as many keys for the account as it may.
    TooManyKeys(String),
    /// What was given to import is not a key.
    NotAKey(&'static str),
}

impl VaultError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> VaultError {
        VaultError::Io { path: path.to_owned(), source }
    }
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VaultError::Io { path, source } => {
                write!(f, "cannot use `{}`: {source}", path.display())
            }
            VaultError::Exposed { path } => write!(
                f,
                "`{}` must belong to you and be readable by you alone; run `chmod 600` on it",
                path.display()
            ),
            VaultError::Busy { path } => {
                write!(f, "another process is changing `{}`; try again", path.display())
            }
            VaultError::Exists { path } => write!(f, "`{}` exists already", path.display()),
            VaultError::Format(what) => write!(f, "not a sealed store: {what}"),
            VaultError::WrongKey => {
                f.write_str("the passphrase or key file does not open the store")
            }
            VaultError::Tampered => {
                f.write_str("the store was damaged or changed; restore it from a backup")
            }
            VaultError::WornOut => f.write_str(
                "the store's key sealed as much as one may; stop the gateway and run `tidegate vault rekey`",
            ),
            VaultError::System(what) => write!(f, "the system failed: {what}"),
            VaultError::NoKey(account) => {
                write!(f, "there is no venue key for account `{account}`")
            }
            VaultError::TooManyKeys(account) => write!(
                f,
                "the vault holds as many keys for account `{account}` as it takes; remove one that is not in \
                 use (`tidegate venue-key list`, `venue-key remove`)"
            ),
            VaultError::NotAKey(what) => write!(f, "cannot import this as a venue key: {what}"),
        }
    }
}

impl std::error::Error for VaultError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            VaultError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
