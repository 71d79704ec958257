//! The secrets of virtual HMAC keys, and what people log in by, sealed under a key of their own. They are
//! worth nothing at a venue; the gateway opens them to check its callers' signatures.

use crate::error::VaultError;
use crate::file::{read_private, rename, sibling, write_private};
use crate::keys::CallersKey;
use crate::sealed::SealedFile;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tidegate_types::ids::KeyId;
use tidegate_types::secret::Secret;

const PURPOSE: &str = "secrets of virtual keys";
/// The entry of the authorization server's own keys: no virtual key is called so.
const AUTHORITY: &str = " authorization server";
/// The entry of the key by which the gateway shows an outside provider who it is.
const OUTSIDE: &str = " client of outside provider";
/// The entry of the pepper, once it follows from the store's key no more.
const PEPPER: &str = " pepper of passwords";
/// The entry of the link by which the first administrator gets in.
const FIRST_ADMIN: &str = " first administrator";

/// The store of virtual secrets.
pub struct CallerSecrets {
    file: SealedFile,
    key: CallersKey,
    path: PathBuf,
    undecided: Undecided,
}

/// The secrets that are sealed, or about to be, and of which no record tells yet: to be shared by those who
/// seal and those who tidy up.
#[derive(Clone, Default, Debug)]
pub struct Undecided(Arc<Mutex<BTreeSet<KeyId>>>);

/// Says that a secret is undecided, until dropped.
#[derive(Debug)]
pub struct Sealing {
    of: Undecided,
    id: KeyId,
}

impl Undecided {
    /// Begins sealing the secret of that name. To be dropped once a record tells of it, or none will.
    pub fn begin(&self, id: &KeyId) -> Sealing {
        self.lock().insert(id.clone());
        Sealing { of: self.clone(), id: id.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<KeyId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        self.of.lock().remove(&self.id);
    }
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
        let mut file = SealedFile::new(PURPOSE, Vec::new());
        write_private(path, &file.seal(&key.0)?)?;
        let undecided = Undecided::default();
        Ok(CallerSecrets { file, key, path: path.to_owned(), undecided })
    }

    /// Opens the store at `path`.
    ///
    /// # Errors
    /// When others may read the file, it is damaged, or the key is another store's.
    pub fn open(path: &Path, key: CallersKey) -> Result<CallerSecrets, VaultError> {
        let bytes = read_private(path)?;
        let file = match SealedFile::parse(bytes.expose(), PURPOSE, &key.0) {
            Ok(file) => file,
            // A new key was given to the vault, and the file that is sealed under it is not in its place yet.
            Err(error) => {
                let next = next_of(path);
                let bytes = read_private(&next).map_err(|_| error)?;
                let file = SealedFile::parse(bytes.expose(), PURPOSE, &key.0)?;
                rename(&next, path)?;
                file
            }
        };
        let undecided = Undecided::default();
        Ok(CallerSecrets { file, key, path: path.to_owned(), undecided })
    }

    /// Seals the secret of a virtual key.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put(&mut self, id: &KeyId, secret: &Secret) -> Result<(), VaultError> {
        self.put_as(id.as_str(), secret)
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
        self.remove_all([id]).map(|removed| removed > 0)
    }

    /// Forgets secrets; how many of them there were.
    ///
    /// # Errors
    /// When the store cannot be written; it is as it was then.
    pub fn remove_all<'a>(
        &mut self,
        ids: impl IntoIterator<Item = &'a KeyId>,
    ) -> Result<usize, VaultError> {
        let mut file = self.file.clone();
        let removed = ids.into_iter().filter(|id| file.remove(id.as_str())).count();
        if removed > 0 {
            self.replace(file)?;
        }
        Ok(removed)
    }

    /// The names of the virtual keys' and the people's secrets of which records tell, or never will.
    pub fn decided(&self) -> BTreeSet<KeyId> {
        let undecided = self.undecided.lock();
        // The gateway's own begin with a space, as no key's does.
        let names = self.file.names().filter_map(|name| KeyId::new(name).ok());
        names.filter(|id| !undecided.contains(id)).collect()
    }

    /// What says which secrets are undecided.
    pub fn undecided(&self) -> Undecided {
        self.undecided.clone()
    }

    /// Seals the keys that the authorization server signs tokens by.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_authority(&mut self, keys: &Secret) -> Result<(), VaultError> {
        self.put_as(AUTHORITY, keys)
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
        self.put_as(FIRST_ADMIN, invitation)
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
        self.put_as(OUTSIDE, key)
    }

    /// The key by which the gateway shows an outside provider who it is, if there is one yet.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn outside(&self) -> Result<Option<Secret>, VaultError> {
        self.file.get(&self.key.0, OUTSIDE)
    }

    /// What goes into the hash of every password: who has the file alone does not have it.
    ///
    /// # Errors
    /// When the system's cryptography fails.
    pub fn pepper(&self) -> Result<Secret, VaultError> {
        match self.file.get(&self.key.0, PEPPER)? {
            Some(pepper) => Ok(pepper),
            None => self.key.derive("pepper of passwords"),
        }
    }

    /// The bytes of the same store under another key. What followed from the old one is in it.
    pub(crate) fn sealed_anew(&self, key: &CallersKey) -> Result<Vec<u8>, VaultError> {
        let mut file = SealedFile::new(PURPOSE, self.file.header.clone());
        for name in self.file.names() {
            if let Some(secret) = self.file.get(&self.key.0, name)? {
                file.put(&key.0, name, secret.expose())?;
            }
        }
        file.put(&key.0, PEPPER, self.pepper()?.expose())?;
        file.seal(&key.0)
    }

    fn put_as(&mut self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        let mut file = self.file.clone();
        file.put(&self.key.0, name, secret.expose())?;
        self.replace(file)
    }

    /// What is on disk is what is here: where it cannot be written, nothing changes.
    fn replace(&mut self, mut file: SealedFile) -> Result<(), VaultError> {
        let sealed = file.seal(&self.key.0);
        // What was sealed was, whether or not it is kept.
        self.file.seals = file.seals;
        write_private(&self.path, &sealed?)?;
        self.file = file;
        Ok(())
    }
}

/// Where the store lies that is sealed under the vault's next key.
pub(crate) fn next_of(path: &Path) -> PathBuf {
    sibling(path, ".next")
}

impl fmt::Debug for CallerSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallerSecrets(of {} keys)", self.file.names().count())
    }
}

#[cfg(test)]
mod tests;
