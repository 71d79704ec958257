//! Who acts while the desk is set up, and what a trader is not told.

use super::*;
use tidegate_types::record::Change;

#[tokio::test]
async fn until_there_is_an_administrator_the_folder_s_owner_acts_and_nobody_else() {
    let mut office = office().await;
    let admin = Arc::get_mut(&mut office.admin).unwrap();
    admin.parts.owner_uid = 1000;
    admin.parts.config.people = [("1000".to_owned(), "tom".to_owned())].into();
    let owner = || administrator(&office.admin, 1000).unwrap();
    assert_eq!(owner().person.as_str(), "tom");
    for request in [
        json!({"op": "caller-add", "caller": "bob"}),
        grant_of("bob", "5000"),
        person("tom", &["trader"], &["ann"]),
        person("ray", &["risk"], &[]),
    ] {
        office.ask_as(&owner(), request).await.unwrap();
    }
    // What the owner is mapped to has a role now, by which it could not go on.
    assert_eq!(owner().person.as_str(), "owner");
    office.ask_as(&owner(), limits_of(600)).await.unwrap();
    // People who enrolled meanwhile see their own, change nothing and consent to nothing.
    let seen = office.ask_as(&someone("tom"), json!({"op": "status"})).await.unwrap();
    let callers = seen["callers"].as_array().unwrap();
    assert!(callers.len() == 1 && callers[0]["caller"] == "ann", "{callers:?}");
    let (code, _) = office.ask_as(&someone("ray"), limits_of(700)).await.unwrap_err();
    assert_eq!(code, "forbidden");
    let consents = |who: &str| {
        let (who, ann) = (name(who), name("ann"));
        office.world.desk.look(|state| crate::people::may_consent(state, &who, &ann))
    };
    assert!(!consents("tom") && !consents("ray"));
    office.ask_as(&owner(), person("ada", &["admin"], &[])).await.unwrap();
    assert!(consents("tom") && consents("ray"));
    assert_eq!(owner().person.as_str(), "tom");
    let (code, _) = office.ask_as(&owner(), limits_of(700)).await.unwrap_err();
    assert_eq!(code, "forbidden");
}

#[tokio::test]
async fn an_exchange_key_s_id_and_rights_are_not_a_trader_s_to_know() {
    let office = office().await;
    let rights = vec!["trade".to_owned()];
    let imported = Change::VenueKeyImported { account: name("main"), key: "k".into(), rights };
    let answer = office.world.desk.administer(name("owner"), imported).await;
    assert!(matches!(answer, Answer::Done), "{answer:?}");
    for (who, roles, owns) in [
        ("tom", &["trader"][..], &["ann"][..]),
        ("ray", &["risk"], &[]),
        ("pia", &["approver"], &[]),
        ("udo", &["auditor"], &[]),
        ("ada", &["admin"], &[]),
    ] {
        office.ask(person(who, roles, owns)).await.unwrap();
    }
    for who in PEOPLE {
        let status = office.ask_as(&someone(who), json!({"op": "status"})).await.unwrap();
        let told = match status["accounts"].as_array().unwrap().as_slice() {
            [] => None,
            [account] => Some((account["key"].clone(), account["rights"].clone())),
            more => panic!("{more:?}"),
        };
        let expected = match who {
            "tom" => Some((Value::Null, json!([]))),
            "nobody" => None,
            _ => Some((json!("k"), json!(["trade"]))),
        };
        assert_eq!(told, expected, "{who}");
        assert_eq!(status["used_keys"], Value::Null, "{who}");
    }
    // Who holds the vault is told, whatever role it has: a key in use is not to be taken out of it.
    for who in ["tom", "pia", "nobody"] {
        let owner = Administrator { full: true, ..someone(who) };
        let status = office.ask_as(&owner, json!({"op": "status"})).await.unwrap();
        assert_eq!(status["used_keys"], json!({"main": "k"}), "{who}");
    }
}
