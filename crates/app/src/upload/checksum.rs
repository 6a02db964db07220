//! The checksum that a sender may give with each part.

use aws_lc_rs::digest::{Context, Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

/// The algorithms, as tus writes them. SHA-1 is in it because tus asks for it: it finds broken wires, not forgers.
pub const ALGORITHMS: &str = "sha1,sha256";

/// What the sender says that the bytes of one part hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-1.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256([u8; 32]),
}

impl Checksum {
    /// Of an algorithm's name and a digest. `None` where the algorithm is not spoken here or the length does not fit it.
    pub fn of(algorithm: &str, digest: &[u8]) -> Option<Self> {
        match algorithm {
            "sha1" => digest.try_into().ok().map(Self::Sha1),
            "sha256" => digest.try_into().ok().map(Self::Sha256),
            _ => None,
        }
    }

    pub(super) fn context(&self) -> Context {
        Context::new(match self {
            Self::Sha1(_) => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256(_) => &SHA256,
        })
    }

    pub(super) fn matches(&self, digest: &Digest) -> bool {
        match self {
            Self::Sha1(expected) => expected.as_slice() == digest.as_ref(),
            Self::Sha256(expected) => expected.as_slice() == digest.as_ref(),
        }
    }
}
