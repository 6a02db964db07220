//! Room on the disk for what is written there: who waits for it is told, and tries again alone.
//!
//! Exports are written side by side. Two that fit only one after the other may both find the disk full: both then remove what they
//! wrote, and from there on each waits until it can write while nobody else does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use protocol::ProblemReport;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::adapter;
use crate::backoff::Backoff;
use crate::session::Shared;

/// Room is looked for again after so long at most.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What is known of the room on the disk.
#[derive(Debug, Default)]
pub struct Room {
    writing: RwLock<()>,
    /// How many found none.
    waiting: AtomicUsize,
}

/// The right to write, for one try.
pub enum Turn<'a> {
    /// Beside others.
    Beside(RwLockReadGuard<'a, ()>),
    /// Alone.
    Alone(RwLockWriteGuard<'a, ()>),
}

/// Somebody who writes.
pub struct Writer<'a> {
    shared: &'a Shared,
    looks: Backoff,
    waits: bool,
}

impl<'a> Writer<'a> {
    /// Who has not found the disk full yet.
    pub fn new(shared: &'a Shared) -> Self {
        Self { shared, looks: Backoff::up_to(LOOK_AGAIN), waits: false }
    }

    /// Waits for the right to write.
    pub async fn turn(&self) -> Turn<'a> {
        let writing = &self.shared.room.writing;
        if self.waits { Turn::Alone(writing.write().await) } else { Turn::Beside(writing.read().await) }
    }

    /// There was no room: this is told, and waits a while, longer each time.
    pub async fn wait(&mut self) {
        if !self.waits {
            self.waits = true;
            self.shared.room.waiting.fetch_add(1, Ordering::Relaxed);
            self.shared.publish_now.notify_one();
            tracing::warn!("there is no room on the disk; waiting for it");
        }
        self.looks.wait().await;
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if self.waits {
            self.shared.room.waiting.fetch_sub(1, Ordering::Relaxed);
            self.shared.publish_now.notify_one();
        }
    }
}

/// What is wrong with the video system, and with the disk while somebody waits for room there.
pub fn and_the_disk(shared: &Shared, problem: Option<ProblemReport>) -> Option<ProblemReport> {
    if shared.room.waiting.load(Ordering::Relaxed) == 0 {
        return problem;
    }
    let text = "There is no room on the connector's disk for footage that was asked for.".to_owned();
    let state = shared.spool.state().display();
    let what_to_do = format!("Make room on the disk of {state}. What waits for it goes on by itself.");
    adapter::both(problem, Some(ProblemReport { text, what_to_do }))
}
