//! What is done beside writing: preparing the next segment, and deriving tiles and signed
//! checkpoints from the segments.

use crate::checkpoint::{CHECKPOINT_FILE, Checkpoint, CheckpointKey};
use crate::error::{Damage, JournalError};
use crate::journal::FlushEvent;
use crate::merkle::{Edge, Hash, TILE_WIDTH, leaf_hash};
use crate::reader::Reader;
use crate::storage::Storage;
use crate::tiles::{self, Kind, Tile, TileTree, edge_tiles};
use crate::writer::Progress;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tidegate_types::ids::Seq;

/// New records are hashed this often, so that no second has all the work at once.
const TICK: Duration = Duration::from_millis(100);
/// Most records hashed before it is time to see whether a checkpoint is due.
const STRIDE: u64 = 64 * 1024;
/// After something could not be written it is tried again this much later.
const RETRY: Duration = Duration::from_secs(1);

/// The keeper's side of a journal that other threads see.
pub struct KeeperLink {
    wish: Mutex<Wish>,
    wake: Condvar,
    checkpointed: AtomicU64,
}

#[derive(Clone, Copy)]
struct Wish {
    /// A segment is to be prepared.
    segment: bool,
    stop: bool,
}

/// Derives tiles and checkpoints from the segments of one journal.
pub struct Keeper {
    storage: Arc<dyn Storage>,
    progress: Arc<Progress>,
    key: CheckpointKey,
    every: Duration,
    checkpoint: Checkpoint,
    tree: Option<Tree>,
    /// Unfinished tiles of the checkpoint before the newest.
    superseded: BTreeSet<Tile>,
    /// The history does not lead to the checkpoint: nothing is signed any more.
    refused: bool,
}

/// The growing end of the tree.
struct Tree {
    reader: Reader,
    edge: Edge,
    bundle: Vec<u8>,
}

impl KeeperLink {
    /// Wishes for a segment first.
    pub fn new(checkpointed: u64) -> KeeperLink {
        KeeperLink {
            wish: Mutex::new(Wish { segment: true, stop: false }),
            wake: Condvar::new(),
            checkpointed: AtomicU64::new(checkpointed),
        }
    }

    /// Asks for the next segment to be prepared.
    pub fn want_segment(&self) {
        self.wish().segment = true;
        self.wake.notify_all();
    }

    /// Asks for a last checkpoint and the end.
    pub fn stop(&self) {
        self.wish().stop = true;
        self.wake.notify_all();
    }

    /// How many records the newest checkpoint covers.
    pub fn checkpointed(&self) -> u64 {
        self.checkpointed.load(Ordering::Acquire)
    }

    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, time: Duration) -> Wish {
        let wish = self.wish();
        if wish.stop || wish.segment {
            return *wish;
        }
        let (wish, _) = self.wake.wait_timeout(wish, time).unwrap_or_else(PoisonError::into_inner);
        *wish
    }
}

impl Keeper {
    /// Goes on from `checkpoint`, the one in the folder.
    pub fn new(
        storage: Arc<dyn Storage>,
        progress: Arc<Progress>,
        key: CheckpointKey,
        every: Duration,
        checkpoint: Checkpoint,
    ) -> Keeper {
        Keeper {
            storage,
            progress,
            key,
            every,
            checkpoint,
            tree: None,
            superseded: BTreeSet::new(),
            refused: false,
        }
    }

    /// Works until told to stop; `report` hears what could not be done, and that it could be again.
    pub fn run(mut self, link: &KeeperLink, report: &dyn Fn(FlushEvent)) {
        let mut last = Instant::now();
        let mut troubled = false;
        let mut quiet_until = last;
        let mut behind = false;
        loop {
            let wish = link.wait(if behind { Duration::ZERO } else { TICK });
            let now = Instant::now();
            if now < quiet_until && !wish.stop {
                std::thread::sleep(TICK);
                continue;
            }
            let due = wish.stop || now.duration_since(last) >= self.every;
            let end = self.progress.synced();
            let reach = if wish.stop { end } else { end.min(Seq(self.size() + STRIDE)) };
            let mut done = self.advance(reach);
            behind = done.is_ok() && reach < end && !self.refused;
            if due && done.is_ok() {
                last = now;
                done = self.publish();
                link.checkpointed.store(self.checkpoint.size, Ordering::Release);
            }
            if wish.segment && !wish.stop {
                link.wish().segment = false;
                let origin = self.key.verifier().origin_hash();
                let announced = self.progress.announce_sync();
                let made = self.progress.prepare(self.storage.as_ref(), &origin);
                drop(announced);
                link.wish().segment |= made.is_err();
                done = done.and(made);
            }
            match done {
                Ok(()) if due && troubled => {
                    troubled = false;
                    report(FlushEvent::Mended);
                }
                Ok(()) => {}
                Err(error) => {
                    report(FlushEvent::Degraded(error.on(self.storage.as_ref())));
                    troubled = true;
                    self.tree = None;
                    quiet_until = now + RETRY;
                }
            }
            if wish.stop {
                // A closed journal has exactly the files that its checkpoint needs.
                if let Err(error) = self.sweep() {
                    report(FlushEvent::Degraded(error.on(self.storage.as_ref())));
                }
                return;
            }
        }
    }

