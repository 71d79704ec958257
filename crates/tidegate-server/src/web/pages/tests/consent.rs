//! Consent in a browser and for a device, with an app that the desk registered.

use super::*;
use crate::web::oauth::tests::{App, ISSUER, key};
use tidegate_identity::oauth::jose::Thumbprint;

const VERIFIER: &str = "a-verifier-that-is-longer-than-forty-three-characters";
const BACK: &str = "https://app.example/cb";

/// A desk whose `ann` is an app, owned by `tom`.
struct Scene {
    office: Office,
    app: App,
    tom: Browser,
    device: Device,
    pia: Browser,
}

async fn scene() -> Scene {
    let (office, links) = manned().await;
    let by = office.someone("ada");
    office.ask_as(&by, registration()).await.unwrap();
    office.ask_as(&by, person(&["ann"])).await.unwrap();
    let invite = json!({"op": "person-invite", "person": "tom"});
    let made = office.ask_as(&by, invite).await.unwrap();
    let link = made["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    let (mut tom, mut pia) = (Browser::at(&office), Browser::at(&office));
    let mut device = tom.enrol(&link).await;
    tom.log_in(&mut device).await;
    let mut other = pia.enrol(&links[0]).await;
    pia.log_in(&mut other).await;
    let app = App::of(office.oauth());
    Scene { office, app, tom, device, pia }
}

fn registration() -> Value {
    let keys = json!({ "keys": [key(1).public().to_json()] });
    json!({"op": "app-set", "app": "ann", "title": "Ann <b>bot</b>", "jwks": keys,
        "grants": ["authorization_code", "refresh_token", "device_code", "client_credentials"],
        "redirect_uris": [BACK], "details": trading("2000000")})
}

fn person(owns: &[&str]) -> Value {
    json!({"op": "person-set", "person": "tom", "roles": ["trader"], "owns": owns})
}

fn trading(notional: &str) -> Value {
    json!([{"type": "tidegate_trading", "venue": "binance", "account": "main",
        "instruments": ["BTCUSDT"], "sides": ["buy"], "order_types": ["limit"],
        "max_order": {"notional": notional}, "max_open_notional": "1000"}])
}

fn reading() -> Value {
    json!([{"type": "tidegate_trading", "venue": "binance", "account": "main",
        "instruments": ["BTCUSDT"], "read_only": true}])
}

fn encoded(text: &str) -> String {
    let all = percent_encoding::NON_ALPHANUMERIC;
    percent_encoding::utf8_percent_encode(text, all).to_string()
}

impl Scene {
    /// Pushes a request; the query that the app's browser comes with.
    async fn pushed(&self, details: &Value, more: &str) -> String {
        let challenge = Thumbprint::of(VERIFIER.as_bytes());
        let fields = format!(
            "response_type=code&redirect_uri={}&state=s1&code_challenge={challenge}\
             &code_challenge_method=S256&authorization_details={}{more}",
            encoded(BACK),
            encoded(&details.to_string()),
        );
        let reply = self.app.post("/oauth/par", self.app.form(&fields), &[]).await;
        assert_eq!(reply.status, 201, "{}", read(&reply));
        let uri = read(&reply)["request_uri"].as_str().unwrap().to_owned();
        format!("client_id=ann&request_uri={}", encoded(&uri))
    }

    /// Has a device ask; its code and the one to be typed.
    async fn asked_by_device(&self) -> (String, String) {
        let fields = format!("authorization_details={}", encoded(&trading("50").to_string()));
        let reply = self.app.post("/oauth/device_authorization", self.app.form(&fields), &[]).await;
        assert_eq!(reply.status, 200, "{}", read(&reply));
        let text = |name: &str| read(&reply)[name].as_str().unwrap().to_owned();
        (text("device_code"), text("user_code"))
    }

    async fn token(&self, fields: &str) -> (u16, Value) {
        let nonce = self.app.handle.look(|authority| authority.nonce(crate::clock::now()));
        let uri = format!("{ISSUER}/oauth/token");
        let proof = self.app.proof(&uri, "POST", nonce.as_deref(), None);
        let reply = self.app.post("/oauth/token", self.app.form(fields), &[proof]).await;
        (reply.status, read(&reply))
    }

    async fn by_code(&self, to: &str) -> (u16, Value) {
        let code = to.split("code=").nth(1).unwrap().split('&').next().unwrap();
        let back = encoded(BACK);
        let verifier = encoded(VERIFIER);
        let fields = format!(
            "grant_type=authorization_code&redirect_uri={back}&code_verifier={verifier}&code={code}"
        );
        self.token(&fields).await
    }

    /// Signs what the page of a request shows; what the page would send.
    async fn signed(&mut self, base: &str, handle: (&str, &str), digest: &str) -> Value {
        let body = json!({ handle.0: handle.1, "digest": digest });
        let asked = self.tom.ask(&format!("{base}/options"), body.clone()).await;
        assert_eq!(asked.status, 200, "{}", page(&asked));
        let mut body = body;
        body["answer"] = self.device.sign(&read(&asked));
        body
    }

    fn grants(&self) -> usize {
        self.app.handle.look(|authority| authority.state().grants().count()).unwrap()
    }
}

/// What the page of a request says of who counts by whom, if anything.
async fn counted(scene: &Scene, details: &Value) -> Option<String> {
    let query = scene.pushed(details, "").await;
    let shown = page(&scene.tom.get(&at(&query)).await);
    let said = shown.split("id=\"counted\">").nth(1)?;
    Some(said.split("</dd>").next().unwrap().to_owned())
}

#[tokio::test]
async fn a_person_reads_what_counts_against_the_limits_they_grant() {
    let scene = scene().await;
    let alone = counted(&scene, &trading("50")).await.unwrap();
    assert!(alone.contains("all that ann trades on the account"), "{alone}");
    assert!(!alone.contains("by itself"), "nobody else acts: {alone}");
    assert_eq!(counted(&scene, &reading()).await, None, "nothing is traded");
    let mut app = registration();
    app["delegate"] = "bob".into();
    scene.office.ask_as(&scene.office.someone("ada"), app).await.unwrap();
    let both = counted(&scene, &trading("50")).await.unwrap();
    assert!(both.contains("is counted by itself: each may trade up to these limits"), "{both}");
}

fn digest_of(text: &str) -> String {
    text.split("id=\"digest\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

fn at(query: &str) -> String {
    format!("/console/consent?{query}")
}

#[tokio::test]
async fn a_person_sees_what_is_asked_and_grants_no_more_than_the_caller_may() {
    let mut scene = scene().await;
    let query = scene.pushed(&trading("2000000"), "&acr_values=phr").await;
    // The app's browser brings no session; the page leads on to one that has it.
    let mut arriving = scene.tom.request(Method::Get, "/consent", "", String::new());
    arriving.query.clone_from(&query);
    arriving.headers.retain(|(name, _)| name != "cookie");
    arriving.headers.push(("sec-fetch-site".into(), "cross-site".into()));
    arriving.headers.push(("sec-fetch-mode".into(), "navigate".into()));
    arriving.headers.push(("sec-fetch-dest".into(), "document".into()));
    let reply = scene.tom.web.answer(arriving).await;
    let onward = format!("content=\"0;url={}\"", at(&query).replace('&', "&amp;"));
    assert!(reply.status == 200 && page(&reply).contains(&onward), "{}", page(&reply));
    let shown = page(&scene.tom.get(&at(&query)).await);
    assert!(shown.contains("Ann &lt;b&gt;bot&lt;/b&gt;") && !shown.contains("<b>bot"), "{shown}");
    for said in ["app.example", "binance", "BTCUSDT", "buy", "1000000", "asked: 2000000"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(!shown.contains("Allow reading"));
    let digest = digest_of(&shown);
    let before = scene.office.world.desk.next_seq();
    let body = scene.signed("/console/consent", ("request", &query), &digest).await;
    let done = scene.tom.ask("/console/consent/passkey", body.clone()).await;
    let to = read(&done)["next"].as_str().unwrap_or_default().to_owned();
    assert!(to.starts_with(&format!("{BACK}?code=")), "{}", page(&done));
    assert!(to.contains("&state=s1") && to.contains("iss=https%3A%2F%2Fdesk%2Eexample"), "{to}");
    // The passkey's use and the signed statement stand before the code is given out.
    assert_eq!(scene.office.world.desk.next_seq().0, before.0 + 2);
    let again = scene.tom.ask("/console/consent/passkey", body).await;
    assert_eq!(again.status, 400, "{}", page(&again));
    let (status, token) = scene.by_code(&to).await;
    assert_eq!(status, 200, "{token}");
    // By what they showed who they are, as RFC 8176 calls it.
    let text = token["access_token"].as_str().unwrap();
    let bearer = scene.app.handle.look(|it| it.verify(text, crate::clock::now())).unwrap().unwrap();
    assert_eq!(bearer.amr, ["hwk", "mfa", "user"], "AT-3");
    let given = &token["authorization_details"][0]["max_order"]["notional"];
    assert_eq!(given, "1000000");
    let subject = scene.app.handle.look(|it| it.state().grants().next().unwrap().subject.clone());
    assert!(subject.unwrap().starts_with("person:"));
}

#[tokio::test]
async fn another_request_s_digest_or_signature_grants_nothing() {
    let mut scene = scene().await;
    let (one, two) =
        (scene.pushed(&trading("50"), "").await, scene.pushed(&trading("60"), "").await);
    let first = digest_of(&page(&scene.tom.get(&at(&one)).await));
    let second = digest_of(&page(&scene.tom.get(&at(&two)).await));
    assert_ne!(first, second);
    let options = json!({ "request": two, "digest": first });
    assert_eq!(scene.tom.ask("/console/consent/options", options).await.status, 409);
    // Signed on the page of one, sent for the other.
    for digest in [&first, &second] {
        let mut body = scene.signed("/console/consent", ("request", &one), &first).await;
        body["request"] = two.as_str().into();
        body["digest"] = digest.as_str().into();
        let reply = scene.tom.ask("/console/consent/passkey", body).await;
        assert_eq!(reply.status, 409, "{}", page(&reply));
    }
    // What is signed for an approval or a login is no consent, and a session alone none to trading.
    let asked = scene.tom.ask("/console/login/options", json!({})).await;
    let answer = scene.device.sign(&read(&asked));
    let body = json!({ "request": one, "digest": first, "answer": answer });
    assert_ne!(scene.tom.ask("/console/consent/passkey", body).await.status, 200);
    let fields = format!("request={}&digest={first}", encoded(&one));
    assert_eq!(scene.tom.post("/console/consent/approve", &fields).await.status, 403);
    // What the caller may was changed under the page.
    let body = scene.signed("/console/consent", ("request", &one), &first).await;
    let narrow = json!({"op": "grant-set", "caller": "ann", "account": "main", "trade": true,
        "instruments": ["*"], "order_types": ["limit"], "max_order_notional": "5",
        "max_open_notional": "1000", "orders_per_second": 10, "burst": 10});
    scene.office.ask_as(&scene.office.someone("ada"), narrow).await.unwrap();
    let reply = scene.tom.ask("/console/consent/passkey", body).await;
    assert_eq!(reply.status, 409, "{}", page(&reply));
    assert_eq!(scene.grants(), 0);
}

#[tokio::test]
async fn who_may_not_decide_is_told_nothing_and_decides_nothing() {
    let scene = scene().await;
    let query = scene.pushed(&reading(), "").await;
    let (_, code) = scene.asked_by_device().await;
    let request = format!("request={}", encoded(&query));
    let typed = format!("user_code={code}");
    let replies = [
        scene.pia.get(&at(&query)).await,
        scene.pia.post("/console/consent/approve", &request).await,
        scene.pia.post("/console/consent/deny", &request).await,
        scene.pia.ask("/console/consent/options", json!({ "request": query })).await,
        scene.pia.ask("/console/consent/passkey", json!({ "request": query })).await,
        scene.pia.post("/console/device", &typed).await,
        scene.pia.post("/console/device/deny", &typed).await,
        scene.pia.ask("/console/device/options", json!({ "user_code": code })).await,
    ];
    for reply in replies {
        assert_eq!(reply.status, 403, "{}", page(&reply));
        let told = page(&reply);
        assert!(!told.contains("ann") && !told.contains("bot") && !told.contains("BTC"), "{told}");
    }
    // The request stands: its person decides.
    let reply = scene.tom.post("/console/consent/deny", &request).await;
    let told = page(&reply);
    assert!(reply.status == 200 && told.contains("error=access%5Fdenied"), "{told}");
    assert!(told.contains("state=s1") && told.contains("iss="), "{told}");
    let over = scene.tom.get(&at(&query)).await;
    assert_eq!(over.status, 400);
    assert!(page(&over).contains("(invalid_request_uri)"), "{}", page(&over));
}

#[tokio::test]
async fn reading_takes_a_session_as_good_and_as_fresh_as_is_asked() {
    let scene = scene().await;
    let stale = scene.pushed(&reading(), "&max_age=0").await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let shown = page(&scene.tom.get(&at(&stale)).await);
    assert!(!shown.contains("Allow reading"), "{shown}");
    let fields = |query: &str, shown: &str| {
        format!("request={}&digest={}", encoded(query), digest_of(shown))
    };
    let reply = scene.tom.post("/console/consent/approve", &fields(&stale, &shown)).await;
    assert_eq!(reply.status, 403);
    let query = scene.pushed(&reading(), "&acr_values=phr").await;
    let shown = page(&scene.tom.get(&at(&query)).await);
    let reply = scene.tom.post("/console/consent/approve", &fields(&query, &shown)).await;
    let told = page(&reply);
    assert!(told.contains(&format!("0;url={BACK}?code=")), "{told}");
    let to = told.split("0;url=").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let (status, token) = scene.by_code(&to).await;
    assert_eq!((status, &token["authorization_details"][0]["read_only"]), (200, &json!(true)));
    // It ends with the right to give it.
    let text = token["access_token"].as_str().unwrap();
    let good = || scene.app.handle.look(|it| it.verify(text, crate::clock::now()).is_some());
    assert_eq!((scene.grants(), good()), (1, Some(true)));
    scene.office.ask_as(&scene.office.someone("ada"), person(&[])).await.unwrap();
    assert_eq!((scene.grants(), good()), (0, Some(false)));
}

#[tokio::test]
async fn rv_5_what_a_person_granted_ends_when_they_leave() {
    let scene = scene().await;
    let query = scene.pushed(&reading(), "").await;
    let shown = page(&scene.tom.get(&at(&query)).await);
    let fields = format!("request={}&digest={}", encoded(&query), digest_of(&shown));
    let told = page(&scene.tom.post("/console/consent/approve", &fields).await);
    let to = told.split("0;url=").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let (_, token) = scene.by_code(&to).await;
    let text = token["access_token"].as_str().unwrap();
    let good = || scene.app.handle.look(|it| it.verify(text, crate::clock::now()).is_some());
    assert_eq!(good(), Some(true));
    let by = scene.office.someone("ada");
    let listed = scene.office.ask_as(&by, json!({"op": "app-grants"})).await.unwrap();
    assert_eq!(listed["grants"][0]["person"], "tom", "{listed}");
    let remove = json!({"op": "person-remove", "person": "tom"});
    scene.office.ask_as(&by, remove).await.unwrap();
    assert_eq!((scene.grants(), good()), (0, Some(false)));
}

#[tokio::test]
async fn a_device_s_code_is_typed_and_its_request_decided() {
    let mut scene = scene().await;
    let (handle, code) = scene.asked_by_device().await;
    let wrong = scene.tom.post("/console/device", "user_code=BBBB-BBBB").await;
    assert_eq!(wrong.status, 400);
    assert!(page(&wrong).contains("no device waits"), "{}", page(&wrong));
    let shown = page(&scene.tom.post("/console/device", &format!("user_code={code}")).await);
    assert!(shown.contains("runs on a device"), "{shown}");
    let body = scene.signed("/console/device", ("user_code", &code), &digest_of(&shown)).await;
    let done = scene.tom.ask("/console/device/passkey", body).await;
    assert_eq!(read(&done)["next"], "/console/device?done=yes", "{}", page(&done));
    let kind = encoded("urn:ietf:params:oauth:grant-type:device_code");
    let fields = format!("grant_type={kind}&device_code={handle}");
    assert_eq!(scene.token(&fields).await.0, 200);
    let (handle, code) = scene.asked_by_device().await;
    let denied = scene.tom.post("/console/device/deny", &format!("user_code={code}")).await;
    assert_eq!(header(&denied, "location"), Some("/console/device?done=no"));
    let (_, told) = scene.token(&format!("grant_type={kind}&device_code={handle}")).await;
    assert_eq!(told["error"], "access_denied");
    for _ in 0..29 {
        scene.tom.post("/console/device", "user_code=BBBB-BBBB").await;
    }
    assert_eq!(scene.tom.post("/console/device", "user_code=BBBB-BBBB").await.status, 503);
}

#[tokio::test]
async fn a_login_leads_back_to_what_waits_and_nowhere_else() {
    let mut scene = scene().await;
    let query = scene.pushed(&reading(), "").await;
    scene.tom.session = String::new();
    let sent = scene.tom.get(&at(&query)).await;
    assert_eq!(header(&sent, "location"), Some("/console/login"));
    let place = format!("__Host-tidegate-place={}; Path=/; Secure; HttpOnly", at(&query));
    assert!(header(&sent, "set-cookie").unwrap().starts_with(&place));
    let (good, evil) = (at(&query), "https://evil.example/console/consent?".to_owned());
    for (place, to) in [(&good, good.as_str()), (&evil, "/console/")] {
        let asked = scene.tom.ask("/console/login/options", json!({})).await;
        let csrf = csrf_token(&scene.tom.login).expose().to_owned();
        let body = json!({ "csrf": csrf, "answer": scene.device.sign(&read(&asked)) });
        let mut request = scene.tom.json("/console/login/passkey", &body);
        for (name, value) in &mut request.headers {
            if name == "cookie" {
                value.push_str(&format!("; __Host-tidegate-place={place}"));
            }
        }
        let done = scene.tom.web.answer(request).await;
        assert_eq!(read(&done)["next"], to, "{}", page(&done));
    }
}

#[tokio::test]
async fn the_caller_s_trader_decides_or_risk_that_does_not_own_it() {
    let scene = scene().await;
    let by = scene.office.someone("ada");
    for (roles, owns, may) in [
        (&["trader"][..], &["ann"][..], true),
        (&["trader"], &[], false),
        (&["risk"], &[], true),
        (&["risk"], &["ann"], false),
        (&["approver", "auditor"], &["ann"], false),
        (&["admin"], &["ann"], false),
    ] {
        let set = json!({"op": "person-set", "person": "sam", "roles": roles, "owns": owns});
        scene.office.ask_as(&by, set).await.unwrap();
        let decides = scene.office.world.desk.look(|state| {
            let (sam, ann) = ("sam".parse().unwrap(), "ann".parse().unwrap());
            crate::people::may_consent(state, &sam, &ann)
        });
        assert_eq!(decides, may, "{roles:?} {owns:?}");
    }
}

fn lifting(notional: &str) -> Value {
    let mut details = trading(notional);
    details[0]["lift_halts"] = true.into();
    details
}

impl Scene {
    /// Asks to lift the account's halt with a token.
    async fn lift(&self, token: &str) -> (u16, Value) {
        let path = "/v1/halts/account:main/resume";
        let mut request = self.tom.request(Method::Post, path, "", String::new());
        let nonce = self.app.handle.look(|authority| authority.nonce(crate::clock::now()));
        let ath = tidegate_identity::oauth::dpop::ath(token);
        let proof =
            self.app.proof(&format!("{ISSUER}{path}"), "POST", nonce.as_deref(), Some(&ath));
        request.headers = vec![
            ("content-type".into(), "application/json".into()),
            ("authorization".into(), format!("DPoP {token}")),
            ("dpop".into(), proof),
        ];
        request.body = br#"{"reason": "reconciled"}"#.to_vec();
        let reply = self.tom.web.answer(request).await;
        (reply.status, read(&reply))
    }

    /// A token of a login that is an hour old.
    async fn stale(&self, granted: &Value) -> String {
        let visitor = self.office.people().enter(&self.tom.session).await.unwrap();
        let granted = tidegate_identity::oauth::details::parse(&granted.to_string()).unwrap();
        let fields = format!("authorization_details={}", encoded(&lifting("50").to_string()));
        let begun = self.app.post("/oauth/device_authorization", self.app.form(&fields), &[]).await;
        let text = |name: &str| read(&begun)[name].as_str().unwrap().to_owned();
        let approval = tidegate_identity::oauth::authority::Approval {
            subject: crate::people::subject(visitor.handle),
            acr: tidegate_identity::oauth::acr::Acr::PhishingResistant,
            auth_time: crate::clock::now().minus(tidegate_types::time::Span::from_secs(3600)),
            amr: Vec::new(),
            delegates: Vec::new(),
            may_grant: granted.clone(),
            granted,
        };
        let people = self.office.people();
        let app = tidegate_identity::oauth::client::ClientId::new("ann").unwrap();
        let user_code = text("user_code");
        self.app.handle.device_approve(&people, &app, &user_code, approval).await.unwrap();
        let kind = encoded("urn:ietf:params:oauth:grant-type:device_code");
        let fields = format!("grant_type={kind}&device_code={}", text("device_code"));
        self.token(&fields).await.1["access_token"].as_str().unwrap().to_owned()
    }

    async fn consented(&mut self, query: &str) -> Value {
        let shown = page(&self.tom.get(&at(query)).await);
        let body = self.signed("/console/consent", ("request", query), &digest_of(&shown)).await;
        let done = self.tom.ask("/console/consent/passkey", body).await;
        let to = read(&done)["next"].as_str().unwrap().to_owned();
        self.by_code(&to).await.1
    }
}

#[tokio::test]
async fn su_1_su_2_who_has_to_log_in_anew_does_and_the_token_of_that_lifts_the_halt() {
    let mut scene = scene().await;
    let ada = scene.office.someone("ada");
    let keys = json!({ "keys": [key(1).public().to_json()] });
    let app = json!({"op": "app-set", "app": "ann", "title": "Ann", "jwks": keys,
        "grants": ["authorization_code", "device_code"], "redirect_uris": [BACK],
        "details": lifting("2000000")});
    scene.office.ask_as(&ada, app).await.unwrap();
    // Who may lift no halts gives nobody the right to.
    let query = scene.pushed(&lifting("50"), "").await;
    let token = scene.consented(&query).await;
    assert!(token["authorization_details"][0].get("lift_halts").is_none(), "{token}");
    let risk = json!({"op": "person-set", "person": "tom", "roles": ["risk"]});
    scene.office.ask_as(&ada, risk).await.unwrap();
    scene.tom.log_in(&mut scene.device).await;
    let halt = json!({"op": "halt", "scope": "account:main", "reason": "x", "timeout_s": 0});
    let _ = scene.office.ask_as(&scene.office.someone("tom"), halt).await;
    let token = scene.stale(&lifting("50")).await;
    let (status, told) = scene.lift(&token).await;
    assert_eq!((status, &told["retry"]), (401, &json!("log_in_anew")), "{told}");
    let login = &told["login"];
    let acr = login["acr_values"].as_str().unwrap();
    let asked = format!("&acr_values={acr}&max_age={}", login["max_age"]);
    let query = scene.pushed(&lifting("50"), &asked).await;
    let shown = page(&scene.tom.get(&at(&query)).await);
    assert!(shown.contains("Lifting halts in your name"), "{shown}");
    let token = scene.consented(&query).await;
    assert_eq!(token["authorization_details"][0]["lift_halts"], true, "{token}");
    let (status, told) = scene.lift(token["access_token"].as_str().unwrap()).await;
    assert_eq!((status, &told), (200, &json!({"scope": "account:main"})));
    let halted = |state: &tidegate_core::state::State| !state.halts().is_empty();
    assert!(!scene.office.world.desk.look(halted));
}

#[tokio::test]
async fn a_yes_gives_nothing_once_its_person_is_gone() {
    let mut scene = scene().await;
    let query = scene.pushed(&reading(), "").await;
    let shown = page(&scene.tom.get(&at(&query)).await);
    let fields = format!("request={}&digest={}", encoded(&query), digest_of(&shown));
    let told = page(&scene.tom.post("/console/consent/approve", &fields).await);
    let to = told.split("0;url=").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let (handle, code) = scene.asked_by_device().await;
    let shown = page(&scene.tom.post("/console/device", &format!("user_code={code}")).await);
    let body = scene.signed("/console/device", ("user_code", &code), &digest_of(&shown)).await;
    assert_eq!(scene.tom.ask("/console/device/passkey", body).await.status, 200);
    let by = scene.office.someone("ada");
    scene.office.ask_as(&by, json!({"op": "person-remove", "person": "tom"})).await.unwrap();
    let (status, token) = scene.by_code(&to).await;
    assert_eq!((status, &token["error"]), (400, &json!("invalid_grant")), "{token}");
    let kind = encoded("urn:ietf:params:oauth:grant-type:device_code");
    let (status, token) = scene.token(&format!("grant_type={kind}&device_code={handle}")).await;
    assert_eq!((status, &token["error"]), (400, &json!("access_denied")), "{token}");
    assert_eq!(scene.grants(), 0);
}
