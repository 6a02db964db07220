//! The bytes of unfinished uploads: `<data>/uploads/<upload id>`, written and hashed while they arrive.
//!
//! Three things happen at once for each part: the connection is read, SHA-256 is computed, and the disk is written. What was
//! received is handed on as it came out of the socket, without a copy, through short channels; memory is therefore
//! bounded by their length and not by the size of a part.
//!
//! The length of the file is the upload's offset. A killed server loses nothing that it had written; after a power failure the
//! file may be shorter than what was answered, as tus allows, and never holds anything that was not sent: it only ever grows at
//! its end. Only [`Hold::seal`] promises more: the whole is on the disk.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::id::UploadId;
use futures::{Stream, StreamExt};
use proof::{Hasher, Sha256Digest};
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};
use tokio::task::spawn_blocking;

use super::checksum::Checksum;
use super::pipeline::{CatchUp, DiskFailure, Hash, Hashing, Writing, Written};
use super::room::room_in;

/// What was wrong with a part. The upload is as it was before the part, but for [`Refused::Disk`].
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The part begins somewhere else than the upload ends.
    #[error("the upload ends at {0}")]
    Offset(u64),
    /// The part reaches beyond the length that was announced.
    #[error("more bytes than the upload's length")]
    TooLong,
    /// The bytes are not those that the sender hashed.
    #[error("the checksum does not match")]
    Checksum,
    /// The disk failed. What could be written is kept.
    #[error("the disk failed")]
    Disk(#[from] io::Error),
}

/// Why a part ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Its last byte arrived.
    Whole,
    /// The connection broke. What had arrived is kept, unless a checksum was to be compared.
    Cut,
    /// Nothing arrived for too long. What had arrived is kept, as above.
    Idle,
    /// Another request for the same upload came; the sender has given this connection up.
    TakenOver,
}

/// What became of a part that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Where the upload ends now.
    pub offset: u64,
    /// Why the part ended.
    pub ended: Ended,
}

/// One part, as announced.
#[derive(Debug, Clone)]
pub struct Part {
    /// Where it begins.
    pub offset: u64,
    /// How long it is, where that was said beforehand.
    pub announced: Option<u64>,
    /// How long the whole upload is.
    pub whole: u64,
    /// What the sender computed over the part.
    pub checksum: Option<Checksum>,
}

/// How parts are received.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Nothing for so long ends the part.
    pub idle: Duration,
    /// Whether each part is on the disk before it is answered. Otherwise only the whole is, at the end.
    pub durable_parts: bool,
}

/// A finished upload: on the disk, every byte hashed.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub size_bytes: u64,
    /// The digest of every byte, in order.
    pub sha256: Sha256Digest,
}

/// The folder of unfinished uploads, and what is known about those that move. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Staging(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    manner: Manner,
    slots: Mutex<HashMap<UploadId, Arc<Slot>>>,
}

#[derive(Debug)]
struct Slot {
    state: Arc<AsyncMutex<Option<Known>>>,
    /// Requests that wait for the one that is under way.
    waiting: AtomicUsize,
    knock: Notify,
    written: AtomicU64,
}

/// What is known about a staged file between two parts.
#[derive(Debug)]
struct Known {
    offset: u64,
    hash: Hash,
    disk: CatchUp,
}

impl Staging {
    /// Uploads under `folder`, which is made when the first one comes.
    pub fn new(folder: PathBuf, manner: Manner) -> Self {
        Self(Arc::new(Inner { folder, manner, slots: Mutex::default() }))
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<UploadId, Arc<Slot>>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The upload for this request alone. Whoever receives a part of it is made to stop and keep what it has: a sender that asks
    /// again has given its old connection up, and waiting for that one to time out would only delay it.
    pub async fn hold(&self, id: &UploadId) -> io::Result<Hold> {
        let slot = self.slots().entry(id.clone()).or_insert_with(Slot::new).clone();
        slot.waiting.fetch_add(1, Ordering::SeqCst);
        slot.knock.notify_waiters();
        let guard = {
            let _leave = Leave(&slot.waiting);
            slot.state.clone().lock_owned().await
        };
        let mut hold =
            Hold { staging: self.clone(), id: id.clone(), path: self.0.folder.join(id.as_str()), slot, state: guard };
        if hold.state.is_none() {
            let path = hold.path.clone();
            let offset = spawn_blocking({
                let path = path.clone();
                move || length_on_disk(&path)
            })
            .await??;
            hold.slot.written.store(offset, Ordering::Relaxed);
            *hold.state = Some(Known { offset, hash: Hash::of_file(path, offset), disk: CatchUp::default() });
        }
        Ok(hold)
    }

    /// How far an upload has come, without disturbing whoever sends it.
    pub fn progress(&self, id: &UploadId) -> Option<u64> {
        self.slots().get(id).map(|slot| slot.written.load(Ordering::Relaxed))
    }

    /// The uploads that the folder holds anything of.
    pub fn list(&self) -> io::Result<Vec<UploadId>> {
        let mut found = Vec::new();
        let entries = match std::fs::read_dir(&self.0.folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(found),
            entries => entries?,
        };
        for entry in entries {
            if let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
                found.push(id);
            }
        }
        Ok(found)
    }
}

