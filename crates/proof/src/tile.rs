//! The tree as files: C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>).
//!
//! A tile of level `l` holds up to 256 hashes of complete subtrees of `256^l` leaves. A full tile
//! never changes; the last one of a level is partial, and its width stands in its path. Leaves
//! themselves lie in bundles of up to 256, each preceded by its length in two bytes, big-endian.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::digest::Sha256Digest;
use crate::tree::{self, Node, Parts};

/// How many hashes or entries a full tile holds.
pub const WIDTH: u64 = 256;
/// A tile spans this many levels of the tree.
const HEIGHT: u32 = 8;
/// Levels that a tree of 2^63 leaves could have.
const LEVELS: u8 = 8;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Hashes of complete subtrees of `256^level` leaves.
    Hashes(u8),
    /// The leaves themselves.
    Entries,
}

/// A tile's coordinates. Its text is its path below the log: `tile/0/x001/234.p/5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Hashes of which level, or entries.
    pub kind: Kind,
    /// Its number in its level.
    pub index: u64,
    /// How many it holds: 1 to 256.
    pub width: u16,
}

/// What is wrong with a tile or its path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not a path of tlog-tiles.
    #[error("not the path of a tile")]
    Path,
    /// A tile that is needed was not given.
    #[error("{0} is missing")]
    Missing(Tile),
    /// A tile holds more or less than its path says.
    #[error("{0} does not hold what its path says")]
    Content(Tile),
    /// A leaf longer than two bytes can say.
    #[error("a leaf of {0} bytes is longer than 65535")]
    LeafTooLong(usize),
    /// A proof was asked for what the tree does not hold.
    #[error(transparent)]
    OutOfRange(#[from] tree::OutOfRange),
}

impl Tile {
    /// The tile that holds number `at` of its level, as wide as a tree of `size` leaves makes it.
    #[must_use]
    pub fn holding(kind: Kind, at: u64, size: u64) -> Self {
        let level = if let Kind::Hashes(level) = kind { level } else { 0 };
        let index = at / WIDTH;
        let count = size.checked_shr(HEIGHT * u32::from(level)).unwrap_or(0);
        let width = count.saturating_sub(index * WIDTH).min(WIDTH);
        Self { kind, index, width: width as u16 }
    }

    /// How many leaves a tree has at least that has this tile.
    #[must_use]
    pub fn leaves(&self) -> u64 {
        let level = if let Kind::Hashes(level) = self.kind { level } else { 0 };
        let hashes = self.index.saturating_mul(WIDTH).saturating_add(u64::from(self.width));
        let each = 1_u64.checked_shl(HEIGHT * u32::from(level)).unwrap_or(u64::MAX);
        hashes.saturating_mul(each)
    }

    /// Whether it can grow no more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// The tile and the place in it from which the hash of a subtree is made.
    fn of_node(node: Node, size: u64) -> (Self, usize, usize) {
        let level = node.level / HEIGHT as u8;
        let up = u32::from(node.level) % HEIGHT;
        let first = node.index << up;
        let tile = Self::holding(Kind::Hashes(level), first, size);
        (tile, (first % WIDTH) as usize, 1 << up)
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Hashes(level) => write!(f, "tile/{level}/")?,
            Kind::Entries => f.write_str("tile/entries/")?,
        }
        let digits = format!("{:03}", self.index);
        let digits = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
        for group in 0..digits.len() / 3 {
            let last = (group + 1) * 3 == digits.len();
            write!(
                f,
                "{}{}{}",
                if last { "" } else { "x" },
                &digits[group * 3..group * 3 + 3],
                if last { "" } else { "/" }
            )?;
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for Tile {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        let rest = path.strip_prefix("tile/").ok_or(TileError::Path)?;
        let (kind, rest) = rest.split_once('/').ok_or(TileError::Path)?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes(level.parse().ok().filter(|level| *level < LEVELS).ok_or(TileError::Path)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => {
                (number, width.parse().ok().filter(|w| (1..256).contains(w)).ok_or(TileError::Path)?)
            }
            None => (rest, WIDTH as u16),
        };
        let digits: String = number.split('/').map(|group| group.strip_prefix('x').unwrap_or(group)).collect();
        if digits.len() > 18 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(TileError::Path);
        }
        let tile = Self { kind, index: digits.parse().map_err(|_| TileError::Path)?, width };
        // One path for each tile: whatever would be written otherwise is none.
        if tile.to_string() == path { Ok(tile) } else { Err(TileError::Path) }
    }
}

