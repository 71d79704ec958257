use super::*;
use crate::admin::Administrator;
use crate::admin::tests::Office;
use crate::config;
use crate::people::OUTSIDE_ALONE;
use crate::people::credentials::AppAnswer;
use crate::people::tests::{ORIGIN, enrolled, inside, manned, replayed, text};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use tidegate_identity::oauth::params::Params;
use tidegate_identity::people::Level;
use tidegate_types::approval::Showing;

const CLIENT: &str = "tidegate";

fn own(text: &str) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(text.to_owned())
}

/// An outside provider, as far as the gateway sees it.
struct Outside {
    issuer: String,
    shared: Arc<Shared>,
}

struct Shared {
    key: Mutex<u8>,
    /// The ID token that the next code becomes.
    token: Mutex<String>,
    /// What came to the endpoints for requests and tokens.
    forms: Mutex<Vec<String>>,
    metadata: Value,
}

impl Outside {
    fn new(more: Value) -> Outside {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let mut metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "authorization_response_iss_parameter_supported": true,
        });
        for (name, value) in more.as_object().unwrap() {
            metadata[name] = json!(value.as_str().unwrap().replace("ISSUER", &issuer));
        }
        let shared = Arc::new(Shared {
            key: Mutex::new(1),
            token: Mutex::default(),
            forms: Mutex::default(),
            metadata,
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                own.serve(stream);
            }
        });
        Outside { issuer, shared }
    }

    fn settings(&self) -> config::Oidc {
        config::Oidc {
            issuer: self.issuer.clone(),
            client_id: CLIENT.to_owned(),
            two_factor_amr: vec!["mfa".to_owned()],
            phishing_resistant_acr: vec!["phr".to_owned()],
            ..config::Oidc::default()
        }
    }

    fn trusted_by(&self, people: &People) {
        let provider = Provider::configured(&self.settings(), &mut lock(&people.secrets));
        people.trust(provider.unwrap().unwrap());
    }

    /// A token for a login that was begun by `url`, with some claims in place of others.
    fn signs(&self, url: &str, subject: &str, changes: &Value) {
        let now = clock::now().millis() / 1000;
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": subject, "nonce": param(url, "nonce"),
            "iat": now, "exp": now + 60, "auth_time": now, "amr": ["mfa"], "acr": "phr",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        *self.shared.token.lock().unwrap() = self.shared.signed("JWT", &claims);
    }

    fn logout(&self, subject: &str, id: &str) -> String {
        let now = clock::now().millis() / 1000;
        let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
        self.shared.signed("logout+jwt", &json!({
            "iss": self.issuer, "aud": CLIENT, "sub": subject, "jti": id, "iat": now, "exp": now + 60,
            "events": event,
        }))
    }

    fn answer(&self, url: &str) -> OutsideAnswer {
        OutsideAnswer {
            state: param(url, "state"),
            code: "a code".to_owned(),
            issuer: Some(self.issuer.clone()),
            refused: false,
        }
    }
}

impl Shared {
    fn pair(&self) -> (Ed25519KeyPair, String) {
        let seed = *self.key.lock().unwrap();
        (Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(), format!("k{seed}"))
    }

    fn signed(&self, typ: &str, claims: &Value) -> String {
        let (pair, kid) = self.pair();
        let head = json!({"alg": "EdDSA", "typ": typ, "kid": kid}).to_string();
        let signed = format!("{}.{}", text(head.as_bytes()), text(claims.to_string().as_bytes()));
        let signature = pair.sign(signed.as_bytes());
        format!("{signed}.{}", text(signature.as_ref()))
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(&stream);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                break;
            }
            if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = said.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        if length > 0 {
            self.forms.lock().unwrap().push(String::from_utf8(body).unwrap());
        }
        let (pair, kid) = self.pair();
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()), "kid": kid,
        });
        let (status, answer) = match first.split(' ').nth(1).unwrap_or_default() {
            "/.well-known/openid-configuration" => (200, self.metadata.clone()),
            "/jwks" => (200, json!({ "keys": [jwk] })),
            "/par" => (201, json!({"request_uri": "urn:pushed", "expires_in": 60})),
            "/token" => (
                200,
                json!({"access_token": "x", "token_type": "Bearer",
                "id_token": *self.token.lock().unwrap()}),
            ),
            _ => (404, json!({})),
        };
        let answer = answer.to_string();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", answer.len());
        let _ = stream.write_all(format!("{head}connection: close\r\n\r\n{answer}").as_bytes());
    }
}

