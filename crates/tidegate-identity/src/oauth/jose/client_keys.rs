//! A client's set of public keys.

use super::{Compact, JoseError, Jwk};
use crate::oauth::json::{self, Object};
use serde_json::{Value, json};

/// The keys that a client registered. Two may share a name (FAPI 2.0 5.4.3): the algorithm tells
/// them apart, and where it does not, there is no key.
#[derive(Clone, Debug)]
pub struct ClientKeys(Vec<Jwk>);

/// Most keys of one client.
pub const MAX_CLIENT_KEYS: usize = 8;

impl ClientKeys {
    /// The keys that a JWK set's text holds. Those for other uses are passed over; one that is for
    /// signatures and weak is an error.
    ///
    /// # Errors
    /// When it is no set, holds more than `MAX_CLIENT_KEYS`, a bad key, or none for signatures.
    pub fn parse(text: &str) -> Result<ClientKeys, JoseError> {
        let set = json::object(text.as_bytes()).map_err(|_| JoseError::Malformed)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JoseError::Malformed)?;
        if keys.len() > MAX_CLIENT_KEYS {
            return Err(JoseError::Malformed);
        }
        let mut parsed: Vec<Jwk> = Vec::new();
        for key in keys {
            let key = key.as_object().ok_or(JoseError::Malformed)?;
            if is_for_encryption(key) {
                continue;
            }
            let key = Jwk::from_object(key)?;
            if parsed.iter().any(|other| other.thumbprint() == key.thumbprint()) {
                return Err(JoseError::Key);
            }
            parsed.push(key);
        }
        if parsed.is_empty() { Err(JoseError::Key) } else { Ok(ClientKeys(parsed)) }
    }

    /// The set's own text, with public members only.
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.0.iter().map(Jwk::to_json).collect::<Vec<_>>() })
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &Jwk> {
        self.0.iter()
    }

    /// The one key that `compact` can be signed by.
    ///
    /// # Errors
    /// When none or more than one fits its name and algorithm.
    pub fn find(&self, compact: &Compact<'_>) -> Result<&Jwk, JoseError> {
        let named = |key: &&Jwk| compact.kid().is_none() || key.kid() == compact.kid();
        let mut fits = self.0.iter().filter(named).filter(|key| key.alg() == compact.alg());
        match (fits.next(), fits.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(JoseError::NoKey),
        }
    }
}

fn is_for_encryption(key: &Object) -> bool {
    key.get("use").and_then(Value::as_str) == Some("enc")
}

#[cfg(test)]
mod tests;
