//! Writing batches of frames, and the one place that says that records are durable.

use crate::error::JournalError;
use crate::journal::FlushEvent;
use crate::merkle::Hash;
use crate::segment::{self, HEADER_BYTES, Header};
use crate::storage::{Handle, Storage};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tidegate_types::ids::Seq;
use tidegate_types::proof::Durable;
use tidegate_types::record::Durability;

/// A segment that is open for writing.
#[derive(Clone)]
pub struct Active {
    /// Its file.
    pub handle: Arc<dyn Handle>,
    /// Its place in the journal.
    pub index: u64,
    /// Where the next frame goes.
    pub offset: u64,
    /// Its size until it is sealed.
    pub capacity: u64,
}

/// How far writing has come; shared by the threads of a journal.
pub struct Progress {
    synced: AtomicU64,
    syncing: AtomicU64,
    written: Mutex<(Arc<dyn Handle>, Seq)>,
    next_segment: Mutex<NextSegment>,
}

/// The segment to go on in when the current one is full. Whoever makes it holds the lock, so that
/// it is made once.
struct NextSegment {
    index: u64,
    capacity: u64,
    made: Option<Active>,
}

/// Writes one journal. Has no thread or clock of its own.
pub struct Writer {
    storage: Arc<dyn Storage>,
    origin: Hash,
    durability: Durability,
    active: Active,
    next: Seq,
    progress: Arc<Progress>,
    failed: Option<String>,
}

/// Makes the zeroed segment `index`.
pub fn create_segment(
    storage: &dyn Storage,
    origin: &Hash,
    index: u64,
    capacity: u64,
) -> Result<Active, JournalError> {
    let header = Header { index, capacity, origin: *origin };
    let path = segment::path(index);
    let handle = storage
        .create(&path, &header.to_bytes(), capacity)
        .map_err(JournalError::io("create", &path))?;
    Ok(Active { handle, index, offset: HEADER_BYTES as u64, capacity })
}

impl Progress {
    /// Every record below this is on disk, whatever the durability.
    pub fn synced(&self) -> Seq {
        Seq(self.synced.load(Ordering::Acquire))
    }

    /// Flushes what is written; `Os` durability does this in the background.
    pub fn sync(&self) -> Result<(), JournalError> {
        let (handle, end) = self.written.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if end > self.synced() {
            handle.sync_data().map_err(JournalError::io("flush", "segment"))?;
            self.synced.fetch_max(end.0, Ordering::AcqRel);
        }
        Ok(())
    }

    /// Whether a flush is under way that was announced. A write meanwhile may have to wait for it.
    pub fn is_syncing(&self) -> bool {
        self.syncing.load(Ordering::Acquire) > 0
    }

    /// Announces a flush, until dropped.
    pub fn announce_sync(&self) -> Announced<'_> {
        self.syncing.fetch_add(1, Ordering::AcqRel);
        Announced(self)
    }

    /// Makes the next segment if there is none, so that no record waits for it later.
    pub fn prepare(&self, storage: &dyn Storage, origin: &Hash) -> Result<(), JournalError> {
        let mut next = self.next_segment();
        if next.made.is_none() {
            next.made = Some(create_segment(storage, origin, next.index, next.capacity)?);
        }
        Ok(())
    }

    fn take_next(&self, storage: &dyn Storage, origin: &Hash) -> Result<Active, JournalError> {
        let mut next = self.next_segment();
        let segment = match next.made.take() {
            Some(made) => made,
            None => create_segment(storage, origin, next.index, next.capacity)?,
        };
        next.index += 1;
        Ok(segment)
    }

    fn next_segment(&self) -> MutexGuard<'_, NextSegment> {
        self.next_segment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A flush is under way.
