//! Judges an export by the clock in its pictures.

use std::path::Path;
use std::time::Duration;

use domain::{Timestamp, Window};

use super::clock::{RATE, times};

const TICK: Duration = Duration::from_millis(1_000 / RATE as u64);
/// ZoneMinder tells when an event begins in whole seconds.
const SECOND: Duration = Duration::from_secs(1);
/// The cameras have a key frame each second.
const KEY_FRAMES: Duration = SECOND;
/// A picture reaches ZoneMinder, which notes when it came, some frames later.
const WAY: Duration = Duration::from_millis(400);

/// Whether a file shows every moment of a window, with no more at the ends than a key frame and what ZoneMinder's times leave
/// open, which the manifest has to tell.
pub(crate) fn covers(file: &Path, asked: Window, uncertainty_ms: i64) {
    let shown = times(file);
    let (first, last) = (*shown.iter().min().unwrap(), *shown.iter().max().unwrap());
    let uncertainty = Duration::from_millis(uncertainty_ms.unsigned_abs());
    let got = format!("asked for {} to {}, got {first} to {last} ({uncertainty:?})", asked.from, asked.to);
    println!("{got}");
    assert!(SECOND <= uncertainty && uncertainty <= 2 * SECOND, "{got}");
    let mut tick = Timestamp::from_micros(asked.from.as_micros().div_euclid(100_000) * 100_000 + 100_000);
    while tick.plus(WAY) < asked.to {
        assert!(shown.contains(&tick), "{tick} is missing: {got}");
        tick = tick.plus(TICK);
    }
    let more = KEY_FRAMES + uncertainty + TICK + WAY;
    assert!(first.plus(more) >= asked.from && last <= asked.to.plus(more), "{got}");
}
