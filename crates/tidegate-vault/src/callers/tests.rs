use super::*;
use tidegate_types::secret::Secret;

fn key(byte: u8) -> CallersKey {
    CallersKey::from_bytes(vec![byte; 32])
}

#[test]
fn secrets_come_back_and_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("callers");
    let id = KeyId::new("k-1").unwrap();
    let mut store = CallerSecrets::create(&path, key(1)).unwrap();
    store.put(&id, &Secret::new(b"virtual-secret".to_vec())).unwrap();
    assert!(CallerSecrets::create(&path, key(1)).is_err());
    let mut store = CallerSecrets::open(&path, key(1)).unwrap();
    assert_eq!(store.get(&id).unwrap().unwrap().expose(), b"virtual-secret");
    assert!(store.remove(&id).unwrap());
    assert!(!store.remove(&id).unwrap());
    assert!(CallerSecrets::open(&path, key(1)).unwrap().get(&id).unwrap().is_none());
}

#[test]
fn the_file_shows_nothing_and_another_key_does_not_open_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("callers");
    let mut store = CallerSecrets::create(&path, key(1)).unwrap();
    store.put(&KeyId::new("k-1").unwrap(), &Secret::new(b"virtual-secret".to_vec())).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(14).any(|window| window == b"virtual-secret"));
    assert!(matches!(CallerSecrets::open(&path, key(2)), Err(VaultError::Tampered)));
}

#[test]
fn each_store_has_a_pepper_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let store = CallerSecrets::create(&one, key(1)).unwrap();
    let other = CallerSecrets::create(&two, key(2)).unwrap();
    let of = |store: &CallerSecrets| store.pepper().unwrap().expose().to_vec();
    assert_eq!(of(&store), of(&CallerSecrets::open(&one, key(1)).unwrap()));
    assert_ne!(of(&store), of(&other));
}

#[test]
fn what_cannot_be_written_did_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("callers");
    let id = |text: &str| KeyId::new(text).unwrap();
    let mut store = CallerSecrets::create(&path, key(1)).unwrap();
    store.put(&id("old"), &Secret::new(b"old".to_vec())).unwrap();
    // What is replaced whole cannot be written where a folder is in the way of the new file.
    let blocked = folder.path().join("callers.new");
    std::fs::create_dir(&blocked).unwrap();
    assert!(store.put(&id("new"), &Secret::new(b"new".to_vec())).is_err());
    assert!(store.remove(&id("old")).is_err());
    assert!(store.get(&id("new")).unwrap().is_none() && store.get(&id("old")).unwrap().is_some());
    std::fs::remove_dir(&blocked).unwrap();
    assert!(store.remove(&id("old")).unwrap());
    assert_eq!(CallerSecrets::open(&path, key(1)).unwrap().decided().len(), 0);
}

#[test]
fn what_is_being_sealed_is_undecided_until_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = CallerSecrets::create(&folder.path().join("callers"), key(1)).unwrap();
    let secret = Secret::new(b"secret".to_vec());
    let id = KeyId::new("k-1").unwrap();
    store.put_authority(&secret).unwrap();
    store.put_first_admin(&secret).unwrap();
    let sealing = store.undecided().begin(&id);
    store.put(&id, &secret).unwrap();
    assert!(store.decided().is_empty(), "nor are the gateway's own among them");
    drop(sealing);
    assert_eq!(store.decided(), [id].into());
}
