//! The tree as files, in the C2SP `tlog-tiles` layout: hash tiles of 256, and bundles of the
//! records themselves.

use crate::error::{Damage, JournalError};
use crate::merkle::{Edge, Hash, Hashes, TILE_WIDTH, full_root};
use crate::storage::Storage;
use std::io;

/// The folder of the tiles.
pub const FOLDER: &str = "tile";

/// A kind of tile.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Hashes of a level; 0 are the leaves' own.
    Hashes(u8),
    /// Records.
    Entries,
}

/// A tile: which, and how much of it is there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tile {
    /// Of what.
    pub kind: Kind,
    /// The place in its level.
    pub index: u64,
    /// Hashes or records in it: 1 to 256, 256 being a full tile.
    pub width: usize,
}

impl Tile {
    /// The path of the file.
    pub fn path(&self) -> String {
        let kind = match self.kind {
            Kind::Hashes(level) => level.to_string(),
            Kind::Entries => "entries".to_owned(),
        };
        let mut digits = format!("{:03}", self.index % 1000);
        let mut left = self.index / 1000;
        while left > 0 {
            digits = format!("x{:03}/{digits}", left % 1000);
            left /= 1000;
        }
        let full = format!("{FOLDER}/{kind}/{digits}");
        if self.width == TILE_WIDTH { full } else { format!("{full}.p/{}", self.width) }
    }

    /// The tile at `path`, if it is one's exact path.
    pub fn parse(path: &str) -> Option<Tile> {
        let (kind, rest) = path.strip_prefix(FOLDER)?.strip_prefix('/')?.split_once('/')?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes(level.parse().ok().filter(|&level| level < 8)?),
        };
        let (digits, width) = match rest.split_once(".p/") {
            Some((digits, width)) => (digits, width.parse().ok()?),
            None => (rest, TILE_WIDTH),
        };
        let index = digits.split('/').try_fold(0_u64, |index, group| {
            let group = group.strip_prefix('x').unwrap_or(group).parse::<u64>().ok()?;
            index.checked_mul(1000)?.checked_add(group)
        })?;
        let tile = Tile { kind, index, width };
        ((1..=TILE_WIDTH).contains(&width) && tile.path() == path).then_some(tile)
    }

    /// How many records the tree must have for this much of the tile to be there; `None` when no
    /// tree is that large.
    pub fn needs(&self) -> Option<u64> {
        let level = match self.kind {
            Kind::Hashes(level) => u32::from(level),
            Kind::Entries => 0,
        };
        let hashes = self.index.checked_mul(TILE_WIDTH as u64)?.checked_add(self.width as u64)?;
        hashes.checked_mul(1_u64.checked_shl(8 * level)?)
    }
}

/// The unfinished tiles of a tree of `size` leaves, entries first.
pub fn edge_tiles(size: u64) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let (mut level, mut hashes) = (0_u8, size);
    while hashes > 0 {
        let (index, width) = (hashes / TILE_WIDTH as u64, (hashes % TILE_WIDTH as u64) as usize);
        if width > 0 && level == 0 {
            tiles.push(Tile { kind: Kind::Entries, index, width });
        }
        if width > 0 {
            tiles.push(Tile { kind: Kind::Hashes(level), index, width });
        }
        hashes = index;
        level += 1;
    }
    tiles
}

/// The bytes of a hash tile.
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.as_flattened().to_vec()
}

/// Appends a record to the bytes of an entry bundle.
pub fn push_entry(bundle: &mut Vec<u8>, record: &[u8]) {
    // A record is at most 60 KiB, so its length always fits.
    let length = u16::try_from(record.len()).unwrap_or(u16::MAX);
    bundle.extend(length.to_be_bytes());
    bundle.extend(record);
}

/// The records in an entry bundle; `None` when it is cut. Takes any bytes.
pub fn parse_entries(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut records = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>()?;
        let (record, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        records.push(record);
        bundle = rest;
    }
    Some(records)
}

/// The hashes in a tile's bytes; `None` when it is cut. Takes any bytes.
pub fn parse_hashes(tile: &[u8]) -> Option<&[Hash]> {
    let (hashes, rest) = tile.as_chunks::<32>();
    rest.is_empty().then_some(hashes)
}

/// The tree of `size` leaves, read from its tiles.
pub struct TileTree<'a> {
    storage: &'a dyn Storage,
    size: u64,
}

impl<'a> TileTree<'a> {
    /// The tree of `size` leaves whose tiles lie in `storage`.
    pub fn new(storage: &'a dyn Storage, size: u64) -> TileTree<'a> {
        TileTree { storage, size }
    }

    /// The tree's right edge.
    pub fn edge(&self) -> Result<Edge, JournalError> {
        let mut levels = Vec::new();
        let mut hashes = self.size;
        while hashes > 0 {
            let width = (hashes % TILE_WIDTH as u64) as usize;
            let (level, index) = (levels.len() as u8, hashes / TILE_WIDTH as u64);
            levels.push(if width == 0 { Vec::new() } else { self.read(level, index, width)? });
            hashes = index;
        }
        Edge::new(self.size, levels)
            .ok_or_else(|| Damage::of_file(FOLDER, "the tiles do not fit the tree").into())
    }

    /// The first `width` hashes of a tile, from the narrowest file of this tree that has them.
    fn read(&self, level: u8, index: u64, width: usize) -> Result<Vec<Hash>, JournalError> {
        let at_level = self.size >> (8 * u32::from(level)).min(63);
        let there = at_level.saturating_sub(index.saturating_mul(TILE_WIDTH as u64));
        let there = usize::try_from(there).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
        let mut tile = Tile { kind: Kind::Hashes(level), index, width: there };
        let bytes = match self.storage.read(&tile.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && there < TILE_WIDTH => {
                // An unfinished tile may be removed once the full one is there.
                tile.width = TILE_WIDTH;
                self.storage.read(&tile.path())
            }
            read => read,
        };
        let bytes = bytes.map_err(JournalError::io("read", tile.path()))?;
        parse_hashes(&bytes)
            .filter(|hashes| hashes.len() == tile.width)
            .and_then(|hashes| hashes.get(..width))
            .map(<[Hash]>::to_vec)
            .ok_or_else(|| Damage::of_file(tile.path(), "the tile is not of its width").into())
    }
}

impl Hashes for TileTree<'_> {
    type Error = JournalError;

    fn subtree(&self, height: u8, index: u64) -> Result<Hash, JournalError> {
        let (level, rest) = (height / 8, height % 8);
        let first = index << rest;
        let (tile, from) = (first / TILE_WIDTH as u64, (first % TILE_WIDTH as u64) as usize);
        let end = from + (1 << rest);
        let hashes = self.read(level, tile, end)?;
        Ok(full_root(hashes.get(from..).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod third_party;
