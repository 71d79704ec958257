//! Notices that the data folder was copied or restored: what was revoked, halted or traded since the
//! copy was made is not in it, so nothing trades on it before somebody looked.
//!
//! The folder holds a file that says which file it is itself, and which folder the journal's is, by
//! inode and time of birth. Both outlive restarts, renames and mounts, and no copy has the same.

use super::GatewayError;
use super::assemble::Assembled;
use crate::folder::DataFolder;
use crate::oplog;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};
use tidegate_types::grant::Scope;
use tidegate_types::ids::PersonName;

/// How often the file is touched. A restore that leaves alone what looks unchanged, as rsync does,
/// then replaces it.
pub(super) const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// How long the halt's record may take to be written.
const PATIENCE: Duration = Duration::from_secs(5);
const REASON: &str = "this folder was copied or restored: compare with the exchanges, then resume";

/// Whether the folder is a copy. One whose journal is `empty` is new: it is where it was made.
pub(super) fn is_copy(folder: &DataFolder, empty: bool) -> Result<bool, GatewayError> {
    let path = folder.place();
    let wrong = |error: io::Error| GatewayError::of(&path.display().to_string())(&error);
    if empty {
        settle(folder).map_err(wrong)?;
        return Ok(false);
    }
    let said = match std::fs::read_to_string(&path) {
        Ok(said) => said,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(wrong(error)),
    };
    let file = std::fs::metadata(&path).map_err(wrong)?;
    Ok(said != describe(folder, &file).map_err(wrong)?)
}

/// Halts everything if the folder is a copy; from then on it belongs where it is.
pub(super) async fn halt_copy(assembled: &Assembled) -> Result<(), GatewayError> {
    let Assembled { desk, folder, is_copy, .. } = assembled;
    if !is_copy {
        return Ok(());
    }
    let next = format!("tidegate resume all --data-dir {} --reason …", folder.path().display());
    oplog::alarm("folder-copied", &[("halted", &Scope::All), ("why", &REASON), ("next", &next)]);
    if !desk.look(|state| state.halts().contains_key(&Scope::All)) {
        let by = PersonName::new("gateway").map_err(|e| GatewayError::of("halting")(&e))?;
        let (scope, reason) = (Scope::All, REASON.to_owned());
        // Nobody waits for the proof.
        drop(desk.halt(by, scope, reason, false, false));
    }
    let written = async {
        while !desk.is_flushed() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // Else the next start halts again.
    if tokio::time::timeout(PATIENCE, written).await.is_ok() {
        let path = folder.place();
        settle(folder).map_err(|e| GatewayError::of(&path.display().to_string())(&e))?;
    }
    Ok(())
}

/// Makes the file look changed.
pub(super) fn touch(folder: &DataFolder) -> io::Result<()> {
    OpenOptions::new().write(true).open(folder.place())?.set_modified(SystemTime::now())
}

/// Says that the folder belongs where it is.
fn settle(folder: &DataFolder) -> io::Result<()> {
    let path = folder.place();
    let mut file = File::create(&path)?;
    file.write_all(describe(folder, &file.metadata()?)?.as_bytes())?;
    file.sync_all()?;
    File::open(folder.path())?.sync_all()
}

fn describe(folder: &DataFolder, file: &Metadata) -> io::Result<String> {
    let journal = std::fs::metadata(folder.journal())?;
    Ok(format!("file {}\njournal {}\n", identity(file), identity(&journal)))
}

/// The inode, and where the file system tells, when it was born: numbers are given again.
fn identity(metadata: &Metadata) -> String {
    let born = metadata.created().ok();
    let born = born.and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
    let born = born.map_or_else(|| "unknown".to_owned(), |born| born.as_nanos().to_string());
    format!("inode {} born {born}", metadata.ino())
}

#[cfg(test)]
mod tests;
