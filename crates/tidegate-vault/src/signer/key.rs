//! A venue key, opened. Nothing here gives the secret out.

use crate::error::VaultError;
use crate::store::{Scheme, StoredKey, VenueKeyInfo};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use std::cell::Cell;
use std::fmt;
use tidegate_venues::upstream::KeySigner;

/// A key that signs for one account.
pub(super) struct SigningKey {
    info: VenueKeyInfo,
    secret: Opened,
    nonce_prefix: [u8; 8],
    nonces: Cell<u64>,
}

/// The library keeps both in memory that it wipes when it frees it.
enum Opened {
    Hmac(Box<hmac::Key>),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Opens a stored key; the stored bytes are wiped.
    pub(super) fn open(stored: StoredKey) -> Result<SigningKey, VaultError> {
        let secret = match stored.scheme {
            Scheme::Hmac => {
                Opened::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, stored.secret.expose())))
            }
            Scheme::Ed25519 => Opened::Ed25519(
                Ed25519KeyPair::from_seed_unchecked(stored.secret.expose())
                    .map_err(|_| VaultError::Tampered)?,
            ),
        };
        let mut nonce_prefix = [0; 8];
        crate::sealed::random(&mut nonce_prefix)?;
        Ok(SigningKey { info: stored.info, secret, nonce_prefix, nonces: Cell::new(0) })
    }

    /// What may be seen of it.
    pub(super) fn info(&self) -> &VenueKeyInfo {
        &self.info
    }
}

impl KeySigner for SigningKey {
    fn key_id(&self) -> &str {
        &self.info.key_id
    }

    fn hmac_sha256(&self, message: &[u8]) -> Option<[u8; 32]> {
        match &self.secret {
            Opened::Hmac(key) => hmac::sign(key, message).as_ref().try_into().ok(),
            Opened::Ed25519(_) => None,
        }
    }

    fn ed25519(&self, message: &[u8]) -> Option<[u8; 64]> {
        match &self.secret {
            Opened::Ed25519(pair) => pair.try_sign(message).ok()?.as_ref().try_into().ok(),
            Opened::Hmac(_) => None,
        }
    }

    fn nonce(&self) -> String {
        let count = self.nonces.get();
        self.nonces.set(count.wrapping_add(1));
        format!("{:016x}{count:x}", u64::from_le_bytes(self.nonce_prefix))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.info)
    }
}
