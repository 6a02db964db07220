//! How many tasks are worked on at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to work; can be put down while there is nothing to do but wait.
pub struct Slot(Option<OwnedSemaphorePermit>);

impl Slot {
    /// Holds a permit.
    pub fn new(permit: OwnedSemaphorePermit) -> Self {
        Self(Some(permit))
    }

    /// Leaves it to others.
    pub fn put_down(&mut self) {
        self.0 = None;
    }

    /// Waits for it again, if it was put down.
    pub async fn take_up(&mut self, slots: &Arc<Semaphore>) {
        if self.0.is_none() {
            self.0 = Arc::clone(slots).acquire_owned().await.ok();
        }
    }
}
