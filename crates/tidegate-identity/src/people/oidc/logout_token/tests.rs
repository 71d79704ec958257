use super::super::testing::{CLIENT, ISSUER, NOW, at, keys, typed, with};
use super::*;
use serde_json::{Value, json};

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "a", "jti": "one", "iat": NOW, "exp": NOW + 120,
        "events": { EVENT: {} },
    })
}

fn verify(typ: Option<&str>, changes: Value) -> Result<LoggedOut, OidcError> {
    LoggedOut::verify(&typed(typ, &with(&claims(), &changes)), &keys(), ISSUER, CLIENT, at(NOW))
}

#[test]
fn a_logout_says_who_and_counts_once() {
    let mut seen = SeenLogouts::new(at(NOW - 10));
    let types = ["logout+jwt", "application/logout+jwt", "Logout+JWT"];
    for (number, typ) in types.into_iter().enumerate() {
        let read = verify(Some(typ), json!({ "jti": format!("{number}") })).unwrap();
        assert_eq!(read.identity.subject, "a");
        assert_eq!(seen.admit(&read, at(NOW)), Ok(()));
        assert_eq!(seen.admit(&read, at(NOW + 1)), Err(OidcError::Repeated));
    }
    let before = verify(Some("logout+jwt"), json!({"iat": NOW - 20})).unwrap();
    assert_eq!(seen.admit(&before, at(NOW)), Err(OidcError::Repeated));
}

#[test]
fn each_claim_that_is_wrong_or_missing_is_refused_for_what_it_is() {
    use OidcError as E;
    let table = [
        (json!({"iss": "https://evil.example"}), E::Issuer),
        (json!({"aud": "another"}), E::Audience),
        (json!({"exp": NOW - 60}), E::Expired),
        (json!({"exp": null}), E::Expired),
        (json!({"iat": NOW - 181}), E::IssuedAt),
        (json!({"iat": null}), E::IssuedAt),
        (json!({"events": null}), E::Event),
        (json!({"events": {}}), E::Event),
        (json!({"events": { EVENT: "yes" }}), E::Event),
        (json!({"nonce": "n"}), E::Event),
        (json!({"jti": null}), E::Repeated),
        (json!({"sub": null, "sid": "s"}), E::Subject),
    ];
    for (changes, error) in table {
        assert_eq!(verify(Some("logout+jwt"), changes.clone()), Err(error), "{changes}");
    }
    for typ in [None, Some("JWT"), Some("at+jwt")] {
        assert_eq!(verify(typ, json!({})), Err(E::Type), "{typ:?}");
    }
}
