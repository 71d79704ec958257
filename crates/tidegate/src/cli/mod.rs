//! The command line: what is typed, what is printed, how it ends.

pub mod args;
mod keys;
pub mod manage;
pub mod offline;
pub mod output;
pub mod reach;
pub mod status;
