//! Opening a folder: checks it, replays it, cuts a torn tail, and makes it ready for writing.

use crate::archive::Archived;
use crate::checkpoint::{CHECKPOINT_FILE, Checkpoint, VERIFIER_KEY_FILE, VerifierKey};
use crate::error::{Damage, JournalError};
use crate::journal::Options;
use crate::merkle::empty_root;
use crate::reader::{Position, Reader, Tail, judge, segments};
use crate::segment::{self, HEADER_BYTES};
use crate::storage::Storage;
use crate::writer::{Active, Writer, create_segment};
use std::io;
use std::sync::Arc;
use tidegate_types::ids::Seq;
use tidegate_types::record::Record;

/// Segments must hold a few of the longest records.
const MIN_SEGMENT_BYTES: u64 = 4 * segment::MAX_FRAME_BYTES as u64;

/// What was found in the folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// The number of the record that comes next.
    pub next: Seq,
    /// How many records the newest checkpoint covers.
    pub checkpointed: u64,
    /// The torn batch that was cut off, if there was one.
    pub cut: Option<Cut>,
}

/// A torn last batch: bytes after the last whole record that a crash left behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The segment.
    pub file: String,
    /// Where it was cut.
    pub offset: u64,
    /// How many bytes were there.
    pub bytes: u64,
}

/// Recovers the journal in `storage`, which the caller has locked, giving every record from
/// `options.replay_from` on to `replay`.
pub(crate) fn recover(
    storage: &Arc<dyn Storage>,
    options: &Options,
    replay: &mut dyn FnMut(Seq, Record),
) -> Result<(Writer, Recovered, Checkpoint), JournalError> {
    let verifier = options.key.verifier();
    let indices = segments(storage.as_ref())?;
    let archived = Archived::read(storage.as_ref())?;
    let here = indices.iter().filter(|index| **index >= archived.next_segment());
    for (index, place) in here.zip(archived.next_segment()..) {
        if *index != place {
            return Err(Damage::of_file(segment::path(place), "the segment is missing").into());
        }
    }
    if !archived.is_empty() && indices.last().is_none_or(|last| *last < archived.next_segment()) {
        let path = segment::path(archived.next_segment());
        return Err(Damage::of_file(path, "the segment is missing").into());
    }
    let checkpoint = adopt(storage.as_ref(), options, indices.is_empty())?;
    remove_unfinished(storage.as_ref())?;

    let origin = verifier.origin_hash();
    let capacity = options.segment_bytes.max(MIN_SEGMENT_BYTES);
    let mut recovered = Recovered { next: Seq(0), checkpointed: checkpoint.size, cut: None };
    let active = if indices.is_empty() {
        create_segment(storage.as_ref(), &origin, 0, capacity)?
    } else {
        let mut reader = Reader::over(Arc::clone(storage), options.replay_from)?;
        while let Some((seq, record)) = reader.next_record()? {
            replay(seq, record);
        }
        let (end, next) = (reader.position(), reader.next_seq());
        let tail = judge(storage.as_ref(), end, next, &origin)?;
        if next.0 < checkpoint.size || next < options.replay_from {
            let what = format!(
                "records {next} to {} are missing, the checkpoint covers them",
                checkpoint.size.max(options.replay_from.0).saturating_sub(1)
            );
            let damage = Damage::at(segment::path(end.index), end.offset, what);
            return Err(damage.of_record(next).into());
        }
        if tail.torn > 0 {
            let file = segment::path(end.index);
            recovered.cut = Some(Cut { file, offset: end.offset, bytes: tail.torn });
        }
        settle(storage, reader.synced(), end)?;
        recovered.next = next;
        let last = indices.last().copied().unwrap_or(end.index);
        ready(storage.as_ref(), &origin, capacity, (end, &tail), last)?
    };
    let writer =
        Writer::new(Arc::clone(storage), origin, options.durability, active, recovered.next);
    Ok((writer, recovered, checkpoint))
}

