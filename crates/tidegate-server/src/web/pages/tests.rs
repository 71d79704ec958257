use super::guard::{BROWSER, SESSION};
use super::routes::{Needs, ROUTES, Route, Serve};
use crate::admin::tests::Office;
use crate::people::tests::{Device, ORIGIN, manned};
use crate::web::Web;
use crate::web::every_route::{self, Row};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tidegate_identity::people::sessions::csrf_token;
use tidegate_types::reject::Code;
use tidegate_types::request::{Method, RawRequest, Reply};

mod attested;
mod consent;
mod figures;
mod hardening;
mod manage;
mod share;
mod standing;
mod step_up;

/// A browser: its cookies, and the desk it is at.
struct Browser {
    web: Web,
    session: String,
    login: String,
}

impl Browser {
    fn at(office: &Office) -> Browser {
        // A login page of its own: two that ask in one millisecond are asked the same by one.
        static BROWSERS: AtomicU64 = AtomicU64::new(0);
        let login = format!("{:0>43}", BROWSERS.fetch_add(1, Ordering::Relaxed));
        Browser { web: office.web(), session: String::new(), login }
    }

    fn request(&self, method: Method, path: &str, kind: &str, body: String) -> RawRequest {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let cookies = format!("{SESSION}={}; {BROWSER}={}", self.session, self.login);
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![header("host", "localhost:8443"), header("cookie", &cookies)];
        if method == Method::Post {
            headers.push(header("origin", ORIGIN));
            headers.push(header("content-type", kind));
        }
        RawRequest {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.into_bytes(),
            peer: "192.0.2.7".parse().unwrap(),
            certificate: None,
        }
    }

    async fn get(&self, path: &str) -> Reply {
        self.web.answer(self.request(Method::Get, path, "", String::new())).await
    }

    fn form(&self, path: &str, csrf: &str, fields: &str) -> RawRequest {
        let kind = "application/x-www-form-urlencoded";
        self.request(Method::Post, path, kind, format!("csrf={csrf}&{fields}"))
    }

    fn json(&self, path: &str, body: &Value) -> RawRequest {
        self.request(Method::Post, path, "application/json", body.to_string())
    }

    async fn post(&self, path: &str, fields: &str) -> Reply {
        let csrf = csrf_token(&self.session).expose().to_owned();
        self.web.answer(self.form(path, &csrf, fields)).await
    }

    async fn ask(&self, path: &str, mut body: Value) -> Reply {
        let page = if path.contains("/login/") { &self.login } else { &self.session };
        body["csrf"] = csrf_token(page).expose().into();
        self.web.answer(self.json(path, &body)).await
    }

    async fn enrol(&self, link: &str) -> Device {
        let link = json!({ "link": link });
        let asked = self.web.answer(self.json("/console/enrol/options", &link)).await;
        let (device, answer) = Device::make(&read(&asked));
        let body = json!({ "link": link["link"], "answer": answer });
        let done = self.web.answer(self.json("/console/enrol/passkey", &body)).await;
        assert_eq!((done.status, read(&done)["next"].as_str()), (200, Some("/console/login")));
        device
    }

    async fn log_in(&mut self, device: &mut Device) {
        let asked = self.ask("/console/login/options", json!({})).await;
        let body = json!({ "answer": device.sign(&read(&asked)) });
        let done = self.ask("/console/login/passkey", body).await;
        assert_eq!(done.status, 200, "{}", read(&done));
        self.take_cookie(&done);
    }

    fn take_cookie(&mut self, reply: &Reply) {
        let cookie = header(reply, "set-cookie").unwrap();
        assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
        self.session = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    }
}

fn read(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_default()
}

