use super::*;
use crate::oauth::jose::SigningKey;
use serde_json::{Value, json};
use tidegate_types::secret::Secret;

const NOW: u64 = 1_000_000;
const URI: &str = "https://desk.example/oauth/token";
const TOKEN: &str = "a.b.c";

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn signer(byte: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![byte; 32])).unwrap()
}

fn proofs(nonce_needed: bool) -> Proofs {
    let nonces = Nonces::new(&Secret::new(vec![1; 32]));
    Proofs::new(Once::new(100, at(0)), nonces, nonce_needed)
}

fn claims() -> Value {
    json!({ "jti": "1", "htm": "POST", "htu": URI, "iat": NOW, "ath": ath(TOKEN) })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn check_text(proofs: &mut Proofs, texts: &[&str], now: u64) -> Result<Proven, ErrorCode> {
    let request = Request { method: "POST", uri: URI, proofs: texts, token: Some(TOKEN) };
    let proven = proofs.verify(&request, at(now)).map_err(|error| error.code)?;
    proofs.admit(&proven, "app", at(now)).map_err(|error| error.code)?;
    Ok(proven)
}

fn check(claims: &Value) -> Result<Proven, ErrorCode> {
    check_text(&mut proofs(false), &[&signer(7).prove(claims).unwrap()], NOW)
}

const BAD: Result<Proven, ErrorCode> = Err(ErrorCode::InvalidDpopProof);

#[test]
fn a_good_proof_names_its_key() {
    assert_eq!(check(&claims()).unwrap().jkt, signer(7).public().thumbprint());
}

#[test]
fn an_rsa_key_of_a_proof_is_as_long_as_the_desk_asks() {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    for (size, bits) in [(KeySize::Rsa2048, 2048), (KeySize::Rsa3072, 3072)] {
        let pair = KeyPair::generate(size).unwrap();
        let der: Pkcs8V1Der<'_> = AsDer::as_der(&pair).unwrap();
        let private = Secret::new(der.as_ref().to_vec());
        let signer = SigningKey::from_pkcs8(Alg::Ps256, &private).unwrap();
        let proof = signer.prove(&claims()).unwrap();
        let asked = |mut proofs: Proofs| check_text(&mut proofs, &[&proof], NOW).is_ok();
        assert_eq!(asked(proofs(false)), bits >= 3072);
        assert!(asked(proofs(false).taking(RsaBits::FEWEST)));
    }
}

#[test]
fn dp_01_exactly_one_header() {
    let proof = signer(7).prove(&claims()).unwrap();
    assert_eq!(check_text(&mut proofs(false), &[], NOW), BAD);
    assert_eq!(check_text(&mut proofs(false), &[&proof, &proof], NOW), BAD);
}

#[test]
fn dp_02_one_well_formed_jwt() {
    let proof = signer(7).prove(&claims()).unwrap();
    let two = format!("{proof},{proof}");
    for text in ["", "garbage", "a.b.c", "..", &two, &proof[..proof.len() - 1]] {
        assert_eq!(check_text(&mut proofs(false), &[text], NOW), BAD, "{text}");
    }
}

#[test]
fn dp_03_every_claim_is_needed() {
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        assert_eq!(check(&without(name)), BAD, "{name}");
        assert_eq!(check(&with(name, Value::Null)), BAD, "{name}");
        assert_eq!(check(&with(name, json!(["x"]))), BAD, "{name}");
    }
    assert_eq!(check(&with("jti", json!(""))), BAD);
    assert_eq!(check(&with("jti", json!("x".repeat(129)))), BAD);
}

fn check_header(change: impl Fn(&mut Value)) -> Result<Proven, ErrorCode> {
    let mut header =
        json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": signer(7).public().to_json() });
    change(&mut header);
    let text = signer(7).sign_with(&header, claims().to_string().as_bytes()).unwrap();
    check_text(&mut proofs(false), &[&text], NOW)
}

#[test]
fn dp_04_05_07_the_header() {
    assert!(check_header(|_| ()).is_ok());
    for typ in [json!("JWT"), json!("at+jwt"), json!("dpop+JWT"), Value::Null] {
        assert_eq!(check_header(|h| h["typ"] = typ.clone()), BAD, "{typ}");
    }
    for alg in ["none", "HS256", "RS256", "ES256"] {
        assert_eq!(check_header(|h| h["alg"] = alg.into()), BAD, "{alg}");
    }
    assert_eq!(check_header(|h| h["jwk"]["d"] = "AAAA".into()), BAD);
    assert_eq!(check_header(|h| h["jwk"] = Value::Null), BAD);
    assert_eq!(check_header(|h| h["crit"] = json!(["exp"])), BAD);
}

