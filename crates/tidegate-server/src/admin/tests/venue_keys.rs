//! An exchange key in the place of another: which signs what, and when.

use super::roles::{approve, asked, manned, someone};
use super::*;
use tidegate_core::approvals::Stage;
use tidegate_core::{Core, CoreSettings};
use tidegate_journal::Reader;
use tidegate_types::call::CallBody;
use tidegate_types::ids::{AccountName, Seq};
use tidegate_types::time::Time;

impl Office {
    /// Puts an exchange key of an account into the vault.
    pub(crate) fn import(&self, key_id: &str, account: &str) {
        let key = VenueKeyInfo {
            account: name(account),
            venue: name("binance"),
            key_id: key_id.to_owned(),
            rights: None,
            imported: Time::default(),
        };
        self.vault.held.lock().unwrap().push(key);
    }

    /// The keys that signed, by what, and none of it told again.
    fn signed_by(&self, what: &str) -> Vec<String> {
        let mut all = self.world.told.signed_by.lock().unwrap();
        let (told, rest) = all.drain(..).partition(|(target, _)| target.starts_with(what));
        *all = rest;
        let told: Vec<(String, String)> = told;
        told.into_iter().map(|(_, key)| key).collect()
    }

    /// Places an order and has a halt cancel it: the keys by which both were signed.
    async fn trades_by(&self) -> (Vec<String>, Vec<String>) {
        self.signed_by("");
        self.world.desk.submit(ann(), None, buy("1", "100")).await;
        let halt = json!({"op": "halt", "scope": "all", "reason": "now", "timeout_s": 0});
        // This venue knows no order to cancel, so the halt is not proven; that it was asked counts.
        let _ = self.ask(halt).await;
        let mut cancelled = Vec::new();
        for _ in 0..200 {
            cancelled.extend(self.signed_by("cancel"));
            if !cancelled.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancelled.dedup();
        (self.signed_by("place"), cancelled)
    }
}

/// The account's key and the requests that wait, as a start on this journal knows them.
fn after_a_restart(office: &Office) -> (Option<String>, usize) {
    let mut core = Core::new(CoreSettings::default());
    let mut reader = Reader::open(&office.folder.journal(), Seq(0)).unwrap();
    while let Some((seq, record)) = reader.next_record().unwrap() {
        core.replay(seq, &record);
    }
    let main: AccountName = name("main");
    let waiting = core.state().approvals().iter().filter(|it| it.stage == Stage::Waiting).count();
    (core.state().accounts()[&main].key.clone(), waiting)
}

const RELOAD: &str = r#"{"op": "venue-key-reload", "account": "main"}"#;

#[tokio::test]
async fn a_new_exchange_key_is_asked_what_it_may_do_and_signs_nothing_else_until_it_is_approved() {
    let office = manned().await;
    office.import("k", "main");
    office.import("k2", "main");
    office.signed_by("");
    let id = asked(&office, "ada", serde_json::from_str(RELOAD).unwrap()).await;
    assert_eq!(office.signed_by("rights"), ["k2"]);
    assert_eq!(after_a_restart(&office), (Some("k".to_owned()), 1));
    let read = office.world.desk.sign_read(&name("main"), CallBody::Snapshot { part: 0 }).await;
    assert_eq!(read.unwrap().into_request().headers[0].1, "k");
    let (placed, cancelled) = office.trades_by().await;
    assert_eq!((placed, cancelled), (vec!["k".to_owned()], vec!["k".to_owned()]));

    approve(&office, "pia", id).await.unwrap();
    assert_eq!(after_a_restart(&office), (Some("k2".to_owned()), 0));
    let read = office.world.desk.sign_read(&name("main"), CallBody::Snapshot { part: 0 }).await;
    assert_eq!(read.unwrap().into_request().headers[0].1, "k2");
}

#[tokio::test]
async fn a_denied_exchange_key_leaves_the_one_before_it_in_force() {
    let office = manned().await;
    office.import("k", "main");
    office.import("k2", "main");
    let id = asked(&office, "ada", serde_json::from_str(RELOAD).unwrap()).await;
    office.ask_as(&someone("pia"), json!({"op": "deny", "id": id})).await.unwrap();
    assert_eq!(after_a_restart(&office), (Some("k".to_owned()), 0));
    let (placed, cancelled) = office.trades_by().await;
    assert_eq!((placed, cancelled), (vec!["k".to_owned()], vec!["k".to_owned()]));
}

#[tokio::test]
async fn a_key_that_was_read_at_the_start_is_asked_for_where_the_vault_takes_a_person() {
    let office = manned().await;
    office.vault.attended.store(true, Ordering::Relaxed);
    office.import("k", "main");
    let reload = || serde_json::from_str(RELOAD).unwrap();
    let (_, why) = office.ask_as(&someone("ada"), reload()).await.unwrap_err();
    assert!(why.contains("by passphrase"), "nothing new is held: {why}");
    office.import("k2", "main");
    asked(&office, "ada", reload()).await;
    assert_eq!(office.signed_by("rights"), ["k2"]);
}
