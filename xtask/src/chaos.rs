//! `cargo xtask chaos`: builds the binary and has stock bots trade through it while things go wrong.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Runs it with these arguments.
pub(crate) fn run(root: &Path, args: &[String]) -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root).args([
        "build",
        "--release",
        "--quiet",
        "--locked",
        "--package",
        "tidegate",
    ]);
    let mut chaos = Command::new("python3");
    chaos.current_dir(root).arg(root.join("clients/chaos/run.py")).args(args);
    for (what, command) in [("cargo", &mut build), ("python3", &mut chaos)] {
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(_) => return ExitCode::FAILURE,
            Err(error) => {
                eprintln!("{what} does not start: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
