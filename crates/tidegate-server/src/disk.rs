//! What is known of the data folder's disk. A thread of its own looks, since a disk that hangs holds
//! up whoever asks it anything, and halts must not wait for that.

use crate::folder::DataFolder;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tidegate_journal::checkpoint::{CHECKPOINT_FILE, parse_checkpoint, parse_note};
use tidegate_journal::segment;
use tidegate_journal::storage::{Disk, Room, Storage as _};

const INTERVAL: Duration = Duration::from_secs(1);

/// What was last seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// The size of the journal's segments on the disk, in bytes.
    pub journal_bytes: u64,
    /// How many records the newest checkpoint covers.
    pub checkpointed: u64,
    /// The room there is, if the system tells.
    pub room: Option<Room>,
}

/// Looks at a disk, once a second.
#[derive(Debug)]
pub struct DiskWatch {
    seen: Mutex<Seen>,
}

impl DiskWatch {
    /// Looks once, and from then on beside everything else until dropped; `also` is done each time.
    pub fn start(
        folder: &DataFolder,
        mut also: impl FnMut(&DataFolder) + Send + 'static,
    ) -> std::io::Result<Arc<DiskWatch>> {
        let watch = Arc::new(DiskWatch { seen: Mutex::new(look(folder)) });
        let (held, folder) = (Arc::downgrade(&watch), folder.clone());
        let run = move || {
            let mut last = Instant::now();
            while held.strong_count() > 0 {
                std::thread::sleep(INTERVAL / 10);
                if last.elapsed() >= INTERVAL {
                    last = Instant::now();
                    also(&folder);
                    let seen = look(&folder);
                    let Some(watch) = Weak::upgrade(&held) else { return };
                    *watch.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
                }
            }
        };
        std::thread::Builder::new().name("disk".to_owned()).spawn(run)?;
        Ok(watch)
    }

    /// What was last seen.
    pub fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn look(folder: &DataFolder) -> Seen {
    let segments = std::fs::read_dir(folder.journal().join(segment::folder()));
    let sizes = segments.into_iter().flatten().flatten().filter_map(|entry| entry.metadata().ok());
    let note = std::fs::read(folder.journal().join(CHECKPOINT_FILE)).unwrap_or_default();
    let checkpoint = parse_note(&note).and_then(|note| parse_checkpoint(&note.text));
    Seen {
        journal_bytes: sizes.map(|file| file.len()).sum(),
        checkpointed: checkpoint.map_or(0, |checkpoint| checkpoint.size),
        room: Disk::at(folder.path()).room().ok(),
    }
}
