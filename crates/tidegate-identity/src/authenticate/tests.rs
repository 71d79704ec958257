use super::*;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};
use tidegate_types::codec::Octets;
use tidegate_types::grant::KeyScheme;
use tidegate_types::key::KeyTerms;

pub(crate) const ALICE: &str = "alice-key";
pub(crate) const BOB: &str = "bob-key";
const SEED: [u8; 32] = [9; 32];

/// A desk with a key of each kind, and what it checks against.
pub(crate) struct Desk {
    pub(crate) keyring: Keyring,
    pub(crate) replays: ReplayGuard,
    pub(crate) tokens: TokenStore,
    pub(crate) venue: VenueName,
}

pub(crate) fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

/// Where every request comes from.
pub(crate) const HERE: Origin = Origin { peer: IpAddr::V4(Ipv4Addr::LOCALHOST), certificate: None };

pub(crate) fn password(key: &str, secret: &str) -> Presented {
    Presented::Password { key: key.to_owned(), secret: Secret::new(secret.as_bytes().to_vec()) }
}

pub(crate) fn token(token: &str) -> Presented {
    Presented::Token { token: Secret::new(token.as_bytes().to_vec()) }
}

/// A caller that proved itself.
pub(crate) fn somebody(caller: &str) -> Authenticated {
    Authenticated::vouch(
        CallerName::new(caller).unwrap(),
        KeyId::new(caller).unwrap(),
        VenueName::new("binance").unwrap(),
        AccountName::new("main").unwrap(),
    )
}

impl Desk {
    pub(crate) fn new() -> Desk {
        let venue = VenueName::new("binance").unwrap();
        let key = |id: &str, venue: &VenueName, scheme| VirtualKey {
            id: KeyId::new(id).unwrap(),
            caller: CallerName::new(id.split('-').next().unwrap()).unwrap(),
            venue: venue.clone(),
            account: AccountName::new("main").unwrap(),
            scheme,
            terms: KeyTerms::default(),
        };
        let mut keyring = Keyring::new();
        let secret = || Some(Secret::new(b"s3cret".to_vec()));
        keyring.insert(key(ALICE, &venue, KeyScheme::Hmac), secret()).unwrap();
        let elsewhere = VenueName::new("deribit").unwrap();
        keyring.insert(key("carol-key", &elsewhere, KeyScheme::Hmac), secret()).unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        keyring.insert(key(BOB, &venue, KeyScheme::Ed25519 { public }), None).unwrap();
        let replays = ReplayGuard::with_capacity(at(500), None, 3);
        Desk { keyring, replays, tokens: TokenStore::new(), venue }
    }

    pub(crate) fn check(
        &mut self,
        presented: &Presented,
        now: Time,
    ) -> Result<Authenticated, Reject> {
        self.check_from(presented, &HERE, now)
    }

    fn check_from(
        &mut self,
        presented: &Presented,
        origin: &Origin,
        now: Time,
    ) -> Result<Authenticated, Reject> {
        let Desk { keyring, replays, tokens, venue } = self;
        authenticate(keyring, replays, tokens, venue, presented, origin, now)
    }
}

fn hmac_of(secret: &[u8], payload: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), payload).as_ref().to_vec()
}

/// A good signature of Alice's, made at 1000 s.
fn signed(payload: &[u8]) -> Signature {
    Signature {
        key: ALICE.to_owned(),
        payloads: vec![b"another encoding".to_vec(), payload.to_vec()],
        candidates: vec![vec![1, 2, 3], hmac_of(b"s3cret", payload)],
        timestamp_ms: 1_000_000,
        window_ms: 5000,
        nonce: payload.to_vec(),
        once: true,
    }
}

#[test]
fn a_good_signature_names_its_caller() {
    let mut desk = Desk::new();
    let who = desk.check(&Presented::Signature(signed(b"x")), at(1001)).unwrap();
    assert_eq!(
        (who.caller().as_str(), who.key().as_str(), who.venue().as_str(), who.account().as_str()),
        ("alice", ALICE, "binance", "main")
    );
    assert_eq!(who.evidence(), None, "the secret is the gateway's too");
}

