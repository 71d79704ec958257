use super::*;
use crate::import::Material;
use std::path::PathBuf;
use tidegate_types::ids::{AccountName, KeyId, VenueName};
use tidegate_types::secret::Secret;

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn passphrase(text: &str) -> Unlock {
    Unlock::passphrase(&secret(text))
}

struct Folder(tempfile::TempDir);

impl Folder {
    /// Stores with one secret each.
    fn new(unlock: &Unlock) -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        let mut vault = VenueKeys::create(&folder.at("vault"), unlock).unwrap();
        let account = AccountName::new("main").unwrap();
        let venue = VenueName::new("binance").unwrap();
        vault.import(&account, &venue, "id-1", Material::Hmac(secret("venue-secret"))).unwrap();
        let key = vault.callers_key().unwrap();
        let mut callers = CallerSecrets::create(&folder.at("callers"), key).unwrap();
        callers.put(&KeyId::new("k-1").unwrap(), &secret("virtual-secret")).unwrap();
        callers.put_authority(&secret("authority")).unwrap();
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The pepper, if `unlock` opens everything and everything is there.
    fn whole(&self, unlock: &Unlock) -> Option<Vec<u8>> {
        let vault = VenueKeys::open(&self.at("vault"), unlock).ok()?;
        assert_eq!(vault.all().unwrap()[0].secret.expose(), b"venue-secret");
        let key = vault.callers_key().unwrap();
        let callers = CallerSecrets::open(&self.at("callers"), key).unwrap();
        let held = callers.get(&KeyId::new("k-1").unwrap()).unwrap().unwrap();
        assert_eq!(held.expose(), b"virtual-secret");
        assert_eq!(callers.authority().unwrap().unwrap().expose(), b"authority");
        Some(callers.pepper().unwrap().expose().to_vec())
    }

    fn bytes(&self) -> (Vec<u8>, Vec<u8>) {
        let read = |name| std::fs::read(self.at(name)).unwrap();
        (read("vault"), read("callers"))
    }
}

/// Ends at a step, as a kill would.
fn until(last: Option<Step>) -> impl FnMut(Step) -> Result<(), VaultError> {
    move |step| match Some(step) == last {
        true => Err(VaultError::System("killed")),
        false => Ok(()),
    }
}

#[test]
fn a_new_master_key_seals_everything_anew_and_a_kill_leaves_stores_that_open() {
    let unlock = Unlock::KeyFile(Secret::new(vec![5; 32]));
    for last in [Some(Step::CallersSealed), Some(Step::VaultSealed), None] {
        let folder = Folder::new(&unlock);
        let (pepper, before) = (folder.whole(&unlock), folder.bytes());
        let rekeyed =
            |last| rekey(&folder.at("vault"), &folder.at("callers"), &unlock, &mut until(last));
        assert_eq!(rekeyed(last).is_ok(), last.is_none());
        assert_eq!(folder.whole(&unlock), pepper, "{last:?}: passwords stay good");
        rekeyed(None).unwrap();
        assert_eq!(folder.whole(&unlock), pepper);
        let old = folder.at("old");
        write_private(&old, &before.1).unwrap();
        let key = VenueKeys::open(&folder.at("vault"), &unlock).unwrap().callers_key().unwrap();
        assert!(CallerSecrets::open(&old, key).is_err(), "the old key seals nothing any more");
    }
}

#[test]
fn another_secret_opens_the_vault_alone_and_a_kill_leaves_one_that_opens() {
    use Step::{BothOpen, KeyFileMade, KeyFileMoved};
    for last in [Some(KeyFileMade), Some(BothOpen), Some(KeyFileMoved), None] {
        let old = passphrase("the old passphrase");
        let folder = Folder::new(&old);
        let file = folder.at("vault.key");
        let change = |unlock: &Unlock, opens, last| {
            change_unlock(&folder.at("vault"), &file, unlock, opens, &mut until(last))
        };
        // As a start opens it: by the key file where there is one.
        let now = || match file.exists() {
            true => Unlock::key_file(&crate::read_private(&file).unwrap()).unwrap(),
            false => passphrase("the old passphrase"),
        };
        assert_eq!(change(&old, Opens::ByNewKeyFile, last).is_ok(), last.is_none());
        assert!(folder.whole(&now()).is_some(), "{last:?}");
        change(&now(), Opens::ByNewKeyFile, None).unwrap();
        assert!(folder.whole(&now()).is_some() && folder.whole(&old).is_none());

        let by = |text| Opens::By(passphrase(text));
        let key = now();
        let cut = matches!(last, Some(BothOpen | KeyFileMoved));
        assert_eq!(change(&key, by("the new passphrase"), last).is_ok(), !cut);
        let opens = if file.exists() { now() } else { passphrase("the new passphrase") };
        assert!(folder.whole(&opens).is_some(), "{last:?}");
        change(&opens, by("another passphrase"), None).unwrap();
        assert!(!file.exists());
        assert!(folder.whole(&passphrase("another passphrase")).is_some());
        assert!(folder.whole(&key).is_none(), "the key file that was");
        assert!(folder.whole(&passphrase("the new passphrase")).is_none());
    }
}
