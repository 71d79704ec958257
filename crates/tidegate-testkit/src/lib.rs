//! What tests of the whole share: the parsers' fuzz targets, and real processes to drive.
//!
//! For development alone; nothing that ships depends on it.

pub mod door;
pub mod fuzz;
pub mod simulation;
