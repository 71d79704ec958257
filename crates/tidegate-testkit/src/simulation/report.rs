//! Many seeds, and what they come to together.

use super::digest::Digest;
use super::{Counts, Coverage, HEARD, Run, STAGES, Settings, run};
use std::fmt::Write as _;
use std::thread;

/// What many runs come to.
#[derive(Debug, Default)]
pub struct Totals {
    /// How many seeds were run.
    pub seeds: u64,
    /// How often what happened.
    pub counts: Counts,
    /// Which rows of the order table were hit.
    pub coverage: Coverage,
    /// The seeds that failed, and why.
    pub failures: Vec<(u64, String)>,
    digest: Digest,
}

impl Totals {
    fn add(&mut self, run: Run) {
        self.seeds += 1;
        self.counts.merge(&run.counts);
        self.coverage.merge(&run.coverage);
        self.digest.add(run.digest.as_bytes());
        self.failures.extend(run.failure.map(|why| (run.seed, why)));
    }

    /// The fingerprint of all runs.
    pub fn digest(self) -> String {
        self.digest.finish()
    }

    /// The counts and the table, to be read.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (what, count) in self.counts.iter() {
            let _ = writeln!(out, "{count:>12} {what}");
        }
        let _ = writeln!(
            out,
            "\n{:>12} order table rows hit, of {}",
            self.coverage.rows(),
            STAGES.len() * HEARD.len()
        );
        let _ = write!(out, "{:>14}", "");
        for heard in HEARD {
            let _ = write!(out, "{heard:>12}");
        }
        for stage in STAGES {
            let _ = write!(out, "\n{stage:>14}");
            for heard in HEARD {
                let _ = write!(out, "{:>12}", self.coverage.of(stage, heard));
            }
        }
        for (stage, heard) in self.coverage.missing() {
            let _ = write!(out, "\nnot met: {stage} that hears {heard}");
        }
        out
    }
}

/// Runs `count` seeds from the one of `settings` on, each by itself in one thread, `threads` at a
/// time, and takes them in by number: how many threads there are does not show. `heard` is told of
/// each as it ends.
pub fn run_seeds(
    settings: &Settings,
    count: u64,
    threads: u64,
    heard: &(dyn Fn(&Run) + Sync),
) -> Totals {
    let threads = threads.max(1);
    let of = |first: u64| {
        let mut runs = Vec::new();
        let mut at = first;
        while at < count {
            let seed = settings.seed.wrapping_add(at);
            let run = run(&Settings { seed, ..settings.clone() });
            heard(&run);
            runs.push(run);
            at += threads;
        }
        runs
    };
    let mut runs: Vec<Run> = thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|first| scope.spawn(move || of(first))).collect();
        working.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    runs.sort_by_key(|run| run.seed.wrapping_sub(settings.seed));
    let mut totals = Totals::default();
    runs.into_iter().for_each(|run| totals.add(run));
    totals
}
