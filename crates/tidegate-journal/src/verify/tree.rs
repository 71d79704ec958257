use super::read_if_there;
use super::report::Report;
use crate::checkpoint::Checkpoint;
use crate::error::{Damage, JournalError};
use crate::merkle::{Edge, Hash, TILE_WIDTH, leaf_hash};
use crate::storage::Storage;
use crate::tiles::{self, Kind, Tile, edge_tiles};
use std::collections::BTreeMap;
use std::io;
use tidegate_types::ids::Seq;

/// A gateway beside us may replace a tile this often while we look for it.
const ATTEMPTS: usize = 20;

/// Computes the tree from the records and holds the tile files against it.
pub(super) struct TreeCheck<'a> {
    storage: &'a dyn Storage,
    edge: Edge,
    /// The entry bundle being filled; `None` when one of its records is missing.
    bundle: Option<Vec<u8>>,
    /// The tree could be computed so far.
    known: bool,
    /// Tile files that were listed and not checked yet; unfinished ones with their bytes.
    files: BTreeMap<Tile, Option<Vec<u8>>>,
    /// Tiles that this many records fill must be there.
    covered: u64,
    /// Unfinished tiles of the checkpoint that were not there, with what they had to be as soon as
    /// that is known.
    gone: BTreeMap<Tile, Option<Vec<u8>>>,
    roots: Vec<(String, Checkpoint)>,
}

