use super::*;
use crate::storage::{Fault, Memory};
use crate::testing::{closed_journal, key, open, open_as, open_on, options, record};
use crate::verify::verify_in;
use std::io;

fn assert_whole(memory: &Memory, records: u64) {
    let report = verify_in(memory, None, None).expect("verified");
    assert!(report.is_whole(), "{report}");
    assert_eq!(report.records, records);
}

#[test]
fn records_come_back_over_segments_and_restarts() {
    come_back(Durability::Disk);
    come_back(Durability::Os);
}

fn come_back(durability: Durability) {
    let memory = Memory::default();
    for round in 0..4_u64 {
        let mut world = open_as(&memory, durability).expect("opens");
        assert_eq!(world.recovered.next, Seq(round * 1500));
        assert_eq!(world.recovered.checkpointed, round * 1500);
        assert_eq!(world.recovered.cut, None);
        let expected: Vec<Record> = (0..round * 1500).map(record).collect();
        assert_eq!(world.replayed, expected);
        world.append_until((round + 1) * 1500, 100);
        world.close();
        assert_whole(&memory, (round + 1) * 1500);
    }
    let segments = memory.list("segment").expect("listed").len();
    assert!(segments > 6, "{segments}");
}

#[test]
fn os_durability_does_not_wait_but_flushes_in_the_background() {
    let memory = Memory::default();
    let mut world = open_as(&memory, Durability::Os).expect("opens");
    world.append_until(5, 5);
    let deadline = Instant::now() + Duration::from_secs(5);
    while world.journal.synced() < Seq(5) {
        assert!(Instant::now() < deadline, "never flushed");
        thread::sleep(Duration::from_millis(5));
    }
    world.close();
    assert_whole(&memory, 5);
}

#[test]
fn disk_durability_is_on_disk_when_told() {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    world.append_until(5, 2);
    let after = memory.crashed(|| false);
    let world = open(&after).expect("opens");
    assert_eq!(world.recovered.next, Seq(5));
}

#[test]
fn lazy_records_are_written_soon_and_ride_along() {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    world.appender.append(Seq(0), &record(0), Urgency::Lazy).expect("appended");
    let start = Instant::now();
    world.appender.commit().expect("committed");
    world.wait_durable();
    assert!(start.elapsed() >= LAZY_FLUSH, "a lazy record alone is not hurried");
    world.appender.append(Seq(1), &record(1), Urgency::Lazy).expect("appended");
    world.appender.commit().expect("committed");
    world.appender.append(Seq(2), &record(2), Urgency::Now).expect("appended");
    world.appender.commit().expect("committed");
    world.wait_durable();
    world.close();
    assert_whole(&memory, 3);
}

#[test]
fn numbers_must_follow() {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    let error = world.appender.append(Seq(1), &record(0), Urgency::Now).expect_err("a gap");
    assert!(matches!(error, JournalError::OutOfOrder { expected: Seq(0), given: Seq(1) }));
}

#[test]
fn too_long_a_record_is_refused_and_nothing_is_lost() {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    let mut long = record(4);
    if let tidegate_types::record::Body::Resumed { reason, .. } = &mut long.body {
        *reason = "x".repeat(61 * 1024);
    }
    let error = world.appender.append(Seq(0), &long, Urgency::Now).expect_err("too long");
    assert!(matches!(error, JournalError::BadLength(_)));
    world.append_until(3, 1);
    world.close();
    assert_whole(&memory, 3);
}

#[test]
fn one_opener_at_a_time() {
    let memory = Memory::default();
    let world = open(&memory).expect("opens");
    assert!(matches!(open(&memory), Err(JournalError::Locked)));
    world.close();
    open(&memory).expect("opens again");

    let dir = tempfile::tempdir().expect("a folder");
    let disk = Arc::new(crate::storage::Disk::create(dir.path()).expect("made"));
    let world = open_on(disk.clone(), options(Durability::Disk)).expect("opens");
    assert!(matches!(open_on(disk.clone(), options(Durability::Disk)), Err(JournalError::Locked)));
    drop(world);
    open_on(disk, options(Durability::Disk)).expect("opens again");
}