impl Slot {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Arc::default(),
            waiting: AtomicUsize::new(0),
            knock: Notify::new(),
            written: AtomicU64::new(0),
        })
    }
}

/// Counts a waiting request out again, also when it is given up.
struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An upload that no other request can touch meanwhile.
#[derive(Debug)]
pub struct Hold {
    staging: Staging,
    id: UploadId,
    path: PathBuf,
    slot: Arc<Slot>,
    state: OwnedMutexGuard<Option<Known>>,
}

impl Hold {
    /// Where the upload ends.
    pub fn offset(&self) -> u64 {
        self.state.as_ref().map_or(0, |known| known.offset)
    }

    /// The staged file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what was received. Nothing there is no error. Whoever waits for the upload finds it empty, and must look whether it
    /// still is one.
    pub async fn remove(&mut self) -> io::Result<()> {
        *self.state = None;
        self.staging.slots().remove(&self.id);
        let path = self.path.clone();
        spawn_blocking(move || {
            remove_if_there(&marker(&path))?;
            remove_if_there(&path)
        })
        .await?
    }

    /// Appends a part.
    ///
    /// Run it in a task of its own: given up halfway it forgets its place, and the file must be read again.
    pub async fn append<S, E>(&mut self, part: Part, body: S) -> Result<Received, Refused>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
    {
        let start = self.offset();
        if part.offset != start {
            return Err(Refused::Offset(start));
        }
        let room = part.whole.saturating_sub(start);
        if part.announced.is_some_and(|announced| announced > room) {
            return Err(Refused::TooLong);
        }
        // not begun at all, so that its sender may ask again and again
        let (folder, announced) = (self.staging.0.folder.clone(), part.announced.unwrap_or(0));
        spawn_blocking(move || room_in(&folder, announced)).await.map_err(io::Error::other)??;
        if part.checksum.is_some() {
            // A server that is killed meanwhile must not take bytes for good that nobody compared.
            write_marker(&self.path, start).await?;
        }
        let known = self.state.take().ok_or_else(|| io::Error::other("the upload was removed"))?;
        let durable = self.staging.0.manner.durable_parts;
        let writing = Writing::start(&self.path, known.disk, start, durable, self.slot.clone()).await?;
        let hashing = Hashing::start(known.hash, part.checksum);
        let (ended, arrived) = self.pump(body, room, &writing, &hashing).await;
        let written = writing.finish().await?;
        if let Err(failure) = written.outcome {
            let end = if part.checksum.is_some() { start } else { start + written.bytes };
            return Err(Refused::Disk(self.recover(end, failure).await));
        }
        let offset = start + arrived;
        let hash = hashing.finish();
        match (ended, part.checksum) {
            (Some(ended), None) => {
                *self.state = Some(Known { offset, hash, disk: written.disk });
                Ok(Received { offset, ended })
            }
            (Some(Ended::Whole), Some(expected)) => {
                let hashes = hash.all().await?;
                if hashes.part.is_some_and(|digest| expected.matches(&digest)) {
                    clear_marker(&self.path).await?;
                    *self.state = Some(Known { offset, hash: Hash::Ready(hashes.after), disk: written.disk });
                    Ok(Received { offset, ended: Ended::Whole })
                } else {
                    self.discard(written, start, hashes.before).await?;
                    Err(Refused::Checksum)
                }
            }
            // Half a part cannot be compared with the checksum of the whole part.
            (Some(ended), Some(_)) => {
                self.discard(written, start, hash.all().await?.before).await?;
                Ok(Received { offset: start, ended })
            }
            (None, _) => {
                self.discard(written, start, hash.all().await?.before).await?;
                Err(Refused::TooLong)
            }
        }
    }

