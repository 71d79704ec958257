//! What people change by pages: keys, apps, people, and what they log in by.

use super::*;

/// A desk in mode one with `pia` and `ada` logged in by passkey.
async fn open_desk() -> (Office, Browser, Browser) {
    let (office, links) = manned().await;
    let (mut pia, mut ada) = (Browser::at(&office), Browser::at(&office));
    for (browser, link) in [(&mut pia, &links[0]), (&mut ada, &links[1])] {
        let mut device = browser.enrol(link).await;
        browser.log_in(&mut device).await;
    }
    (office, pia, ada)
}

#[tokio::test]
async fn a_key_is_shown_with_its_terms_replaced_and_revoked() {
    let (office, pia, ada) = open_desk().await;
    let terms = json!({ "from": ["10.0.0.0/8"] });
    let add = json!({"op": "key-add", "caller": "ann", "account": "main", "terms": terms});
    let made = office.ask_as(&office.someone("ada"), add).await.unwrap();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let shown = page(&ada.get("/console/access").await);
    for said in [id, "from 10.0.0.0/8", "never used", "Revoke it for good"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(!shown.contains(secret));
    // An approver looks, and is neither offered to change it nor let.
    let looked = page(&pia.get("/console/access").await);
    assert!(looked.contains(id) && !looked.contains("Revoke"), "{looked}");
    let key = format!("key={id}");
    for path in ["/console/access/revoke", "/console/access/rotate"] {
        assert_eq!(pia.post(path, &key).await.status, 403, "{path}");
    }
    let reply = ada.post("/console/access/rotate", &key).await;
    let new = page(&reply);
    assert!(reply.status == 200 && new.contains("id=\"secret\""), "{new}");
    assert_eq!(header(&reply, "cache-control"), Some("no-store"));
    let shown = page(&ada.get("/console/access").await);
    assert!(shown.contains("good until"), "{shown}");
    assert_eq!(ada.post("/console/access/revoke", &key).await.status, 303);
    assert!(!page(&ada.get("/console/access").await).contains(id));
    assert_eq!(ada.post("/console/access/revoke", "key=none").await.status, 409);
}

#[tokio::test]
async fn the_owner_of_a_caller_replaces_its_key_and_alone_reads_the_secret() {
    let (office, _, ada) = open_desk().await;
    let by = office.someone("ada");
    let owner = json!({"op": "person-set", "person": "tom", "roles": ["trader"], "owns": ["ann"]});
    office.ask_as(&by, owner).await.unwrap();
    let invite = json!({"op": "person-invite", "person": "tom"});
    let made = office.ask_as(&by, invite).await.unwrap();
    let link = made["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    let mut tom = Browser::at(&office);
    let mut device = tom.enrol(&link).await;
    tom.log_in(&mut device).await;
    let add = json!({"op": "key-add", "caller": "ann", "account": "main"});
    let made = office.ask_as(&by, add).await.unwrap();
    let (id, known) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(page(&tom.get("/console/access").await).contains("Make a new key and secret"));
    let reply = tom.post("/console/access/rotate", &format!("key={id}")).await;
    let text = page(&reply);
    assert_eq!(reply.status, 200, "{text}");
    let secret = text.split("id=\"secret\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(secret != known && !page(&ada.get("/console/access").await).contains(secret));
    // The one that the administrator has seen ends.
    let shown = page(&tom.get("/console/access").await);
    assert!(shown.contains("good until"), "{shown}");
}

#[tokio::test]
async fn a_key_that_ends_is_replaced_by_one_that_ends_with_it() {
    let (office, _, ada) = open_desk().await;
    let until = crate::clock::now().millis() + 9_000_000;
    let terms = json!({"until_ms": until});
    let add = json!({"op": "key-add", "caller": "ann", "account": "main", "terms": terms});
    let made = office.ask_as(&office.someone("ada"), add).await.unwrap();
    let id = made["id"].as_str().unwrap();
    assert!(page(&ada.get("/console/access").await).contains("with the same end"));
    let reply = ada.post("/console/access/rotate", &format!("key={id}")).await;
    let text = page(&reply);
    assert_eq!(reply.status, 200, "{text}");
    assert!(text.contains("ends then too") && text.contains("id=\"secret\""), "{text}");
    let keys = json!({"op": "keys"});
    let told = office.ask_as(&office.someone("ada"), keys).await.unwrap();
    let ends = |key: &&Value| key["until_ms"] == until;
    assert_eq!(told["keys"].as_array().unwrap().iter().filter(ends).count(), 2, "{told}");
}

#[tokio::test]
async fn an_app_is_shown_with_its_terms_and_revoked() {
    let (office, pia, ada) = open_desk().await;
    let app = crate::admin::tests::roles::app("ann");
    office.ask_as(&office.someone("ada"), app).await.unwrap();
    assert!(page(&ada.get("/console/apps").await).contains("Revoke ann for good"));
    assert!(!page(&pia.get("/console/apps").await).contains("Revoke"));
    assert_eq!(pia.post("/console/apps/revoke", "name=ann").await.status, 403);
    assert_eq!(ada.post("/console/apps/revoke", "name=ann").await.status, 303);
    let shown = page(&ada.get("/console/apps").await);
    assert!(shown.contains("revoked") && !shown.contains("Revoke ann"), "{shown}");
}

#[tokio::test]
async fn a_key_of_apps_is_put_out_of_force_by_admin_and_risk() {
    let (office, pia, ada) = open_desk().await;
    let key = crate::web::oauth::tests::key(1).public().thumbprint();
    let is_revoked = || {
        let told = office.oauth().look(|authority| authority.state().is_key_revoked(&key));
        told.unwrap_or_default()
    };
    let field = format!("key={key}");
    // An approver sees no such form, and is not let.
    assert!(!page(&pia.get("/console/apps").await).contains("Put it out of force"));
    assert_eq!(pia.post("/console/apps/key", &field).await.status, 403);
    assert!(!is_revoked());
    assert!(page(&ada.get("/console/apps").await).contains("Put it out of force"));
    assert_eq!(ada.post("/console/apps/key", "key=nonsense").await.status, 409);
    let before = office.world.desk.next_seq();
    assert_eq!(ada.post("/console/apps/key", &field).await.status, 303);
    assert!(is_revoked() && office.world.desk.next_seq() > before);
}

#[tokio::test]
async fn people_are_listed_invited_and_logged_out() {
    let (office, pia, ada) = open_desk().await;
    let by = office.someone("ada");
    let set = json!({"op": "person-set", "person": "tom", "roles": ["trader"]});
    office.ask_as(&by, set).await.unwrap();
    let shown = page(&ada.get("/console/people").await);
    assert!(shown.contains("tom") && shown.contains("not yet"), "{shown}");
    assert_eq!(pia.post("/console/people/invite", "name=tom").await.status, 403);
    let made = page(&ada.post("/console/people/invite", "name=tom").await);
    let link = made.split("/console/enrol#").nth(1).unwrap().split('<').next().unwrap();
    let shown = page(&ada.get("/console/people").await);
    assert!(shown.contains("Open link"), "{shown}");
    let mut tom = Browser::at(&office);
    let mut device = tom.enrol(link).await;
    tom.log_in(&mut device).await;
    assert!(!page(&ada.get("/console/people").await).contains("Open link"));
    // Who may not list the people finds no way there.
    assert!(!page(&tom.get("/console/").await).contains("/console/people"));
    assert_eq!(tom.get("/console/people").await.status, 403);
    assert_eq!(ada.post("/console/people/logout", "name=tom").await.status, 303);
    assert_eq!(tom.get("/console/").await.status, 303);
    // Nobody makes a link for itself.
    assert_eq!(ada.post("/console/people/invite", "name=ada").await.status, 403);
}

#[tokio::test]
async fn what_happened_to_a_login_is_told_until_it_was_read() {
    let (office, pia, _) = open_desk().await;
    assert!(!page(&pia.get("/console/").await).contains("Was this you?"));
    let asked = pia.ask("/console/security/options", json!({})).await;
    let (_, answer) = Device::make(&read(&asked));
    let made = pia.ask("/console/security/passkey", json!({ "answer": answer })).await;
    assert_eq!(made.status, 200, "{}", page(&made));
    let news = page(&pia.get("/console/").await);
    assert!(news.contains("Was this you?") && news.contains("a passkey was added"), "{news}");
    let sessions = json!({"op": "sessions", "person": "pia"});
    let told = office.ask_as(&office.someone("ada"), sessions).await.unwrap();
    assert_eq!(told["notices"][0]["what"], "a passkey was added");
    let until = news.split("name=\"number\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let reply = pia.post("/console/security/read", &format!("number={until}")).await;
    assert_eq!(reply.status, 303);
    assert!(!page(&pia.get("/console/").await).contains("Was this you?"));
    // It stays on the list.
    let security = page(&pia.get("/console/security").await);
    assert!(security.contains("a passkey was added"));
    let credential = security.split("name=\"credential\" value=\"").nth(1).unwrap();
    let credential = credential.split('"').next().unwrap();
    let named = format!("credential={credential}&name=Key+on+the+%3Cdesk%3E");
    assert_eq!(pia.post("/console/security/name", &named).await.status, 303);
    let security = page(&pia.get("/console/security").await);
    assert!(security.contains("Key on the &lt;desk&gt;"), "{security}");
    let long = format!("credential={credential}&name={}", "x".repeat(41));
    assert_eq!(pia.post("/console/security/name", &long).await.status, 422);
    let left = pia.post("/console/logout", "").await;
    assert_eq!(header(&left, "clear-site-data"), Some(r#""cache", "storage""#));
}

#[tokio::test]
async fn a_lost_device_is_put_out_by_an_administrator() {
    let (office, pia, _) = open_desk().await;
    let by = office.someone("ada");
    let sessions = json!({"op": "sessions", "person": "pia"});
    let told = office.ask_as(&by, sessions.clone()).await.unwrap();
    let lost = told["passkeys"][0]["passkey"].as_str().unwrap();
    let remove =
        |passkey: &str| json!({"op": "passkey-remove", "person": "pia", "passkey": passkey});
    let told = office.ask_as(&by, remove("00000000")).await;
    assert!(matches!(told, Err((code, _)) if code == "unknown_passkey"));
    let told = office.ask_as(&office.someone("pia"), remove(lost)).await;
    assert!(matches!(told, Err((code, _)) if code == "forbidden"));
    office.ask_as(&by, remove(lost)).await.unwrap();
    assert_eq!(pia.get("/console/").await.status, 303);
    let told = office.ask_as(&by, sessions).await.unwrap();
    assert_eq!((&told["passkeys"], &told["sessions"]), (&json!([]), &json!([])));
    let me = office.ask_as(&office.someone("pia"), json!({"op": "me"})).await.unwrap();
    assert_eq!((&me["person"], &me["roles"]), (&json!("pia"), &json!(["approver"])));
    assert!(me["may"].as_array().unwrap().contains(&json!("approve a request")));
    let nobody = office.ask_as(&office.someone("uid-7"), json!({"op": "me"})).await.unwrap();
    assert_eq!(nobody["may"], json!(["read the status", "halt"]));
}

#[tokio::test]
async fn who_is_reset_is_out_at_once_and_back_by_a_link_that_the_desk_lets_be_given_out() {
    let (office, pia, ada) = open_desk().await;
    let by = office.someone("ada");
    let reset = |person: &str| json!({"op": "person-reset", "person": person});
    // One's own logins, and those of nobody, are not reset; who may not ask takes nothing away.
    for (who, whom, code) in [
        ("ada", "ada", "forbidden"),
        ("ada", "nemo", "unknown_person"),
        ("pia", "ada", "forbidden"),
    ] {
        let told = office.ask_as(&office.someone(who), reset(whom)).await;
        assert!(matches!(&told, Err((said, _)) if said == code), "{who} {whom}: {told:?}");
    }
    assert_eq!((pia.get("/console/").await.status, ada.get("/console/").await.status), (200, 200));
    let two = json!({"op": "approvals-set", "approvals": "two"});
    office.ask_as(&by, two).await.unwrap();
    let told = office.ask_as(&by, reset("pia")).await.unwrap();
    let link = told["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    assert!(told["pending"].is_u64(), "the link waits as one of an invitation does: {told}");
    assert_eq!(pia.get("/console/").await.status, 303);
    let sessions = json!({"op": "sessions", "person": "pia"});
    let left = office.ask_as(&by, sessions).await.unwrap();
    assert_eq!((&left["passkeys"], &left["sessions"]), (&json!([]), &json!([])));
    let early = json!({ "link": link });
    let early = pia.web.answer(pia.json("/console/enrol/options", &early)).await;
    assert_eq!(early.status, 403, "{}", page(&early));
    // With one person it is good at once.
    let (office, mut pia, _) = open_desk().await;
    let told = office.ask_as(&office.someone("ada"), reset("pia")).await.unwrap();
    assert_eq!(told["pending"], Value::Null);
    let link = told["link"].as_str().unwrap().rsplit('#').next().unwrap();
    let mut device = pia.enrol(link).await;
    pia.log_in(&mut device).await;
    assert_eq!(pia.get("/console/").await.status, 200);
}
