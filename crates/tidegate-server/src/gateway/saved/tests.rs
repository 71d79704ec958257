use super::super::image::{HEAD, MAGIC};
use super::*;
use crate::desk::tests::{World, world};
use tidegate_core::Core;
use tidegate_identity::Ledger;
use tidegate_identity::ledger::Fact;
use tidegate_identity::oauth::event::Event;
use tidegate_identity::oauth::jose::Thumbprint;
use tidegate_types::codec::to_bytes;
use tidegate_types::ids::PersonName;
use tidegate_types::record::Change;

fn folder(world: &World) -> DataFolder {
    DataFolder::new(world.folder.path())
}

fn settings() -> CoreSettings {
    CoreSettings { max_done_orders: 1000, ..CoreSettings::default() }
}

async fn another_caller(world: &World, name: &str) {
    let change = Change::CallerAdded { caller: name.parse().unwrap() };
    let answer = world.desk.administer("owner".parse().unwrap(), change).await;
    assert!(matches!(answer, Answer::Done), "{answer:?}");
}

/// What a replay of the whole journal leads to.
fn replayed(world: &World) -> (Core, Ledger) {
    let (mut core, mut ledger) = (Core::new(settings()), Ledger::default());
    let mut reader = Reader::open(&folder(world).journal(), Seq(0)).unwrap();
    while let Some((seq, record)) = reader.next_record().unwrap() {
        core.replay(seq, &record);
        ledger.replay(&record.body);
    }
    (core, ledger)
}

async fn revoke_key(world: &World, key: u8) {
    let event =
        Event::KeyRevoked { key: Thumbprint([key; 32]), by: PersonName::new("ada").unwrap() };
    assert!(matches!(world.desk.identity(&Fact::OAuth { event }).await, Answer::Done));
}

/// Saves the state as of now; records that nothing waits for may not be written yet.
async fn saved(world: &World) -> Seq {
    let end = world.desk.next_seq();
    save(&world.desk, &folder(world), &settings(), end).await.unwrap();
    load(&folder(world), &settings()).unwrap().next
}

#[tokio::test]
async fn a_start_from_a_saved_state_is_the_same_as_one_from_the_beginning() {
    let world = world().await;
    assert!(load(&folder(&world), &settings()).is_none(), "nothing was saved yet");
    revoke_key(&world, 1).await;
    let end = saved(&world).await;
    revoke_key(&world, 2).await;
    another_caller(&world, "eve").await;
    // A fact of the identity's is in the saved state, another one comes after it.
    let Saved { mut core, mut ledger, next } = load(&folder(&world), &settings()).unwrap();
    assert_eq!(next, end);
    let mut reader = Reader::open(&folder(&world).journal(), next).unwrap();
    while let Some((seq, record)) = reader.next_record().unwrap() {
        core.replay(seq, &record);
        ledger.replay(&record.body);
    }
    let (whole, told) = replayed(&world);
    assert_eq!(core.next_seq(), whole.next_seq());
    assert!(core.state_bytes() == whole.state_bytes());
    assert_eq!(to_bytes(&ledger), to_bytes(&told));
    assert!([1, 2].iter().all(|key| ledger.oauth.is_key_revoked(&Thumbprint([*key; 32]))));
    // The next one begins at this one, and takes its place.
    let later = saved(&world).await;
    assert!(later > end);
}

#[tokio::test]
async fn what_the_journal_does_not_bear_out_is_not_used() {
    let world = world().await;
    let path = folder(&world).saved_state();
    saved(&world).await;
    let good = std::fs::read(&path).unwrap();
    let unused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read(&folder(&world), &settings()).err().unwrap()
    };
    for at in [HEAD + 1, good.len() / 2, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        assert!(unused(&bytes).contains("no record of it"), "byte {at}");
    }
    let mut moved = good.clone();
    moved[HEAD - 8] ^= 1;
    assert!(unused(&moved).contains("no record of it"));
    assert!(unused(&good[..good.len() - 1]).contains("no record of it"));
    assert!(unused(&good[..HEAD - 1]).contains("cut"));
    let mut other = good.clone();
    other[MAGIC.len()] ^= 1;
    assert!(unused(&other).contains("another version of the program"));
    std::fs::write(&path, &good).unwrap();
    assert!(load(&folder(&world), &settings()).is_some());
}

#[test]
fn a_stop_does_not_wait_for_a_state_that_is_being_made() {
    let (go_on, waits) = std::sync::mpsc::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut work = std::pin::pin!(aside("test", move || waits.recv()));
        // Begun, and not at its end before it is told to go on.
        assert!(
            std::future::poll_fn(|cx| std::task::Poll::Ready(work.as_mut().poll(cx)))
                .await
                .is_pending()
        );
    });
    drop(runtime);
    go_on.send(()).ok();
}

#[test]
fn a_state_that_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    // A folder stands where the file is to be.
    std::fs::create_dir_all(path.join("in-the-way")).unwrap();
    assert!(write(&path, Seq(1), b"state").is_err());
    assert!(!path.with_extension("tmp").exists());
}
