//! The command line, as typed.

mod access;
mod breakers;
mod journal;
mod policy;
mod remote;
mod running;
#[cfg(feature = "tools")]
mod tools;
mod trading;

#[cfg(feature = "tools")]
use crate::bots::Bot;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

pub use access::{App, AppAdd, Approvals, ApprovalsCommand, Approve, ApproveBy, Caller, Person};
pub use breakers::{Breaker, BreakerSet, FirstBreakers, Stops};
pub use journal::{Journal, JournalCommand, JournalPrint, Replay, Verify, Why};
pub use policy::{Override, OverrideGive, Policy, PolicyRelease, PolicyShadow};
pub use remote::{Api, Login, LoginNew, Logout};
pub use running::{Init, Serve, Status};
#[cfg(feature = "tools")]
pub use tools::{Bench, BenchWhat, Decided, Demo, Sim};
pub use trading::{
    Account, Alarms, Grant, GrantSet, Halt, Limit, LimitOptions, LimitSet, OnRepeat, Resume, Vault,
    VenueKey,
};

/// The one door between a trading desk and the crypto-derivatives exchanges.
#[derive(Parser, Debug)]
#[command(name = "tidegate", version, disable_help_subcommand = true, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// The data folder (default: `tidegate` in the platform's data folder).
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print one JSON object on standard output, errors too.
    #[arg(long, global = true)]
    pub json: bool,
    /// Reach a running gateway at this URL instead of through the local socket; the token comes
    /// from `TIDEGATE_TOKEN` (for `api`, from `tidegate login`).
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// End when the process that started this one ends.
    #[arg(long, global = true, hide = true)]
    pub die_with_parent: bool,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// The whole thing with nothing set up: simulator, gateway, a demo desk with trading bots
    #[cfg(feature = "tools")]
    Demo(Demo),
    /// The simulator alone, speaking every venue's dialect
    #[cfg(feature = "tools")]
    Sim(Sim),
    /// Make a data folder: configuration, certificate authority, journal, vault
    Init(Init),
    /// Run the gateway on a data folder
    Serve(Serve),
    /// What runs; open, closed or halted by scope; exposure; processes
    Status(Status),
    /// What happened at a venue that Tidegate did not cause, and what was counted otherwise there
    Alarms(Alarms),
    /// Accounts at venues
    #[command(subcommand)]
    Account(Account),
    /// Exchange keys
    #[command(subcommand, name = "venue-key")]
    VenueKey(VenueKey),
    /// What opens the vault, and the key that it is sealed under
    #[command(subcommand)]
    Vault(Vault),
    /// Callers and their virtual keys
    #[command(subcommand)]
    Caller(Caller),
    /// What callers may do
    #[command(subcommand)]
    Grant(Grant),
    /// What accounts may bear
    #[command(subcommand)]
    Limit(Limit),
    /// Limits as files: check, test, compare, put in force, run beside
    #[command(subcommand)]
    Policy(Policy),
    /// Single orders past soft rules of the policy
    #[command(subcommand)]
    Override(Override),
    /// Circuit breakers: what stops by itself, and what a person opens again
    #[command(subcommand)]
    Breaker(Breaker),
    /// Stop new orders, cancel what is open, and prove it
    Halt(Halt),
    /// Lift a halt
    Resume(Resume),
    /// The people of the desk: their roles, and the callers that are theirs
    #[command(subcommand)]
    Person(Person),
    /// Apps: callers that ask for tokens instead of holding virtual keys
    #[command(subcommand)]
    App(App),
    /// What waits for a second person, and what became of what waited
    Approvals {
        #[command(subcommand)]
        command: Option<ApprovalsCommand>,
    },
    /// Approve what somebody else asked, as it is shown
    Approve(Approve),
    /// Deny what somebody asked, or take back what you asked
    Deny {
        /// Which request.
        id: u64,
    },
    /// Log this machine in at a gateway: a person says yes on a page elsewhere, where a code is typed
    Login(Login),
    /// Give back what `login` got; it is revoked
    Logout(Logout),
    /// Send a request to the unified API of the gateway that this machine is logged in at
    Api(Api),
    /// Say that the data folder was put back from a backup or snapshot: its next start is halted, and ends
    /// sessions, links and tokens. Needed only where a start cannot notice it by itself
    Restored,
    /// Verify the journal offline
    Verify(Verify),
    /// Print the journal's records; archive them, bring them back, mend them
    Journal(Journal),
    /// The story of an order or of a refusal, gate by gate, from the journal
    Why(Why),
    /// Decide the journal again: the same must come of it; or by another policy; or its busiest minute at a
    /// higher rate
    Replay(Replay),
    /// Check configuration, clock, disk, keys and permissions
    Doctor,
    /// Measure the gateway against the bare simulator and nginx, both sides in one run
    #[cfg(feature = "tools")]
    Bench(Bench),
    /// One of the demo's bots; started by the demo
    #[cfg(feature = "tools")]
    #[command(hide = true)]
    Bot {
        /// Which.
        bot: Bot,
    },
}