#[test]
fn an_ed25519_signature_in_any_form_and_over_any_encoding_is_good() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
    let good = Signature {
        key: BOB.to_owned(),
        candidates: vec![b"no".to_vec(), pair.sign(b"x").as_ref().to_vec()],
        ..signed(b"x")
    };
    let who = Desk::new().check(&Presented::Signature(good), at(1000)).unwrap();
    let evidence = who.evidence().unwrap();
    let by = pair.sign(b"x").as_ref().to_vec();
    assert_eq!((evidence.signed.as_slice(), &evidence.signature), (b"x".as_slice(), &by));
    let read = Signature { key: BOB.to_owned(), candidates: vec![by], once: false, ..signed(b"x") };
    let who = Desk::new().check(&Presented::Signature(read), at(1000)).unwrap();
    assert_eq!(who.evidence(), None, "it changes nothing");
    let other = Signature {
        key: BOB.to_owned(),
        candidates: vec![pair.sign(b"y").as_ref().to_vec(), Vec::new()],
        ..signed(b"x")
    };
    let refused = Desk::new().check(&Presented::Signature(other), at(1000)).unwrap_err();
    assert_eq!(refused.code, Code::BadSignature);
}

/// What is wrong with a signature, by the code it is refused with.
#[test]
fn every_flaw_of_a_signature_has_its_code() {
    let good = || signed(b"x");
    let table: Vec<(&str, Signature, u64, Code)> = vec![
        ("no key", Signature { key: String::new(), ..good() }, 1_000_000, Code::MissingCredentials),
        ("unknown", Signature { key: "mallory".into(), ..good() }, 1_000_000, Code::UnknownKey),
        ("no name", Signature { key: "a b".into(), ..good() }, 1_000_000, Code::UnknownKey),
        ("elsewhere", Signature { key: "carol-key".into(), ..good() }, 1_000_000, Code::WrongVenue),
        ("late", good(), 1_005_001, Code::StaleTimestamp),
        ("early", good(), 999_000, Code::StaleTimestamp),
        ("wide", Signature { window_ms: 60_001, ..good() }, 1_000_000, Code::StaleTimestamp),
        (
            "overflow",
            Signature { timestamp_ms: u64::MAX, ..good() },
            1_000_000,
            Code::StaleTimestamp,
        ),
        (
            "other text",
            Signature { payloads: vec![b"y".to_vec()], ..good() },
            1_000_000,
            Code::BadSignature,
        ),
        ("no text", Signature { payloads: vec![], ..good() }, 1_000_000, Code::BadSignature),
        ("no form", Signature { candidates: vec![], ..good() }, 1_000_000, Code::BadSignature),
        (
            "empty form",
            Signature { candidates: vec![vec![]], ..good() },
            1_000_000,
            Code::BadSignature,
        ),
        (
            "another secret",
            Signature { candidates: vec![hmac_of(b"other", b"x")], ..good() },
            1_000_000,
            Code::BadSignature,
        ),
        (
            "too many forms",
            Signature { payloads: vec![b"x".to_vec(); 9], ..good() },
            1_000_000,
            Code::BadSignature,
        ),
        ("another scheme", Signature { key: BOB.into(), ..good() }, 1_000_000, Code::BadSignature),
    ];
    for (what, signature, now_ms, code) in table {
        let mut desk = Desk::new();
        let presented = Presented::Signature(signature);
        let refused = desk.check(&presented, Time::from_millis(now_ms)).unwrap_err();
        assert_eq!(refused.code, code, "{what}: {refused}");
        assert!(desk.replays.is_empty(), "{what}: a refused request was remembered");
    }
}

#[test]
fn the_window_holds_to_the_millisecond() {
    for (now_ms, good) in [(999_000, false), (999_001, true), (1_005_000, true), (1_005_001, false)]
    {
        let result =
            Desk::new().check(&Presented::Signature(signed(b"x")), Time::from_millis(now_ms));
        assert_eq!(result.is_ok(), good, "{now_ms}");
    }
}

#[test]
fn a_request_that_changes_state_is_taken_once() {
    let mut desk = Desk::new();
    assert!(desk.check(&Presented::Signature(signed(b"x")), at(1000)).is_ok());
    let again = desk.check(&Presented::Signature(signed(b"x")), at(1005)).unwrap_err();
    assert_eq!(again.code, Code::Replayed);
    let read = || Signature { once: false, ..signed(b"r") };
    assert!(desk.check(&Presented::Signature(read()), at(1000)).is_ok());
    assert!(desk.check(&Presented::Signature(read()), at(1000)).is_ok());
}