fn param(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    Params::parse(query.as_bytes()).unwrap().get(name).unwrap_or_default().to_owned()
}

/// A desk that trusts a provider, with `pia` in a session by passkey.
async fn desk() -> (Office, Outside, Arc<People>, String, String) {
    let (office, links) = manned().await;
    let people = office.people();
    let outside = Outside::new(json!({}));
    outside.trusted_by(&people);
    let mut device = enrolled(&people, &links[0]).await;
    let session = inside(&people, &mut device).await;
    (office, outside, people, session, links[1].clone())
}

async fn linked(outside: &Outside, people: &People, session: &str, subject: &str) {
    let visitor = people.enter(session).await.unwrap();
    let (url, cookie) = people.begin_link(&visitor).await.unwrap();
    outside.signs(&url, subject, &json!({}));
    let ended = people.end_outside(&outside.answer(&url), (cookie.expose(), session), "here").await;
    assert!(matches!(ended, Ok(Arrived::Linked)), "{ended:?}");
}

async fn logs_in(
    outside: &Outside,
    people: &People,
    subject: &str,
    changes: &Value,
) -> Result<(String, bool), Error> {
    let (url, cookie) = people.begin_outside(Door::LogIn).await.unwrap();
    outside.signs(&url, subject, changes);
    match people.end_outside(&outside.answer(&url), (cookie.expose(), ""), "here").await? {
        Arrived::Session(id, more) => Ok((id.expose().to_owned(), more)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_linked_login_opens_a_session_that_no_passkey_stands_behind() {
    let (_office, outside, people, session, _) = desk().await;
    let stranger = logs_in(&outside, &people, "u-1", &json!({})).await;
    assert_eq!(stranger.err(), Some(Error::NotLinked));
    linked(&outside, &people, &session, "u-1").await;
    let (id, more) = logs_in(&outside, &people, "u-1", &json!({})).await.unwrap();
    let visitor = people.enter(&id).await.unwrap();
    assert_eq!((visitor.person.as_str(), visitor.level, more), ("pia", Level::Two, false));
    // The provider says that it resists phishing, and the desk trusts that: it is no passkey for all that.
    assert!(!visitor.by_passkey && visitor.assurance.is_outside());
    assert_eq!(people.ask_new_passkey(&visitor, &id), Err(Error::NeedsPasskey));
    assert_eq!(people.begin_link(&visitor).await.err(), Some(Error::NeedsPasskey));
    let other = logs_in(&outside, &people, "u-2", &json!({})).await;
    assert_eq!(other.err(), Some(Error::NotLinked));
    let live = people.state().clone();
    assert_eq!(live, replayed(&people));
}

#[tokio::test]
async fn an_answer_counts_once_in_the_browser_that_asked() {
    let (_office, outside, people, session, _) = desk().await;
    linked(&outside, &people, &session, "u-1").await;
    let begin = async || {
        let (url, cookie) = people.begin_outside(Door::LogIn).await.unwrap();
        outside.signs(&url, "u-1", &json!({}));
        (outside.answer(&url), cookie)
    };
    let end = async |answer: &OutsideAnswer, cookie: &str| {
        people.end_outside(answer, (cookie, ""), "here").await.map(drop)
    };
    let (answer, cookie) = begin().await;
    assert_eq!(end(&answer, cookie.expose()).await, Ok(()));
    assert_eq!(end(&answer, cookie.expose()).await, Err(Error::Outside));
    let (answer, _) = begin().await;
    let (_, other) = begin().await;
    assert_eq!(end(&answer, other.expose()).await, Err(Error::Outside));
    assert_eq!(end(&answer, "").await, Err(Error::Outside));
    let (answer, cookie) = begin().await;
    let forged = OutsideAnswer { state: "another".to_owned(), ..answer.clone() };
    assert_eq!(end(&forged, cookie.expose()).await, Err(Error::Outside));
    for issuer in [None, Some("https://evil.example".to_owned())] {
        let (answer, cookie) = begin().await;
        let answer = OutsideAnswer { issuer, ..answer };
        assert_eq!(end(&answer, cookie.expose()).await, Err(Error::Outside));
    }
    let (answer, cookie) = begin().await;
    let refused = OutsideAnswer { refused: true, ..answer };
    assert_eq!(end(&refused, cookie.expose()).await, Err(Error::Outside));
}

#[tokio::test]
async fn a_token_for_another_login_opens_nothing() {
    let (_office, outside, people, session, _) = desk().await;
    linked(&outside, &people, &session, "u-1").await;
    for changes in [
        json!({"nonce": "another"}),
        json!({"aud": "another"}),
        json!({"iss": "https://evil.example"}),
        json!({"exp": 1}),
        json!({"auth_time": 1}),
    ] {
        let refused = logs_in(&outside, &people, "u-1", &changes).await;
        assert_eq!(refused.err(), Some(Error::Outside), "{changes}");
    }
    assert!(logs_in(&outside, &people, "u-1", &json!({})).await.is_ok());
}

#[tokio::test]
async fn one_factor_there_is_one_factor_here() {
    let (_office, outside, people, session, _) = desk().await;
    linked(&outside, &people, &session, "u-1").await;
    let weak = json!({"amr": ["pwd"], "acr": "phr"});
    // There is no app whose code could be the second.
    let refused = logs_in(&outside, &people, "u-1", &weak).await;
    assert!(matches!(refused, Err(Error::Count(_))), "{refused:?}");
}

#[tokio::test]
async fn an_identity_is_one_person_s() {
    let (_office, outside, people, session, link) = desk().await;
    linked(&outside, &people, &session, "u-1").await;
    let (url, cookie) = people.begin_enrol(&link).await.unwrap();
    outside.signs(&url, "u-1", &json!({}));
    let taken = people.end_outside(&outside.answer(&url), (cookie.expose(), ""), "here").await;
    assert!(matches!(taken, Err(Error::Count(_))), "{taken:?}");
    let (url, cookie) = people.begin_enrol(&link).await.unwrap();
    outside.signs(&url, "u-2", &json!({}));
    let done = people.end_outside(&outside.answer(&url), (cookie.expose(), ""), "here").await;
    assert!(matches!(done, Ok(Arrived::Enrolled)), "{done:?}");
    assert_eq!(people.begin_enrol(&link).await.err(), Some(Error::Link));
    let (id, _) = logs_in(&outside, &people, "u-2", &json!({})).await.unwrap();
    let ada = people.enter(&id).await.unwrap();
    assert_eq!(ada.person.as_str(), "ada");
    // Whoever took that account over makes no login of its own out of it.
    let answer = AppAnswer { password: own("vier blaue Esel singen leise"), code: own("000000") };
    let from = (own(""), "192.0.2.7".parse().unwrap());
    let set = people.set_password(&ada, &id, from, answer).await;
    assert_eq!(set.map(drop), Err(Error::Count(OUTSIDE_ALONE)));
    // It is her only way in.
    let digest = identity_digest(&people.linked(&ada.person)[0].identity);
    assert!(matches!(people.unlink_own(&ada, &digest).await, Err(Error::Count(_))));
}

#[tokio::test]
async fn nobody_enrols_by_a_login_that_never_opens_a_session() {
    let (_office, outside, people, _, link) = desk().await;
    let (url, cookie) = people.begin_enrol(&link).await.unwrap();
    outside.signs(&url, "u-3", &json!({"amr": ["pwd"], "acr": "phr"}));
    let refused = people.end_outside(&outside.answer(&url), (cookie.expose(), ""), "here").await;
    assert!(matches!(refused, Err(Error::Count(_))), "{refused:?}");
    // The link is good still, for something else.
    enrolled(&people, &link).await;
    // Where no login there can be two factors the page does not offer it.
    assert!(people.outside().unwrap().gives_two_factors());
    let weak = config::Oidc { two_factor_amr: Vec::new(), ..outside.settings() };
    let weak = Provider::configured(&weak, &mut lock(&people.secrets)).unwrap().unwrap();
    assert!(!weak.gives_two_factors());
}

#[tokio::test]
async fn two_tabs_do_not_unlink_the_last_two_logins() {
    let (_office, outside, people, _, link) = desk().await;
    let (url, cookie) = people.begin_enrol(&link).await.unwrap();
    outside.signs(&url, "u-2", &json!({}));
    people.end_outside(&outside.answer(&url), (cookie.expose(), ""), "here").await.unwrap();
    let (id, _) = logs_in(&outside, &people, "u-2", &json!({})).await.unwrap();
    let ada = people.enter(&id).await.unwrap();
    let (issuer, subject) = (outside.issuer.clone(), "u-4".to_owned());
    let (identity, at) = (OutsideIdentity { issuer, subject }, clock::now());
    people.state().apply(&Fact::Linked { person: ada.handle, identity, at });
    let both = people.linked(&ada.person);
    let [one, two] = [&both[0], &both[1]].map(|it| identity_digest(&it.identity));
    let (one, two) = tokio::join!(people.unlink_own(&ada, &one), people.unlink_own(&ada, &two));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert_eq!(people.linked(&ada.person).len(), 1);
}

#[tokio::test]
async fn linking_belongs_to_the_session_that_began_it() {
    let (_office, outside, people, session, _) = desk().await;
    let visitor = people.enter(&session).await.unwrap();
    let (url, cookie) = people.begin_link(&visitor).await.unwrap();
    outside.signs(&url, "u-1", &json!({}));
    people.log_out(&session).await.unwrap();
    let ended =
        people.end_outside(&outside.answer(&url), (cookie.expose(), &session), "here").await;
    assert_eq!(ended.map(drop), Err(Error::Outside));
    assert!(people.linked(&visitor.person).is_empty());
}

#[tokio::test]
async fn unlinking_ends_sessions_and_the_login() {
    let (office, outside, people, session, _) = desk().await;
    linked(&outside, &people, &session, "u-1").await;
    let (id, _) = logs_in(&outside, &people, "u-1", &json!({})).await.unwrap();
    let visitor = people.enter(&id).await.unwrap();
    let digest = identity_digest(&people.linked(&visitor.person)[0].identity);
    people.unlink_own(&visitor, &digest).await.unwrap();
    assert!(people.enter(&id).await.is_none() && people.enter(&session).await.is_none());
    let gone = logs_in(&outside, &people, "u-1", &json!({})).await;
    assert_eq!(gone.err(), Some(Error::NotLinked));

    let ada = Administrator {
        person: PersonName::new("ada").unwrap(),
        full: false,
        factor: None,
        showing: Showing::Door,
    };
    let told = office.ask_as(&ada, json!({"op": "linked", "person": "pia"})).await.unwrap();
    assert_eq!(told, json!({"linked": []}));
    let told = office.ask_as(&ada, json!({"op": "unlink", "person": "pia"})).await.unwrap();
    assert_eq!(told, json!({"unlinked": 0}));
}

#[tokio::test]
async fn an_administrator_reads_and_unlinks() {
    let (_office, outside, people, session, _) = desk().await;
    linked(&outside, &people, &session, "u-1").await;
    let visitor = people.enter(&session).await.unwrap();
    assert_eq!(people.linked(&visitor.person)[0].identity.subject, "u-1");
    let issuer = Some("https://other.example");
    assert_eq!(people.unlink(&visitor.person, issuer, visitor.actor()).await, Ok(0));
    assert!(people.enter(&session).await.is_some());
    let issuer = Some(outside.issuer.as_str());
    assert_eq!(people.unlink(&visitor.person, issuer, visitor.actor()).await, Ok(1));
    assert!(people.enter(&session).await.is_none());
}

#[tokio::test]
async fn a_logout_there_ends_what_rests_on_it_and_no_more() {
    let (_office, outside, people, session, _) = desk().await;
    linked(&outside, &people, &session, "u-1").await;
    let (id, _) = logs_in(&outside, &people, "u-1", &json!({})).await.unwrap();
    let other = outside.logout("u-2", "one");
    assert_eq!(people.logged_out_outside(&other).await, Ok(()));
    assert!(people.enter(&id).await.is_some());
    let token = outside.logout("u-1", "two");
    assert_eq!(people.logged_out_outside(&token).await, Ok(()));
    assert!(people.enter(&id).await.is_none());
    assert!(people.enter(&session).await.is_some());
    assert_eq!(people.logged_out_outside(&token).await, Err(Error::Outside));
    assert_eq!(people.logged_out_outside("e30.e30.AA").await, Err(Error::Outside));
}

#[tokio::test]
async fn keys_are_read_again_when_the_provider_signs_by_another() {
    let (_office, outside, people, session, _) = desk().await;
    linked(&outside, &people, &session, "u-1").await;
    *outside.shared.key.lock().unwrap() = 2;
    assert!(logs_in(&outside, &people, "u-1", &json!({})).await.is_ok());
    // Once more at once is too often: whoever sends tokens by no key would make us ask each time.
    *outside.shared.key.lock().unwrap() = 3;
    let refused = logs_in(&outside, &people, "u-1", &json!({})).await;
    assert_eq!(refused.err(), Some(Error::Outside));
}

#[tokio::test]
async fn a_request_is_pushed_where_that_can_be_done() {
    let (office, _) = manned().await;
    let people = office.people();
    let par = "pushed_authorization_request_endpoint";
    let outside = Outside::new(json!({ par: "ISSUER/par" }));
    outside.trusted_by(&people);
    let (url, _) = people.begin_outside(Door::LogIn).await.unwrap();
    let expected = format!("{}/auth?client_id={CLIENT}&request_uri=urn%3Apushed", outside.issuer);
    assert_eq!(url, expected);
    let form = outside.shared.forms.lock().unwrap().pop().unwrap();
    let form = Params::parse(form.as_bytes()).unwrap();
    let address = format!("{ORIGIN}{ANSWER_PAGE}");
    assert_eq!(form.get("redirect_uri"), Some(address.as_str()));
    assert_eq!(form.get("code_challenge_method"), Some("S256"));
    assert!(form.get("client_assertion").is_some() && form.get("client_secret").is_none());
}

#[tokio::test]
async fn a_provider_that_names_endpoints_elsewhere_is_not_asked() {
    let (office, _) = manned().await;
    let people = office.people();
    let outside = Outside::new(json!({ "token_endpoint": "http://169.254.169.254/token" }));
    outside.trusted_by(&people);
    assert_eq!(people.begin_outside(Door::LogIn).await.err(), Some(Error::Outside));
    let away = Outside::new(json!({ "issuer": "http://127.0.0.1:1" }));
    let (office, _) = manned().await;
    away.trusted_by(&office.people());
    assert_eq!(office.people().begin_outside(Door::LogIn).await.err(), Some(Error::Outside));
}

#[tokio::test]
async fn the_client_s_key_is_made_once_and_its_public_half_is_told() {
    let (office, _) = manned().await;
    let people = office.people();
    assert_eq!(people.outside_keys(), Err(Error::Outside));
    let settings = config::Oidc {
        issuer: "http://127.0.0.1:1".to_owned(),
        client_id: CLIENT.to_owned(),
        ..config::Oidc::default()
    };
    let made = || Provider::configured(&settings, &mut lock(&people.secrets)).unwrap().unwrap();
    let first = made().public_keys();
    assert_eq!(made().public_keys(), first);
    let key = &first["keys"][0];
    assert_eq!((key["alg"].as_str(), key["kty"].as_str()), (Some("ES256"), Some("EC")));
    assert!(key.get("d").is_none());
    people.trust(made());
    assert_eq!(people.outside_keys(), Ok(first));
    assert_eq!(people.begin_outside(Door::LogIn).await.err(), Some(Error::OutsideAway));
}
