use super::*;
use std::os::unix::fs::PermissionsExt;

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn unlock() -> Unlock {
    Unlock::KeyFile(Secret::new(vec![5; 32]))
}

fn account(name: &str) -> AccountName {
    AccountName::new(name).unwrap()
}

fn venue() -> VenueName {
    VenueName::new("binance").unwrap()
}

const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

#[test]
fn keys_come_back_with_their_rights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let mut store = VenueKeys::create(&path, &unlock()).unwrap();
    store.import(&account("main"), &venue(), "id-1", Material::Hmac(secret(SECRET))).unwrap();
    drop(store);
    let mut store = VenueKeys::open(&path, &unlock()).unwrap();
    assert_eq!(store.list().unwrap()[0].rights, None);
    store.set_rights(&account("main"), "id-1", vec!["trade".to_owned()]).unwrap();
    for (of, id) in [("no", "id-1"), ("main", "id-2")] {
        assert!(matches!(store.set_rights(&account(of), id, vec![]), Err(VaultError::NoKey(_))));
    }
    drop(store);
    let mut store = VenueKeys::open(&path, &unlock()).unwrap();
    let [key] = &store.all().unwrap()[..] else { panic!() };
    assert_eq!(key.info.key_id, "id-1");
    assert_eq!(key.info.rights, Some(vec!["trade".to_owned()]));
    assert_eq!(key.secret.expose(), SECRET.as_bytes());
    assert!(store.remove(&account("main"), "id-1").unwrap());
    assert!(!store.remove(&account("main"), "id-1").unwrap());
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn an_account_has_the_keys_that_were_imported_for_it_the_newest_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = VenueKeys::create(&folder.path().join("vault"), &unlock()).unwrap();
    let import = |store: &mut VenueKeys, id: &str| {
        store.import(&account("main"), &venue(), id, Material::Hmac(secret(id)))
    };
    let ids = |store: &VenueKeys| -> Vec<String> {
        store.list().unwrap().into_iter().map(|key| key.key_id).collect()
    };
    import(&mut store, "b").unwrap();
    store.set_rights(&account("main"), "b", vec!["trade".to_owned()]).unwrap();
    import(&mut store, "a").unwrap();
    assert_eq!(ids(&store), ["b", "a"]);
    let rights: Vec<_> = store.list().unwrap().into_iter().map(|key| key.rights).collect();
    assert_eq!(rights, [Some(vec!["trade".to_owned()]), None], "a new key begins without rights");
    import(&mut store, "b").unwrap();
    assert_eq!(ids(&store), ["a", "b"], "imported anew");
    for n in 2..MAX_KEYS_OF_ACCOUNT {
        import(&mut store, &format!("more-{n}")).unwrap();
    }
    assert!(matches!(import(&mut store, "one-more"), Err(VaultError::TooManyKeys(_))));
    import(&mut store, "a").unwrap();
    assert!(store.remove(&account("main"), "b").unwrap());
    import(&mut store, "one-more").unwrap();
    assert!(!ids(&store).contains(&"b".to_owned()));
}

#[test]
fn the_file_is_private_and_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let mut store = VenueKeys::create(&path, &unlock()).unwrap();
    store.import(&account("main"), &venue(), "id-1", Material::Hmac(secret(SECRET))).unwrap();
    assert!(!format!("{store:?} {:?}", store.all().unwrap()).contains(SECRET));
    drop(store);
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(8).any(|window| SECRET.as_bytes().starts_with(window)));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(VenueKeys::open(&path, &unlock()), Err(VaultError::Exposed { .. })));
}

#[test]
fn a_wrong_key_and_a_changed_file_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    drop(VenueKeys::create(&path, &unlock()).unwrap());
    let other = Unlock::KeyFile(Secret::new(vec![6; 32]));
    assert!(matches!(VenueKeys::open(&path, &other), Err(VaultError::WrongKey)));
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    write_private(&path, &bytes).unwrap();
    assert!(matches!(VenueKeys::open(&path, &unlock()), Err(VaultError::Tampered)));
}

#[test]
fn one_process_changes_it_at_a_time_and_none_makes_it_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let store = VenueKeys::create(&path, &unlock()).unwrap();
    assert!(matches!(VenueKeys::open(&path, &unlock()), Err(VaultError::Busy { .. })));
    drop(store);
    assert!(matches!(VenueKeys::create(&path, &unlock()), Err(VaultError::Exists { .. })));
    assert!(VenueKeys::open(&path, &unlock()).is_ok());
}

#[test]
fn a_second_way_to_open_it_can_be_added_or_take_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let callers = |store: &VenueKeys| store.callers_key().unwrap().0.expose().to_vec();
    let mut store = VenueKeys::create(&path, &unlock()).unwrap();
    let before = callers(&store);
    let second = Unlock::KeyFile(Secret::new(vec![6; 32]));
    store.set_unlock(&second, false).unwrap();
    drop(store);
    drop(VenueKeys::open(&path, &unlock()).unwrap());
    let mut store = VenueKeys::open(&path, &second).unwrap();
    assert_eq!(callers(&store), before);
    store.set_unlock(&second, true).unwrap();
    drop(store);
    assert!(matches!(VenueKeys::open(&path, &unlock()), Err(VaultError::WrongKey)));
    assert!(VenueKeys::open(&path, &second).is_ok());
}

#[test]
fn seals_are_counted_over_every_opening_and_begin_anew_with_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let mut store = VenueKeys::create(&path, &unlock()).unwrap();
    store.import(&account("main"), &venue(), "id-1", Material::Hmac(secret(SECRET))).unwrap();
    let sealed = store.file.seals;
    drop(store);
    let mut store = VenueKeys::open(&path, &unlock()).unwrap();
    assert_eq!(store.file.seals, sealed);
    store.set_rights(&account("main"), "id-1", Vec::new()).unwrap();
    assert_eq!(store.file.seals, sealed + 2, "the key's and that of the whole");
    let anew = store.sealed_anew(&unlock()).unwrap();
    assert_eq!(anew.file.seals, 1);
}
