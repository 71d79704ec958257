//! The command line: what is typed, what is printed, how it ends.

pub mod args;
pub mod output;
