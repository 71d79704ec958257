use super::super::testing::{by, keys, set, signed};
use super::*;
use crate::oauth::jose::SigningKey;
use crate::oauth::testing::signer;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tidegate_types::secret::Secret;

/// An RSA key and its public half as a JWK with `alg`, if any.
fn rsa(alg: Option<&str>) -> (KeyPair, Value) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let document = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let key = SigningKey::from_pkcs8(Alg::Ps256, &Secret::new(document.as_ref().to_vec()));
    let public = key.unwrap().public().to_json();
    let mut jwk = json!({"kty": "RSA", "kid": "r", "n": public["n"], "e": public["e"]});
    if let Some(alg) = alg {
        jwk["alg"] = alg.into();
    }
    (pair, jwk)
}

fn rsa_signed(pair: &KeyPair, alg: &str, how: &'static dyn RsaEncoding) -> String {
    let head = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "kid": "r"}).to_string());
    let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode("{}"));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(how, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn error(keys: &ProviderKeys, text: &str) -> Option<OidcError> {
    keys.open(text).err()
}

#[test]
fn rs256_is_taken_by_a_key_that_is_for_it_alone() {
    let (pair, jwk) = rsa(Some("RS256"));
    let keys = set(&[jwk]).unwrap();
    let good = rsa_signed(&pair, "RS256", &RSA_PKCS1_SHA256);
    assert_eq!(error(&keys, &good), None);
    // The signature of one padding under the name of the other, and the other under its own.
    let wrong = rsa_signed(&pair, "RS256", &RSA_PSS_SHA256);
    assert_eq!(error(&keys, &wrong), Some(OidcError::Signature));
    let other = rsa_signed(&pair, "PS256", &RSA_PSS_SHA256);
    assert_eq!(error(&keys, &other), Some(OidcError::NoKey));
}

#[test]
fn an_rsa_key_without_algorithm_is_for_both_paddings_each_under_its_name() {
    let (pair, jwk) = rsa(None);
    let keys = set(&[jwk]).unwrap();
    assert_eq!(error(&keys, &rsa_signed(&pair, "RS256", &RSA_PKCS1_SHA256)), None);
    assert_eq!(error(&keys, &rsa_signed(&pair, "PS256", &RSA_PSS_SHA256)), None);
    let crossed = rsa_signed(&pair, "PS256", &RSA_PKCS1_SHA256);
    assert_eq!(error(&keys, &crossed), Some(OidcError::Signature));
}

#[test]
fn other_algorithms_and_no_signature_are_refused() {
    let claims = json!({});
    for alg in ["none", "HS256", "RS1", "RS512", "ES256K", ""] {
        let head = URL_SAFE_NO_PAD.encode(json!({ "alg": alg }).to_string());
        let text = format!("{head}.{}.AA", URL_SAFE_NO_PAD.encode(claims.to_string()));
        assert_eq!(error(&keys(), &text), Some(OidcError::Algorithm), "{alg}");
    }
    for text in ["", "a", "a.b", "e30.e30.AA.AA", "!.e30.AA", &"a".repeat(9000)] {
        assert!(keys().open(text).is_err(), "{text}");
    }
    let head = json!({"alg": "EdDSA", "kid": signer(1).public().kid(), "crit": ["b64"]});
    let critical = signer(1).sign_with(&head, b"{}").unwrap();
    assert_eq!(error(&keys(), &critical), Some(OidcError::Critical));
}

#[test]
fn the_key_is_the_one_that_is_named() {
    assert_eq!(error(&keys(), &by(&signer(2), None, &json!({}))), None);
    assert_eq!(error(&keys(), &by(&signer(3), None, &json!({}))), Some(OidcError::NoKey));
    let (good, forged) = (signed(&json!({"a": 1})), signed(&json!({"a": 2})));
    let (head, _, _, signature) = jws::split(&good).unwrap();
    let (_, _, payload, _) = jws::split(&forged).unwrap();
    let mixed = format!("{head}.{payload}.{signature}");
    assert_eq!(error(&keys(), &mixed), Some(OidcError::Signature));
    // Nameless, and two fit.
    let nameless = signer(1).sign_with(&json!({"alg": "EdDSA"}), b"{}").unwrap();
    assert_eq!(error(&keys(), &nameless), Some(OidcError::NoKey));
    // A member twice means two things.
    let head = json!({"alg": "EdDSA", "kid": signer(1).public().kid()});
    let twice = signer(1).sign_with(&head, br#"{"sub":"a","sub":"b"}"#).unwrap();
    assert_eq!(error(&keys(), &twice), Some(OidcError::Malformed));
}

#[test]
fn a_set_may_hold_what_is_not_taken_here_but_not_only_that() {
    let (_, weak) = rsa(Some("RS512"));
    let mut encrypting = signer(3).public().to_json();
    encrypting["use"] = "enc".into();
    let mixed = set(&[weak.clone(), json!("x"), encrypting.clone(), signer(1).public().to_json()]);
    assert_eq!(error(&mixed.unwrap(), &signed(&json!({}))), None);
    assert!(set(&[weak, encrypting]).is_err() && set(&[]).is_err());
    assert!(ProviderKeys::parse(b"[]").is_err() && ProviderKeys::parse(b"{}").is_err());
}
