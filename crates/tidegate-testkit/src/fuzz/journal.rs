//! What the journal reads back: segments, notes, tiles, a whole folder.

use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tidegate_journal::segment::{self, Found, Header};
use tidegate_journal::storage::{Memory, Storage};
use tidegate_journal::tiles::{self, Tile};
use tidegate_journal::{
    CheckpointKey, FlushEvent, Journal, JournalError, Options, Reader, Urgency, VerifierKey,
    checkpoint,
};
use tidegate_types::ids::{CallId, Seq};
use tidegate_types::record::{Body, Durability, Record};
use tidegate_types::time::Time;

const ORIGIN: &str = "tidegate.local/desk/0123456789abcdef";
const SEGMENT_BYTES: u64 = 4 * 1024;
/// Records of the folder; they fill more than one segment.
const RECORDS: u64 = 120;

/// A segment's header and frames, alone and through a reader.
pub(super) fn segment(data: &[u8]) {
    if let Ok(header) = segment::read_header(data) {
        assert_eq!(data.get(..segment::HEADER_BYTES), Some(header.to_bytes().as_slice()));
    }
    let mut rest = data;
    while let Found::Frame(frame) = segment::read_frame(rest) {
        assert!(frame.stride >= frame.record.len() + segment::FRAME_HEAD_BYTES);
        rest = rest.get(frame.stride..).unwrap_or_default();
    }
    let _ = segment::witness(data, Seq(1));
    // The same bytes as the frames of a segment with a good header.
    let Some(folder) = FOLDER.as_ref() else { return };
    let header = Header { index: 0, capacity: SEGMENT_BYTES, origin: folder.origin };
    let mut bytes = header.to_bytes();
    bytes.extend_from_slice(data);
    let memory = Memory::default();
    memory.replace(&segment::path(0), Some(bytes));
    let _ = records(&memory);
}

/// Signed notes, checkpoints and verifier keys.
pub(super) fn notes(data: &[u8]) {
    let _ = checkpoint::parse_note(data);
    if let Some(folder) = FOLDER.as_ref() {
        let opened = folder.key.open(data);
        assert!(opened.is_err() || data == folder.note, "a note was forged");
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = checkpoint::parse_checkpoint(text);
    let _ = VerifierKey::parse(text);
}

/// Tile paths, bundles of entries, rows of hashes.
pub(super) fn tiles(data: &[u8]) {
    if let Some(entries) = tiles::parse_entries(data) {
        let mut again = Vec::new();
        entries.iter().for_each(|entry| tiles::push_entry(&mut again, entry));
        assert_eq!(again, data, "a bundle has one form");
    }
    if let Some(hashes) = tiles::parse_hashes(data) {
        assert_eq!(tiles::tile_bytes(hashes), data, "a tile has one form");
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    for line in text.lines() {
        if let Some(tile) = Tile::parse(line) {
            assert_eq!(tile.path(), line, "a tile has one path");
            let _ = tile.needs();
        }
    }
}

/// A folder changed at the places that the input names: six bytes each for the file, what to do,
/// where (three bytes), and the new byte. A changed folder is found damaged, or tells what it did.
pub(super) fn verify(data: &[u8]) {
    let Some(folder) = FOLDER.as_ref() else { return };
    let memory = folder.memory.copied();
    for patch in data.chunks_exact(6).take(32) {
        let &[file, action, high, middle, low, new] = patch else { continue };
        let Some(path) = folder.paths.get(usize::from(file) % folder.paths.len()) else { continue };
        let at = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        match action % 8 {
            0 => memory.replace(path, None),
            1 => memory.edit(path, |bytes| bytes.truncate(at)),
            2 => memory.edit(path, |bytes| bytes.push(new)),
            _ => memory.edit(path, |bytes| {
                let length = bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at % length) {
                    *byte = new;
                }
            }),
        }
    }
    let Ok(report) = tidegate_journal::verify::verify_in(&memory, None, None) else { return };
    let _ = (report.to_json(), report.to_string());
    if report.is_whole() && report.checkpoint.as_ref().is_some_and(|c| c.size == RECORDS) {
        assert_eq!(records(&memory).ok(), Some(folder.records.clone()), "found whole, yet changed");
    }
    let outside =
        tidegate_journal::verify::verify_in(&memory, Some(&folder.note), Some(&folder.text));
    if outside.is_ok_and(|report| report.is_whole()) {
        assert_eq!(records(&memory).ok(), Some(folder.records.clone()), "vouched for, yet changed");
    }
}

struct Folder {
    memory: Memory,
    paths: Vec<String>,
    records: Vec<Record>,
    note: Vec<u8>,
    key: VerifierKey,
    text: String,
    origin: [u8; 32],
}

static FOLDER: LazyLock<Option<Folder>> = LazyLock::new(|| {
    let folder = build();
    assert!(folder.is_ok(), "the folder could not be made: {:?}", folder.err());
    folder.ok()
});

/// A small journal, closed in good order, so that its checkpoint covers every record.
fn build() -> Result<Folder, JournalError> {
    let memory = Memory::default();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let key = CheckpointKey::new(ORIGIN, &[7; 32])?;
    let text = key.verifier().to_string();
    let options = Options {
        segment_bytes: SEGMENT_BYTES,
        checkpoint_every: Duration::from_millis(1),
        ..Options::new(Durability::Disk, key)
    };
    let (tell, told) = channel();
    let notify = Box::new(move |event| drop(tell.send(event)));
    let (journal, mut appender, _) = Journal::open_in(storage, options, &mut |_, _| (), notify)?;
    for n in 0..RECORDS {
        let at = Time::from_micros(1_700_000_000_000_000 + n);
        let record = Record { at, body: Body::Sent { call: CallId(n) } };
        appender.append(Seq(n), &record, Urgency::Now)?;
        appender.commit()?;
        while let Ok(FlushEvent::Durable(proof)) = told.recv() {
            if proof.end() > Seq(n) {
                break;
            }
        }
    }
    drop(appender);
    journal.close()?;
    let paths = memory.list("").map_err(JournalError::io("list", "."))?;
    let note = memory.read("checkpoint").map_err(JournalError::io("read", "checkpoint"))?;
    let key = VerifierKey::parse(&text)?;
    let origin = key.origin_hash();
    let records = records(&memory)?;
    assert_eq!(records.len() as u64, RECORDS, "the folder holds every record");
    Ok(Folder { memory, paths, records, note, key, text, origin })
}

fn records(memory: &Memory) -> Result<Vec<Record>, JournalError> {
    let mut reader = Reader::over(Arc::new(memory.clone()), Seq(0))?;
    let mut records = Vec::new();
    while let Some((_, record)) = reader.next_record()? {
        records.push(record);
    }
    Ok(records)
}
