//! The folder in which exports wait for their upload. What is whole there outlives this process: whoever leases the same task
//! again goes on with the file and the upload that were begun, or with the recordings that were fetched. Anything else is worth nothing
//! after a restart, and goes.
//!
//! Per task there is one folder: the finished export, and beside it `entry.json`, which is written last and says what the file is
//! and where it was sent to. Without an entry there is no export, but a folder in which one is made. However old it is, and whatever the
//! machine's clock shows, an export goes only when the server has ended its task, or has nothing to do for us and so knows nothing of it.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::Window;
use domain::id::TaskId;
use protocol::{Manifest, SourceDescription};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;

use crate::adapter::Exported;
use crate::disk;

const ENTRY: &str = "entry.json";
const SCRATCH: &str = "scratch";

/// So begins the name of a recording that came whole from the video system. It outlives a try that fails, and this process.
pub const FETCHED: &str = "recording-";

/// Longer than any lease. Who has lost a task may be given it again for so long.
const MAY_RETURN: Duration = Duration::from_secs(120);

/// A finished export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Of which camera, as it was described then.
    pub source: SourceDescription,
    /// What was asked for.
    pub window: Window,
    /// The file's name in the task's folder.
    pub file: String,
    /// How long it is.
    pub size_bytes: u64,
    /// Its manifest, but for hash and size.
    pub manifest: Manifest,
    /// Where it is being uploaded, once that has begun.
    pub location: Option<String>,
}

impl Entry {
    fn is_whole(&self, folder: &Path) -> bool {
        let plain = Path::new(&self.file).file_name().is_some_and(|name| *name == *self.file);
        plain && std::fs::metadata(folder.join(&self.file)).is_ok_and(|file| file.len() == self.size_bytes)
    }

    fn write(&self, folder: &Path) -> std::io::Result<()> {
        crate::disk::write_json(&folder.join(ENTRY), self)
    }

    fn read(folder: &Path) -> Option<Self> {
        let entry: Self = serde_json::from_slice(&std::fs::read(folder.join(ENTRY)).ok()?).ok()?;
        entry.is_whole(folder).then_some(entry)
    }
}

/// A task's place here.
struct Place {
    /// Held by whoever works on the task.
    lock: Arc<tokio::sync::Mutex<()>>,
    /// Since when nobody does.
    idle: Instant,
}

/// The id that lies in the state; made when there is none.
fn instance(state: &Path) -> std::io::Result<String> {
    let path = state.join("instance.json");
    let kept = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<String>(&bytes).ok());
    if let Some(kept) = kept.filter(|kept| kept.len() == 32 && kept.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Ok(kept);
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    let fresh = crate::hex(&bytes);
    disk::write_json(&path, &fresh)?;
    Ok(fresh)
}

/// The folder, locked.
pub struct Spool {
    state: PathBuf,
    root: PathBuf,
    places: Mutex<HashMap<TaskId, Place>>,
    instance: String,
    _lock: File,
}

