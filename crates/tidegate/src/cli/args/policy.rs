//! `policy` and `override`: limits as data, and single trades past a soft one.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub enum Policy {
    /// Read a policy file; say what is wrong with it, or odd
    Check(PolicyCheck),
    /// Hold the orders of a file of cases against a policy, decided by the gateway's own core
    Test {
        /// The policy.
        file: PathBuf,
        /// The cases.
        cases: PathBuf,
    },
    /// What changes from one policy to another, rule by rule, and whether that takes a second person
    Diff {
        /// A policy's file, or `in-force` for what the running gateway holds.
        old: String,
        /// A policy's file, or `in-force`.
        new: String,
    },
    /// Put a policy in force: what tightens at once, what loosens by approval
    Apply {
        /// The policy.
        file: PathBuf,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Take the policy in force away: the limits of accounts and grants hold alone then
    Remove {
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// The policy in force, with the use of each limit now
    Show {
        /// Print the policy as a file instead, in the form that its digest is of.
        #[arg(long)]
        file: bool,
    },
    /// Run a policy beside the one in force, without effect: FILE starts, `report` tells what it would
    /// have refused, --off ends
    Shadow(PolicyShadow),
    /// Let executions go on that a rule stopped for being too many
    Release(PolicyRelease),
}

#[derive(Args, Debug)]
pub struct PolicyRelease {
    /// Which rule.
    pub rule: String,
    /// Whose.
    #[arg(long)]
    pub caller: String,
    /// Of which instrument, as VENUE/NAME.
    #[arg(long)]
    pub instrument: String,
    /// Which side.
    #[arg(long, value_enum)]
    pub side: SideWord,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

#[derive(Args, Debug)]
pub struct PolicyCheck {
    /// The policy.
    pub file: PathBuf,
    /// Print it in the one form that its digest is of.
    #[arg(long)]
    pub canonical: bool,
}

#[derive(Args, Debug)]
pub struct PolicyShadow {
    /// The policy's file, or `report`.
    #[arg(required_unless_present = "off", conflicts_with = "off")]
    pub file: Option<String>,
    /// End it.
    #[arg(long)]
    pub off: bool,
    /// Why one starts or ends.
    #[arg(long)]
    pub reason: Option<String>,
}

#[derive(Subcommand, Debug)]
pub enum Override {
    /// Let one order of a caller pass soft rules, once
    Give(OverrideGive),
    /// Those that are good now
    List,
    /// Take one back that was not used yet
    TakeBack {
        /// Which, by its id.
        id: String,
    },
}

#[derive(Args, Debug)]
pub struct OverrideGive {
    /// Whose order.
    pub caller: String,
    /// On which account.
    #[arg(long)]
    pub account: String,
    /// Of which instrument, as VENUE/NAME.
    #[arg(long)]
    pub instrument: String,
    /// Which side.
    #[arg(long, value_enum)]
    pub side: SideWord,
    /// Largest quantity, in the instrument's own unit.
    #[arg(long)]
    pub max_quantity: String,
    /// The soft rules that it may pass, by their ids.
    #[arg(long, value_delimiter = ',', required = true)]
    pub rules: Vec<String>,
    /// Why.
    #[arg(long)]
    pub reason: String,
    /// For how long it is good, as 10min or 1h.
    #[arg(long, default_value = "10min")]
    pub valid_for: String,
}

/// A side of the book.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum SideWord {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

impl SideWord {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            SideWord::Buy => "buy",
            SideWord::Sell => "sell",
        }
    }
}
