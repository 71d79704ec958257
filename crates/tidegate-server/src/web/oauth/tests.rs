use super::*;
use crate::desk::tests::disk::{bodies, on};
use crate::desk::tests::world;
use crate::folder::DataFolder;
use crate::web::every_route::{Needs, Row};
use serde_json::{Value, json};
use std::cell::Cell;
use tidegate_identity::Ledger;
use tidegate_identity::oauth::client::{Binding, GrantType, Method as Proof, Terms};
use tidegate_identity::oauth::details;
use tidegate_identity::oauth::event::{Event, TokenId};
use tidegate_identity::oauth::jose::SigningKey;
use tidegate_identity::oauth::jose::jws::Typ;
use tidegate_journal::storage::{Fault, Memory};
use tidegate_types::ids::Seq;
use tidegate_types::record::Durability;
use tidegate_types::request::{Method, RawRequest, Reply};

pub(crate) const ISSUER: &str = "https://desk.example";

/// A handle that is not open yet.
pub(crate) fn handle(desk: &Arc<Desk>) -> Arc<Handle> {
    let start = Start {
        state: State::default(),
        keys: KeptKeys::new(&[7; 64], clock::now()),
        assertions: Once::new(100, Time::default()),
        mutual_tls: false,
        rsa: RsaBits::DEFAULT,
    };
    Handle::new(Arc::clone(desk), start)
}

/// One that is.
pub(crate) fn opened(desk: &Arc<Desk>) -> Arc<Handle> {
    let handle = handle(desk);
    handle.open(ISSUER.to_owned()).unwrap();
    handle
}

/// The routes, for what goes over those of every table.
pub(in crate::web) fn rows() -> Vec<Row> {
    let row = |(method, path)| match method {
        // What waits for a person's decision, for minutes, is no change of anything yet.
        Method::Post => {
            let changes = matches!(path, "/oauth/token" | "/oauth/revoke");
            Row::web(method, path, Needs::Client, changes)
        }
        _ => Row::web(method, path, Needs::Nothing, false),
    };
    super::routes::listed().map(row).collect()
}

/// A client with its keys: one that says who it is, one that its tokens are bound to.
pub(crate) struct App {
    pub(crate) handle: Arc<Handle>,
    id: &'static str,
    count: Cell<u64>,
}

pub(crate) fn key(byte: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![byte; 32])).unwrap()
}

pub(crate) fn terms(id: &str) -> Terms {
    let jwks = json!({ "keys": [key(1).public().to_json()] }).to_string();
    let allowed = json!([{
        "type": "tidegate_trading", "venue": "binance", "account": "main",
        "instruments": ["BTCUSDT"], "sides": ["buy"], "order_types": ["limit"],
        "max_order": { "notional": "50" }, "max_open_notional": "100",
    }]);
    Terms {
        id: ClientId::new(id).unwrap(),
        title: "An app".into(),
        method: Proof::PrivateKeyJwt { jwks },
        bound_to: Binding::Dpop,
        grants: GrantType::NAMES.iter().map(|(_, kind)| *kind).collect(),
        redirect_uris: vec!["https://app.example/cb".into()],
        allowed: details::parse(&allowed.to_string()).unwrap(),
        delegate: None,
        introspects: false,
        signs_requests: false,
    }
}

impl App {
    pub(crate) fn new(desk: &Arc<Desk>) -> App {
        let handle = opened(desk);
        let event = Event::ClientRegistered { terms: terms("ann") };
        handle.look(|authority| authority.apply(&event));
        App::of(handle)
    }

    /// The same for a desk that registers it by itself.
    pub(crate) fn of(handle: Arc<Handle>) -> App {
        App::named(handle, "ann")
    }

    /// Another, with the same keys.
    pub(crate) fn named(handle: Arc<Handle>, id: &'static str) -> App {
        App { handle, id, count: Cell::new(0) }
    }

