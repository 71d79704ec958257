//! Mending damaged segments of a journal that nobody has open. Every record below the checkpoint lies
//! twice in the folder, in its segment and in a bundle, and its hash a third time in a tile; copies of
//! the folder and archives have it again. What fits its hash is taken from wherever it is.

use crate::archive::Archived;
use crate::checkpoint::{CHECKPOINT_FILE, VERIFIER_KEY_FILE, VerifierKey};
use crate::error::{Damage, JournalError};
use crate::journal::SEGMENT_BYTES;
use crate::merkle::{Hash, TILE_WIDTH, leaf_hash};
use crate::reader::{Reader, first_of, segments};
use crate::segment::{self, ALIGN, Found, HEADER_BYTES, Header};
use crate::storage::{Disk, Storage};
use crate::tiles::{Kind, Tile, parse_entries, parse_hashes};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tidegate_types::ids::Seq;

/// What was mended, and what could not be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Repaired {
    /// Segments that were written anew, and how many of their records came from elsewhere.
    pub rewritten: Vec<(String, u64)>,
    /// The first record that is nowhere, and how many there are from there to the next that is.
    pub lost: Option<(Seq, u64)>,
    /// The journal was cut before that record: so many records after it went with it.
    pub cut: Option<u64>,
    /// Where the damaged files are now.
    pub kept: Option<PathBuf>,
}

/// Mends the journal in `dir` from its own bundles and from the folders in `copies` (copies of the
/// journal's folder, or archives). With `cut`, a journal whose lost records are all newer than its
/// checkpoint ends before them. Damaged files are kept in `journal-damaged` beside the folder.
pub fn repair(dir: &Path, copies: &[PathBuf], cut: bool) -> Result<Repaired, JournalError> {
    let here = Disk::at(dir);
    let lock = here.lock().map_err(JournalError::io("lock", dir.display()))?;
    let _lock = lock.ok_or(JournalError::Locked)?;
    let key = VerifierKey::load(&here, VERIFIER_KEY_FILE)?;
    let note = here.read(CHECKPOINT_FILE).map_err(JournalError::io("read", CHECKPOINT_FILE))?;
    let checkpoint = key.open(&note).map_err(|what| Damage::of_file(CHECKPOINT_FILE, what))?;
    let mut work = Work {
        dir,
        here,
        origin: key.origin_hash(),
        covered: Seq(checkpoint.size),
        copies: copies.iter().map(|copy| (Disk::at(copy), None)).collect(),
        tiles: BTreeMap::new(),
        done: Repaired::default(),
    };
    work.run(cut)?;
    Ok(work.done)
}

struct Work<'a> {
    dir: &'a Path,
    here: Disk,
    origin: Hash,
    /// Records below this have leaves, and must be there.
    covered: Seq,
    /// Where else records are, each with where it was read last.
    copies: Vec<(Disk, Option<Reader>)>,
    /// Leaves and records of tiles that were read.
    tiles: BTreeMap<(bool, u64), Vec<Vec<u8>>>,
    done: Repaired,
}

/// The records of a segment as they stand in it, those that fit their hashes.
struct Own {
    records: BTreeMap<Seq, Vec<u8>>,
    /// They stand one after the other from the front, with nothing in between.
    in_order: bool,
    /// Something else follows the last, as a torn batch does at the journal's end.
    torn: bool,
}

