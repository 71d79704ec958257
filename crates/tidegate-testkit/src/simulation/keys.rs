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
    hidden: [String; 2],
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
            hidden: [key.id.clone(), secret.clone()],
            nonces: Cell::new(0),
        })
    }

    /// A virtual key as its caller holds it. Its id is no secret of its caller's.
    pub(super) fn held(account: &AccountName, id: &str, secret: &str) -> Key {
        Key {
            account: account.clone(),
            id: id.to_owned(),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            hidden: [secret.to_owned(), secret.to_owned()],
            nonces: Cell::new(0),
        }
    }

    /// What of it nobody may read in an answer.
    pub(super) fn hidden(&self) -> impl Iterator<Item = &str> {
        self.hidden.iter().map(String::as_str)
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