    /// A request of this app's to a venue, with its token and a proof for it, whose nonce is the token
    /// endpoint's: it is good at the resource as well.
    pub(crate) fn show(&self, mut request: RawRequest, venue: &str, token: &str) -> RawRequest {
        let uri = format!("{ISSUER}/{venue}{}", request.path);
        let nonce = self.handle.look(|authority| authority.nonce(clock::now()));
        let ath = tidegate_identity::oauth::dpop::ath(token);
        let proof = self.proof(&uri, request.method.as_str(), nonce.as_deref(), Some(&ath));
        request.headers =
            vec![("authorization".into(), format!("DPoP {token}")), ("dpop".into(), proof)];
        request
    }

    fn unique(&self) -> String {
        self.count.set(self.count.get() + 1);
        format!("{}{}", self.id, self.count.get())
    }

    /// The form with the client's assertion.
    pub(crate) fn form(&self, fields: &str) -> String {
        let now = clock::now().millis() / 1000;
        let claims = json!({
            "iss": self.id, "sub": self.id, "aud": ISSUER, "jti": self.unique(), "iat": now,
            "exp": now + 60,
        });
        let assertion = key(1).sign(Typ::ClientAssertion, &claims).unwrap();
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        format!("{fields}&client_assertion_type={kind}&client_assertion={assertion}")
    }

    pub(crate) fn proof(
        &self,
        htu: &str,
        htm: &str,
        nonce: Option<&str>,
        ath: Option<&str>,
    ) -> String {
        let now = clock::now().millis() / 1000;
        let mut claims = json!({ "jti": self.unique(), "htm": htm, "htu": htu, "iat": now });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        if let Some(ath) = ath {
            claims["ath"] = ath.into();
        }
        key(2).prove(&claims).unwrap()
    }

    pub(crate) async fn post(&self, path: &str, form: String, proofs: &[String]) -> Reply {
        self.handle.answer(post(path, form, proofs)).await
    }

    /// An access token in the client's own name.
    pub(crate) async fn token(&self) -> String {
        self.token_by("grant_type=client_credentials").await
    }

    /// An access token in the client's own name that is over in four seconds, and when that is.
    pub(crate) fn short_token(&self) -> (String, Time) {
        let issue = |authority: &mut Authority| {
            let client = authority.state().clients().get(&ClientId::new(self.id).unwrap());
            let allowed = details::show::to_value(&client.unwrap().terms().allowed);
            let seconds = clock::now().millis() / 1000;
            let claims = json!({
                "iss": ISSUER, "aud": ISSUER, "sub": self.id, "client_id": self.id,
                "jti": TokenId([9; 16]).to_string(), "iat": seconds, "exp": seconds + 4,
                "cnf": { "jkt": key(2).public().thumbprint().to_string() },
                "authorization_details": allowed,
            });
            let token = authority.keys().current().sign(Typ::AccessToken, &claims).unwrap();
            (token, Time::from_millis((seconds + 4) * 1000))
        };
        self.handle.look(issue).unwrap()
    }

    /// An access token for these fields of the form.
    pub(crate) async fn token_by(&self, fields: &str) -> String {
        let nonce = self.handle.look(|authority| authority.nonce(clock::now()));
        let proof = self.proof(&format!("{ISSUER}/oauth/token"), "POST", nonce.as_deref(), None);
        let reply = self.post("/oauth/token", self.form(fields), &[proof]).await;
        assert_eq!(reply.status, 200, "{}", body(&reply));
        body(&reply)["access_token"].as_str().unwrap().to_owned()
    }
}

fn request(method: Method, path: &str) -> RawRequest {
    RawRequest {
        method,
        path: path.to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    }
}

fn post(path: &str, form: String, proofs: &[String]) -> RawRequest {
    let mut request = request(Method::Post, path);
    request.headers = proofs.iter().map(|proof| ("dpop".to_owned(), proof.clone())).collect();
    let kind = "application/x-www-form-urlencoded;charset=UTF-8";
    request.headers.push(("content-type".into(), kind.into()));
    request.body = form.into_bytes();
    request
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let found = reply.headers.iter().find(|(header, _)| header == name);
    found.map(|(_, value)| value.as_str())
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_default()
}

