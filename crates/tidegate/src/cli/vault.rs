//! Commands that open the vault: `venue-key list` and `remove`, `vault passphrase` and `rekey`.

use super::args::{Common, Vault};
use super::folder::{ask_passphrase, failed, first_line, keep_private, new_passphrase};
use super::output::{Failure, print};
use super::reach::{ask, data_dir, is_running};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tidegate_server::admin::protocol::Request;
use tidegate_server::folder::DataFolder;
use tidegate_server::gateway::{alone, runs_on};
use tidegate_server::setup;
use tidegate_types::ids::AccountName;
use tidegate_vault::rekey::{Opens, change_unlock, rekey};
use tidegate_vault::{Unlock, VaultError, VenueKeys};

const PATIENCE: Duration = Duration::from_secs(5);

/// `tidegate venue-key list`
pub fn list(common: &Common, passphrase_file: Option<&Path>) -> Result<(), Failure> {
    let vault = open(common, passphrase_file)?;
    let keys = vault.list().map_err(|e| wrong(&e))?;
    let told: Vec<_> = keys
        .iter()
        .map(|key| {
            json!({
                "account": key.account.as_str(), "venue": key.venue.as_str(), "key": key.key_id,
                "rights": key.rights, "imported_ms": key.imported.millis(),
            })
        })
        .collect();
    let lines = keys.iter().map(|key| {
        let may = key.rights.as_ref().map_or("is not known".to_owned(), |it| it.join(", "));
        format!("{} at {}: {} may {may}\n", key.account, key.venue, key.key_id)
    });
    let text = lines.collect::<String>() + "`tidegate status` tells which the desk uses";
    print(common.json, &json!({ "keys": told }), &text);
    Ok(())
}

/// `tidegate venue-key remove`
pub fn remove(
    common: &Common,
    account: &str,
    key: &str,
    passphrase_file: Option<&Path>,
) -> Result<(), Failure> {
    let account = AccountName::new(account).map_err(|_| {
        Failure::usage(format!("{account} is not a name"), "use letters, digits, - and _")
    })?;
    let dir = data_dir(common)?;
    if is_running(&dir) {
        let status = super::status::read(&ask(common, &Request::Status {}, PATIENCE)?)?;
        is_unused(status.used_keys.as_ref(), account.as_str(), key)?;
    }
    let mut vault = open(common, passphrase_file)?;
    if !vault.remove(&account, key).map_err(|e| wrong(&e))? {
        let message = format!("the vault holds no key {key} of {account}");
        return Err(Failure::new("no_venue_key", message, "`tidegate venue-key list` tells which"));
    }
    let object = json!({ "account": account.as_str(), "removed": key });
    print(
        common.json,
        &object,
        &format!("removed key {key} of {account}; delete it at the venue too"),
    );
    Ok(())
}

/// `tidegate vault`
pub fn vault(common: &Common, command: Vault) -> Result<(), Failure> {
    let folder = setup::open(&data_dir(common)?).map_err(failed)?.folder;
    // Before anything is asked.
    is_at_rest(&folder)?;
    keep_private();
    let (done, text) = match command {
        Vault::Passphrase { passphrase_file, new_passphrase_file, key_file } => {
            let old = unlock(&folder, passphrase_file.as_deref())?;
            let opens = match (key_file, new_passphrase_file) {
                (true, _) => Opens::ByNewKeyFile,
                (false, Some(path)) => Opens::By(Unlock::passphrase(&first_line(&path)?)),
                (false, None) => Opens::By(Unlock::passphrase(&new_passphrase()?)),
            };
            let (vault, file) = (folder.vault(), folder.vault_key());
            let change = || change_unlock(&vault, &file, &old, opens, &mut |_| Ok(()));
            let text = match key_file {
                true => "the vault opens by a new key file, and by nothing else",
                false => "the vault opens by the new passphrase, and by nothing else",
            };
            (alone(&folder, change), text)
        }
        Vault::Rekey { passphrase_file } => {
            let old = unlock(&folder, passphrase_file.as_deref())?;
            let seal = || rekey(&folder.vault(), &folder.callers(), &old, &mut |_| Ok(()));
            (alone(&folder, seal), "everything is sealed anew, under a new key")
        }
    };
    // What it says tells what to do.
    done.map_err(|error| Failure::new("folder", error.0, ""))?.map_err(|e| wrong(&e))?;
    print(common.json, &json!({ "done": true }), &format!("{text}; backups still open as before"));
    Ok(())
}

