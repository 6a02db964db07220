//! What the owner lets the connector take of the line: how fast footage is sent, and at which hours.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// The hours of each day at which footage is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "HoursText")]
pub struct Hours {
    from: Time,
    to: Time,
    zone: TimeZone,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoursText {
    from: String,
    to: String,
    time_zone: String,
}

impl TryFrom<HoursText> for Hours {
    type Error = String;

    fn try_from(text: HoursText) -> Result<Self, String> {
        let time = |text: &str| text.parse().map_err(|_| format!("{text:?} is no time of day such as 20:00"));
        let zone = TimeZone::get(&text.time_zone).map_err(|_| format!("{:?} is no time zone", text.time_zone))?;
        let (from, to) = (time(&text.from)?, time(&text.to)?);
        if from == to {
            return Err(format!("hours from {} to {} are none", text.from, text.to));
        }
        Ok(Self { from, to, zone })
    }
}

impl Hours {
    /// Whether a moment is in them. They may go over midnight.
    pub fn hold(&self, at: Timestamp) -> bool {
        let Ok(at) = jiff::Timestamp::from_microsecond(at.as_micros()) else { return true };
        let time = at.to_zoned(self.zone.clone()).time();
        if self.from < self.to { self.from <= time && time < self.to } else { self.from <= time || time < self.to }
    }
}

/// Spreads bytes over time, for all who share it.
#[derive(Debug)]
pub struct Pace {
    bytes_per_second: f64,
    /// When all that was let through will have had its time.
    free: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many million bits in a second.
    pub fn megabits(per_second: f64) -> Self {
        Self { bytes_per_second: per_second * 125_000.0, free: Mutex::new(None) }
    }

    /// So many bytes take a turn together: those of a quarter of a second, so that no pace, and no number of uploads that share it,
    /// makes one of them seem to stand still.
    pub fn portion(&self) -> usize {
        ((self.bytes_per_second / 4.0) as usize).max(1)
    }

    /// Waits until it is the turn of so many bytes.
    pub async fn take(&self, bytes: usize) {
        tokio::time::sleep_until(self.turn(Instant::now(), bytes).into()).await;
    }

    fn turn(&self, now: Instant, bytes: usize) -> Instant {
        let mut free = self.free.lock().expect("no panic while held");
        let turn = free.map_or(now, |free| free.max(now));
        *free = Some(turn + Duration::from_secs_f64(bytes as f64 / self.bytes_per_second));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: &str, to: &str) -> Hours {
        let text = format!("from = '{from}'\nto = '{to}'\ntime_zone = 'Europe/Zurich'");
        toml::from_str(&text).expect("hours")
    }

    #[test]
    fn hours_are_local_and_may_go_over_midnight() {
        let open = |hours: &Hours, at: &str| hours.hold(at.parse().expect("a time"));
        let night = hours("20:00", "06:00");
        assert!(open(&night, "2026-01-10T19:00:00Z") && open(&night, "2026-01-10T04:59:59.999Z"));
        assert!(!open(&night, "2026-01-10T18:59:59.999Z") && !open(&night, "2026-01-10T05:00:00Z"));
        // an hour earlier by UTC in summer
        assert!(open(&night, "2026-07-10T18:00:00Z") && !open(&night, "2026-07-10T04:00:00Z"));
        let noon = hours("12:00", "13:30");
        assert!(open(&noon, "2026-01-10T11:00:00Z") && !open(&noon, "2026-01-10T12:30:00Z"));
    }

    #[test]
    fn hours_that_are_none_are_refused() {
        for text in [
            "from = '20:00'\nto = '20:00'\ntime_zone = 'UTC'",
            "from = '20'\nto = '6 am'\ntime_zone = 'UTC'",
            "from = '20:00'\nto = '06:00'\ntime_zone = 'Mars'",
            "from = '20:00'\nto = '06:00'",
        ] {
            assert!(toml::from_str::<Hours>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_take_turns_at_the_pace_that_is_set() {
        let pace = Pace::megabits(8.0); // a million bytes a second
        let start = Instant::now();
        let turns: Vec<_> = (0..4).map(|_| pace.turn(start, 250_000).duration_since(start).as_millis()).collect();
        assert_eq!(turns, [0, 250, 500, 750]);
        assert_eq!(pace.portion(), 250_000);
        assert_eq!(Pace::megabits(0.01).portion(), 312);
        // what was not used meanwhile is not made up for
        let later = start + Duration::from_secs(60);
        assert_eq!(pace.turn(later, 250_000), later);
        assert_eq!(pace.turn(later, 1).duration_since(later).as_millis(), 250);
    }
}