#[test]
fn dp_06_the_signature_is_by_the_key_of_the_header() {
    assert_eq!(check_header(|h| h["jwk"] = signer(8).public().to_json()), BAD);
    // A key that is kept ready is no less checked.
    let mut proofs = proofs(false);
    let proof = signer(7).prove(&claims()).unwrap();
    assert!(check_text(&mut proofs, &[&proof], NOW).is_ok());
    let other = signer(7).prove(&with("jti", json!("2"))).unwrap();
    let (signed, _) = other.rsplit_once('.').unwrap();
    let (_, signature) = proof.rsplit_once('.').unwrap();
    assert_eq!(check_text(&mut proofs, &[&format!("{signed}.{signature}")], NOW), BAD);
    assert!(check_text(&mut proofs, &[&other], NOW).is_ok());
}

#[test]
fn dp_08_the_method_is_compared_with_its_case() {
    for method in ["post", "GET", "POST "] {
        assert_eq!(check(&with("htm", json!(method))), BAD, "{method}");
    }
}

#[test]
fn dp_09_the_address() {
    assert!(check(&with("htu", json!("HTTPS://DESK.example:443/oauth/token?x"))).is_ok());
    for uri in
        ["https://desk.example/oauth/par", "https://evil.example/oauth/token", "/oauth/token"]
    {
        assert_eq!(check(&with("htu", json!(uri))), BAD, "{uri}");
    }
}

#[test]
fn dp_10_19_20_nonces_are_ours_and_overlap() {
    let mut proofs = proofs(true);
    let ask = Err(ErrorCode::UseDpopNonce);
    let period = NONCE_SECONDS;
    let start = NOW - NOW % period;
    let try_at = |proofs: &mut Proofs, nonce: &str, now: u64| {
        let mut claims = with("nonce", json!(nonce));
        (claims["iat"], claims["jti"]) = (json!(now), json!(format!("{nonce}{now}")));
        check_text(proofs, &[&signer(7).prove(&claims).unwrap()], now)
    };
    let proof = signer(7).prove(&claims()).unwrap();
    assert_eq!(check_text(&mut proofs, &[&proof], NOW), ask);
    let nonce = proofs.nonce(at(start));
    assert!(nonce.len() >= 22);
    assert!(try_at(&mut proofs, &nonce, start).is_ok());
    assert!(try_at(&mut proofs, &nonce, start + 2 * period - 1).is_ok());
    assert_eq!(try_at(&mut proofs, &nonce, start + 2 * period), ask);
    assert_eq!(try_at(&mut proofs, "made up", start), ask);
    let foreign = Nonces::new(&Secret::new(vec![2; 32])).current(at(start));
    assert_eq!(try_at(&mut proofs, &foreign, start), ask);
    assert_ne!(proofs.nonce(at(start)), proofs.nonce(at(start + period)));
}

const NONCE_SECONDS: u64 = nonces::NONCE_PERIOD.millis() / 1000;

#[test]
fn dp_11_fp_a13_the_window() {
    for (iat, taken) in [
        (NOW + 10, true),
        (NOW - 10, true),
        (NOW - 60, true),
        (NOW + 61, false),
        (NOW - 61, false),
        (NOW - 3600, false),
        (NOW + 3600, false),
    ] {
        assert_eq!(check(&with("iat", json!(iat))).is_ok(), taken, "{iat}");
    }
    assert!(check(&with("nbf", json!(NOW + 8))).is_ok());
    assert_eq!(check(&with("nbf", json!(NOW + 61))), BAD);
    assert_eq!(check(&with("exp", json!(NOW))), BAD);
    assert!(check(&with("exp", json!(NOW + 1))).is_ok());
    assert_eq!(check(&with("exp", json!("soon"))), BAD);
}

#[test]
fn dp_12_the_proof_is_for_the_token() {
    assert_eq!(check(&with("ath", json!(ath("other")))), BAD);
    // RFC 9449 §7: the example's value.
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    assert_eq!(ath(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

#[test]
fn dp_22_a_proof_is_good_once() {
    let mut proofs = proofs(false);
    let proof = signer(7).prove(&claims()).unwrap();
    assert!(check_text(&mut proofs, &[&proof], NOW).is_ok());
    assert_eq!(check_text(&mut proofs, &[&proof], NOW + 1), BAD);
    // Another key may use the same identifier.
    assert!(check_text(&mut proofs, &[&signer(8).prove(&claims()).unwrap()], NOW).is_ok());
    // A refused proof is not remembered: it takes no room.
    assert_eq!(proofs.seen().len(), 2);
}

#[test]
fn a_memory_that_is_full_refuses() {
    let nonces = Nonces::new(&Secret::new(vec![1; 32]));
    let mut proofs = Proofs::new(Once::new(0, at(0)), nonces, false);
    let proof = signer(7).prove(&claims()).unwrap();
    let full = Err(ErrorCode::TemporarilyUnavailable);
    assert_eq!(check_text(&mut proofs, &[&proof], NOW), full);
}

#[test]
fn nothing_secret_is_shown() {
    assert_eq!(format!("{:?}", Nonces::new(&Secret::new(vec![1; 32]))), "Nonces([secret])");
}
