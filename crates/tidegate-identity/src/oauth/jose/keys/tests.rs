use super::*;
use crate::oauth::jose::Alg;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use tidegate_types::secret::Secret;

fn seed(byte: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![byte; 32])).unwrap()
}

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn token(keys: &Keys) -> String {
    keys.current().sign(Typ::AccessToken, &json!({ "sub": "a" })).unwrap()
}

#[test]
fn tokens_outlive_a_rotation_and_not_their_key() {
    let mut keys = Keys::new(seed(1), Some(seed(2)));
    let first = token(&keys);
    keys.rotate(seed(3), at(100));
    let second = token(&keys);
    assert_eq!(keys.current().public().thumbprint(), seed(2).public().thumbprint());
    assert!(keys.verify(&first, Typ::AccessToken, at(99)).is_ok());
    assert_eq!(keys.verify(&first, Typ::AccessToken, at(100)).err(), Some(JoseError::NoKey));
    assert!(keys.verify(&second, Typ::AccessToken, at(100)).is_ok());
    keys.rotate(seed(4), at(200));
    assert_eq!(keys.current().public().thumbprint(), seed(3).public().thumbprint());
    assert!(keys.verify(&second, Typ::AccessToken, at(150)).is_ok());
}

#[test]
fn without_a_next_key_the_fresh_one_is_used_at_once() {
    let mut keys = Keys::new(seed(1), None);
    keys.rotate(seed(2), at(100));
    assert_eq!(keys.current().public().thumbprint(), seed(2).public().thumbprint());
    assert_eq!(keys.published(at(0))["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn fp_c07_the_published_set_is_public_and_no_name_comes_twice() {
    let mut keys = Keys::new(seed(1), Some(seed(2)));
    keys.rotate(seed(3), at(100));
    let set = keys.published(at(0));
    let names: Vec<&str> =
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    let distinct: std::collections::BTreeSet<&&str> = names.iter().collect();
    assert_eq!((names.len(), distinct.len()), (3, 3));
    assert!(!set.to_string().contains("\"d\""));
    assert_eq!(keys.published(at(100))["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn at_5_only_our_own_keys_sign_tokens() {
    let keys = Keys::new(seed(1), None);
    let foreign = seed(9).sign(Typ::AccessToken, &json!({})).unwrap();
    assert_eq!(keys.verify(&foreign, Typ::AccessToken, at(0)).err(), Some(JoseError::NoKey));
    // The name of ours, the signature of another.
    let kid = keys.current().public().kid().unwrap().to_owned();
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid });
    let forged = seed(9).sign_with(&header, b"{}").unwrap();
    assert_eq!(keys.verify(&forged, Typ::AccessToken, at(0)).err(), Some(JoseError::Signature));
    let nameless = seed(1).sign_with(&json!({ "alg": "EdDSA", "typ": "at+jwt" }), b"{}").unwrap();
    assert_eq!(keys.verify(&nameless, Typ::AccessToken, at(0)).err(), Some(JoseError::NoKey));
}

#[test]
fn each_algorithm_signs_what_it_verifies() {
    let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .unwrap();
    let rsa = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let rsa: aws_lc_rs::encoding::Pkcs8V1Der<'_> =
        aws_lc_rs::encoding::AsDer::as_der(&rsa).unwrap();
    for (alg, document) in
        [(Alg::Es256, p256.as_ref().to_vec()), (Alg::Ps256, rsa.as_ref().to_vec())]
    {
        let key = SigningKey::from_pkcs8(alg, &Secret::new(document)).unwrap();
        assert!(!format!("{key:?}").contains("private"));
        let keys = Keys::new(key, None);
        assert!(keys.verify(&token(&keys), Typ::AccessToken, at(0)).is_ok(), "{alg:?}");
    }
    assert_eq!(
        SigningKey::from_pkcs8(Alg::Es256, &Secret::new(vec![0; 40])).err(),
        Some(JoseError::Key)
    );
}
