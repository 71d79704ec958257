//! The command line: what is typed, what is printed, how it ends.

mod alarms;
mod api;
mod apps;
pub mod args;
mod breakers;
mod doctor;
mod folder;
mod keys;
mod limits;
mod login;
pub mod manage;
mod margin;
pub mod offline;
pub mod output;
mod overrides;
pub mod people;
mod policy;
pub mod reach;
mod replay;
pub mod run;
#[cfg(feature = "tools")]
pub mod sim;
pub mod status;
mod vault;
mod why;

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
        #[cfg(feature = "tools")]
        Command::Demo(args) => crate::demo::run(&common, &args),
        #[cfg(feature = "tools")]
        Command::Sim(args) => sim::sim(&common, &args),
        Command::Serve(args) => run::serve(&common, &args),
        Command::Status(args) => status::run(&common, &args),
        Command::Alarms(args) => alarms::run(&common, &args),
        Command::Account(command) => manage::account(&common, command),
        Command::Caller(command) => manage::caller(&common, command),
        Command::Grant(command) => manage::grant(&common, command),
        Command::Limit(command) => manage::limit(&common, command),
        Command::Policy(command) => policy::policy(&common, command),
        Command::Override(command) => overrides::run(&common, command),
        Command::Breaker(command) => breakers::breaker(&common, command),
        Command::Halt(args) => manage::halt(&common, args),
        Command::Resume(args) => manage::resume(&common, args),
        Command::Person(command) => people::person(&common, command),
        Command::App(command) => apps::app(&common, command),
        Command::Approvals { command } => people::approvals(&common, command),
        Command::Approve(args) => people::approve(&common, &args),
        Command::Deny { id } => people::deny(&common, id),
        Command::Login(args) => login::login(&common, &args),
        Command::Logout(args) => login::logout(&common, &args),
        Command::Api(args) => api::api(&common, &args),
        Command::Restored => offline::restored(&common),
        Command::Verify(args) => offline::verify(&common, &args),
        Command::Journal(args) => offline::journal(&common, &args),
        Command::Why(args) => why::why(&common, &args),
        Command::Replay(args) => replay::replay(&common, &args),
        Command::Init(args) => folder::init(&common, &args),
        Command::VenueKey(command) => folder::venue_key(&common, command),
        Command::Vault(command) => vault::vault(&common, command),
        Command::Doctor => doctor::run(&common),
        #[cfg(feature = "tools")]
        Command::Bench(args) => crate::bench::run(&common, &args),
        #[cfg(feature = "tools")]
        Command::Bot { bot } => sim::bot(bot),
    }
}

fn misused(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
    if matches!(error.kind(), DisplayHelp | DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if !cfg!(feature = "tools")
        && let Some(failure) = left_out(error)
    {
        let json = std::env::args().any(|arg| arg == "--json");
        return ExitCode::from(output::fail(json, &failure) as u8);
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

/// The command that was meant, where the build is without the tools.
fn left_out(error: &clap::Error) -> Option<Failure> {
    const TOOLS: [&str; 3] = ["demo", "sim", "bench"];
    let context = error.get(clap::error::ContextKind::InvalidSubcommand)?.to_string();
    let command = TOOLS.into_iter().find(|command| *command == context)?;
    let hint = "another build has it: `cargo build --release`, without `--no-default-features`";
    Some(Failure::usage(format!("this build is without `{command}`"), hint))
}

/// Has the system end this process when its parent ends, however that ends.
fn die_with_parent() {
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_tools_says_so() {
        let said = |word: &str| {
            let command = clap::Command::new("tidegate").subcommand(clap::Command::new("serve"));
            left_out(&command.try_get_matches_from(["tidegate", word]).unwrap_err())
        };
        let failure = said("demo").unwrap();
        assert_eq!((failure.exit, failure.code), (Exit::Usage, "usage"));
        assert_eq!(failure.message, "this build is without `demo`");
        assert!(said("sim").is_some() && said("bench").is_some());
        assert_eq!(said("dem"), None, "it is no command of any build");
        assert_eq!(said("--demo"), None);
    }
}