/// Every tile of hashes and every bundle that a tree of `new` leaves has and one of `old` had not.
#[must_use]
pub fn changed(old: u64, new: u64) -> Vec<Tile> {
    let mut out = Vec::new();
    for kind in (0..LEVELS).map(Kind::Hashes).chain([Kind::Entries]) {
        let shift = if let Kind::Hashes(level) = kind { HEIGHT * u32::from(level) } else { 0 };
        let (from, to) = (old >> shift, new >> shift);
        if to > from {
            out.extend((from / WIDTH..=(to - 1) / WIDTH).map(|index| Tile::holding(kind, index * WIDTH, new)));
        }
    }
    out
}

/// The partial tiles of hashes at the right edge of a tree: what must be known to grow it.
#[must_use]
pub fn edge(size: u64) -> Vec<Tile> {
    (0..LEVELS)
        .map(|level| Tile::holding(Kind::Hashes(level), size >> (HEIGHT * u32::from(level)), size))
        .filter(|tile| tile.width > 0)
        .collect()
}

/// Tiles of hashes that were read.
#[derive(Debug, Clone, Default)]
pub struct Tiles(BTreeMap<Tile, Vec<Sha256Digest>>);

impl Tiles {
    /// Takes in a tile that was read.
    ///
    /// # Errors
    /// When it holds more or less than its path says.
    pub fn insert(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), TileError> {
        if bytes.len() != usize::from(tile.width) * 32 {
            return Err(TileError::Content(tile));
        }
        let hashes =
            bytes.chunks_exact(32).map(|chunk| Sha256Digest::try_from(chunk).map_err(|_| TileError::Content(tile)));
        self.0.insert(tile, hashes.collect::<Result<_, _>>()?);
        Ok(())
    }

    /// The hashes of a tile.
    ///
    /// # Errors
    /// When it was not taken in.
    pub fn get(&self, tile: Tile) -> Result<&[Sha256Digest], TileError> {
        self.0.get(&tile).map(Vec::as_slice).ok_or(TileError::Missing(tile))
    }

    /// The hash of a complete subtree of a tree of `size` leaves.
    ///
    /// # Errors
    /// When its tile was not taken in.
    pub fn node(&self, node: Node, size: u64) -> Result<Sha256Digest, TileError> {
        let (tile, from, count) = Tile::of_node(node, size);
        let hashes = self.get(tile)?.get(from..from + count).ok_or(TileError::Content(tile))?;
        Ok(tree::root(hashes))
    }

    /// The root of a tree of `size` leaves.
    ///
    /// # Errors
    /// When one of [`edge`] was not taken in.
    pub fn root(&self, size: u64) -> Result<Sha256Digest, TileError> {
        tree::join(&tree::plan_root(size), |node| self.node(node, size))
    }

    /// The hashes of a planned proof in a tree of `size` leaves.
    ///
    /// # Errors
    /// When one of [`needed`] was not taken in.
    pub fn prove(&self, plan: &[Parts], size: u64) -> Result<Vec<Sha256Digest>, TileError> {
        tree::prove(plan, |node| self.node(node, size))
    }
}

