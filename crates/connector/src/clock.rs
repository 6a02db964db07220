//! True time: what the server's clock shows. The clock of a machine beside a recorder may show any time, and be set while footage is
//! asked for; what is asked for, and how far a recorder's clock is off, must not depend on it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::Timestamp;
use protocol::ProblemReport;

/// What the server said its time was, and when that was.
static HEARD: Mutex<Option<(Timestamp, Instant)>> = Mutex::new(None);

/// A machine's clock that differs by more is a problem to somebody: computers that keep time differ by a fraction of it.
const WORTH_TELLING: Duration = Duration::from_secs(2);

/// The server answered with its time what it was asked at `asked`. Halfway between, it is taken, its clock showed that.
pub fn heard(server: Timestamp, asked: Instant) {
    let now = Instant::now();
    *HEARD.lock().expect("no panic while held") = Some((server, now - (now - asked) / 2));
}

/// The time by the server's clock; by this machine's as long as the server has not been heard.
pub fn now() -> Timestamp {
    let heard = *HEARD.lock().expect("no panic while held");
    heard.map_or_else(own, |(server, at)| server.plus(at.elapsed()))
}

/// The same in milliseconds since 1970.
pub fn now_ms() -> i64 {
    now().as_millis()
}

/// By how many milliseconds this machine's clock is ahead of the server's, where that is more than computers that keep time differ by.
pub fn ahead_ms() -> Option<i64> {
    let ahead = own().as_millis() - now_ms();
    (u128::from(ahead.unsigned_abs()) > WORTH_TELLING.as_millis()).then_some(ahead)
}

/// What this machine's clock shows: for how old what lies on its disk is.
pub fn own() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}

/// That this machine's clock differs from the server's, and what to do about it.
pub fn problem() -> Option<ProblemReport> {
    let ahead = ahead_ms()?;
    let seconds = ahead.unsigned_abs().div_ceil(1_000);
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    Some(ProblemReport {
        text: format!("The clock of the machine beside the recorder is {seconds} s {direction} the server's."),
        what_to_do: "Let both machines follow a time server (timedatectl set-ntp true). Until then footage is asked for by the server's \
                     clock; of a recorder that cannot be asked for its time, recordings may be dated as far off as this machine's clock."
            .into(),
    })
}
