//! One gateway runs on a data folder at a time.

use super::GatewayError;
use crate::folder::DataFolder;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

/// The lock, until dropped.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

/// Does something with the folder that no gateway may run meanwhile.
///
/// # Errors
/// When one runs.
pub fn alone<T>(folder: &DataFolder, work: impl FnOnce() -> T) -> Result<T, GatewayError> {
    let _lock = take(folder)?;
    Ok(work())
}

/// What to say when a gateway runs on the folder already.
pub fn runs_on(folder: &DataFolder) -> Option<String> {
    let file = File::open(folder.lock()).ok()?;
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| taken(folder))
}

fn taken(folder: &DataFolder) -> String {
    let path = folder.path().display();
    format!("a gateway runs on {path} already; `tidegate status` tells about it")
}

/// Takes the folder's lock.
pub(super) fn take(folder: &DataFolder) -> Result<Lock, GatewayError> {
    let path = folder.lock();
    let wrong = |error: &io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::ReadOnlyFilesystem => "see `dmesg` for why, and mount it writable again",
            io::ErrorKind::StorageFull => "make room there",
            io::ErrorKind::PermissionDenied => "run this as the owner of the folder",
            _ => "run `tidegate init` to make a data folder",
        };
        GatewayError(format!("{}: {error}; {hint}", path.display()))
    };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|e| wrong(&e))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(GatewayError(taken(folder))),
        Err(TryLockError::Error(error)) => Err(wrong(&error)),
    }
}
