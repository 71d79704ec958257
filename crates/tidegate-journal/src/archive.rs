//! Moving old segments to another disk, where they can still be read, verified and brought back from.
//!
//! Every file is copied, on the other disk and compared before anything is removed here, and what was moved
//! is noted before that too. So it may end at any moment: the next run goes on.

mod note;
mod overlay;

pub use note::{ARCHIVED_FILE, Archived};
pub(crate) use overlay::{overlay, remembered};

use crate::checkpoint::{CHECKPOINT_FILE, VERIFIER_KEY_FILE, VerifierKey};
use crate::error::{Damage, JournalError};
use crate::merkle::{TILE_WIDTH, leaf_hash};
use crate::reader::{first_of, segments};
use crate::segment::{self, Found, HEADER_BYTES};
use crate::storage::{Disk, Storage};
use crate::tiles::{Kind, Tile, parse_hashes};
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use tidegate_types::ids::Seq;

/// What was moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moved {
    /// How many segments.
    pub segments: u64,
    /// How many bytes, bundles included.
    pub bytes: u64,
    /// Every record below this is archived now.
    pub next: Seq,
}

/// Asked before every change that is made; an error ends it there.
pub type Before<'a> = &'a mut dyn FnMut(&str) -> io::Result<()>;

/// Moves every segment of the journal in `dir` that lies wholly below record `below` and below the
/// checkpoint to `to`, with the bundles of its records. A gateway may run meanwhile.
pub fn archive(
    dir: &Path,
    to: &Path,
    below: Seq,
    before: Before<'_>,
) -> Result<Moved, JournalError> {
    let _one = one_at_a_time(dir)?;
    let (here, there) = (Disk::at(dir), create(to)?);
    let key = VerifierKey::load(&here, VERIFIER_KEY_FILE)?;
    let note = here.read(CHECKPOINT_FILE).map_err(JournalError::io("read", CHECKPOINT_FILE))?;
    let checkpoint = key.open(&note).map_err(|what| Damage::of_file(CHECKPOINT_FILE, what))?;
    let bound = below.min(Seq(checkpoint.size));
    match VerifierKey::load(&there, VERIFIER_KEY_FILE) {
        Ok(found) if found == key => {}
        Ok(found) => {
            let (found, given) = (found.to_string(), key.to_string());
            return Err(JournalError::WrongKey { found, given });
        }
        Err(_) => put(&there, VERIFIER_KEY_FILE, format!("{key}\n").as_bytes(), before)?,
    }
    let origin = key.origin_hash();
    let mut archived = Archived::read(&here)?;
    let mut moved = Moved { next: archived.next(), ..Moved::default() };
    let indices = segments(&here)?;
    for pair in indices.windows(2) {
        let &[index, following] = pair else { continue };
        let Some(next) = first_of(&here, following, &origin)?.filter(|next| *next <= bound) else {
            break;
        };
        if index > archived.next_segment() {
            let what = "the segment before is missing";
            return Err(Damage::of_file(segment::path(index), what).into());
        }
        let path = segment::path(index);
        let bytes = copy(dir, to, &path, before)?;
        check_records(&here, &there, index, next)?;
        let bundles = bundles_below(&here, next)?;
        let mut sizes = bytes;
        for bundle in &bundles {
            sizes += copy(dir, to, bundle, before)?;
        }
        put(&there, CHECKPOINT_FILE, &note, before)?;
        if index == archived.next_segment() {
            archived.add(index, next, to);
            put(&here, ARCHIVED_FILE, archived.to_string().as_bytes(), before)?;
            moved.segments += 1;
        }
        // The segment first: once it is gone, nobody misses the bundles.
        for file in std::iter::once(&path).chain(&bundles) {
            before(file).map_err(JournalError::io("remove", file))?;
            here.remove(file).map_err(JournalError::io("remove", file))?;
        }
        moved.bytes += sizes;
        moved.next = archived.next();
    }
    Ok(moved)
}

/// Brings everything that was archived back from `from` into the journal in `dir`.
pub fn restore(dir: &Path, from: &Path, before: Before<'_>) -> Result<Moved, JournalError> {
    let _one = one_at_a_time(dir)?;
    let (here, there) = (Disk::at(dir), Disk::at(from));
    let archived = Archived::read(&here)?;
    let key = VerifierKey::load(&here, VERIFIER_KEY_FILE)?;
    let found = VerifierKey::load(&there, VERIFIER_KEY_FILE)?;
    if found != key {
        let (found, given) = (found.to_string(), key.to_string());
        return Err(JournalError::WrongKey { found, given });
    }
    let mut moved = Moved::default();
    // The other way round than they went.
    for tile in 0..archived.bundles() {
        let path = Tile { kind: Kind::Entries, index: tile, width: TILE_WIDTH }.path();
        if !dir.join(&path).exists() {
            moved.bytes += copy(from, dir, &path, before)?;
        }
    }
    for index in 0..archived.next_segment() {
        let path = segment::path(index);
        if !dir.join(&path).exists() {
            moved.bytes += copy(from, dir, &path, before)?;
            moved.segments += 1;
        }
    }
    if !archived.is_empty() {
        before(ARCHIVED_FILE).map_err(JournalError::io("remove", ARCHIVED_FILE))?;
        here.remove(ARCHIVED_FILE).map_err(JournalError::io("remove", ARCHIVED_FILE))?;
    }
    Ok(moved)
}