impl Spool {
    /// Takes the folder for this process, and clears away what nobody can go on with.
    pub fn open(state: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(state).with_context(|| format!("cannot make {}", state.display()))?;
        let lock = File::create(state.join("lock")).with_context(|| format!("cannot write in {}", state.display()))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            anyhow::anyhow!("another sightline-connector uses {}; give each its own state folder", state.display())
        })?;
        let root = state.join("spool");
        std::fs::create_dir_all(&root)?;
        let instance = instance(state).with_context(|| format!("cannot write in {}", state.display()))?;
        let spool = Self { state: state.to_owned(), root, places: Mutex::default(), instance, _lock: lock };
        spool.survey().with_context(|| format!("cannot clear {}", spool.root.display()))?;
        Ok(spool)
    }

    /// Whether another process has the folder. Says also why [`Spool::open`] could not take it otherwise, but makes nothing in it.
    pub fn is_used(state: &Path) -> anyhow::Result<bool> {
        for folder in [state.to_owned(), state.join("spool")] {
            disk::try_writing(&folder).with_context(|| format!("cannot write in {}", folder.display()))?;
        }
        let lock = match File::options().write(true).open(state.join("lock")) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            opened => opened.with_context(|| format!("cannot write in {}", state.display()))?,
        };
        Ok(rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err())
    }

    /// Which one it is of those who may have the same connection file: what has this state, before a restart and after it.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The folder of all that the connector keeps.
    pub fn state(&self) -> &Path {
        &self.state
    }

    fn survey(&self) -> std::io::Result<()> {
        for found in std::fs::read_dir(&self.root)? {
            let found = found?;
            let task = found.file_name().to_str().and_then(|name| name.parse::<TaskId>().ok());
            match task {
                Some(task) if Entry::read(&found.path()).is_some() => {
                    scratches(&found.path()).iter().for_each(|left| remove(left)); // killed between the entry and the tidying
                    drop(self.place(&task));
                }
                Some(task) if keep_fetched(&found.path()) => drop(self.place(&task)),
                _ if found.file_type()?.is_dir() => std::fs::remove_dir_all(found.path())?,
                _ => std::fs::remove_file(found.path())?,
            }
        }
        Ok(())
    }

    fn place(&self, task: &TaskId) -> Arc<tokio::sync::Mutex<()>> {
        let mut places = self.places.lock().expect("no panic while held");
        let place = places.entry(task.clone()).or_insert_with(|| Place { lock: Arc::default(), idle: Instant::now() });
        Arc::clone(&place.lock)
    }

    /// The folder of a task, for one lease of it. Waits until this process has let go of an earlier lease of the same task.
    pub async fn work(self: &Arc<Self>, task: &TaskId) -> std::io::Result<Work> {
        let held = self.place(task).lock_owned().await;
        let path = self.root.join(task.as_str());
        std::fs::create_dir_all(&path)?;
        let entry = Entry::read(&path);
        Ok(Work { spool: Arc::clone(self), task: task.clone(), path, entry, over: false, _held: held })
    }

    /// Removes the exports of tasks that were lost and did not come back; called when the server has nothing to do for us. A
    /// canceled task does not announce itself: all that is heard of it is that its lease is lost.
    pub fn tidy(&self) {
        self.tidy_after(MAY_RETURN);
    }

    fn tidy_after(&self, idle: Duration) {
        let mut places = self.places.lock().expect("no panic while held");
        places.retain(|task, place| {
            // Only the map itself has it: nobody works on the task, nor waits to.
            let forgotten = Arc::strong_count(&place.lock) == 1 && place.idle.elapsed() >= idle;
            if forgotten {
                remove(&self.root.join(task.as_str()));
            }
            !forgotten
        });
    }

    fn put_down(&self, task: &TaskId, gone: bool) {
        let mut places = self.places.lock().expect("no panic while held");
        if let Some(place) = places.get_mut(task) {
            place.idle = Instant::now();
            // The holder and the map; whoever else waits for it keeps it in the map.
            if gone && Arc::strong_count(&place.lock) <= 2 {
                places.remove(task);
            }
        }
    }
}

/// A task's folder, held. When it is let go, a finished export stays for the next lease, unless the task is over.
pub struct Work {
    spool: Arc<Spool>,
    task: TaskId,
    path: PathBuf,
    entry: Option<Entry>,
    over: bool,
    _held: OwnedMutexGuard<()>,
}

impl Work {
    /// What an earlier lease of the task had exported, if it was for the same.
    pub fn finished(&self, device_id: &str, window: Window) -> Option<&Entry> {
        self.entry.as_ref().filter(|entry| entry.source.device_id == device_id && entry.window == window)
    }

    /// Where the file of an entry lies.
    pub fn file(&self, entry: &Entry) -> PathBuf {
        self.path.join(&entry.file)
    }

    /// Removes what is there.
    pub fn clear(&mut self) {
        self.entry = None;
        remove(&self.path);
    }

