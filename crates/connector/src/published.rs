//! Which cameras the server was ever told of. Of what its owner keeps back only those may be named to it: that they are kept back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use protocol::Sources;

use crate::disk;

/// In the state.
const FILE: &str = "published.json";

/// Device ids that were published and not withdrawn since.
pub struct Published {
    file: PathBuf,
    ids: BTreeSet<String>,
}

impl Published {
    /// What lies in a state, and will.
    pub fn of(state: &Path) -> Self {
        let file = state.join(FILE);
        let ids = std::fs::read(&file).ok().and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
        Self { file, ids }
    }

    /// Those among what is kept back.
    pub fn among(&self, kept_back: impl IntoIterator<Item = String>) -> Vec<String> {
        kept_back.into_iter().filter(|id| self.ids.contains(id)).collect()
    }

    /// The server has taken that over.
    pub fn note(&mut self, message: &Sources) {
        let before = self.ids.len();
        self.ids.extend(message.sources.iter().map(|source| source.device_id.clone()));
        let mut changed = self.ids.len() != before;
        for id in &message.withdrawn {
            changed |= self.ids.remove(id);
        }
        if changed && let Err(error) = disk::write_json(&self.file, &self.ids) {
            tracing::warn!(%error, "which cameras are published could not be noted");
        }
    }
}
