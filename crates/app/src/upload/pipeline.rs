//! From the connection to the disk and to the hash, each on its own thread.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::Digest;
use bytes::Bytes;
use proof::Hasher;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::checksum::Checksum;
use super::room::room_for;

/// Pieces between the connection and the disk, and between the connection and the hash. A piece is what one read of the socket
/// gave, at most about 400 KiB.
const IN_FLIGHT: usize = 8;

/// Bytes after which the disk is asked to catch up while more arrives, so that the end of an upload waits for little.
const CATCH_UP: u64 = 16 << 20;

/// The same where each answer waits for the disk.
const CATCH_UP_DURABLE: u64 = 4 << 20;

/// The hash of an upload's bytes. It may lag behind the disk: nobody waits for it before the end.
#[derive(Debug)]
pub(super) enum Hash {
    Ready(Hasher),
    Running(JoinHandle<io::Result<Hashes>>),
}

/// What was computed while a part arrived.
#[derive(Debug)]
pub(super) struct Hashes {
    /// Of everything before the part.
    pub(super) before: Hasher,
    /// Of everything up to its end.
    pub(super) after: Hasher,
    /// Of the part alone, where the sender said what that should be.
    pub(super) part: Option<Digest>,
}

impl Hash {
    /// Before and after the last part.
    pub(super) async fn all(self) -> io::Result<Hashes> {
        match self {
            Self::Ready(hasher) => Ok(Hashes { before: hasher.clone(), after: hasher, part: None }),
            Self::Running(task) => task.await?,
        }
    }

    /// Of everything so far.
    pub(super) async fn ready(self) -> io::Result<Hasher> {
        match self {
            Self::Ready(hasher) => Ok(hasher),
            Self::Running(task) => Ok(task.await??.after),
        }
    }

    /// Reads the file again: after a restart, or when a write failed halfway.
    pub(super) fn of_file(path: PathBuf, length: u64) -> Self {
        if length == 0 {
            return Self::Ready(Hasher::new());
        }
        Self::Running(spawn_blocking(move || {
            let mut file = File::open(path)?.take(length);
            let (mut hasher, mut buffer) = (Hasher::new(), vec![0; 1 << 20]);
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(Hashes { before: hasher.clone(), after: hasher, part: None }),
                    n => hasher.update(&buffer[..n]),
                }
            }
        }))
    }
}

/// Hashes the pieces of one part, after those of the parts before.
pub(super) struct Hashing {
    pieces: mpsc::Sender<Bytes>,
    task: JoinHandle<io::Result<Hashes>>,
}

impl Hashing {
    pub(super) fn start(so_far: Hash, checksum: Option<Checksum>) -> Self {
        let (pieces, mut received) = mpsc::channel::<Bytes>(IN_FLIGHT);
        let task = tokio::spawn(async move {
            let before = so_far.ready().await?;
            let hashed = spawn_blocking(move || {
                let mut after = before.clone();
                let mut part = checksum.map(|c| c.context());
                while let Some(piece) = received.blocking_recv() {
                    after.update(&piece);
                    if let Some(part) = &mut part {
                        part.update(&piece);
                    }
                }
                Hashes { before, after, part: part.map(|p| p.finish()) }
            });
            Ok(hashed.await?)
        });
        Self { pieces, task }
    }

    /// Hands on a piece. Fails when a read of the earlier bytes did; [`Self::finish`] tells.
    pub(super) async fn push(&self, piece: Bytes) -> bool {
        self.pieces.send(piece).await.is_ok()
    }

    /// No more pieces: the hash goes on until it has seen those that were pushed.
    pub(super) fn finish(self) -> Hash {
        Hash::Running(self.task)
    }
}

/// Writes the pieces of one part at the end of a file.
pub(super) struct Writing {
    pieces: mpsc::Sender<Bytes>,
    task: JoinHandle<Written>,
}

/// What a part's writing came to.
pub(super) struct Written {
    pub(super) file: File,
    /// What the disk still does.
    pub(super) disk: CatchUp,
    pub(super) bytes: u64,
    pub(super) outcome: Result<(), DiskFailure>,
}

