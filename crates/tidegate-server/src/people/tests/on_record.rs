//! What is done to somebody's logins and sessions stands in the journal with who did it.

use super::*;
use tidegate_identity::people::OutsideIdentity;
use tidegate_journal::Reader;
use tidegate_types::ids::Seq;
use tidegate_types::record::Body;

/// What the journal tells of people.
fn told(office: &Office) -> Vec<Fact> {
    let folder = office.world.folder.path().join("journal");
    let mut reader = Reader::open(&folder, Seq(0)).unwrap();
    let mut facts = Vec::new();
    while let Some((_, record)) = reader.next_record().unwrap() {
        let Body::Identity { fact } = record.body else { continue };
        if let Ok(ledger::Fact::People { fact }) = decode(&fact.0) {
            facts.push(fact);
        }
    }
    facts
}

fn actor(fact: &Fact) -> Option<&Actor> {
    match fact {
        Fact::GoneBy { by, .. }
        | Fact::ResetBy { by, .. }
        | Fact::PasskeyRemovedBy { by, .. }
        | Fact::SessionRevokedBy { by, .. }
        | Fact::SessionsEndedBy { by, .. }
        | Fact::UnlinkedBy { by, .. } => Some(by),
        _ => None,
    }
}

#[tokio::test]
async fn what_is_done_to_another_s_logins_tells_who_did_it() {
    let (office, links) = manned().await;
    let people = office.people();
    let mut device = enrolled(&people, &links[0]).await;
    let by = office.someone("ada");
    let pia = people.state().named("pia").unwrap().0;
    let identity = OutsideIdentity { issuer: "https://id.example".into(), subject: "1".into() };
    people.state().apply(&Fact::Linked { person: pia, identity, at: clock::now() });
    let digest = credential_digest(&device.id);
    let passkey: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    inside(&people, &mut device).await;
    let number = people.sessions(&PersonName::new("pia").unwrap())[0].number;
    for (request, facts) in [
        (json!({"op": "sessions-end", "person": "pia", "number": number}), 1),
        (json!({"op": "sessions-end", "person": "pia"}), 1),
        (json!({"op": "unlink", "person": "pia"}), 2),
        (json!({"op": "passkey-remove", "person": "pia", "passkey": passkey}), 2),
        (json!({"op": "person-reset", "person": "pia"}), 1),
    ] {
        // A session to be ended, while there is something to log in by.
        if people.state().passkey(&device.id).is_some() {
            inside(&people, &mut device).await;
        }
        let before = told(&office).len();
        office.ask_as(&by, request.clone()).await.unwrap();
        let new = told(&office).split_off(before);
        assert_eq!(new.len(), facts, "{request}: {new:?}");
        for fact in &new {
            assert_eq!(actor(fact), Some(&Actor::person(&by.person)), "{request}: {fact:?}");
        }
    }
}

#[tokio::test]
async fn who_is_reset_reads_what_happened_and_who_leaves_is_forgotten() {
    let (office, links) = manned().await;
    let people = office.people();
    let pia = PersonName::new("pia").unwrap();
    let (_, id, visitor) = entered(&people, &links[0]).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let (_, made) = Device::make(&people.ask_new_passkey(&visitor, &id).unwrap());
    people.add_passkey(&visitor, &id, &answer(made)).await.unwrap();
    let by = office.someone("ada");
    let reset = json!({"op": "person-reset", "person": "pia"});
    let told = office.ask_as(&by, reset.clone()).await.unwrap();
    assert!(!people.has_passkey(&pia) && people.look(&id).is_none());
    let link = told["link"].as_str().unwrap().rsplit('#').next().unwrap();
    enrolled(&people, link).await;
    let told: Vec<String> =
        people.notices(&pia).iter().map(|notice| notice.event.to_string()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("added") && told[1].contains("took all logins away"), "{told:?}");
    office.ask_as(&by, reset).await.unwrap();
    assert_eq!(people.state().awaited().count(), 1);
    // As where the person has left the desk meanwhile.
    let gone = |person: PersonHandle, _: Time| Fact::GoneBy { person, by: Actor::Gateway };
    people.forget(|name| *name == pia, gone).await.unwrap();
    assert_eq!(people.state().awaited().count(), 0);
}

#[tokio::test]
async fn what_a_person_does_to_its_own_logins_bears_its_name() {
    let (office, links) = manned().await;
    let people = office.people();
    let (mut device, id, visitor) = entered(&people, &links[0]).await;
    inside(&people, &mut device).await;
    let before = told(&office).len();
    people.end_own(&visitor, None).await.unwrap();
    let (_, made) = Device::make(&people.ask_new_passkey(&visitor, &id).unwrap());
    people.add_passkey(&visitor, &id, &answer(made)).await.unwrap();
    people.remove_passkey(&visitor, &credential_digest(&device.id)).await.unwrap();
    let new = told(&office).split_off(before);
    let actors: Vec<&Actor> = new.iter().filter_map(actor).collect();
    assert_eq!(actors, vec![&Actor::person(&visitor.person); 4], "{new:?}");
}

#[tokio::test]
async fn who_asked_the_gateway_to_stop_is_told() {
    let (office, _) = manned().await;
    assert_eq!(office.admin.asked_to_stop(), None);
    let by = office.someone("ada");
    office.ask_as(&by, json!({"op": "shutdown"})).await.unwrap();
    assert_eq!(office.admin.asked_to_stop(), Some(by.person));
}
