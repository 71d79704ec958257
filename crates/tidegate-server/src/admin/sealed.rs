//! The sealed store, held against what is in force or waits. A crash, a refusal or a request that was never
//! approved may leave secrets there of which no record tells; and a key that is on record may not have come
//! into force, because the store did not answer.

use super::protocol::Failure;
use super::service::Administration;
use crate::oplog;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;
use tidegate_types::approval::Act;
use tidegate_types::ids::KeyId;
use tidegate_types::key::{KeyScheme, Replaced, VirtualKey};
use tidegate_types::record::Change;
use tidegate_vault::VaultError;

/// How often it is looked at, besides when a request ends.
const EVERY: Duration = Duration::from_secs(60);

impl Administration {
    /// Sweeps at the start, when a request ended, and now and then, until dropped.
    pub(super) async fn keep_sealed(&self) {
        loop {
            match self.sweep_sealed().await {
                Ok(0) => {}
                Ok(count) => oplog::info("secrets-forgotten", &[("count", &count)]),
                Err(failure) => oplog::warn("secrets-not-swept", &[("why", &failure.message)]),
            }
            // A request that lapsed is seen the next time.
            let _ = tokio::time::timeout(EVERY, self.swept.notified()).await;
        }
    }

    /// Forgets the secrets that nothing in force and nothing that waits has a use for, and puts keys in force
    /// that are so by record alone; how many were forgotten.
    pub(crate) async fn sweep_sealed(&self) -> Result<usize, Failure> {
        // The names first: one that is decided by now is on record before the record is looked at.
        let decided = self.with_secrets(|store| Ok::<_, VaultError>(store.decided())).await?;
        self.take_up_keys().await?;
        let wanted = self.wanted();
        let gone: BTreeSet<KeyId> = decided.difference(&wanted).cloned().collect();
        match gone.is_empty() {
            true => Ok(0),
            false => self.with_secrets(move |store| store.remove_all(&gone)).await,
        }
    }

    /// The names of the secrets that something in force or waiting has a use for.
    fn wanted(&self) -> BTreeSet<KeyId> {
        let mut wanted = self.parts.desk.look(|state| {
            let keys = state.keys().values().filter(|key| !key.revoked);
            let waiting = state.approvals().waiting().filter_map(|it| match &it.approval.act {
                Act::Change { change: Change::KeyAdded { key, .. } } => Some(&key.id),
                _ => None,
            });
            keys.map(|key| &key.key.id).chain(waiting).cloned().collect::<BTreeSet<KeyId>>()
        });
        wanted.extend(self.parts.people.sealed_in_force());
        wanted
    }

    /// Has a key that is on record come into force here: at once, or later where the store does not answer.
    pub(super) async fn take_up_key(
        &self,
        key: VirtualKey,
        replaces: Option<Replaced>,
    ) -> Result<(), Failure> {
        self.late().insert(key.id.clone(), (key, replaces));
        self.take_up_keys().await
    }

    async fn take_up_keys(&self) -> Result<(), Failure> {
        let late: Vec<VirtualKey> = self.late().values().map(|(key, _)| key.clone()).collect();
        for key in late {
            let id = key.id.clone();
            let secret = match key.scheme {
                KeyScheme::Hmac => self.with_secrets(move |store| store.get(&id)).await?,
                KeyScheme::Ed25519 { .. } | KeyScheme::Rsa { .. } => None,
            };
            // One that was revoked meanwhile is not there any more.
            let mut late = self.late();
            if let Some((key, replaces)) = late.remove(&key.id) {
                self.put_in_force(key, secret, replaces)?;
            }
        }
        Ok(())
    }

    /// Puts a key out of force here.
    pub(super) fn end_key(&self, id: &KeyId) {
        let mut late = self.late();
        late.remove(id);
        self.parts.callers.revoke(id);
    }

    fn late(&self) -> MutexGuard<'_, BTreeMap<KeyId, (VirtualKey, Option<Replaced>)>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
