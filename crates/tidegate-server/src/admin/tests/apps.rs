//! Apps from registration to their end, with four eyes.

use super::roles::{app, approve, asked, manned, someone};
use super::*;
use tidegate_identity::oauth::client::ClientId;

fn in_force(office: &Office, app: &str) -> bool {
    let id = ClientId::new(app).unwrap();
    let look = office.admin.parts.oauth.look(|server| server.state().clients().contains_key(&id));
    look.unwrap()
}

#[tokio::test]
async fn oa_33_an_app_is_in_force_once_a_second_person_approved_it_and_never_after_its_end() {
    let office = manned().await;
    let pending = asked(&office, "ada", app("ann")).await;
    assert!(!in_force(&office, "ann"));
    let told = office.ask_as(&someone("pia"), json!({"op": "approvals"})).await.unwrap();
    let statement = told["requests"][0]["statement"].as_str().unwrap();
    for said in
        ["register app ann", "client_credentials", "BTC", "max_open_notional", "thumbprints"]
    {
        let said = said.replace("BTC", r#""instruments":["*"]"#);
        assert!(statement.contains(&said), "{said}: {statement}");
    }
    approve(&office, "pia", pending).await.unwrap();
    assert!(in_force(&office, "ann"));
    // A change shows what it was before.
    let mut wider = app("ann");
    wider["introspects"] = true.into();
    asked(&office, "ada", wider).await;
    let told = office.ask_as(&someone("pia"), json!({"op": "approvals"})).await.unwrap();
    let statement = told["requests"][1]["statement"].as_str().unwrap();
    assert!(statement.contains("everybody's tokens: false -> true"), "{statement}");
    assert!(!statement.contains("title"), "{statement}");
    // Its owner ends it alone.
    let revoke = json!({"op": "app-revoke", "app": "ann"});
    office.ask_as(&someone("tom"), revoke).await.unwrap();
    assert!(!in_force(&office, "ann"));
    let (_, why) = office.ask_as(&someone("ada"), app("ann")).await.unwrap_err();
    assert!(why.contains("is no more"), "{why}");
    let listed = office.ask_as(&someone("tom"), json!({"op": "apps"})).await.unwrap();
    assert_eq!(
        (&listed["apps"][0]["app"], &listed["apps"][0]["revoked"]),
        (&json!("ann"), &json!(true))
    );
}

#[tokio::test]
async fn terms_that_no_app_may_have_are_refused() {
    let office = manned().await;
    let ask = async |change: fn(&mut Value)| {
        let mut request = app("ann");
        change(&mut request);
        let told = office.ask_as(&someone("ada"), request).await;
        told.unwrap_err().1
    };
    for (said, change) in [
        ("JWK set", (|app: &mut Value| app["jwks"] = json!({"keys": []})) as fn(&mut Value)),
        ("not offered", |app| app["grants"] = json!(["password"])),
        ("sent back", |app| app["redirect_uris"] = json!(["http://evil.example/"])),
        ("sent back", |app| app["grants"] = json!(["authorization_code"])),
        ("details", |app| app["details"] = json!([{"type": "other"}])),
        ("title", |app| app["title"] = json!("")),
    ] {
        let why = ask(change).await;
        assert!(why.contains(said), "{said}: {why}");
    }
    let mut nobody = app("ann");
    nobody["app"] = "nobody".into();
    let (_, why) = office.ask_as(&someone("ada"), nobody).await.unwrap_err();
    assert!(why.contains("no grant") || why.contains("no caller"), "{why}");
}
