use super::*;
use crate::storage::Memory;
use crate::testing::{closed_journal, open, open_on, options, record};
use tidegate_types::record::Durability;

fn over(memory: &Memory, from: u64) -> Reader {
    Reader::over(Arc::new(memory.clone()), Seq(from)).expect("opens")
}

#[test]
fn reads_from_any_record() {
    let memory = closed_journal(2000);
    for from in [0, 1, 36, 37, 1000, 1300, 1999, 2000] {
        let mut reader = over(&memory, from);
        assert_eq!(reader.next_seq(), Seq(from));
        for n in from..2000 {
            assert_eq!(reader.next_record().expect("read"), Some((Seq(n), record(n))));
        }
        assert!(reader.next_record().expect("read").is_none());
    }
}

#[test]
fn reads_the_last_records() {
    let memory = closed_journal(2000);
    for (count, from) in [(0, 2000), (1, 1999), (500, 1500), (1999, 1), (2000, 0), (9999, 0)] {
        let reader = Reader::over_last(Arc::new(memory.clone()), count).expect("opens");
        assert_eq!(reader.next_seq(), Seq(from), "{count}");
    }
    let reader = Reader::over_last(Arc::new(closed_journal(0)), 5).expect("opens");
    assert_eq!(reader.next_seq(), Seq(0));
}

#[test]
fn opens_in_the_right_one_of_many_segments() {
    let memory = closed_journal(20_000);
    let segments = segments(&memory).expect("listed").len();
    assert!(segments > 8, "{segments}");
    for from in [1, 5_000, 19_000, 25_000] {
        let reader = over(&memory, from);
        assert_eq!(reader.next_seq(), Seq(from.min(20_000)));
        let mut first = over(&memory, 0);
        while first.next_seq() < reader.next_seq() {
            first.next_entry().expect("read").expect("there");
        }
        assert_eq!(first.next_seq(), reader.next_seq());
    }
}

#[test]
fn follows_a_journal_being_written_over_segments() {
    let memory = Memory::default();
    let mut world = open(&memory).expect("opens");
    let mut reader = over(&memory, 0);
    let mut read = 0;
    for end in (100..=2000).step_by(100) {
        world.append_until(end, 33);
        while let Some((seq, found)) = reader.next_record().expect("read") {
            assert_eq!((seq, found), (Seq(read), record(read)));
            read += 1;
        }
        assert_eq!(read, end);
    }
    assert!(reader.position().index > 0);
}

#[test]
fn a_record_of_another_kind_is_an_error_not_a_fault() {
    let entry =
        Entry { seq: Seq(3), record: &[0xff; 4], position: Position { index: 0, offset: 64 } };
    let error = decode(&entry).expect_err("no record");
    assert!(error.to_string().contains("segment/0000000000, byte 64, record 3"), "{error}");
}

#[test]
fn reading_stops_at_damage_with_an_error() {
    let memory = closed_journal(500);
    let place = {
        let mut reader = over(&memory, 250);
        reader.next_entry().expect("read").expect("there").position
    };
    memory.edit(&segment::path(place.index), |bytes| bytes[place.offset as usize + 30] ^= 1);
    let mut reader = over(&memory, 0);
    let error = loop {
        match reader.next_record() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the damage was taken for the end"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::Damaged(Damage { record: Some(Seq(250)), .. })));
}

/// As `tidegate replay` reads a folder that a crash left, before any gateway has opened it again.
#[test]
fn a_last_batch_that_is_torn_at_any_byte_is_read_to_its_last_whole_record() {
    let root = tempfile::tempdir().expect("a folder");
    let here = root.path().join("journal");
    let disk: Arc<dyn Storage> = Arc::new(Disk::create(&here).expect("made"));
    let mut world = open_on(disk, options(Durability::Disk)).expect("opens");
    world.append_until(20, 20);
    world.append_until(27, 7);
    world.close();
    let mut reader = Reader::open(&here, Seq(0)).expect("opens");
    let mut ends = Vec::new();
    while reader.next_entry().expect("read").is_some() {
        ends.push(usize::try_from(reader.position().offset).expect("small"));
    }
    assert_eq!(ends.len(), 27);
    let file = here.join("segment/0000000000");
    let whole = std::fs::read(&file).expect("read");
    for cut in ends[19]..=ends[26] {
        let mut zeroed = whole.clone();
        zeroed[cut..].fill(0);
        for torn in [&whole[..cut], &zeroed] {
            // A record that ends in zeros is whole where the zeros alone were lost.
            let is_whole = |end: &&usize| torn.get(..**end) == whole.get(..**end);
            let records = ends.iter().filter(is_whole).count() as u64;
            std::fs::write(&file, torn).expect("written");
            let mut reader = Reader::open(&here, Seq(0)).expect("opens");
            for n in 0..records {
                let found = reader.next_record().unwrap_or_else(|e| panic!("{cut}, {n}: {e}"));
                assert_eq!(found, Some((Seq(n), record(n))), "{cut}");
            }
            let rest = reader.next_record().unwrap_or_else(|e| panic!("{cut}: {e}"));
            assert_eq!(rest, None, "{cut}");
        }
    }
}
