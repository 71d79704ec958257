//! Nobody is locked out of a desk that takes two people.

use super::*;

fn set(person: &str, role: &str) -> Value {
    json!({"op": "person-set", "person": person, "roles": [role]})
}

async fn refused(office: &Office, request: Value) -> String {
    office.ask_as(&office.someone("ada"), request).await.unwrap_err().0
}

/// A desk of an administrator, `ada`, and two approvers: `pia`, who is enrolled, and `oda`, who never was.
async fn desk_of_three() -> (Office, Browser) {
    let (office, links) = manned().await;
    let (mut browser, ada) = (Browser::at(&office), Browser::at(&office));
    ada.enrol(&links[1]).await;
    let by = office.someone("ada");
    office.ask_as(&by, set("oda", "approver")).await.unwrap();
    let mut device = browser.enrol(&links[0]).await;
    browser.log_in(&mut device).await;
    (office, browser)
}

#[tokio::test]
async fn it_takes_two_only_once_two_are_enrolled() {
    let (office, links) = manned().await;
    let by = office.someone("ada");
    let two = || json!({"op": "approvals-set", "approvals": "two"});
    // Another than those whom the machine knows.
    for request in [set("oda", "approver"), set("pia", "auditor")] {
        office.ask_as(&by, request).await.unwrap();
    }
    let told = office.ask_as(&by, json!({"op": "person-invite", "person": "oda"})).await.unwrap();
    let link = told["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    assert_eq!(refused(&office, two()).await, "locks_out");
    // The link that she has not used is good still.
    Browser::at(&office).enrol(&link).await;
    office.ask_as(&by, two()).await.unwrap();
    drop(links);
}

#[tokio::test]
async fn who_alone_can_approve_is_not_taken_out() {
    let (office, pia) = desk_of_three().await;
    let by = office.someone("ada");
    office.ask_as(&by, json!({"op": "approvals-set", "approvals": "two"})).await.unwrap();
    // The other approver never could.
    for request in [json!({"op": "person-remove", "person": "pia"}), set("pia", "auditor")] {
        assert_eq!(refused(&office, request).await, "locks_out");
    }
    office.ask_as(&by, json!({"op": "person-remove", "person": "oda"})).await.unwrap();
    office.ask_as(&by, json!({"op": "approve-by-set", "approve_by": "passkey"})).await.unwrap();
    let reset = json!({"op": "person-reset", "person": "pia"});
    assert_eq!(refused(&office, reset).await, "locks_out");
    let sessions = json!({"op": "sessions", "person": "pia"});
    let told = office.ask_as(&by, sessions.clone()).await.unwrap();
    let passkey = told["passkeys"][0]["passkey"].as_str().unwrap().to_owned();
    let lost = json!({"op": "passkey-remove", "person": "pia", "passkey": passkey});
    assert_eq!(refused(&office, lost).await, "locks_out");
    let known = office.people().passkeys(&"pia".parse().unwrap());
    let digest = crate::people::credential_digest(known[0].0.id());
    let credential: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let own = pia.post("/console/security/remove", &format!("credential={credential}")).await;
    assert_eq!(own.status, 409, "{}", page(&own));
    let told = office.ask_as(&by, sessions).await.unwrap();
    assert_eq!(told["passkeys"].as_array().unwrap().len(), 1);
}
