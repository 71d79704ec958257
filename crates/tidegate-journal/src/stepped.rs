//! A journal without threads: whoever holds it says when it writes, flushes and signs. For
//! simulations, where one thread under one seed decides what happens when.

use crate::error::JournalError;
use crate::journal::{Appender, FlushEvent, Options, Shared};
use crate::keeper::Keeper;
use crate::recovery::{Recovered, recover};
use crate::storage::Storage;
use crate::writer::Writer;
use std::sync::Arc;
use tidegate_types::ids::Seq;
use tidegate_types::record::Record;

/// The part of an open journal that [`crate::Journal`] gives to its threads.
pub struct Stepped {
    shared: Arc<Shared>,
    storage: Arc<dyn Storage>,
    writer: Writer,
    keeper: Keeper,
    origin: [u8; 32],
    _lock: Box<dyn Send + Sync>,
}

impl Stepped {
    /// As [`crate::Journal::open_in`], without threads.
    pub fn open(
        storage: Arc<dyn Storage>,
        options: Options,
        replay: &mut dyn FnMut(Seq, Record),
    ) -> Result<(Stepped, Appender, Recovered), JournalError> {
        let lock = storage.lock().map_err(JournalError::io("lock", "."))?;
        let lock = lock.ok_or(JournalError::Locked)?;
        let (writer, recovered, checkpoint) = recover(&storage, &options, replay)?;
        let shared = Shared::new(Box::new(|_| ()));
        let origin = options.key.verifier().origin_hash();
        let keeper = Keeper::new(
            Arc::clone(&storage),
            Arc::clone(writer.progress()),
            options.key,
            options.checkpoint_every,
            checkpoint,
        );
        let appender = Appender::new(Arc::clone(&shared), recovered.next);
        let stepped = Stepped { shared, storage, writer, keeper, origin, _lock: lock };
        Ok((stepped, appender, recovered))
    }

    /// Writes and flushes everything committed; `None` when there is nothing.
    pub fn flush(&mut self) -> Option<FlushEvent> {
        let mut frames = self.shared.take_now();
        (!frames.is_empty()).then(|| self.shared.flush(&mut self.writer, &mut frames))
    }

    /// Prepares the next segment and signs a checkpoint of what is on disk.
    pub fn keep(&mut self) -> Result<(), JournalError> {
        let progress = Arc::clone(self.writer.progress());
        progress.prepare(self.storage.as_ref(), &self.origin)?;
        self.keeper.advance(progress.synced())?;
        self.keeper.publish()
    }

    /// Flushes what was committed, seals the last segment and signs a last checkpoint.
    pub fn close(mut self) -> Result<(), JournalError> {
        if let Some(FlushEvent::Failed(error)) = self.flush() {
            return Err(error);
        }
        self.writer.finish()?;
        self.keeper.advance(self.writer.progress().synced())?;
        self.keeper.publish()
    }
}

#[cfg(test)]
mod tests;
