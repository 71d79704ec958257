//! The authorization server and its tokens: OAuth 2.1 under the FAPI 2.0 security profile.
//!
//! Everything here is a check over bytes, a store, a time and chance that are handed in. What must
//! survive a restart comes out as `event::Event`s and is folded back from them; what need not
//! (codes, pushed requests, proofs seen) is kept in bounded tables.

pub mod acr;
pub mod authority;
pub mod bearer;
pub mod client;
pub mod details;
pub mod dpop;
pub mod error;
pub mod event;
pub mod jose;
pub mod json;
pub mod metadata;
pub mod once;
pub mod params;
pub mod resource;

pub use authority::Authority;
pub use bearer::TokenBearer;
pub use error::{ErrorCode, OAuthError};
pub use resource::Resource;

#[cfg(test)]
pub(crate) mod testing;
