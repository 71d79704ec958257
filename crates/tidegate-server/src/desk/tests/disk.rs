//! What a disk that fails or hangs does to orders, cancels and halts.

use super::*;
use tidegate_journal::Reader;
use tidegate_journal::storage::{Fault, Memory};
use tidegate_types::approval::{Act, Showing};
use tidegate_types::record::Body;
use tidegate_types::self_trade::SelfTradeMode;

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn on(memory: &Memory, durability: Durability) -> World {
    let key = CheckpointKey::new("test", &[7; 32]).unwrap();
    let options = Options { segment_bytes: 256 * 1024, ..Options::new(durability, key) };
    world_on(tempfile::tempdir().unwrap(), Arc::new(memory.clone()), options).await
}

async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl World {
    fn arrived(&self, what: &str) -> usize {
        let arrived = self.told.arrived.lock().unwrap();
        arrived.iter().filter(|target| target.starts_with(what)).count()
    }

    async fn place(&self) -> OrderId {
        match self.desk.submit(ann(), None, buy("0.001", "100")).await {
            Answer::Venue { order: Some(order), .. } => order,
            other => panic!("{other:?}"),
        }
    }

    fn cancel(&self, id: OrderId) -> impl Future<Output = Answer> + use<> {
        let order = OrderName::Own { id };
        let cancel = CancelOrder { order, instrument: Some(terms().id) };
        self.desk.submit(ann(), None, Intent::Cancel { cancel })
    }

    async fn order(&self) -> Option<Code> {
        code(&self.desk.submit(ann(), None, buy("0.001", "100")).await)
    }
}

pub(crate) fn bodies(memory: &Memory) -> Vec<Body> {
    let mut reader = Reader::over(Arc::new(memory.copied()), Seq(0)).unwrap();
    let mut bodies = Vec::new();
    while let Some((_, record)) = reader.next_record().unwrap() {
        bodies.push(record.body);
    }
    bodies
}

/// Has the disk hang, with a flush under way that does not come back.
async fn hang(world: &World, memory: &Memory) {
    // Refused, which is a record.
    drop(world.desk.submit(ann(), None, buy("0.001", "150")));
    memory.set_fault(Some(Fault::Hang));
    until("a flush hangs", || memory.hangs()).await;
}

#[tokio::test]
async fn with_a_disk_that_hangs_no_order_leaves_and_cancels_and_halts_do() {
    for durability in [Durability::Disk, Durability::Os] {
        let memory = Memory::default();
        let world = on(&memory, durability).await;
        let (keep, kept) = std::sync::mpsc::channel();
        world.desk.set_keeper(Box::new(move |told| drop(keep.send(told))));
        let order = world.place().await;
        hang(&world, &memory).await;
        let (placed, cancels) = (world.arrived("place"), world.arrived("cancel"));
        assert_eq!(world.order().await, Some(Code::JournalUnavailable));
        let why = world.desk.journal_failed().unwrap();
        assert!(why.contains("the disk under the journal has not answered"), "{why}");
        assert!(world.desk.journal_is_silent());
        assert_eq!(world.order().await, Some(Code::JournalUnavailable), "at once");
        assert_eq!(world.arrived("place"), placed, "no order leaves without its record");
        drop(world.cancel(order));
        let _proof =
            world.desk.halt(name("owner"), Scope::All, "the disk".to_owned(), false, false);
        assert!(world.desk.look(|state| state.halts().contains_key(&Scope::All)), "in force");
        until("the cancel leaves", || world.arrived("cancel") > cancels).await;
        assert!(memory.hangs(), "while the disk still hangs");
        let told: Vec<Kept> = kept.try_iter().collect();
        assert!(told.len() >= 2 && !told.contains(&Kept::OnRecord), "{told:?}");

        memory.set_fault(None);
        until("the disk answers", || world.desk.journal_failed().is_none()).await;
        world.desk.commit();
        let on_record = |bodies: &[Body]| {
            let halted = bodies.iter().any(|body| matches!(body, Body::Halted { .. }));
            halted && bodies.iter().any(|body| matches!(body, Body::CancelCleared { .. }))
        };
        until("the halt and the cancel are on record", || on_record(&bodies(&memory))).await;
        until("the keeper hears of it", || kept.try_iter().any(|k| k == Kept::OnRecord)).await;
        let done = {
            let act = Act::Resume { scope: Scope::All, reason: "it answers".to_owned() };
            world.desk.ask(name("owner"), Showing::Door, act).await
        };
        assert!(matches!(done, Answer::Done), "{done:?}");
        world.place().await;
        assert!(world.arrived("place") > placed);
    }
}

