//! The whole gateway in one thread under one seed: core, journal, dialect and simulator as they
//! are, and around them a network, a disk, clocks and processes that fail. After every step what
//! must hold is checked against a plain reference. The same seed gives the same run, byte for byte.

mod broken;
mod callers;
mod checks;
mod clients;
mod clock;
mod coverage;
mod digest;
mod disk;
mod faults;
mod gaps;
mod gate;
mod keys;
mod operator;
mod queue;
mod reference;
mod report;
mod rng;
mod saved;
mod setup;
mod streams;
mod venue;
mod wire;
mod world;

pub use broken::Broken;
pub use coverage::{Coverage, HEARD, STAGES, unreachable};
pub use faults::Counts;
pub use report::{Totals, run_seeds};

use tidegate_types::time::Span;
use world::Simulation;

/// What to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What everything follows from.
    pub seed: u64,
    /// How much of the day is simulated, quiet times at its end apart.
    pub span: Span,
    /// Nothing goes wrong.
    pub calm: bool,
    /// Whether the story is told.
    pub log: bool,
    /// What the gateway does wrong on purpose.
    pub broken: Option<Broken>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// What was not as it ought to be.
    pub failure: Option<String>,
    /// How often what happened.
    pub counts: Counts,
    /// Which rows of the order table were hit.
    pub coverage: Coverage,
    /// The fingerprint of everything that was recorded, asked and answered.
    pub digest: String,
    /// The story, if it was to be told.
    pub log: Vec<String>,
}

/// Runs one seed.
pub fn run(settings: &Settings) -> Run {
    let mut run = Run {
        seed: settings.seed,
        failure: None,
        counts: Counts::default(),
        coverage: Coverage::default(),
        digest: String::new(),
        log: Vec::new(),
    };
    match Simulation::new(settings) {
        Ok(mut simulation) => {
            simulation.run();
            simulation.digest.add(simulation.venue.world.exchange.digest().as_bytes());
            run.failure = simulation.failure;
            run.counts = simulation.counts;
            run.coverage = simulation.reference.coverage;
            run.digest = simulation.digest.finish();
            run.log = simulation.log.unwrap_or_default();
        }
        Err(why) => run.failure = Some(why),
    }
    run
}