#[test]
fn what_was_signed_to_read_is_not_good_to_change() {
    let mut desk = Desk::new();
    let read = Signature { once: false, ..signed(b"list them") };
    assert!(desk.check(&Presented::Signature(read), at(1000)).is_ok());
    let change = desk.check(&Presented::Signature(signed(b"list them")), at(1001)).unwrap_err();
    assert_eq!(change.code, Code::Replayed);
}

#[test]
fn a_full_guard_refuses_what_it_cannot_remember() {
    let mut desk = Desk::new();
    for text in [b"1", b"2", b"3"] {
        assert!(desk.check(&Presented::Signature(signed(text)), at(1000)).is_ok());
    }
    let full = desk.check(&Presented::Signature(signed(b"4")), at(1000)).unwrap_err();
    assert_eq!(full.code, Code::TooManyInFlight);
    let read = Signature { once: false, ..signed(b"4") };
    let full = desk.check(&Presented::Signature(read), at(1000)).unwrap_err();
    assert_eq!(full.code, Code::RequestRate);
}

#[test]
fn what_was_stamped_before_the_start_is_taken_only_to_read() {
    let mut desk = Desk::new();
    desk.replays = ReplayGuard::new(Time::from_millis(1_000_001), None);
    let early = desk.check(&Presented::Signature(signed(b"x")), at(1001)).unwrap_err();
    assert_eq!(early.code, Code::StaleTimestamp);
    let read = Signature { once: false, ..signed(b"x") };
    assert!(desk.check(&Presented::Signature(read), at(1001)).is_ok());
    desk.replays = ReplayGuard::new(Time::from_millis(1_000_000), None);
    assert!(desk.check(&Presented::Signature(signed(b"x")), at(1001)).is_ok());
}

#[test]
fn a_password_is_the_whole_secret() {
    let mut desk = Desk::new();
    assert!(desk.check(&password(ALICE, "s3cret"), at(1000)).is_ok());
    for (key, secret, code) in [
        (ALICE, "s3cre", Code::BadSignature),
        (ALICE, "s3cret2", Code::BadSignature),
        (ALICE, "", Code::BadSignature),
        (BOB, "", Code::BadSignature),
        ("mallory", "s3cret", Code::UnknownKey),
        ("carol-key", "s3cret", Code::WrongVenue),
    ] {
        assert_eq!(desk.check(&password(key, secret), at(1000)).unwrap_err().code, code);
    }
}

#[test]
fn a_key_id_alone_names_and_proves_nothing() {
    let mut desk = Desk::new();
    let presented = Presented::KeyOnly { key: ALICE.to_owned() };
    assert_eq!(desk.check(&presented, at(1000)).unwrap_err().code, Code::MissingCredentials);
    assert_eq!(
        named(&desk.keyring, &desk.venue, ALICE, &HERE, at(1001)).unwrap().caller().as_str(),
        "alice"
    );
    let code = |key| named(&desk.keyring, &desk.venue, key, &HERE, at(1001)).unwrap_err().code;
    assert_eq!(code("mallory"), Code::UnknownKey);
    assert_eq!(code("carol-key"), Code::WrongVenue);
    assert_eq!(code(""), Code::MissingCredentials);
}

#[test]
fn revocation_ends_signatures_logins_and_sessions() {
    let mut desk = Desk::new();
    let who = desk.check(&password(ALICE, "s3cret"), at(1000)).unwrap();
    let remembered = Remembered::from(&who);
    let issued = desk.tokens.issue(&who, None, &[1; 64], at(1000));
    assert_eq!(recall(&desk.keyring, &remembered, at(1001)).unwrap(), who);
    desk.keyring.revoke(&KeyId::new(ALICE).unwrap());
    assert_eq!(recall(&desk.keyring, &remembered, at(1001)).unwrap_err().code, Code::UnknownKey);
    for presented in
        [Presented::Signature(signed(b"x")), password(ALICE, "s3cret"), token(&issued.access)]
    {
        assert_eq!(desk.check(&presented, at(1001)).unwrap_err().code, Code::UnknownKey);
    }
    let Desk { keyring, tokens, venue, .. } = &mut desk;
    let refresh_token = Secret::new(issued.refresh.as_bytes().to_vec());
    let refused =
        refresh(keyring, tokens, venue, &refresh_token, &[2; 64], &HERE, at(1001)).unwrap_err();
    assert_eq!(refused.code, Code::UnknownKey);
}

