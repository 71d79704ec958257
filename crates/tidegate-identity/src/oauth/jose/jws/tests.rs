use super::*;
use crate::oauth::jose::SigningKey;
use serde_json::{Value, json};
use tidegate_types::secret::Secret;

fn signer() -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![7; 32])).unwrap()
}

fn signed(header: &Value, payload: &str) -> String {
    signer().sign_with(header, payload.as_bytes()).unwrap()
}

fn jwk(value: &Value) -> Result<Jwk, JoseError> {
    Jwk::from_object(value.as_object().ok_or(JoseError::Key)?)
}

/// Whether any of the keys that `public` holds takes `text`.
fn accepted(public: &Value, text: &str) -> bool {
    let keys = match public.get("keys").and_then(Value::as_array) {
        Some(keys) => keys.clone(),
        None => vec![public.clone()],
    };
    keys.iter().any(|key| {
        let compact = Compact::parse(text);
        compact.and_then(|compact| compact.verify_bytes(&jwk(key)?)).is_ok()
    })
}

#[test]
fn at_5_wycheproof() {
    let file = include_str!("../../../../vectors/wycheproof/json_web_subset.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let (mut taken, mut refused, mut by_policy) = (0, 0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let text = test["jws"].as_str().unwrap_or_default();
            let head =
                text.split('.').next().and_then(|head| decode(head).ok()).unwrap_or_default();
            let alg = json::object(&head).ok().and_then(|h| h.text("alg").and_then(Alg::named));
            let (valid, ok) = (test["result"] == "valid", accepted(&group["public"], text));
            // FAPI 2.0 leaves three algorithms: what is by another is refused, however good.
            assert_eq!(ok, valid && alg.is_some(), "{} {test}", group["comment"]);
            match (ok, valid) {
                (true, _) => taken += 1,
                (false, true) => by_policy += 1,
                (false, false) => refused += 1,
            }
        }
    }
    assert_eq!((taken, refused, by_policy), WYCHEPROOF);
}

/// How many are taken, refused as they must be, and refused because of their algorithm.
const WYCHEPROOF: (usize, usize, usize) = (9, 137, 29);

