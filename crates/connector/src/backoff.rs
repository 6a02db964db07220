//! Waiting longer after each failure, never in step with others.

use std::time::Duration;

/// The waits between tries.
#[derive(Debug, Clone)]
pub struct Backoff {
    tries: u32,
    longest: Duration,
}

impl Backoff {
    /// From a quarter of a second, doubling, to the longest.
    pub fn up_to(longest: Duration) -> Self {
        Self { tries: 0, longest }
    }

    /// It went well.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// How long the next try waits.
    pub fn next_wait(&mut self) -> Duration {
        let full = Duration::from_millis(250).saturating_mul(1 << self.tries.min(16)).min(self.longest);
        self.tries = self.tries.saturating_add(1);
        full.mul_f64(0.5 + 0.5 * random_share())
    }

    /// Waits for the next try.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.next_wait()).await;
    }
}

/// From 0 to 1.
fn random_share() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_start_again() {
        let longest = Duration::from_secs(30);
        let mut backoff = Backoff::up_to(longest);
        let waits: Vec<_> = (0..100).map(|_| backoff.next_wait()).collect();
        assert!(waits[0] <= Duration::from_millis(250));
        assert!(waits.iter().all(|wait| *wait <= longest));
        assert!(waits[99] >= longest / 2);
        backoff.reset();
        assert!(backoff.next_wait() <= Duration::from_millis(250));
    }
}