/// Keeps two from moving things at once; the gateway's own lock is another.
fn one_at_a_time(dir: &Path) -> Result<Flock<File>, JournalError> {
    let folder = segment::folder();
    let file = File::open(dir.join(folder)).map_err(JournalError::io("open", folder))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(guard) => Ok(guard),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(JournalError::Moving),
        Err((_, errno)) => Err(JournalError::io("lock", folder)(errno.into())),
    }
}

fn create(to: &Path) -> Result<Disk, JournalError> {
    Disk::create(to).map_err(JournalError::io("create", to.display()))
}

fn put(storage: &Disk, path: &str, bytes: &[u8], before: Before<'_>) -> Result<(), JournalError> {
    let done = before(path).and_then(|()| storage.put_synced(path, bytes));
    done.map_err(|error| JournalError::io("write", path)(error).on(storage))
}

/// Copies a file and compares the copy once it is on disk; gives its size.
fn copy(from: &Path, to: &Path, path: &str, before: Before<'_>) -> Result<u64, JournalError> {
    let (source, target) = (from.join(path), to.join(path));
    let unfinished = to.join(format!("{path}.tmp"));
    let mut run = || {
        before(path)?;
        let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
        fs::create_dir_all(folder)?;
        let size = fs::copy(&source, &unfinished)?;
        File::open(&unfinished)?.sync_all()?;
        if fs::read(&source)? != fs::read(&unfinished)? {
            return Err(io::Error::other("the copy is not the same"));
        }
        fs::rename(&unfinished, &target)?;
        File::open(folder)?.sync_all()?;
        Ok(size)
    };
    let copied = run().inspect_err(|_| {
        let _ = fs::remove_file(&unfinished);
    });
    copied.map_err(|error| JournalError::io("copy", path)(error).on(&Disk::at(to)))
}

/// The full bundles of records below `next` that are here, those that an interrupted run left too.
fn bundles_below(here: &Disk, next: Seq) -> Result<Vec<String>, JournalError> {
    let files = here.list("tile/entries").map_err(JournalError::io("list", "tile/entries"))?;
    let mut bundles: Vec<String> = Vec::new();
    for file in files {
        let below = |tile: &Tile| {
            tile.width == TILE_WIDTH && (tile.index + 1) * TILE_WIDTH as u64 <= next.0
        };
        if Tile::parse(&file).as_ref().is_some_and(below) {
            bundles.push(file);
        }
    }
    bundles.sort_unstable();
    Ok(bundles)
}

/// Holds every record of an archived segment, which ends before `next`, against its leaf here.
fn check_records(here: &Disk, there: &Disk, index: u64, next: Seq) -> Result<(), JournalError> {
    let path = segment::path(index);
    let bytes = there.read(&path).map_err(JournalError::io("read", &path))?;
    let mut offset = HEADER_BYTES;
    let mut last = None;
    let mut tile: Option<(u64, Vec<u8>)> = None;
    while let Found::Frame(frame) = segment::read_frame(bytes.get(offset..).unwrap_or_default()) {
        let (of, place) =
            (frame.seq.0 / TILE_WIDTH as u64, (frame.seq.0 % TILE_WIDTH as u64) as usize);
        if tile.as_ref().is_none_or(|(index, _)| *index != of) {
            tile = Some((of, leaves(here, of, place)?));
        }
        let hashes = tile.as_ref().and_then(|(_, bytes)| parse_hashes(bytes)).unwrap_or_default();
        if hashes.get(place) != Some(&leaf_hash(frame.record)) {
            let what = "the record is not the one that its tile has";
            return Err(Damage::at(path, offset as u64, what).of_record(frame.seq).into());
        }
        offset += frame.stride;
        last = Some(frame.seq);
    }
    if last.map(Seq::next) != Some(next) {
        let what = format!("the segment does not end before record {next}");
        return Err(Damage::at(path, offset as u64, what).into());
    }
    Ok(())
}

/// The leaves of tile `index`, of which at least `place` is needed.
fn leaves(here: &Disk, index: u64, place: usize) -> Result<Vec<u8>, JournalError> {
    let full = Tile { kind: Kind::Hashes(0), index, width: TILE_WIDTH };
    if let Ok(bytes) = here.read(&full.path()) {
        return Ok(bytes);
    }
    let files = here.list("tile/0").map_err(JournalError::io("list", "tile/0"))?;
    let wide = files.iter().filter_map(|file| Tile::parse(file));
    let wide = wide.filter(|tile| tile.index == index && tile.width > place);
    let tile = wide.max_by_key(|tile| tile.width).unwrap_or(full);
    here.read(&tile.path()).map_err(JournalError::io("read", tile.path()))
}

#[cfg(test)]
mod tests;
