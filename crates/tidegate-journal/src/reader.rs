//! Reading records from a folder, also while a gateway writes it.

use crate::archive::{Archived, remembered};
use crate::checkpoint::{VERIFIER_KEY_FILE, VerifierKey};
use crate::error::{Damage, JournalError};
use crate::segment::{self, Found, HEADER_BYTES, MAX_FRAME_BYTES};
use crate::storage::{Disk, Handle, Storage};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use tidegate_types::codec;
use tidegate_types::ids::Seq;
use tidegate_types::record::Record;

/// Bytes read at once.
const CHUNK: usize = 4 * MAX_FRAME_BYTES;

/// A place in a journal that moves forward record by record.
pub struct Reader {
    storage: Arc<dyn Storage>,
    origin: [u8; 32],
    index: u64,
    handle: Arc<dyn Handle>,
    buf: Vec<u8>,
    /// Where in the file `buf` begins, and where in `buf` the next frame does.
    base: u64,
    at: usize,
    /// `buf` reached the end of the file when it was read.
    ended: bool,
    next: Seq,
    synced: Seq,
    torn: u64,
}

/// A place in a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The segment.
    pub index: u64,
    /// Bytes from the front of the file.
    pub offset: u64,
}

/// One record's bytes and where they lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// The record's number.
    pub seq: Seq,
    /// The record.
    pub record: &'a [u8],
    /// Where its frame begins.
    pub position: Position,
}

impl Reader {
    /// Reads the journal in `dir` from record `from` on.
    /// Archived segments are read where they were moved to.
    pub fn open(dir: &Path, from: Seq) -> Result<Reader, JournalError> {
        Reader::over(remembered(Arc::new(Disk::at(dir)))?, from)
    }

    /// Reads the journal in `storage` from record `from` on.
    pub fn over(storage: Arc<dyn Storage>, from: Seq) -> Result<Reader, JournalError> {
        let origin = VerifierKey::load(storage.as_ref(), VERIFIER_KEY_FILE)?.origin_hash();
        let index = find_segment(storage.as_ref(), from)?;
        let (handle, first) = open_segment(storage.as_ref(), index, &origin)?;
        let mut reader = Reader {
            storage,
            origin,
            index,
            handle,
            buf: Vec::new(),
            base: HEADER_BYTES as u64,
            at: 0,
            ended: false,
            next: first.unwrap_or(Seq(0)),
            synced: Seq(0),
            torn: 0,
        };
        while reader.next < from {
            if reader.next_entry()?.is_none() {
                break;
            }
        }
        Ok(reader)
    }

    /// Reads the last `count` records of the journal in `dir`, and what follows; looks at no more
    /// segments than those lie in.
    pub fn open_last(dir: &Path, count: u64) -> Result<Reader, JournalError> {
        Reader::over_last(remembered(Arc::new(Disk::at(dir)))?, count)
    }

    /// As [`Reader::open_last`], on any storage.
    pub fn over_last(storage: Arc<dyn Storage>, count: u64) -> Result<Reader, JournalError> {
        // Nothing is so late: this stops at the end.
        let end = Reader::over(Arc::clone(&storage), Seq(u64::MAX))?.next_seq();
        Reader::over(storage, Seq(end.0.saturating_sub(count)))
    }

    /// The next record's bytes; `None` when there is no more for now (ask again later to follow a
    /// journal that is being written).
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, JournalError> {
        let Some((seq, position, range)) = self.advance()? else { return Ok(None) };
        let record = self.buf.get(range).unwrap_or_default();
        Ok(Some(Entry { seq, record, position }))
    }

    /// The next record; `None` when there is no more for now.
    pub fn next_record(&mut self) -> Result<Option<(Seq, Record)>, JournalError> {
        let Some(entry) = self.next_entry()? else { return Ok(None) };
        decode(&entry).map(|record| Some((entry.seq, record)))
    }

    /// The number of the record that comes next.
    pub fn next_seq(&self) -> Seq {
        self.next
    }

    /// Where the next record begins, or will.
    pub fn position(&self) -> Position {
        Position { index: self.index, offset: self.base + self.at as u64 }
    }

    /// The records read so far say that those below this one were on disk.
    pub fn synced(&self) -> Seq {
        self.synced
    }

    /// Bytes behind the last record that are no whole one: one that is being written, or that a crash cut short. Known
    /// once there was no more.
    pub fn torn(&self) -> u64 {
        self.torn
    }

