//! What apps and browsers send: forms, rights, proofs, assertions, passkeys, signed messages.

use super::world::{self, NOW};
use serde_json::Value;
use tidegate_identity::RsaBits;
use tidegate_identity::message_signature::{Signed, presented};
use tidegate_identity::oauth::authority::{Authority, Call, Config};
use tidegate_identity::oauth::client::authenticate::authenticate;
use tidegate_identity::oauth::client::{Binding, ClientId, Credentials, GrantType, Method, Terms};
use tidegate_identity::oauth::details::{self, show};
use tidegate_identity::oauth::dpop::nonces::Nonces;
use tidegate_identity::oauth::dpop::{Proofs, Request};
use tidegate_identity::oauth::event::{Event, State};
use tidegate_identity::oauth::jose::jws::Typ;
use tidegate_identity::oauth::jose::{Keys, SigningKey};
use tidegate_identity::oauth::once::Once;
use tidegate_identity::oauth::params::Params;
use tidegate_identity::people::passkey::{MAX_CREDENTIAL_ID, register};
use tidegate_identity::people::{Challenge, PersonHandle, Purpose, Registration, RelyingParty};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};

const ISSUER: &str = "https://desk.example";
const TOKEN: &str = "https://desk.example/oauth/token";

/// Forms, as the endpoints take them.
pub(super) fn form(data: &[u8]) {
    let Ok(params) = Params::parse(data) else { return };
    let known = ["client_id", "client_assertion", "token", "scope"];
    let named = known.iter().filter_map(|name| params.get(name));
    assert!(named.clone().all(|value| !value.is_empty()), "empty is absent");
    // Nobody is registered: nobody is anybody.
    let mut seen = Once::new(16, Time::default());
    let nobody = State::default();
    let shown = Credentials::default();
    let by = (ISSUER, RsaBits::DEFAULT);
    assert!(authenticate(&nobody, by, &mut seen, &params, shown, NOW).is_err());
}

/// `authorization_details`: what is read is written so that it is read alike.
pub(super) fn rights(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(items) = details::parse(text) else { return };
    let shown = show::to_value(&items).to_string();
    assert_eq!(details::parse(&shown).as_ref(), Ok(&items), "{shown}");
    assert!(details::all_within(&items, &items), "what is the same is within: {shown}");
}

/// DPoP proofs: as they are, and claims signed by a good key.
pub(super) fn proof(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let signed = claims(text).and_then(|claims| key()?.prove(&claims).ok());
    let text = signed.as_deref().unwrap_or(text);
    let nonces = Nonces::new(&Secret::new(vec![7; 32]));
    let mut proofs = Proofs::new(Once::new(16, Time::default()), nonces, false);
    let shown = [text];
    let request = Request { method: "POST", uri: TOKEN, proofs: &shown, token: None };
    let check = |proofs: &mut Proofs, request: &Request<'_>| {
        let proven = proofs.verify(request, NOW)?;
        proofs.admit(&proven, "app", NOW)
    };
    let first = check(&mut proofs, &request);
    assert!(first.is_err() || signed.is_some(), "nobody signed it: {text}");
    assert!(first.is_err() || check(&mut proofs, &request).is_err(), "taken twice: {text}");
    let elsewhere = Request { uri: "https://desk.example/oauth/par", ..request };
    let mut others =
        Proofs::new(Once::new(16, Time::default()), Nonces::new(&Secret::new(vec![7; 32])), false);
    assert!(first.is_err() || check(&mut others, &elsewhere).is_err(), "good elsewhere: {text}");
}

/// Assertions of clients: as they are, and claims signed by the client's key.
pub(super) fn assertion(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (Some(key), Some(clients)) = (key(), clients()) else { return };
    let signed = claims(text).and_then(|claims| key.sign(Typ::ClientAssertion, &claims).ok());
    let shown = signed.as_deref().unwrap_or(text);
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let form = format!("client_assertion_type={kind}&client_assertion={shown}");
    let Ok(params) = Params::parse(form.as_bytes()) else { return };
    let mut seen = Once::new(16, Time::default());
    let mut ask = |issuer| {
        let by = (issuer, RsaBits::DEFAULT);
        authenticate(&clients, by, &mut seen, &params, Credentials::default(), NOW).is_ok()
    };
    let elsewhere = ask("https://other.example");
    let first = ask(ISSUER);
    assert!(!first || signed.is_some(), "nobody signed it: {shown}");
    assert!(!(first && elsewhere), "good for two servers: {text}");
    assert!(!(first && ask(ISSUER)), "taken twice: {text}");
}

