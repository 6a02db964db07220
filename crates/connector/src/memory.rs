//! Whether the video system ever had cameras. One that had some and tells of none is taken for one that cannot be reached: its disk may not be
//! mounted, its database still be empty, or its account have lost the right to see them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use protocol::ProblemReport;

use crate::adapter::{self, Discovery};
use crate::disk;

/// In the state: how many cameras there were.
const FILE: &str = "cameras.json";

/// What is remembered, also over restarts once it is known where.
#[derive(Default)]
pub struct Memory {
    file: Option<PathBuf>,
    had: Mutex<usize>,
}

impl Memory {
    /// What lies in a state, and will.
    pub fn of(state: &Path) -> Self {
        let file = state.join(FILE);
        let had = std::fs::read(&file).ok().and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or(0);
        Self { file: Some(file), had: Mutex::new(had) }
    }

    /// What a system told, unless that is nothing where there was something before: then it has not told.
    pub fn judge(&self, found: Discovery) -> Discovery {
        if !found.whole {
            return found;
        }
        let cameras = found.sources.len().saturating_sub(found.declared);
        let mut had = self.had.lock().expect("no panic while held");
        if cameras == 0 && *had > 0 {
            let problem = adapter::both(found.problem.clone(), Some(self.emptied(*had)));
            return Discovery { whole: false, away: true, problem, ..found };
        }
        if cameras != *had {
            *had = cameras;
            self.keep(cameras);
        }
        found
    }

    fn keep(&self, cameras: usize) {
        let kept = self.file.as_ref().map_or(Ok(()), |file| disk::write_json(file, &cameras));
        if let Err(error) = kept {
            tracing::warn!(%error, "how many cameras there are could not be noted");
        }
    }

    fn emptied(&self, had: usize) -> ProblemReport {
        let file = self.file.as_ref().map_or(FILE.into(), |file| file.display().to_string());
        ProblemReport {
            text: format!("The recordings cannot be reached: no camera is there, and there were {had} before."),
            what_to_do: format!(
                "See that the disk with the recordings is mounted, or that the account may see the cameras. If there are none any more, \
                 delete {file} and start the connector again."
            ),
        }
    }
}
