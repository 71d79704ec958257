use super::*;
use crate::oauth::event::Event;
use crate::oauth::testing::*;
use serde_json::json;
use tidegate_types::ids::PersonName;

/// What the app asks, as a request object has it.
fn claims() -> Value {
    json!({
        "iss": "app", "client_id": "app", "aud": ISSUER, "nbf": NOW, "exp": NOW + 300,
        "response_type": "code", "redirect_uri": CALLBACK, "code_challenge": CHALLENGE,
        "code_challenge_method": "S256", "state": "inside", "max_age": 300,
        "authorization_details": details("1000"),
    })
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

/// `claims` signed by the key of `byte`.
fn signed(byte: u8, claims: &Value) -> String {
    signer(byte).sign(Typ::RequestObject, claims).unwrap()
}

fn push(desk: &mut Desk, text: &str) -> Result<String, ErrorCode> {
    let pushed = desk.push(&[("request", text)], None, NOW)?;
    Ok(pushed["request_uri"].as_str().unwrap().to_owned())
}

#[test]
fn ms_1_what_a_client_signed_is_what_a_person_is_asked() {
    let mut desk = Desk::new();
    let uri = push(&mut desk, &signed(1, &claims())).unwrap();
    let query = format!("client_id=app&request_uri={uri}");
    let view = desk.authority.ask(query.as_bytes(), at(NOW)).unwrap();
    assert_eq!((view.details, view.max_age), (trading("1000"), Some(Span::from_secs(300))));
    let redirect = desk.approve(&uri, NOW + 5);
    assert_eq!(param(&redirect, "state").as_deref(), Some("inside"));
    let code = param(&redirect, "code").unwrap();
    assert!(desk.token("app", 1, &code_fields(&code), NOW + 6).is_ok());
}

#[test]
fn ms_2_what_stands_beside_an_object_does_not_count() {
    let mut desk = Desk::new();
    let asked = details("900").to_string();
    let mut fields = par_fields(&asked);
    let text = signed(1, &claims());
    fields.push(("request", &text));
    let pushed = desk.push(&fields, None, NOW).unwrap();
    let uri = pushed["request_uri"].as_str().unwrap();
    let query = format!("client_id=app&request_uri={uri}");
    let view = desk.authority.ask(query.as_bytes(), at(NOW)).unwrap();
    assert_eq!(view.details, trading("1000"));
    assert_eq!(param(&desk.approve(uri, NOW), "state").as_deref(), Some("inside"));
    // What is missing inside is missing, and what is wrong inside is wrong.
    for (claims, code) in [
        (without("redirect_uri"), ErrorCode::InvalidRequest),
        (without("code_challenge"), ErrorCode::InvalidRequest),
        (without("response_type"), ErrorCode::InvalidRequest),
        (without("authorization_details"), ErrorCode::InvalidAuthorizationDetails),
        (with("state", Value::Null), ErrorCode::InvalidRequest),
        (with("redirect_uri", json!("https://evil.example")), ErrorCode::InvalidRequest),
        (with("resource", json!("https://elsewhere.example")), ErrorCode::InvalidTarget),
    ] {
        let text = signed(1, &claims);
        let mut fields = par_fields(&asked);
        fields.push(("request", &text));
        let outcome = desk.push(&fields, None, NOW);
        // A state is not needed; the one outside is not taken for it.
        if claims["state"].is_null() {
            let uri = outcome.unwrap()["request_uri"].as_str().unwrap().to_owned();
            assert_eq!(param(&desk.approve(&uri, NOW), "state"), None);
        } else {
            assert_eq!(outcome.err(), Some(code), "{claims}");
        }
    }
}

#[test]
fn ms_1_by_whom_for_whom_and_for_how_long() {
    let hour = 3600;
    for good in [
        with("aud", json!(["https://other.example", ISSUER])),
        with("nbf", json!(NOW + 8)),
        with("nbf", json!(NOW + 300 - hour)),
        with("exp", json!(NOW + hour)),
        with("jti", json!("one")),
    ] {
        assert!(push(&mut Desk::new(), &signed(1, &good)).is_ok(), "{good}");
    }
    for bad in [
        without("iss"),
        with("iss", json!("bot")),
        without("client_id"),
        with("client_id", json!("bot")),
        without("aud"),
        with("aud", json!("https://other.example")),
        with("aud", json!([format!("{ISSUER}/oauth/par")])),
        without("nbf"),
        with("nbf", json!(NOW + 16)),
        with("nbf", json!(NOW + 299 - hour)),
        with("nbf", json!("now")),
        without("exp"),
        with("exp", json!(NOW)),
        with("exp", json!(NOW + hour + 1)),
        with("request", json!("a.b.c")),
        with("request_uri", json!("urn:ietf:params:oauth:request_uri:x")),
    ] {
        let outcome = push(&mut Desk::new(), &signed(1, &bad));
        assert_eq!(outcome, Err(ErrorCode::InvalidRequestObject), "{bad}");
    }
}

#[test]
fn ms_1_by_a_registered_key_and_of_its_own_type() {
    let claims = claims();
    let by = |header: Value| signer(1).sign_with(&header, claims.to_string().as_bytes()).unwrap();
    let typ = Typ::RequestObject.name();
    let good = by(json!({ "alg": "EdDSA", "typ": typ }));
    assert!(push(&mut Desk::new(), &good).is_ok());
    assert!(
        push(
            &mut Desk::new(),
            &by(json!({ "alg": "Ed25519", "typ": format!("application/{typ}") }))
        )
        .is_ok()
    );
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    for bad in [
        signed(2, &claims),
        format!("{unsigned}."),
        format!("{unsigned}.{}", "A".repeat(86)),
        by(json!({ "alg": "none", "typ": typ })),
        by(json!({ "alg": "RS256", "typ": typ })),
        by(json!({ "alg": "EdDSA", "typ": typ, "crit": ["b64"] })),
        by(json!({ "alg": "EdDSA", "typ": "JWT" })),
        by(json!({ "alg": "EdDSA" })),
        "text".to_owned(),
    ] {
        let outcome = push(&mut Desk::new(), &bad);
        assert_eq!(outcome, Err(ErrorCode::InvalidRequestObject), "{bad}");
    }
    let mut desk = Desk::new();
    let by = PersonName::new("ada").unwrap();
    desk.authority.apply(&Event::KeyRevoked { key: jkt(1), by });
    // The app itself proves who it is by the same key.
    assert_eq!(push(&mut desk, &good), Err(ErrorCode::InvalidClient));
}

#[test]
fn ms_1_who_is_registered_to_sign_must() {
    let mut desk = Desk::new();
    let mut terms = terms("app", 1);
    terms.signs_requests = true;
    desk.authority.apply(&Event::ClientRegistered { terms });
    let outcome = desk.push(&par_fields(&details("1000").to_string()), None, NOW);
    assert_eq!(outcome.err(), Some(ErrorCode::InvalidRequest));
    assert!(push(&mut desk, &signed(1, &claims())).is_ok());
    // Nothing is fetched.
    let text = signed(1, &claims());
    let fields = [("request", text.as_str()), ("request_uri", "https://app.example/request")];
    assert_eq!(desk.push(&fields, None, NOW).err(), Some(ErrorCode::InvalidRequest), "PAR-2");
}
