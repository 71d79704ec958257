use crate::admin::tests::roles::{approve, asked, manned, someone};
use crate::admin::tests::{Office, office};
use crate::desk::tests::name;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use tidegate_core::event::Event;
use tidegate_types::ids::KeyId;
use tidegate_types::secret::Secret;
use tidegate_vault::VaultError;

const KEY_ADD: &str = r#"{"op": "key-add", "caller": "ann", "account": "main"}"#;

fn key_add() -> Value {
    serde_json::from_str(KEY_ADD).unwrap()
}

fn secret() -> Secret {
    Secret::new(b"a secret".to_vec())
}

async fn holds(office: &Office, id: &KeyId) -> bool {
    let id = id.clone();
    let got = office.admin.with_secrets(move |store| store.get(&id)).await;
    got.unwrap().is_some()
}

async fn key(office: &Office) -> (KeyId, Option<u64>) {
    let made = office.ask_as(&someone("ada"), key_add()).await.unwrap();
    (name(made["id"].as_str().unwrap()), made["pending"].as_u64())
}

#[tokio::test]
async fn what_a_crash_left_sealed_is_forgotten_and_nothing_else() {
    let office = manned().await;
    let (waits, pending) = key(&office).await;
    assert!(pending.is_some());
    // Sealed, and the gateway died before the record; a key's secret and somebody's new password.
    let orphans =
        [name::<KeyId>("never-made"), KeyId::hex(&[b"person".as_slice(), &[7; 16]].concat())];
    let (sealed, busy) = (orphans.clone(), name::<KeyId>("being-made"));
    let undecided = busy.clone();
    let put = office.admin.with_secrets(move |store| {
        store.put_authority(&secret())?;
        sealed.iter().chain([&undecided]).try_for_each(|id| store.put(id, &secret()))
    });
    put.await.unwrap();
    let sealing = office.admin.undecided.begin(&busy);
    assert_eq!(office.admin.sweep_sealed().await.unwrap(), orphans.len());
    for orphan in &orphans {
        assert!(!holds(&office, orphan).await);
    }
    assert!(holds(&office, &waits).await && holds(&office, &busy).await);
    drop(sealing);
    assert_eq!(office.admin.sweep_sealed().await.unwrap(), 1, "no record ever told of it");
    assert_eq!(office.admin.sweep_sealed().await.unwrap(), 0);
    let authority =
        office.admin.with_secrets(|store| Ok::<_, VaultError>(store.authority()?.is_some()));
    assert!(authority.await.unwrap(), "the gateway's own stay");

    approve(&office, "pia", pending.unwrap()).await.unwrap();
    assert_eq!(office.admin.sweep_sealed().await.unwrap(), 0);
    assert!(
        holds(&office, &waits).await && office.callers().is_in_force(&waits, crate::clock::now())
    );
}

#[tokio::test]
async fn the_secret_of_a_key_that_was_denied_is_forgotten() {
    let office = manned().await;
    let (id, pending) = key(&office).await;
    office.ask_as(&someone("pia"), json!({"op": "deny", "id": pending})).await.unwrap();
    assert_eq!(office.admin.sweep_sealed().await.unwrap(), 1);
    assert!(!holds(&office, &id).await);
}

#[tokio::test]
async fn on_a_disk_that_refuses_nothing_is_asked_approved_or_denied_and_nothing_stays_sealed() {
    let office = manned().await;
    let (id, pending) = key(&office).await;
    let pending = pending.unwrap();
    let waiting = || office.world.desk.look(|state| state.approvals().waiting().count());
    let why = "no space left on device".to_owned();
    office.world.desk.event(Event::JournalFailed { why });
    let (code, said) = approve(&office, "pia", pending).await.unwrap_err();
    assert!(code.starts_with("TG"), "{code}: {said}");
    assert!(!office.callers().is_in_force(&id, crate::clock::now()));
    for (who, request) in [("ada", key_add()), ("pia", json!({"op": "deny", "id": pending}))] {
        assert!(office.ask_as(&someone(who), request.clone()).await.is_err(), "{request}");
    }
    assert_eq!(office.admin.sweep_sealed().await.unwrap(), 0);
    let sealed = office.admin.with_secrets(|store| Ok::<_, VaultError>(store.decided()));
    assert_eq!((sealed.await.unwrap(), waiting()), ([id.clone()].into(), 1));
    office.world.desk.event(Event::JournalRestored);
    approve(&office, "pia", pending).await.unwrap();
    assert!(office.callers().is_in_force(&id, crate::clock::now()));
}

#[tokio::test]
async fn what_was_approved_is_told_as_carried_out_though_what_follows_fails() {
    let office = manned().await;
    office.import("k2", "second");
    let add = json!({"op": "account-add", "venue": "binance", "account": "second"});
    let id = asked(&office, "ada", add).await;
    office.world.told.refuse_connections.store(true, Ordering::Relaxed);
    let told = approve(&office, "pia", id).await.unwrap();
    let why = told["then"]["error"]["message"].as_str().unwrap();
    assert!(why.contains("second is added, but its key is not in use"), "{told}");
    let there = office.world.desk.look(|state| state.accounts().contains_key(&name("second")));
    assert!(there);
}

#[tokio::test]
async fn a_key_comes_into_force_once_the_store_answers_unless_it_was_revoked() {
    for revoked in [false, true] {
        let office = office().await;
        let made = office.ask(key_add()).await.unwrap();
        let id: KeyId = name(made["id"].as_str().unwrap());
        let on_record = office.world.desk.look(|state| state.keys()[&id].key.clone());
        // As after an approval whose store did not answer.
        office.callers().revoke(&id);
        office.admin.late().insert(id.clone(), (on_record, None));
        if revoked {
            office.admin.end_key(&id);
        }
        office.admin.sweep_sealed().await.unwrap();
        assert_eq!(office.callers().is_in_force(&id, crate::clock::now()), !revoked);
    }
}
