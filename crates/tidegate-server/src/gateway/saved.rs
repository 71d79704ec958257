//! The saved state: what the journal's records led to, so that a start replays the newest ones only.
//!
//! A thread beside the gateway replays the journal now and then, as an auditor would, and writes the
//! state to a file. Its digest is a record of the journal: what has no such record, or was made by
//! another program, is not used, and the start replays everything. So the file may be deleted, and
//! nothing in it is believed on its own word.

use crate::aside::aside;
use crate::desk::Desk;
use crate::folder::DataFolder;
use crate::oplog;
use aws_lc_rs::digest::{SHA256, digest};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tidegate_core::action::Answer;
use tidegate_core::{Core, CoreSettings};
use tidegate_journal::{JournalError, Reader};
use tidegate_types::ids::Seq;
use tidegate_types::limits::STATE_SAVED_EVERY;
use tidegate_types::record::{Body, Record};

/// The thread that reads and writes it.
const THREAD: &str = "saved-state";
/// How often it is looked whether the state is to be saved.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const MAGIC: &[u8; 16] = b"tidegate state 1";
const HEAD: usize = MAGIC.len() + 32 + 8;

/// A digest by SHA-256.
type Digest = [u8; 32];

/// A state and where the journal goes on from it.
pub(super) struct Saved {
    pub(super) core: Core,
    pub(super) next: Seq,
}

/// The saved state, if there is one that the journal bears out.
pub(super) fn load(folder: &DataFolder, settings: &CoreSettings) -> Option<Saved> {
    match read(folder, settings) {
        Ok(saved) => saved,
        Err(why) => {
            oplog::warn("saved-state-unused", &[("why", &why)]);
            None
        }
    }
}

/// Saves the state whenever enough records have come since.
pub(super) async fn keep(desk: Arc<Desk>, folder: DataFolder, settings: CoreSettings, from: Seq) {
    let mut last = from;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let next = desk.next_seq();
        if next.0.saturating_sub(last.0) < STATE_SAVED_EVERY || desk.journal_failed().is_some() {
            continue;
        }
        // Whatever comes of it, the next try has to wait as long again.
        last = next;
        if let Err(why) = save(&desk, &folder, &settings, next).await {
            oplog::warn("state-not-saved", &[("why", &why)]);
        }
    }
}

async fn save(
    desk: &Desk,
    folder: &DataFolder,
    settings: &CoreSettings,
    end: Seq,
) -> Result<(), String> {
    let (work, settings) = (folder.clone(), settings.clone());
    let made =
        aside(THREAD, move || make(&work, settings, end)).await.map_err(|e| e.to_string())?;
    let (next, state) = made.map_err(|e| e.to_string())?;
    let sum = sha256(&state);
    match desk.state_saved(next, sum).await {
        Answer::Done => {}
        Answer::Refused { reject } => return Err(reject.to_string()),
        other => return Err(format!("an answer to another question: {other:?}")),
    }
    let path = folder.saved_state();
    let written = aside(THREAD, move || write(&path, next, &state)).await;
    written.flatten().map_err(|e| format!("{}: {e}", folder.saved_state().display()))?;
    oplog::info("state-saved", &[("records", &next)]);
    Ok(())
}

/// The state after the records below `end`, or below what is written of them, from the journal
/// itself and the state saved before.
fn make(
    folder: &DataFolder,
    settings: CoreSettings,
    end: Seq,
) -> Result<(Seq, Vec<u8>), JournalError> {
    let saved = load(folder, &settings);
    let (mut core, from) = match saved {
        Some(saved) => (saved.core, saved.next),
        None => (Core::new(settings), Seq(0)),
    };
    let mut reader = Reader::open(&folder.journal(), from)?;
    while reader.next_seq() < end {
        let Some((seq, record)) = reader.next_record()? else { break };
        core.replay(seq, &record);
    }
    Ok((core.next_seq(), core.state_bytes()))
}

fn read(folder: &DataFolder, settings: &CoreSettings) -> Result<Option<Saved>, String> {
    let bytes = match std::fs::read(folder.saved_state()) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let (head, state) = bytes.split_at_checked(HEAD).ok_or("the file is cut")?;
    let (magic, head) = head.split_at(MAGIC.len());
    let (program, next) = head.split_at(32);
    if magic != MAGIC {
        return Err("it is not a saved state of this version".to_owned());
    }
    if program != this_program().map_err(|e| e.to_string())? {
        return Err("another version of the program made it".to_owned());
    }
    let next = Seq(next.try_into().map(u64::from_le_bytes).unwrap_or_default());
    if !is_recorded(&folder.journal(), next, &sha256(state)).map_err(|e| e.to_string())? {
        return Err("the journal has no record of it".to_owned());
    }
    let core = Core::restored(settings.clone(), next, state);
    let core = core.map_err(|e| format!("it cannot be read: {e:?}"))?;
    Ok(Some(Saved { core, next }))
}

/// Whether the journal says that the state before `next` had this digest.
fn is_recorded(journal: &Path, next: Seq, digest: &Digest) -> Result<bool, JournalError> {
    let mut reader = Reader::open(journal, next)?;
    while let Some((_, Record { body, .. })) = reader.next_record()? {
        if let Body::StateSaved { next: of, digest: told } = body
            && of == next
        {
            return Ok(told == *digest);
        }
    }
    Ok(false)
}

fn write(path: &Path, next: Seq, state: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let put = || {
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(MAGIC)?;
        file.write_all(&this_program()?)?;
        file.write_all(&next.0.to_le_bytes())?;
        file.write_all(state)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    put().inspect_err(|_| {
        // On a full disk it would take the room that the journal needs.
        let _ = std::fs::remove_file(&unfinished);
    })?;
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}

/// What a record changes, and so what a state holds, is known to the program that made it alone.
fn this_program() -> io::Result<Digest> {
    Ok(sha256(&std::fs::read("/proc/self/exe")?))
}

fn sha256(bytes: &[u8]) -> Digest {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}

#[cfg(test)]
mod tests;
