use super::super::testing::{ISSUER, with};
use super::*;
use serde_json::{Value, json};

fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.example/auth?tenant=a",
        "token_endpoint": "https://login.example/token",
        "jwks_uri": "https://login.example/jwks",
        "response_types_supported": ["code", "id_token"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn read(changes: &Value, origins: &[&str]) -> Result<Metadata, OidcError> {
    let origins: Vec<String> = origins.iter().map(|it| (*it).to_owned()).collect();
    Metadata::read(ISSUER, &origins, with(&document(), changes).to_string().as_bytes())
}

#[test]
fn a_provider_is_who_it_says_and_names_its_own_endpoints() {
    let read_ = read(&json!({}), &[]).unwrap();
    assert_eq!(read_.token, "https://login.example/token");
    assert!(read_.pushed.is_none() && read_.names_itself);
    for issuer in ["https://login.example/", "https://other.example", ""] {
        assert!(read(&json!({ "issuer": issuer }), &[]).is_err(), "{issuer}");
    }
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert!(read(&json!({ name: null }), &[]).is_err(), "{name}");
    }
    assert!(Metadata::read(ISSUER, &[], b"[]").is_err());
}

#[test]
fn an_endpoint_elsewhere_is_refused_unless_its_origin_is_listed() {
    for url in [
        "https://169.254.169.254/latest",
        "https://login.example:444/token",
        "http://login.example/token",
        "https://login.example@evil.example/token",
        "https://login.example\\@evil.example/token",
        "https://login.example/token#x",
        "https://login.example.evil.example/token",
        "file:///etc/passwd",
        "//login.example/token",
        "token",
        "",
    ] {
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "pushed_authorization_request_endpoint",
        ] {
            assert!(read(&json!({ name: url }), &[]).is_err(), "{name}: {url}");
        }
    }
    let elsewhere = json!({"token_endpoint": "https://api.example:8443/token"});
    assert!(read(&elsewhere, &["https://api.example"]).is_err());
    assert!(read(&elsewhere, &["https://api.example:8443"]).is_ok());
    assert!(read(&json!({"token_endpoint": 7}), &[]).is_err());
}

#[test]
fn what_a_provider_says_it_cannot_do_is_not_tried() {
    for changes in [
        json!({"response_types_supported": ["id_token"]}),
        json!({"code_challenge_methods_supported": ["plain"]}),
        json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}),
        json!({"token_endpoint_auth_signing_alg_values_supported": ["RS256"]}),
    ] {
        assert!(read(&changes, &[]).is_err(), "{changes}");
    }
}

#[test]
fn an_answer_of_another_issuer_is_refused() {
    let strict = read(&json!({}), &[]).unwrap();
    assert_eq!(strict.answered(Some(ISSUER)), Ok(()));
    assert_eq!(strict.answered(Some("https://evil.example")), Err(OidcError::OtherIssuer));
    assert_eq!(strict.answered(None), Err(OidcError::OtherIssuer));
    let silent = json!({"authorization_response_iss_parameter_supported": null});
    let silent = read(&silent, &[]).unwrap();
    assert_eq!(silent.answered(None), Ok(()));
    assert_eq!(silent.answered(Some("https://evil.example")), Err(OidcError::OtherIssuer));
}

#[test]
fn the_address_of_the_metadata_is_below_the_issuer() {
    let expected = "https://login.example/tenant/.well-known/openid-configuration";
    assert_eq!(address("https://login.example/tenant"), expected);
    assert_eq!(address("https://login.example/tenant/"), expected);
}
