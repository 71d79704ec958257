//! Virtual keys, as they are asked for and told.

use serde::{Deserialize, Serialize};

/// From where and until when a virtual key is good.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsSpec {
    /// The networks that it may be used from, as `10.0.0.0/8`; any when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// SHA-256 of the TLS client certificate that it is bound to, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// When it ends, in ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// A virtual key that is not revoked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyStatus {
    /// What the caller sends.
    pub id: String,
    /// Whose it is.
    pub caller: String,
    /// Which account it trades.
    pub account: String,
    /// At which venue.
    pub venue: String,
    /// `hmac`, `ed25519` or `rsa`.
    pub scheme: String,
    /// From where and until when it is good.
    #[serde(flatten)]
    pub terms: TermsSpec,
    /// It has ended.
    pub ended: bool,
    /// When it was last used, in ms since 1970; to ten minutes for what was before the last start.
    pub last_used_ms: Option<u64>,
}

/// A virtual key that was just made. The secret is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeKey {
    /// What the caller sends.
    pub id: String,
    /// What it signs with; none for a key whose secret the caller keeps.
    pub secret: Option<String>,
    /// The request that it waits for, if it is not in force yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
}
