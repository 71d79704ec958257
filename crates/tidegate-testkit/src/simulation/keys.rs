//! The exchange keys of a run, in process: what the signer does with them, without its process.

use aws_lc_rs::hmac;
use std::cell::Cell;
use tidegate_sim::serve::world::{KeyConfig, KeySecret};
use tidegate_types::ids::AccountName;
use tidegate_venues::upstream::KeySigner;

/// The key of one account.
pub(super) struct Key {
    /// Tidegate's name of the account.
    pub(super) account: AccountName,
    id: String,
    secret: hmac::Key,
    nonces: Cell<u64>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.account)
    }
}

impl Key {
    /// The key that the simulator knows for an account.
    pub(super) fn new(account: &str, key: &KeyConfig) -> Result<Key, String> {
        let KeySecret::Hmac(secret) = &key.secret else {
            return Err("the first key of an account is not HMAC".to_owned());
        };
        Ok(Key {
            account: AccountName::new(account).map_err(|_| "a bad account name".to_owned())?,
            id: key.id.clone(),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            nonces: Cell::new(0),
        })
    }
}

impl KeySigner for Key {
    fn key_id(&self) -> &str {
        &self.id
    }

    fn hmac_sha256(&self, message: &[u8]) -> Option<[u8; 32]> {
        hmac::sign(&self.secret, message).as_ref().try_into().ok()
    }

    fn ed25519(&self, _message: &[u8]) -> Option<[u8; 64]> {
        None
    }

    fn nonce(&self) -> String {
        let count = self.nonces.get();
        self.nonces.set(count.wrapping_add(1));
        format!("{count:x}")
    }
}
