use super::authenticate::authenticate;
use super::*;
use crate::oauth::details;
use crate::oauth::event::{Event, State};
use crate::oauth::jose::{Alg, SigningKey};
use crate::oauth::once::Once;
use crate::oauth::params::Params;
use serde_json::{Value, json};
use tidegate_types::Time;
use tidegate_types::grant::Pattern;
use tidegate_types::ids::PersonName;
use tidegate_types::instrument::Usd;
use tidegate_types::secret::Secret;

const ISSUER: &str = "https://desk.example";
const NOW: u64 = 1_000_000;

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn signer(byte: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![byte; 32])).unwrap()
}

fn terms(id: &str, method: Method) -> Terms {
    let allowed = r#"[{"type":"tidegate_trading","venue":"v","account":"a","instruments":["*"],"read_only":true}]"#;
    Terms {
        id: ClientId::new(id).unwrap(),
        title: "An app".to_owned(),
        method,
        bound_to: Binding::Dpop,
        grants: vec![GrantType::ClientCredentials],
        redirect_uris: Vec::new(),
        allowed: details::parse(allowed).unwrap(),
        delegate: None,
        introspects: false,
        signs_requests: false,
    }
}

fn jwks(byte: u8) -> Method {
    let keys = json!({ "keys": [signer(byte).public().to_json()] });
    Method::PrivateKeyJwt { jwks: keys.to_string() }
}

fn clients() -> State {
    let name = CertificateName::Dns { text: "bot.desk.example".into() };
    let pinned = Method::SelfSignedTls { certificates: vec![Thumbprint([1; 32])] };
    let mut state = State::default();
    for terms in
        [terms("app", jwks(7)), terms("pinned", pinned), terms("named", Method::Tls { name })]
    {
        state.apply(&Event::ClientRegistered { terms });
    }
    state
}

