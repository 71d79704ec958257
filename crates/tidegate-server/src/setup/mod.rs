//! Making a data folder: keys, certificates, the first administrator; and importing venue keys.

mod certificates;
mod venue_key;

pub use certificates::{make_authority, make_certificate, renew_certificate};
pub use venue_key::{ImportedKey, import_venue_key};

use crate::config::Config;
use crate::folder::DataFolder;
use crate::people::FirstAdmin;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;
use tidegate_journal::{CheckpointKey, checkpoint};
use tidegate_types::codec::to_bytes;
use tidegate_types::secret::Secret;
use tidegate_vault::client::{SignerConfig, UnlockSource};
use tidegate_vault::{CallerSecrets, Unlock, VenueKeys, new_key_file, read_private, write_private};
use zeroize::Zeroizing;

/// What a data folder is made with.
#[derive(Debug)]
pub struct InitOptions {
    /// The configuration to begin with.
    pub config: Config,
    /// What opens the vault from now on.
    pub unlock: InitUnlock,
    /// Who becomes the first administrator by a link.
    pub first_admin: Option<FirstAdmin>,
}

/// What opens the vault.
#[derive(Debug)]
pub enum InitUnlock {
    /// A key file in the data folder, for a start that nobody attends. Whoever reads the folder reads
    /// the keys.
    KeyFile,
    /// A passphrase that a person types at every start.
    Passphrase(Secret),
}

/// Why a data folder could not be made or used. The text says what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetupError(pub String);

/// A data folder that was made before.
#[derive(Debug)]
pub struct Opened {
    /// Where everything is.
    pub folder: DataFolder,
    /// Its configuration.
    pub config: Config,
}

/// Makes a data folder: configuration, certificate authority and certificate, the journal's signing
/// key, an empty vault, the store of virtual secrets and the administrator's token. The desk's first
/// records are the gateway's, which it writes when it starts on an empty journal.
///
/// # Errors
/// When the folder is in use or something cannot be written. What was made by then stays; delete the
/// folder to begin anew.
pub fn init(dir: &Path, options: InitOptions) -> Result<Opened, SetupError> {
    let folder = DataFolder::new(dir);
    make_private(dir)?;
    if folder.config().exists() || folder.vault().exists() {
        return Err(SetupError(format!("`{}` is a data folder already", dir.display())));
    }
    let InitOptions { config, unlock, first_admin } = options;
    make_authority(&folder, &config.listen.names)?;
    make_certificate(&folder, &config.listen.names)?;
    make_vault(&folder, unlock, first_admin)?;
    let origin = checkpoint::new_origin(&config.desk).map_err(SetupError::of("journal key"))?;
    CheckpointKey::create(&folder.checkpoint_key(), &origin)
        .map_err(SetupError::of("journal key"))?;
    make_token(&folder)?;
    // Last, because a folder with a configuration counts as made.
    let text = config.to_toml().map_err(SetupError::of("configuration"))?;
    write_private(&folder.config(), text.as_bytes()).map_err(SetupError::of("configuration"))?;
    Ok(Opened { folder, config })
}

/// Opens a data folder that was made before. Its certificate is renewed when it is due.
///
/// # Errors
/// When there is none, others may enter it, or its configuration is wrong.
pub fn open(dir: &Path) -> Result<Opened, SetupError> {
    let folder = DataFolder::new(dir);
    let config = Config::load(&folder).map_err(|error| SetupError(error.to_string()))?;
    check_private(dir)?;
    renew_certificate(&folder, &config.listen.names)?;
    Ok(Opened { folder, config })
}

/// How to start the signer on a data folder: by its key file, or by the passphrase that comes on
/// `passphrase`, which the gateway does not read.
///
/// # Errors
/// When there is neither.
pub fn signer_config(
    folder: &DataFolder,
    passphrase: Option<OwnedFd>,
) -> Result<SignerConfig, SetupError> {
    let unlock = match passphrase {
        Some(descriptor) => UnlockSource::Passphrase(Some(descriptor)),
        None if folder.vault_key().exists() => UnlockSource::KeyFile(folder.vault_key()),
        None => {
            return Err(SetupError("the vault opens by a passphrase; give it".to_owned()));
        }
    };
    SignerConfig::this_program(folder.vault(), unlock).map_err(SetupError::of("the signer"))
}

/// What opens the vault, for commands that change it.
///
/// # Errors
/// When there is no key file and no passphrase, or the key file is exposed.
pub fn unlock(folder: &DataFolder, passphrase: Option<&Secret>) -> Result<Unlock, SetupError> {
    match passphrase {
        Some(line) => Ok(Unlock::passphrase(line)),
        None if folder.vault_key().exists() => {
            let text = read_private(&folder.vault_key()).map_err(SetupError::of("the key file"))?;
            Unlock::key_file(&text).map_err(SetupError::of("the key file"))
        }
        None => Err(SetupError("the vault opens by a passphrase; give it".to_owned())),
    }
}

fn make_vault(
    folder: &DataFolder,
    unlock: InitUnlock,
    first_admin: Option<FirstAdmin>,
) -> Result<(), SetupError> {
    let wrong = SetupError::of("the vault");
    let unlock = match unlock {
        InitUnlock::KeyFile => new_key_file(&folder.vault_key()).map_err(&wrong)?,
        InitUnlock::Passphrase(line) => Unlock::passphrase(&line),
    };
    let vault = VenueKeys::create(&folder.vault(), &unlock).map_err(&wrong)?;
    let callers_key = vault.callers_key().map_err(&wrong)?;
    let mut secrets = CallerSecrets::create(&folder.callers(), callers_key).map_err(&wrong)?;
    first_admin.map_or(Ok(()), |invited| {
        secrets.put_first_admin(&Secret::new(to_bytes(&invited))).map_err(&wrong)
    })
}

fn make_token(folder: &DataFolder) -> Result<(), SetupError> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut_slice()).map_err(SetupError::of("random bytes"))?;
    let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()) + "\n");
    write_private(&folder.admin_token(), token.as_bytes()).map_err(SetupError::of("admin token"))
}

/// Makes the folder, or holds an empty one to what it must be.
fn make_private(dir: &Path) -> Result<(), SetupError> {
    let wrong = SetupError::of(&dir.display().to_string());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(&wrong)?;
    let owner_only = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(dir, owner_only).map_err(&wrong)
}

fn check_private(dir: &Path) -> Result<(), SetupError> {
    let name = dir.display().to_string();
    let metadata = std::fs::metadata(dir).map_err(SetupError::of(&name))?;
    if metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(SetupError(format!("others may enter `{name}`; run `chmod 700` on it")))
}

impl SetupError {
    /// The error of doing something with `what`.
    fn of<E: fmt::Display>(what: &str) -> impl Fn(E) -> SetupError + use<E> {
        let what = what.to_owned();
        move |error| SetupError(format!("{what}: {error}"))
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

#[cfg(test)]
mod tests;
