//! The venue keys, sealed in one file. The command line changes it; the signer reads it.

use crate::error::VaultError;
use crate::file::{lock, open_private, read_all, write_private};
use crate::import::Material;
use crate::keys::{CallersKey, Master, Unlock, Wrap};
use crate::sealed::{Blob, SealedFile};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tidegate_types::codec::{from_bytes, to_bytes};
use tidegate_types::ids::{AccountName, VenueName};
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

const PURPOSE: &str = "venue keys";
const CALLERS: &str = "secrets of virtual keys";

/// Most keys of one account: the one in use, and those that wait for the desk's word on them.
pub const MAX_KEYS_OF_ACCOUNT: usize = 4;

/// The store of venue keys. An account may have several: the desk says which is in use.
pub struct VenueKeys {
    file: SealedFile,
    master: Master,
    key: Secret,
    place: Option<Place>,
}

/// Where the store is kept, and the lock that lets nobody else change it meanwhile.
struct Place {
    path: PathBuf,
    _lock: File,
}

/// What may be seen of a venue key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VenueKeyInfo {
    /// The account it trades.
    pub account: AccountName,
    /// The venue it is for.
    pub venue: VenueName,
    /// Its public id.
    pub key_id: String,
    /// What the venue says it may do; `None` until the venue was asked.
    pub rights: Option<Vec<String>>,
    /// When it came into the vault.
    pub imported: Time,
}
codec_struct!(VenueKeyInfo { account, venue, key_id, rights, imported });

/// How a venue key signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    Hmac,
    Ed25519,
}
codec_enum!(Scheme { 0 => Hmac, 1 => Ed25519 });

/// A venue key as it is sealed. The secret is an HMAC secret's text or an Ed25519 seed.
pub(crate) struct StoredKey {
    pub(crate) info: VenueKeyInfo,
    pub(crate) scheme: Scheme,
    pub(crate) secret: Secret,
}

struct Sealable {
    info: VenueKeyInfo,
    scheme: Scheme,
    secret: Blob,
}
codec_struct!(Sealable { info, scheme, secret });

impl VenueKeys {
    /// Makes an empty store at `path`.
    ///
    /// # Errors
    /// When there is one, or it cannot be written.
    pub fn create(path: &Path, unlock: &Unlock) -> Result<VenueKeys, VaultError> {
        let place = Some(Place { path: path.to_owned(), _lock: lock(path)? });
        if path.exists() {
            return Err(VaultError::Exists { path: path.to_owned() });
        }
        let master = Master::generate()?;
        let header = to_bytes(&vec![master.wrap(unlock)?]);
        let key = master.derive(PURPOSE)?;
        let mut store = VenueKeys { file: SealedFile::new(PURPOSE, header), master, key, place };
        store.save()?;
        Ok(store)
    }

    /// Opens the store at `path` to change it; nobody else may meanwhile.
    ///
    /// # Errors
    /// When others may read the file, it is damaged, or `unlock` does not open it.
    pub fn open(path: &Path, unlock: &Unlock) -> Result<VenueKeys, VaultError> {
        let place = Some(Place { path: path.to_owned(), _lock: lock(path)? });
        let file = open_private(path)?;
        let bytes = read_all(file).map_err(|source| VaultError::io(path, source))?;
        let mut store = VenueKeys::from_bytes(bytes.expose(), unlock)?;
        store.place = place;
        Ok(store)
    }

    /// Opens the store that `bytes` are, to read it.
    pub(crate) fn from_bytes(bytes: &[u8], unlock: &Unlock) -> Result<VenueKeys, VaultError> {
        let header = SealedFile::peek_header(bytes, PURPOSE)?;
        let wraps: Vec<Wrap> = from_bytes(&header).map_err(|_| VaultError::Tampered)?;
        let master = Master::unwrap(&wraps, unlock)?;
        let key = master.derive(PURPOSE)?;
        let file = SealedFile::parse(bytes, PURPOSE, &key)?;
        Ok(VenueKeys { file, master, key, place: None })
    }

    /// Seals a key for an account, beside those it has. Its rights are not known yet, so it opens no
    /// sessions.
    ///
    /// # Errors
    /// When the account has too many keys, or the store cannot be written.
    pub fn import(
        &mut self,
        account: &AccountName,
        venue: &VenueName,
        key_id: &str,
        material: Material,
    ) -> Result<(), VaultError> {
        let (scheme, secret) = match material {
            Material::Hmac(secret) => (Scheme::Hmac, secret),
            Material::Ed25519(seed) => (Scheme::Ed25519, seed),
        };
        let all = self.list()?;
        let others = all.iter().filter(|it| it.account == *account && it.key_id != key_id);
        if others.count() >= MAX_KEYS_OF_ACCOUNT {
            return Err(VaultError::TooManyKeys(account.to_string()));
        }
        // A clock that was set back leaves the newest the newest.
        let last = all.iter().map(|it| it.imported.micros()).max().unwrap_or(0);
        let info = VenueKeyInfo {
            account: account.clone(),
            venue: venue.clone(),
            key_id: key_id.to_owned(),
            rights: None,
            imported: Time::from_micros(last.saturating_add(1)).max(now()),
        };
        self.put(StoredKey { info, scheme, secret })?;
        self.save()
    }

