//! A journal that is open: one appender for the event loop, and threads that flush, prepare the
//! next segment and sign checkpoints. With `Os` durability the appender writes by itself what fits
//! into the segment; the thread takes what may have to wait for the disk.

use crate::archive::remembered;
use crate::checkpoint::CheckpointKey;
use crate::error::JournalError;
use crate::keeper::{Keeper, KeeperLink};
use crate::recovery::{Recovered, recover};
use crate::segment;
use crate::storage::{Disk, Room, Storage};
use crate::writer::{Progress, Writer};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tidegate_types::codec::Codec;
use tidegate_types::ids::Seq;
use tidegate_types::proof::Durable;
use tidegate_types::record::{Durability, Record};

/// A record that nothing waits for is written within this.
pub const LAZY_FLUSH: Duration = Duration::from_millis(20);
/// With `Os` durability, what is written is flushed this often.
pub const BACKGROUND_SYNC: Duration = Duration::from_millis(50);
/// Most bytes that wait for the disk.
pub const MAX_PENDING_BYTES: usize = 64 * 1024 * 1024;
/// The usual size of a segment.
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// How a journal is opened.
#[derive(Debug)]
pub struct Options {
    /// When a record counts as written.
    pub durability: Durability,
    /// The key that signs checkpoints; its name is the journal's origin line.
    pub key: CheckpointKey,
    /// The size of new segments, [`SEGMENT_BYTES`] as a rule.
    pub segment_bytes: u64,
    /// The first record to replay; the ones before it are neither read nor checked.
    pub replay_from: Seq,
    /// A checkpoint is signed this long after the last one when there is something new.
    pub checkpoint_every: Duration,
}

/// What the journal tells whoever opened it, from a thread of its own.
#[derive(Debug)]
pub enum FlushEvent {
    /// Records are durable.
    Durable(Durable),
    /// The journal is closed until a restart; nothing that waits will become durable.
    Failed(JournalError),
    /// The journal goes on, but the next segment, tiles or checkpoint could not be written; it
    /// will be tried again. When the disk is full the current segment still has room.
    Degraded(JournalError),
    /// What could not be written could be by now.
    Mended,
}

/// Whether something waits for a record to be durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// Something does: flush as soon as possible.
    Now,
    /// Nothing does: go with the next flush, within [`LAZY_FLUSH`].
    Lazy,
}

/// Called with every [`FlushEvent`], from any thread; it must not block.
pub type Notify = Box<dyn Fn(FlushEvent) + Send + Sync>;

/// Keeps a journal's threads and its lock on the folder.
pub struct Journal {
    shared: Arc<Shared>,
    keeper: Arc<KeeperLink>,
    progress: Arc<Progress>,
    storage: Arc<dyn Storage>,
    writing: Vec<JoinHandle<()>>,
    keeping: Option<JoinHandle<()>>,
    _lock: Box<dyn Send + Sync>,
}

/// Appends records; belongs to the event loop.
pub struct Appender {
    shared: Arc<Shared>,
    frames: Vec<u8>,
    next: Seq,
    urgent: bool,
    direct: Option<Direct>,
}

/// To write at once, where that needs no wait for the disk.
struct Direct {
    /// The thread holds it while `Pending::writing` says so and when the journal closes.
    writer: Arc<Mutex<Writer>>,
    progress: Arc<Progress>,
}

pub(crate) struct Shared {
    pending: Mutex<Pending>,
    wake: Condvar,
    notify: Notify,
    closed: AtomicBool,
}

#[derive(Default)]
struct Pending {
    frames: Vec<u8>,
    since: Option<Instant>,
    urgent: bool,
    /// Since when the thread has frames that are not written yet.
    writing: Option<Instant>,
    closing: bool,
    failed: Option<String>,
}

impl Options {
    /// The usual options.
    pub fn new(durability: Durability, key: CheckpointKey) -> Options {
        Options {
            durability,
            key,
            segment_bytes: SEGMENT_BYTES,
            replay_from: Seq(0),
            checkpoint_every: Duration::from_secs(1),
        }
    }
}

impl Journal {
    /// Opens the journal in `dir` (made if it is not there), with what was archived of it where that
    /// was moved to: gives every record from
    /// `options.replay_from` on to `replay`, cuts a torn last batch, and goes on after it. Damage to
    /// anything there that was once on disk is an error, as are a second opener and another key.
    pub fn open(
        dir: &Path,
        options: Options,
        replay: &mut dyn FnMut(Seq, Record),
        notify: Notify,
    ) -> Result<(Journal, Appender, Recovered), JournalError> {
        let disk = Disk::create(dir).map_err(JournalError::io("create", dir.display()))?;
        Journal::open_in(remembered(Arc::new(disk))?, options, replay, notify)
    }

