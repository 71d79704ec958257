//! A passkey shown once more, in a session whose login was long ago.

use super::*;
use crate::people::tests::age;
use tidegate_types::time::Span;

/// A desk whose `ada`, who administers, and `pia` logged in by passkey an hour ago.
async fn long_ago() -> (Office, [(Browser, Device); 2]) {
    let (office, links) = manned().await;
    let mut inside = Vec::new();
    for link in [&links[1], &links[0]] {
        let mut browser = Browser::at(&office);
        let mut device = browser.enrol(link).await;
        browser.log_in(&mut device).await;
        age(&office.people(), &browser.session, Span::from_secs(3600));
        inside.push((browser, device));
    }
    (office, inside.try_into().ok().unwrap())
}

const OPTIONS: &str = "/console/step-up/options";
const STEP_UP: &str = "/console/step-up";

#[tokio::test]
async fn who_logged_in_long_ago_shows_a_passkey_on_the_page_and_goes_on() {
    let (office, [(mut ada, mut device), _]) = long_ago().await;
    let refused = page(&ada.post("/console/people/invite", "name=pia").await);
    assert!(refused.contains("this needs your passkey"), "{refused}");
    assert_eq!(ada.ask("/console/security/options", json!({})).await.status, 403);
    let before = office.world.desk.next_seq();
    let asked = ada.ask(OPTIONS, json!({})).await;
    assert!(read(&asked)["allowCredentials"].is_array(), "{}", page(&asked));
    let shown = ada.ask(STEP_UP, json!({ "answer": device.sign(&read(&asked)) })).await;
    assert_eq!(shown.status, 200, "{}", page(&shown));
    assert!(office.world.desk.next_seq() > before, "it is on record");
    // The id from before is nobody's, and so is its token.
    let old = std::mem::take(&mut ada.session);
    ada.take_cookie(&shown);
    assert_ne!(old, ada.session);
    let told = csrf_token(&ada.session).expose().to_owned();
    assert_eq!(read(&shown)["csrf"], json!(told));
    let was = Browser { web: office.web(), session: old, login: ada.login.clone() };
    assert_eq!(was.get("/console/").await.status, 303);
    let made = page(&ada.post("/console/people/invite", "name=pia").await);
    assert!(made.contains("/console/enrol#"), "{made}");
    // It is one session still, and there is nothing more to show.
    let name = tidegate_types::ids::PersonName::new("ada").unwrap();
    assert_eq!(office.people().sessions(&name).len(), 1);
    assert_eq!(read(&ada.ask(OPTIONS, json!({})).await), json!({}));
}

#[tokio::test]
async fn the_app_that_the_page_offered_is_still_offered() {
    let (_office, [(mut ada, mut device), _]) = long_ago().await;
    let secret = |shown: &str| shown.split("id=\"secret\"").nth(1).unwrap()[..60].to_owned();
    let before = secret(&page(&ada.get("/console/security").await));
    let asked = ada.ask(OPTIONS, json!({})).await;
    let shown = ada.ask(STEP_UP, json!({ "answer": device.sign(&read(&asked)) })).await;
    ada.take_cookie(&shown);
    assert_eq!(secret(&page(&ada.get("/console/security").await)), before);
}

#[tokio::test]
async fn what_was_shown_elsewhere_or_for_something_else_makes_nothing_fresh() {
    let (office, [(ada, mut device), (pia, mut other)]) = long_ago().await;
    let mut second = Browser::at(&office);
    second.log_in(&mut device).await;
    age(&office.people(), &second.session, Span::from_secs(3600));
    let options = async |browser: &Browser| read(&browser.ask(OPTIONS, json!({})).await);
    let step_up = async |browser: &Browser, answer: Value| {
        let reply = browser.ask(STEP_UP, json!({ "answer": answer })).await;
        let invited = browser.post("/console/people/invite", "name=pia").await.status;
        (reply.status, header(&reply, "set-cookie").is_some(), invited)
    };
    // Nothing was asked.
    assert_eq!(step_up(&ada, device.sign(&json!({"challenge": "AA"}))).await, (422, false, 403));
    // It was asked in another session of the same person.
    let asked = options(&second).await;
    assert_eq!(step_up(&ada, device.sign(&asked)).await, (422, false, 403));
    options(&ada).await;
    assert_eq!(step_up(&ada, device.sign(&asked)).await, (422, false, 403));
    // It is another person's passkey, or was asked of another person.
    let asked = options(&ada).await;
    assert_eq!(step_up(&ada, other.sign(&asked)).await, (401, false, 403));
    let asked = options(&pia).await;
    assert_eq!(step_up(&pia, device.sign(&asked)).await, (401, false, 403));
    // It was asked for a login, or for an approval.
    let asked = read(&ada.ask("/console/login/options", json!({})).await);
    assert_eq!(step_up(&ada, device.sign(&asked)).await, (422, false, 403));
    let by = office.someone("ada");
    office.ask_as(&by, json!({"op": "approvals-set", "approvals": "two"})).await.unwrap();
    let add = json!({"op": "account-add", "venue": "binance", "account": "one"});
    office.ask_as(&by, add).await.unwrap();
    let digest = json!({ "digest": stage(&office, 0).await.1 });
    let asked = read(&pia.ask("/console/approvals/0/options", digest.clone()).await);
    assert_eq!(step_up(&pia, other.sign(&asked)).await, (422, false, 403));
    // What was shown to step up approves nothing.
    let asked = options(&pia).await;
    let body = json!({ "digest": digest["digest"], "answer": other.sign(&asked) });
    assert_eq!(pia.ask("/console/approvals/0/approve", body).await.status, 422);
    assert_eq!(stage(&office, 0).await.0, "waiting");
    // It is good once.
    let asked = options(&ada).await;
    let answer = device.sign(&asked);
    assert_eq!(ada.ask(STEP_UP, json!({ "answer": answer })).await.status, 200);
    assert_ne!(ada.ask(STEP_UP, json!({ "answer": answer })).await.status, 200);
}