    /// Adds every record below `end`, which must be on disk, to the tree, writing full tiles.
    pub fn advance(&mut self, end: Seq) -> Result<(), JournalError> {
        if self.refused || (self.tree.is_none() && end.0 <= self.checkpoint.size) {
            return Ok(());
        }
        let mut tree = match self.tree.take() {
            Some(tree) => tree,
            None => self.resume()?,
        };
        while tree.edge.size() < end.0 {
            let Some(entry) = tree.reader.next_entry()? else {
                let what = "a record that was on disk cannot be read back";
                return Err(Damage::of_file("segment", what)
                    .of_record(tree.reader.next_seq())
                    .into());
            };
            let leaf = leaf_hash(entry.record);
            tiles::push_entry(&mut tree.bundle, entry.record);
            tree.edge.push(leaf, |level, index, hashes| {
                let tile = Tile { kind: Kind::Hashes(level), index, width: TILE_WIDTH };
                self.put(tile, &tiles::tile_bytes(hashes))?;
                if level == 0 {
                    let tile = Tile { kind: Kind::Entries, ..tile };
                    self.put(tile, &tree.bundle)?;
                    tree.bundle.clear();
                }
                Ok::<(), JournalError>(())
            })?;
            if tree.edge.size() == self.checkpoint.size {
                self.check_history(&tree.edge.root())?;
            }
        }
        self.tree = Some(tree);
        Ok(())
    }

    /// Writes the unfinished tiles and signs a checkpoint, if there is something new.
    pub fn publish(&mut self) -> Result<(), JournalError> {
        let Some(tree) = self.tree.as_ref().filter(|tree| tree.edge.size() > self.checkpoint.size)
        else {
            return Ok(());
        };
        let size = tree.edge.size();
        let edge: BTreeSet<Tile> = edge_tiles(size).into_iter().collect();
        for tile in &edge {
            match tile.kind {
                Kind::Entries => self.put(*tile, &tree.bundle)?,
                Kind::Hashes(level) => {
                    let hashes = tree.edge.levels().get(usize::from(level));
                    self.put(*tile, &tiles::tile_bytes(hashes.map_or(&[], Vec::as_slice)))?;
                }
            }
        }
        let progress = Arc::clone(&self.progress);
        let announced = progress.announce_sync();
        self.storage.sync().map_err(JournalError::io("flush", tiles::FOLDER))?;
        let root = tree.edge.root();
        let note = self.key.sign(size, &root);
        self.storage
            .put_synced(CHECKPOINT_FILE, &note)
            .map_err(JournalError::io("write", CHECKPOINT_FILE))?;
        drop(announced);
        // Whoever has just read the last checkpoint still finds its tiles.
        let previous: BTreeSet<Tile> = edge_tiles(self.checkpoint.size).into_iter().collect();
        for tile in self.superseded.difference(&previous).filter(|tile| !edge.contains(tile)) {
            // A leftover does no harm, and is removed at the next start.
            let _ = self.storage.remove(&tile.path());
        }
        self.superseded = previous;
        self.checkpoint = Checkpoint { size, root, origin: self.checkpoint.origin.clone() };
        Ok(())
    }

    /// The tree as of the checkpoint, from its tiles; from nothing when they do not lead to it.
    fn resume(&mut self) -> Result<Tree, JournalError> {
        let size = self.checkpoint.size;
        let edge = TileTree::new(self.storage.as_ref(), size).edge().ok();
        let edge = edge.filter(|edge| edge.root() == self.checkpoint.root);
        let (edge, bundle) = match (edge, self.read_bundle(size)) {
            (Some(edge), Some(bundle)) => (edge, bundle),
            _ => (Edge::default(), Vec::new()),
        };
        self.sweep()?;
        let reader = Reader::over(Arc::clone(&self.storage), Seq(edge.size()))?;
        Ok(Tree { reader, edge, bundle })
    }

    /// How many records are in the tree.
    fn size(&self) -> u64 {
        self.tree.as_ref().map_or(self.checkpoint.size, |tree| tree.edge.size())
    }

    fn read_bundle(&self, size: u64) -> Option<Vec<u8>> {
        let width = (size % TILE_WIDTH as u64) as usize;
        if width == 0 {
            return Some(Vec::new());
        }
        let tile = Tile { kind: Kind::Entries, index: size / TILE_WIDTH as u64, width };
        let bundle = self.storage.read(&tile.path()).ok()?;
        (tiles::parse_entries(&bundle)?.len() == width).then_some(bundle)
    }

    /// Removes tiles that no checkpoint covers and unfinished ones that the newest does not need.
    fn sweep(&self) -> Result<(), JournalError> {
        let size = self.checkpoint.size;
        let edge = edge_tiles(size);
        let files = self.storage.list(tiles::FOLDER).map_err(JournalError::io("list", "tile"))?;
        for file in files {
            let stale = Tile::parse(&file).is_some_and(|tile| {
                tile.needs().is_none_or(|needs| needs > size)
                    || (tile.width < TILE_WIDTH && !edge.contains(&tile))
            });
            if stale {
                self.storage.remove(&file).map_err(JournalError::io("remove", file))?;
            }
        }
        Ok(())
    }

    fn check_history(&mut self, root: &Hash) -> Result<(), JournalError> {
        if *root == self.checkpoint.root {
            return Ok(());
        }
        self.refused = true;
        let what = "the records do not lead to the checkpoint's root; none is signed any more";
        Err(Damage::of_file(CHECKPOINT_FILE, what).into())
    }

    fn put(&self, tile: Tile, bytes: &[u8]) -> Result<(), JournalError> {
        let path = tile.path();
        self.storage.put(&path, bytes).map_err(JournalError::io("write", path))
    }
}
