//! The clock that is burned into a recorder's pictures: many small recorders have no other that could be asked (ADR 13).
//!
//! It is read from two pictures some seconds apart, each in several ways, and believed if it went meanwhile as our own clock did.
//! A belief is given up only for another that was measured twice.

mod face;
mod measure;

use std::sync::Mutex;
use std::time::Duration;

use jiff::civil::DateTime;
use protocol::{ClockOffset, ProblemReport};

use crate::adapter::{Adapter, Trouble};
use crate::clock;
use crate::media::text;
pub use face::{Face, Place};
use measure::{APART, Reading};
pub use measure::{Unread, agree};

/// A clock that is believed is read again after so long.
const AGAIN: Duration = Duration::from_secs(300);
/// One that was not read, or not as before, soon.
const SOON: Duration = Duration::from_secs(20);
/// One that was not read yet however often it was tried, now and then.
const NOW_AND_THEN: Duration = Duration::from_secs(60);
/// So many failures in a row are told.
const TOLD_AFTER: u32 = 3;
/// A picture that takes longer tells nothing of the time.
const LONGEST_PICTURE: Duration = Duration::from_secs(30);

/// What was read off the pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The text, in the second picture.
    pub text: String,
    /// How far it is off.
    pub clock: ClockOffset,
}

/// A clock in the pictures of a system, and what is known of it.
#[derive(Debug)]
pub struct BurnedIn {
    face: Face,
    state: Mutex<State>,
    /// It is read by one at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    believed: Option<ClockOffset>,
    /// What was measured last, if that is another time than the one that is believed.
    doubted: Option<ClockOffset>,
    /// In a row.
    failures: u32,
    /// Of the last one.
    problem: Option<ProblemReport>,
}

impl State {
    /// Takes over what was measured, or why it was not.
    fn judge(&mut self, source: &str, measured: &Result<Shown, Unread>) {
        match measured {
            Ok(Shown { clock, .. }) => {
                let expected = [self.believed, self.doubted].iter().flatten().any(|known| measure::agree(known, clock));
                if expected || self.believed.is_none() {
                    (self.believed, self.doubted) = (Some(*clock), None);
                } else {
                    self.doubted = Some(*clock);
                }
                (self.failures, self.problem) = (0, None);
            }
            Err(why) => {
                let meanwhile = match self.believed {
                    Some(ClockOffset { measured_at: Some(at), .. }) => format!("What was read at {at} still counts."),
                    _ => "Until it is, footage may be handed over from another time.".to_owned(),
                };
                let text = format!("The clock in the pictures of '{source}' is not read: {why}. {meanwhile}");
                self.failures = self.failures.saturating_add(1);
                self.problem = Some(ProblemReport { text, what_to_do: why.what_to_do().to_owned() });
            }
        }
    }

    /// Whether there is something to go by, or no use in waiting for it.
    fn settled(&self) -> bool {
        self.believed.is_some() || self.failures >= TOLD_AFTER
    }

    fn next(&self) -> Duration {
        match self {
            Self { failures: 0, doubted: None, believed: Some(_), .. } => AGAIN,
            Self { failures: ..TOLD_AFTER, .. } => SOON,
            Self { believed: None, .. } => NOW_AND_THEN,
            _ => AGAIN,
        }
    }
}

