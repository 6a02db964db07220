//! Answers published by others, that this crate must give too.
#![allow(clippy::unwrap_used)]

use proof::Sha256Digest;
use proof::checkpoint::{Checkpoint, CheckpointError};
use proof::note::{self, NoteError, Signer, Verifier};
use proof::tree::{self, Node};

/// The leaves of Certificate Transparency's reference tests (`merkle_tree_test.cc`).
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// Their roots for 0 to 8 leaves.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Leaf index, tree size, path. (The reference counts leaves from one.)
const INCLUSION: [(u64, u64, &[&str]); 6] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        7,
        8,
        &[
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
];

/// Older size, newer size, proof.
const CONSISTENCY: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn hashes() -> Vec<Sha256Digest> {
    LEAVES.iter().map(|leaf| tree::leaf_hash(leaf)).collect()
}

fn read(node: Node) -> Result<Sha256Digest, ()> {
    let from = (node.index << node.level) as usize;
    Ok(tree::root(&hashes()[from..from + (1 << node.level)]))
}

fn parsed(proof: &[&str]) -> Vec<Sha256Digest> {
    proof.iter().map(|hash| hash.parse().unwrap()).collect()
}

#[test]
fn certificate_transparency_roots() {
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(tree::root(&hashes()[..size]).to_string(), *root);
        assert_eq!(tree::join(&tree::plan_root(size as u64), read).unwrap().to_string(), *root);
    }
}

#[test]
fn certificate_transparency_inclusion_proofs() {
    for (index, size, proof) in INCLUSION {
        let proof = parsed(proof);
        assert_eq!(tree::prove(&tree::plan_inclusion(index, size).unwrap(), read).unwrap(), proof);
        let root = ROOTS[size as usize].parse().unwrap();
        assert!(tree::verify_inclusion(index, size, &hashes()[index as usize], &proof, &root));
    }
}

#[test]
fn certificate_transparency_consistency_proofs() {
    for (old, new, proof) in CONSISTENCY {
        let proof = parsed(proof);
        assert_eq!(tree::prove(&tree::plan_consistency(old, new).unwrap(), read).unwrap(), proof);
        let (old_root, new_root) = (ROOTS[old as usize].parse().unwrap(), ROOTS[new as usize].parse().unwrap());
        assert!(tree::verify_consistency(old, &old_root, new, &new_root, &proof));
    }
}

/// The key, text and signature in the documentation of Go's `sumdb/note`, where the format comes from.
const SKEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNATURE: &str =
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn signed_note_of_the_reference() {
    let signer: Signer = SKEY.parse().unwrap();
    assert_eq!(signer.to_secret_text(), SKEY);
    assert_eq!(signer.verifier().to_string(), VKEY);
    let signed = signer.sign(TEXT).unwrap();
    assert_eq!(signed, format!("{TEXT}{SIGNATURE}"));
    assert_eq!(note::open(&signed, &VKEY.parse().unwrap()), Ok(TEXT));
    assert_eq!(note::open(&signed.replace("crypto", "krypto"), signer.verifier()), Err(NoteError::WrongSignature));
    // The key of the Go checksum database: another key, whose id must fit too.
    let other: Verifier = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8".parse().unwrap();
    assert_eq!(note::open(&signed, &other), Err(NoteError::Unsigned));
}

#[test]
fn keys_with_one_letter_changed_are_refused() {
    for at in 0..VKEY.len() {
        let mut text = VKEY.as_bytes().to_vec();
        text[at] ^= 1;
        // The last letter of the base64 holds no spare bits here, so each change is seen.
        assert!(String::from_utf8(text).map_or(true, |text| text.parse::<Verifier>().is_err()), "{at}");
    }
}

#[test]
fn notes_of_the_wrong_shape_are_refused() {
    let verifier: Verifier = VKEY.parse().unwrap();
    for bad in [
        String::new(),
        TEXT.into(),
        format!("{TEXT}{SIGNATURE}\n"),
        format!("{TEXT}{}", SIGNATURE.trim_end()),
        format!("{TEXT}\n— PeterNeumann\n"),
        format!("{TEXT}\n— PeterNeumann x08g\n"),
        format!("{TEXT}\n- PeterNeumann x08go/Z=\n"),
        format!("a\tb\n{SIGNATURE}"),
    ] {
        assert_eq!(note::open(&bad, &verifier), Err(NoteError::Malformed), "{bad:?}");
    }
    // A signature by a key that is not known stands beside the one that is.
    let both = format!("{TEXT}\n— other AAAAAAA=\n{}", &SIGNATURE[1..]);
    assert_eq!(note::open(&both, &verifier), Ok(TEXT));
}

#[test]
fn checkpoints() {
    let signer = Signer::from_seed("sightline.example/log", &[1; 32]).unwrap();
    let checkpoint = Checkpoint { origin: "sightline.example/log".into(), size: 8, root: ROOTS[8].parse().unwrap() };
    assert_eq!(checkpoint.body(), "sightline.example/log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n");
    let signed = checkpoint.sign(&signer).unwrap();
    assert_eq!(Checkpoint::open(&signed, signer.verifier()), Ok(checkpoint.clone()));

    let stranger = Checkpoint { origin: "other".into(), ..checkpoint.clone() }.sign(&signer).unwrap();
    assert_eq!(Checkpoint::open(&stranger, signer.verifier()), Err(CheckpointError::Origin));
    for bad in ["", "a\n1\n", "a\n01\nAA==\n", "a\n+1\n", "\n1\nAA==\n", "a\n1\nAA==\n"] {
        assert_eq!(Checkpoint::parse_body(bad), Err(CheckpointError::Body), "{bad:?}");
    }

    let older = Checkpoint { size: 6, root: ROOTS[6].parse().unwrap(), ..checkpoint.clone() };
    let proof = parsed(CONSISTENCY[2].2);
    assert_eq!(older.is_followed_by(&checkpoint, &proof), Ok(()));
    assert_eq!(checkpoint.is_followed_by(&older, &proof), Err(CheckpointError::Inconsistent));
}
