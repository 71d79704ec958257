//! What can be done with the journal.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct Verify {
    /// Hold the journal against this checkpoint.
    #[arg(long)]
    pub checkpoint: Option<PathBuf>,
    /// Trust this verifier key (the text or a file) instead of the one in the folder.
    #[arg(long)]
    pub key: Option<String>,
    /// Read the segments that were archived from this folder and verify them too.
    #[arg(long)]
    pub archive: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Journal {
    #[command(subcommand)]
    pub command: Option<JournalCommand>,
    #[command(flatten)]
    pub print: JournalPrint,
}

/// What becomes of the journal's files.
#[derive(Subcommand, Debug)]
pub enum JournalCommand {
    /// Move old segments to another disk. They are copied and compared before they are removed here; it
    /// may run beside the gateway and be cut short at any time. What the next start needs stays
    Archive {
        /// The folder to move them to; one folder for one journal.
        #[arg(long)]
        to: PathBuf,
    },
    /// Bring back everything that was archived
    Restore {
        /// The folder that they were moved to, wherever it is now.
        #[arg(long)]
        from: PathBuf,
    },
    /// Mend damaged segments from the journal's own bundles and from copies; the gateway must not run
    Repair {
        /// A copy of the data folder, its journal, or an archive to take records from.
        #[arg(long)]
        from: Vec<PathBuf>,
        /// Where records that are newer than the checkpoint are nowhere to be found, end the journal before
        /// them. What the exchanges did since shows at the next start, as foreign orders and corrected
        /// positions.
        #[arg(long)]
        cut: bool,
    },
}

#[derive(Args, Debug)]
pub struct JournalPrint {
    /// From this record on.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// At most so many.
    #[arg(long)]
    pub count: Option<u64>,
    /// Leave out marks and instruments.
    #[arg(long)]
    pub decisions: bool,
}

#[derive(Args, Debug)]
pub struct Why {
    /// Tidegate's number of the order (or `order:NUMBER`), the id that it was sent with, or the venue's id; with
    /// --caller the caller's own id.
    #[arg(required_unless_present_any = ["refusal", "last_refusal"])]
    pub order: Option<String>,
    /// Whose own id it is, or who was refused.
    #[arg(long)]
    pub caller: Option<String>,
    /// The refusal in this record of the journal.
    #[arg(long, value_name = "SEQ", conflicts_with_all = ["order", "last_refusal"])]
    pub refusal: Option<u64>,
    /// What was refused to the caller last.
    #[arg(long, requires = "caller", conflicts_with = "order")]
    pub last_refusal: bool,
}

#[derive(Args, Debug)]
pub struct Replay {
    /// Decide as if this policy were in force, and tell what would be decided otherwise.
    #[arg(long, value_name = "FILE", conflicts_with = "stress")]
    pub policy: Option<PathBuf>,
    /// Put the journal's busiest minute through at so many times its rate (2: as the stress test of RTS 6 asks).
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub stress: Option<u32>,
    /// From this record, or from this time on (2026-11-22T14:00:00Z).
    #[arg(long, value_name = "SEQ|TIME")]
    pub from: Option<String>,
    /// Up to this record or time, itself left out.
    #[arg(long, value_name = "SEQ|TIME")]
    pub to: Option<String>,
}
