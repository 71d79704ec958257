//! Apps, as they are asked for and told.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An app to register.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSpec {
    /// The caller that it is; its client id has the same letters.
    pub app: String,
    /// What people read when they are asked for their consent.
    pub title: String,
    /// Its public keys, a JWK set, by which it signs what proves who it is; its tokens are bound to keys.
    #[serde(default)]
    pub jwks: Option<Value>,
    /// Instead of keys its TLS client certificates, each as SHA-256 of its DER form in hex; its tokens
    /// are bound to them.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// How it may ask for tokens: `authorization_code`, `client_credentials`, `refresh_token`,
    /// `device_code`, `token_exchange`, or by their registered names.
    pub grants: Vec<String>,
    /// Where people may be sent back to.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// The `authorization_details` that no token goes beyond; without any what the caller's grants allow.
    #[serde(default)]
    pub details: Option<Value>,
    /// The app that may act in the name of the people who trust this one.
    #[serde(default)]
    pub delegate: Option<String>,
    /// It may ask about everybody's tokens.
    #[serde(default)]
    pub introspects: bool,
    /// It must sign what it asks people for (`require_signed_request_object`).
    #[serde(default)]
    pub signs_requests: bool,
}

/// An app as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AppStatus {
    /// Its name.
    pub app: String,
    /// What each of its terms is called and says.
    pub terms: BTreeMap<String, String>,
    /// It is no more.
    pub revoked: bool,
}

/// What a person granted to an app.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AppGrantStatus {
    /// Its id.
    pub grant: String,
    /// To which app.
    pub app: String,
    /// Who granted it; none where they enrolled anew since.
    pub person: Option<String>,
    /// The same as tokens name them.
    pub subject: String,
    /// What, as `authorization_details`.
    pub details: Value,
    /// The thumbprint of the key or certificate that its tokens are bound to.
    pub bound_to: String,
    /// When it ends, in ms since 1970.
    pub until_ms: u64,
}
