//! The Merkle tree of RFC 6962 section 2.1, and its proofs as RFC 9162 section 2.1 verifies them.
//!
//! A proof is planned first: [`plan_inclusion`] and [`plan_consistency`] say which complete subtrees
//! ([`Node`]) each of its hashes is made of. So the same few lines serve hashes in memory and
//! hashes in files, and whoever reads files can fetch all of them at once.

use crate::digest::{Hasher, Sha256Digest};

/// `MTH({d}) = SHA-256(0x00 || d)`, RFC 6962 section 2.1.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Sha256Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[0]);
    hasher.update(data);
    hasher.finish()
}

/// `SHA-256(0x01 || left || right)`, RFC 6962 section 2.1.
#[must_use]
pub fn node_hash(left: &Sha256Digest, right: &Sha256Digest) -> Sha256Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    hasher.finish()
}

/// `MTH(D[n])` over leaf hashes, RFC 6962 section 2.1. The root of nothing is `SHA-256("")`.
///
/// It also joins subtrees: given complete subtrees of one size, and at the end perhaps a smaller
/// one, it gives the root over all their leaves, since the split falls at the same leaf.
#[must_use]
pub fn root(hashes: &[Sha256Digest]) -> Sha256Digest {
    match hashes {
        [] => Sha256Digest::of(b""),
        [only] => *only,
        _ => {
            let (left, right) = hashes.split_at(split(hashes.len() as u64) as usize);
            node_hash(&root(left), &root(right))
        }
    }
}

/// The largest power of two smaller than `n`, which is at least 2.
fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// A complete subtree: the `2^level` leaves from `index * 2^level` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// 0 for a leaf.
    pub level: u8,
    /// Counted from the left, in its level.
    pub index: u64,
}

/// What makes one hash of a proof: complete subtrees from left to right, each smaller than the one before.
pub type Parts = Vec<Node>;

/// A proof was asked for what the tree does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree of {size} leaves holds no {asked}")]
pub struct OutOfRange {
    /// The size of the tree.
    pub size: u64,
    /// The leaf index or the older size asked for.
    pub asked: u64,
}

/// The complete subtrees that make the root over leaves `from..to`, where `from` is a multiple of
/// the smallest power of two that is not below `to - from`.
fn parts(from: u64, to: u64) -> Parts {
    let mut at = from;
    let mut out = Parts::new();
    while at < to {
        let level = 63 - (to - at).leading_zeros();
        out.push(Node { level: level as u8, index: at >> level });
        at += 1 << level;
    }
    out
}

/// What makes the root of a tree of `size` leaves; empty for the empty tree.
#[must_use]
pub fn plan_root(size: u64) -> Parts {
    parts(0, size)
}

/// `PATH(index, D[size])`, RFC 6962 section 2.1.1.
///
/// # Errors
/// When `index` is not below `size`.
pub fn plan_inclusion(index: u64, size: u64) -> Result<Vec<Parts>, OutOfRange> {
    if index >= size {
        return Err(OutOfRange { size, asked: index });
    }
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(parts(middle, to));
            to = middle;
        } else {
            path.push(parts(from, middle));
            from = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// `PROOF(old, D[new])`, RFC 6962 section 2.1.2; empty when both are equal or `old` is 0.
///
/// # Errors
/// When `old` is above `new`.
pub fn plan_consistency(old: u64, new: u64) -> Result<Vec<Parts>, OutOfRange> {
    if old > new {
        return Err(OutOfRange { size: new, asked: old });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut from, mut to) = (0, new);
    let mut path = Vec::new();
    // SUBPROOF: go down to the subtree that ends where the old tree ends.
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            path.push(parts(middle, to));
            to = middle;
        } else {
            path.push(parts(from, middle));
            from = middle;
        }
    }
    // `b = false`: on the right edge of the old tree its root is unknown to the verifier.
    if from > 0 {
        path.push(parts(from, to));
    }
    path.reverse();
    Ok(path)
}

/// The root over complete subtrees, each smaller than the one before it.
///
/// # Errors
/// What `read` says.
pub fn join<E>(parts: &[Node], mut read: impl FnMut(Node) -> Result<Sha256Digest, E>) -> Result<Sha256Digest, E> {
    let mut acc = None;
    for node in parts.iter().rev() {
        let left = read(*node)?;
        acc = Some(acc.map_or(left, |right| node_hash(&left, &right)));
    }
    Ok(acc.unwrap_or_else(|| root(&[])))
}

/// The hashes of a planned proof.
///
/// # Errors
/// What `read` says.
pub fn prove<E>(plan: &[Parts], mut read: impl FnMut(Node) -> Result<Sha256Digest, E>) -> Result<Vec<Sha256Digest>, E> {
    plan.iter().map(|parts| join(parts, &mut read)).collect()
}

/// Whether `proof` shows that the leaf is number `index` of the tree with this size and root
/// (RFC 9162 section 2.1.3.2).
#[must_use]
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Sha256Digest,
    proof: &[Sha256Digest],
    root: &Sha256Digest,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut f, mut s, mut r) = (index, size - 1, *leaf);
    for p in proof {
        if s == 0 {
            return false;
        }
        if f & 1 == 1 || f == s {
            r = node_hash(p, &r);
            while f & 1 == 0 && f != 0 {
                f >>= 1;
                s >>= 1;
            }
        } else {
            r = node_hash(&r, p);
        }
        f >>= 1;
        s >>= 1;
    }
    s == 0 && r == *root
}

/// Whether `proof` shows that the newer tree only added leaves to the older one
/// (RFC 9162 section 2.1.4.2). Everything is consistent with the empty tree, which must have its own root.
#[must_use]
pub fn verify_consistency(
    old: u64,
    old_root: &Sha256Digest,
    new: u64,
    new_root: &Sha256Digest,
    proof: &[Sha256Digest],
) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == root(&[]);
    }
    let mut hashes = proof.iter();
    // A complete old tree is its own first hash.
    let first = if old.is_power_of_two() { Some(old_root) } else { hashes.next() };
    let Some(first) = first else { return false };
    let (mut f, mut s) = (old - 1, new - 1);
    while f & 1 == 1 {
        f >>= 1;
        s >>= 1;
    }
    let (mut fr, mut sr) = (*first, *first);
    for c in hashes {
        if s == 0 {
            return false;
        }
        if f & 1 == 1 || f == s {
            fr = node_hash(c, &fr);
            sr = node_hash(c, &sr);
            while f & 1 == 0 && f != 0 {
                f >>= 1;
                s >>= 1;
            }
        } else {
            sr = node_hash(&sr, c);
        }
        f >>= 1;
        s >>= 1;
    }
    s == 0 && fr == *old_root && sr == *new_root
}
