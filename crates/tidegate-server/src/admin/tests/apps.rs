//! Apps from registration to their end, with four eyes.

use super::roles::{app, approve, asked, grant, granted, manned, someone};
use super::*;
use tidegate_identity::ledger::Fact;
use tidegate_identity::oauth::client::ClientId;
use tidegate_identity::oauth::event::Event as Told;
use tidegate_identity::oauth::jose::Thumbprint;
use tidegate_journal::Reader;
use tidegate_types::codec::from_bytes;
use tidegate_types::ids::Seq;
use tidegate_types::record::Body;

fn in_force(office: &Office, app: &str) -> bool {
    let id = ClientId::new(app).unwrap();
    let look = office.admin.parts.oauth.look(|server| server.state().clients().contains_key(&id));
    look.unwrap()
}

/// What the journal tells of the authorization server.
fn told(office: &Office) -> Vec<Told> {
    let mut reader = Reader::open(&office.folder.journal(), Seq(0)).unwrap();
    let mut told = Vec::new();
    while let Some((_, record)) = reader.next_record().unwrap() {
        let Body::Identity { fact } = record.body else { continue };
        if let Fact::OAuth { event } = from_bytes(&fact.0).unwrap() {
            told.push(event);
        }
    }
    told
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

#[tokio::test]
async fn rv_5_grants_are_listed_and_taken_back_and_keys_put_out_of_force_by_name() {
    let office = manned().await;
    let ids = async |who: &str| -> Vec<String> {
        let told = office.ask_as(&someone(who), json!({"op": "app-grants"})).await.unwrap();
        let grants = told["grants"].as_array().unwrap();
        grants.iter().map(|it| it["grant"].as_str().unwrap().to_owned()).collect()
    };
    let (both, own) = (ids("ray").await, ids("tom").await);
    assert_eq!((both.len(), own.len()), (2, 1));
    let foreign = both.iter().find(|id| !own.contains(id)).unwrap();
    // What is another trader's is not there, what is not there is said the same way.
    let revoke = |id: &str| json!({"op": "app-revoke-grant", "grant": id});
    for id in [foreign.as_str(), "AAAAAAAAAAAAAAAAAAAAAA", "no id"] {
        let (code, _) = office.ask_as(&someone("tom"), revoke(id)).await.unwrap_err();
        assert_eq!(code, "unknown_grant", "{id}");
    }
    office.ask_as(&someone("tom"), revoke(&own[0])).await.unwrap();
    office.ask_as(&someone("ray"), revoke(foreign)).await.unwrap();
    assert!(ids("ada").await.is_empty());
    // A key may be said as the journal shows it or as openssl does.
    let key = |text: String| json!({"op": "app-revoke-key", "key": text});
    let ask = async |text: String| office.ask_as(&someone("ray"), key(text)).await;
    ask(Thumbprint([5; 32]).to_string()).await.unwrap();
    ask("06".repeat(32)).await.unwrap();
    assert_eq!(ask("0".repeat(42)).await.unwrap_err().0, "bad_request");
    let revoked = |byte| {
        let key = Thumbprint([byte; 32]);
        office.oauth().look(|server| server.state().is_key_revoked(&key)).unwrap()
    };
    assert!(revoked(5) && revoked(6) && !revoked(7));
    // Each is a record that says who.
    let said = told(&office).into_iter().filter_map(|event| match event {
        Told::GrantRevoked { by, .. } => by,
        Told::KeyRevoked { by, .. } => Some(by),
        _ => None,
    });
    let said: Vec<String> = said.map(|by| by.to_string()).collect();
    assert_eq!(said, ["tom", "ray", "ray", "ray"]);
}

#[tokio::test]
async fn what_ends_with_a_person_is_on_record_once_for_all_their_grants() {
    let office = manned().await;
    let more = [granted("bob", 3, "person:1"), granted("ann", 4, "person:1")];
    more.into_iter().for_each(|it| grant(&office, it));
    let remove = json!({"op": "person-remove", "person": "udo"});
    office.ask_as(&someone("ada"), remove).await.unwrap();
    let ended = told(&office).into_iter().filter_map(|event| match event {
        Told::SubjectRevoked { subject } => Some(subject),
        _ => None,
    });
    let mut subjects: Vec<String> = ended.collect();
    subjects.sort();
    // Neither is a person who is there.
    assert_eq!(subjects, ["person:1", "person:2"]);
    assert!(office.oauth().grants(clock::now()).is_empty());
}
