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
fn each_store_has_keys_of_its_own_for_other_purposes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let store = CallerSecrets::create(&one, key(1)).unwrap();
    let other = CallerSecrets::create(&two, key(2)).unwrap();
    let of = |store: &CallerSecrets, purpose| store.derive(purpose).unwrap().expose().to_vec();
    assert_eq!(of(&store, "a"), of(&CallerSecrets::open(&one, key(1)).unwrap(), "a"));
    assert_ne!(of(&store, "a"), of(&store, "b"));
    assert_ne!(of(&store, "a"), of(&other, "a"));
}
