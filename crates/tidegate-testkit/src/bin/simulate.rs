//! Simulates the gateway: `simulate [--seed N] [--hours H] [--seeds COUNT] [--threads N] [--calm]
//! [--broken HOW] [--log]`. The last line is the digest of the run.

use std::io::Write;
use std::process::ExitCode;
use tidegate_testkit::simulation::{Broken, Run, Settings, run_seeds};
use tidegate_types::time::Span;

const USAGE: &str = "usage: cargo xtask simulate [OPTION ...]
  --seed N      the first seed (1)
  --seeds N     how many seeds, one after the other in number (1)
  --hours H     hours to simulate for each (1)
  --threads N   seeds at a time; the result does not depend on it (1)
  --calm        nothing goes wrong
  --broken HOW  the gateway is broken on purpose, to see that it is found
  --log         tell the story";

struct Asked {
    settings: Settings,
    seeds: u64,
    threads: u64,
}

fn main() -> ExitCode {
    let Some(asked) = asked(std::env::args().skip(1)) else {
        say(USAGE);
        return ExitCode::from(64);
    };
    let told = |run: &Run| {
        run.log.iter().for_each(|line| say(line));
        if let Some(why) = &run.failure {
            let hours = asked.settings.span.micros() as f64 / 3.6e9;
            say(&format!("seed {} failed: {why}", run.seed));
            say(&format!("again: cargo xtask simulate --seed {} --hours {hours}", run.seed));
        }
    };
    let totals = run_seeds(&asked.settings, asked.seeds, asked.threads, &told);
    say(&totals.text());
    let failed = totals.failures.len();
    say(&format!("{} seeds, {failed} failed", totals.seeds));
    say(&totals.digest());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn asked(mut args: impl Iterator<Item = String>) -> Option<Asked> {
    let settings =
        Settings { seed: 1, span: Span::from_secs(3600), calm: false, log: false, broken: None };
    let mut asked = Asked { settings, seeds: 1, threads: 1 };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seed" => asked.settings.seed = args.next()?.parse().ok()?,
            "--seeds" => asked.seeds = args.next()?.parse().ok()?,
            "--threads" => asked.threads = args.next()?.parse().ok()?,
            "--hours" => {
                let hours: f64 = args.next()?.parse().ok()?;
                asked.settings.span = Span::from_micros((hours * 3.6e9) as u64);
            }
            "--broken" => {
                let how = args.next()?;
                let known = Broken::ALL.iter().find(|(broken, _)| format!("{broken:?}") == how);
                asked.settings.broken = Some(known?.0);
            }
            "--calm" => asked.settings.calm = true,
            "--log" => asked.settings.log = true,
            _ => return None,
        }
    }
    Some(asked)
}

fn say(line: &str) {
    // Whoever does not listen any more is not told.
    let _ = writeln!(std::io::stdout(), "{line}");
}