#[test]
fn a_failed_flush_or_write_closes_the_journal_until_a_restart() {
    for fault in [Fault::Sync, Fault::Write] {
        let memory = Memory::default();
        let mut world = open(&memory).expect("opens");
        world.append_until(3, 1);
        memory.set_fault(Some(fault));
        world.appender.append(Seq(3), &record(3), Urgency::Now).expect("appended");
        world.appender.commit().expect("committed");
        let event = loop {
            match world.events.recv_timeout(Duration::from_secs(10)).expect("an event") {
                FlushEvent::Degraded(_) => {}
                event => break event,
            }
        };
        assert!(matches!(event, FlushEvent::Failed(JournalError::Io { .. })), "{event:?}");
        memory.set_fault(None);
        let error = world.appender.append(Seq(4), &record(4), Urgency::Now).expect_err("closed");
        assert!(matches!(error, JournalError::Closed(_)), "{error}");
        let syncs = memory.syncs();
        thread::sleep(Duration::from_millis(30));
        assert!(world.events.try_iter().all(|event| !matches!(event, FlushEvent::Durable(_))));
        let kept = memory.crashed(|| false);
        assert!(world.journal.close().is_err());
        assert!(memory.syncs() <= syncs + 3, "only tiles and the checkpoint are still written");

        let world = open(&kept).expect("opens after a restart");
        assert_eq!(world.recovered.next, Seq(3));
        let world = open(&memory).expect("opens after a restart");
        assert!(world.recovered.next >= Seq(3));
    }
}

#[test]
fn a_full_disk_degrades_and_the_segment_still_has_room() {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    world.append_until(1, 1);
    thread::sleep(Duration::from_millis(50));
    memory.set_fault(Some(Fault::NoSpace));
    for _ in 0..5 {
        let seq = world.appender.next_seq();
        world.appender.append(seq, &record(seq.0), Urgency::Now).expect("appended");
        world.appender.commit().expect("committed");
        thread::sleep(Duration::from_millis(10));
    }
    thread::sleep(Duration::from_millis(300));
    let events: Vec<FlushEvent> = world.events.try_iter().collect();
    assert!(events.iter().any(|event| matches!(event, FlushEvent::Degraded(_))), "{events:?}");
    assert!(
        events.iter().any(|event| matches!(event, FlushEvent::Durable(p) if p.end() == Seq(6)))
    );
    memory.set_fault(None);
    world.wait_checkpoint();
    world.close();
    assert_whole(&memory, 6);
}

#[test]
fn another_key_is_refused() {
    let memory = closed_journal(10);
    let other = CheckpointKey::new(key().verifier().name(), &[8; 32]).expect("a key");
    let options = Options::new(Durability::Disk, other);
    let error = open_on(Arc::new(memory), options).err().expect("refused");
    assert!(matches!(error, JournalError::WrongKey { .. }));
}

#[test]
fn crashes_at_any_moment_lose_nothing_that_was_durable() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chance = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for durability in [Durability::Disk, Durability::Os] {
        let mut memory = Memory::default();
        let mut durable = 0;
        for round in 0..30 {
            let mut world = open_as(&memory, durability).unwrap_or_else(|e| panic!("{round}: {e}"));
            let next = world.recovered.next.0;
            assert!(next >= durable, "round {round}: {next} of {durable}");
            assert_eq!(world.replayed, (0..next).map(record).collect::<Vec<_>>());
            world.append_until(next + chance() % 300, 1 + chance() % 40);
            if durability == Durability::Disk {
                durable = world.appender.next_seq().0;
            }
            if chance() % 8 == 0 {
                world.wait_checkpoint();
            }
            // A batch that is written but not flushed when the power goes.
            for _ in 0..chance() % 30 {
                let seq = world.appender.next_seq();
                world.appender.append(seq, &record(seq.0), Urgency::Now).expect("appended");
            }
            if chance() % 2 == 0 {
                memory.set_fault(Some(Fault::Sync));
            }
            world.appender.commit().expect("committed");
            thread::sleep(Duration::from_millis(chance() % 3));
            if durability == Durability::Os {
                durable = durable.max(world.journal.synced().0.min(next));
            }
            let after = memory.crashed(|| chance() % 2 == 0);
            drop(world);
            let report = verify_in(&after, None, None).expect("verified");
            assert!(report.is_whole(), "round {round}: {report}");
            memory = after;
        }
    }
}

