mod busy;

use super::*;
use crate::segment::FRAME_HEAD_BYTES;
use crate::storage::Memory;
use crate::testing::{SEGMENT, closed_journal, key, open, open_on, options, record};
use proptest::prelude::*;
use std::ops::Range;
use std::sync::{Arc, LazyLock};
use tidegate_types::codec;
use tidegate_types::record::Durability;

/// Over two segments, two full tiles and unfinished ones.
static CLOSED: LazyLock<Memory> = LazyLock::new(|| closed_journal(2000));

fn check(memory: &Memory) -> Report {
    verify_in(memory, None, None).expect("verified")
}

/// Where the frame of record `seq` lies.
fn frame(memory: &Memory, seq: u64) -> (String, Range<usize>) {
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let mut reader = crate::Reader::over(storage, Seq(seq)).expect("opens");
    let entry = reader.next_entry().expect("read").expect("there");
    assert_eq!(entry.seq, Seq(seq));
    let start = entry.position.offset as usize;
    let end = start + segment::stride(entry.record.len());
    (segment::path(entry.position.index), start..end)
}

#[test]
fn a_closed_journal_is_whole() {
    let report = check(&CLOSED);
    assert!(report.is_whole(), "{report}");
    assert_eq!((report.records, report.after_checkpoint()), (2000, 0));
    assert!(report.segments >= 3 && report.tiles >= 14, "{report}");
    assert!(report.notes.is_empty(), "{report}");
    assert!(report.to_json().starts_with("{\"whole\":true,\"origin\":\"tidegate.local/desk/"));
    assert!(report.to_string().ends_with("whole: everything agrees"));
}