#[test]
fn a_token_is_good_at_its_own_venue_alone() {
    let mut desk = Desk::new();
    let who = desk.check(&password(ALICE, "s3cret"), at(1000)).unwrap();
    let issued = desk.tokens.issue(&who, None, &[1; 64], at(1000));
    desk.venue = VenueName::new("deribit").unwrap();
    assert_eq!(desk.check(&token(&issued.access), at(1001)).unwrap_err().code, Code::WrongVenue);
}

#[test]
fn refusals_repeat_nothing_that_was_shown() {
    let mut desk = Desk::new();
    for presented in
        [password("pasted-s3cret", "x1y2z3"), password(ALICE, "x1y2z3"), token("x1y2z3")]
    {
        let shown = format!("{} {presented:?}", desk.check(&presented, at(1000)).unwrap_err());
        assert!(!shown.contains("x1y2z3"), "{shown}");
    }
    let refused = desk.check(&password("pasted-s3cret", ""), at(1000)).unwrap_err().to_string();
    assert!(!refused.contains("pasted"), "{refused}");
}

proptest! {
    /// Changing any byte of the text or the signature makes it bad.
    #[test]
    fn no_changed_byte_passes(
        text in prop::collection::vec(any::<u8>(), 1..100),
        at_byte in any::<prop::sample::Index>(),
        flip in 1_u8..,
        in_text in any::<bool>(),
    ) {
        let mut signature = signed(&text);
        signature.payloads = vec![text.clone()];
        signature.candidates = vec![hmac_of(b"s3cret", &text)];
        let bytes = if in_text { &mut signature.payloads[0] } else { &mut signature.candidates[0] };
        let at_byte = at_byte.index(bytes.len());
        bytes[at_byte] ^= flip;
        let refused = Desk::new().check(&Presented::Signature(signature), at(1000)).unwrap_err();
        prop_assert_eq!(refused.code, Code::BadSignature);
    }
}

/// A desk whose keys are good from this network, by this certificate, until 2000 s.
fn bound_desk() -> Desk {
    let mut desk = Desk::new();
    let terms = KeyTerms {
        from: vec!["127.0.0.0/8".parse().unwrap()],
        certificate: Some([7; 32]),
        until: Some(at(2000)),
    };
    let key = desk.keyring.get(&KeyId::new(ALICE).unwrap()).unwrap().clone();
    desk.keyring.revoke(&key.id);
    let secret = Some(Secret::new(b"s3cret".to_vec()));
    desk.keyring.insert(VirtualKey { terms, ..key }, secret).unwrap();
    desk
}

#[test]
fn a_key_is_good_from_where_and_until_when_its_terms_say_whatever_is_shown() {
    let there = Origin { certificate: Some([7; 32]), ..HERE };
    let elsewhere = Origin { peer: IpAddr::from([10, 0, 0, 1]), ..there };
    let late = Signature { timestamp_ms: 2_000_000, ..signed(b"late") };
    let mut desk = bound_desk();
    let issued = {
        let who = desk.check_from(&password(ALICE, "s3cret"), &there, at(1000)).unwrap();
        desk.tokens.issue(&who, None, &[1; 64], at(1000))
    };
    let bearer = || token(&issued.access);
    let mut code = |shown: Presented, from: &Origin, now| {
        desk.check_from(&shown, from, now).err().map(|reject| reject.code)
    };
    let sign = |payload: &[u8]| Presented::Signature(signed(payload));
    assert_eq!(code(sign(b"a"), &there, at(1001)), None);
    assert_eq!(code(sign(b"b"), &HERE, at(1001)), Some(Code::KeyNotFromHere));
    assert_eq!(code(sign(b"c"), &elsewhere, at(1001)), Some(Code::KeyNotFromHere));
    assert_eq!(code(Presented::Signature(late), &there, at(2000)), Some(Code::KeyExpired));
    assert_eq!(code(bearer(), &there, at(1001)), None);
    assert_eq!(code(bearer(), &elsewhere, at(1001)), Some(Code::KeyNotFromHere));
    assert_eq!(code(password(ALICE, "s3cret"), &HERE, at(1001)), Some(Code::KeyNotFromHere));
    // Who does not hold the key learns nothing of its terms.
    assert_eq!(code(password(ALICE, "wrong"), &elsewhere, at(1001)), Some(Code::BadSignature));
}

