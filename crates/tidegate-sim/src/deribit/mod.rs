//! The server side of the Deribit dialect.

pub mod universe;
