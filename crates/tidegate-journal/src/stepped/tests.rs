use super::*;
use crate::journal::Urgency;
use crate::storage::{Fault, Memory};
use crate::testing::{options, record};
use crate::verify::verify_in;
use tidegate_types::record::Durability;

fn open(memory: &Memory) -> (Stepped, Appender, Vec<Record>) {
    let mut replayed = Vec::new();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let opened = Stepped::open(storage, options(Durability::Disk), &mut |_, record| {
        replayed.push(record);
    });
    let (journal, appender, _) = opened.expect("opens");
    (journal, appender, replayed)
}

fn append(appender: &mut Appender, count: u64) {
    for _ in 0..count {
        let seq = appender.next_seq();
        appender.append(seq, &record(seq.0), Urgency::Now).expect("appended");
    }
    appender.commit().expect("committed");
}

#[test]
fn nothing_is_written_before_a_flush_and_all_of_it_after() {
    let memory = Memory::default();
    let (mut journal, mut appender, _) = open(&memory);
    append(&mut appender, 40);
    let (_, _, lost) = open(&memory.crashed(|| true));
    assert!(lost.is_empty());
    let Some(FlushEvent::Durable(proof)) = journal.flush() else { panic!("not durable") };
    assert_eq!(proof.end(), Seq(40));
    assert!(journal.flush().is_none());
    let (_, _, kept) = open(&memory.crashed(|| false));
    assert_eq!(kept, (0..40).map(record).collect::<Vec<_>>());
}

#[test]
fn it_goes_over_segments_and_verifies() {
    let memory = Memory::default();
    let (mut journal, mut appender, _) = open(&memory);
    for _ in 0..60 {
        append(&mut appender, 50);
        assert!(matches!(journal.flush(), Some(FlushEvent::Durable(_))));
        journal.keep().expect("kept");
    }
    journal.close().expect("closed");
    let report = verify_in(&memory, None, None).expect("verified");
    assert!(report.is_whole(), "{report}");
    assert!(report.segments > 1);
    assert_eq!((report.records, report.after_checkpoint()), (3000, 0));
}

#[test]
fn a_failed_flush_closes_it() {
    let memory = Memory::default();
    let (mut journal, mut appender, _) = open(&memory);
    append(&mut appender, 3);
    memory.set_fault(Some(Fault::Sync));
    assert!(matches!(journal.flush(), Some(FlushEvent::Failed(_))));
    memory.set_fault(None);
    let seq = appender.next_seq();
    assert!(appender.append(seq, &record(seq.0), Urgency::Now).is_err());
}