    /// As [`Journal::open`], on any storage.
    pub fn open_in(
        storage: Arc<dyn Storage>,
        options: Options,
        replay: &mut dyn FnMut(Seq, Record),
        notify: Notify,
    ) -> Result<(Journal, Appender, Recovered), JournalError> {
        let lock = storage.lock().map_err(JournalError::io("lock", "."))?;
        let lock = lock.ok_or(JournalError::Locked)?;
        let recovered = recover(&storage, &options, replay);
        let (writer, recovered, checkpoint) = recovered.map_err(|e| e.on(storage.as_ref()))?;
        let shared = Shared::new(notify);
        let progress = Arc::clone(writer.progress());
        let writer = Arc::new(Mutex::new(writer));
        let keeper = Arc::new(KeeperLink::new(checkpoint.size));
        let keeping = start("journal-keeper", {
            let (link, shared) = (Arc::clone(&keeper), Arc::clone(&shared));
            let keeper = Keeper::new(
                Arc::clone(&storage),
                Arc::clone(&progress),
                options.key,
                options.checkpoint_every,
                checkpoint,
            );
            move || keeper.run(&link, &|event| (shared.notify)(event))
        })?;
        let mut writing = Vec::new();
        if options.durability == Durability::Os {
            let (shared, progress) = (Arc::clone(&shared), Arc::clone(&progress));
            let storage = Arc::clone(&storage);
            let sync = move || sync_loop(&shared, &progress, storage.as_ref());
            writing.push(start("journal-sync", sync)?);
        }
        let (loop_shared, link) = (Arc::clone(&shared), Arc::clone(&keeper));
        let direct = match options.durability {
            Durability::Os => {
                Some(Direct { writer: Arc::clone(&writer), progress: Arc::clone(&progress) })
            }
            Durability::Disk => None,
        };
        writing.push(start("journal-flush", move || flush_loop(&loop_shared, &writer, &link))?);
        let mut appender = Appender::new(Arc::clone(&shared), recovered.next);
        appender.direct = direct;
        let keeping = Some(keeping);
        let journal = Journal { shared, keeper, progress, storage, writing, keeping, _lock: lock };
        Ok((journal, appender, recovered))
    }

    /// Writes and flushes what was committed, signs a last checkpoint and ends the threads.
    pub fn close(mut self) -> Result<(), JournalError> {
        self.stop()
    }

    /// Every record below this is on disk, whatever the durability.
    pub fn synced(&self) -> Seq {
        self.progress.synced()
    }

    /// How many records the newest checkpoint covers.
    pub fn checkpointed(&self) -> u64 {
        self.keeper.checkpointed()
    }

    /// The room on the disk.
    pub fn room(&self) -> Result<Room, JournalError> {
        self.storage.room().map_err(JournalError::io("measure", "."))
    }

    fn stop(&mut self) -> Result<(), JournalError> {
        self.shared.pending().closing = true;
        self.shared.wake.notify_all();
        for thread in self.writing.drain(..) {
            let _ = thread.join();
        }
        // Only now is everything written that the last checkpoint is to cover.
        self.keeper.stop();
        if let Some(thread) = self.keeping.take() {
            let _ = thread.join();
        }
        match self.shared.pending().failed.clone() {
            Some(why) => Err(JournalError::Closed(why)),
            None => Ok(()),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.keeping.is_some() {
            let _ = self.stop();
        }
    }
}

impl Appender {
    pub(crate) fn new(shared: Arc<Shared>, next: Seq) -> Appender {
        Appender { shared, frames: Vec::new(), next, urgent: false, direct: None }
    }

    /// The number of the next record.
    pub fn next_seq(&self) -> Seq {
        self.next
    }

    /// Appends `record`, whose number must be the next one. It is not written before
    /// [`Appender::commit`].
    pub fn append(
        &mut self,
        seq: Seq,
        record: &Record,
        urgency: Urgency,
    ) -> Result<(), JournalError> {
        if seq != self.next {
            return Err(JournalError::OutOfOrder { expected: self.next, given: seq });
        }
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(self.shared.why_closed());
        }
        if self.frames.len() > MAX_PENDING_BYTES {
            return Err(JournalError::Full);
        }
        segment::append_frame(&mut self.frames, seq, |out| record.encode(out))
            .map_err(JournalError::BadLength)?;
        self.next = seq.next();
        self.urgent |= urgency == Urgency::Now;
        Ok(())
    }

