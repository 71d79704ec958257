//! `tidegate bench`: figures that compare two sides in one run.

mod app;
mod callers;
mod crash;
mod decisions;
mod kill;
mod load;
mod machine;
mod orders;
mod recovery;
mod revocation;
mod stage;
mod wire;

use crate::cli::args::{Bench, BenchWhat, Common};
use crate::cli::output::{Failure, print};
use stage::failed;

/// Measures what was asked for.
pub fn run(common: &Common, args: &Bench) -> Result<(), Failure> {
    let dir = std::env::temp_dir().join(format!("tidegate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|e| failed(&e.to_string()))?;
    // The load has threads of its own beside the processes that it loads.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| failed(&e.to_string()))?;
    let measured = runtime.block_on(async {
        match args.what {
            BenchWhat::Orders => orders::measure(&dir, args).await,
            BenchWhat::Crash => crash::measure(&dir, args).await,
            BenchWhat::Kill => kill::measure(&dir, args).await,
            BenchWhat::Callers => callers::measure(&dir, args).await,
            BenchWhat::Revocation => revocation::measure(&dir, args).await,
            BenchWhat::Decisions => decisions::measure(args),
            BenchWhat::Recovery => recovery::measure(&dir, args).await,
        }
    });
    match measured {
        Ok((figures, text)) => {
            let _ = std::fs::remove_dir_all(&dir);
            print(common.json, &figures, &text);
            Ok(())
        }
        Err(failure) => Err(Failure { hint: format!("see {}", dir.display()), ..failure }),
    }
}
