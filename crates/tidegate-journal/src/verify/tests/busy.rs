//! Verification beside a gateway that writes and checkpoints at every look at the folder.

use super::super::*;
use crate::keeper::Keeper;
use crate::merkle::Hash;
use crate::recovery::recover;
use crate::storage::{Handle, Memory, Room};
use crate::testing::{SEGMENT, closed_journal, key, options, record};
use crate::writer::Writer;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidegate_types::codec::Codec as _;
use tidegate_types::record::Durability;

/// A folder that grows by some records, with their tiles and a checkpoint, at every look at it.
#[derive(Clone)]
struct Busy {
    memory: Memory,
    gateway: Arc<Mutex<Gateway>>,
    /// Bytes of segments that were read.
    read: Arc<AtomicU64>,
}

struct Gateway {
    writer: Writer,
    keeper: Keeper,
    storage: Arc<dyn Storage>,
    origin: Hash,
    next: u64,
    step: u64,
}

struct BusyHandle {
    busy: Busy,
    handle: Arc<dyn Handle>,
    counted: bool,
}

impl Busy {
    fn over(memory: &Memory, step: u64) -> Busy {
        let storage: Arc<dyn Storage> = Arc::new(memory.clone());
        let options = options(Durability::Disk);
        let (writer, recovered, checkpoint) =
            recover(&storage, &options, &mut |_, _| {}).expect("recovered");
        let progress = Arc::clone(writer.progress());
        let keeper = Keeper::new(Arc::clone(&storage), progress, key(), Duration::ZERO, checkpoint);
        let (origin, next) = (key().verifier().origin_hash(), recovered.next.0);
        let gateway = Gateway { writer, keeper, storage, origin, next, step };
        let busy = Busy {
            memory: memory.clone(),
            gateway: Arc::new(Mutex::new(gateway)),
            read: Arc::default(),
        };
        (0..3).for_each(|_| busy.work());
        busy
    }

    fn work(&self) {
        let mut gateway = self.gateway.lock().expect("no panic");
        let Gateway { writer, keeper, storage, origin, next, step } = &mut *gateway;
        let mut frames = Vec::new();
        for seq in *next..*next + *step {
            segment::append_frame(&mut frames, Seq(seq), |out| record(seq).encode(out))
                .expect("fits");
        }
        *next += *step;
        writer.flush(&mut frames);
        writer.progress().prepare(storage.as_ref(), origin).expect("prepared");
        // Damage that a test made may be seen by the keeper first.
        let _ = keeper.advance(Seq(*next)).and_then(|()| keeper.publish());
    }

    fn written(&self) -> u64 {
        self.gateway.lock().expect("no panic").next
    }
}

impl Storage for Busy {
    fn lock(&self) -> io::Result<Option<Box<dyn Send + Sync>>> {
        self.memory.lock()
    }
    fn create(&self, path: &str, head: &[u8], size: u64) -> io::Result<Arc<dyn Handle>> {
        self.memory.create(path, head, size)
    }
    fn open(&self, path: &str, writable: bool) -> io::Result<Arc<dyn Handle>> {
        self.work();
        let handle = self.memory.open(path, writable)?;
        let counted = segment::index(path).is_some();
        Ok(Arc::new(BusyHandle { busy: self.clone(), handle, counted }))
    }
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.work();
        self.memory.read(path)
    }
    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.memory.put(path, bytes)
    }
    fn put_synced(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.memory.put_synced(path, bytes)
    }
    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.work();
        self.memory.list(path)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.memory.remove(path)
    }
    fn sync(&self) -> io::Result<()> {
        self.memory.sync()
    }
    fn room(&self) -> io::Result<Room> {
        self.memory.room()
    }
    fn place(&self) -> String {
        self.memory.place()
    }
}

impl Handle for BusyHandle {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.busy.work();
        let count = self.handle.read_at(offset, buf)?;
        if self.counted {
            self.busy.read.fetch_add(count as u64, Ordering::Relaxed);
        }
        Ok(count)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.handle.write_at(offset, bytes)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.handle.sync_data()
    }
    fn size(&self) -> io::Result<u64> {
        self.busy.work();
        self.handle.size()
    }
    fn truncate(&self, size: u64) -> io::Result<()> {
        self.handle.truncate(size)
    }
}