    fn advance(&mut self) -> Result<Option<(Seq, Position, Range<usize>)>, JournalError> {
        let mut fresh = false;
        loop {
            if self.buf.len().saturating_sub(self.at) < MAX_FRAME_BYTES && !self.ended {
                self.fill()?;
                fresh = true;
            }
            let position = self.position();
            match segment::read_frame(self.buf.get(self.at..).unwrap_or_default()) {
                Found::Frame(frame) if frame.seq == self.next => {
                    let record = self.at + segment::FRAME_HEAD_BYTES;
                    let range = record..record + frame.record.len();
                    self.synced = self.synced.max(frame.synced);
                    self.next = frame.seq.next();
                    self.torn = 0;
                    self.at += frame.stride;
                    return Ok(Some((frame.seq, position, range)));
                }
                Found::Frame(frame) => {
                    let what = format!("record {} stands in the place of this one", frame.seq);
                    return Err(self.damage(what).into());
                }
                // What was read earlier may have been written since.
                _ if !fresh => self.forget(),
                Found::Nothing => {
                    if !self.enter_next_segment()? {
                        return Ok(None);
                    }
                    fresh = false;
                }
                Found::Broken(_) => {
                    let tail = judge(self.storage.as_ref(), position, self.next, &self.origin)?;
                    self.torn = tail.torn;
                    return Ok(None);
                }
            }
        }
    }

    /// Reads on from the end of what is buffered, keeping what is not consumed.
    fn fill(&mut self) -> Result<(), JournalError> {
        self.buf.drain(..self.at.min(self.buf.len()));
        self.base += self.at as u64;
        self.at = 0;
        let have = self.buf.len();
        self.buf.resize(CHUNK, 0);
        let rest = self.buf.get_mut(have..).unwrap_or_default();
        let count = self
            .handle
            .read_at(self.base + have as u64, rest)
            .map_err(JournalError::io("read", segment::path(self.index)))?;
        self.buf.truncate(have + count);
        self.ended = have + count < CHUNK;
        Ok(())
    }

    /// Drops what is buffered, so that it is read again.
    fn forget(&mut self) {
        self.base += self.at as u64;
        self.at = 0;
        self.buf.clear();
        self.ended = false;
    }

    fn enter_next_segment(&mut self) -> Result<bool, JournalError> {
        let index = self.index + 1;
        let path = segment::path(index);
        let (handle, first) = match open_segment(self.storage.as_ref(), index, &self.origin) {
            Ok(opened) => opened,
            Err(JournalError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let Some(first) = first else { return Ok(false) };
        // Records may have been added to this segment between the last look and the rotation.
        self.forget();
        self.fill()?;
        if let Found::Frame(_) = segment::read_frame(self.buf.get(self.at..).unwrap_or_default()) {
            return Ok(true);
        }
        if first != self.next {
            let what = format!("records {} to {first} are missing before this segment", self.next);
            return Err(Damage::at(path, HEADER_BYTES as u64, what).of_record(self.next).into());
        }
        self.forget();
        self.index = index;
        self.handle = handle;
        self.base = HEADER_BYTES as u64;
        Ok(true)
    }

    fn damage(&self, what: impl Into<String>) -> Damage {
        let position = self.position();
        Damage::at(segment::path(position.index), position.offset, what).of_record(self.next)
    }
}

/// The record of an entry.
pub fn decode(entry: &Entry<'_>) -> Result<Record, JournalError> {
    codec::from_bytes(entry.record).map_err(|error| {
        let Position { index, offset } = entry.position;
        let what = format!("the record cannot be read: {error}");
        Damage::at(segment::path(index), offset, what).of_record(entry.seq).into()
    })
}

/// What lies after the last whole record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tail {
    /// Bytes from the end of the last whole record to the last that is not zero.
    pub torn: u64,
    /// The size of the segment's file.
    pub size: u64,
    /// Why those bytes are not what a torn batch leaves, if so.
    pub suspect: Option<&'static str>,
}

/// Judges what lies at `position`, where `next` should stand and no whole frame does: the end of
/// the journal, perhaps with a torn batch, or damage to something that was once on disk.
pub fn judge(
    storage: &dyn Storage,
    position: Position,
    next: Seq,
    origin: &[u8; 32],
) -> Result<Tail, JournalError> {
    let path = segment::path(position.index);
    let rest = read_from(storage, &path, position.offset)?;
    let mut witnessed = segment::witness(&rest, next).is_some();
    let mut index = position.index + 1;
    while !witnessed {
        match open_segment(storage, index, origin) {
            Ok((_, first)) => witnessed = first.is_some_and(|first| first > next),
            Err(JournalError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                break;
            }
            Err(error) => return Err(error),
        }
        index += 1;
    }
    if witnessed {
        // A record may have been written whole between the reading of it and of its witness.
        let again = read_from(storage, &path, position.offset)?;
        let what = match segment::read_frame(&again) {
            Found::Frame(frame) if frame.seq == next => {
                return Ok(Tail { torn: 0, size: 0, suspect: None });
            }
            Found::Frame(_) => "another record stands in the place of this one",
            Found::Nothing => "the record is gone, later ones are there",
            Found::Broken(what) => what,
        };
        return Err(Damage::at(path, position.offset, what).of_record(next).into());
    }
    let torn = rest.iter().rposition(|&byte| byte != 0).map_or(0, |last| last as u64 + 1);
    let bits = rest.iter().map(|byte| u64::from(byte.count_ones())).sum();
    let suspect = suspect(&rest, (torn, bits), position.offset, next);
    Ok(Tail { torn, size: position.offset + rest.len() as u64, suspect })
}

/// Why what is set at `offset`, after the last whole record, cannot be what a crash left of a
/// batch that begins with `next`; relies on sectors of 512 bytes being written whole or not.
/// `front` is a frame's length of it (or all to the end of the file); `torn` bytes reach to the
/// last that is not zero, with so many bits set.
pub(crate) fn suspect(
    front: &[u8],
    (torn, bits): (u64, u64),
    offset: u64,
    next: Seq,
) -> Option<&'static str> {
    const SECTOR: u64 = 512;
    if torn == 0 {
        return None;
    }
    let sector = usize::try_from(SECTOR - offset % SECTOR).unwrap_or_default();
    // Of the head, this much was written together.
    let head = front.get(..segment::FRAME_HEAD_BYTES.min(front.len()).min(sector))?;
    if bits == 1 {
        return Some("a single bit is set where nothing was written");
    }
    if head.iter().all(|&byte| byte == 0) {
        let set = front.iter().take(sector).any(|&byte| byte != 0);
        return set.then_some("bytes are set where no record begins");
    }
    let written = head.len().min(usize::try_from(torn).unwrap_or(usize::MAX));
    let length = head.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)) as usize;
    let possible =
        length <= tidegate_types::limits::MAX_RECORD_BYTES && (length != 0 || written < 4);
    let named = head.get(8..written.min(16)).unwrap_or_default();
    if possible && next.0.to_le_bytes().starts_with(named) {
        None
    } else {
        Some("what is there is not the front of the next record")
    }
}

