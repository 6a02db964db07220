//! The key of what is held, which lies in a file on another disk at best: that disk may not be there. Where something is held no other key
//! takes its place, and what cannot be read for want of it waits.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;

use super::cipher::Key;

/// Where the key is, and the one that was used last.
pub(super) struct Keyring {
    /// None where nothing is set up to hold.
    file: Option<PathBuf>,
    last: Mutex<Option<Key>>,
}

impl Keyring {
    /// Nothing is read yet.
    pub(super) fn of(file: Option<&Path>) -> Self {
        Self { file: file.map(Path::to_owned), last: Mutex::default() }
    }

    /// Whether a file is configured.
    pub(super) fn is_configured(&self) -> bool {
        self.file.is_some()
    }

    /// Reads the key; makes it when there is none. Only where nothing is held that another one was made for.
    pub(super) fn make_ready(&self) -> anyhow::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let key = Key::read_or_make(path).with_context(|| format!("the hold's key_file {}", path.display()))?;
        self.remember(key);
        Ok(())
    }

    /// Whether that would do; nothing is made.
    pub(super) fn would_make_ready(&self) -> anyhow::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        Key::would_do(path).with_context(|| format!("the hold's key_file {}", path.display()))
    }

    fn remember(&self, key: Key) {
        *self.last.lock().expect("no panic while held") = Some(key);
    }

    /// Why there is no key any more, where there was one.
    pub(super) fn gone(&self) -> Option<String> {
        self.last.lock().expect("no panic while held").as_ref()?;
        self.now().err()
    }

    /// The key that lies in the file now, or why there is none.
    pub(super) fn now(&self) -> Result<Key, String> {
        let path = self.file.as_ref().ok_or("no key_file is configured")?;
        Key::read(path).map_err(|error| format!("the key_file {} cannot be read ({error})", path.display()))
    }

    /// The key of a file, from how it is kept: by the key that was used last, or by the one in the file, which may have come back.
    pub(super) fn unwrap(&self, kept: &[u8]) -> Result<Key, String> {
        let last = self.last.lock().expect("no panic while held").clone();
        if let Some(Ok(key)) = last.map(|last| last.unwrap(kept)) {
            return Ok(key);
        }
        let now = self.now()?;
        let key = now.unwrap(kept).map_err(|error| error.to_string())?;
        self.remember(now);
        Ok(key)
    }
}
