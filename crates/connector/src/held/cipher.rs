//! Files that only the holder of a key can read: AES-256-GCM over parts of 64 KiB, each with a number of its own and the last
//! marked as such (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so that parts can be neither
//! exchanged nor cut off. Each file has a key of its own, which is kept encrypted with that of the connector.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::disk;

const PART: usize = 64 << 10;
const TAG: usize = 16;
/// Of a key, in bytes.
const LENGTH: usize = 32;

/// A key of 256 bits.
#[derive(Clone)]
pub(super) struct Key(Arc<LessSafeKey>);

fn unreadable() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "it was changed, or is encrypted with another key")
}

fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

impl Key {
    fn of(bytes: &[u8]) -> std::io::Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| unreadable())?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// The key of a file that holds nothing else; made when there is none, for its owner alone.
    pub(super) fn read_or_make(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        match std::fs::read(path) {
            Ok(bytes) => Self::of_contents(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                tracing::info!(key_file = %path.display(), "a new key is made for what is held");
                let bytes = random::<LENGTH>()?;
                let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
                file.write_all(&bytes)?;
                file.sync_all()?;
                Self::of(&bytes)
            }
            Err(error) => Err(error),
        }
    }

    /// The key of a file that is there.
    pub(super) fn read(path: &Path) -> std::io::Result<Self> {
        Self::of_contents(&std::fs::read(path)?)
    }

    /// Whether [`Key::read_or_make`] would do; nothing is made.
    pub(super) fn would_do(path: &Path) -> std::io::Result<()> {
        match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                tempfile::tempfile_in(path.parent().unwrap_or(Path::new("."))).map(drop)
            }
            read => Self::of_contents(&read?).map(drop),
        }
    }

    fn of_contents(bytes: &[u8]) -> std::io::Result<Self> {
        if bytes.len() == LENGTH {
            return Self::of(bytes);
        }
        let text = format!("it has {} bytes; a key has {LENGTH}", bytes.len());
        Err(std::io::Error::new(std::io::ErrorKind::InvalidData, text))
    }

    /// A new key for one file, and the same as it is kept: encrypted with this one.
    pub(super) fn of_file(&self) -> std::io::Result<(Self, Vec<u8>)> {
        let (bytes, nonce) = (random::<LENGTH>()?, random::<NONCE_LEN>()?);
        let mut kept = bytes.to_vec();
        let nonce_once = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(nonce_once, Aad::empty(), &mut kept).map_err(|_| unreadable())?;
        Ok((Self::of(&bytes)?, [&nonce[..], &kept].concat()))
    }

    /// The key of a file, from how it is kept.
    pub(super) fn unwrap(&self, kept: &[u8]) -> std::io::Result<Self> {
        let (nonce, sealed) = kept.split_at_checked(NONCE_LEN).ok_or_else(unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unreadable())?;
        let mut sealed = sealed.to_vec();
        Self::of(self.0.open_in_place(nonce, Aad::empty(), &mut sealed).map_err(|_| unreadable())?)
    }

    /// Writes `from` into a new file, encrypted, and to the disk.
    pub(super) fn encrypt(&self, from: &Path, into: &Path) -> std::io::Result<()> {
        let (mut input, mut output) = (File::open(from)?, disk::own_file(into)?);
        let mut part = Vec::with_capacity(PART + TAG);
        for number in 0.. {
            part.clear();
            (&mut input).take(PART as u64).read_to_end(&mut part)?;
            let last = part.len() < PART;
            self.0.seal_in_place_append_tag(nonce(number, last), Aad::empty(), &mut part).map_err(|_| unreadable())?;
            disk::room_for(&output, part.len() as u64)?;
            output.write_all(&part)?;
            if last {
                break;
            }
        }
        output.sync_all()
    }

    /// Writes what `from` holds into a new file, in the clear.
    pub(super) fn decrypt(&self, from: &Path, into: &Path) -> std::io::Result<()> {
        let (mut input, mut output) = (File::open(from)?, disk::own_file(into)?);
        let mut part = Vec::with_capacity(PART + TAG);
        for number in 0.. {
            part.clear();
            (&mut input).take((PART + TAG) as u64).read_to_end(&mut part)?;
            let last = part.len() < PART + TAG;
            let clear = self.0.open_in_place(nonce(number, last), Aad::empty(), &mut part).map_err(|_| unreadable())?;
            disk::room_for(&output, clear.len() as u64)?;
            output.write_all(clear)?;
            if last {
                break;
            }
        }
        Ok(())
    }
}

fn nonce(number: u64, last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[3..11].copy_from_slice(&number.to_be_bytes());
    bytes[11] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn there_and_back(length: usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let clear: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        std::fs::write(path("clear"), &clear).unwrap();
        let master = Key::read_or_make(&path("key")).unwrap();
        let (key, kept) = master.of_file().unwrap();
        key.encrypt(&path("clear"), &path("sealed")).unwrap();
        let again = Key::read_or_make(&path("key")).unwrap().unwrap(&kept).unwrap();
        again.decrypt(&path("sealed"), &path("back")).unwrap();
        assert_eq!(std::fs::read(path("back")).unwrap(), clear);
        let sealed = std::fs::read(path("sealed")).unwrap();
        assert!(length < 16 || !sealed.windows(16).any(|window| window == &clear[..16]));
        for changed in changes(&sealed) {
            std::fs::write(path("sealed"), changed).unwrap();
            assert_eq!(
                again.decrypt(&path("sealed"), &path("back")).unwrap_err().kind(),
                std::io::ErrorKind::InvalidData
            );
        }
        std::fs::write(path("sealed"), &sealed).unwrap();
        let other = Key::read_or_make(&path("other")).unwrap();
        assert!(other.unwrap(&kept).is_err());
    }

    /// A byte flipped, the end cut off at a part and elsewhere, and two parts exchanged.
    fn changes(sealed: &[u8]) -> Vec<Vec<u8>> {
        let mut flipped = sealed.to_vec();
        flipped[sealed.len() / 2] ^= 1;
        let mut out = vec![flipped, sealed[..sealed.len() - 1].to_vec()];
        let part = PART + TAG;
        if sealed.len() > 2 * part {
            out.push(sealed[..part].to_vec());
            out.push([&sealed[part..2 * part], &sealed[..part], &sealed[2 * part..]].concat());
        }
        out
    }

    #[test]
    fn what_is_encrypted_comes_back_and_nothing_else_does() {
        for length in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 17] {
            there_and_back(length);
        }
    }

    #[test]
    fn a_key_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Key::read_or_make(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "too short").unwrap();
        assert!(Key::read_or_make(&path).is_err());
    }
}