    /// A folder to export into. Of what was there before it holds the recordings that were fetched whole; anything else is gone. No two
    /// have the same name: an ffmpeg that outlived a killed connector, and opens its output late, finds no folder.
    pub fn scratch(&mut self) -> std::io::Result<PathBuf> {
        self.entry = None;
        keep_fetched(&self.path);
        let before = scratches(&self.path);
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(std::io::Error::other)?;
        let scratch = self.path.join(format!("{SCRATCH}-{:016x}", u64::from_ne_bytes(random)));
        std::fs::create_dir_all(&scratch)?;
        for before in before {
            for fetched in std::fs::read_dir(&before)? {
                let fetched = fetched?;
                std::fs::rename(fetched.path(), scratch.join(fetched.file_name()))?;
            }
            remove(&before);
        }
        Ok(scratch)
    }

    /// Keeps an export that lies in the scratch folder, which goes. It is on the disk before its entry is. Where there was no room for
    /// the entry it may be tried again.
    pub async fn keep(
        &mut self,
        exported: &Exported,
        source: SourceDescription,
        window: Window,
    ) -> std::io::Result<Entry> {
        let Exported { path: exported, manifest } = exported.clone();
        let file = exported.file_name().and_then(|name| name.to_str()).unwrap_or("export").to_owned();
        let place = self.path.join(&file);
        if !tokio::fs::try_exists(&place).await? {
            tokio::fs::rename(&exported, &place).await?;
        }
        let written = tokio::fs::File::open(&place).await?;
        written.sync_all().await?;
        let size_bytes = written.metadata().await?.len();
        let entry = Entry { source, window, file, size_bytes, manifest, location: None };
        entry.write(&self.path)?;
        self.entry = Some(entry.clone());
        exported.parent().into_iter().for_each(remove);
        Ok(entry)
    }

    /// Notes where the export is being sent, so that a restarted connector goes on there.
    pub fn sent_to(&mut self, location: &str) -> std::io::Result<()> {
        let Some(entry) = &mut self.entry else { return Ok(()) };
        entry.location = Some(location.to_owned());
        entry.write(&self.path)
    }

    /// Where the export is being sent, as far as it is known.
    pub fn location(&self) -> Option<String> {
        self.entry.as_ref()?.location.clone()
    }

    /// The task has ended, well or not: nothing of it is needed any more.
    pub fn over(&mut self) {
        self.over = true;
    }

    /// The task failed, and may go better the next time. An export that could not be sent is made anew, lest it is what was wrong.
    pub fn failed(&mut self) {
        self.entry = None;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let stays = !self.over && (self.entry.is_some() || keep_fetched(&self.path));
        if !stays {
            remove(&self.path);
        }
        self.spool.put_down(&self.task, !stays);
    }
}

/// The folders of a task in which an export is made, or was until the connector was killed.
fn scratches(task: &Path) -> Vec<PathBuf> {
    let is_one = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SCRATCH));
    let all = std::fs::read_dir(task).into_iter().flatten().flatten();
    all.map(|found| found.path()).filter(|path| path.is_dir() && is_one(path)).collect()
}

/// Removes all of a task but the recordings that were fetched whole; false if there are none.
fn keep_fetched(task: &Path) -> bool {
    let below = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten().map(|found| found.path());
    let is_fetched = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FETCHED));
    let is_whole = |path: &Path| is_fetched(path) && path.extension().is_some_and(|suffix| suffix == "mp4");
    let mut any = false;
    let scratches = scratches(task);
    for path in below(task).filter(|path| !scratches.contains(path)) {
        remove(&path);
    }
    for scratch in scratches {
        let (whole, other): (Vec<_>, Vec<_>) = below(&scratch).partition(|path| is_whole(path));
        any |= !whole.is_empty();
        match whole.is_empty() {
            true => remove(&scratch),
            false => other.iter().for_each(|path| remove(path)),
        }
    }
    any
}

/// Removes a file, or a folder with all that is in it.
fn remove(path: &Path) {
    let gone = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match gone {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "cannot be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
