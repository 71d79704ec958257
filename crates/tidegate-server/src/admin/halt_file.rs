//! The halt file: the halt for when nothing else answers. While it is there, everything is halted.

use super::service::Administration;
use std::time::Duration;
use tidegate_core::state::Halt;
use tidegate_types::grant::Scope;

/// How often the folder is looked at.
const INTERVAL: Duration = Duration::from_millis(200);
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
pub fn write(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
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