    /// Reads the body to its end, to the end of the upload, or until somebody else wants the upload. Returns why it stopped, or
    /// `None` where there was more than `room`, and how much was handed on.
    async fn pump<S, E>(&self, body: S, room: u64, writing: &Writing, hashing: &Hashing) -> (Option<Ended>, u64)
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
    {
        let (mut body, mut arrived) = (pin!(body), 0);
        let mut idle = pin!(tokio::time::sleep(self.staging.0.manner.idle));
        loop {
            let mut knock = pin!(self.slot.knock.notified());
            knock.as_mut().enable();
            if self.slot.waiting.load(Ordering::SeqCst) > 0 {
                return (Some(Ended::TakenOver), arrived);
            }
            let piece = tokio::select! {
                biased;
                piece = body.next() => piece,
                () = knock => return (Some(Ended::TakenOver), arrived),
                () = &mut idle => return (Some(Ended::Idle), arrived),
            };
            let piece = match piece {
                None => return (Some(Ended::Whole), arrived),
                Some(Err(_)) => return (Some(Ended::Cut), arrived),
                Some(Ok(piece)) => piece,
            };
            if piece.is_empty() {
                continue;
            }
            if piece.len() as u64 > room - arrived {
                return (None, arrived);
            }
            arrived += piece.len() as u64;
            if !hashing.push(piece.clone()).await || !writing.push(piece).await {
                return (Some(Ended::Cut), arrived); // the disk failed; finishing says how
            }
            idle.as_mut().reset(tokio::time::Instant::now() + self.staging.0.manner.idle);
        }
    }

    /// Takes the part back.
    async fn discard(&mut self, written: Written, start: u64, before: Hasher) -> io::Result<()> {
        let Written { file, disk, .. } = written;
        spawn_blocking(move || file.set_len(start)).await??;
        clear_marker(&self.path).await?;
        self.slot.written.store(start, Ordering::Relaxed);
        *self.state = Some(Known { offset: start, hash: Hash::Ready(before), disk });
        Ok(())
    }

    /// Goes on from what a failing disk took, which is nothing where it did not keep what it had.
    async fn recover(&mut self, end: u64, failure: DiskFailure) -> io::Error {
        let (length, failure) = match failure {
            DiskFailure::Write(failure) => (end, failure),
            DiskFailure::Sync(failure) => (0, failure),
        };
        let path = self.path.clone();
        let cut = spawn_blocking(move || OpenOptions::new().write(true).open(path)?.set_len(length)).await;
        if matches!(cut, Ok(Ok(()))) && clear_marker(&self.path).await.is_ok() {
            self.slot.written.store(length, Ordering::Relaxed);
            let hash = Hash::of_file(self.path.clone(), length);
            *self.state = Some(Known { offset: length, hash, disk: CatchUp::default() });
        }
        failure
    }

    /// Waits until the whole is hashed and on the disk. The file stays where it is until [`Self::remove`].
    ///
    /// Where the disk fails the upload begins anew.
    pub async fn seal(&mut self) -> io::Result<Sealed> {
        let Known { offset, hash, mut disk } =
            self.state.take().ok_or_else(|| io::Error::other("the upload was removed"))?;
        let path = self.path.clone();
        let synced = spawn_blocking(move || {
            disk.wait()?;
            let file = OpenOptions::new().append(true).create(true).open(&path)?;
            file.sync_all()?;
            sync_folder(&path)
        });
        let hasher = hash.ready().await?;
        if let Err(failure) = synced.await? {
            return Err(self.recover(0, DiskFailure::Sync(failure)).await);
        }
        let hash = Hash::Ready(hasher.clone());
        *self.state = Some(Known { offset, hash, disk: CatchUp::default() });
        Ok(Sealed { path: self.path.clone(), size_bytes: offset, sha256: hasher.finish() })
    }
}

impl AsRef<AtomicU64> for Slot {
    fn as_ref(&self) -> &AtomicU64 {
        &self.written
    }
}

/// Stands beside a staged file while a part with a checksum arrives, and says where that part began.
fn marker(path: &Path) -> PathBuf {
    path.with_extension("unchecked")
}

async fn write_marker(path: &Path, start: u64) -> io::Result<()> {
    let marker = marker(path);
    spawn_blocking(move || std::fs::write(marker, start.to_string())).await?
}

async fn clear_marker(path: &Path) -> io::Result<()> {
    let marker = marker(path);
    spawn_blocking(move || remove_if_there(&marker)).await?
}

/// How much of an upload is there, less a part whose checksum was never compared.
fn length_on_disk(path: &Path) -> io::Result<u64> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let length = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
        Err(e) => return Err(e),
    };
    let marker = marker(path);
    let Ok(text) = std::fs::read_to_string(&marker) else { return Ok(length) };
    // A marker without its number was being written when the server died; no byte of its part was.
    let length = text.parse().map_or(length, |start: u64| start.min(length));
    if path.exists() {
        OpenOptions::new().write(true).open(path)?.set_len(length)?;
    }
    remove_if_there(&marker)?;
    Ok(length)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests;