#[test]
fn a_key_that_ends_takes_its_sessions_with_it() {
    let there = Origin { certificate: Some([7; 32]), ..HERE };
    let mut desk = bound_desk();
    let who = desk.check_from(&password(ALICE, "s3cret"), &there, at(1000)).unwrap();
    let remembered = Remembered::from(&who);
    assert!(recall(&desk.keyring, &remembered, at(1999)).is_ok());
    let gone = recall(&desk.keyring, &remembered, at(2000)).unwrap_err();
    assert_eq!(gone.code, Code::KeyExpired);
    let named = |from: &Origin, now| named(&desk.keyring, &desk.venue, ALICE, from, now).err();
    assert!(named(&there, at(1999)).is_none());
    assert_eq!(named(&there, at(2000)).unwrap().code, Code::KeyExpired);
    assert_eq!(named(&HERE, at(1999)).unwrap().code, Code::KeyNotFromHere);
    // One that is replaced ends earlier, never later.
    let id = KeyId::new(ALICE).unwrap();
    desk.keyring.end(&id, at(1500));
    desk.keyring.end(&id, at(1900));
    assert!(recall(&desk.keyring, &remembered, at(1499)).is_ok());
    assert!(recall(&desk.keyring, &remembered, at(1500)).is_err());
}

#[test]
fn an_rsa_signature_is_good_over_what_it_was_made_over() {
    let pair = KeyPair::generate(KeySize::Rsa3072).unwrap();
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    let mut desk = Desk::new();
    let bob = KeyId::new(BOB).unwrap();
    let key = desk.keyring.get(&bob).unwrap().clone();
    desk.keyring.revoke(&bob);
    let scheme = KeyScheme::Rsa { public: Octets(der.as_ref().to_vec()) };
    desk.keyring.insert(VirtualKey { scheme, ..key.clone() }, None).unwrap();
    let sign = |payload: &[u8]| {
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, payload, &mut signature).unwrap();
        Signature { key: BOB.to_owned(), candidates: vec![signature], ..signed(b"x") }
    };
    assert!(desk.check(&Presented::Signature(sign(b"x")), at(1000)).is_ok());
    let refused = desk.check(&Presented::Signature(sign(b"y")), at(1000)).unwrap_err();
    assert_eq!(refused.code, Code::BadSignature);
    let no_key = KeyScheme::Rsa { public: Octets(vec![1, 2, 3]) };
    let id = KeyId::new("other").unwrap();
    let bad = desk.keyring.insert(VirtualKey { id, scheme: no_key, ..key }, None);
    assert_eq!(bad, Err(crate::keyring::KeyError::BadPublicKey));
}

#[test]
fn an_rsa_key_has_3072_bits_unless_the_desk_asks_for_fewer() {
    use crate::keyring::{KeyError, rsa_key};
    use crate::rsa::RsaBits;
    for (size, bits) in [(KeySize::Rsa2048, 2048), (KeySize::Rsa3072, 3072)] {
        let pair = KeyPair::generate(size).unwrap();
        let info = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
        // As a SubjectPublicKeyInfo, and bare.
        let forms: [&[u8]; 2] = [info.as_ref(), pair.public_key().as_ref()];
        for der in forms {
            let taken = |fewest| rsa_key(der, fewest).map(|_| ()).err();
            let short = (bits < 3072).then_some(KeyError::ShortPublicKey);
            assert_eq!(taken(RsaBits::DEFAULT), short, "{bits}");
            assert_eq!(taken(RsaBits::FEWEST), None, "{bits}");
            assert_eq!(taken(RsaBits::MOST), Some(KeyError::ShortPublicKey), "{bits}");
        }
        let mut desk = Desk::new();
        let old = desk.keyring.get(&KeyId::new(BOB).unwrap()).unwrap().clone();
        let id = KeyId::new("rsa").unwrap();
        let scheme = KeyScheme::Rsa { public: Octets(info.as_ref().to_vec()) };
        let key = VirtualKey { id, scheme, ..old };
        assert_eq!(desk.keyring.insert(key.clone(), None).is_ok(), bits >= 3072);
        assert_eq!(crate::Keyring::taking(RsaBits::FEWEST).insert(key, None), Ok(()));
    }
}
