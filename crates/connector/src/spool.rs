//! The folder in which exports wait for their upload. It is worth nothing after a restart: the server leases the task anew, and
//! the export is made anew. So it is emptied at the start, by the one process that holds its lock.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::id::TaskId;

/// The folder, locked.
pub struct Spool {
    root: PathBuf,
    _lock: File,
}

impl Spool {
    /// Takes the folder for this process and empties it.
    pub fn open(state: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(state).with_context(|| format!("cannot make {}", state.display()))?;
        let lock = File::create(state.join("lock")).with_context(|| format!("cannot write in {}", state.display()))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            anyhow::anyhow!("another sightline-connector uses {}; give each its own state folder", state.display())
        })?;
        let root = state.join("spool");
        match std::fs::remove_dir_all(&root) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot empty {}", root.display()));
            }
            _ => {}
        }
        std::fs::create_dir_all(&root)?;
        Ok(Self { root, _lock: lock })
    }

    /// A folder for one try of a task. It goes when the guard does.
    pub fn work(&self, task: &TaskId, lease: i64) -> std::io::Result<Work> {
        let path = self.root.join(format!("{task}-{lease}"));
        std::fs::create_dir_all(&path)?;
        Ok(Work { path })
    }
}

/// A folder for one try of a task.
pub struct Work {
    path: PathBuf,
}

impl Work {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_finds_it_empty_and_a_second_process_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let task: TaskId = "tsk_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        let spool = Spool::open(state.path()).unwrap();
        let work = spool.work(&task, 3).unwrap();
        std::fs::write(work.path().join("export.mp4"), b"x").unwrap();
        assert!(Spool::open(state.path()).err().unwrap().to_string().contains("another"));
        std::mem::forget(work); // as a kill would leave it
        drop(spool);
        let spool = Spool::open(state.path()).unwrap();
        assert_eq!(std::fs::read_dir(&spool.root).unwrap().count(), 0);
        let work = spool.work(&task, 4).unwrap();
        let path = work.path().to_owned();
        drop(work);
        assert!(!path.exists());
    }
}