/// Checks that the folder is this key's and reads its checkpoint; makes both in a new folder.
fn adopt(storage: &dyn Storage, options: &Options, new: bool) -> Result<Checkpoint, JournalError> {
    let verifier = options.key.verifier();
    let missing = |file: &'static str| {
        move |_| JournalError::from(Damage::of_file(file, "the file is missing"))
    };
    match read_if_there(storage, VERIFIER_KEY_FILE)? {
        Some(_) => {
            let found = VerifierKey::load(storage, VERIFIER_KEY_FILE)?;
            if found != *verifier {
                let (found, given) = (found.to_string(), verifier.to_string());
                return Err(JournalError::WrongKey { found, given });
            }
        }
        None if new => {
            let line = format!("{verifier}\n");
            storage
                .put_synced(VERIFIER_KEY_FILE, line.as_bytes())
                .map_err(JournalError::io("write", VERIFIER_KEY_FILE))?;
        }
        None => return Err(missing(VERIFIER_KEY_FILE)(())),
    }
    let note = match read_if_there(storage, CHECKPOINT_FILE)? {
        Some(note) => note,
        None if new => {
            let note = options.key.sign(0, &empty_root());
            storage
                .put_synced(CHECKPOINT_FILE, &note)
                .map_err(JournalError::io("write", CHECKPOINT_FILE))?;
            note
        }
        None => return Err(lost("the file is missing")),
    };
    verifier.open(&note).map_err(lost)
}

/// What to do without a checkpoint. An earlier one is enough, since tiles and newer checkpoints
/// are derived from the records, if they lead to it.
fn lost(what: &str) -> JournalError {
    let what = format!(
        "{what}; put an earlier copy of this file, kept elsewhere, in its place: tiles and the \
         newest checkpoint are then made anew from the records"
    );
    Damage::of_file(CHECKPOINT_FILE, what).into()
}

fn read_if_there(storage: &dyn Storage, path: &str) -> Result<Option<Vec<u8>>, JournalError> {
    match storage.read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(JournalError::io("read", path)(error)),
    }
}

/// Removes files that a crash kept from being finished.
fn remove_unfinished(storage: &dyn Storage) -> Result<(), JournalError> {
    let files = storage.list("").map_err(JournalError::io("list", "."))?;
    for file in files.iter().filter(|file| file.ends_with(".tmp")) {
        storage.remove(file).map_err(JournalError::io("remove", file))?;
    }
    Ok(())
}

/// Writes again, in place, what no record proves to be on disk, and flushes it. After an earlier
/// flush failed the system may show bytes that the disk never got.
fn settle(storage: &Arc<dyn Storage>, synced: Seq, end: Position) -> Result<(), JournalError> {
    let from = Reader::over(Arc::clone(storage), synced)?.position();
    for index in from.index..=end.index {
        let path = segment::path(index);
        let handle = storage.open(&path, true).map_err(JournalError::io("open", &path))?;
        let start = if index == from.index { from.offset } else { HEADER_BYTES as u64 };
        let stop = if index == end.index {
            end.offset
        } else {
            handle.size().map_err(JournalError::io("read", &path))?
        };
        let mut bytes = vec![0; usize::try_from(stop.saturating_sub(start)).unwrap_or_default()];
        let count = handle.read_at(start, &mut bytes).map_err(JournalError::io("read", &path))?;
        handle
            .write_at(start, bytes.get(..count).unwrap_or_default())
            .and_then(|()| handle.sync_data())
            .map_err(JournalError::io("flush", &path))?;
    }
    Ok(())
}

/// Seals the last segment with records and gives an empty one to go on in: the prepared one if it
/// is as it was made, else a new one.
fn ready(
    storage: &dyn Storage,
    origin: &[u8; 32],
    capacity: u64,
    (end, tail): (Position, &Tail),
    last: u64,
) -> Result<Active, JournalError> {
    let front = HEADER_BYTES as u64;
    let mut index = end.index;
    if end.offset > front {
        let path = segment::path(index);
        if tail.size > end.offset {
            let handle = storage.open(&path, true).map_err(JournalError::io("open", &path))?;
            handle
                .truncate(end.offset)
                .and_then(|()| handle.sync_data())
                .map_err(JournalError::io("seal", &path))?;
        }
        index += 1;
    }
    let mut prepared = None;
    for spare in index..=last {
        let path = segment::path(spare);
        let place = Position { index: spare, offset: front };
        let found = judge(storage, place, Seq(u64::MAX), origin)?;
        if spare == index && found.torn == 0 && found.size == capacity {
            let handle = storage.open(&path, true).map_err(JournalError::io("open", &path))?;
            prepared = Some(Active { handle, index, offset: front, capacity });
        } else {
            storage.remove(&path).map_err(JournalError::io("remove", &path))?;
        }
    }
    prepared.map_or_else(|| create_segment(storage, origin, index, capacity), Ok)
}
