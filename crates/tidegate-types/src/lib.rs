//! What trading talks about: prices, quantities, instruments, callers, grants, intents, rejects,
//! limits and the records of the journal.
//!
//! No input or output, no clock, no serde: a value here is valid because it could be built at all.

pub mod app;
pub mod approval;
pub mod breaker;
pub mod bucket;
pub mod call;
mod change;
pub mod codec;
pub mod decimal;
pub mod emergency;
pub mod grant;
pub mod hours;
pub mod ids;
pub mod instrument;
pub mod key;
pub mod limits;
pub mod options;
pub mod order;
pub mod person;
pub mod policy;
pub mod proof;
pub mod record;
pub mod reject;
pub mod report;
pub mod request;
pub mod secret;
pub mod self_trade;
pub mod text;
pub mod time;
pub mod venue_margin;
pub mod venue_terms;

pub use decimal::{Decimal, DecimalError, Rounding};
pub use reject::{Code, Reject};
pub use time::Time;
