//! The policy language: limits as files that people write, compare and agree on.
//!
//! A file is TOML. `read` makes the core's `Policy` of it or says everything that is wrong, with line and
//! column; `canonical` writes a policy in the one form that its digest is of; `diff` tells what changes from
//! one to another; `warnings` what is odd; `cases` reads orders to hold against a policy. Nothing here reads
//! files or decides on an order.

mod canonical;
pub mod cases;
mod compare;
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

#[cfg(test)]
mod tests;