/// The tiles that a planned proof reads in a tree of `size` leaves, each once.
#[must_use]
pub fn needed(plan: &[Parts], size: u64) -> Vec<Tile> {
    let mut out: Vec<_> = plan.iter().flatten().map(|node| Tile::of_node(*node, size).0).collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// What growing a tree gives: the tiles to write, and the new root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// Tiles of hashes, new or wider than before.
    pub tiles: Vec<(Tile, Vec<u8>)>,
    /// The new size.
    pub size: u64,
    /// The new root.
    pub root: Sha256Digest,
}

impl Growth {
    /// The tiles of the new [`edge`], given those of the old one.
    ///
    /// # Errors
    /// When a tile of the old edge is missing.
    pub fn edge(&self, before: &Tiles) -> Result<Tiles, TileError> {
        let mut after = Tiles::default();
        for tile in edge(self.size) {
            match self.tiles.iter().find(|(written, _)| *written == tile) {
                Some((_, bytes)) => after.insert(tile, bytes)?,
                None => drop(after.0.insert(tile, before.get(tile)?.to_vec())),
            }
        }
        Ok(after)
    }
}

/// Adds leaves to a tree of `old` leaves, given the tiles of its [`edge`].
///
/// # Errors
/// When a tile of the edge is missing.
pub fn grow(old: u64, edge_tiles: &Tiles, leaves: &[Sha256Digest]) -> Result<Growth, TileError> {
    // The hashes of the unfinished tile of each level, its number, and whether it changed.
    let mut levels = Vec::new();
    for level in 0..LEVELS {
        let at = old >> (HEIGHT * u32::from(level));
        let tile = Tile::holding(Kind::Hashes(level), at, old);
        let hashes = if tile.width > 0 { edge_tiles.get(tile)?.to_vec() } else { Vec::new() };
        levels.push((hashes, tile.index, false));
    }
    let mut tiles = Vec::new();
    for leaf in leaves {
        let mut hash = *leaf;
        for (level, (hashes, index, changed)) in (0..).zip(levels.iter_mut()) {
            hashes.push(hash);
            *changed = true;
            if hashes.len() < WIDTH as usize {
                break;
            }
            tiles.push((Tile { kind: Kind::Hashes(level), index: *index, width: WIDTH as u16 }, concat(hashes)));
            hash = tree::root(hashes);
            hashes.clear();
            *index += 1;
            *changed = false;
        }
    }
    let mut acc: Option<Sha256Digest> = None;
    for (level, (hashes, index, changed)) in (0..).zip(levels) {
        if changed {
            tiles.push((Tile { kind: Kind::Hashes(level), index, width: hashes.len() as u16 }, concat(&hashes)));
        }
        let all: Vec<_> = hashes.into_iter().chain(acc).collect();
        acc = (!all.is_empty()).then(|| tree::root(&all));
    }
    Ok(Growth { tiles, size: old + leaves.len() as u64, root: acc.unwrap_or_else(|| tree::root(&[])) })
}

fn concat(hashes: &[Sha256Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// A bundle of entries: each leaf preceded by its length.
///
/// # Errors
/// When a leaf is longer than 65535 bytes.
pub fn write_bundle<T: AsRef<[u8]>>(leaves: &[T]) -> Result<Vec<u8>, TileError> {
    let mut out = Vec::new();
    for leaf in leaves {
        let leaf = leaf.as_ref();
        let length = u16::try_from(leaf.len()).map_err(|_| TileError::LeafTooLong(leaf.len()))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(leaf);
    }
    Ok(out)
}

/// The leaves of a bundle.
///
/// # Errors
/// When it holds more or less than its path says.
pub fn read_bundle(tile: Tile, mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, TileError> {
    let mut out = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (leaf, rest) = rest.split_at_checked(length).ok_or(TileError::Content(tile))?;
        out.push(leaf.to_vec());
        bytes = rest;
    }
    if bytes.is_empty() && out.len() == usize::from(tile.width) { Ok(out) } else { Err(TileError::Content(tile)) }
}
