//! A provider for tests.

use super::ProviderKeys;
use crate::oauth::jose::SigningKey;
use crate::oauth::testing::signer;
use serde_json::{Value, json};
use tidegate_types::time::Time;

pub(super) const ISSUER: &str = "https://login.example";
pub(super) const CLIENT: &str = "tidegate";
pub(super) const NOW: u64 = 1_000_000;

pub(super) fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

pub(super) fn keys() -> ProviderKeys {
    set(&[signer(1).public().to_json(), signer(2).public().to_json()]).unwrap()
}

pub(super) fn set(keys: &[Value]) -> Result<ProviderKeys, super::OidcError> {
    ProviderKeys::parse(json!({ "keys": keys }).to_string().as_bytes())
}

/// `claims` signed by the provider's first key.
pub(super) fn signed(claims: &Value) -> String {
    typed(Some("JWT"), claims)
}

pub(super) fn typed(typ: Option<&str>, claims: &Value) -> String {
    by(&signer(1), typ, claims)
}

pub(super) fn by(key: &SigningKey, typ: Option<&str>, claims: &Value) -> String {
    let mut header = json!({ "alg": "EdDSA", "kid": key.public().kid() });
    if let Some(typ) = typ {
        header["typ"] = typ.into();
    }
    key.sign_with(&header, claims.to_string().as_bytes()).unwrap()
}

/// The members of `claims` with some in place of others; null takes one away.
pub(super) fn with(claims: &Value, changes: &Value) -> Value {
    let mut all = claims.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(all.remove(name)),
            value => drop(all.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(all)
}
