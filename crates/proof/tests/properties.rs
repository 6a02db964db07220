//! What holds for every tree: proofs verify, and none survives a flipped bit.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proof::Sha256Digest;
use proof::tile::{self, Growth, Kind, Tile, TileError, Tiles};
use proof::tree::{self, Node};
use proptest::prelude::*;

fn leaves(count: u64) -> Vec<Sha256Digest> {
    (0..count).map(|n| tree::leaf_hash(&n.to_be_bytes())).collect()
}

fn reader(leaves: &[Sha256Digest]) -> impl Fn(Node) -> Result<Sha256Digest, ()> + '_ {
    |node| {
        let from = (node.index << node.level) as usize;
        Ok(tree::root(&leaves[from..from + (1 << node.level)]))
    }
}

fn flipped(mut hash: Sha256Digest, bit: usize) -> Sha256Digest {
    hash.0[bit / 8 % 32] ^= 1 << (bit % 8);
    hash
}

#[test]
fn every_proof_of_every_small_tree() {
    let all = leaves(40);
    let read = reader(&all);
    for size in 0..=40 {
        let root = tree::root(&all[..size as usize]);
        for index in 0..size {
            let proof = tree::prove(&tree::plan_inclusion(index, size).unwrap(), &read).unwrap();
            assert!(tree::verify_inclusion(index, size, &all[index as usize], &proof, &root));
            for wrong in (0..size).filter(|wrong| *wrong != index) {
                assert!(!tree::verify_inclusion(wrong, size, &all[index as usize], &proof, &root));
            }
        }
        assert!(tree::plan_inclusion(size, size).is_err());
        for old in 0..=size {
            let old_root = tree::root(&all[..old as usize]);
            let proof = tree::prove(&tree::plan_consistency(old, size).unwrap(), &read).unwrap();
            assert!(tree::verify_consistency(old, &old_root, size, &root, &proof));
            assert!(!tree::verify_consistency(old, &flipped(old_root, 3), size, &root, &proof));
        }
    }
}

/// A log of tiles that grows, kept as an object store would.
#[derive(Default)]
struct Log {
    files: BTreeMap<String, Vec<u8>>,
    size: u64,
}

impl Log {
    fn read(&self, wanted: &[Tile]) -> Tiles {
        let mut tiles = Tiles::default();
        for tile in wanted {
            tiles.insert(*tile, &self.files[&tile.to_string()]).unwrap();
        }
        tiles
    }

    fn grow(&mut self, leaves: &[Sha256Digest]) -> Growth {
        let growth = tile::grow(self.size, &self.read(&tile::edge(self.size)), leaves).unwrap();
        let mut written: Vec<_> = growth.tiles.iter().map(|(tile, _)| *tile).collect();
        let mut expected: Vec<_> =
            tile::changed(self.size, growth.size).into_iter().filter(|t| t.kind != Kind::Entries).collect();
        written.sort_unstable();
        expected.sort_unstable();
        assert_eq!(written, expected);
        for (tile, bytes) in &growth.tiles {
            assert_eq!(bytes.len(), usize::from(tile.width) * 32);
            self.files.insert(tile.to_string(), bytes.clone());
        }
        self.size = growth.size;
        growth
    }
}

#[test]
fn tiles_across_three_levels() {
    let all = leaves(66_000);
    let mut log = Log::default();
    for to in [1_usize, 255, 256, 257, 65_535, 65_536, 65_537, 66_000] {
        let growth = log.grow(&all[log.size as usize..to]);
        assert_eq!(growth.root, tree::root(&all[..to]));
        let edge = log.read(&tile::edge(log.size));
        assert_eq!(edge.root(log.size).unwrap(), growth.root);
    }
    for index in [0, 255, 256, 65_535, 65_536, 65_999] {
        let plan = tree::plan_inclusion(index, log.size).unwrap();
        let proof = log.read(&tile::needed(&plan, log.size)).prove(&plan, log.size).unwrap();
        assert!(tree::verify_inclusion(index, log.size, &all[index as usize], &proof, &tree::root(&all)));
    }
}

#[test]
fn tile_paths() {
    let hashes = |level, index, width| Tile { kind: Kind::Hashes(level), index, width };
    for (tile, path) in [
        (hashes(0, 0, 256), "tile/0/000"),
        (hashes(0, 1234, 5), "tile/0/x001/234.p/5"),
        (hashes(3, 1_234_067, 256), "tile/3/x001/x234/067"),
        (Tile { kind: Kind::Entries, index: 999, width: 1 }, "tile/entries/999.p/1"),
    ] {
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    }
    for bad in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/1",
        "tile/0/0001",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/8/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/../000",
        "tile/0/+01",
        "tile/data/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "/tile/0/000",
        "tile/0/000/",
    ] {
        assert_eq!(bad.parse::<Tile>(), Err(TileError::Path), "{bad}");
    }
}

