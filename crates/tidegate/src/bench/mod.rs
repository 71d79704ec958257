//! `tidegate bench`.
pub mod load;
mod wire;
