use super::*;
use crate::oauth::jose::SigningKey;
use crate::oauth::jose::jws::Typ;
use tidegate_types::secret::Secret;

fn signer(byte: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![byte; 32])).unwrap()
}

fn key(byte: u8, kid: &str) -> Value {
    signer(byte).public().clone().with_kid(kid.to_owned()).to_json()
}

const EC: &str = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY","y":"UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw"}"#;

fn set(keys: &[Value]) -> Result<ClientKeys, JoseError> {
    ClientKeys::parse(&json!({ "keys": keys }).to_string())
}

fn signed(byte: u8, kid: &str) -> String {
    let header = json!({ "alg": "EdDSA", "kid": kid, "typ": "JWT" });
    signer(byte).sign_with(&header, b"{}").unwrap()
}

#[test]
fn fp_c08_keys_of_one_name_are_told_apart_by_their_algorithm() {
    let ec: Value = serde_json::from_str(EC).unwrap();
    let keys = set(&[ec, key(1, "a"), key(2, "b")]).unwrap();
    let text = signed(1, "a");
    let compact = Compact::parse(&text).unwrap();
    let found = keys.find(&compact).unwrap();
    assert!(compact.verify(found, Typ::ClientAssertion).is_ok());
}

#[test]
fn a_key_that_is_not_the_only_one_to_fit_is_none() {
    let keys = set(&[key(1, "a"), key(2, "a")]).unwrap();
    let text = signed(1, "a");
    assert_eq!(keys.find(&Compact::parse(&text).unwrap()).err(), Some(JoseError::NoKey));
    let nameless = signer(1).sign_with(&json!({ "alg": "EdDSA" }), b"{}").unwrap();
    let one = set(&[key(1, "a")]).unwrap();
    assert!(one.find(&Compact::parse(&nameless).unwrap()).is_ok());
    let other = signed(1, "c");
    assert_eq!(one.find(&Compact::parse(&other).unwrap()).err(), Some(JoseError::NoKey));
}

#[test]
fn fp_c02_a_set_with_a_weak_or_private_key_is_refused() {
    let weak = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
    assert_eq!(set(&[key(1, "a"), weak]).err(), Some(JoseError::Key));
    let mut private = key(1, "a");
    private["d"] = "AAAA".into();
    assert_eq!(set(&[private]).err(), Some(JoseError::Key));
    assert_eq!(set(&[]).err(), Some(JoseError::Key));
    assert_eq!(set(&[key(1, "a"), key(1, "b")]).err(), Some(JoseError::Key));
    let many: Vec<Value> = (0..9).map(|n| key(n, "a")).collect();
    assert_eq!(set(&many).err(), Some(JoseError::Malformed));
    assert_eq!(ClientKeys::parse("[]").err(), Some(JoseError::Malformed));
}

#[test]
fn keys_for_encryption_are_passed_over() {
    let encryption = json!({ "kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB" });
    let keys = set(&[encryption, key(1, "a")]).unwrap();
    assert_eq!(keys.iter().count(), 1);
    assert_eq!(ClientKeys::parse(&keys.to_json().to_string()).unwrap().iter().count(), 1);
}
