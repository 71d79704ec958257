use super::*;
use crate::journal::Options;
use crate::reader::Reader;
use crate::testing::{World, open_on, options, record};
use crate::verify::verify_with;
use std::path::PathBuf;
use std::sync::Arc;
use tidegate_types::record::{Durability, Record};

const RECORDS: u64 = 6000;

struct Folders {
    _root: tempfile::TempDir,
    here: PathBuf,
    there: PathBuf,
}

fn folders() -> Folders {
    let root = tempfile::tempdir().expect("a folder");
    let (here, there) = (root.path().join("journal"), root.path().join("archive"));
    Folders { _root: root, here, there }
}

fn open(here: &Path, from: u64) -> Result<World, JournalError> {
    let disk: Arc<dyn Storage> = Arc::new(Disk::create(here).expect("made"));
    let options = Options { replay_from: Seq(from), ..options(Durability::Disk) };
    open_on(remembered(disk)?, options)
}

fn written() -> Folders {
    let folders = folders();
    let mut world = open(&folders.here, 0).expect("opens");
    world.append_until(RECORDS, 500);
    world.close();
    folders
}

impl Folders {
    fn archive(&self) -> Moved {
        archive(&self.here, &self.there, Seq(RECORDS), &mut |_| Ok(())).expect("archived")
    }

    fn assert_whole(&self, archive: bool, away: bool) {
        let there = archive.then_some(self.there.as_path());
        let report = verify_with(&self.here, there, None, None).expect("verified");
        assert!(report.is_whole(), "{report}");
        assert!(report.records >= RECORDS);
        assert_eq!(report.archived.is_some(), away, "{report}");
    }

