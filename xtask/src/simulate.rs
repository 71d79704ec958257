//! `cargo xtask simulate`: builds the simulation fast enough for many hours in a minute, and runs it.

use std::path::Path;
use std::process::{Command, ExitCode};

/// What is optimised, and how much: the rest of the development build stays as it is.
const OPTIMISED: [&str; 4] = [
    "profile.dev.package.tidegate-types.opt-level=2",
    "profile.dev.package.tidegate-core.opt-level=2",
    "profile.dev.package.tidegate-venues.opt-level=2",
    "profile.dev.package.tidegate-testkit.opt-level=1",
];

/// Runs the simulation with these arguments.
pub(crate) fn run(root: &Path, args: &[String]) -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["run", "--quiet", "--locked"]);
    command.args(["--package", "tidegate-testkit", "--bin", "simulate"]);
    command.args(OPTIMISED.iter().flat_map(|option| ["--config", option]));
    match command.arg("--").args(args).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo does not start: {error}");
            ExitCode::FAILURE
        }
    }
}
