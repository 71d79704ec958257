//! The saved state: what the journal's records led to, so that a start replays the newest ones only.
//!
//! A thread beside the gateway replays the journal now and then, as an auditor would, and writes the
//! state to a file. Its digest is a record of the journal: what has no such record, or was made by
//! another program, is not used, and the start replays everything. So the file may be deleted, and
//! nothing in it is believed on its own word.

use super::assemble::core_settings;
use super::image::{self, Digest, Saved, sha256};
use crate::aside::aside;
use crate::desk::Desk;
use crate::folder::DataFolder;
use crate::oplog;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tidegate_core::action::Answer;
use tidegate_core::{Core, CoreSettings};
use tidegate_journal::{JournalError, Reader};
use tidegate_types::ids::Seq;
use tidegate_types::limits::STATE_SAVED_EVERY;

/// The thread that reads and writes it.
const THREAD: &str = "saved-state";
/// How often it is looked whether the state is to be saved.
const LOOK_EVERY: Duration = Duration::from_secs(5);

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

/// The first record that a start with this program needs, because a state saved before it is borne out
/// by the journal; why there is none otherwise.
pub fn saved_until(folder: &DataFolder) -> Result<Seq, String> {
    match read(folder, &core_settings())? {
        Some(saved) => Ok(saved.next),
        None => Err(format!("none was saved yet; one is every {STATE_SAVED_EVERY} records")),
    }
}

/// A core to read the journal with, and the record that it goes on from: the newest saved state that the
/// journal bears out, where that is not after `at`; else the journal's begin.
pub fn core_before(folder: &DataFolder, at: Seq) -> (Core, Seq) {
    let settings = core_settings();
    match read(folder, &settings) {
        Ok(Some(saved)) if saved.next <= at => (saved.core, saved.next),
        // What cannot be used is not needed either.
        _ => (Core::new(settings), Seq(0)),
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
    image::make(saved, settings, end, &|from| Reader::open(&folder.journal(), from))
}

fn read(folder: &DataFolder, settings: &CoreSettings) -> Result<Option<Saved>, String> {
    let bytes = match std::fs::read(folder.saved_state()) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let program = this_program().map_err(|e| e.to_string())?;
    let journal = |from| Reader::open(&folder.journal(), from);
    image::take_up(&bytes, &program, settings, &journal).map(Some)
}

fn write(path: &Path, next: Seq, state: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let put = || {
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(&image::head(&this_program()?, next))?;
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

#[cfg(test)]
mod tests;