/// What the disk refused.
#[derive(Debug)]
pub(super) enum DiskFailure {
    /// Bytes; those before them are there.
    Write(io::Error),
    /// To keep what it had taken: nobody knows which bytes are there, and it tells only once.
    Sync(io::Error),
}

impl Writing {
    /// Opens the file, which must be `start` bytes long. Progress is counted in `end`.
    pub(super) async fn start(
        path: &Path,
        disk: CatchUp,
        start: u64,
        durable: bool,
        end: Arc<impl AsRef<AtomicU64> + Send + Sync + 'static>,
    ) -> io::Result<Self> {
        let path = path.to_owned();
        let file = spawn_blocking(move || {
            let file = OpenOptions::new().append(true).create(true).open(path)?;
            if file.metadata()?.len() == start {
                Ok(file)
            } else {
                Err(io::Error::other("the staged file was changed by somebody else"))
            }
        })
        .await??;
        let (pieces, received) = mpsc::channel(IN_FLIGHT);
        let task = spawn_blocking(move || write_all(file, disk, start, durable, received, (*end).as_ref()));
        Ok(Self { pieces, task })
    }

    /// Hands on a piece. Fails when the disk did; [`Self::finish`] tells.
    pub(super) async fn push(&self, piece: Bytes) -> bool {
        self.pieces.send(piece).await.is_ok()
    }

    /// Waits until all pieces are written, and on the disk if the answer waits for that.
    pub(super) async fn finish(self) -> io::Result<Written> {
        drop(self.pieces);
        Ok(self.task.await?)
    }
}

fn write_all(
    mut file: File,
    mut disk: CatchUp,
    start: u64,
    durable: bool,
    mut received: mpsc::Receiver<Bytes>,
    end: &AtomicU64,
) -> Written {
    let mut bytes = 0;
    let outcome = (|| {
        let step = if durable { CATCH_UP_DURABLE } else { CATCH_UP };
        let (mut batch, mut mark) = (Vec::with_capacity(IN_FLIGHT), step - start % step);
        while received.blocking_recv_many(&mut batch, IN_FLIGHT) > 0 {
            let long = batch.iter().map(|piece| piece.len() as u64).sum();
            room_for(&file, long).map_err(DiskFailure::Write)?;
            write_batch(&mut file, &batch, &mut bytes).map_err(DiskFailure::Write)?;
            batch.clear();
            end.store(start + bytes, Ordering::Relaxed);
            if bytes >= mark {
                mark = bytes + step;
                disk.nudge(&file).map_err(DiskFailure::Sync)?;
            }
        }
        if durable {
            disk.wait().and_then(|()| file.sync_data()).map_err(DiskFailure::Sync)?;
        }
        Ok(())
    })();
    Written { file, disk, bytes, outcome }
}

/// Writes pieces with as few calls as possible, counting what arrived even where it fails.
fn write_batch(file: &mut File, batch: &[Bytes], bytes: &mut u64) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = batch.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut left = &mut slices[..];
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                *bytes += n as u64;
                IoSlice::advance_slices(&mut left, n);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Has the disk catch up while more arrives, one thread at a time. It outlives the part that asked: a part that is not to be durable
/// does not wait for it.
#[derive(Debug, Default)]
pub(super) struct CatchUp(Option<std::thread::JoinHandle<io::Result<()>>>);

impl CatchUp {
    /// Asks the disk to write what the file has. Nothing happens while it still does so; fails when the last time did.
    fn nudge(&mut self, file: &File) -> io::Result<()> {
        if self.0.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        self.wait()?;
        let file = file.try_clone()?;
        let thread = std::thread::Builder::new().name("upload-sync".into()).spawn(move || file.sync_data())?;
        self.0 = Some(thread);
        Ok(())
    }

    /// Until the disk is done. What it says must not be lost: a failure is told once, to whoever had the file open then.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        let Some(thread) = self.0.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the syncing thread panicked")))
    }
}
