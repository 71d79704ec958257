//! The halt file: the halt for when nothing else answers. While it is there, everything is halted.

use super::service::Administration;
use crate::aside::aside_within;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::Duration;
use tidegate_core::state::Halt;
use tidegate_types::grant::Scope;

/// How often the folder is looked at.
const INTERVAL: Duration = Duration::from_millis(200);
/// How long the disk may take to write it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most of the file that is taken as the reason.
const MAX_REASON: usize = 200;

/// Watches for the file until dropped. A resume while it is there lasts until the next look.
pub(super) async fn watch(admin: &Administration) {
    loop {
        check(admin);
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Leaves the file, so that it is there after a crash of the machine too.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    write_reason(&mut file, text)?;
    file.sync_all()?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Writes why, where there is room for that: a full disk takes the name of a file, which is what
/// halts, and not a byte in it.
fn write_reason(file: &mut impl Write, text: &str) -> io::Result<()> {
    match file.write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::StorageFull => Ok(()),
        done => done,
    }
}

/// As [`write`], given up when the disk does not answer.
pub(super) async fn write_in_time(path: &Path, text: &str) -> io::Result<()> {
    let (path, text) = (path.to_owned(), text.to_owned());
    aside_within(PATIENCE, "halt-file", move || write(&path, &text)).await.flatten()
}

/// Halts everything if the file is there and nothing did yet; a halt that lets orders pass which
/// reduce a position is not enough.
pub(super) fn check(admin: &Administration) {
    let path = admin.folder().halt_file();
    let all = |halt: &Halt| !halt.allow_reduce;
    let halted = || admin.parts.desk.look(|state| state.halts().get(&Scope::All).is_some_and(all));
    if path.exists() && !halted() {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let reason: String =
            text.trim().chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
        let reason = if reason.is_empty() { "the halt file".to_owned() } else { reason };
        admin.halt_by_file(reason);
    }
}

#[cfg(test)]
mod tests;