impl BurnedIn {
    /// A clock that was not read yet.
    pub fn new(face: Face) -> Self {
        Self { face, state: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic while held")
    }

    /// How far it is off, by the last measurement that is believed.
    pub fn believed(&self) -> Option<ClockOffset> {
        self.state().believed
    }

    /// Why it is not read, once that was tried some times.
    pub fn problem(&self) -> Option<ProblemReport> {
        let state = self.state();
        state.problem.clone().filter(|_| state.failures >= TOLD_AFTER)
    }

    /// After how long it is to be read again.
    pub fn next(&self) -> Duration {
        self.state().next()
    }

    /// Reads it off the pictures of a system, which takes some seconds.
    pub async fn read(&self, system: &dyn Adapter) -> Result<Shown, Unread> {
        let _turn = self.turn.lock().await;
        self.read_in_turn(system).await
    }

    /// Reads it until there is something to go by, or no use in waiting for it. At once, if that is so already.
    pub async fn settle(&self, system: &dyn Adapter) {
        if self.state().settled() {
            return;
        }
        let _turn = self.turn.lock().await;
        while !self.state().settled() {
            let _ = self.read_in_turn(system).await;
            let wait = self.next();
            if !self.state().settled() {
                tokio::time::sleep(wait).await;
            }
        }
    }

    async fn read_in_turn(&self, system: &dyn Adapter) -> Result<Shown, Unread> {
        let measured = self.measure(system).await;
        match &measured {
            Ok(Shown { text, clock }) => tracing::debug!(text, offset_ms = clock.offset_ms, "the burned-in clock"),
            Err(why) => tracing::info!(source = self.face.source, %why, "the burned-in clock was not read"),
        }
        self.state().judge(&self.face.source, &measured);
        measured
    }

    async fn measure(&self, system: &dyn Adapter) -> Result<Shown, Unread> {
        let believed = self.believed().map_or(0, |clock| clock.offset_ms);
        let first = self.look(system, believed).await?;
        tokio::time::sleep(APART.saturating_sub(since(first.came_ms))).await;
        let second = self.look(system, first.offset_ms()).await?;
        let clock = measure::confirmed(&first, &second)?;
        Ok(Shown { text: second.text, clock })
    }

    /// One picture. `expected_ms` is how far the clock is thought to be off.
    async fn look(&self, system: &dyn Adapter, expected_ms: i64) -> Result<Reading, Unread> {
        let sent_ms = clock::now_ms();
        let picture = tokio::time::timeout(LONGEST_PICTURE, system.snapshot(&self.face.source)).await;
        let came_ms = clock::now_ms();
        let picture = picture.unwrap_or_else(|_| Err(Trouble::again("it took too long"))).map_err(Unread::Picture)?;
        let (shown, text) = seen(&self.face, &picture).await?;
        let moment = self.face.moment(shown, came_ms.saturating_add(expected_ms));
        let shown_ms = moment.ok_or_else(|| Unread::TooFar(text.clone()))?;
        Ok(Reading { text, shown_ms, sent_ms, came_ms })
    }
}

/// What a clock shows in one picture, a JPEG: the time on its face, and the text that is read there.
pub async fn seen(face: &Face, picture: &[u8]) -> Result<(DateTime, String), Unread> {
    let texts = text::texts(picture, face.place, &face.characters()).await.map_err(Unread::Media)?;
    measure::vote(face, &texts.map_err(Unread::Reader)?)
}

fn since(then_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(clock::now_ms() - then_ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn shown(offset_ms: i64) -> Result<Shown, Unread> {
        let measured_at = Some(Timestamp::from_micros(0));
        Ok(Shown { text: "a clock".into(), clock: ClockOffset { offset_ms, uncertainty_ms: Some(1_600), measured_at } })
    }

    fn failed() -> Result<Shown, Unread> {
        Err(Unread::NoTime("12:3".into()))
    }

    fn judged(state: &mut State, measured: Result<Shown, Unread>) -> (Option<i64>, Duration) {
        state.judge("front", &measured);
        (state.believed.map(|clock| clock.offset_ms), state.next())
    }

    #[test]
    fn another_time_is_believed_when_it_was_measured_twice() {
        let state = &mut State::default();
        assert_eq!(judged(state, shown(67_000)), (Some(67_000), AGAIN));
        assert_eq!(judged(state, shown(68_000)), (Some(68_000), AGAIN));
        // one hour misread does not count, nor two that differ
        assert_eq!(judged(state, shown(6 * 3_600_000)), (Some(68_000), SOON));
        assert_eq!(judged(state, shown(68_000)), (Some(68_000), AGAIN));
        assert_eq!(judged(state, shown(-3_532_000)), (Some(68_000), SOON));
        assert_eq!(judged(state, shown(0)), (Some(68_000), SOON));
        assert_eq!(judged(state, shown(500)), (Some(500), AGAIN), "it was set right");
    }

    #[test]
    fn what_was_believed_stays_and_failures_are_told_after_some() {
        let state = &mut State::default();
        for tries in 1..TOLD_AFTER {
            assert_eq!(judged(state, failed()), (None, SOON));
            assert!(!state.settled(), "{tries}");
        }
        assert_eq!(judged(state, failed()), (None, NOW_AND_THEN));
        assert!(state.settled());
        let told = state.problem.clone().unwrap();
        assert!(told.text.contains("'front'") && told.text.contains("\"12:3\""), "{told:?}");
        assert!(told.what_to_do.contains("burned_in_clock"));
        assert_eq!(judged(state, shown(67_000)), (Some(67_000), AGAIN));
        assert_eq!((state.failures, &state.problem), (0, &None));
        for expected in [SOON, SOON, AGAIN] {
            assert_eq!(judged(state, failed()), (Some(67_000), expected));
        }
        assert!(
            state.problem.clone().unwrap().text.ends_with("What was read at 1970-01-01T00:00:00.000Z still counts.")
        );
    }
}
