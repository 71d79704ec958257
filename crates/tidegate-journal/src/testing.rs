//! What the tests of this crate share.

use crate::checkpoint::CheckpointKey;
use crate::error::JournalError;
use crate::journal::{Appender, FlushEvent, Journal, Options, Urgency};
use crate::recovery::Recovered;
use crate::storage::{Memory, Storage};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tidegate_types::Time;
use tidegate_types::ids::{CallId, PersonName, Seq};
use tidegate_types::record::{Body, Durability, Record};

pub(crate) const SEGMENT: u64 = 256 * 1024;

pub(crate) struct World {
    pub(crate) journal: Journal,
    pub(crate) appender: Appender,
    pub(crate) recovered: Recovered,
    pub(crate) replayed: Vec<Record>,
    pub(crate) events: Receiver<FlushEvent>,
}

pub(crate) fn key() -> CheckpointKey {
    CheckpointKey::new("tidegate.local/desk/0123456789abcdef", &[7; 32]).expect("a key")
}

pub(crate) fn options(durability: Durability) -> Options {
    Options {
        segment_bytes: SEGMENT,
        checkpoint_every: Duration::from_millis(1),
        ..Options::new(durability, key())
    }
}

/// Record `n` of every test: mostly short ones, some long.
pub(crate) fn record(n: u64) -> Record {
    let body = if n % 9 == 4 {
        Body::Resumed {
            by: PersonName::new("ada").expect("a name"),
            scope: tidegate_types::grant::Scope::All,
            reason: "x".repeat((n % 1000) as usize * 3),
        }
    } else {
        Body::Sent { call: CallId(n) }
    };
    Record { at: Time::from_micros(1_700_000_000_000_000 + n), body }
}

pub(crate) fn open(memory: &Memory) -> Result<World, JournalError> {
    open_as(memory, Durability::Disk)
}

pub(crate) fn open_as(memory: &Memory, durability: Durability) -> Result<World, JournalError> {
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    open_on(storage, options(durability))
}

pub(crate) fn open_on(storage: Arc<dyn Storage>, options: Options) -> Result<World, JournalError> {
    let (tell, events) = channel();
    let (mut replayed, from) = (Vec::new(), options.replay_from.0);
    let (journal, appender, recovered) = Journal::open_in(
        storage,
        options,
        &mut |seq, record| {
            assert_eq!(seq, Seq(from + replayed.len() as u64));
            replayed.push(record);
        },
        Box::new(move |event| drop(tell.send(event))),
    )?;
    Ok(World { journal, appender, recovered, replayed, events })
}

impl World {
    /// Appends records up to `end` in batches of `batch`, each durable before the next.
    pub(crate) fn append_until(&mut self, end: u64, batch: u64) {
        while self.appender.next_seq().0 < end {
            for _ in 0..batch.min(end - self.appender.next_seq().0) {
                let seq = self.appender.next_seq();
                self.appender.append(seq, &record(seq.0), Urgency::Now).expect("appended");
            }
            self.appender.commit().expect("committed");
            self.wait_durable();
        }
    }

    /// Waits until everything appended is durable.
    pub(crate) fn wait_durable(&self) {
        let end = self.appender.next_seq();
        loop {
            match self.events.recv_timeout(Duration::from_secs(10)).expect("an event") {
                FlushEvent::Durable(proof) if proof.end() == end => return,
                FlushEvent::Durable(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits until a checkpoint covers everything appended.
    pub(crate) fn wait_checkpoint(&self) {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while self.journal.checkpointed() < self.appender.next_seq().0 {
            assert!(std::time::Instant::now() < deadline, "no checkpoint");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn close(self) {
        self.journal.close().expect("closed");
    }
}

/// A cleanly closed journal of `count` records.
pub(crate) fn closed_journal(count: u64) -> Memory {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    world.append_until(count, 37);
    if let Some(last) = count.checked_sub(1) {
        wait_spare(&memory, Seq(last));
    }
    world.close();
    memory
}

/// Waits until the segment after the one with the last record is prepared: a thread of its own does
/// that, and closing does not wait for it.
fn wait_spare(memory: &Memory, last: Seq) {
    let mut reader = crate::Reader::over(Arc::new(memory.clone()), last).expect("opens");
    let entry = reader.next_entry().expect("read").expect("there");
    let spare = crate::segment::path(entry.position.index + 1);
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while memory.read(&spare).is_err() {
        assert!(std::time::Instant::now() < deadline, "no spare segment");
        std::thread::sleep(Duration::from_millis(1));
    }
}