fn facts(memory: &Memory) -> usize {
    let is_fact = |body: &&tidegate_types::record::Body| {
        matches!(body, tidegate_types::record::Body::Identity { .. })
    };
    bodies(memory).iter().filter(is_fact).count()
}

#[tokio::test]
async fn dp_19_a_nonce_is_asked_for_and_a_token_is_on_record_before_it_leaves() {
    let memory = Memory::default();
    let world = on(&memory, Durability::Disk).await;
    let app = App::new(&world.desk);
    let uri = format!("{ISSUER}/oauth/token");
    let form = || app.form("grant_type=client_credentials");
    let first = app.post("/oauth/token", form(), &[app.proof(&uri, "POST", None, None)]).await;
    assert_eq!((first.status, body(&first)["error"].as_str()), (400, Some("use_dpop_nonce")));
    assert_eq!(facts(&memory), 0);
    let nonce = header(&first, "dpop-nonce").unwrap();
    let proof = app.proof(&uri, "POST", Some(nonce), None);
    let second = app.post("/oauth/token", form(), std::slice::from_ref(&proof)).await;
    assert_eq!(second.status, 200, "{}", body(&second));
    assert_eq!(facts(&memory), 1);
    assert_eq!(header(&second, "cache-control"), Some("no-store"));
    assert!(header(&second, "dpop-nonce").is_some());
    assert_eq!(body(&second)["token_type"], "DPoP");
    let again = app.post("/oauth/token", form(), &[proof]).await;
    assert_eq!(body(&again)["error"], "invalid_dpop_proof");
    // What the journal holds is what a restart starts from.
    let mut ledger = Ledger::default();
    bodies(&memory).iter().for_each(|body| ledger.replay(body));
    assert_eq!(ledger.unread(), 0);
}

#[tokio::test]
async fn nothing_is_given_out_that_cannot_be_put_on_record() {
    let memory = Memory::default();
    let world = on(&memory, Durability::Disk).await;
    let app = App::new(&world.desk);
    memory.set_fault(Some(Fault::Sync));
    let nonce = app.handle.look(|authority| authority.nonce(clock::now()));
    let proof = app.proof(&format!("{ISSUER}/oauth/token"), "POST", nonce.as_deref(), None);
    let form = app.form("grant_type=client_credentials");
    let reply = app.post("/oauth/token", form, &[proof]).await;
    assert_eq!((reply.status, &body(&reply)["error"]), (503, &json!("temporarily_unavailable")));
    assert!(body(&reply).get("access_token").is_none());
}

#[tokio::test]
async fn par_1_oa_07_methods_and_forms_of_bodies() {
    let world = world().await;
    let app = App::new(&world.desk);
    for path in ["par", "token", "revoke", "introspect", "device_authorization"] {
        let path = format!("/oauth/{path}");
        for method in [Method::Get, Method::Put, Method::Delete] {
            let reply = app.handle.answer(request(method, &path)).await;
            assert_eq!((reply.status, header(&reply, "allow")), (405, Some("POST")), "{path}");
        }
        let mut json = post(&path, app.form("token=x"), &[]);
        json.headers = vec![("content-type".into(), "application/json".into())];
        let mut query = post(&path, app.form("token=x"), &[]);
        query.query = "client_id=ann".into();
        for wrong in [json, query] {
            let reply = app.handle.answer(wrong).await;
            assert_eq!((reply.status, &body(&reply)["error"]), (400, &json!("invalid_request")));
            assert_eq!(header(&reply, "cache-control"), Some("no-store"));
        }
        let unknown = app.post(&path, "client_id=nobody".into(), &[]).await;
        assert_eq!((unknown.status, &body(&unknown)["error"]), (401, &json!("invalid_client")));
    }
    let twice = [app.proof("x", "POST", None, None), app.proof("x", "POST", None, None)];
    let form = app.form("grant_type=client_credentials");
    assert_eq!(body(&app.post("/oauth/token", form, &twice).await)["error"], "invalid_dpop_proof");
}