fn claims() -> Value {
    json!({
        "iss": "app", "sub": "app", "aud": ISSUER, "jti": "1",
        "iat": NOW, "nbf": NOW, "exp": NOW + 60,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn ask(form: &str, shown: Credentials<'_>, seen: &mut Once) -> Result<String, ErrorCode> {
    ask_of(&clients(), form, shown, seen)
}

fn ask_of(
    state: &State,
    form: &str,
    shown: Credentials<'_>,
    seen: &mut Once,
) -> Result<String, ErrorCode> {
    let params = Params::parse(form.as_bytes()).unwrap();
    let by = (ISSUER, RsaBits::DEFAULT);
    let client = authenticate(state, by, seen, &params, shown, at(NOW));
    client.map(|(client, _)| client.terms().id.to_string()).map_err(|error| error.code)
}

fn form(text: &str) -> String {
    format!(
        "client_assertion={text}&client_assertion_type=\
         urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    )
}

fn assertion(header: &Value, claims: &Value) -> String {
    signer(7).sign_with(header, claims.to_string().as_bytes()).unwrap()
}

fn try_claims(claims: &Value) -> Result<String, ErrorCode> {
    let text = assertion(&json!({ "alg": "EdDSA", "typ": "JWT" }), claims);
    ask(&form(&text), Credentials::default(), &mut Once::new(10, at(0)))
}

const BAD: Result<String, ErrorCode> = Err(ErrorCode::InvalidClient);

#[test]
fn fp_a08_the_audience_is_the_issuer_as_a_string() {
    assert_eq!(try_claims(&claims()).as_deref(), Ok("app"));
    for aud in [
        json!([ISSUER]),
        json!(format!("{ISSUER}/")),
        json!(format!("{ISSUER}/oauth/token")),
        json!(format!("{ISSUER}/oauth/par")),
        json!("https://evil.example"),
        Value::Null,
    ] {
        assert_eq!(try_claims(&with("aud", aud.clone())), BAD, "{aud}");
    }
}

#[test]
fn fp_a13_times_of_the_assertion() {
    for (name, seconds, taken) in [
        ("iat", NOW + 8, true),
        ("nbf", NOW + 8, true),
        ("nbf", NOW + 10, true),
        ("iat", NOW + 61, false),
        ("nbf", NOW + 61, false),
        ("exp", NOW, false),
        ("exp", NOW - 300, false),
        ("exp", NOW + 300, true),
        ("exp", NOW + 3600, false),
    ] {
        assert_eq!(try_claims(&with(name, json!(seconds))).is_ok(), taken, "{name} {seconds}");
    }
    assert_eq!(try_claims(&with("exp", Value::Null)), BAD);
    assert_eq!(try_claims(&with("exp", json!("soon"))), BAD);
}

#[test]
fn who_the_assertion_is_of() {
    for name in ["iss", "sub"] {
        assert_eq!(try_claims(&with(name, json!("pinned"))), BAD, "{name}");
        assert_eq!(try_claims(&with(name, Value::Null)), BAD, "{name}");
    }
    let text = assertion(&json!({ "alg": "EdDSA" }), &claims());
    let other = format!("{}&client_id=pinned", form(&text));
    assert_eq!(ask(&other, Credentials::default(), &mut Once::new(10, at(0))), BAD);
    let same = format!("{}&client_id=app", form(&text));
    assert!(ask(&same, Credentials::default(), &mut Once::new(10, at(0))).is_ok());
}

#[test]
fn the_assertion_is_good_once() {
    let text = form(&assertion(&json!({ "alg": "EdDSA" }), &claims()));
    let mut seen = Once::new(10, at(0));
    assert!(ask(&text, Credentials::default(), &mut seen).is_ok());
    assert_eq!(ask(&text, Credentials::default(), &mut seen), BAD);
    for jti in [Value::Null, json!(""), json!(1), json!("x".repeat(129))] {
        assert_eq!(try_claims(&with("jti", jti.clone())), BAD, "{jti}");
    }
    // One that was made before a start that remembers nothing.
    assert_eq!(ask(&text, Credentials::default(), &mut Once::new(10, at(NOW + 1))), BAD);
}

#[test]
fn fp_c01_and_at_8_its_algorithm_and_type() {
    for header in [
        json!({ "alg": "RS256" }),
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "EdDSA", "typ": "dpop+jwt" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt" }),
        json!({ "alg": "EdDSA", "crit": ["exp"] }),
        json!({ "alg": "EdDSA", "kid": "another" }),
    ] {
        let text = form(&assertion(&header, &claims()));
        assert_eq!(ask(&text, Credentials::default(), &mut Once::new(10, at(0))), BAD, "{header}");
    }
    let forged = signer(8).sign_with(&json!({ "alg": "EdDSA" }), claims().to_string().as_bytes());
    let text = form(&forged.unwrap());
    assert_eq!(ask(&text, Credentials::default(), &mut Once::new(10, at(0))), BAD);
}

#[test]
fn fp_a06_oa_08_secrets_and_two_methods_are_refused() {
    let mut seen = Once::new(10, at(0));
    let basic = Credentials { authorization: Some("Basic YXBwOng="), certificate: None };
    assert_eq!(ask("client_id=app", basic, &mut seen), BAD);
    assert_eq!(ask("client_id=app&client_secret=x", Credentials::default(), &mut seen), BAD);
    assert_eq!(ask("client_id=app", Credentials::default(), &mut seen), BAD);
    assert_eq!(ask("", Credentials::default(), &mut seen), BAD);
    let text = form(&assertion(&json!({ "alg": "EdDSA" }), &claims()));
    assert_eq!(ask(&format!("{text}&client_secret=x"), Credentials::default(), &mut seen), BAD);
    let untyped = ask(text.split('&').next().unwrap(), Credentials::default(), &mut seen);
    assert_eq!(untyped, Err(ErrorCode::InvalidRequest));
    let other = text.replace("jwt-bearer", "saml2-bearer");
    assert_eq!(ask(&other, Credentials::default(), &mut seen), BAD);
}

#[test]
fn mt_1_mt_2_clients_by_certificate() {
    let certificate = |byte: u8, trusted: bool, names: Vec<CertificateName>| PeerCertificate {
        thumbprint: Thumbprint([byte; 32]),
        trusted,
        names,
    };
    let dns = |text: &str| CertificateName::Dns { text: text.into() };
    let right = vec![dns("bot.desk.example")];
    let uri = vec![CertificateName::Uri { text: "bot.desk.example".into() }];
    for (client, shown, taken) in [
        ("pinned", certificate(1, false, Vec::new()), true),
        ("pinned", certificate(2, true, right.clone()), false),
        ("named", certificate(2, true, right.clone()), true),
        ("named", certificate(2, false, right.clone()), false),
        ("named", certificate(2, true, vec![dns("bot.desk.example.evil")]), false),
        ("named", certificate(2, true, uri), false),
        ("app", certificate(1, true, right), false),
        ("nobody", certificate(1, true, Vec::new()), false),
    ] {
        let credentials = Credentials { authorization: None, certificate: Some(&shown) };
        let outcome = ask(&format!("client_id={client}"), credentials, &mut Once::new(1, at(0)));
        assert_eq!(outcome.is_ok(), taken, "{client} {shown:?}");
    }
}

fn with_redirects(uris: &[&str]) -> Result<Client, BadTerms> {
    let mut terms = terms("app", jwks(7));
    terms.redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
    Client::new(terms)
}

#[test]
fn fp_b08_oa_03_where_people_may_be_sent() {
    for uri in ["https://a.example/cb", "http://127.0.0.1/cb", "http://[::1]:8080/cb"] {
        assert!(with_redirects(&[uri]).is_ok(), "{uri}");
    }
    for uri in [
        "http://a.example/cb",
        "http://localhost/cb",
        "http://127.0.0.1.evil/cb",
        "http://127.0.0.1:99999/cb",
        "https://a.example/cb#x",
        "https://u@a.example/cb",
        "https:///cb",
        "https://",
        "/cb",
        "javascript:alert(1)",
        "https://a.example/c b",
    ] {
        assert!(with_redirects(&[uri]).is_err(), "{uri}");
    }
}

#[test]
fn oa_02_addresses_are_compared_letter_by_letter() {
    let client = with_redirects(&["https://a.example/cb", "http://127.0.0.1/cb"]).unwrap();
    for uri in ["https://a.example/cb", "http://127.0.0.1/cb", "http://127.0.0.1:9999/cb"] {
        assert!(client.redirects_to(uri), "{uri}");
    }
    for uri in [
        "https://a.example/cb/",
        "https://a.example/CB",
        "https://A.example/cb",
        "https://a.example:443/cb",
        "https://a.example/cb?x",
        "https://a.example.evil/cb",
        "http://127.0.0.1:9999/cb/",
        "http://[::1]/cb",
        "https://127.0.0.1/cb",
    ] {
        assert!(!client.redirects_to(uri), "{uri}");
    }
}

#[test]
fn fp_a03_a_client_without_a_key_is_not_registered() {
    let none = Method::PrivateKeyJwt { jwks: r#"{"keys":[]}"#.into() };
    assert!(Client::new(terms("a", none)).is_err());
    assert!(Client::new(terms("a", Method::SelfSignedTls { certificates: Vec::new() })).is_err());
    let mut terms = terms("a", jwks(1));
    terms.grants = vec![GrantType::AuthorizationCode];
    assert!(Client::new(terms.clone()).is_err());
    terms.redirect_uris = vec!["https://a.example/cb".into()];
    assert!(Client::new(terms.clone()).is_ok());
    let bytes = tidegate_types::codec::to_bytes(&terms);
    assert_eq!(tidegate_types::codec::from_bytes::<Terms>(&bytes), Ok(terms.clone()));
    terms.title = "<b>\n".into();
    assert!(Client::new(terms).is_err());
}

/// What trades up to `notional`.
fn trades(notional: &str) -> Option<details::Terms> {
    let text = json!([{
        "type": "tidegate_trading", "venue": "v", "account": "a", "instruments": ["*"],
        "sides": ["buy"], "order_types": ["limit"], "max_order": { "notional": "1" },
        "max_open_notional": "1",
    }]);
    let terms = details::parse(&text.to_string()).unwrap().remove(0).trade.unwrap();
    Some(details::Terms { max_open_notional: Usd(notional.parse().unwrap()), ..terms })
}

fn name_instruments(item: &mut details::Trading, count: usize) {
    let name = |n: usize| Pattern::new(&format!("COIN-{n:05}")).unwrap();
    item.instruments = (0..count).map(name).collect();
}

fn name_accounts(allowed: &mut Vec<details::Trading>, count: usize) {
    let item = allowed[0].clone();
    let on =
        |n: usize| details::Trading { account: format!("a{n}").parse().unwrap(), ..item.clone() };
    *allowed = (0..count).map(on).collect();
}

#[test]
fn what_no_token_can_say_is_not_registered() {
    type Change = fn(&mut Vec<details::Trading>);
    let registered = |change: Change| {
        let mut terms = terms("a", jwks(1));
        change(&mut terms.allowed);
        Client::new(terms).map(drop)
    };
    let good: [Change; 4] = [
        |_| (),
        |allowed| allowed[0].trade = trades("1"),
        |allowed| name_instruments(&mut allowed[0], 32),
        |allowed| name_accounts(allowed, 16),
    ];
    for (at, change) in good.into_iter().enumerate() {
        assert_eq!(registered(change), Ok(()), "{at}");
    }
    // A grant of the desk may have all of this.
    let bad: [Change; 6] = [
        |allowed| allowed[0].instruments.clear(),
        |allowed| allowed[0].trade = trades("0"),
        |allowed| name_instruments(&mut allowed[0], 33),
        |allowed| name_accounts(allowed, 17),
        |allowed| *allowed = [allowed.clone(), allowed.clone()].concat(),
        |allowed| {
            name_accounts(allowed, 16);
            allowed.iter_mut().for_each(|item| name_instruments(item, 32));
        },
    ];
    for (at, change) in bad.into_iter().enumerate() {
        assert!(registered(change).is_err(), "{at}");
    }
}

#[test]
fn a_client_s_rsa_key_is_as_long_as_the_desk_asks() {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    for (size, bits) in [(KeySize::Rsa2048, 2048), (KeySize::Rsa3072, 3072)] {
        let pair = KeyPair::generate(size).unwrap();
        let der: Pkcs8V1Der<'_> = AsDer::as_der(&pair).unwrap();
        let private = Secret::new(der.as_ref().to_vec());
        let signer = SigningKey::from_pkcs8(Alg::Ps256, &private).unwrap();
        let jwks = json!({ "keys": [signer.public().to_json()] }).to_string();
        let terms = terms("app", Method::PrivateKeyJwt { jwks });
        let client = Client::new(terms.clone()).unwrap();
        assert_eq!(client.check_keys(RsaBits::DEFAULT).is_ok(), bits >= 3072);
        assert_eq!(client.check_keys(RsaBits::FEWEST), Ok(()));
        let mut state = State::default();
        state.apply(&Event::ClientRegistered { terms });
        let header = json!({ "alg": "PS256" });
        let ask = |rsa: RsaBits| {
            let text = signer.sign_with(&header, claims().to_string().as_bytes()).unwrap();
            let params = Params::parse(form(&text).as_bytes()).unwrap();
            let seen = &mut Once::new(10, at(0));
            let shown = Credentials::default();
            authenticate(&state, (ISSUER, rsa), seen, &params, shown, at(NOW)).is_ok()
        };
        assert_eq!((ask(RsaBits::DEFAULT), ask(RsaBits::FEWEST)), (bits >= 3072, true));
        assert!(!ask(RsaBits::MOST));
    }
}

#[test]
fn a_key_or_certificate_out_of_force_proves_nobody() {
    let mut state = clients();
    let text = form(&assertion(&json!({ "alg": "EdDSA" }), &claims()));
    let pinned =
        PeerCertificate { thumbprint: Thumbprint([1; 32]), trusted: false, names: Vec::new() };
    let shown = Credentials { authorization: None, certificate: Some(&pinned) };
    let both = |state: &State| {
        let seen = &mut Once::new(10, at(0));
        let app = ask_of(state, &text, Credentials::default(), seen);
        (app, ask_of(state, "client_id=pinned", shown, seen))
    };
    assert_eq!(both(&state), (Ok("app".into()), Ok("pinned".into())));
    let by = PersonName::new("ada").unwrap();
    for key in [signer(7).public().thumbprint(), pinned.thumbprint] {
        state.apply(&Event::KeyRevoked { key, by: by.clone() });
    }
    assert_eq!(both(&state), (BAD, BAD));
}

#[test]
fn a_client_that_is_gone_is_not_taken_up_again() {
    let mut state = clients();
    let app = terms("app", jwks(7));
    state.apply(&Event::ClientRevoked { client: app.id.clone() });
    state.apply(&Event::ClientRegistered { terms: app.clone() });
    assert!(!state.clients().contains_key(&app.id));
}

#[test]
fn dp_22_after_a_crash_an_assertion_counts_as_made_when_it_may_have_been() {
    let state = clients();
    // The gateway counts what was stamped before this as seen.
    let crashed = NOW - 10;
    let after = |claims: &Value| {
        let text = form(&assertion(&json!({ "alg": "EdDSA" }), claims));
        ask_of(&state, &text, Credentials::default(), &mut Once::new(10, at(crashed)))
    };
    assert_eq!(after(&claims()).as_deref(), Ok("app"));
    assert_eq!(after(&with("iat", json!(crashed - 1))), BAD);
    // Without a time of its own it may be as old as its end allows.
    let mut timeless = claims();
    let object = timeless.as_object_mut().unwrap();
    object.remove("iat");
    object.remove("nbf");
    assert_eq!(after(&timeless), BAD);
    timeless["exp"] = json!(crashed + 300);
    assert_eq!(after(&timeless).as_deref(), Ok("app"));
}
