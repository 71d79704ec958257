//! The venues' side: request pools, the sockets that tell marks, the accounts' private streams; and single
//! requests to what is no venue.

pub mod egress;
mod hosts;
mod origin;
pub mod pool;
#[cfg(test)]
pub(crate) mod scripted;
mod site;
pub mod tasks;
mod watched;

pub(crate) use origin::client_config;
pub use origin::{Roots, UrlError, trusted};
pub use pool::Pool;
pub use site::{Answered, Site};
pub use tasks::{
    ask_time, compare_clock, follow_account, follow_books, follow_clock, follow_marks,
};