#[tokio::test]
async fn par_3_fp_b14_a_pushed_request_may_be_long_and_is_named_at_random() {
    let world = world().await;
    let app = App::new(&world.desk);
    let (state, challenge) = ("s".repeat(1200), "c".repeat(43));
    let details = "%5B%7B%22type%22%3A%22tidegate_trading%22%2C%22venue%22%3A%22binance%22%2C%22account%22%3A\
                   %22main%22%2C%22instruments%22%3A%5B%22BTCUSDT%22%5D%2C%22read_only%22%3Atrue%7D%5D";
    let fields = format!(
        "response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state={state}\
         &code_challenge={challenge}&code_challenge_method=S256&authorization_details={details}"
    );
    let mut names = Vec::new();
    for _ in 0..2 {
        let reply = app.post("/oauth/par", app.form(&fields), &[]).await;
        let told = body(&reply);
        assert_eq!(reply.status, 201, "{told}");
        assert!((1..=600).contains(&told["expires_in"].as_u64().unwrap()), "{told}");
        names.push(told["request_uri"].as_str().unwrap().to_owned());
    }
    let random = names[0].strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap();
    assert!(random.len() >= 22 && names[0] != names[1], "{names:?}");
    let fields = fields.replace(&state, &"s".repeat(5000));
    assert_eq!(app.post("/oauth/par", app.form(&fields), &[]).await.status, 400);
}

#[tokio::test]
async fn oa_13_who_tries_a_password_is_told_so_in_its_scheme() {
    let world = world().await;
    let app = App::new(&world.desk);
    let mut basic = post("/oauth/token", "grant_type=client_credentials".into(), &[]);
    basic.headers.push(("authorization".into(), "Basic YTpi".into()));
    let reply = app.handle.answer(basic).await;
    assert_eq!(reply.status, 401);
    assert!(header(&reply, "www-authenticate").unwrap().starts_with("Basic realm="));
}