#[test]
fn bundles() {
    let leaves = [b"".to_vec(), b"abc".to_vec(), vec![7; 65_535]];
    let tile = Tile { kind: Kind::Entries, index: 0, width: 3 };
    let bytes = tile::write_bundle(&leaves).unwrap();
    assert_eq!(bytes[..7], [0, 0, 0, 3, b'a', b'b', b'c']);
    assert_eq!(tile::read_bundle(tile, &bytes).unwrap(), leaves);
    assert_eq!(tile::read_bundle(tile, &bytes[..bytes.len() - 1]), Err(TileError::Content(tile)));
    assert!(tile::read_bundle(Tile { width: 2, ..tile }, &bytes).is_err());
    assert_eq!(tile::write_bundle(&[vec![0; 65_536]]), Err(TileError::LeafTooLong(65_536)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inclusion_survives_no_flipped_bit(size in 1_u64..600, index: prop::sample::Index, which: prop::sample::Index, bit in 0_usize..256) {
        let all = leaves(size);
        let index = index.index(size as usize) as u64;
        let root = tree::root(&all);
        let mut proof = tree::prove(&tree::plan_inclusion(index, size).unwrap(), reader(&all)).unwrap();
        prop_assert!(tree::verify_inclusion(index, size, &all[index as usize], &proof, &root));
        prop_assert!(!tree::verify_inclusion(index, size, &flipped(all[index as usize], bit), &proof, &root));
        prop_assert!(!tree::verify_inclusion(index, size, &all[index as usize], &proof, &flipped(root, bit)));
        if !proof.is_empty() {
            let which = which.index(proof.len());
            proof[which] = flipped(proof[which], bit);
            prop_assert!(!tree::verify_inclusion(index, size, &all[index as usize], &proof, &root));
            proof[which] = flipped(proof[which], bit);
            prop_assert!(!tree::verify_inclusion(index, size, &all[index as usize], &proof[1..], &root));
        }
        proof.push(root);
        prop_assert!(!tree::verify_inclusion(index, size, &all[index as usize], &proof, &root));
    }

    #[test]
    fn consistency_survives_no_flipped_bit(old in 1_u64..600, more in 1_u64..600, which: prop::sample::Index, bit in 0_usize..256) {
        let new = old + more;
        let all = leaves(new);
        let (old_root, new_root) = (tree::root(&all[..old as usize]), tree::root(&all));
        let mut proof = tree::prove(&tree::plan_consistency(old, new).unwrap(), reader(&all)).unwrap();
        prop_assert!(tree::verify_consistency(old, &old_root, new, &new_root, &proof));
        prop_assert!(!tree::verify_consistency(old, &flipped(old_root, bit), new, &new_root, &proof));
        prop_assert!(!tree::verify_consistency(old, &old_root, new, &flipped(new_root, bit), &proof));
        prop_assert!(!tree::verify_consistency(new, &new_root, old, &old_root, &proof));
        let which = which.index(proof.len());
        proof[which] = flipped(proof[which], bit);
        prop_assert!(!tree::verify_consistency(old, &old_root, new, &new_root, &proof));
        proof[which] = flipped(proof[which], bit);
        prop_assert!(!tree::verify_consistency(old, &old_root, new, &new_root, &proof[1..]));
        proof.push(new_root);
        prop_assert!(!tree::verify_consistency(old, &old_root, new, &new_root, &proof));
    }

    #[test]
    fn growing_in_any_steps_gives_the_same_tree(steps in prop::collection::vec(0_u64..700, 1..6)) {
        let all = leaves(steps.iter().sum());
        let mut log = Log::default();
        for step in steps {
            let old = log.size;
            let growth = log.grow(&all[old as usize..(old + step) as usize]);
            let root = tree::root(&all[..growth.size as usize]);
            prop_assert_eq!(growth.root, root);
            let plan = tree::plan_consistency(old, growth.size).unwrap();
            let proof = log.read(&tile::needed(&plan, growth.size)).prove(&plan, growth.size).unwrap();
            prop_assert!(tree::verify_consistency(old, &tree::root(&all[..old as usize]), growth.size, &root, &proof));
        }
    }
}
