//! Which cameras the video system had. One that had some and tells of none is taken for one that cannot be reached: its disk may not be
//! mounted, its database still be empty, or its account have lost the right to see them. So is a camera of which nothing is there any
//! more, for some days: each may have a disk of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use domain::Timestamp;
use protocol::ProblemReport;
use serde::{Deserialize, Serialize};

use crate::adapter::{self, Discovery};
use crate::disk;

/// In the state: what there was.
const FILE: &str = "cameras.json";
/// For so long the footage of a camera that is missing is waited for, which outlasts a weekend. Then it was taken away.
const WAITED_FOR: Duration = Duration::from_secs(3 * 86_400);

/// What there was when the system told of all its cameras.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// The cameras that it told of.
    here: BTreeSet<String>,
    /// Those that it told of before, with the moment at which they were missing first.
    missing: BTreeMap<String, Timestamp>,
}

/// What is remembered, also over restarts once it is known where.
#[derive(Default)]
pub struct Memory {
    file: Option<PathBuf>,
    seen: Mutex<Seen>,
}

impl Memory {
    /// What lies in a state, and will.
    pub fn of(state: &Path) -> Self {
        let file = state.join(FILE);
        let seen = std::fs::read(&file).ok().and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
        Self { file: Some(file), seen: Mutex::new(seen) }
    }

    /// What a system told now, unless that is nothing where there was something before: then it has not told.
    pub fn judge(&self, found: Discovery, now: Timestamp) -> Discovery {
        if !found.whole {
            return found;
        }
        let ids = found.sources.iter().map(|source| &source.device_id);
        let here: BTreeSet<String> = ids.filter(|id| !found.declared.contains(*id)).cloned().collect();
        let mut seen = self.seen.lock().expect("no panic while held");
        if here.is_empty() && !seen.here.is_empty() {
            let problem = adapter::both(found.problem.clone(), Some(self.emptied(seen.here.len())));
            return Discovery { whole: false, away: true, problem, ..found };
        }
        let mut missing = seen.missing.clone();
        missing.extend(seen.here.difference(&here).map(|id| (id.clone(), now)));
        missing.retain(|id, since| !here.contains(id) && now.since(*since) < WAITED_FOR);
        let fresh = Seen { here, missing };
        if *seen != fresh {
            *seen = fresh;
            self.keep(&seen);
        }
        found
    }

    /// Since when a camera is missing of which there was something before, if that is not long ago.
    pub fn missing(&self, device_id: &str) -> Option<Timestamp> {
        self.seen.lock().expect("no panic while held").missing.get(device_id).copied()
    }

    fn keep(&self, seen: &Seen) {
        let kept = self.file.as_ref().map_or(Ok(()), |file| disk::write_json(file, seen));
        if let Err(error) = kept {
            tracing::warn!(%error, "which cameras there are could not be noted");
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

#[cfg(test)]
mod tests {
    use protocol::SourceDescription;

    use super::*;

    fn told(ids: &[&str], declared: &[&str]) -> Discovery {
        let source = |id: &&str| SourceDescription { device_id: (*id).to_owned(), ..SourceDescription::default() };
        let declared = declared.iter().map(|id| (*id).to_owned()).collect();
        Discovery { sources: ids.iter().map(source).collect(), whole: true, declared, ..Discovery::default() }
    }

    #[test]
    fn a_camera_is_missing_for_some_days_or_until_it_is_back() {
        let memory = Memory::default();
        let at = |hours: u64| Timestamp::from_micros(0).plus(Duration::from_secs(hours * 3_600));
        memory.judge(told(&["a", "b", "c"], &["c"]), at(0));
        assert_eq!(memory.missing("b"), None);
        memory.judge(told(&["a", "b"], &["b"]), at(1));
        assert_eq!(memory.missing("b"), Some(at(1)), "it is only declared, nothing of it is there");
        assert_eq!(memory.missing("c"), None, "nothing of it ever was");
        memory.judge(Discovery::default(), at(2));
        memory.judge(told(&["a"], &[]), at(3));
        assert_eq!(memory.missing("b"), Some(at(1)));
        memory.judge(told(&["a", "b"], &[]), at(4));
        assert_eq!(memory.missing("b"), None);
        memory.judge(told(&["a"], &[]), at(5));
        memory.judge(told(&["a"], &[]), at(5 + 72));
        assert_eq!(memory.missing("b"), None, "it was taken away");
    }
}
