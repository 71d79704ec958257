//! The virtual keys in force, with the secrets of those that sign by HMAC.

use crate::rsa::RsaBits;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use std::collections::BTreeMap;
use tidegate_types::grant::{KeyScheme, VirtualKey};
use tidegate_types::ids::{CallerName, KeyId};
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;

/// Every virtual key in force. A key is valid when the journal's fold and the sealed store agree: its
/// public part comes from the one, the secret from the other.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: BTreeMap<KeyId, Entry>,
    rsa: RsaBits,
}

/// A key with what checks it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: VirtualKey,
    pub(crate) check: Check,
}

/// What a signature of the key's is checked with.
#[derive(Debug)]
pub(crate) enum Check {
    /// The shared secret of HMAC-SHA256.
    Hmac(Secret),
    /// The public key of Ed25519.
    Ed25519([u8; 32]),
    /// The public key of RSA.
    Rsa(ParsedPublicKey),
}

/// Why a key was not taken into the ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyError {
    /// An HMAC key without its secret: the store does not hold it.
    SecretMissing,
    /// The public key is not one that signatures can be checked with.
    BadPublicKey,
    /// It is an RSA key with fewer bits than are asked for.
    ShortPublicKey,
    /// The ring holds another key with this id.
    Duplicate,
}

impl Keyring {
    /// A ring without keys, for RSA keys of 3072 bits and more.
    pub fn new() -> Keyring {
        Keyring::default()
    }

    /// The same for RSA keys of as many bits and more.
    pub fn taking(rsa: RsaBits) -> Keyring {
        Keyring { rsa, ..Keyring::default() }
    }

    /// Takes a key in; `secret` is the opened secret of an HMAC key and ignored for others.
    ///
    /// # Errors
    /// When an HMAC key has no secret, an RSA key is short or none, or the id is taken; the ring is then as
    /// before.
    pub fn insert(&mut self, key: VirtualKey, secret: Option<Secret>) -> Result<(), KeyError> {
        if self.keys.contains_key(&key.id) {
            return Err(KeyError::Duplicate);
        }
        let check = match key.scheme {
            KeyScheme::Hmac => match secret {
                Some(secret) if !secret.expose().is_empty() => Check::Hmac(secret),
                Some(_) | None => return Err(KeyError::SecretMissing),
            },
            KeyScheme::Ed25519 { public } => Check::Ed25519(public),
            KeyScheme::Rsa { ref public } => Check::Rsa(rsa_key(&public.0, self.rsa)?),
        };
        self.keys.insert(key.id.clone(), Entry { key, check });
        Ok(())
    }

    /// Puts a key out of force; whether it was in force. Its sessions, tokens and stream keys end with
    /// it, because each use of them looks the key up.
    pub fn revoke(&mut self, id: &KeyId) -> bool {
        self.keys.remove(id).is_some()
    }

    /// The public part of a key in force.
    pub fn get(&self, id: &KeyId) -> Option<&VirtualKey> {
        self.keys.get(id).map(|entry| &entry.key)
    }

    /// Every key in force.
    pub fn iter(&self) -> impl Iterator<Item = &VirtualKey> {
        self.keys.values().map(|entry| &entry.key)
    }

    /// The keys of a caller.
    pub fn of<'a>(&'a self, caller: &'a CallerName) -> impl Iterator<Item = &'a VirtualKey> {
        self.iter().filter(move |key| key.caller == *caller)
    }

    /// Has a key end at `until`, or before if it ends before.
    pub fn end(&mut self, id: &KeyId, until: Time) {
        if let Some(entry) = self.keys.get_mut(id) {
            let end = &mut entry.key.terms.until;
            *end = Some(end.map_or(until, |before| before.min(until)));
        }
    }

    pub(crate) fn entry(&self, id: &KeyId) -> Option<&Entry> {
        self.keys.get(id)
    }
}

/// The RSA public key in a `SubjectPublicKeyInfo`.
///
/// # Errors
/// When it is none of 2048 to 8192 bits, or has fewer than `fewest`.
pub fn rsa_key(der: &[u8], fewest: RsaBits) -> Result<ParsedPublicKey, KeyError> {
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der);
    let key = key.map_err(|_| KeyError::BadPublicKey)?;
    match fewest.are_in_key(der) {
        Some(true) => Ok(key),
        Some(false) => Err(KeyError::ShortPublicKey),
        None => Err(KeyError::BadPublicKey),
    }
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            KeyError::SecretMissing => "the sealed store has no secret for the key",
            KeyError::BadPublicKey => "the public key is not an RSA key of 2048 to 8192 bits",
            KeyError::ShortPublicKey => {
                "the RSA key has fewer bits than the desk asks for (keys.rsa_bits)"
            }
            KeyError::Duplicate => "a key with this id is in force already",
        })
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
mod tests;
