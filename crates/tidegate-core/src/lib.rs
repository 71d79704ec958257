//! Every decision, and no input or output: authorization, shaping, risk, halts, the life of
//! orders, positions, timers.
//!
//! The core takes events with the time they happened and returns actions for the server to carry
//! out. It has no clock, no randomness, no files, no sockets and no threads, so that the journal
//! replays to the same state and a whole trading day runs under one seed.

pub mod action;
pub mod event;
pub mod send;
