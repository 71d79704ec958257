//! Owns the core and carries out what it wants.

mod sink;

pub use sink::{Signing, Sink};
