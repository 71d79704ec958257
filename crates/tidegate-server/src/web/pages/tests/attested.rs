//! Who is asked for a passkey of a trusted model and has none is told so, on every page.

use super::*;
use crate::people::credential_digest;
use crate::people::tests::answer;
use crate::people::tests::attested::{MODEL, Maker, STAYS};

const TOLD: &str = "whose model the desk trusts";

#[tokio::test]
async fn who_lacks_a_passkey_of_a_trusted_model_is_told_and_cannot_approve() {
    let (office, pia, ada, [mut device, _]) = desk_of_two().await;
    let folder = office.world.folder.path();
    office.people().ask_for_models(Maker::new().asked_of("approver", folder));
    for path in ["/console/", "/console/approvals", "/console/security"] {
        assert!(page(&pia.get(path).await).contains(TOLD), "{path}");
        assert!(!page(&ada.get(path).await).contains(TOLD), "{path}");
    }
    let security = page(&pia.get("/console/security").await);
    assert!(security.contains("Your role takes a passkey.") && !security.contains("Set password"));
    let (was, digest) = stage(&office, 0).await;
    assert_eq!(was, "waiting");
    let (status, said) = pia.sign(&mut device, 0, &digest).await;
    assert!(status == 403 && said.contains(TOLD), "{status}: {said}");
    // Nor past the console.
    let approve = json!({"op": "approve", "id": 0, "digest": digest});
    let (code, _) = office.ask_as(&office.someone("pia"), approve).await.unwrap_err();
    assert_eq!((code.as_str(), stage(&office, 0).await.0.as_str()), ("needs_passkey", "waiting"));
}

#[tokio::test]
async fn an_administrator_who_lacks_one_loosens_nothing_at_once() {
    let (office, _, ada, _) = desk_of_two().await;
    let folder = office.world.folder.path();
    let by = office.someone("ada");
    let list = || office.ask_as(&by, json!({"op": "approvals"}));
    let requests = |told: Value| told["requests"].as_array().unwrap().len();
    let before = requests(list().await.unwrap());
    office.people().ask_for_models(Maker::new().asked_of("admin", folder));
    let reply = ada.post("/console/people/invite", "name=pia").await;
    assert!(reply.status == 403 && page(&reply).contains(TOLD), "{}", page(&reply));
    assert_eq!(requests(list().await.unwrap()), before);
}

#[tokio::test]
async fn the_last_passkey_that_counts_stays_where_two_are_needed() {
    let (office, pia, ..) = desk_of_two().await;
    let people = office.people();
    let visitor = people.enter(&pia.session).await.unwrap();
    let maker = Maker::new();
    people.ask_for_models(maker.asked_of("approver", office.world.folder.path()));
    let options = people.ask_new_passkey(&visitor, &pia.session).unwrap();
    let (_, made) = maker.make(&options, MODEL, STAYS);
    people.add_passkey(&visitor, &pia.session, &answer(made)).await.unwrap();
    let digests: Vec<String> = people
        .passkeys(&visitor.person)
        .iter()
        .map(|(key, _)| credential_digest(key.id()).map(|byte| format!("{byte:02x}")).concat())
        .collect();
    for (which, status) in [(1, 409), (0, 303)] {
        let fields = format!("credential={}", digests[which]);
        let reply = pia.post("/console/security/remove", &fields).await;
        assert_eq!(reply.status, status, "{}", page(&reply));
    }
}

#[tokio::test]
async fn a_link_of_who_is_asked_for_one_offers_nothing_else() {
    let (office, links) = manned().await;
    let browser = Browser::at(&office);
    let opened = format!("link={}", links[0]);
    let shown = page(&browser.post("/console/enrol", &opened).await);
    assert!(shown.contains("Or a password and an app") && !shown.contains(TOLD), "{shown}");
    let folder = office.world.folder.path();
    office.people().ask_for_models(Maker::new().asked_of("approver", folder));
    let shown = page(&browser.post("/console/enrol", &opened).await);
    assert!(!shown.contains("Or a password and an app") && shown.contains(TOLD), "{shown}");
}

#[tokio::test]
async fn a_desk_that_begins_to_ask_for_models_loses_nobody_s_last_login() {
    let (office, ..) = desk_of_two().await;
    let by = office.someone("ada");
    office.people().ask_for_models(Maker::new().asked_of("approver", office.world.folder.path()));
    // Pia, who alone approves, cannot sign now, and would not get in again: her new link would wait for her.
    let reset = json!({"op": "person-reset", "person": "pia"});
    assert_eq!(office.ask_as(&by, reset).await.unwrap_err().0, "locks_out");
    let people = office.people();
    assert_eq!(people.passkeys(&"pia".parse().unwrap()).len(), 1);
}