#[test]
fn ends_after_one_pass_however_fast_the_gateway_writes() {
    for step in [1, 7, 100, 900] {
        let busy = Busy::over(&closed_journal(3000), step);
        let before = busy.written();
        let report = verify_in(&busy, None, None).expect("verified");
        assert!(report.is_whole(), "{step}: {report}");
        let proved = report.checkpoint.as_ref().map_or(0, |one| one.size);
        assert!(proved >= before && proved <= before + 2 * step, "{step}: {report}");
        assert!(report.records >= proved && busy.written() > proved, "{step}: {report}");
        // Every segment once, with a few looks at where the records end, which may move.
        let read = busy.read.load(Ordering::Relaxed);
        assert!(read <= (3 * report.segments + 10) * SEGMENT, "{step}: {read} of {report}");
    }
}

#[test]
fn damage_is_found_beside_a_gateway_that_writes() {
    let files = closed_journal(3000).list("").expect("listed");
    // The gateway goes on in the last segment, and replaces these.
    let last = files.iter().filter_map(|file| segment::index(file)).max().map(segment::path);
    let kept = |file: &&String| {
        !file.contains(".p/") && *file != CHECKPOINT_FILE && Some(*file) != last.as_ref()
    };
    let mut seen = 0;
    for file in files.iter().filter(kept) {
        for (place, kind) in [(0.0, 0), (0.3, 0), (0.7, 0), (0.99, 0), (0.5, 1), (0.0, 2)] {
            let memory = closed_journal(3000);
            let size = memory.read(file).expect("read").len();
            let busy = Busy::over(&memory, 5);
            let at = (size as f64 * place) as usize;
            match kind {
                0 => memory.edit(file, |bytes| bytes[at] ^= 1 << (at % 8)),
                1 => memory.edit(file, |bytes| bytes.truncate(at)),
                _ => memory.replace(file, None),
            }
            let report = verify_in(&busy, None, None).expect("verified");
            assert!(!report.is_whole(), "{file} {place} {kind}: {report}");
            assert!(report.damage.iter().any(|one| one.file == *file), "{file} {kind}: {report}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

/// A folder whose checkpoint was read before the gateway went on.
struct Later {
    first: Mutex<Option<Vec<u8>>>,
    now: Memory,
}

impl Storage for Later {
    fn lock(&self) -> io::Result<Option<Box<dyn Send + Sync>>> {
        self.now.lock()
    }
    fn create(&self, path: &str, head: &[u8], size: u64) -> io::Result<Arc<dyn Handle>> {
        self.now.create(path, head, size)
    }
    fn open(&self, path: &str, writable: bool) -> io::Result<Arc<dyn Handle>> {
        self.now.open(path, writable)
    }
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.first.lock().expect("no panic").take_if(|_| path == CHECKPOINT_FILE) {
            Some(first) => Ok(first),
            None => self.now.read(path),
        }
    }
    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.now.put(path, bytes)
    }
    fn put_synced(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.now.put_synced(path, bytes)
    }
    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.now.list(path)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.now.remove(path)
    }
    fn sync(&self) -> io::Result<()> {
        self.now.sync()
    }
    fn room(&self) -> io::Result<Room> {
        self.now.room()
    }
    fn place(&self) -> String {
        self.now.place()
    }
}

#[test]
fn a_tile_that_a_wider_one_replaced_is_missed_by_nobody_and_a_damaged_one_is() {
    let memory = closed_journal(2000);
    let first = memory.read(CHECKPOINT_FILE).expect("read");
    let mut world = crate::testing::open(&memory).expect("opens");
    world.append_until(2030, 10);
    world.close();
    let check = |now: Memory| {
        let later = Later { first: Mutex::new(Some(first.clone())), now };
        verify_in(&later, None, None).expect("verified")
    };
    let report = check(memory.copied());
    assert!(report.is_whole(), "{report}");
    assert_eq!((report.records, report.after_checkpoint()), (2030, 30));
    for file in memory.list("tile").expect("listed") {
        let copy = memory.copied();
        copy.edit(&file, |bytes| bytes[9] ^= 1);
        let report = check(copy);
        assert!(report.damage.iter().any(|damage| damage.file == file), "{file}: {report}");
        let copy = memory.copied();
        copy.replace(&file, None);
        assert!(!check(copy).is_whole(), "{file}");
    }
}