#[tokio::test]
async fn what_is_published_and_where_browsers_are_sent() {
    let world = world().await;
    let app = App::new(&world.desk);
    let get = async |path: &str| app.handle.answer(request(Method::Get, path)).await;
    let document = get("/.well-known/oauth-authorization-server").await;
    assert_eq!(body(&document)["issuer"], ISSUER);
    assert_eq!(
        body(&document)["token_endpoint_auth_methods_supported"],
        json!(["private_key_jwt"])
    );
    let resource = get("/.well-known/oauth-protected-resource").await;
    assert_eq!(body(&resource)["authorization_servers"], json!([ISSUER]));
    let keys = get("/oauth/jwks").await;
    let keys = body(&keys)["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key.get("d").is_none()));
    // It gives no identity tokens, so it says nothing of being an OpenID provider.
    assert_eq!(get("/.well-known/openid-configuration").await.status, 404);
    let mut authorize = request(Method::Get, "/oauth/authorize");
    authorize.query = "client_id=ann&request_uri=urn%3Ax".into();
    let reply = app.handle.answer(authorize).await;
    assert_eq!(reply.status, 303);
    assert_eq!(header(&reply, "location"), Some("/consent?client_id=ann&request_uri=urn%3Ax"));
    assert_eq!(app.handle.answer(request(Method::Post, "/oauth/jwks")).await.status, 405);
}

#[tokio::test]
async fn without_an_address_it_gives_nothing() {
    let world = world().await;
    let handle = handle(&world.desk);
    let reply =
        handle.answer(request(Method::Get, "/.well-known/oauth-authorization-server")).await;
    assert_eq!(reply.status, 503);
    let reply = handle.answer(post("/oauth/token", "grant_type=x".into(), &[])).await;
    assert_eq!(reply.status, 503);
}

#[tokio::test]
async fn dp_22_an_assertion_is_refused_after_a_stop_and_after_a_crash() {
    let world = world().await;
    let folder = DataFolder::new(world.folder.path());
    let app = App::new(&world.desk);
    app.token().await;
    Seen::save(&app.handle, &folder, Seq(77));
    let now = clock::now();
    let mut restored = Seen::load(&folder, (Seq(77), false), now, None);
    let later = now.plus(Span::from_secs(60));
    assert_eq!(restored.len(), 1);
    assert!(
        restored.admit("ann", b"ann", "fresh", now.minus(Span::from_secs(5)), later, now).is_ok()
    );
    // A record came since the file was written: the gateway after that one crashed. Or folder and file are
    // a copy, made before others were seen.
    let ahead = |s| now.plus(Span::from_secs(s));
    for other in [(Seq(78), false), (Seq(77), true)] {
        let mut crashed = Seen::load(&folder, other, now, Some(now));
        assert!(crashed.admit("ann", b"ann", "old", ahead(14), later, now).is_err());
        assert!(crashed.admit("ann", b"ann", "new", ahead(15), later, now).is_ok());
    }
    let mut first = Seen::load(&folder, (Seq(0), false), now, None);
    assert!(first.admit("ann", b"ann", "new", now, later, now).is_ok());
}

/// A grant by a person who is nobody here, as a start finds it after a crash between their end and its.
fn of_nobody() -> Granted {
    use tidegate_identity::oauth::acr::Acr;
    use tidegate_identity::oauth::event::{Confirmation, GrantId};
    Granted {
        id: GrantId([1; 16]),
        client: ClientId::new("ann").unwrap(),
        subject: "person:AAAAAAAAAAAAAAAAAAAAAA".into(),
        details: terms("ann").allowed,
        delegates: Vec::new(),
        bound_to: Confirmation::Key { jkt: Thumbprint([1; 32]) },
        acr: Acr::TwoFactor,
        auth_time: clock::now(),
        amr: Vec::new(),
        until: clock::now().plus(Span::from_secs(3600)),
        refresh: None,
    }
}

#[tokio::test]
async fn a_start_ends_what_nobody_may_have_granted_before_it_waits_for_anything() {
    let office = crate::admin::tests::office().await;
    let mut state = State::default();
    state.apply(&Event::GrantMade { grant: of_nobody(), at: clock::now() });
    let keys = KeptKeys::new(&[7; 64], clock::now());
    let assertions = Once::new(100, Time::default());
    let start = Start { state, keys, assertions, mutual_tls: false, rsa: RsaBits::DEFAULT };
    let handle = Handle::new(Arc::clone(&office.world.desk), start);
    let people = office.people();
    let mut opening = Box::pin(handle.open_for(ISSUER.to_owned(), &people));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = opening.as_mut().poll(&mut context);
    assert!(handle.origin().is_some(), "it serves");
    assert_eq!(handle.grants(clock::now()).len(), 0);
}

#[tokio::test]
async fn an_address_that_asks_too_much_is_told_so_whoever_it_says_it_is() {
    let world = world().await;
    let handle = opened(&world.desk);
    let ask = |from: [u8; 4]| {
        let mut asked = post("/oauth/token", "client_id=nobody".into(), &[]);
        asked.peer = from.into();
        handle.answer(asked)
    };
    let mut answered = 0;
    let refused = loop {
        let reply = ask([192, 0, 2, 1]).await;
        if reply.status == 503 {
            break reply;
        }
        assert_eq!(reply.status, 401, "{}", body(&reply));
        answered += 1;
        assert!(answered < 3 * CALLS.1);
    };
    assert!(answered >= CALLS.1, "{answered}");
    assert_eq!(body(&refused)["error"], "temporarily_unavailable");
    assert_eq!(header(&refused, "retry-after"), Some("1"));
    assert_eq!(ask([192, 0, 2, 2]).await.status, 401, "others are served");
    for asked in [
        request(Method::Get, "/.well-known/oauth-authorization-server"),
        post("/oauth/revoke", "token=x".into(), &[]),
    ] {
        let reply = handle.answer(RawRequest { peer: [192, 0, 2, 1].into(), ..asked }).await;
        assert_ne!(reply.status, 503, "what costs nothing, and what ends a token");
    }
}
