//! The shell around the core: listeners, TLS, the event loop, upstream pools, administration. It
//! carries bytes and carries out actions; it decides nothing.
//!
//! One event loop on one thread serves callers and venues (`edge`, `front`, `upstream`). `desk`
//! owns the core: whoever has an event hands it over there, and the actions that come of it are
//! carried out in order before the next event is taken. Administration has a thread and a runtime
//! of its own, so that a halt gets in while the event loop is busy.

pub mod admin;
mod aside;
pub mod clock;
pub mod config;
pub mod desk;
pub mod disk;
pub mod edge;
pub mod folder;
pub mod front;
pub mod gateway;
pub mod oplog;
pub mod people;
pub mod setup;
pub mod syslog;
pub mod upstream;
pub mod web;
