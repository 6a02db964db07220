//! The clock: the system's, or one that tests move by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Timestamp;

/// Tells the time.
#[derive(Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Stands still until it is moved.
    Fake(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at an instant.
    pub fn fake(at: Timestamp) -> Self {
        Self::Fake(Arc::new(AtomicI64::new(at.as_micros())))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => jiff::Timestamp::now().into(),
            Self::Fake(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fake clock; the system's does not move.
    pub fn advance(&self, by: Duration) {
        if let Self::Fake(micros) = self {
            micros.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}
