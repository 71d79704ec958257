//! The policy language: limits as files that people write, compare and agree on.
//!
//! A file is TOML. `read` makes the core's `Policy` of it or says everything that is wrong, with line and
//! column; `canonical` writes a policy in the one form that its digest is of; `diff` tells what changes from
//! one to another; `warnings` what is odd; `cases` reads orders to hold against a policy. Nothing here reads
//! files or decides on an order.

mod canonical;
pub mod cases;
mod diff;
mod fault;
mod limits;
mod measure;
mod read;
mod table;
mod warn;

pub use canonical::{canonical, digest, limit_text, rule_text};
pub use diff::{Difference, Turn, diff};
pub use fault::{Fault, Place, Unreadable};
pub use read::read;
pub use warn::warnings;

/// The whole seconds that a length of time is, as `90s`, `10 min` or `1 h`; at least one.
pub fn seconds(text: &str) -> Option<u64> {
    let micros = measure::read_span(text)?.micros();
    (micros > 0 && micros.is_multiple_of(1_000_000)).then_some(micros / 1_000_000)
}

#[cfg(test)]
mod tests;