impl<'a> TreeCheck<'a> {
    pub(super) fn new(
        storage: &'a dyn Storage,
        files: BTreeMap<Tile, Option<Vec<u8>>>,
        covered: u64,
        roots: Vec<(String, Checkpoint)>,
    ) -> TreeCheck<'a> {
        let (edge, bundle) = (Edge::default(), Some(Vec::new()));
        let gone = edge_tiles(covered).into_iter().filter(|tile| !files.contains_key(tile));
        let gone = gone.map(|tile| (tile, None)).collect();
        TreeCheck { storage, edge, bundle, known: true, files, covered, gone, roots }
    }

    /// Adds the next record.
    pub(super) fn record(
        &mut self,
        record: &[u8],
        report: &mut Report,
    ) -> Result<(), JournalError> {
        if self.edge.size() == 0 {
            self.check_roots(report);
        }
        if let Some(bundle) = &mut self.bundle {
            tiles::push_entry(bundle, record);
        }
        self.leaf(leaf_hash(record), report)
    }

    /// Adds a record that is missing, by the hash that its tile has for it; `false` when that
    /// cannot be had, and the tree ends here.
    pub(super) fn missing(&mut self, seq: Seq, report: &mut Report) -> Result<bool, JournalError> {
        let (index, place) = (seq.0 / TILE_WIDTH as u64, (seq.0 % TILE_WIDTH as u64) as usize);
        let of_tile = |tile: &&Tile| tile.kind == Kind::Hashes(0) && tile.index == index;
        let widest = self.files.keys().filter(of_tile).max_by_key(|tile| tile.width);
        let bytes = match widest.and_then(|tile| self.files.get(tile).cloned().flatten()) {
            Some(bytes) => Some(bytes),
            None => {
                let full = Tile { kind: Kind::Hashes(0), index, width: TILE_WIDTH };
                self.storage.read(&full.path()).ok()
            }
        };
        let hash = bytes.as_deref().and_then(tiles::parse_hashes).and_then(|all| all.get(place));
        self.bundle = None;
        match hash.filter(|_| self.known) {
            Some(&hash) => self.leaf(hash, report).map(|()| true),
            None => {
                self.known = false;
                Ok(false)
            }
        }
    }

    /// Adds the records below `until`, which were archived, by the hashes that their tiles have for
    /// them. Bundles that are still here are held against those.
    pub(super) fn archived(&mut self, until: Seq, report: &mut Report) -> Result<(), JournalError> {
        while self.known && self.edge.size() < until.0 {
            let index = self.edge.size() / TILE_WIDTH as u64;
            let count = (until.0 - index * TILE_WIDTH as u64).min(TILE_WIDTH as u64) as usize;
            let Some(leaves) = self.widest(Kind::Hashes(0), index, count) else {
                let tile = Tile { kind: Kind::Hashes(0), index, width: TILE_WIDTH };
                let what = "the tile is missing, and the records that it is of were archived";
                report.add(Damage::of_file(tile.path(), what));
                self.known = false;
                return Ok(());
            };
            let bundle = self.widest(Kind::Entries, index, count);
            let records =
                bundle.as_deref().map(|bytes| tiles::parse_entries(bytes).unwrap_or_default());
            let leaves = tiles::parse_hashes(&leaves).unwrap_or_default();
            let same = |records: &Vec<&[u8]>| {
                let front = records.iter().take(count).map(|record| leaf_hash(record));
                records.len() >= count && front.eq(leaves.iter().take(count).copied())
            };
            let sound = records.as_ref().is_some_and(same);
            if records.is_some() && !sound {
                let tile = Tile { kind: Kind::Entries, index, width: TILE_WIDTH };
                let what = "the bundle's records are not those that the tile hashes";
                report.add(Damage::of_file(tile.path(), what));
            }
            for leaf in leaves.iter().take(count) {
                self.bundle = None;
                self.leaf(*leaf, report)?;
            }
            if count < TILE_WIDTH {
                let front = bundle.as_deref().and_then(|bytes| front(Kind::Entries, bytes, count));
                self.bundle = front.filter(|_| sound).map(<[u8]>::to_vec);
            }
        }
        Ok(())
    }

    /// The bytes of a tile that has at least `width` hashes or records, if there is one.
    fn widest(&self, kind: Kind, index: u64, width: usize) -> Option<Vec<u8>> {
        let full = Tile { kind, index, width: TILE_WIDTH };
        if let Ok(bytes) = self.storage.read(&full.path()) {
            return Some(bytes);
        }
        let range = Tile { kind, index, width }..=full;
        let wide = self.files.range(range).max_by_key(|(tile, _)| tile.width)?;
        wide.1.clone()
    }

    /// Checks what is left when every record was added; `size_now` tells how many records the
    /// folder's checkpoint covers at the time.
    pub(super) fn finish(
        mut self,
        records: u64,
        size_now: &dyn Fn() -> Result<Option<u64>, JournalError>,
        report: &mut Report,
    ) -> Result<(), JournalError> {
        for (tile, bytes) in std::mem::take(&mut self.gone) {
            self.successor(tile, bytes.as_deref(), size_now, report)?;
        }
        if !self.known {
            report.note(
                "the tree could not be computed past the damage, so not all of it is checked",
            );
            return Ok(());
        }
        if self.edge.size() == 0 {
            self.check_roots(report);
        }
        for (hashes, level) in self.edge.levels().to_vec().into_iter().zip(0..) {
            let index = self.edge.size() >> (8 * (u32::from(level) + 1)).min(63);
            self.unfinished(Kind::Hashes(level), index, &tiles::tile_bytes(&hashes), report);
        }
        if let Some(bundle) = self.bundle.take() {
            let index = self.edge.size() / TILE_WIDTH as u64;
            self.unfinished(Kind::Entries, index, &bundle, report);
        }
        for (tile, bytes) in std::mem::take(&mut self.files) {
            if bytes.is_some() || tile.needs().is_none_or(|needs| needs > records) {
                let what = "the tile is of records that are not there";
                report.add(Damage::of_file(tile.path(), what));
            }
        }
        for (name, checkpoint) in &self.roots {
            let size = checkpoint.size;
            let what = format!("it covers {size} records, there are {records}");
            report.add(Damage::of_file(name, what).of_record(Seq(records)));
        }
        Ok(())
    }

    fn leaf(&mut self, leaf: Hash, report: &mut Report) -> Result<(), JournalError> {
        if !self.known {
            return Ok(());
        }
        let mut full = Vec::new();
        self.edge.push(leaf, |level, index, hashes| {
            full.push((
                Tile { kind: Kind::Hashes(level), index, width: TILE_WIDTH },
                tiles::tile_bytes(hashes),
            ));
            Ok::<(), JournalError>(())
        })?;
        for (tile, bytes) in full {
            if tile.kind == Kind::Hashes(0) {
                let bundle = self.bundle.replace(Vec::new());
                let entries = Tile { kind: Kind::Entries, ..tile };
                match bundle {
                    Some(bundle) => self.full(entries, &bundle, report)?,
                    // With a record missing, its bundle has nothing to be held against.
                    None => self.files.retain(|tile, _| {
                        (tile.kind, tile.index) != (Kind::Entries, entries.index)
                    }),
                }
            }
            self.full(tile, &bytes, report)?;
        }
        self.check_roots(report);
        if self.edge.size() == self.covered {
            self.note_gone();
        }
        Ok(())
    }

    /// Keeps what the missing tiles of the checkpoint had to be.
    fn note_gone(&mut self) {
        for (tile, bytes) in &mut self.gone {
            *bytes = match tile.kind {
                Kind::Entries => self.bundle.clone(),
                Kind::Hashes(level) => {
                    let hashes = self.edge.levels().get(usize::from(level));
                    hashes.map(|hashes| tiles::tile_bytes(hashes))
                }
            };
        }
    }

    /// Looks for the tile that took the place of `tile`, which was not there: a gateway beside us
    /// removes one when a newer checkpoint has it wider. That one must begin with `bytes`.
    fn successor(
        &self,
        tile: Tile,
        bytes: Option<&[u8]>,
        size_now: &dyn Fn() -> Result<Option<u64>, JournalError>,
        report: &mut Report,
    ) -> Result<(), JournalError> {
        for _ in 0..ATTEMPTS {
            let Some(size) = size_now()?.filter(|&size| size > self.covered) else { break };
            let unfinished = edge_tiles(size);
            let mut wider =
                unfinished.iter().filter(|one| (one.kind, one.index) == (tile.kind, tile.index));
            let wider = *wider.next().unwrap_or(&Tile { width: TILE_WIDTH, ..tile });
            // It may be gone in turn.
            let Some(file) = read_if_there(self.storage, &wider.path())? else { continue };
            if bytes.is_some_and(|bytes| front(tile.kind, &file, tile.width) != Some(bytes)) {
                let what = "the tile is not what the records make it";
                report.add(Damage::of_file(wider.path(), what));
            }
            return Ok(());
        }
        report.add(Damage::of_file(tile.path(), "the tile is missing"));
        Ok(())
    }

    /// Holds the file of a full tile, and unfinished ones of it, against its true bytes.
    fn full(&mut self, tile: Tile, bytes: &[u8], report: &mut Report) -> Result<(), JournalError> {
        self.unfinished(tile.kind, tile.index, bytes, report);
        self.files.remove(&tile);
        match self.storage.read(&tile.path()) {
            Ok(file) => self.compare(tile, &file, bytes, report),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if tile.needs().is_some_and(|needs| needs <= self.covered) {
                    report.add(Damage::of_file(tile.path(), "the tile is missing"));
                }
            }
            Err(error) => return Err(JournalError::io("read", tile.path())(error)),
        }
        Ok(())
    }

    /// Holds unfinished tiles against the true bytes of as much of the tile as there is.
    fn unfinished(&mut self, kind: Kind, index: u64, bytes: &[u8], report: &mut Report) {
        let from = Tile { kind, index, width: 1 };
        let to = Tile { kind, index, width: TILE_WIDTH - 1 };
        let tiles: Vec<Tile> = self.files.range(from..=to).map(|(tile, _)| *tile).collect();
        for tile in tiles {
            let Some(true_bytes) = front(kind, bytes, tile.width) else { continue };
            if let Some(Some(file)) = self.files.remove(&tile) {
                self.compare(tile, &file, true_bytes, report);
            }
        }
    }

    fn compare(&self, tile: Tile, file: &[u8], bytes: &[u8], report: &mut Report) {
        if file == bytes {
            return;
        }
        let torn = file.len() < bytes.len() || file.iter().all(|&byte| byte == 0);
        if torn && tile.needs().is_none_or(|needs| needs > self.covered) {
            let path = tile.path();
            report.note(format!("{path} was not finished; it is made anew at the next start"));
            return;
        }
        let same = file.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        let what = "the tile is not what the records make it";
        report.add(Damage::at(tile.path(), same as u64, what));
    }

    fn check_roots(&mut self, report: &mut Report) {
        let size = self.edge.size();
        if self.roots.iter().all(|(_, checkpoint)| checkpoint.size != size) {
            return;
        }
        let root = self.edge.root();
        self.roots.retain(|(name, checkpoint)| {
            if checkpoint.size == size && checkpoint.root != root {
                let what = format!("its root is not that of the first {size} records");
                report.add(Damage::of_file(name, what));
            }
            checkpoint.size != size
        });
    }
}

/// The bytes of the first `width` hashes or records of a tile; `None` when there are fewer.
fn front(kind: Kind, bytes: &[u8], width: usize) -> Option<&[u8]> {
    match kind {
        Kind::Hashes(_) => bytes.get(..width * 32),
        Kind::Entries => {
            let records = tiles::parse_entries(bytes)?;
            let length = records.get(..width)?.iter().map(|record| record.len() + 2).sum();
            bytes.get(..length)
        }
    }
}
