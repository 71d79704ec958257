//! The signer as administration sees it, and the callers' keys as the journal and the store agree
//! on them.

use super::GatewayError;
use crate::admin::Reload;
use crate::oplog;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tidegate_core::Core;
use tidegate_identity::keyring::KeyError;
use tidegate_identity::{Keyring, RsaBits};
use tidegate_vault::store::VenueKeyInfo;
use tidegate_vault::{CallerSecrets, SignerClient};
use tokio::sync::watch;

/// How long a signer may take to come back.
const RESTART: Duration = Duration::from_secs(30);

/// Starts the signer anew, so that it reads its keys again.
pub(super) struct Restart {
    /// The signer.
    pub(super) signer: SignerClient,
    /// Which keys it holds.
    pub(super) held: Arc<watch::Sender<Vec<VenueKeyInfo>>>,
    /// Whether it can be unlocked again without a person.
    pub(super) unattended: bool,
}

impl Reload for Restart {
    fn held(&self) -> Vec<VenueKeyInfo> {
        self.held.borrow().clone()
    }

    fn take_up(&self) {
        self.held.send_modify(|_| ());
    }

    fn reload(&self) -> BoxFuture<'_, Result<Vec<VenueKeyInfo>, String>> {
        Box::pin(async {
            if !self.unattended {
                return Err("the vault opens by passphrase: restart the gateway".to_owned());
            }
            let mut keys = self.held.subscribe();
            keys.mark_unchanged();
            self.signer.restart();
            match tokio::time::timeout(RESTART, keys.changed()).await {
                Ok(Ok(())) => Ok(keys.borrow_and_update().clone()),
                Ok(Err(_)) | Err(_) => Err("the signer did not come back".to_owned()),
            }
        })
    }
}

/// The keys that the journal says are in force and the store has the secrets of. One without the
/// other is not in force: neither a restored store nor a restored journal revives a key. Nor is an RSA key of
/// fewer bits than `rsa`, which may have been asked for less before.
pub(super) fn keyring(
    core: &Core,
    secrets: &CallerSecrets,
    rsa: RsaBits,
) -> Result<Keyring, GatewayError> {
    let mut keyring = Keyring::taking(rsa);
    for key in core.state().keys().values().filter(|key| !key.revoked) {
        let wrong = GatewayError::of("the store of callers' secrets");
        let secret = secrets.get(&key.key.id).map_err(|e| wrong(&e))?;
        if keyring.insert(key.key.clone(), secret) == Err(KeyError::ShortPublicKey) {
            let fields: [(&str, &dyn std::fmt::Display); 3] =
                [("key", &key.key.id), ("caller", &key.key.caller), ("rsa_bits", &rsa)];
            oplog::warn("key-too-short", &fields);
        }
    }
    Ok(keyring)
}
