//! What every page owes a browser: text stays text, headers, fields for passwords.

use super::*;
use aws_lc_rs::hmac;

const TAG: &str = "<img src=x onerror=alert(1)>\"'";

/// What an authenticator app shows for a secret now (RFC 6238).
fn code_of(page: &str) -> String {
    let text = page.split("id=\"secret\">").nth(1).unwrap().split('<').next().unwrap();
    let value = |b: u8| u64::from(if b.is_ascii_uppercase() { b - b'A' } else { b - b'2' + 26 });
    let (mut bits, mut held, mut key) = (0_u64, 0, Vec::new());
    for letter in text.bytes().filter(u8::is_ascii_alphanumeric) {
        bits = (bits << 5) | value(letter);
        held += 5;
        if held >= 8 {
            held -= 8;
            key.push((bits >> held) as u8);
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let step = crate::clock::now().millis() / 30_000;
    let mac = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(mac.as_ref()[19] & 15);
    let word: [u8; 4] = mac.as_ref()[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
}

#[tokio::test]
async fn what_breaks_a_page_s_policy_is_reported_and_changes_nothing() {
    let (office, pia, _, _) = desk().await;
    let policy = reply_policy(&pia.get("/console/").await);
    assert!(policy.ends_with("; report-uri /console/reports"), "{policy}");
    let before = office.world.desk.next_seq();
    let report = json!({"csp-report": {"effective-directive": "img-src", "blocked-uri": TAG}});
    let mut request = pia.json("/console/reports", &report);
    // As a browser sends it: of its own kind, and perhaps without a word of where it comes from.
    request.headers.retain(|(name, _)| name != "origin" && name != "content-type");
    let kind = "application/csp-report".to_owned();
    request.headers.push(("content-type".to_owned(), kind));
    request.headers.push(("sec-fetch-site".to_owned(), "cross-site".to_owned()));
    for _ in 0..3 {
        let reply = pia.web.answer(request.clone()).await;
        assert!(reply.status == 204 && reply.body.is_empty());
    }
    assert_eq!(office.world.desk.next_seq(), before);
}

fn reply_policy(reply: &Reply) -> String {
    header(reply, "content-security-policy").unwrap().to_owned()
}

#[tokio::test]
async fn one_enrols_by_passkey_though_no_app_can_be_offered() {
    let (office, links) = manned().await;
    let people = office.people();
    for n in 0..1000 {
        people.offer_app(&format!("link {n}"), &format!("p{n}").parse().unwrap()).unwrap();
    }
    let browser = Browser::at(&office);
    let link = format!("link={}", links[0]);
    let reply = browser.web.answer(browser.form("/console/enrol", "", &link)).await;
    let text = page(&reply);
    assert_eq!(reply.status, 200, "{text}");
    assert!(text.contains("Make a passkey") && text.contains("No app can be offered"), "{text}");
    let (mut browser, mut device) = (Browser::at(&office), browser.enrol(&links[0]).await);
    browser.log_in(&mut device).await;
    let reply = browser.get("/console/security").await;
    let text = page(&reply);
    assert_eq!(reply.status, 200, "{text}");
    assert!(text.contains("No app can be offered") && !text.contains("id=\"secret\""), "{text}");
}

#[tokio::test]
async fn what_people_write_is_text_on_every_page() {
    let (office, pia, _, mut device) = desk().await;
    let by = office.someone("ada");
    for request in [
        json!({"op": "person-set", "person": "ray", "roles": ["risk"]}),
        json!({"op": "halt", "scope": "account:main", "reason": TAG, "timeout_s": 0}),
    ] {
        let _ = office.ask_as(&by, request).await;
    }
    let shown = device.sign(&office.people().ask_passkey("browser").unwrap());
    let answer = crate::people::tests::answer(shown);
    office.people().log_in_by_passkey("browser", &answer, TAG).await.unwrap();
    let mut told = 0;
    for route in ROUTES.iter().filter(|route| route.method == Method::Get && !route.json) {
        if route.serve == Serve::Asset {
            continue;
        }
        for query in
            ["", "?link=%3Cimg%20src%3Dx%3E", "?client_id=%3Cimg%20src%3Dx%3E&request_uri=x"]
        {
            let path = format!("{}{query}", route.path.replace("{id}", "0"));
            let text = page(&pia.get(&path).await);
            assert!(!text.contains("<img"), "{path}: {text}");
            told += text.matches("&lt;img").count();
        }
    }
    assert!(told >= 2, "the session and the halt are shown: {told}");
    // What scripts read is JSON, which the edge says of whatever says nothing else.
    let live = pia.get("/console/live").await;
    assert!(header(&live, "content-type").is_none() && read(&live).is_object());
    let odd = pia.ask(&format!("/console/approvals/0/{TAG}"), json!({})).await;
    assert!(odd.status == 404 && !page(&odd).contains("<img"));
}

#[tokio::test]
async fn every_answer_bears_the_headers_that_bind_a_browser() {
    let (_office, pia, _, _) = desk().await;
    let paths = ROUTES.iter().filter(|route| route.method == Method::Get).map(|route| route.path);
    for path in paths.chain(["/console/nowhere", "/console/login/password"]) {
        let reply = pia.get(&path.replace("{id}", "0")).await;
        for (name, value) in [
            ("referrer-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(header(&reply, name), Some(value), "{path}");
        }
        let policy = header(&reply, "content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn a_password_is_set_anew_in_fields_that_hide_it_and_take_what_is_pasted() {
    let (_office, pia, _, _) = desk().await;
    let mut browser = Browser { web: pia.web, session: String::new(), login: pia.login };
    let login = page(&browser.get("/console/login").await);
    browser.session = pia.session;
    let security = page(&browser.get("/console/security").await);
    for (text, kind) in [(&login, "current-password"), (&security, "new-password")] {
        let field = text.split("<input id=\"password\"").nth(1).unwrap().split('>').next().unwrap();
        assert!(field.contains("type=\"password\""), "{field}");
        assert!(field.contains(&format!("autocomplete=\"{kind}\"")), "{field}");
        // What a manager makes fits.
        let most = field.split("maxlength=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(most.parse::<usize>().unwrap() >= 128, "{field}");
    }
    for script in ["passkey.js", "live.js"] {
        let text = page(&browser.get(&format!("/console/assets/{script}")).await);
        for word in [
            "paste",
            "copy",
            "keydown",
            "localStorage",
            "sessionStorage",
            "indexedDB",
            "innerHTML",
            "document.cookie",
            "eval(",
            "Function(",
            "__proto__",
            "Object.assign",
            "window.name",
            "postMessage",
        ] {
            assert!(!text.contains(word), "{script} has {word}");
        }
    }
    let fields = |text: &str, password: &str| format!("password={password}&code={}", code_of(text));
    let short = browser.post("/console/security/password", &fields(&security, "short")).await;
    assert_eq!(short.status, 422);
    let good = "vier+blaue+Esel+singen+leise";
    let set = browser.post("/console/security/password", &fields(&security, good)).await;
    let told = page(&set);
    assert!(set.status == 200 && told.contains("Recovery codes"), "{told}");
    assert!(!told.contains("Esel"), "a password is never shown");
    assert!(page(&browser.get("/console/security").await).contains("recovery codes are left"));
    let another = "fünf grüne Esel schweigen".replace(' ', "+");
    let security = page(&browser.get("/console/security").await);
    let set = browser.post("/console/security/password", &fields(&security, &another)).await;
    assert_eq!(set.status, 200, "{}", page(&set));
    browser.session = String::new();
    for (password, status) in [(good.to_owned(), 401), (another, 303)] {
        let csrf = csrf_token(&browser.login).expose().to_owned();
        let form = browser.form(
            "/console/login/password",
            &csrf,
            &format!("name=pia&password={password}"),
        );
        let reply = browser.web.answer(form).await;
        assert_eq!(reply.status, status, "{}", page(&reply));
    }
}
