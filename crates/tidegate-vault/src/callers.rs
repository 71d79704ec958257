//! The secrets of virtual HMAC keys, and what people log in by, sealed under a key of their own. They are
//! worth nothing at a venue; the gateway opens them to check its callers' signatures.

use crate::error::VaultError;
use crate::file::{read_private, write_private};
use crate::keys::CallersKey;
use crate::sealed::SealedFile;
use std::fmt;
use std::path::{Path, PathBuf};
use tidegate_types::ids::KeyId;
use tidegate_types::secret::Secret;

const PURPOSE: &str = "secrets of virtual keys";
/// The entry of the authorization server's own keys: no virtual key is called so.
const AUTHORITY: &str = " authorization server";
/// The entry of the key by which the gateway shows an outside provider who it is.
const OUTSIDE: &str = " client of outside provider";
/// The entry of the link by which the first administrator gets in.
const FIRST_ADMIN: &str = " first administrator";

/// The store of virtual secrets.
pub struct CallerSecrets {
    file: SealedFile,
    key: CallersKey,
    path: PathBuf,
}

impl CallerSecrets {
    /// Makes an empty store at `path`.
    ///
    /// # Errors
    /// When there is one, or it cannot be written.
    pub fn create(path: &Path, key: CallersKey) -> Result<CallerSecrets, VaultError> {
        if path.exists() {
            return Err(VaultError::Exists { path: path.to_owned() });
        }
        let file = SealedFile::new(PURPOSE, Vec::new());
        let store = CallerSecrets { file, key, path: path.to_owned() };
        store.save()?;
        Ok(store)
    }

    /// Opens the store at `path`.
    ///
    /// # Errors
    /// When others may read the file, it is damaged, or the key is another store's.
    pub fn open(path: &Path, key: CallersKey) -> Result<CallerSecrets, VaultError> {
        let bytes = read_private(path)?;
        let file = SealedFile::parse(bytes.expose(), PURPOSE, &key.0)?;
        Ok(CallerSecrets { file, key, path: path.to_owned() })
    }

    /// Seals the secret of a virtual key.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put(&mut self, id: &KeyId, secret: &Secret) -> Result<(), VaultError> {
        self.file.put(&self.key.0, id.as_str(), secret.expose())?;
        self.save()
    }

    /// The secret of a virtual key, if there is one.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn get(&self, id: &KeyId) -> Result<Option<Secret>, VaultError> {
        self.file.get(&self.key.0, id.as_str())
    }

    /// Forgets the secret of a revoked key; whether there was one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove(&mut self, id: &KeyId) -> Result<bool, VaultError> {
        let removed = self.file.remove(id.as_str());
        self.save()?;
        Ok(removed)
    }

    /// Seals the keys that the authorization server signs tokens by.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_authority(&mut self, keys: &Secret) -> Result<(), VaultError> {
        self.file.put(&self.key.0, AUTHORITY, keys.expose())?;
        self.save()
    }

    /// The keys that the authorization server signs tokens by, if there are any yet.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn authority(&self) -> Result<Option<Secret>, VaultError> {
        self.file.get(&self.key.0, AUTHORITY)
    }

    /// Seals what lets the desk's first administrator in.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_first_admin(&mut self, invitation: &Secret) -> Result<(), VaultError> {
        self.file.put(&self.key.0, FIRST_ADMIN, invitation.expose())?;
        self.save()
    }

    /// What lets the desk's first administrator in, if `init` made a link.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn first_admin(&self) -> Result<Option<Secret>, VaultError> {
        self.file.get(&self.key.0, FIRST_ADMIN)
    }

    /// Seals the key by which the gateway shows an outside provider who it is.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_outside(&mut self, key: &Secret) -> Result<(), VaultError> {
        self.file.put(&self.key.0, OUTSIDE, key.expose())?;
        self.save()
    }

    /// The key by which the gateway shows an outside provider who it is, if there is one yet.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn outside(&self) -> Result<Option<Secret>, VaultError> {
        self.file.get(&self.key.0, OUTSIDE)
    }

    /// A key for another purpose of the gateway's, derived from that of this store: who has the file
    /// alone does not have it.
    ///
    /// # Errors
    /// When the system's cryptography fails.
    pub fn derive(&self, purpose: &str) -> Result<Secret, VaultError> {
        self.key.derive(purpose)
    }

    fn save(&self) -> Result<(), VaultError> {
        write_private(&self.path, &self.file.to_bytes(&self.key.0)?)
    }
}

impl fmt::Debug for CallerSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallerSecrets(of {} keys)", self.file.names().count())
    }
}

#[cfg(test)]
mod tests;