pub struct Announced<'a>(&'a Progress);

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        self.0.syncing.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Writer {
    /// Goes on in `active` with record `next`; everything before is on disk.
    pub fn new(
        storage: Arc<dyn Storage>,
        origin: Hash,
        durability: Durability,
        active: Active,
        next: Seq,
    ) -> Writer {
        let progress = Progress {
            synced: AtomicU64::new(next.0),
            syncing: AtomicU64::new(0),
            written: Mutex::new((Arc::clone(&active.handle), next)),
            next_segment: Mutex::new(NextSegment {
                index: active.index + 1,
                capacity: active.capacity,
                made: None,
            }),
        };
        let progress = Arc::new(progress);
        Writer { storage, origin, durability, active, next, progress, failed: None }
    }

    /// How far writing has come.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// The place of the current segment in the journal.
    pub fn segment(&self) -> u64 {
        self.active.index
    }

    /// Whether so many bytes of frames fit into the current segment.
    pub fn has_room(&self, bytes: usize) -> bool {
        let room = self.active.capacity.saturating_sub(self.active.offset);
        u64::try_from(bytes).is_ok_and(|bytes| bytes <= room)
    }

    /// Writes `frames` (made by [`segment::append_frame`], consecutive) and, with `Disk`
    /// durability, flushes them. After one failure every later call fails.
    pub fn flush(&mut self, frames: &mut [u8]) -> FlushEvent {
        if let Some(why) = &self.failed {
            return FlushEvent::Failed(JournalError::Closed(why.clone()));
        }
        let done = self.write(frames).and_then(|()| match self.durability {
            Durability::Disk => self.progress.sync(),
            Durability::Os => Ok(()),
        });
        match done {
            Ok(()) => FlushEvent::Durable(Durable::vouch(self.next)),
            Err(error) => {
                let error = error.on(self.storage.as_ref());
                self.fail(&error);
                FlushEvent::Failed(error)
            }
        }
    }

    /// Closes the journal for good because of `error`.
    fn fail(&mut self, error: &JournalError) {
        self.failed.get_or_insert(error.to_string());
    }

    /// Flushes everything and cuts the unused rest off the last segment.
    pub fn finish(&mut self) -> Result<(), JournalError> {
        if let Some(why) = &self.failed {
            return Err(JournalError::Closed(why.clone()));
        }
        self.progress.sync()?;
        if self.active.offset > HEADER_BYTES as u64 {
            let path = segment::path(self.active.index);
            self.active
                .handle
                .truncate(self.active.offset)
                .and_then(|()| self.active.handle.sync_data())
                .map_err(JournalError::io("seal", path))?;
        }
        Ok(())
    }

    fn write(&mut self, mut frames: &mut [u8]) -> Result<(), JournalError> {
        while !frames.is_empty() {
            let room = self.active.capacity.saturating_sub(self.active.offset);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let (bytes, count) = segment::seal(frames, self.progress.synced(), room);
            if count == 0 {
                self.rotate()?;
                continue;
            }
            let (batch, rest) = std::mem::take(&mut frames).split_at_mut(bytes);
            self.active
                .handle
                .write_at(self.active.offset, batch)
                .map_err(JournalError::io("write", segment::path(self.active.index)))?;
            self.active.offset += bytes as u64;
            self.next = Seq(self.next.0 + count);
            self.note_written();
            frames = rest;
        }
        Ok(())
    }

    /// Goes on in the next segment. What is in this one is on disk first, so that a record in the
    /// next one always bears witness to all of this.
    fn rotate(&mut self) -> Result<(), JournalError> {
        self.progress.sync()?;
        let next = self.progress.take_next(self.storage.as_ref(), &self.origin)?;
        let full = std::mem::replace(&mut self.active, next);
        self.note_written();
        full.handle
            .truncate(full.offset)
            .map_err(JournalError::io("seal", segment::path(full.index)))
    }

    fn note_written(&self) {
        let written = (Arc::clone(&self.active.handle), self.next);
        *self.progress.written.lock().unwrap_or_else(PoisonError::into_inner) = written;
    }
}
