//! Notices that the data folder was copied or restored: what was revoked, halted or traded since the
//! copy was made is not in it, so nothing trades on it before somebody looked, and what opens something for
//! a while only opens nothing.
//!
//! The folder holds a file that says which file it is itself, and which folder the journal's is, by
//! inode and time of birth. Both outlive restarts, renames and mounts, and no copy has the same.

use super::assemble::Assembled;
use super::{GatewayError, lock};
use crate::folder::DataFolder;
use crate::{oplog, people};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};
use tidegate_core::Core;
use tidegate_core::action::Answer;
use tidegate_identity::ledger::Fact;
use tidegate_types::grant::Scope;
use tidegate_types::ids::PersonName;
use tidegate_types::time::Time;
use tidegate_vault::CallerSecrets;

/// How often the file is touched. A restore that leaves alone what looks unchanged, as rsync does,
/// then replaces it.
pub(super) const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// How long the records may take to be written.
const PATIENCE: Duration = Duration::from_secs(5);
/// Status and doctor show it until somebody resumes; a halt's reason is 200 characters at most.
const REASON: &str = "this folder was copied or restored: compare with the exchanges, look through what came \
                      back (person list, caller keys, app list; docs/going-live.md, 6), then resume";
const VOID: &str = "sessions, links, recovery codes, what people granted to apps, tokens";
const MAY_BE_BACK: &str = "people, roles, passkeys, passwords, apps, virtual and exchange keys, grants and limits \
                           as they were: `tidegate person list`, `person sessions NAME`, `app list`, \
                           `caller keys`, `status`";

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

/// What is void because the folder is a copy: see [`Fact::Restored`].
pub(super) fn restored(core: &Core, secrets: &CallerSecrets, at: Time) -> Fact {
    Fact::Restored { at, links: people::links(core.state(), secrets) }
}

/// Halts everything if the folder is a copy, and puts on record what is void; from then on it belongs where
/// it is.
pub(super) async fn halt_copy(assembled: &Assembled) -> Result<(), GatewayError> {
    let Assembled { desk, folder, restored, .. } = assembled;
    let Some(fact) = restored else { return Ok(()) };
    let next = format!("tidegate resume all --data-dir {} --reason …", folder.path().display());
    let told: [(&str, &dyn std::fmt::Display); 5] = [
        ("halted", &Scope::All),
        ("why", &REASON),
        ("void", &VOID),
        ("may_be_back", &MAY_BE_BACK),
        ("next", &next),
    ];
    oplog::alarm("folder-copied", &told);
    let by = PersonName::new("gateway").map_err(|e| GatewayError::of("halting")(&e))?;
    // Nobody waits for the proof. Beside a halt that was there this one is listed, and no request to lift that
    // one holds any more.
    drop(desk.halt(by, Scope::All, REASON.to_owned(), false, false));
    // Else the next start does it again.
    if let Ok(Answer::Done) = tokio::time::timeout(PATIENCE, desk.identity(fact)).await {
        let path = folder.place();
        settle(folder).map_err(|e| GatewayError::of(&path.display().to_string())(&e))?;
    }
    Ok(())
}

/// Declares that the folder was restored where that cannot be noticed: the next start takes it for a copy.
///
/// # Errors
/// When a gateway runs on it, or the file cannot be removed.
pub fn declare_restored(folder: &DataFolder) -> Result<(), GatewayError> {
    let _lock = lock::take(folder)?;
    let path = folder.place();
    let wrong = |error: io::Error| GatewayError::of(&path.display().to_string())(&error);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(wrong(error)),
        _ => File::open(folder.path()).and_then(|dir| dir.sync_all()).map_err(wrong),
    }
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
