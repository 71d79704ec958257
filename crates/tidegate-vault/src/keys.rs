//! From what the operator holds to the keys that seal.
//!
//! A random master key is made with the store. It is wrapped once for each way to open the store: by a
//! passphrase through Argon2id (RFC 9106), or by a key file. Every purpose has a key of its own,
//! derived from the master by HKDF-SHA256.

use crate::error::VaultError;
use crate::sealed::{Sealed, open, random, seal};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::hkdf;
use std::path::Path;
use tidegate_types::codec_enum;
use tidegate_types::secret::Secret;
use zeroize::Zeroize;

/// Argon2id's memory: 64 MiB.
const MEMORY_KIB: u32 = 64 * 1024;
/// Argon2id's passes.
const PASSES: u32 = 3;
/// The most of each that a store may ask for, so that a forged header cannot exhaust the machine.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 16;
/// What the master key is wrapped about.
const WRAPPED: &[u8] = b"tidegate master key";
/// Shortest passphrase that a store is made with.
const MIN_PASSPHRASE: usize = 8;

/// What opens the store.
#[derive(Debug)]
pub enum Unlock {
    /// A passphrase that a person remembers.
    Passphrase(Secret),
    /// What is in a key file, for a start that nobody attends.
    KeyFile(Secret),
}

/// What seals the secrets of virtual keys.
#[derive(Debug)]
pub struct CallersKey(pub(crate) Secret);

/// The key from which those of each purpose are derived.
#[derive(Debug)]
pub(crate) struct Master(Secret);

/// The master key, wrapped for one way to open the store.
pub(crate) enum Wrap {
    Passphrase { salt: [u8; 16], memory_kib: u32, passes: u32, key: Sealed },
    KeyFile { key: Sealed },
}
codec_enum!(Wrap { 0 => Passphrase { salt, memory_kib, passes, key }, 1 => KeyFile { key } });

/// Makes a key file of 32 random bytes, readable by its owner alone.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn new_key_file(path: &Path) -> Result<Unlock, VaultError> {
    if path.exists() {
        return Err(VaultError::Exists { path: path.to_owned() });
    }
    let mut key = [0; 32];
    random(&mut key)?;
    let mut text = String::with_capacity(65);
    for byte in key {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    key.zeroize();
    let text = Secret::new(text.into_bytes());
    crate::file::write_private(path, text.expose())?;
    Unlock::key_file(&text)
}

impl Unlock {
    /// The unlock that a key file's text is: 64 hexadecimal digits.
    ///
    /// # Errors
    /// When it is something else.
    pub fn key_file(text: &Secret) -> Result<Unlock, VaultError> {
        let digits = text.expose().trim_ascii();
        let wrong = || VaultError::Format("a key file holds 64 hexadecimal digits");
        if digits.len() != 64 {
            return Err(wrong());
        }
        let mut key = Vec::with_capacity(32);
        for pair in digits.chunks_exact(2) {
            let digit = |i: usize| char::from(*pair.get(i)?).to_digit(16);
            let (high, low) = digit(0).zip(digit(1)).ok_or_else(wrong)?;
            key.push(u8::try_from(high * 16 + low).map_err(|_| wrong())?);
        }
        Ok(Unlock::KeyFile(Secret::new(key)))
    }

    /// The unlock that a passphrase is; the end of its line is not part of it.
    pub fn passphrase(line: &Secret) -> Unlock {
        let text = line.expose();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Unlock::Passphrase(Secret::new(text.to_vec()))
    }
}

impl CallersKey {
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> CallersKey {
        CallersKey(Secret::new(bytes))
    }
}

impl CallersKey {
    /// The key for one more purpose.
    pub(crate) fn derive(&self, purpose: &str) -> Result<Secret, VaultError> {
        expand(&self.0, b"tidegate callers", purpose)
    }
}

impl Master {
    /// A new one.
    pub(crate) fn generate() -> Result<Master, VaultError> {
        let mut key = vec![0; 32];
        random(&mut key)?;
        Ok(Master(Secret::new(key)))
    }

    /// The key for one purpose.
    pub(crate) fn derive(&self, purpose: &str) -> Result<Secret, VaultError> {
        expand(&self.0, b"tidegate vault", purpose)
    }

    /// Wraps it for one more way to open the store.
    pub(crate) fn wrap(&self, unlock: &Unlock) -> Result<Wrap, VaultError> {
        match unlock {
            Unlock::Passphrase(passphrase) => {
                if passphrase.expose().len() < MIN_PASSPHRASE {
                    return Err(VaultError::Format("a passphrase has 8 characters at least"));
                }
                let mut salt = [0; 16];
                random(&mut salt)?;
                let key = stretch(passphrase, &salt, MEMORY_KIB, PASSES)?;
                let key = seal(&key, WRAPPED, self.0.expose())?;
                Ok(Wrap::Passphrase { salt, memory_kib: MEMORY_KIB, passes: PASSES, key })
            }
            Unlock::KeyFile(key) => Ok(Wrap::KeyFile { key: seal(key, WRAPPED, self.0.expose())? }),
        }
    }

    /// Unwraps it by the first of `wraps` that `unlock` opens.
    pub(crate) fn unwrap(wraps: &[Wrap], unlock: &Unlock) -> Result<Master, VaultError> {
        for wrap in wraps {
            let opened = match (wrap, unlock) {
                (Wrap::KeyFile { key }, Unlock::KeyFile(file)) => open(file, WRAPPED, key),
                (
                    Wrap::Passphrase { salt, memory_kib, passes, key },
                    Unlock::Passphrase(passphrase),
                ) => open(&stretch(passphrase, salt, *memory_kib, *passes)?, WRAPPED, key),
                _ => None,
            };
            if let Some(master) = opened {
                return Ok(Master(master));
            }
        }
        Err(VaultError::WrongKey)
    }
}

fn stretch(
    passphrase: &Secret,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
) -> Result<Secret, VaultError> {
    if memory_kib > MAX_MEMORY_KIB || passes > MAX_PASSES {
        return Err(VaultError::Tampered);
    }
    let failed = |_| VaultError::System("Argon2id");
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(failed)?;
    let mut blocks = vec![Block::default(); params.block_count()];
    let mut key = vec![0; 32];
    let done = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase.expose(), salt, &mut key, &mut blocks);
    for block in &mut blocks {
        block.zeroize();
    }
    let key = Secret::new(key);
    done.map_err(failed)?;
    Ok(key)
}

/// The key for one purpose that follows from `key` (HKDF-SHA256).
pub(crate) fn expand(key: &Secret, salt: &[u8], purpose: &str) -> Result<Secret, VaultError> {
    let failed = || VaultError::System("deriving a key");
    let info = [purpose.as_bytes()];
    let mut derived = vec![0; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(key.expose())
        .expand(&info, hkdf::HKDF_SHA256)
        .map_err(|_| failed())?
        .fill(&mut derived)
        .map_err(|_| failed())?;
    Ok(Secret::new(derived))
}

#[cfg(test)]
mod tests;
