//! The command line: what is typed, what is printed, how it ends.

mod alarms;
mod apps;
pub mod args;
mod doctor;
mod folder;
mod keys;
pub mod manage;
pub mod offline;
pub mod output;
pub mod people;
pub mod reach;
pub mod run;
pub mod status;

use args::{Cli, Command};
use clap::Parser as _;
use output::{Exit, Failure};
use std::process::ExitCode;

/// Reads the command line, carries it out, and says how it ended.
pub fn main() -> ExitCode {
    // The signer is a process of its own from its first instruction on.
    if std::env::args_os().nth(1).is_some_and(|arg| arg == "signer") {
        return tidegate_vault::signer::main();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let json = cli.common.json;
    match carry_out(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(output::fail(json, &failure) as u8),
    }
}

fn carry_out(cli: Cli) -> Result<(), Failure> {
    let mut common = cli.common;
    // What is printed of the folder's files is used from other folders.
    common.data_dir = common.data_dir.map(|dir| std::path::absolute(&dir).unwrap_or(dir));
    if common.die_with_parent {
        die_with_parent();
    }
    match cli.command {
        Command::Demo(args) => crate::demo::run(&common, &args),
        Command::Sim(args) => run::sim(&common, &args),
        Command::Serve(args) => run::serve(&common, &args),
        Command::Status(args) => status::run(&common, &args),
        Command::Alarms(args) => alarms::run(&common, &args),
        Command::Account(command) => manage::account(&common, command),
        Command::Caller(command) => manage::caller(&common, command),
        Command::Grant(command) => manage::grant(&common, command),
        Command::Limit(command) => manage::limit(&common, command),
        Command::Halt(args) => manage::halt(&common, args),
        Command::Resume(args) => manage::resume(&common, args),
        Command::Person(command) => people::person(&common, command),
        Command::App(command) => apps::app(&common, command),
        Command::Approvals { command } => people::approvals(&common, command),
        Command::Approve(args) => people::approve(&common, &args),
        Command::Deny { id } => people::deny(&common, id),
        Command::Verify(args) => offline::verify(&common, &args),
        Command::Journal(args) => offline::journal(&common, &args),
        Command::Init(args) => folder::init(&common, &args),
        Command::VenueKey(command) => folder::venue_key(&common, command),
        Command::Doctor => doctor::run(&common),
        Command::Bench(args) => crate::bench::run(&common, &args),
        Command::Bot { bot } => run::bot(bot),
    }
}

fn misused(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
    if matches!(error.kind(), DisplayHelp | DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let json = std::env::args().any(|arg| arg == "--json");
    if json {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        output::fail(true, &Failure::usage(line, "see `tidegate --help`"));
    } else {
        let _ = error.print();
    }
    ExitCode::from(Exit::Usage as u8)
}

/// Has the system end this process when its parent ends, however that ends.
fn die_with_parent() {
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
}