fn page(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A desk in mode two with `pia` and `ada` enrolled, and a request of each kind of asker.
async fn desk() -> (Office, Browser, Browser, Device) {
    let (office, pia, ada, [device, _]) = desk_of_two().await;
    (office, pia, ada, device)
}

async fn desk_of_two() -> (Office, Browser, Browser, [Device; 2]) {
    let (office, links) = manned().await;
    let (mut pia, mut ada) = (Browser::at(&office), Browser::at(&office));
    let mut device = pia.enrol(&links[0]).await;
    let mut other = ada.enrol(&links[1]).await;
    pia.log_in(&mut device).await;
    ada.log_in(&mut other).await;
    let by = office.someone("ada");
    office.ask_as(&by, json!({"op": "approvals-set", "approvals": "two"})).await.unwrap();
    for account in ["one", "two"] {
        let add = json!({"op": "account-add", "venue": "binance", "account": account});
        let told = office.ask_as(&by, add).await.unwrap();
        assert!(told["pending"].is_u64(), "{told}");
    }
    (office, pia, ada, [device, other])
}

async fn stage(office: &Office, id: usize) -> (String, Value) {
    let told = office.ask_as(&office.someone("ada"), json!({"op": "approvals"})).await.unwrap();
    let request = &told["requests"][id];
    (request["stage"].as_str().unwrap().to_owned(), request["digest"].clone())
}

/// The routes, for what goes over those of every table.
pub(in crate::web) fn rows() -> Vec<Row> {
    let row = |route: &super::Route| {
        let needs = match route.needs {
            Needs::Nothing => every_route::Needs::Nothing,
            Needs::Browser => every_route::Needs::LoginPage,
            // What a provider signs is made up by whoever asks here, like a link, and so is a report.
            Needs::Link | Needs::Provider | Needs::Report => every_route::Needs::Link,
            Needs::Session => every_route::Needs::Session,
        };
        let path = route.path.replace("{id}", "0");
        Row::web(route.method, &path, needs, route.method == Method::Post)
    };
    ROUTES.iter().map(row).collect()
}

#[tokio::test]
async fn no_route_serves_anybody_without_what_it_needs() {
    let (office, links) = manned().await;
    drop(links);
    let mut browser = Browser::at(&office);
    browser.session = "s".repeat(43);
    let before = office.world.desk.next_seq();
    for route in ROUTES {
        let path = route.path.replace("{id}", "0");
        let reply = match (route.method, route.json) {
            (Method::Get, _) => browser.get(&path).await,
            // A token that fits the cookie, and still nobody behind it.
            (_, true) => browser.ask(&path, json!({})).await,
            (_, false) => browser.post(&path, "number=1").await,
        };
        let said = format!("{} {path}: {}", route.method.as_str(), reply.status);
        match (route.needs, route.method, route.serve) {
            // Nothing was pushed.
            (Needs::Nothing, _, Serve::ConsentEntry) => assert_eq!(reply.status, 400, "{said}"),
            // There is no provider, and no answer of one.
            (Needs::Nothing, _, Serve::OutsideKeys) | (Needs::Provider, ..) => {
                assert_eq!(reply.status, 404, "{said}");
            }
            // It is no report.
            (Needs::Report, ..) => assert_eq!(reply.status, 400, "{said}"),
            (Needs::Nothing, _, Serve::OutsideReturn) => assert_eq!(reply.status, 403, "{said}"),
            (Needs::Nothing, ..) => assert!(matches!(reply.status, 200 | 303), "{said}"),
            (Needs::Link, ..) => assert_eq!(reply.status, 403, "{said}"),
            (Needs::Session, Method::Get, Serve::Live) => assert_eq!(reply.status, 401, "{said}"),
            (Needs::Session, Method::Get, _) => {
                assert_eq!(header(&reply, "location"), Some("/console/login"), "{said}");
            }
            (Needs::Session, ..) => assert_eq!(reply.status, 401, "{said}"),
            // A challenge opens nothing by itself.
            (Needs::Browser, _, Serve::LogInOptions) => assert_eq!(reply.status, 200, "{said}"),
            (Needs::Browser, ..) => assert!(matches!(reply.status, 401 | 403), "{said}"),
        }
        if route.serve != Serve::Asset {
            assert_eq!(header(&reply, "cache-control"), Some("no-store"), "{said}");
        }
        assert!(header(&reply, "content-security-policy").is_some(), "{said}");
    }
    assert_eq!(office.world.desk.next_seq(), before);
}

#[tokio::test]
async fn nothing_changes_by_a_request_that_no_page_of_ours_sent() {
    let (office, pia, _, _) = desk().await;
    let (before, begun) = (office.world.desk.next_seq(), Instant::now());
    let wrong = csrf_token("another session").expose().to_owned();
    let by_browser = |route: &&Route| {
        route.method == Method::Post && !matches!(route.needs, Needs::Provider | Needs::Report)
    };
    for route in ROUTES.iter().filter(by_browser) {
        let path = route.path.replace("{id}", "0");
        let good = csrf_token(&pia.session).expose().to_owned();
        let with = |csrf: &str| match route.json {
            true => pia.json(&path, &json!({ "csrf": csrf })),
            false => pia.form(&path, csrf, "number=0"),
        };
        let mut tries = Vec::new();
        if route.needs != Needs::Link {
            tries.push(with(&wrong));
            tries.push(with(""));
        }
        for origin in ["https://evil.example", "null", "http://localhost:8443", ""] {
            let mut request = with(&good);
            request.headers.retain(|(name, _)| name != "origin");
            if !origin.is_empty() {
                request.headers.push(("origin".to_owned(), origin.to_owned()));
            }
            tries.push(request);
        }
        let mut sibling = with(&good);
        sibling.headers.push(("sec-fetch-site".to_owned(), "same-site".to_owned()));
        tries.push(sibling);
        for request in tries {
            let reply = pia.web.answer(request).await;
            assert_eq!(reply.status, 403, "{path}: {}", page(&reply));
        }
    }
    // Nothing but what says so, once a second of the person and once of strangers.
    let written = office.world.desk.next_seq().0 - before.0;
    let most = 2 * (begun.elapsed().as_secs() + 2);
    assert!((2..=most).contains(&written), "{written} records");
    assert!(office.world.desk.look(|state| state.refusals().contains_key(&Code::NotAllowed)));
    assert!(page(&pia.get("/console/approvals").await).contains("waiting"));
}

#[tokio::test]
async fn a_page_is_for_a_person_who_goes_there_and_in_no_frame() {
    let (_office, pia, _, _) = desk().await;
    let fetched = |site: &str, mode: &str, dest: &str| {
        let mut request = pia.request(Method::Get, "/console/access", "", String::new());
        for (name, value) in [("site", site), ("mode", mode), ("dest", dest)] {
            request.headers.push((format!("sec-fetch-{name}"), value.to_owned()));
        }
        request
    };
    for (site, mode, dest, status) in [
        ("none", "navigate", "document", 200),
        ("cross-site", "navigate", "document", 200),
        ("cross-site", "navigate", "iframe", 403),
        ("cross-site", "no-cors", "script", 403),
        ("same-site", "cors", "empty", 403),
    ] {
        let reply = pia.web.answer(fetched(site, mode, dest)).await;
        assert_eq!(reply.status, status, "{site} {mode} {dest}");
    }
    let reply = pia.get("/console/").await;
    let policy = header(&reply, "content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
    let text = page(&reply);
    assert!(!text.contains("style=") && !text.contains("onclick") && !text.contains("<script>"));
}

#[tokio::test]
async fn a_request_is_approved_on_its_own_page_alone() {
    let (office, pia, ada, mut device) = desk().await;
    let (_, one) = stage(&office, 0).await;
    let (_, two) = stage(&office, 1).await;
    let shown = page(&pia.get("/console/approvals/0").await);
    assert!(shown.contains(one.as_str().unwrap()) && shown.contains("add account one at binance"));
    // Signed on the page of one, sent for the other, whatever digest it says.
    for digest in [&one, &two] {
        let asked = pia.ask("/console/approvals/0/options", json!({ "digest": one })).await;
        let answer = device.sign(&read(&asked));
        let body = json!({ "digest": digest, "answer": answer });
        let reply = pia.ask("/console/approvals/1/approve", body).await;
        assert_eq!(reply.status, 409, "{}", page(&reply));
    }
    // A page that shows something else gets nothing to sign.
    let reply = pia.ask("/console/approvals/0/options", json!({ "digest": two })).await;
    assert_eq!(reply.status, 409);
    assert_eq!([stage(&office, 0).await.0, stage(&office, 1).await.0], ["waiting", "waiting"]);
    // Who asked may not approve, and finds no button.
    let reply = ada.ask("/console/approvals/0/options", json!({ "digest": one })).await;
    assert_eq!(reply.status, 403, "{}", page(&reply));
    assert!(!page(&ada.get("/console/approvals/0").await).contains("Approve with"));
    // A session alone approves nothing.
    let reply = pia.ask("/console/approvals/0/approve", json!({ "digest": one })).await;
    assert_eq!(reply.status, 401);
    let asked = pia.ask("/console/approvals/0/options", json!({ "digest": one })).await;
    let body = json!({ "digest": one, "answer": device.sign(&read(&asked)) });
    let reply = pia.ask("/console/approvals/0/approve", body).await;
    assert_eq!((reply.status, &read(&reply)["next"]), (200, &json!("/console/approvals/0")));
    assert_eq!(stage(&office, 0).await.0, "carried-out");
    assert!(page(&pia.get("/console/approvals/0").await).contains("passkey"));
    assert_eq!(pia.post("/console/approvals/1/deny", "").await.status, 303);
    assert_eq!(stage(&office, 1).await.0, "denied");
}

impl Browser {
    /// Signs what the page of a request shows; the status, and what was said.
    async fn sign(&self, device: &mut Device, id: usize, digest: &Value) -> (u16, String) {
        let at = format!("/console/approvals/{id}");
        let asked = self.ask(&format!("{at}/options"), json!({ "digest": digest })).await;
        if asked.status != 200 {
            return (asked.status, page(&asked));
        }
        let body = json!({ "digest": digest, "answer": device.sign(&read(&asked)) });
        let reply = self.ask(&format!("{at}/approve"), body).await;
        (reply.status, page(&reply))
    }
}

#[tokio::test]
async fn who_asked_at_the_command_line_confirms_on_the_page() {
    let (office, pia, ada, [mut device, mut other]) = desk_of_two().await;
    let by = office.someone("ada");
    let on = json!({"op": "approve-by-set", "approve_by": "passkey"});
    office.ask_as(&by, on).await.unwrap();
    let add = json!({"op": "account-add", "venue": "binance", "account": "three"});
    let told = office.ask_as(&by, add).await.unwrap();
    let confirm_at = format!("{ORIGIN}/console/approvals/2");
    assert_eq!((&told["pending"], &told["confirm_at"]), (&json!(2), &json!(confirm_at)));
    let digest = stage(&office, 2).await.1;
    // The command line neither confirms nor approves, and says where.
    let approve = json!({"op": "approve", "id": 2, "digest": digest});
    for who in ["ada", "pia"] {
        let (code, _) = office.ask_as(&office.someone(who), approve.clone()).await.unwrap_err();
        assert_eq!(code, "needs_passkey", "{who}");
    }
    let shown = page(&pia.get("/console/approvals/2").await);
    assert!(shown.contains("has to confirm it first") && !shown.contains("with your passkey"));
    assert_eq!(pia.sign(&mut device, 2, &digest).await.0, 409);
    assert!(page(&ada.get("/console/approvals/2").await).contains("Confirm with your passkey"));
    let said = ada.sign(&mut other, 2, &digest).await;
    assert_eq!((said.0, stage(&office, 2).await.0.as_str()), (200, "waiting"), "{}", said.1);
    assert_eq!(ada.sign(&mut other, 2, &digest).await.0, 403, "one is not two");
    let said = pia.sign(&mut device, 2, &digest).await;
    assert_eq!((said.0, stage(&office, 2).await.0.as_str()), (200, "carried-out"), "{}", said.1);
}

#[tokio::test]
async fn a_halt_is_lifted_by_who_asks_on_the_page_and_signs() {
    let (office, links) = manned().await;
    let by = office.someone("ada");
    let halt = json!({"op": "halt", "scope": "caller:ann", "reason": "odd", "timeout_s": 0});
    let _ = office.ask_as(&by, halt).await;
    let risk = json!({"op": "person-set", "person": "pia", "roles": ["approver", "risk"]});
    office.ask_as(&by, risk).await.unwrap();
    let mut pia = Browser::at(&office);
    let mut device = pia.enrol(&links[0]).await;
    pia.log_in(&mut device).await;
    let halted = || office.world.desk.look(|state| state.halts().len());
    assert!(page(&pia.get("/console/halts").await).contains("Ask to lift it"));
    let none = pia.post("/console/halts/lift", "scope=caller:nobody&reason=x").await;
    assert_eq!(none.status, 409, "{}", page(&none));
    let asked = pia.post("/console/halts/lift", "scope=caller:ann&reason=it+was+a+drill").await;
    let to = header(&asked, "location").map(str::to_owned);
    assert_eq!((asked.status, to.as_deref()), (303, Some("/console/approvals/0")));
    // In mode one it still waits for the passkey of who asked.
    assert_eq!(halted(), 1);
    let shown = page(&pia.get("/console/approvals/0").await);
    assert!(shown.contains("lift the halt of caller:ann: &quot;it was a drill&quot;"), "{shown}");
    assert!(shown.contains("carried out once you confirm it"), "{shown}");
    let digest = stage(&office, 0).await.1;
    assert_eq!(pia.sign(&mut device, 0, &digest).await.0, 200);
    assert_eq!((halted(), stage(&office, 0).await.0.as_str()), (0, "carried-out"));
}

#[tokio::test]
async fn a_request_that_is_void_between_what_is_shown_and_what_is_signed_is_not_carried_out() {
    let (office, pia, _, mut device) = desk().await;
    let (one, two) = (stage(&office, 0).await.1, stage(&office, 1).await.1);
    // Two tabs: the later challenge is the one that counts, whichever page sends it.
    let first = pia.ask("/console/approvals/0/options", json!({ "digest": one })).await;
    let second = pia.ask("/console/approvals/1/options", json!({ "digest": two })).await;
    let body = json!({ "digest": one, "answer": device.sign(&read(&first)) });
    let reply = pia.ask("/console/approvals/0/approve", body).await;
    assert!(reply.status == 409 || reply.status == 422, "{}", page(&reply));
    let body = json!({ "digest": two, "answer": device.sign(&read(&second)) });
    assert_ne!(pia.ask("/console/approvals/1/approve", body).await.status, 200, "it is used up");
    assert_eq!([stage(&office, 0).await.0, stage(&office, 1).await.0], ["waiting", "waiting"]);
    // The state changes after the page was read and before it is signed.
    let asked = pia.ask("/console/approvals/0/options", json!({ "digest": one })).await;
    let by = office.someone("ada");
    let off = json!({"op": "approvals-set", "approvals": "one"});
    assert_eq!(office.ask_as(&by, off).await.unwrap()["pending"], 2);
    let digest = stage(&office, 2).await.1;
    let approve = json!({"op": "approve", "id": 2, "digest": digest});
    office.ask_as(&office.someone("pia"), approve).await.unwrap();
    let add = json!({"op": "account-add", "venue": "binance", "account": "one"});
    office.ask_as(&by, add).await.unwrap();
    let body = json!({ "digest": one, "answer": device.sign(&read(&asked)) });
    assert_ne!(pia.ask("/console/approvals/0/approve", body).await.status, 200);
    assert_ne!(stage(&office, 0).await.0, "carried-out");
}

#[tokio::test]
async fn who_may_not_see_a_request_is_told_that_there_is_none() {
    let (office, links) = manned().await;
    let by = office.someone("ada");
    for set in [
        json!({"op": "person-set", "person": "tom", "roles": ["trader"]}),
        json!({"op": "approvals-set", "approvals": "two"}),
    ] {
        office.ask_as(&by, set).await.unwrap();
    }
    drop(links);
    let asked = json!({"op": "person-invite", "person": "tom"});
    let told = office.ask_as(&by, asked).await.unwrap();
    let (id, link) = (told["pending"].as_u64().unwrap(), told["link"].as_str().unwrap());
    let link = link.rsplit('#').next().unwrap();
    // The link waits for a second person too.
    let mut tom = Browser::at(&office);
    let opened = format!("link={link}");
    assert_eq!(tom.post("/console/enrol", &opened).await.status, 403);
    let digest = stage(&office, 0).await.1;
    let approve = json!({"op": "approve", "id": id, "digest": digest});
    office.ask_as(&office.someone("pia"), approve).await.unwrap();
    // What is in an address is in histories and logs: there the link opens nothing.
    let shown = page(&tom.get(&format!("/console/enrol?{opened}")).await);
    assert!(!shown.contains("Welcome") && !shown.contains(link), "{shown}");
    assert!(page(&tom.post("/console/enrol", &opened).await).contains("Welcome, tom"));
    let mut device = tom.enrol(link).await;
    tom.log_in(&mut device).await;
    for (path, fields) in [("/console/approvals/0", None), ("/console/approvals/0/deny", Some(""))]
    {
        let reply = match fields {
            None => tom.get(path).await,
            Some(fields) => tom.post(path, fields).await,
        };
        assert_eq!(reply.status, 404, "{path}");
    }
    let reply = tom.ask("/console/approvals/0/options", json!({ "digest": digest })).await;
    assert_eq!(reply.status, 404);
    let access = page(&tom.get("/console/access").await);
    assert!(access.contains("No caller is yours") && !access.contains("ann"));
}

#[tokio::test]
async fn sessions_end_one_by_one_and_together() {
    let (_office, mut pia, _, mut device) = desk().await;
    let first = pia.session.clone();
    // The first is another browser from here on.
    pia.session = String::new();
    pia.log_in(&mut device).await;
    let second = std::mem::take(&mut pia.session);
    pia.log_in(&mut device).await;
    let list = page(&pia.get("/console/sessions").await);
    assert_eq!(list.matches("class=\"row\"").count(), 3);
    let mut other = Browser { session: first, web: pia.web, login: String::new() };
    assert_eq!(other.get("/console/").await.status, 200);
    let number = list.split("name=\"number\" value=\"").nth(2).unwrap().split('"').next().unwrap();
    let (mine, theirs) = (pia.session, other.session.clone());
    other.session = mine.clone();
    assert_eq!(other.post("/console/sessions/end", &format!("number={number}")).await.status, 303);
    other.session = theirs;
    assert_eq!(other.get("/console/").await.status, 303);
    other.session = mine;
    assert_eq!(other.post("/console/sessions/end", "number=others").await.status, 303);
    assert_eq!(other.get("/console/").await.status, 200);
    assert_eq!(other.post("/console/logout", "").await.status, 303);
    assert_eq!(other.get("/console/").await.status, 303);
    other.session = second;
    assert_eq!(other.get("/console/").await.status, 303);
}

#[tokio::test]
async fn asking_for_news_keeps_nobody_logged_in_and_odd_requests_are_refused() {
    let (_office, pia, _, _) = desk().await;
    let live = read(&pia.get("/console/live").await);
    assert_eq!(live["waiting"], 2);
    for (request, status) in [
        (pia.request(Method::Put, "/console/", "", String::new()), 405),
        (pia.request(Method::Get, "/console/nowhere", "", String::new()), 404),
        (pia.request(Method::Get, "/console/approvals/x", "", String::new()), 404),
        (pia.request(Method::Get, "/console/approvals/99", "", String::new()), 404),
        (pia.request(Method::Post, "/console/logout", "text/plain", "csrf=x".to_owned()), 400),
        (pia.form("/console/logout", "x", "csrf=y"), 400),
        (pia.form("/console/logout", "x", "admin=1"), 400),
        (pia.json("/console/approvals/0/approve", &json!({ "extra": 1 })), 400),
    ] {
        let said = format!("{} {}", request.method.as_str(), request.path);
        let reply = pia.web.answer(request).await;
        assert_eq!(reply.status, status, "{said}");
        for guard in ["content-security-policy", "x-frame-options", "cross-origin-opener-policy"] {
            assert!(header(&reply, guard).is_some(), "{said}: {guard}");
        }
    }
    let names = page(&pia.get("/console/login").await);
    assert!(names.is_empty(), "who is inside goes to the console");
}
