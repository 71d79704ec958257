//! Our files read by code that is not ours: the crates `signed_note` and `tlog_tiles`.

use crate::checkpoint::CHECKPOINT_FILE;
use crate::merkle::{self, leaf_hash};
use crate::storage::{Memory, Storage as _};
use crate::testing::{closed_journal, key, open, record};
use crate::tiles::{Kind, Tile as OurTile, TileTree, parse_entries};
use crate::{FlushEvent, Urgency};
use signed_note::{Note, StandardVerifier, VerifierList};
use tidegate_types::codec;
use tidegate_types::ids::Seq;
use tlog_tiles::checkpoint::Checkpoint;
use tlog_tiles::tile::{Tile, TileHashReader, TileReader};
use tlog_tiles::tlog::{self, Hash};

struct Files<'a>(&'a Memory);

impl TileReader for Files<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        let read = |tile: &Tile| {
            // The crate writes the height into the path, the layout does not.
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            Ok(self.0.read(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}

/// Opens the folder's checkpoint the way a stranger would.
fn checkpoint(memory: &Memory) -> (u64, Hash) {
    let note = memory.read(CHECKPOINT_FILE).expect("read");
    let vkey = String::from_utf8(memory.read("verifier-key").expect("read")).expect("text");
    let verifier = StandardVerifier::new(vkey.trim_end()).expect("a verifier key");
    let note = Note::from_bytes(&note).expect("a signed note");
    let list = VerifierList::new(vec![Box::new(verifier)]);
    let (good, unknown) = note.verify(&list).expect("signed by the key");
    assert_eq!((good.len(), unknown.len()), (1, 0));
    let checkpoint = Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    assert_eq!(checkpoint.origin(), key().verifier().name());
    (checkpoint.size(), Hash(checkpoint.hash().0))
}

#[test]
fn checkpoint_tiles_and_proofs_are_accepted() {
    let memory = closed_journal(700);
    let (old_size, old_root) = checkpoint(&memory);
    assert_eq!(old_size, 700);
    let mut world = open(&memory).expect("opens");
    world.append_until(1500, 111);
    world.close();
    let (size, root) = checkpoint(&memory);
    assert_eq!(size, 1500);

    let files = Files(&memory);
    let reader = TileHashReader::new(size, Hash(root.0), &files);
    for n in [0, 1, 255, 256, 699, 1279, 1280, 1499] {
        let leaf = tlog::record_hash(&codec::to_bytes(&record(n)));
        let theirs = tlog::prove_record(size, n, &reader).expect("a proof from our tiles");
        tlog::check_record(&theirs, size, Hash(root.0), n, Hash(leaf.0)).expect("it holds");

        let tree = TileTree::new(&memory, size);
        let ours = merkle::inclusion_proof(n, size, &tree).expect("a proof");
        assert_eq!(ours, theirs.iter().map(|hash| hash.0).collect::<Vec<_>>());
        assert!(merkle::includes(n, size, &leaf.0, &ours, &root.0));
    }
    let theirs = tlog::prove_tree(size, old_size, &reader).expect("a proof from our tiles");
    tlog::check_tree(&theirs, size, Hash(root.0), old_size, Hash(old_root.0)).expect("it holds");
    let tree = TileTree::new(&memory, size);
    let ours = merkle::consistency_proof(old_size, size, &tree).expect("a proof");
    assert_eq!(ours, theirs.iter().map(|hash| hash.0).collect::<Vec<_>>());
    assert!(merkle::extends(old_size, &old_root.0, size, &root.0, &ours));
}

#[test]
fn entry_bundles_hold_the_records_that_the_tiles_hash() {
    let memory = closed_journal(700);
    let mut n = 0;
    for (index, width) in [(0, 256), (1, 256), (2, 700 - 512)] {
        let entries = OurTile { kind: Kind::Entries, index, width };
        let hashes = OurTile { kind: Kind::Hashes(0), index, width };
        let bundle = memory.read(&entries.path()).expect("read");
        let tile = memory.read(&hashes.path()).expect("read");
        for (entry, hash) in parse_entries(&bundle).expect("whole").iter().zip(tile.chunks(32)) {
            assert_eq!(*entry, codec::to_bytes(&record(n)));
            assert_eq!(tlog::record_hash(entry).0, hash);
            assert_eq!(leaf_hash(entry), hash);
            n += 1;
        }
    }
    assert_eq!(n, 700);
}

/// Tiles can be thrown away: they are made again from the segments.
#[test]
fn lost_tiles_are_made_again() {
    let memory = closed_journal(700);
    for tile in memory.list("tile").expect("listed") {
        memory.replace(&tile, None);
    }
    let mut world = open(&memory).expect("opens");
    world.append_until(701, 1);
    world.close();
    let report = crate::verify::verify_in(&memory, None, None).expect("verified");
    assert!(report.is_whole(), "{report}");
}

/// A history that does not lead to the signed checkpoint is never signed over.
#[test]
fn a_forged_history_is_not_signed_over() {
    let memory = closed_journal(300);
    let note = key().sign(300, &[9; 32]);
    memory.replace(CHECKPOINT_FILE, Some(note.clone()));
    let mut world = open(&memory).expect("opens");
    for seq in (300..400).map(Seq) {
        world.appender.append(seq, &record(seq.0), Urgency::Now).expect("appended");
    }
    world.appender.commit().expect("committed");
    world.journal.close().expect("closed");
    assert_eq!(memory.read(CHECKPOINT_FILE).expect("read"), note);
    let events: Vec<FlushEvent> = world.events.try_iter().collect();
    let durable =
        |event: &FlushEvent| matches!(event, FlushEvent::Durable(p) if p.end() == Seq(400));
    let said = |event: &FlushEvent| {
        matches!(event, FlushEvent::Degraded(error)
            if error.to_string().contains("do not lead to the checkpoint"))
    };
    assert!(events.iter().any(durable) && events.iter().any(said), "{events:?}");
}
