//! How many instructions a decision is, as callgrind counts them.

use crate::cli::args::Decided;
use clap::ValueEnum;
use std::process::{Command, Stdio};

/// The call that is the gates alone, and the one that is the whole.
pub(super) const GATES: &str = "*Rehearsal*decide*";
pub(super) const WHOLE: &str = "*Rehearsal*submit*";

/// Instructions of one decision of this kind, the mean of so many; `None` where valgrind is not there.
pub(super) fn of(kind: Decided, timed: &str, decisions: u32) -> Option<u64> {
    let program = std::env::current_exe().ok()?;
    let kind = kind.to_possible_value()?;
    let done = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={timed}"))
        .arg(program)
        .args(["bench", "decisions", "--decided", kind.get_name()])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&done.stderr);
    let counted = said.lines().find_map(|line| line.split("Collected :").nth(1))?;
    let counted: u64 = counted.trim().parse().ok()?;
    (counted > 0).then(|| counted / u64::from(decisions.max(1)))
}
