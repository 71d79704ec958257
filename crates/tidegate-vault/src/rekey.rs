//! What opens the stores, and the key they are sealed under, replaced by others.
//!
//! Each step leaves files that open: by the old secret up to one rename, by the new one from then on. A
//! command that was cut short is simply run again.

use crate::callers::{CallerSecrets, next_of};
use crate::error::VaultError;
use crate::file::{rename, write_private};
use crate::keys::{Unlock, new_key_file};
use crate::store::VenueKeys;
use std::path::Path;

/// What was just done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The new key file lies beside the old one.
    KeyFileMade,
    /// Both secrets open the vault.
    BothOpen,
    /// The new key file is in its place, or the old one is gone.
    KeyFileMoved,
    /// The callers' secrets lie sealed anew beside the old file.
    CallersSealed,
    /// The venue keys are sealed anew: from here on the new master key holds.
    VaultSealed,
}

/// What is to open the vault from now on.
#[derive(Debug)]
pub enum Opens {
    /// A passphrase; a key file that is there goes.
    By(Unlock),
    /// A key file that is made for it.
    ByNewKeyFile,
}

/// Has another secret open the vault, and it alone. `key_file` is where a key file of the folder is, or is to
/// be. `step` is told of each step and may end it there.
///
/// # Errors
/// When `unlock` does not open the vault, or something cannot be written.
pub fn change_unlock(
    vault: &Path,
    key_file: &Path,
    unlock: &Unlock,
    opens: Opens,
    step: &mut dyn FnMut(Step) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    let mut store = VenueKeys::open(vault, unlock)?;
    let new = match opens {
        Opens::By(unlock) => {
            store.set_unlock(&unlock, false)?;
            step(Step::BothOpen)?;
            crate::file::remove(key_file)?;
            unlock
        }
        Opens::ByNewKeyFile => {
            let beside = key_file.with_extension("key.next");
            crate::file::remove(&beside)?;
            let unlock = new_key_file(&beside)?;
            step(Step::KeyFileMade)?;
            store.set_unlock(&unlock, false)?;
            step(Step::BothOpen)?;
            rename(&beside, key_file)?;
            unlock
        }
    };
    step(Step::KeyFileMoved)?;
    store.set_unlock(&new, true)
}

/// Seals everything anew under a new master key, which `unlock` opens and nothing else. Nobody may use the
/// stores meanwhile.
///
/// # Errors
/// When `unlock` does not open them, or something cannot be written.
pub fn rekey(
    vault: &Path,
    callers: &Path,
    unlock: &Unlock,
    step: &mut dyn FnMut(Step) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    let mut store = VenueKeys::open(vault, unlock)?;
    let secrets = CallerSecrets::open(callers, store.callers_key()?)?;
    let anew = store.sealed_anew(unlock)?;
    let next = next_of(callers);
    write_private(&next, &secrets.sealed_anew(&anew.callers_key()?)?)?;
    step(Step::CallersSealed)?;
    store.become_as(anew)?;
    step(Step::VaultSealed)?;
    rename(&next, callers)
}

#[cfg(test)]
mod tests;
