//! What apps and browsers send: forms, rights, proofs, assertions, passkeys, signed messages.

use super::world::{self, NOW};
use serde_json::Value;
use tidegate_identity::message_signature::{Signed, presented};
use tidegate_identity::oauth::client::authenticate::authenticate;
use tidegate_identity::oauth::client::{Binding, ClientId, Credentials, GrantType, Method, Terms};
use tidegate_identity::oauth::details::{self, show};
use tidegate_identity::oauth::dpop::nonces::Nonces;
use tidegate_identity::oauth::dpop::{Proofs, Request};
use tidegate_identity::oauth::event::{Event, State};
use tidegate_identity::oauth::jose::SigningKey;
use tidegate_identity::oauth::jose::jws::Typ;
use tidegate_identity::oauth::once::Once;
use tidegate_identity::oauth::params::Params;
use tidegate_identity::people::passkey::{MAX_CREDENTIAL_ID, register};
use tidegate_identity::people::{Challenge, PersonHandle, Purpose, Registration, RelyingParty};
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;

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
    assert!(authenticate(&nobody, ISSUER, &mut seen, &params, shown, NOW).is_err());
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
    let first = proofs.check(&request, NOW);
    assert!(first.is_err() || signed.is_some(), "nobody signed it: {text}");
    assert!(first.is_err() || proofs.check(&request, NOW).is_err(), "taken twice: {text}");
    let elsewhere = Request { uri: "https://desk.example/oauth/par", ..request };
    let mut others =
        Proofs::new(Once::new(16, Time::default()), Nonces::new(&Secret::new(vec![7; 32])), false);
    assert!(first.is_err() || others.check(&elsewhere, NOW).is_err(), "good elsewhere: {text}");
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
        authenticate(&clients, issuer, &mut seen, &params, Credentials::default(), NOW).is_ok()
    };
    let elsewhere = ask("https://other.example");
    let first = ask(ISSUER);
    assert!(!first || signed.is_some(), "nobody signed it: {shown}");
    assert!(!(first && elsewhere), "good for two servers: {text}");
    assert!(!(first && ask(ISSUER)), "taken twice: {text}");
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
        grants: vec![GrantType::ClientCredentials],
        redirect_uris: Vec::new(),
        allowed: details::parse(RIGHTS).ok()?,
        delegate: None,
        introspects: false,
    };
    let mut known = State::default();
    known.apply(&Event::ClientRegistered { terms });
    Some(known)
}

const RIGHTS: &str = include_str!("../../../../fuzz/corpus/oauth_rights/reading");
