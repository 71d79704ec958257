//! The project's automation: `cargo xtask ci`, `tidy`, `docs`, `supply`, `simulate`, `chaos`.

mod chaos;
mod ci;
mod docs;
mod security;
mod simulate;
mod supply;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND
  ci [STEP ...]    every check, or the steps named
  tidy             hold the house rules against the tree
  docs [--check]   write the generated documents, or hold them against the tree; the tables of
                   docs/security are held against their lists and the tests they name
  supply [DATABASE]
                   hold licences and RustSec advisories against what is shipped, and write a bill of
                   materials; the database is fetched unless a copy is named
  simulate [--seed N] [--hours H] [--seeds COUNT] [--threads N] [--calm] [--log]
                   run the gateway against a faulty world in one thread under one seed
  chaos [--minutes N] [--seed N] [--faults kill,net,disk] [--keep]
                   stock ccxt bots trade through the real processes while these are killed, the
                   network is cut and the disk fills";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["ci", ..] => ci::run(&root, args.get(1..).unwrap_or_default()),
        ["tidy"] => tidy::run(&root),
        ["supply"] => supply::run(&root, None),
        ["supply", database] => supply::run(&root, Some(database)),
        ["simulate", ..] => simulate::run(&root, args.get(1..).unwrap_or_default()),
        ["chaos", ..] => chaos::run(&root, args.get(1..).unwrap_or_default()),
        ["docs"] => docs::run(&root, false),
        ["docs", "--check"] => docs::run(&root, true),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(64)
        }
    }
}