/// What opens the vault of a folder: its key file, or the passphrase of a file, or one that is typed.
pub fn unlock(folder: &DataFolder, passphrase_file: Option<&Path>) -> Result<Unlock, Failure> {
    let passphrase = match passphrase_file {
        Some(path) => Some(first_line(path)?),
        None if folder.vault_key().exists() => None,
        None => Some(ask_passphrase("passphrase: ")?),
    };
    setup::unlock(folder, passphrase.as_ref()).map_err(failed)
}

/// Refuses while a gateway runs on the folder.
fn is_at_rest(folder: &DataFolder) -> Result<(), Failure> {
    match runs_on(folder) {
        Some(why) => Err(Failure::new("running", why, "stop the gateway first")),
        None => Ok(()),
    }
}

/// Refuses to remove a key that the gateway uses, and one of which it does not tell that.
fn is_unused(
    used: Option<&BTreeMap<String, String>>,
    account: &str,
    key: &str,
) -> Result<(), Failure> {
    let Some(used) = used else {
        let message = "the gateway tells which keys it uses to the owner of the data folder alone";
        return Err(Failure::new("in_use", message, "run this as the owner, or stop the gateway"));
    };
    if used.get(account).is_none_or(|it| it != key) {
        return Ok(());
    }
    let message = format!("the desk uses key {key} for {account}");
    let hint = "have another one approved first: `tidegate venue-key import`, then approve it";
    Err(Failure::new("in_use", message, hint))
}

fn open(common: &Common, passphrase_file: Option<&Path>) -> Result<VenueKeys, Failure> {
    let folder = setup::open(&data_dir(common)?).map_err(failed)?.folder;
    keep_private();
    let unlock = unlock(&folder, passphrase_file)?;
    VenueKeys::open(&folder.vault(), &unlock).map_err(|e| wrong(&e))
}

fn wrong(error: &VaultError) -> Failure {
    Failure::new("vault", error.to_string(), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_runs_is_told_apart_from_a_folder_that_cannot_be_used() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(place.path());
        assert!(is_at_rest(&folder).is_ok(), "nothing has run there yet");
        let lock = std::fs::File::create(folder.lock()).unwrap();
        assert!(is_at_rest(&folder).is_ok());
        lock.lock().unwrap();
        assert_eq!(is_at_rest(&folder).map_err(|it| it.code), Err("running"));
        drop(lock);
        // A folder that is gone is no gateway.
        let gone = DataFolder::new(place.path().join("gone"));
        assert!(is_at_rest(&gone).is_ok());
        assert!(alone(&gone, || ()).is_err_and(|why| !why.0.contains("runs on")));
    }

    #[test]
    fn a_key_is_removed_that_the_gateway_says_it_does_not_use() {
        let used: BTreeMap<String, String> = [("main".to_owned(), "k".to_owned())].into();
        let code = |used, account, key| is_unused(used, account, key).map_err(|it| it.code);
        assert_eq!(code(Some(&used), "main", "k"), Err("in_use"));
        assert_eq!(code(None, "main", "k"), Err("in_use"), "it does not say");
        assert_eq!(code(Some(&used), "main", "old"), Ok(()));
        assert_eq!(code(Some(&used), "other", "k"), Ok(()));
        assert_eq!(code(Some(&BTreeMap::new()), "main", "k"), Ok(()));
    }
}