impl Work<'_> {
    fn run(&mut self, cut: bool) -> Result<(), JournalError> {
        let archived = Archived::read(&self.here)?;
        let indices = segments(&self.here)?;
        let last = indices.last().map_or(0, |last| last + 1);
        let mut next = archived.next();
        for index in archived.next_segment()..last.max(archived.next_segment() + 1) {
            let mut own = self.own(index)?;
            let end = self.end(index, last, next, &own);
            let at_end = (index + 1..last).all(|later| self.is_empty(later));
            let whole = own.in_order
                && (at_end || !own.torn)
                && own.records.len() as u64 == end.0.saturating_sub(next.0)
                && own.records.keys().next().is_none_or(|first| *first == next);
            if whole {
                next = end;
                continue;
            }
            let mut elsewhere = 0;
            for seq in next.0..end.0 {
                if let Entry::Vacant(place) = own.records.entry(Seq(seq))
                    && let Some(record) = self.find(Seq(seq))
                {
                    place.insert(record);
                    elsewhere += 1;
                }
            }
            let missing = |seq: &u64| !own.records.contains_key(&Seq(*seq));
            if let Some(lost) = (next.0..end.0).find(missing) {
                let count = (lost..end.0).take_while(missing).count() as u64;
                self.done.lost = Some((Seq(lost), count));
                if !cut || lost < self.covered.0 {
                    return Ok(());
                }
                let gone = own.records.split_off(&Seq(lost)).len() as u64;
                self.rewrite(index, next, &own, elsewhere)?;
                let rest = self.drop_from(index + 1, last)?;
                self.done.cut = Some(gone + rest);
                return Ok(());
            }
            self.rewrite(index, next, &own, elsewhere)?;
            next = end;
        }
        Ok(())
    }

    /// The record after the last of segment `index`: where the next segment goes on, else the last that
    /// stands here or that the checkpoint covers.
    fn end(&self, index: u64, last: u64, next: Seq, own: &Own) -> Seq {
        // A damaged one tells nothing.
        if let Ok(Some(first)) = first_of(&self.here, index + 1, &self.origin)
            && first >= next
        {
            return first;
        }
        let stands = own.records.keys().next_back().map_or(next, |seq| seq.next());
        let at_end = (index + 1..last).all(|later| self.is_empty(later));
        if at_end { stands.max(self.covered) } else { stands }
    }

    /// Whether no record stands in a segment.
    fn is_empty(&self, index: u64) -> bool {
        let begins = first_of(&self.here, index, &self.origin);
        !matches!(begins, Ok(Some(_))) && self.own(index).is_ok_and(|own| own.records.is_empty())
    }

    /// Reads what stands in a segment, past any damage.
    fn own(&self, index: u64) -> Result<Own, JournalError> {
        let path = segment::path(index);
        let mut own = Own { records: BTreeMap::new(), in_order: true, torn: false };
        let bytes = match self.here.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Own { in_order: false, ..own });
            }
            Err(error) => return Err(JournalError::io("read", path)(error)),
        };
        let sound = segment::read_header(&bytes)
            .is_ok_and(|header| segment::check_header(header, index, &self.origin).is_ok());
        own.in_order = sound;
        let filled = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let (mut offset, mut gap) = (HEADER_BYTES, false);
        while offset < filled {
            match segment::read_frame(bytes.get(offset..).unwrap_or_default()) {
                Found::Frame(frame) if self.fits(frame.seq, frame.record) => {
                    own.in_order &= !gap;
                    gap = false;
                    own.records.insert(frame.seq, frame.record.to_vec());
                    offset += frame.stride;
                }
                Found::Frame(_) | Found::Nothing | Found::Broken(_) => {
                    gap = true;
                    offset += ALIGN;
                }
            }
        }
        own.torn = gap;
        Ok(own)
    }

    /// Whether a record is the one that the tile hashes; what has no leaf yet stands on its checksum.
    fn fits(&self, seq: Seq, record: &[u8]) -> bool {
        seq >= self.covered || self.leaf(seq).is_none_or(|leaf| leaf == leaf_hash(record))
    }

    fn leaf(&self, seq: Seq) -> Option<Hash> {
        let (tile, place) = place_of(seq);
        let bytes = read_tile(&self.here, Kind::Hashes(0), tile, place)?;
        parse_hashes(&bytes)?.get(place).copied()
    }

    /// A record from this folder's bundles or from a copy.
    fn find(&mut self, seq: Seq) -> Option<Vec<u8>> {
        let (tile, place) = place_of(seq);
        let covered = seq < self.covered;
        if covered {
            let here = &self.here;
            let records = self.tiles.entry((true, tile)).or_insert_with(|| {
                let bytes = read_tile(here, Kind::Entries, tile, place).unwrap_or_default();
                let records = parse_entries(&bytes).unwrap_or_default();
                records.into_iter().map(<[u8]>::to_vec).collect()
            });
            let record = records.get(place).cloned();
            if let Some(record) = record.filter(|record| self.fits(seq, record)) {
                return Some(record);
            }
        }
        let mut copies = std::mem::take(&mut self.copies);
        let found = copies.iter_mut().find_map(|(copy, reader)| {
            let found = from_segments(copy, reader, seq).or_else(|| from_bundle(copy, seq));
            found.filter(|record| self.fits(seq, record))
        });
        self.copies = copies;
        found
    }

    /// Puts a segment in place that has these records, from `first` on.
    fn rewrite(
        &mut self,
        index: u64,
        first: Seq,
        own: &Own,
        elsewhere: u64,
    ) -> Result<(), JournalError> {
        let path = segment::path(index);
        let header = Header { index, capacity: SEGMENT_BYTES, origin: self.origin };
        let mut frames = Vec::new();
        for (seq, record) in own.records.range(first..) {
            segment::append_frame(&mut frames, *seq, |out| out.extend(record))
                .map_err(JournalError::BadLength)?;
        }
        segment::seal(&mut frames, first, usize::MAX);
        let mut bytes = header.to_bytes();
        bytes.extend(frames);
        self.keep(&path)?;
        self.here
            .put_synced(&path, &bytes)
            .map_err(|error| JournalError::io("write", &path)(error).on(&self.here))?;
        self.done.rewritten.push((path, elsewhere));
        Ok(())
    }

    /// Takes the segments from `index` on away; gives how many records stood in them.
    fn drop_from(&mut self, index: u64, last: u64) -> Result<u64, JournalError> {
        let mut count = 0;
        for index in index..last {
            count += self.own(index)?.records.len() as u64;
            let path = segment::path(index);
            self.keep(&path)?;
            if self.dir.join(&path).exists() {
                self.here.remove(&path).map_err(JournalError::io("remove", &path))?;
            }
        }
        Ok(count)
    }

    /// Copies a file as it is to where damaged ones are kept.
    fn keep(&mut self, path: &str) -> Result<(), JournalError> {
        let source = self.dir.join(path);
        if !source.exists() {
            return Ok(());
        }
        let folder = self.dir.with_file_name("journal-damaged");
        let name = path.replace('/', "-");
        let keep = || {
            fs::create_dir_all(&folder)?;
            let place = (0_u32..).map(|n| folder.join(format!("{name}.{n}")));
            let place = place.into_iter().find(|place| !place.exists());
            let place = place.ok_or(std::io::ErrorKind::AlreadyExists)?;
            fs::copy(&source, &place)?;
            File::open(&place)?.sync_all()
        };
        keep().map_err(|error| JournalError::io("keep", path)(error).on(&self.here))?;
        self.done.kept = Some(folder);
        Ok(())
    }
}