    /// Notes what the venue says that a key may do.
    ///
    /// # Errors
    /// When there is no such key or the store cannot be written.
    pub fn set_rights(
        &mut self,
        account: &AccountName,
        key_id: &str,
        rights: Vec<String>,
    ) -> Result<(), VaultError> {
        let found = self.stored(&entry(account, key_id))?;
        let mut key = found.ok_or_else(|| VaultError::NoKey(account.to_string()))?;
        key.info.rights = Some(rights);
        self.put(key)?;
        self.save()
    }

    /// Removes a key of an account; whether there was one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove(&mut self, account: &AccountName, key_id: &str) -> Result<bool, VaultError> {
        let removed = self.file.remove(&entry(account, key_id));
        self.save()?;
        Ok(removed)
    }

    /// Lets `unlock` open the store too, or alone.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_unlock(&mut self, unlock: &Unlock, alone: bool) -> Result<(), VaultError> {
        let mut wraps: Vec<Wrap> =
            from_bytes(&self.file.header).map_err(|_| VaultError::Tampered)?;
        if alone {
            wraps.clear();
        }
        wraps.push(self.master.wrap(unlock)?);
        self.file.header = to_bytes(&wraps);
        self.save()
    }

    /// The same keys under a new master key, which `unlock` opens; kept nowhere yet.
    pub(crate) fn sealed_anew(&self, unlock: &Unlock) -> Result<VenueKeys, VaultError> {
        let master = Master::generate()?;
        let header = to_bytes(&vec![master.wrap(unlock)?]);
        let key = master.derive(PURPOSE)?;
        let mut anew =
            VenueKeys { file: SealedFile::new(PURPOSE, header), master, key, place: None };
        for key in self.all()? {
            anew.put(key)?;
        }
        Ok(anew)
    }

    /// Puts those in the place of these.
    pub(crate) fn become_as(&mut self, anew: VenueKeys) -> Result<(), VaultError> {
        let place = self.place.take();
        *self = VenueKeys { place, ..anew };
        self.save()
    }

    /// What may be seen of each key, the newest last.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn list(&self) -> Result<Vec<VenueKeyInfo>, VaultError> {
        Ok(self.all()?.into_iter().map(|key| key.info).collect())
    }

    /// The key that seals the secrets of virtual keys.
    ///
    /// # Errors
    /// When the system fails.
    pub fn callers_key(&self) -> Result<CallersKey, VaultError> {
        self.master.derive(CALLERS).map(CallersKey)
    }

    /// Every key, opened, the newest last.
    pub(crate) fn all(&self) -> Result<Vec<StoredKey>, VaultError> {
        let mut keys = Vec::new();
        for name in self.file.names() {
            keys.extend(self.stored(name)?);
        }
        keys.sort_by_key(|key| key.info.imported);
        Ok(keys)
    }

    fn stored(&self, name: &str) -> Result<Option<StoredKey>, VaultError> {
        let Some(plain) = self.file.get(&self.key, name)? else { return Ok(None) };
        let Sealable { info, scheme, secret } =
            from_bytes(plain.expose()).map_err(|_| VaultError::Tampered)?;
        Ok(Some(StoredKey { info, scheme, secret: Secret::new(secret.0) }))
    }

    fn put(&mut self, key: StoredKey) -> Result<(), VaultError> {
        let name = entry(&key.info.account, &key.info.key_id);
        let StoredKey { info, scheme, secret } = key;
        let sealable = Sealable { info, scheme, secret: Blob(secret.expose().to_vec()) };
        let plain = Secret::new(to_bytes(&sealable));
        drop(Secret::new(sealable.secret.0));
        self.file.put(&self.key, &name, plain.expose())
    }

    fn save(&mut self) -> Result<(), VaultError> {
        match &self.place {
            Some(place) => write_private(&place.path, &self.file.seal(&self.key)?),
            None => Ok(()),
        }
    }
}

/// The entry of a key. No account's name has a space in it.
fn entry(account: &AccountName, key_id: &str) -> String {
    format!("{account} {key_id}")
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

impl fmt::Debug for VenueKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VenueKeys(of {:?})", self.file.names().collect::<Vec<_>>())
    }
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredKey({:?}, {:?})", self.info, self.scheme)
    }
}

#[cfg(test)]
mod tests;
