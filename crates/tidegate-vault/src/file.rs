//! Files that only their owner may read, replaced whole or not at all.

use crate::error::VaultError;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tidegate_types::secret::Secret;

/// Largest file of secrets that is read.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// What is in a file that nobody else may read.
///
/// # Errors
/// When it cannot be read, is not the reader's own, or others may read or write it.
pub fn read_private(path: &Path) -> Result<Secret, VaultError> {
    let file = open_private(path)?;
    read_all(file).map_err(|source| VaultError::io(path, source))
}

/// Replaces a file by one that only its owner may read. Readers see the old bytes or the new ones,
/// also after a crash of the machine.
///
/// # Errors
/// When the file system refuses; the old file is then as it was.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let temporary = sibling(path, ".new");
    let result = replace(path, &temporary, bytes);
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(|source| VaultError::io(path, source))
}

/// Puts a file in the place of another, for good.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), VaultError> {
    let renamed = fs::rename(from, to).and_then(|()| sync_folder(to));
    renamed.map_err(|source| VaultError::io(to, source))
}

/// Removes a file, for good, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), VaultError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => {
            removed.and_then(|()| sync_folder(path)).map_err(|source| VaultError::io(path, source))
        }
    }
}

/// Opens a file for reading after a look at who may read it.
pub(crate) fn open_private(path: &Path) -> Result<File, VaultError> {
    let file = File::open(path).map_err(|source| VaultError::io(path, source))?;
    if is_private(&file).map_err(|source| VaultError::io(path, source))? {
        Ok(file)
    } else {
        Err(VaultError::Exposed { path: path.to_owned() })
    }
}

/// Whether the file is the reader's own and nobody else's to read or write.
pub(crate) fn is_private(file: &File) -> std::io::Result<bool> {
    let metadata = file.metadata()?;
    let mine = metadata.uid() == nix::unistd::geteuid().as_raw();
    Ok(mine && metadata.is_file() && metadata.mode() & 0o077 == 0)
}

/// Everything up to the end of a file, if that is not too much.
pub(crate) fn read_all(file: File) -> std::io::Result<Secret> {
    // The right size from the start, so that growing leaves no copies behind.
    let size = file.metadata().map(|m| m.len()).unwrap_or(0).min(MAX_FILE_BYTES);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(4096));
    let read = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    let bytes = Secret::new(bytes);
    if read? as u64 > MAX_FILE_BYTES {
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "the file is too large"));
    }
    Ok(bytes)
}

/// Takes the lock that says who changes `path`; it is held until the file is dropped.
pub(crate) fn lock(path: &Path) -> Result<File, VaultError> {
    let lock_path = sibling(path, ".lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_path)
        .map_err(|source| VaultError::io(&lock_path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(VaultError::Busy { path: path.to_owned() }),
        Err(fs::TryLockError::Error(source)) => Err(VaultError::io(&lock_path, source)),
    }
}

fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

pub(crate) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