#[test]
fn every_bit_near_the_ends_of_every_file_counts() {
    for file in CLOSED.list("").expect("listed") {
        let size = CLOSED.read(&file).expect("read").len();
        for byte in (0..size.min(70)).step_by(3).chain(size.saturating_sub(9)..size) {
            let copy = CLOSED.copied();
            copy.edit(&file, |bytes| bytes[byte] ^= 1 << (byte % 8));
            assert!(!check(&copy).is_whole(), "{file} byte {byte}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn any_flipped_bit_is_found(file in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let copy = CLOSED.copied();
        let files = copy.list("").expect("listed");
        let file = file.get(&files);
        let bit = bit.index(copy.read(file).expect("read").len() * 8);
        copy.edit(file, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        let report = check(&copy);
        prop_assert!(!report.is_whole(), "{} bit {}", file, bit);
        prop_assert!(report.damage.iter().any(|damage| damage.file == *file), "{}", report);
    }

    #[test]
    fn any_cut_is_found(file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let copy = CLOSED.copied();
        let files = copy.list("").expect("listed");
        let file = file.get(&files);
        let size = copy.read(file).expect("read").len();
        copy.edit(file, |bytes| bytes.truncate(at.index(size)));
        prop_assert!(!check(&copy).is_whole(), "{}", file);
    }
}

#[test]
fn any_missing_file_but_the_spare_is_found() {
    let spare = segment::path(check(&CLOSED).segments - 1);
    for file in CLOSED.list("").expect("listed") {
        let copy = CLOSED.copied();
        copy.replace(&file, None);
        let report = check(&copy);
        assert_eq!(report.is_whole(), file == spare, "{file}: {report}");
    }
}

#[test]
fn any_extra_file_is_found() {
    for file in ["note.txt", "tile/0/007", "tile/3/000", "tile/entries/009.p/3", "segment/1"] {
        let copy = CLOSED.copied();
        copy.replace(file, Some(vec![0; 32]));
        let report = check(&copy);
        assert!(report.damage.iter().any(|damage| damage.file == file), "{file}: {report}");
    }
}

#[test]
fn damage_names_file_offset_and_record() {
    let copy = CLOSED.copied();
    let (file, at) = frame(&copy, 700);
    copy.edit(&file, |bytes| bytes[at.start + FRAME_HEAD_BYTES] ^= 4);
    let report = check(&copy);
    let damage = &report.damage[0];
    assert_eq!(damage.file, file);
    assert_eq!(damage.offset, Some(at.start as u64));
    assert_eq!(damage.record, Some(Seq(700)));
    assert_eq!(report.records, 2000, "the rest is still read");
    assert!(report.to_json().contains("\"record\":700"));
    let error = open(&copy).err().expect("a damaged journal does not open");
    assert!(
        error.to_string().contains(&format!("{file}, byte {}, record 700", at.start)),
        "{error}"
    );
}

/// Makes a segment's frames anew from records, as someone who knows the format could.
fn forge(memory: &Memory, first: u64, records: &[Vec<u8>]) -> (String, usize, Vec<u8>) {
    let (file, at) = frame(memory, first);
    let mut frames = Vec::new();
    for (record, seq) in records.iter().zip(first..) {
        segment::append_frame(&mut frames, Seq(seq), |out| out.extend(record)).expect("fits");
    }
    segment::seal(&mut frames, Seq(first), usize::MAX);
    (file, at.start, frames)
}

#[test]
fn records_reordered_with_good_checksums_are_found() {
    let copy = CLOSED.copied();
    let bytes: Vec<Vec<u8>> = [301, 300].iter().map(|&n| codec::to_bytes(&record(n))).collect();
    let (file, start, frames) = forge(&copy, 300, &bytes);
    copy.edit(&file, |bytes| bytes[start..start + frames.len()].copy_from_slice(&frames));
    let report = check(&copy);
    let files: Vec<&str> = report.damage.iter().map(|damage| damage.file.as_str()).collect();
    assert!(files.contains(&"tile/entries/001") && files.contains(&CHECKPOINT_FILE), "{report}");
}

#[test]
fn whole_frames_swapped_duplicated_or_removed_are_found() {
    let (file, first) = frame(&CLOSED, 300);
    let (_, second) = frame(&CLOSED, 301);
    assert_eq!(first.end, second.start);
    type Edit<'a> = &'a dyn Fn(&mut Vec<u8>);
    let edits: [Edit<'_>; 3] = [
        &|bytes| bytes[first.start..second.end].rotate_left(first.len()),
        &|bytes| {
            let frame = bytes[first.clone()].to_vec();
            bytes.splice(first.start..first.start, frame);
        },
        &|bytes| drop(bytes.drain(first.clone())),
    ];
    for edit in edits {
        let copy = CLOSED.copied();
        copy.edit(&file, edit);
        let report = check(&copy);
        assert!(report.damage.iter().any(|damage| damage.file == file), "{report}");
        assert!(open(&copy).is_err());
    }
}

#[test]
fn a_cut_below_the_checkpoint_is_found_also_at_a_record() {
    for seq in [0, 1, 700, 1999] {
        let copy = CLOSED.copied();
        let (file, at) = frame(&copy, seq);
        let index = segment::index(&file).expect("a segment");
        copy.edit(&file, |bytes| bytes.truncate(at.start));
        for later in index + 1..check(&CLOSED).segments {
            copy.replace(&segment::path(later), None);
        }
        let report = check(&copy);
        let damage = report.damage.iter().find(|damage| damage.file == CHECKPOINT_FILE);
        assert_eq!(damage.and_then(|damage| damage.record), Some(Seq(seq)), "{report}");
        let error = open(&copy).err().expect("it does not open");
        assert!(matches!(error, JournalError::Damaged(_)), "{error}");
    }
}

#[test]
fn a_whole_new_history_is_found_by_an_outside_checkpoint_and_key() {
    let memory = closed_journal(600);
    let note = memory.read(CHECKPOINT_FILE).expect("read");
    let vkey = key().verifier().to_string();
    let mut world = open(&memory).expect("opens");
    world.append_until(1000, 50);
    world.close();
    let report = verify_in(&memory, Some(&note), Some(&vkey)).expect("verified");
    assert!(report.is_whole(), "{report}");
    assert_eq!(report.outside.map(|one| one.size), Some(600));

    let forged = Memory::default();
    let mut world = open(&forged).expect("opens");
    for n in 0..700 {
        world.appender.append(Seq(n), &record(n + 1), crate::Urgency::Now).expect("appended");
    }
    world.appender.commit().expect("committed");
    world.close();
    assert!(check(&forged).is_whole());
    let report = verify_in(&forged, Some(&note), Some(&vkey)).expect("verified");
    assert_eq!(report.damage.len(), 1);
    assert_eq!(report.damage[0].file, GIVEN);

    let other = crate::CheckpointKey::new(key().verifier().name(), &[9; 32]).expect("a key");
    let other = other.verifier().to_string();
    assert!(!verify_in(&memory, None, Some(&other)).expect("verified").is_whole());
    assert!(verify_in(&memory, None, Some("not a key")).is_err());
}

#[test]
fn a_rolled_back_folder_is_found_by_a_newer_checkpoint() {
    let memory = closed_journal(100);
    let old = memory.copied();
    let mut world = open(&memory).expect("opens");
    world.append_until(150, 50);
    world.close();
    let note = memory.read(CHECKPOINT_FILE).expect("read");
    let report = verify_in(&old, Some(&note), None).expect("verified");
    assert!(report.to_string().contains("it covers 150 records, there are 100"), "{report}");
}

#[test]
fn a_torn_last_frame_is_normal_at_every_byte() {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    world.append_until(13, 5);
    let (file, at) = frame(&memory, 12);
    for kept in 0..at.len() {
        let copy = memory.copied();
        copy.replace(CHECKPOINT_FILE, Some(key().sign(0, &crate::merkle::empty_root())));
        for tile in copy.list("tile").expect("listed") {
            copy.replace(&tile, None);
        }
        let mut bits = 0;
        copy.edit(&file, |bytes| {
            bytes[at.start + kept..at.end].fill(0);
            bits = bytes[at.start..at.start + kept].iter().map(|byte| byte.count_ones()).sum();
        });
        let whole = matches!(
            segment::read_frame(&copy.read(&file).expect("read")[at.start..]),
            segment::Found::Frame(_)
        );
        let report = check(&copy);
        let torn = bits > 0 && !whole;
        // One bit alone looks like a flipped one; no disk tears inside the first bytes of a head.
        assert_eq!(report.is_whole(), bits != 1, "{kept}: {report}");
        assert_eq!(report.notes.len(), usize::from(torn && bits > 1), "{kept}: {report}");
        let world = open(&copy).expect("opens");
        assert_eq!(world.recovered.next, Seq(if whole { 13 } else { 12 }));
        assert_eq!(world.recovered.cut.is_some(), torn, "{kept}");
        if let Some(cut) = &world.recovered.cut {
            assert_eq!((cut.file.as_str(), cut.offset), (file.as_str(), at.start as u64));
        }
        drop(world);
        let report = check(&copy);
        assert!(report.is_whole() && report.notes.is_empty(), "{kept}: {report}");
    }
}

#[test]
fn a_bit_set_in_the_unused_rest_of_a_running_journal_is_found() {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    world.append_until(20, 5);
    let (file, at) = frame(&memory, 19);
    for offset in (at.end..at.end + 600).chain([SEGMENT as usize - 1]) {
        let copy = memory.copied();
        copy.edit(&file, |bytes| bytes[offset] ^= 1 << (offset % 8));
        assert!(!check(&copy).is_whole(), "{offset}");
    }
}

#[test]
fn damage_before_the_tail_is_never_cut_away() {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    world.append_until(20, 5);
    let copy = memory.copied();
    let (file, at) = frame(&copy, 9);
    copy.edit(&file, |bytes| bytes[at].fill(0));
    copy.replace(CHECKPOINT_FILE, Some(key().sign(0, &crate::merkle::empty_root())));
    let error = open(&copy).err().expect("it does not open");
    assert!(matches!(error, JournalError::Damaged(Damage { record: Some(Seq(9)), .. })), "{error}");
}

#[test]
fn verifies_beside_a_running_gateway() {
    let dir = tempfile::tempdir().expect("a folder");
    let disk = Arc::new(Disk::create(dir.path()).expect("made"));
    let mut world = open_on(disk, options(Durability::Os)).expect("opens");
    let mut seen = 0;
    for round in 0..40 {
        let end = (round + 1) * 200;
        while world.appender.next_seq().0 < end {
            let seq = world.appender.next_seq();
            world.appender.append(seq, &record(seq.0), crate::Urgency::Now).expect("appended");
            world.appender.commit().expect("committed");
        }
        let report = verify(dir.path(), None, None).expect("verified");
        assert!(report.is_whole(), "{report}");
        assert!(report.records >= seen);
        seen = report.records;
    }
    world.close();
    let report = verify(dir.path(), None, None).expect("verified");
    assert!(report.is_whole() && report.records == 8000, "{report}");
    assert!(verify(&dir.path().join("nothing"), None, None).is_err());
}

#[test]
fn an_earlier_checkpoint_put_in_place_of_a_lost_one_brings_everything_back() {
    let memory = closed_journal(600);
    let earlier = memory.read(CHECKPOINT_FILE).expect("read");
    let mut world = open(&memory).expect("opens");
    world.append_until(1500, 50);
    world.close();
    for lost in [None, Some(b"nothing".to_vec())] {
        memory.replace(CHECKPOINT_FILE, lost);
        let error = open(&memory).err().expect("it does not open").to_string();
        assert!(error.contains("checkpoint:") && error.contains("earlier copy"), "{error}");
        memory.replace(CHECKPOINT_FILE, Some(earlier.clone()));
        open(&memory).expect("opens").close();
        let report = check(&memory);
        assert!(report.is_whole(), "{report}");
        assert_eq!(report.checkpoint.map(|one| one.size), Some(1500));
    }
}