/// Request objects of clients, pushed: as they are, and claims signed by the client's key. What a person is
/// asked is what was signed, and nothing that was sent beside it.
pub(super) fn request_object(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (Some(key), Some(mut server)) = (key(), authority()) else { return };
    let claims = claims(text);
    let signed = claims.as_ref().and_then(|claims| key.sign(Typ::RequestObject, claims).ok());
    let request = signed.as_deref().unwrap_or(text);
    let own = serde_json::json!({
        "iss": "ann", "sub": "ann", "aud": ISSUER, "jti": "1", "exp": NOW.millis() / 1000 + 60,
    });
    let Ok(assertion) = key.sign(Typ::ClientAssertion, &own) else { return };
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let form = format!(
        "client_assertion_type={kind}&client_assertion={assertion}\
         &redirect_uri=https%3A%2F%2Fbeside.example&request={request}"
    );
    let call = Call {
        uri: "https://desk.example/oauth/par",
        form: form.as_bytes(),
        credentials: Credentials::default(),
        proofs: &[],
    };
    let Ok(pushed) = server.push(&call, &[5; 64], NOW) else { return };
    assert!(signed.is_some(), "nobody signed it: {text}");
    let Some(claims) = claims else { return };
    let uri = pushed.get("request_uri").and_then(Value::as_str).unwrap_or_default();
    let view = server.ask(format!("client_id=ann&request_uri={uri}").as_bytes(), NOW);
    let asked = view.as_ref().map(|view| view.redirect_uri.as_str()).ok();
    assert_eq!(asked, claims.get("redirect_uri").and_then(Value::as_str), "{text}");
}

/// A server that knows the one client.
fn authority() -> Option<Authority> {
    let config = Config {
        issuer: ISSUER.to_owned(),
        resource: ISSUER.to_owned(),
        token_lifetime: Span::from_secs(600),
        grant_lifetime: Span::from_secs(600),
        mutual_tls: false,
        rsa: RsaBits::DEFAULT,
    };
    let seen = || Once::new(16, Time::default());
    let proofs = Proofs::new(seen(), Nonces::new(&Secret::new(vec![7; 32])), false);
    Some(Authority::new(config, Keys::new(key()?, None), clients()?, proofs, seen()))
}

/// What a browser answers when a passkey was made: an attestation object, and authenticator data in one.
pub(super) fn passkey(data: &[u8]) {
    let Ok(party) = RelyingParty::new("localhost", &["https://localhost"]) else { return };
    let client_data = format!(
        "{{\"type\":\"webauthn.create\",\"challenge\":\"{}\",\"origin\":\"https://localhost\"}}",
        "A".repeat(43)
    );
    let mut wrapped = b"\xa3cfmtdnonegattStmt\xa0hauthData\x59".to_vec();
    wrapped.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    wrapped.extend(data.iter().take(usize::from(u16::MAX)));
    for attestation in [data, wrapped.as_slice()] {
        let answer = Registration { client_data: client_data.as_bytes(), attestation };
        let make = |purpose, known: bool| {
            let challenge = Challenge::new(purpose, [0; 32], NOW);
            register(&party, challenge, PersonHandle([1; 16]), answer, |_| known, None, NOW)
        };
        if let Ok(passkey) = make(Purpose::Enrol, false) {
            assert!((1..=MAX_CREDENTIAL_ID).contains(&passkey.id().len()));
            assert!(make(Purpose::Enrol, true).is_err(), "somebody has it already");
        }
        assert!(make(Purpose::LogIn, false).is_err(), "another ceremony");
    }
}

/// Signed messages (RFC 9421): the request's head, and its content behind an empty line.
pub(super) fn message(data: &[u8]) {
    let Some(request) = world::request(data) else { return };
    let read = Signed::read(&request.headers);
    let Ok(Some(_)) = presented(&request) else { return };
    let is_whole = |signed: &Signed| {
        signed.covers("@method")
            && signed.keyid().is_some()
            && (request.body.is_empty() || signed.covers("content-digest"))
    };
    assert!(matches!(&read, Ok(Some(signed)) if is_whole(signed)), "presented, and not whole");
}

/// The JSON object that a text is.
fn claims(text: &str) -> Option<Value> {
    serde_json::from_str::<Value>(text).ok().filter(Value::is_object)
}

fn key() -> Option<SigningKey> {
    SigningKey::from_seed(&Secret::new(vec![9; 32])).ok()
}

/// One client, with that key.
fn clients() -> Option<State> {
    let jwks = serde_json::json!({ "keys": [key()?.public().to_json()] }).to_string();
    let terms = Terms {
        id: ClientId::new("ann").ok()?,
        title: "An app".into(),
        method: Method::PrivateKeyJwt { jwks },
        bound_to: Binding::Dpop,
        grants: vec![GrantType::ClientCredentials, GrantType::AuthorizationCode],
        redirect_uris: vec!["https://ann.example/back".into()],
        allowed: details::parse(RIGHTS).ok()?,
        delegate: None,
        introspects: false,
        signs_requests: false,
    };
    let mut known = State::default();
    known.apply(&Event::ClientRegistered { terms });
    Some(known)
}

const RIGHTS: &str = include_str!("../../../../fuzz/corpus/oauth_rights/reading");
