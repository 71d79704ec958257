//! Importing a venue key. What it may do is read from the venue itself, through a signer that holds
//! that key alone, before the key enters the vault.

use super::SetupError;
use crate::clock;
use crate::config::Config;
use crate::desk::{Errand, Link};
use crate::folder::DataFolder;
use crate::upstream::{ask_time, egress};
use std::io::Write;
use std::path::PathBuf;
use tidegate_types::ids::{AccountName, Seq, VenueName};
use tidegate_types::secret::Secret;
use tidegate_vault::client::{SignerConfig, UnlockSource};
use tidegate_vault::import::{GivenKey, parse};
use tidegate_vault::signer::protocol::SignAs;
use tidegate_vault::{SignerClient, Unlock, VenueKeys};
use tidegate_venues::registry;

/// A venue key that is in the vault now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportedKey {
    /// Its public id.
    pub key_id: String,
    /// What the venue says it may do.
    pub rights: Vec<String>,
    /// Whether sessions are opened with it; not when it may withdraw, transfer or manage keys.
    pub opens_sessions: bool,
}

/// Imports the key that `text` is (see `tidegate_vault::import::parse`) for an account, beside those it
/// has: which of them signs is the desk's to say. A running gateway must read the vault again. The calling program must become a
/// signer by the argument `signer`.
///
/// # Errors
/// When the text is no key, the venue cannot be asked or refuses the key, the key may withdraw,
/// transfer or manage keys and `allow_withdraw` is not set, or the vault cannot be changed. The vault
/// is then as it was.
pub async fn import_venue_key(
    folder: &DataFolder,
    config: &Config,
    account: &AccountName,
    venue: &VenueName,
    text: &Secret,
    unlock: &Unlock,
    allow_withdraw: bool,
) -> Result<ImportedKey, SetupError> {
    let wrong = SetupError::of("venue key");
    let link = link(config, venue)?;
    let GivenKey { id, material } = parse(text).map_err(&wrong)?;
    let trial = Trial::new(folder)?;
    let rights = trial.rights(&link, account, &id, parse(text).map_err(&wrong)?).await?;
    drop(trial);
    let opens_sessions = link.venue().may_open_session(&rights);
    if !opens_sessions && !allow_withdraw {
        return Err(SetupError(format!(
            "the key may do more than trade: {}; make one without those rights at the venue, or \
             repeat with --allow-withdraw-key (no private stream is opened with it then)",
            rights.join(", ")
        )));
    }
    let mut vault = VenueKeys::open(&folder.vault(), unlock).map_err(&wrong)?;
    vault.import(account, venue, &id, material).map_err(&wrong)?;
    vault.set_rights(account, &id, rights.clone()).map_err(&wrong)?;
    Ok(ImportedKey { key_id: id, rights, opens_sessions })
}

fn link(config: &Config, venue: &VenueName) -> Result<Link, SetupError> {
    let settings = config.venues.get(venue.as_str());
    let (Some(known), Some(settings)) = (registry::find(venue), settings) else {
        return Err(SetupError(format!("venue {venue} is not in the configuration")));
    };
    egress::link(known, settings).map_err(SetupError::of("venue"))
}

/// A vault for one key that is on trial, sealed by a passphrase that nobody knows.
struct Trial {
    path: PathBuf,
    passphrase: Secret,
}

impl Trial {
    fn new(folder: &DataFolder) -> Result<Trial, SetupError> {
        let mut random = zeroize::Zeroizing::new([0_u8; 32]);
        getrandom::fill(random.as_mut_slice()).map_err(SetupError::of("random bytes"))?;
        let passphrase: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = folder.path().join(format!("vault.trial.{}", std::process::id()));
        Ok(Trial { path, passphrase: Secret::new(passphrase.into_bytes()) })
    }

    /// Asks the venue what the key may do.
    async fn rights(
        &self,
        link: &Link,
        account: &AccountName,
        id: &str,
        given: GivenKey,
    ) -> Result<Vec<String>, SetupError> {
        let wrong = SetupError::of("venue key");
        let unlock = Unlock::passphrase(&self.passphrase);
        let venue = link.venue();
        let mut vault = VenueKeys::create(&self.path, &unlock).map_err(&wrong)?;
        vault.import(account, &venue.name(), id, given.material).map_err(&wrong)?;
        drop(vault);
        let (reader, mut writer) = std::io::pipe().map_err(SetupError::of("signer"))?;
        writer.write_all(self.passphrase.expose()).map_err(SetupError::of("signer"))?;
        drop(writer);
        let source = UnlockSource::Passphrase(Some(reader.into()));
        let config = SignerConfig::this_program(self.path.clone(), source)
            .map_err(SetupError::of("signer"))?;
        let (signer, _ready, _news) =
            SignerClient::start(config, Seq(0)).await.map_err(SetupError::of("signer"))?;
        let say = SetupError::of("the key's rights cannot be read");
        if let Some(offset) = ask_time(link).await {
            link.clock().measured(offset, clock::steady());
        }
        let by = SignAs { key: id.to_owned(), at: link.clock().stamp() };
        let signed =
            signer.sign_unrecorded(account.clone(), venue.rights_call(), by).await.map_err(&say)?;
        let request = tidegate_core::send::unrecorded(signed)
            .map_err(|_| SetupError("the signer answered another question".to_owned()))?;
        let reply = link
            .fetch(Errand::Upkeep(Some(account)), request.into_request())
            .await
            .map_err(&say)?;
        venue.rights(id, &reply).map_err(|unreadable| {
            SetupError(format!(
                "the venue does not say what the key may do (HTTP {}): {}",
                reply.status, unreadable.0
            ))
        })
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let mut lock = self.path.clone().into_os_string();
        lock.push(".lock");
        let _ = std::fs::remove_file(lock);
    }
}
