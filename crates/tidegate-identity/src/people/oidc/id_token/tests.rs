use super::super::testing::{CLIENT, ISSUER, NOW, at, by, keys, signed, typed, with};
use super::*;
use crate::oauth::testing::signer;
use crate::people::{Assurance, Level};
use serde_json::{Value, json};
use tidegate_types::codec::{from_bytes, to_bytes};

const NONCE: &str = "n-0S6_WzA2Mj";

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "248289761001", "nonce": NONCE,
        "iat": NOW, "exp": NOW + 300, "auth_time": NOW - 60,
        "acr": "mfa", "amr": ["pwd", "otp"],
    })
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        client_id: CLIENT,
        nonce: NONCE,
        max_age: Span::from_secs(900),
        acr: &[],
        amr: &[],
    }
}

fn verify(changes: Value) -> Result<Login, OidcError> {
    Login::verify(&signed(&with(&claims(), &changes)), &keys(), &expected(), at(NOW))
}

#[test]
fn a_token_as_it_should_be_says_who_logged_in_and_how() {
    let login = verify(json!({})).unwrap();
    assert_eq!(login.identity.subject, "248289761001");
    assert_eq!(login.identity.issuer, ISSUER);
    assert_eq!((login.at, login.acr.as_deref()), (at(NOW - 60), Some("mfa")));
    assert_eq!(login.amr, ["pwd", "otp"]);
    assert_eq!(from_bytes::<Login>(&to_bytes(&login)), Ok(login));
    assert!(verify(json!({"aud": [CLIENT], "azp": CLIENT})).is_ok());
    let untyped = Login::verify(&typed(None, &claims()), &keys(), &expected(), at(NOW));
    assert!(untyped.is_ok());
}

#[test]
fn each_claim_that_is_wrong_or_missing_is_refused_for_what_it_is() {
    use OidcError as E;
    let long = "x".repeat(256);
    let table = [
        (json!({"iss": null}), E::Issuer),
        (json!({"iss": "https://login.example/"}), E::Issuer),
        (json!({"iss": "https://evil.example"}), E::Issuer),
        (json!({"aud": null}), E::Audience),
        (json!({"aud": "another"}), E::Audience),
        (json!({"aud": []}), E::Audience),
        (json!({"aud": [CLIENT, "another"]}), E::Audience),
        (json!({"azp": "another"}), E::AuthorizedParty),
        (json!({"exp": null}), E::Expired),
        (json!({"exp": "never"}), E::Expired),
        (json!({"exp": NOW - 60}), E::Expired),
        (json!({"nbf": NOW + 61}), E::NotYet),
        (json!({"nbf": "soon"}), E::NotYet),
        (json!({"iat": NOW + 61}), E::NotYet),
        (json!({"iat": null}), E::IssuedAt),
        (json!({"iat": NOW - 361}), E::IssuedAt),
        (json!({"nonce": null}), E::Nonce),
        (json!({"nonce": ""}), E::Nonce),
        (json!({"nonce": "n-0S6_WzA2Mk"}), E::Nonce),
        (json!({"auth_time": null}), E::AuthTime),
        (json!({"auth_time": "yesterday"}), E::AuthTime),
        (json!({"auth_time": NOW + 61}), E::AuthTime),
        (json!({"auth_time": NOW - 961}), E::TooOld),
        (json!({"acr": 2}), E::Acr),
        (json!({"acr": long}), E::Acr),
        (json!({"amr": "pwd"}), E::Amr),
        (json!({"amr": [1]}), E::Amr),
        (json!({"sub": null}), E::Subject),
        (json!({"sub": ""}), E::Subject),
        (json!({"sub": 7}), E::Subject),
        (json!({"sub": long}), E::Subject),
        (json!({"sub": "jürgen"}), E::Subject),
    ];
    for (changes, error) in table {
        assert_eq!(verify(changes.clone()), Err(error), "{changes}");
    }
}

#[test]
fn clocks_may_differ_by_a_minute() {
    for changes in [
        json!({"exp": NOW - 59}),
        json!({"iat": NOW + 60}),
        json!({"iat": NOW - 360}),
        json!({"auth_time": NOW - 960}),
    ] {
        assert!(verify(changes.clone()).is_ok(), "{changes}");
    }
    // What is said to be in the future is of now, so that it lasts no longer.
    assert_eq!(verify(json!({"auth_time": NOW + 30})).unwrap().at, at(NOW));
}

#[test]
fn tokens_of_other_types_and_signers_are_refused() {
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "application/at+jwt", ""] {
        let text = typed(Some(typ), &claims());
        let read = Login::verify(&text, &keys(), &expected(), at(NOW));
        assert_eq!(read, Err(OidcError::Type), "{typ}");
    }
    let stranger = by(&signer(9), None, &claims());
    let read = Login::verify(&stranger, &keys(), &expected(), at(NOW));
    assert_eq!(read, Err(OidcError::NoKey));
}

#[test]
fn a_required_kind_and_required_methods_must_be_said() {
    let acr = ["phr".to_owned(), "mfa".to_owned()];
    let amr = ["otp".to_owned()];
    let read = |changes: Value, expected: &Expected<'_>| {
        Login::verify(&signed(&with(&claims(), &changes)), &keys(), expected, at(NOW)).err()
    };
    let kinds = Expected { acr: &acr, ..expected() };
    assert_eq!(read(json!({}), &kinds), None);
    assert_eq!(read(json!({"acr": "pwd"}), &kinds), Some(OidcError::Acr));
    assert_eq!(read(json!({"acr": null}), &kinds), Some(OidcError::Acr));
    let methods = Expected { amr: &amr, ..expected() };
    assert_eq!(read(json!({}), &methods), None);
    assert_eq!(read(json!({"amr": ["pwd"]}), &methods), Some(OidcError::Amr));
    assert_eq!(read(json!({"amr": null}), &methods), Some(OidcError::Amr));
}

#[test]
fn a_login_is_worth_what_the_desk_trusts_the_provider_with() {
    let words = |all: &[&str]| -> Vec<String> { all.iter().map(|it| (*it).to_owned()).collect() };
    let login = verify(json!({"acr": "phr", "amr": ["hwk", "mfa"]})).unwrap();
    let resists = |trust: &Trust| {
        let assurance = Assurance::new(trust.shown(&login));
        let fresh = assurance.phishing_resistant_within(Span::from_secs(60), at(NOW));
        assert!(
            !assurance.passkey_within(Span::from_secs(60), at(NOW)),
            "no provider's word is one"
        );
        (assurance.level(), fresh)
    };
    assert_eq!(resists(&Trust::default()), (Level::One, false));
    let two = Trust { two_factor_amr: words(&["mfa"]), ..Trust::default() };
    assert_eq!(resists(&two), (Level::Two, false));
    let two = Trust { two_factor_acr: words(&["phr"]), ..Trust::default() };
    assert_eq!(resists(&two), (Level::Two, false));
    // Resisting phishing is no second factor.
    let resistant = Trust { phishing_resistant_acr: words(&["phr"]), ..Trust::default() };
    assert_eq!(resists(&resistant), (Level::One, false));
    let both = Trust { phishing_resistant_amr: words(&["hwk"]), ..two };
    assert_eq!(resists(&both), (Level::Two, true));
    let other = Trust { two_factor_acr: words(&["mfa"]), ..Trust::default() };
    assert_eq!(resists(&other), (Level::One, false));
}
