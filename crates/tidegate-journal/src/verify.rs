//! Verifying a folder: reads every file once, writes none, needs no secret, and works beside a
//! running gateway. What is proved is the checkpoint that was there at the beginning; how long it
//! takes depends on the files that were there then, not on how fast they grow.

mod report;
mod scan;
mod tree;
mod window;

pub use report::Report;

use crate::archive::{ARCHIVED_FILE, Archived, overlay};
use crate::checkpoint::{CHECKPOINT_FILE, VERIFIER_KEY_FILE, VerifierKey};
use crate::error::{Damage, JournalError};
use crate::merkle::TILE_WIDTH;
use crate::segment;
use crate::storage::{Disk, Storage};
use crate::tiles::Tile;
use scan::Scan;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tidegate_types::ids::Seq;
use tree::TreeCheck;

/// What damage says of a checkpoint that is not a file of the folder.
const GIVEN: &str = "the given checkpoint";

/// Verifies the journal in `dir`, also against a signed checkpoint and a verifier key
/// (`name+hash+key`) kept elsewhere. Damage is in the report; an error means that the
/// verification itself could not be done.
pub fn verify(
    dir: &Path,
    checkpoint: Option<&[u8]>,
    key: Option<&str>,
) -> Result<Report, JournalError> {
    verify_with(dir, None, checkpoint, key)
}

/// As [`verify`], with the segments that were archived read from `archive`. Without them their
/// records are proved by their hashes alone.
pub fn verify_with(
    dir: &Path,
    archive: Option<&Path>,
    checkpoint: Option<&[u8]>,
    key: Option<&str>,
) -> Result<Report, JournalError> {
    for dir in archive.into_iter().chain([dir]) {
        if !dir.is_dir() {
            let missing = io::Error::from(io::ErrorKind::NotFound);
            return Err(JournalError::io("open", dir.display())(missing));
        }
    }
    let here: Arc<dyn Storage> = Arc::new(Disk::at(dir));
    let storage = archive.map_or(Ok(Arc::clone(&here)), |archive| overlay(here, archive))?;
    verify_in(storage.as_ref(), checkpoint, key)
}

/// As [`verify`], on any storage.
pub fn verify_in(
    storage: &dyn Storage,
    checkpoint: Option<&[u8]>,
    key: Option<&str>,
) -> Result<Report, JournalError> {
    let mut report = Report { outside_key: key.is_some(), ..Report::default() };
    let key = verifier_key(storage, key, &mut report)?;
    report.origin = key.as_ref().map(|key| key.name().to_owned());
    report.outside = checkpoint.and_then(|note| match key.as_ref()?.open(note) {
        Ok(checkpoint) => Some(checkpoint),
        Err(what) => {
            report.add(Damage::of_file(GIVEN, what));
            None
        }
    });
    let files = snapshot(storage, key.as_ref(), &mut report)?;
    let covered = report.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
    let mut roots = Vec::new();
    roots.extend(report.checkpoint.clone().map(|one| (CHECKPOINT_FILE.to_owned(), one)));
    roots.extend(report.outside.clone().map(|one| (GIVEN.to_owned(), one)));

    let origin = key.as_ref().map(VerifierKey::origin_hash);
    let mut tree = TreeCheck::new(storage, files.tiles, covered, roots);
    let mut scan = Scan::new(storage, origin, &files.segments, Seq(covered));
    let away = (0..files.archived.next_segment()).any(|index| !files.segments.contains(&index));
    if away {
        tree.archived(files.archived.next(), &mut report)?;
        scan.skip(files.archived.next_segment(), files.archived.next());
        report.archived = Some((files.archived.next().0, files.archived.places_text()));
    }
    report.records = scan.run(&mut tree, &mut report)?;
    let size_now = || {
        let note = read_if_there(storage, CHECKPOINT_FILE)?;
        Ok(note.and_then(|note| Some(key.as_ref()?.open(&note).ok()?.size)))
    };
    tree.finish(report.records, &size_now, &mut report)?;
    Ok(report)
}

/// The files of a folder at one moment.
struct Files {
    segments: Vec<u64>,
    tiles: BTreeMap<Tile, Option<Vec<u8>>>,
    archived: Archived,
}

fn verifier_key(
    storage: &dyn Storage,
    outside: Option<&str>,
    report: &mut Report,
) -> Result<Option<VerifierKey>, JournalError> {
    let inside = match VerifierKey::load(storage, VERIFIER_KEY_FILE) {
        Ok(key) => Some(key),
        Err(JournalError::Damaged(damage)) => {
            report.add(damage);
            None
        }
        Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            report.add(Damage::of_file(VERIFIER_KEY_FILE, "the file is missing"));
            None
        }
        Err(error) => return Err(error),
    };
    let Some(outside) = outside else { return Ok(inside) };
    let outside = VerifierKey::parse(outside.trim())?;
    if inside.is_some_and(|inside| inside != outside) {
        report.add(Damage::of_file(VERIFIER_KEY_FILE, "this is not the key that was given"));
    }
    Ok(Some(outside))
}

/// Reads the checkpoint, then lists the folder, reading unfinished tiles, which a gateway beside
/// us may remove, at once. So what is listed is of records that are in the segments read later.
fn snapshot(
    storage: &dyn Storage,
    key: Option<&VerifierKey>,
    report: &mut Report,
) -> Result<Files, JournalError> {
    let note = read_if_there(storage, CHECKPOINT_FILE)?;
    let archived = Archived::read(storage)?;
    let listed = storage.list("").map_err(JournalError::io("list", "."))?;
    let mut tiles = BTreeMap::new();
    for tile in listed.iter().filter_map(|file| Tile::parse(file)) {
        let full = tile.width == TILE_WIDTH;
        let bytes = if full { None } else { read_if_there(storage, &tile.path())? };
        if full || bytes.is_some() {
            tiles.insert(tile, bytes);
        }
    }
    match (&note, key) {
        (None, _) => report.add(Damage::of_file(CHECKPOINT_FILE, "the file is missing")),
        (Some(note), Some(key)) => match key.open(note) {
            Ok(checkpoint) => report.checkpoint = Some(checkpoint),
            Err(what) => report.add(Damage::of_file(CHECKPOINT_FILE, what)),
        },
        (Some(_), None) => {}
    }
    let mut segments = Vec::new();
    for file in listed {
        match segment::index(&file) {
            Some(index) => segments.push(index),
            None if file.ends_with(".tmp") => {
                report.note(format!(
                    "{file} is not finished; what a crash left goes at the next start"
                ));
            }
            None if [CHECKPOINT_FILE, VERIFIER_KEY_FILE, ARCHIVED_FILE].contains(&&*file) => {}
            None if Tile::parse(&file).is_some() => report.tiles += 1,
            None => report.add(Damage::of_file(file, "this file is not part of a journal")),
        }
    }
    segments.sort_unstable();
    report.segments = segments.len() as u64;
    Ok(Files { segments, tiles, archived })
}

fn read_if_there(storage: &dyn Storage, path: &str) -> Result<Option<Vec<u8>>, JournalError> {
    match storage.read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(JournalError::io("read", path)(error)),
    }
}

#[cfg(test)]
mod tests;