    fn damage(&self, archive: bool) -> String {
        let there = archive.then_some(self.there.as_path());
        let report = verify_with(&self.here, there, None, None).expect("verified");
        report.damage.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

fn all(here: &Path) -> Result<Vec<Record>, JournalError> {
    let mut reader = Reader::open(here, Seq(0))?;
    let mut records = Vec::new();
    while let Some((_, record)) = reader.next_record()? {
        records.push(record);
    }
    Ok(records)
}

#[test]
fn what_was_archived_is_read_verified_and_brought_back() {
    let folders = written();
    let Folders { here, there, .. } = &folders;
    let expected: Vec<Record> = (0..RECORDS).map(record).collect();
    let moved = folders.archive();
    assert!(moved.segments >= 2 && moved.next.0 > 1000 && moved.bytes > 0, "{moved:?}");
    assert_eq!(folders.archive().segments, 0, "there is no more to move");
    let gone = |path: &str| !here.join(path).exists() && there.join(path).exists();
    assert!(gone("segment/0000000000") && gone("tile/entries/000"));
    folders.assert_whole(false, true);
    folders.assert_whole(true, false);
    assert_eq!(all(here).expect("read"), expected, "from where it was moved to");
    let mut world = open(here, 0).expect("opens with the archive");
    assert_eq!(world.replayed, expected);
    world.append_until(RECORDS + 100, 10);
    world.close();

    // The archive is not at hand any more.
    let elsewhere = there.with_extension("moved");
    fs::rename(there, &elsewhere).expect("renamed");
    folders.assert_whole(false, true);
    for error in [all(here).err(), open(here, 0).err(), open(here, moved.next.0 - 1).err()] {
        let error = error.expect("they are needed").to_string();
        let said = there.display().to_string();
        assert!(error.contains("archived in") && error.contains(&said), "{error}");
        assert!(error.contains("journal restore --from"), "{error}");
    }
    let mut world = open(here, moved.next.0).expect("opens where nothing of it is needed");
    world.append_until(RECORDS + 200, 10);
    world.close();
    folders.assert_whole(false, true);

    let back = restore(here, &elsewhere, &mut |_| Ok(())).expect("restored");
    assert_eq!(back.segments, moved.segments);
    folders.assert_whole(false, false);
    assert_eq!(all(here).expect("read").len() as u64, RECORDS + 200);
}

/// Lets so many changes be made, then cuts the work short.
fn cut_after(mut steps: u32) -> impl FnMut(&str) -> io::Result<()> {
    move |_| {
        steps = steps.checked_sub(1).ok_or_else(|| io::Error::other("cut short"))?;
        Ok(())
    }
}

#[test]
fn it_may_be_cut_short_before_any_change_and_nothing_is_lost() {
    let (mut steps, mut cut) = (0, true);
    while cut {
        let folders = written();
        cut = archive(&folders.here, &folders.there, Seq(RECORDS), &mut cut_after(steps)).is_err();
        assert_eq!(all(&folders.here).expect("read").len() as u64, RECORDS, "after {steps}");
        folders.assert_whole(true, false);
        let report = verify_with(&folders.here, None, None, None).expect("verified");
        assert!(report.is_whole(), "after {steps}: {report}");
        folders.archive();
        folders.assert_whole(true, false);
        folders.assert_whole(false, true);
        assert!(!folders.here.join("segment/0000000000").exists());
        // The way back may be cut short too.
        let back = restore(&folders.here, &folders.there, &mut cut_after(steps));
        assert_eq!(all(&folders.here).expect("read").len() as u64, RECORDS, "after {steps}");
        folders.assert_whole(true, false);
        if back.is_err() {
            restore(&folders.here, &folders.there, &mut |_| Ok(())).expect("restored");
        }
        fs::remove_dir_all(&folders.there).expect("removed");
        folders.assert_whole(false, false);
        steps += 1 + steps / 8;
    }
    assert!(steps > 40, "{steps}");
}

#[test]
fn it_goes_on_beside_a_journal_that_is_written() {
    let folders = folders();
    let mut world = open(&folders.here, 0).expect("opens");
    for round in 1..=6 {
        world.append_until(round * 1000, 100);
        world.wait_checkpoint();
        folders.archive();
    }
    world.close();
    folders.assert_whole(true, false);
    folders.assert_whole(false, true);
    assert_eq!(all(&folders.here).expect("read").len() as u64, RECORDS);
}

#[test]
fn nothing_at_or_above_the_bound_or_the_checkpoint_is_moved() {
    let folders = written();
    let none = archive(&folders.here, &folders.there, Seq(0), &mut |_| Ok(())).expect("done");
    assert_eq!(none.segments, 0);
    let second = first_of(&Disk::at(&folders.here), 1, &origin(&folders.here)).expect("read");
    let second = second.expect("a record");
    let below = Seq(second.0 - 1);
    assert_eq!(archive(&folders.here, &folders.there, below, &mut |_| Ok(())).unwrap().segments, 0);
    let moved = archive(&folders.here, &folders.there, second, &mut |_| Ok(())).expect("done");
    assert_eq!((moved.segments, moved.next), (1, second));
}

fn origin(here: &Path) -> [u8; 32] {
    VerifierKey::load(&Disk::at(here), VERIFIER_KEY_FILE).expect("a key").origin_hash()
}

#[test]
fn damage_is_found_on_both_sides() {
    let folders = written();
    folders.archive();
    let flip = |path: PathBuf, at: usize| {
        let mut bytes = fs::read(&path).expect("read");
        bytes[at] ^= 1;
        fs::write(&path, bytes).expect("written");
    };
    let segment = || folders.there.join("segment/0000000001");
    flip(segment(), 5000);
    assert_eq!(folders.damage(false), "", "it is not read");
    assert!(folders.damage(true).contains("segment/0000000001"));
    flip(segment(), 5000);
    let bundle = || folders.there.join("tile/entries/001");
    flip(bundle(), 700);
    assert!(folders.damage(true).contains("tile/entries/001"));
    flip(bundle(), 700);
    flip(folders.here.join("tile/0/000"), 40);
    let found = folders.damage(false);
    assert!(found.contains("root is not that of"), "{found}");
    flip(folders.here.join("tile/0/000"), 40);
    fs::rename(folders.here.join("tile/0/001"), folders.there.join("away")).expect("renamed");
    assert!(folders.damage(false).contains("tile/0/001: the tile is missing"));
    fs::rename(folders.there.join("away"), folders.here.join("tile/0/001")).expect("renamed");
    fs::remove_file(segment()).expect("removed");
    assert!(folders.damage(true).is_empty(), "then it is told of as archived");
    let report = verify_with(&folders.here, Some(&folders.there), None, None).expect("verified");
    assert!(report.archived.is_some());
}

#[test]
fn a_segment_that_is_damaged_is_not_archived() {
    let folders = written();
    let path = folders.here.join("segment/0000000000");
    let mut bytes = fs::read(&path).expect("read");
    bytes[3000] ^= 1;
    fs::write(&path, bytes).expect("written");
    let error = archive(&folders.here, &folders.there, Seq(RECORDS), &mut |_| Ok(()));
    assert!(matches!(error, Err(JournalError::Damaged(_))), "{error:?}");
    assert!(path.exists());
}

#[test]
fn the_note_is_read_back_and_any_bytes_are_read_without_fault() {
    let mut archived = Archived::default();
    archived.add(0, Seq(700), Path::new("/a b/c"));
    archived.add(1, Seq(900), Path::new("/a b/c"));
    archived.add(2, Seq(1000), Path::new("/d"));
    assert_eq!(archived.to_string(), "0 2 0 900 /a b/c\n2 3 900 1000 /d\n");
    assert_eq!(Archived::parse(archived.to_string().as_bytes()), Some(archived));
    for text in ["0 1 0\n", "1 2 0 5 /a\n", "0 1 0 0 /a\n", "0 1 0 5 /a\n2 3 5 6 /a\n", "x"] {
        assert_eq!(Archived::parse(text.as_bytes()), None, "{text}");
    }
}
