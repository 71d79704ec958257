use super::*;
use tidegate_types::ids::{AccountName, VenueName};
use tidegate_types::key::KeyTerms;

fn key(id: &str, scheme: KeyScheme) -> VirtualKey {
    VirtualKey {
        id: KeyId::new(id).unwrap(),
        caller: CallerName::new("alice").unwrap(),
        venue: VenueName::new("deribit").unwrap(),
        account: AccountName::new("main").unwrap(),
        scheme,
        terms: KeyTerms::default(),
    }
}

#[test]
fn takes_only_keys_it_can_check() {
    let mut ring = Keyring::new();
    assert_eq!(ring.insert(key("a", KeyScheme::Hmac), None), Err(KeyError::SecretMissing));
    let empty = Some(Secret::new(Vec::new()));
    assert_eq!(ring.insert(key("a", KeyScheme::Hmac), empty), Err(KeyError::SecretMissing));
    assert_eq!(ring.insert(key("a", KeyScheme::Hmac), Some(Secret::new(vec![1]))), Ok(()));
    let other = KeyScheme::Ed25519 { public: [0; 32] };
    assert_eq!(ring.insert(key("a", other.clone()), None), Err(KeyError::Duplicate));
    assert_eq!(ring.insert(key("b", other), None), Ok(()));
    assert_eq!(ring.of(&CallerName::new("alice").unwrap()).count(), 2);
    assert_eq!(ring.of(&CallerName::new("bob").unwrap()).count(), 0);
}

#[test]
fn revokes() {
    let mut ring = Keyring::new();
    ring.insert(key("a", KeyScheme::Hmac), Some(Secret::new(vec![1]))).unwrap();
    let id = KeyId::new("a").unwrap();
    assert!(ring.get(&id).is_some());
    assert!(ring.revoke(&id));
    assert!(!ring.revoke(&id));
    assert!(ring.get(&id).is_none());
}

#[test]
fn debug_shows_no_secret() {
    let mut ring = Keyring::new();
    ring.insert(key("a", KeyScheme::Hmac), Some(Secret::new(b"hunter2".to_vec()))).unwrap();
    let shown = format!("{ring:?}");
    assert!(shown.contains("[secret]"));
    assert!(!shown.contains("hunter2") && !shown.contains("104, 117, 110"));
}