    /// Writes everything appended or hands it to the flush thread: once at the end of a batch of
    /// events, so that one flush covers the batch.
    pub fn commit(&mut self) -> Result<(), JournalError> {
        if self.frames.is_empty() || self.write_at_once() {
            return Ok(());
        }
        let mut pending = self.shared.pending();
        if let Some(why) = &pending.failed {
            return Err(JournalError::Closed(why.clone()));
        }
        if pending.frames.len() + self.frames.len() > MAX_PENDING_BYTES {
            return Err(JournalError::Full);
        }
        if pending.frames.is_empty() {
            std::mem::swap(&mut pending.frames, &mut self.frames);
            pending.since = Some(Instant::now());
        } else {
            pending.frames.append(&mut self.frames);
        }
        pending.urgent |= std::mem::take(&mut self.urgent);
        drop(pending);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// For how long the disk has not answered: it was given records to write and has neither
    /// written them nor refused. Whoever waits for them waits for nothing else here.
    pub fn unanswered(&self) -> Duration {
        self.shared.pending().writing.map_or(Duration::ZERO, |since| since.elapsed())
    }

    #[cfg(test)]
    fn is_flushing(&self) -> bool {
        self.direct.as_ref().is_some_and(|direct| direct.progress.is_syncing())
    }

    /// Writes everything appended into the system's memory, which takes less time than waking a
    /// thread for it. False when earlier frames are still to be written, or when it would take
    /// more than that: a new segment, and with it the disk. Nor while a flush is under way, since a
    /// write to what is being flushed may wait for it, and a disk that hangs never ends it.
    fn write_at_once(&mut self) -> bool {
        let Some(Direct { writer, progress }) = &self.direct else { return false };
        let event = {
            // Held until it is written: no thread takes the writer or begins a flush in between.
            let pending = self.shared.pending();
            let behind = pending.writing.is_some() || !pending.frames.is_empty();
            if behind || pending.closing || pending.failed.is_some() || progress.is_syncing() {
                return false;
            }
            let mut writer = lock(writer);
            if !writer.has_room(self.frames.len()) {
                return false;
            }
            writer.flush(&mut self.frames)
        };
        self.frames.clear();
        self.urgent = false;
        if let FlushEvent::Failed(error) = &event {
            self.shared.fail(&error.to_string());
        }
        (self.shared.notify)(event);
        true
    }
}

impl Shared {
    pub(crate) fn new(notify: Notify) -> Arc<Shared> {
        Arc::new(Shared {
            pending: Mutex::default(),
            wake: Condvar::new(),
            notify,
            closed: AtomicBool::new(false),
        })
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, why: &str) {
        self.pending().failed.get_or_insert(why.to_owned());
        self.closed.store(true, Ordering::Release);
        self.wake.notify_all();
    }

    /// Writes and flushes what was taken; a failure closes the journal.
    pub(crate) fn flush(&self, writer: &mut Writer, frames: &mut [u8]) -> FlushEvent {
        let event = writer.flush(frames);
        if let FlushEvent::Failed(error) = &event {
            self.fail(&error.to_string());
        }
        event
    }

    /// What waits to be written, without waiting for more.
    pub(crate) fn take_now(&self) -> Vec<u8> {
        let mut pending = self.pending();
        pending.since = None;
        pending.urgent = false;
        std::mem::take(&mut pending.frames)
    }

    fn why_closed(&self) -> JournalError {
        let why = self.pending().failed.clone();
        JournalError::Closed(why.unwrap_or_else(|| "it was closed".to_owned()))
    }

    /// Waits until there is something to write, and takes it; `None` when the journal is closing
    /// and nothing is left.
    fn take(&self, emptied: Vec<u8>) -> Option<Vec<u8>> {
        let mut pending = self.pending();
        pending.writing = None;
        loop {
            let lazy_since = pending.since.filter(|_| !pending.urgent && !pending.closing);
            match lazy_since {
                _ if pending.failed.is_some() => return None,
                Some(since) if since.elapsed() < LAZY_FLUSH => {
                    let left = LAZY_FLUSH.saturating_sub(since.elapsed());
                    (pending, _) = self
                        .wake
                        .wait_timeout(pending, left)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                _ if !pending.frames.is_empty() => {
                    pending.since = None;
                    pending.urgent = false;
                    pending.writing = Some(Instant::now());
                    return Some(std::mem::replace(&mut pending.frames, emptied));
                }
                _ if pending.closing => return None,
                _ => {
                    pending = self.wake.wait(pending).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

fn flush_loop(shared: &Shared, writer: &Mutex<Writer>, keeper: &KeeperLink) {
    let mut emptied = Vec::new();
    while let Some(mut frames) = shared.take(emptied) {
        let mut writer = lock(writer);
        let before = writer.segment();
        let event = shared.flush(&mut writer, &mut frames);
        let rotated = writer.segment() != before;
        drop(writer);
        if rotated {
            keeper.want_segment();
        }
        (shared.notify)(event);
        frames.clear();
        emptied = frames;
    }
    if shared.pending().failed.is_some() {
        return;
    }
    let finished = lock(writer).finish();
    if let Err(error) = finished {
        shared.fail(&error.to_string());
        (shared.notify)(FlushEvent::Failed(error));
    }
    shared.closed.store(true, Ordering::Release);
}

/// Flushes in the background what `Os` durability does not wait for.
fn sync_loop(shared: &Shared, progress: &Progress, storage: &dyn Storage) {
    loop {
        thread::sleep(BACKGROUND_SYNC);
        let announced = {
            let pending = shared.pending();
            if pending.closing || pending.failed.is_some() {
                return;
            }
            progress.announce_sync()
        };
        let synced = progress.sync();
        drop(announced);
        if let Err(error) = synced {
            let error = error.on(storage);
            shared.fail(&error.to_string());
            (shared.notify)(FlushEvent::Failed(error));
            return;
        }
    }
}

fn start(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, JournalError> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(JournalError::io("start a thread for", name))
}

#[cfg(test)]
mod tests;
