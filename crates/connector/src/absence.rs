//! Waiting for a video system that cannot be reached: it may be off for a minute or for a weekend, and nothing that was asked for is given
//! up for that.

use std::time::Duration;

use protocol::Phase;
use tokio::time::Instant;

use crate::adapter::Trouble;
use crate::backoff::Backoff;
use crate::lanes::Slot;
use crate::status::{Stage, Told};

/// It is asked again after so long at most.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// For so long after it came back, what else it says is not believed: while it starts it may know neither accounts nor cameras.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// Whether the system was away while one task was worked on, and when last.
pub struct Absence {
    looks: Backoff,
    last: Option<Instant>,
}

impl Default for Absence {
    fn default() -> Self {
        Self { looks: Backoff::up_to(LOOK_AGAIN), last: None }
    }
}

impl Absence {
    /// What a try came to: what may go better soon, and that there is no footage, counts as absence while the system starts.
    pub fn seen_in<T>(&mut self, done: Result<T, Trouble>) -> Result<T, Trouble> {
        match done {
            Err(Trouble::Away(why)) => {
                self.last = Some(Instant::now());
                Err(Trouble::Away(why))
            }
            Err(Trouble::Broken { retryable: true, detail } | Trouble::Unavailable { detail, .. })
                if self.last.is_some_and(|last| last.elapsed() < STARTS_WITHIN) =>
            {
                Err(Trouble::Away(detail))
            }
            done => done,
        }
    }

    /// Tells what is waited for and why, and waits a while, longer each time. That costs no right to work.
    pub async fn wait(&mut self, phase: Phase, why: &str, slot: &mut Slot, told: &Told) {
        let note = Some(why.to_owned());
        *told.lock().expect("no panic while held") = Stage { note, ..Stage::new(phase, 0, None) };
        slot.put_down();
        tracing::info!(why, "{}", phase.as_str());
        self.looks.wait().await;
    }
}
