use super::super::testing::{CLIENT, ISSUER, NOW, at};
use super::*;
use crate::oauth::jose::Compact;
use crate::oauth::json::Members;
use crate::oauth::testing::signer;
use serde_json::Value;

fn asked(acr: &[String]) -> Asked<'_> {
    let max_age = Span::from_secs(900);
    Asked { client_id: CLIENT, redirect_uri: "https://desk.example/back", acr, max_age }
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(it, _)| *it == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_login_asks_for_who_it_is_and_proves_the_code_by_what_it_kept() {
    let flow = Flow::new(&[[1; 32], [2; 32], [3; 32]]);
    let acr = ["phr".to_owned(), "urn:x y".to_owned()];
    let fields = flow.ask(&asked(&acr));
    assert_eq!(field(&fields, "scope"), Some("openid"));
    assert_eq!(field(&fields, "max_age"), Some("900"));
    assert_eq!(field(&fields, "acr_values"), Some("phr urn:x y"));
    assert_eq!(field(&flow.ask(&asked(&[])), "acr_values"), None);
    let redeem = flow.redeem(&asked(&acr), "the code");
    let verifier = field(&redeem, "code_verifier").unwrap();
    let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
    assert_eq!(field(&fields, "code_challenge"), Some(challenge.as_str()));
    assert_eq!(field(&fields, "code_challenge_method"), Some("S256"));
    let mut secrets = vec![flow.state.expose(), flow.nonce.expose(), verifier];
    secrets.dedup();
    assert_eq!(secrets.len(), 3);
    assert!(field(&fields, "code_verifier").is_none());
    assert!(!format!("{flow:?}").contains(verifier));
}

#[test]
fn fields_are_spelt_so_that_none_becomes_two() {
    let fields = vec![("a", "x y&b=c+ü/".to_owned()), ("d", "-._~".to_owned())];
    assert_eq!(form(&fields), "a=x%20y%26b%3Dc%2B%C3%BC%2F&d=-._~");
}

#[test]
fn an_assertion_is_for_the_issuer_alone_and_soon_over() {
    let key = signer(7);
    let fields = client_assertion(&key, CLIENT, ISSUER, &[5; 32], at(NOW)).unwrap();
    let text = field(&fields, "client_assertion").unwrap();
    let compact = Compact::parse(text).unwrap();
    let claims = compact.verify(key.public(), Typ::ClientAssertion).unwrap();
    assert_eq!((claims.text("iss"), claims.text("sub")), (Some(CLIENT), Some(CLIENT)));
    assert_eq!(claims.get("aud"), Some(&Value::from(ISSUER)));
    assert_eq!(claims.get("exp"), Some(&Value::from(NOW + 60)));
    assert!(claims.text("jti").is_some_and(|id| id.len() == 43));
}
