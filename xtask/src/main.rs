//! The project's automation: `cargo xtask tidy`, `cargo xtask docs`.

mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next().as_deref()) {
        (Some("tidy"), None) => tidy::run(),
        _ => {
            eprintln!("usage: cargo xtask tidy   hold the house rules against the tree");
            ExitCode::from(64)
        }
    }
}