fn place_of(seq: Seq) -> (u64, usize) {
    (seq.0 / TILE_WIDTH as u64, (seq.0 % TILE_WIDTH as u64) as usize)
}

/// The bytes of a tile that has more than `place` in it, full or not.
fn read_tile(storage: &Disk, kind: Kind, index: u64, place: usize) -> Option<Vec<u8>> {
    let full = Tile { kind, index, width: TILE_WIDTH };
    if let Ok(bytes) = storage.read(&full.path()) {
        return Some(bytes);
    }
    let partial = format!("{}.p", full.path());
    let files = storage.list(&partial).ok()?;
    let wide = files.iter().filter_map(|file| Tile::parse(file));
    let wide = wide.filter(|tile| tile.width > place).max_by_key(|tile| tile.width)?;
    storage.read(&wide.path()).ok()
}

fn from_segments(copy: &Disk, reader: &mut Option<Reader>, seq: Seq) -> Option<Vec<u8>> {
    // They are asked for one after the other.
    if reader.as_ref().is_none_or(|reader| reader.next_seq() != seq) {
        *reader = Reader::over(Arc::new(copy.clone()), seq).ok();
    }
    let entry = reader.as_mut()?.next_entry().ok()??;
    (entry.seq == seq).then(|| entry.record.to_vec())
}

fn from_bundle(copy: &Disk, seq: Seq) -> Option<Vec<u8>> {
    let (tile, place) = place_of(seq);
    let bytes = read_tile(copy, Kind::Entries, tile, place)?;
    parse_entries(&bytes)?.get(place).map(|record| record.to_vec())
}

#[cfg(test)]
mod tests;