#[tokio::test]
async fn what_waits_for_cancels_while_the_disk_hangs_is_refused_in_time_and_never_sent() {
    for durability in [Durability::Disk, Durability::Os] {
        let memory = Memory::default();
        let world = on(&memory, durability).await;
        let change = Change::SelfTradeSet { account: name("main"), mode: SelfTradeMode::CancelOld };
        assert!(matches!(world.desk.administer(name("owner"), change).await, Answer::Done));
        world.place().await;
        hang(&world, &memory).await;
        let (placed, cancels) = (world.arrived("place"), world.arrived("cancel"));
        let Intent::New { order } = buy("0.001", "100") else { panic!() };
        let order = NewOrder { side: Side::Sell, ..order };
        let began = Instant::now();
        let waits = world.desk.submit(ann(), None, Intent::New { order });
        assert_eq!(world.arrived("cancel"), cancels, "its record is not on disk");
        let told = code(&waits.await);
        let refused = [Code::SelfTradeWait, Code::JournalUnavailable];
        assert!(told.is_some_and(|code| refused.contains(&code)), "{told:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        until("the cancel leaves without its record", || world.arrived("cancel") > cancels).await;
        assert!(memory.hangs(), "while the disk still hangs");
        memory.set_fault(None);
        until("the disk answers", || world.desk.journal_failed().is_none()).await;
        assert_eq!(world.order().await, None, "orders pass again");
        assert_eq!(world.arrived("place"), placed + 1, "and what was refused was not sent");
    }
}

#[tokio::test]
async fn a_disk_that_fails_after_its_silence_needs_a_restart() {
    let memory = Memory::default();
    let world = on(&memory, Durability::Disk).await;
    hang(&world, &memory).await;
    until("it is noticed", || world.desk.journal_is_silent()).await;
    memory.set_fault(Some(Fault::Sync));
    until("it is told", || !world.desk.journal_is_silent()).await;
    let why = world.desk.journal_failed().unwrap();
    assert!(why.contains("the disk under memory fails") && why.contains("then restart"), "{why}");
}

#[tokio::test]
async fn with_a_disk_that_refuses_no_order_leaves_and_cancels_and_halts_do() {
    for durability in [Durability::Disk, Durability::Os] {
        for fault in [Fault::Write, Fault::Sync] {
            let memory = Memory::default();
            let world = on(&memory, durability).await;
            let order = world.place().await;
            let cancels = world.arrived("cancel");
            memory.set_fault(Some(fault));
            // With `Os` durability orders leave once written; a flush that fails comes later.
            let mut placed = world.arrived("place");
            while world.order().await.is_none() {
                assert_eq!((durability, fault), (Durability::Os, Fault::Sync));
                placed = world.arrived("place");
            }
            assert_eq!(world.order().await, Some(Code::JournalUnavailable));
            assert_eq!(world.arrived("place"), placed);
            let why = world.desk.journal_failed().unwrap();
            assert!(why.contains("the disk under memory fails: injected"), "{why}");
            assert!(why.contains("then restart") && why.contains("cancels and halts go"), "{why}");
            assert!(!world.desk.journal_is_silent(), "it will not answer by itself");
            drop(world.cancel(order));
            let _proof =
                world.desk.halt(name("owner"), Scope::All, "disk".to_owned(), false, false);
            assert!(world.desk.look(|state| state.halts().contains_key(&Scope::All)));
            until("the cancel leaves", || world.arrived("cancel") > cancels).await;
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_told_of_before_the_room_that_is_reserved_is_used_up() {
    let memory = Memory::default();
    let world = on(&memory, Durability::Disk).await;
    let first = world.place().await;
    memory.set_fault(Some(Fault::NoSpace));
    until("it is told", || world.desk.journal_degraded().is_some()).await;
    let line = world.desk.journal_degraded().unwrap();
    assert!(line.contains("no space left on memory (0 of 1024 GiB free)"), "{line}");
    // The current segment and the next have their room.
    let mut passed = 0;
    while world.order().await.is_none() {
        passed += 1;
    }
    assert!(passed > 100, "{passed}");
    let why = world.desk.journal_failed().unwrap();
    assert!(why.contains("no space left on memory") && why.contains("make room there"), "{why}");
    let cancels = world.arrived("cancel");
    drop(world.cancel(first));
    until("the cancel leaves", || world.arrived("cancel") > cancels).await;
}

#[tokio::test]
async fn a_disk_that_has_room_again_in_time_is_no_loss() {
    let memory = Memory::default();
    let world = on(&memory, Durability::Disk).await;
    memory.set_fault(Some(Fault::NoSpace));
    world.place().await;
    until("it is told", || world.desk.journal_degraded().is_some()).await;
    memory.set_fault(None);
    until("it is over", || world.desk.journal_degraded().is_none()).await;
    world.place().await;
    assert_eq!(world.desk.journal_failed(), None);
}