#[test]
fn the_cookbook_s_ed25519_example_verifies_and_is_made_again() {
    let file = include_str!("../../../../vectors/jose-cookbook/ed25519.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let text = file["output"]["compact"].as_str().unwrap();
    let mut public = file["input"]["key"].clone();
    let seed = public.as_object_mut().unwrap().remove("d").unwrap();
    assert!(accepted(&public, text));
    let seed = Secret::new(decode(seed.as_str().unwrap()).unwrap());
    let payload = file["input"]["payload"].as_str().unwrap();
    let header = &file["signing"]["protected"];
    let ours = SigningKey::from_seed(&seed).unwrap().sign_with(header, payload.as_bytes()).unwrap();
    assert_eq!(ours, text);
}

#[test]
fn fp_c01_the_cookbook_s_examples_by_other_algorithms_are_refused() {
    let file = include_str!("../../../../vectors/jose-cookbook/jws.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let mut seen = Vec::new();
    for example in file["examples"].as_array().unwrap() {
        let text = example["compact"].as_str().unwrap();
        assert_eq!(Compact::parse(text).err(), Some(JoseError::Algorithm), "{example}");
        let mut key = example["key"].clone();
        key.as_object_mut().unwrap().remove("alg");
        // RSA of 2048 bits is a key here, for PS256; P-521 and shared secrets are none.
        assert_eq!(jwk(&key).is_ok(), key["kty"] == "RSA", "{key}");
        seen.push(example["alg"].as_str().unwrap());
    }
    assert_eq!(seen, ["RS256", "PS384", "ES512", "HS256"]);
}

#[test]
fn fp_c01_algorithms_other_than_the_three_are_refused() {
    for alg in ["none", "None", "HS256", "RS256", "RS512", "PS384", "ES384", "ES256K", "eddsa", ""]
    {
        let text = signed(&json!({ "alg": alg, "typ": "at+jwt" }), "{}");
        assert_eq!(Compact::parse(&text).err(), Some(JoseError::Algorithm), "{alg}");
    }
    for header in [json!({ "typ": "at+jwt" }), json!({ "alg": 1 }), json!({ "alg": ["EdDSA"] })] {
        assert_eq!(Compact::parse(&signed(&header, "{}")).err(), Some(JoseError::Algorithm));
    }
}

#[test]
fn at_6_the_header_s_algorithm_must_be_the_key_s() {
    let text = signed(&json!({ "alg": "ES256", "typ": "at+jwt" }), "{}");
    let parsed = Compact::parse(&text).unwrap();
    let outcome = parsed.verify(signer().public(), Typ::AccessToken);
    assert_eq!(outcome.err(), Some(JoseError::Algorithm));
    let text = signed(&json!({ "alg": "Ed25519", "typ": "at+jwt" }), "{}");
    assert!(Compact::parse(&text).unwrap().verify(signer().public(), Typ::AccessToken).is_ok());
}

#[test]
fn at_8_no_type_passes_for_another() {
    let types = [
        Typ::AccessToken,
        Typ::ClientAssertion,
        Typ::DpopProof,
        Typ::Introspection,
        Typ::RequestObject,
    ];
    for made in types {
        let text = signed(&json!({ "alg": "EdDSA", "typ": made.name() }), "{}");
        for wanted in types {
            let outcome = Compact::parse(&text).unwrap().verify(signer().public(), wanted);
            assert_eq!(outcome.is_ok(), made == wanted, "{made:?} as {wanted:?}");
        }
    }
    let fits = |typ: Typ, text: &str| typ.fits(json!({ "typ": text }).as_object().unwrap());
    assert!(fits(Typ::AccessToken, "application/at+jwt") && fits(Typ::AccessToken, "AT+JWT"));
    assert!(fits(Typ::ClientAssertion, "JWT") && !fits(Typ::AccessToken, "JWT"));
    assert!(!fits(Typ::DpopProof, "DPOP+JWT") && !fits(Typ::AccessToken, "at+jwté"));
    let untyped = json!({});
    assert!(Typ::ClientAssertion.fits(untyped.as_object().unwrap()));
    assert!(!Typ::AccessToken.fits(untyped.as_object().unwrap()));
    assert!(!Typ::DpopProof.fits(json!({ "typ": 1 }).as_object().unwrap()));
}

#[test]
fn critical_extensions_and_members_twice_are_refused() {
    for header in [r#"{"alg":"EdDSA","crit":[]}"#, r#"{"alg":"EdDSA","crit":["exp"],"exp":1}"#] {
        assert_eq!(super::header(&encode(header)).err(), Some(JoseError::Critical), "{header}");
    }
    let twice = r#"{"alg":"EdDSA","alg":"EdDSA"}"#;
    assert_eq!(super::header(&encode(twice)).err(), Some(JoseError::Malformed));
    let text = signed(&json!({ "alg": "EdDSA", "typ": "at+jwt" }), r#"{"sub":"a","sub":"b"}"#);
    let outcome = Compact::parse(&text).unwrap().verify(signer().public(), Typ::AccessToken);
    assert_eq!(outcome.err(), Some(JoseError::Malformed));
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn any_changed_character_is_refused() {
    let text = signed(&json!({ "alg": "EdDSA", "typ": "at+jwt" }), r#"{"sub":"somebody"}"#);
    let verify = |text: &str| {
        Compact::parse(text).and_then(|compact| compact.verify(signer().public(), Typ::AccessToken))
    };
    assert!(verify(&text).is_ok());
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(verify(std::str::from_utf8(&changed).unwrap()).is_err(), "{at}");
    }
    for changed in [format!("{text}="), format!("{text}."), format!(" {text}"), format!("{text}A")]
    {
        assert!(verify(&changed).is_err(), "{changed}");
    }
}

#[test]
fn what_is_too_long_is_refused_unread() {
    let long = json!({ "a": "x".repeat(MAX_JWS_BYTES) }).to_string();
    let text = signed(&json!({ "alg": "EdDSA", "typ": "at+jwt" }), &long);
    assert_eq!(Compact::parse(&text).err(), Some(JoseError::Malformed));
}
