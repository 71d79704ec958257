use super::*;
use crate::journal::Urgency;
use crate::testing::{World, open_on, options, record};
use crate::verify::verify;
use std::sync::Arc;
use tidegate_types::record::{Durability, Record};

const RECORDS: u64 = 6000;

fn open(here: &Path) -> Result<World, JournalError> {
    let disk: Arc<dyn Storage> = Arc::new(Disk::create(here).expect("made"));
    open_on(disk, options(Durability::Disk))
}

fn written() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a folder");
    let here = root.path().join("journal");
    let mut world = open(&here).expect("opens");
    world.append_until(RECORDS, 500);
    world.close();
    (root, here)
}

fn edit(path: PathBuf, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(&path).expect("read");
    change(&mut bytes);
    fs::write(&path, bytes).expect("written");
}

fn assert_mended(here: &Path) {
    let report = verify(here, None, None).expect("verified");
    assert!(report.is_whole(), "{report}");
    let mut world = open(here).expect("opens");
    assert_eq!(world.replayed, (0..RECORDS).map(record).collect::<Vec<Record>>());
    world.append_until(RECORDS + 10, 1);
    world.close();
}

#[test]
fn a_damaged_or_missing_segment_is_made_anew_from_the_bundles() {
    let damages: [fn(&Path); 6] = [
        |here| edit(here.join("segment/0000000001"), |bytes| bytes[5000] ^= 1),
        |here| edit(here.join("segment/0000000000"), |bytes| bytes[5] ^= 1),
        |here| edit(here.join("segment/0000000002"), |bytes| bytes[4000..90_000].fill(0)),
        |here| edit(here.join("segment/0000000001"), |bytes| bytes.truncate(70_000)),
        |here| fs::remove_file(here.join("segment/0000000001")).expect("removed"),
        |here| {
            fs::remove_file(here.join("segment/0000000001")).expect("removed");
            edit(here.join("segment/0000000000"), |bytes| bytes.truncate(70_000));
        },
    ];
    for (place, damage) in damages.into_iter().enumerate() {
        let (root, here) = written();
        damage(&here);
        assert!(open(&here).is_err(), "damage {place} stops the start");
        let done = repair(&here, &[], false).unwrap_or_else(|e| panic!("{place}: {e}"));
        assert!(!done.rewritten.is_empty() && done.lost.is_none(), "{place}: {done:?}");
        assert_mended(&here);
        if place < 4 {
            assert!(root.path().join("journal-damaged").is_dir(), "what was there is kept");
        }
        assert_eq!(repair(&here, &[], false).expect("repaired"), Repaired::default());
    }
}

#[test]
fn what_the_bundles_lost_too_comes_from_a_copy() {
    let (root, here) = written();
    let copy = root.path().join("copy");
    let status = std::process::Command::new("cp").arg("-a").args([&here, &copy]).status();
    assert!(status.expect("run").success());
    edit(here.join("segment/0000000001"), |bytes| bytes[4000..90_000].fill(7));
    let bundles = fs::read_dir(here.join("tile/entries")).expect("listed");
    for bundle in bundles.flatten().filter(|file| file.path().is_file()) {
        edit(bundle.path(), |bytes| bytes.fill(1));
    }
    let before = fs::read(here.join("segment/0000000001")).expect("read");
    let done = repair(&here, &[], false).expect("looked");
    assert!(done.lost.is_some() && done.rewritten.is_empty(), "{done:?}");
    assert_eq!(fs::read(here.join("segment/0000000001")).expect("read"), before, "left as it is");
    let cut = repair(&here, &[], true).expect("looked");
    assert!(cut.cut.is_none(), "what the checkpoint covers is never cut: {cut:?}");
    let done = repair(&here, &[copy], false).expect("repaired");
    assert!(done.lost.is_none() && done.rewritten.len() == 1, "{done:?}");
    let mut world = open(&here).expect("opens");
    assert_eq!(world.replayed.len() as u64, RECORDS);
    world.append_until(RECORDS + 1, 1);
    world.close();
}

#[test]
fn damage_after_the_checkpoint_can_be_cut_away_and_only_when_asked() {
    let (_root, here) = written();
    let mut world = open(&here).expect("opens");
    world.append_until(RECORDS + 40, 10);
    world.wait_checkpoint();
    let covered = fs::read(here.join(CHECKPOINT_FILE)).expect("read");
    world.append_until(RECORDS + 300, 10);
    world.close();
    // As if the machine had died before the next checkpoint.
    fs::write(here.join(CHECKPOINT_FILE), covered).expect("written");
    fs::remove_dir_all(here.join("tile")).expect("removed");
    let last = segments(&Disk::at(&here)).expect("listed");
    let last = *last
        .iter()
        .rfind(|index| {
            let key = VerifierKey::load(&Disk::at(&here), VERIFIER_KEY_FILE).expect("a key");
            first_of(&Disk::at(&here), **index, &key.origin_hash())
                .is_ok_and(|first| first.is_some())
        })
        .expect("a segment");
    // In the middle of what was written since, with later records there.
    edit(here.join(segment::path(last)), |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    let damaged = open(&here).err().expect("damaged").to_string();
    assert!(damaged.contains("tidegate journal repair"), "{damaged}");
    let done = repair(&here, &[], false).expect("looked");
    let (lost, count) = done.lost.expect("one record is nowhere");
    assert!(lost.0 > RECORDS + 40 && count == 1 && done.cut.is_none(), "{done:?}");
    assert!(open(&here).is_err(), "nothing was changed");
    let done = repair(&here, &[], true).expect("cut");
    assert_eq!(done.cut, Some(RECORDS + 300 - lost.0 - 1));
    let world = open(&here).expect("opens");
    assert_eq!(world.recovered.next, lost);
    world.close();
    assert!(verify(&here, None, None).expect("verified").is_whole());
}

#[test]
fn a_torn_tail_is_no_damage_and_a_journal_in_use_is_left_alone() {
    let (_root, here) = written();
    let mut world = open(&here).expect("opens");
    world.append_until(RECORDS + 3, 1);
    assert!(matches!(repair(&here, &[], false), Err(JournalError::Locked)));
    let seq = world.appender.next_seq();
    world.appender.append(seq, &record(seq.0), Urgency::Now).expect("appended");
    world.close();
    assert_eq!(repair(&here, &[], false).expect("looked"), Repaired::default());
}
