//! The Merkle tree of RFC 6962 section 2.1 (and RFC 9162): hashes, roots, proofs.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Leaves, or roots of full tiles one level down, beneath one full tile.
pub const TILE_WIDTH: usize = 256;

/// Where the hashes of a tree are kept.
pub trait Hashes {
    /// Why a hash cannot be had.
    type Error;
    /// The root of the full subtree of `2^height` leaves that begins at leaf `index * 2^height`.
    fn subtree(&self, height: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// The hash of a leaf: SHA-256 of 0 and the record.
pub fn leaf_hash(record: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(record);
    to_hash(context.finish().as_ref())
}

/// The hash of an inner node: SHA-256 of 1 and its two children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [1; 65];
    let (_, children) = node.split_at_mut(1);
    let (a, b) = children.split_at_mut(32);
    a.copy_from_slice(left);
    b.copy_from_slice(right);
    to_hash(digest(&SHA256, &node).as_ref())
}

/// The root of a tree of no leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    to_hash(digest(&SHA256, &[]).as_ref())
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Hash {
    to_hash(digest(&SHA256, bytes).as_ref())
}

/// The right edge of a growing tree: per tile level, the hashes of the tile that is not full yet.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Edge {
    levels: Vec<Vec<Hash>>,
    size: u64,
}

impl Edge {
    /// The edge of a tree of `size` leaves, from the unfinished tiles of each level, lowest
    /// first; `None` when they are not as wide as that size has them.
    pub fn new(size: u64, levels: Vec<Vec<Hash>>) -> Option<Edge> {
        let mut left = size;
        for level in &levels {
            if level.len() as u64 != left % TILE_WIDTH as u64 {
                return None;
            }
            left /= TILE_WIDTH as u64;
        }
        (left == 0).then_some(Edge { levels, size })
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The unfinished tiles, lowest level first.
    pub fn levels(&self) -> &[Vec<Hash>] {
        &self.levels
    }

    /// Adds a leaf; `full` is given the level, index and hashes of every tile that it fills.
    pub fn push<E>(
        &mut self,
        leaf: Hash,
        mut full: impl FnMut(u8, u64, &[Hash]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut hash = leaf;
        let mut index = self.size;
        self.size += 1;
        for level in 0_u8.. {
            let Some(tile) = self.levels.get_mut(usize::from(level)) else {
                let mut tile = Vec::with_capacity(TILE_WIDTH);
                tile.push(hash);
                self.levels.push(tile);
                break;
            };
            tile.push(hash);
            if tile.len() < TILE_WIDTH {
                break;
            }
            index /= TILE_WIDTH as u64;
            full(level, index, tile)?;
            hash = full_root(tile);
            tile.clear();
        }
        Ok(())
    }

    /// The root.
    pub fn root(&self) -> Hash {
        let mut right: Option<Hash> = None;
        for level in &self.levels {
            let mut tile = level.as_slice();
            // The last subtrees of a level are the smallest; fold from the right.
            while !tile.is_empty() {
                let width = 1 << tile.len().trailing_zeros();
                let (before, last) = tile.split_at(tile.len() - width);
                let left = full_root(last);
                right = Some(right.map_or(left, |right| node_hash(&left, &right)));
                tile = before;
            }
        }
        right.unwrap_or_else(empty_root)
    }
}

/// The root over hashes of equal subtrees, as many as a power of two.
pub fn full_root(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied().unwrap_or_else(empty_root)
}

/// The root of the first `size` leaves.
pub fn root<H: Hashes>(size: u64, hashes: &H) -> Result<Hash, H::Error> {
    if size == 0 { Ok(empty_root()) } else { range(0, size, hashes) }
}

/// The inclusion proof (audit path) of leaf `index` in the tree of `size` leaves, lowest hash
/// first; empty when there is no such leaf.
pub fn inclusion_proof<H: Hashes>(
    index: u64,
    size: u64,
    hashes: &H,
) -> Result<Vec<Hash>, H::Error> {
    let mut path = Vec::new();
    let (mut low, mut high) = (0, size);
    while index < size && high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(range(middle, high, hashes)?);
            high = middle;
        } else {
            path.push(range(low, middle, hashes)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The consistency proof from the tree of `old` leaves to that of `new`; empty when there is
/// nothing to prove.
pub fn consistency_proof<H: Hashes>(old: u64, new: u64, hashes: &H) -> Result<Vec<Hash>, H::Error> {
    let mut path = Vec::new();
    if old == 0 || old >= new {
        return Ok(path);
    }
    let (mut low, mut high) = (0, new);
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            path.push(range(middle, high, hashes)?);
            high = middle;
        } else {
            path.push(range(low, middle, hashes)?);
            low = middle;
        }
    }
    if low != 0 {
        path.push(range(low, high, hashes)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether `proof` shows that `leaf` is leaf `index` of the tree of `size` leaves with `root`
/// (RFC 9162 section 2.1.3.2).
pub fn includes(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for step in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `new` leaves with `new_root` begins with the tree of
/// `old` leaves with `old_root` (RFC 9162 section 2.1.4.2).
pub fn extends(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some(parts) => parts,
        None => return false,
    };
    let zeros = old.trailing_zeros();
    let (mut node, mut last) = ((old - 1) >> zeros, (new - 1) >> zeros);
    let (mut from, mut to) = (*first, *first);
    for step in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from = node_hash(step, &from);
            to = node_hash(step, &to);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            to = node_hash(&to, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && from == *old_root && to == *new_root
}

/// The root over leaves `low..high` (at least one), where `low` is a multiple of the largest
/// power of two that is not more than `high - low`, as it is for every range of a proof.
fn range<H: Hashes>(low: u64, high: u64, hashes: &H) -> Result<Hash, H::Error> {
    let mut parts = Vec::new();
    let (mut start, mut left) = (low, high - low);
    while left > 0 {
        let height = left.ilog2();
        parts.push(hashes.subtree(height as u8, start >> height)?);
        start += 1 << height;
        left -= 1 << height;
    }
    let fold = |right: Hash, left: Hash| node_hash(&left, &right);
    Ok(parts.into_iter().rev().reduce(fold).unwrap_or_else(empty_root))
}

/// The largest power of two less than `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

fn to_hash(bytes: &[u8]) -> Hash {
    bytes.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