fn read_from(storage: &dyn Storage, path: &str, offset: u64) -> Result<Vec<u8>, JournalError> {
    let handle = storage.open(path, false).map_err(JournalError::io("open", path))?;
    let size = handle.size().map_err(JournalError::io("read", path))?;
    let length = usize::try_from(size.saturating_sub(offset)).unwrap_or_default();
    let mut bytes = vec![0; length];
    let count = handle.read_at(offset, &mut bytes).map_err(JournalError::io("read", path))?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Opens a segment and checks its header; with the number of its first record, if it has one.
fn open_segment(
    storage: &dyn Storage,
    index: u64,
    origin: &[u8; 32],
) -> Result<(Arc<dyn Handle>, Option<Seq>), JournalError> {
    let path = segment::path(index);
    let handle = storage.open(&path, false).map_err(JournalError::io("open", &path))?;
    let mut front = vec![0; HEADER_BYTES + MAX_FRAME_BYTES];
    let count = handle.read_at(0, &mut front).map_err(JournalError::io("read", &path))?;
    front.truncate(count);
    let header = segment::read_header(&front).map_err(|what| Damage::at(&path, 0, what))?;
    segment::check_header(header, index, origin)?;
    let first = match segment::read_frame(front.get(HEADER_BYTES..).unwrap_or_default()) {
        Found::Frame(frame) => Some(frame.seq),
        Found::Nothing | Found::Broken(_) => None,
    };
    Ok((handle, first))
}

/// The last segment that begins at or before `from`, found in few steps.
fn find_segment(storage: &dyn Storage, from: Seq) -> Result<u64, JournalError> {
    let archived = Archived::read(storage)?;
    if from == Seq(0) && archived.is_empty() {
        return Ok(0);
    }
    let origin = VerifierKey::load(storage, VERIFIER_KEY_FILE)?.origin_hash();
    let indices = segments(storage)?;
    let end = indices.last().map_or(1, |last| last + 1);
    // Of what was archived, some may be at hand and some not: only without a gap is it of use.
    let whole = indices.iter().rev().zip((0..end).rev()).take_while(|(have, want)| *have == want);
    let first = end.saturating_sub(whole.count() as u64).min(end.saturating_sub(1));
    let (mut found, mut end) = (first, end);
    while found + 1 < end {
        let middle = found + (end - found) / 2;
        // Only what is not written yet, at the end, has no first record.
        match open_segment(storage, middle, &origin)? {
            (_, Some(first)) if first <= from => found = middle,
            _ => end = middle,
        }
    }
    if found == first && first > 0 && from < archived.next() {
        let begins = first_of(storage, first, &origin)?.unwrap_or(archived.next());
        if from < begins {
            let places = archived.places_text();
            return Err(JournalError::Archived { from, next: begins, places });
        }
    }
    Ok(found)
}

/// The first record of a segment, if it has one.
pub(crate) fn first_of(
    storage: &dyn Storage,
    index: u64,
    origin: &[u8; 32],
) -> Result<Option<Seq>, JournalError> {
    Ok(open_segment(storage, index, origin)?.1)
}

/// The indices of the segments there are, in order.
pub(crate) fn segments(storage: &dyn Storage) -> Result<Vec<u64>, JournalError> {
    let files =
        storage.list(segment::folder()).map_err(JournalError::io("list", segment::folder()))?;
    let mut indices: Vec<u64> = files.iter().filter_map(|file| segment::index(file)).collect();
    indices.sort_unstable();
    Ok(indices)
}

#[cfg(test)]
mod tests;