#[test]
fn replay_may_begin_anywhere_and_the_journal_goes_on_the_same() {
    let written = closed_journal(3_000);
    for from in [0, 1, 777, 2_999, 3_000] {
        let memory = written.copied();
        let options = Options { replay_from: Seq(from), ..options(Durability::Disk) };
        let mut world = open_on(Arc::new(memory.clone()), options).expect("opens");
        assert_eq!(world.replayed, (from..3_000).map(record).collect::<Vec<_>>());
        assert_eq!(world.recovered.next, Seq(3_000));
        world.append_until(3_010, 3);
        world.close();
        assert_whole(&memory, 3_010);
    }
    let options = Options { replay_from: Seq(3_001), ..options(Durability::Disk) };
    let error = open_on(Arc::new(written), options).err().expect("refused");
    assert!(error.to_string().contains("missing"), "{error}");
}

#[test]
fn a_disk_that_hangs_holds_up_nobody_who_appends() {
    for durability in [Durability::Disk, Durability::Os] {
        let memory = Memory::default();
        let mut world = open_as(&memory, durability).expect("opens");
        world.append_until(3, 1);
        memory.set_fault(Some(Fault::Hang));
        // With `Os` durability the flush in the background is what does not come back first.
        while durability == Durability::Os && !is_flushing_within(&world, BACKGROUND_SYNC * 4) {
            memory.set_fault(None);
            world.append_until(world.appender.next_seq().0 + 1, 1);
            memory.set_fault(Some(Fault::Hang));
        }
        // Would not come back either, were it to write.
        for _ in 0..100 {
            let seq = world.appender.next_seq();
            world.appender.append(seq, &record(seq.0), Urgency::Now).expect("appended");
            world.appender.commit().expect("committed");
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while world.appender.unanswered() < Duration::from_millis(20) {
            assert!(Instant::now() < deadline, "it is not noticed");
            thread::sleep(Duration::from_millis(5));
        }
        assert!(world.events.try_iter().all(|event| !matches!(event, FlushEvent::Durable(_))));
        memory.set_fault(None);
        world.wait_durable();
        world.append_until(200, 7);
        world.close();
        assert_whole(&memory, 200);
    }
}

#[test]
fn what_the_disk_refuses_is_told_in_one_line_that_says_where_and_what_to_do() {
    let said = |kind: io::ErrorKind| {
        let error = JournalError::io("create", "segment/0000000001")(kind.into());
        error.on(&Memory::default()).to_string()
    };
    for (kind, what, mend) in [
        (
            io::ErrorKind::StorageFull,
            "no space left on memory (1024 of 1024 GiB free)",
            "make room",
        ),
        (io::ErrorKind::ReadOnlyFilesystem, "memory is read-only", "mount it writable"),
        (io::ErrorKind::FileTooLarge, "limits the size of files", "LimitFSIZE"),
        (io::ErrorKind::PermissionDenied, "memory may not be written", "give it back"),
        (io::ErrorKind::Other, "the disk under memory fails", "dmesg"),
    ] {
        let line = said(kind);
        assert!(line.contains(what) && line.contains(mend) && !line.contains('\n'), "{line}");
        assert!(line.contains("could not create `segment/0000000001`"), "{line}");
    }
}

#[test]
fn a_segment_that_cannot_be_made_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let disk = crate::storage::Disk::create(dir.path()).expect("made");
    // No file system has so much room.
    let error = disk.create("segment/0000000000", b"head", 1 << 60).err().expect("refused");
    assert!(matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge));
    assert_eq!(disk.list("").expect("listed"), Vec::<String>::new());
}

fn is_flushing_within(world: &crate::testing::World, time: Duration) -> bool {
    let deadline = Instant::now() + time;
    while !world.appender.is_flushing() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}
