//! What each target does with its bytes: reads them as the connector does what others wrote, and looks at what must hold
//! whatever they are. Above all that nothing panics.

use std::path::Path;
use std::sync::LazyLock;

use domain::{Timestamp, Window};
use jiff::tz::TimeZone;
use sightline_connector::adapter::archive::Recording;
use sightline_connector::adapter::command::message::{self, Cameras, Hello, Message, Recordings};
use sightline_connector::adapter::{folder, mediamtx, milestone, nx, zoneminder};
use sightline_connector::{config, fragments};

/// Zones whose clocks were set back and forth, by an hour, by half of one, by a day.
const ZONE_NAMES: [&str; 4] = ["UTC", "Europe/Zurich", "Australia/Lord_Howe", "Pacific/Apia"];

/// Patterns of the manual, and some that give the matcher work.
const PATTERNS: [&str; 10] = [
    "{camera}/%Y-%m-%d_%H-%M-%S.mp4",
    "{path}/%Y-%m-%d_%H-%M-%S-%f%z.mp4",
    "{path}/%s-%f.mp4",
    "%Y-%m-%d/%H/{camera}/%M.%S.mp4",
    "Camera{camera}/%Y-%m-%d/%H-%M-%S.mp4",
    "{path}/%Y-%m-%dT%H-%M-%S.mp4",
    "{camera}.%Y%m%d_%H%M%S*",
    "*{camera}_%y%j%H%z",
    "{camera}/{camera}_%s.ts",
    "%3f%S%M%H%d%m%Y",
];

/// Within the corpus, of all times, and of none, in microseconds.
const WINDOWS: [(i64, i64); 3] =
    [(1_768_046_400_000_000, 1_768_046_700_000_000), (i64::MIN, i64::MAX), (i64::MAX, i64::MIN)];

/// No name on a disk is longer.
const LONGEST_NAME: usize = 255;

static ZONES: LazyLock<[TimeZone; 4]> =
    LazyLock::new(|| ZONE_NAMES.map(|name| TimeZone::get(name).expect("a zone of the database")));

fn in_order(recordings: &[Recording]) {
    assert!(recordings.is_sorted_by_key(|recording| recording.begins));
    for recording in recordings {
        assert!(recording.ends.is_none_or(|ends| recording.begins <= ends), "{recording:?}");
    }
}

/// A line of a program, and what each request would take it for.
pub fn command(line: &[u8]) {
    let read = message::read(line);
    let _ = message::result::<Hello>(line);
    let _ = message::result::<Cameras>(line);
    if let Ok(recordings) = message::result::<Recordings>(line) {
        in_order(&recordings.in_order());
    }
    if let Ok(Message::Failed(_, failure)) = read {
        let trouble = sightline_connector::adapter::Trouble::from(failure).to_string();
        assert!(trouble.chars().count() <= 300 && !trouble.chars().any(char::is_control), "{trouble:?}");
    }
}

/// The operator's file.
pub fn config(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(config) = config::parse(text, Path::new("/etc/sightline")) {
        assert!((1..=64).contains(&config.connector.tasks));
        assert!(config.connector.state.is_some_and(|state| state.is_absolute()));
    }
}

/// The path of a file below a folder; what stands before a line break is another pattern to read it by.
pub fn folder(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (own, path) = text.split_once('\n').unwrap_or(("", text));
    if path.split('/').any(|name| name.len() > LONGEST_NAME || name.is_empty()) {
        return;
    }
    // a pattern is the operator's: it may be slow, if that is how it is written
    let own = (own.len() < 40 && own.matches('*').count() < 3).then_some(own);
    for pattern in PATTERNS.into_iter().chain(own) {
        for zone in &*ZONES {
            let read = folder::read_name(pattern, zone, path);
            if let Ok(Some((Some(camera), _))) = read {
                assert!(!camera.is_empty() && path.contains(&camera));
            }
        }
    }
}

/// What MediaMTX answers; what stands before a line break are segments, and the rest is what `/list` tells of them.
pub fn mediamtx(answers: &[u8]) {
    let _ = mediamtx::read_paths(answers);
    let (segments, list) = answers.split_at(answers.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let segments = mediamtx::read_segments(segments).unwrap_or_default();
    assert!(segments.is_sorted());
    for (from, to) in WINDOWS {
        let window = Window { from: Timestamp::from_micros(from), to: Timestamp::from_micros(to) };
        if let Ok(recordings) = mediamtx::read_list(list, &segments, window) {
            in_order(&recordings);
        }
    }
}

/// What XProtect answers: a list of cameras, an evidence lock, or recordings.
pub fn milestone(answer: &[u8]) {
    for camera in milestone::read_cameras(answer).unwrap_or_default() {
        assert!(camera.bearing_deg.is_none_or(|bearing| (0.0..360.0).contains(&bearing)), "{camera:?}");
        assert!(camera.fov_deg.is_none_or(|fov| fov > 0.0 && fov <= 360.0), "{camera:?}");
        assert!(camera.position.is_none_or(|at| at.lat.abs() <= 90.0 && at.lon.abs() <= 180.0), "{camera:?}");
    }
    if let Some(lock) = milestone::read_lock(answer) {
        assert!(lock.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'), "{lock}");
    }
    if let Some(seen) = milestone::bridge::read(answer) {
        assert!(seen.spans.iter().all(|span| span.from < span.to), "{seen:?}");
        assert!(seen.spans.is_empty() || seen.token.is_some(), "{seen:?}");
    }
}

/// A file that may be a fragmented MP4: what is found broken lies within it, in order, and has room for a box's header.
pub fn mp4(file: &[u8]) {
    let size = file.len() as u64;
    let Ok(Some(broken)) = fragments::look(&mut std::io::Cursor::new(file), size) else { return };
    let mut ranges = [&broken.bad[..], &broken.bodies].concat();
    assert!(!broken.bad.is_empty() && broken.bad.iter().all(|bad| bad.start + 8 <= bad.end), "{broken:?}");
    ranges.sort_by_key(|range| range.start);
    assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{broken:?}");
    assert!(ranges.iter().all(|range| range.end <= size), "{broken:?}");
}

/// What Nx answers; what stands before a line break is the comment of a clip.
pub fn nx(answers: &[u8]) {
    let _ = nx::read_devices(answers);
    let (comment, footage) = answers.split_at(answers.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    if let Some(began) = std::str::from_utf8(comment).ok().and_then(nx::read_comment) {
        assert!(began.to_jiff().is_some(), "{began:?}");
    }
    // a window of all times would be clips without number
    for (from, to) in [WINDOWS[0], WINDOWS[2]] {
        let window = Window { from: Timestamp::from_micros(from), to: Timestamp::from_micros(to) };
        if let Ok(recordings) = nx::read_footage(footage, window, window.to) {
            in_order(&recordings);
        }
    }
}

/// An answer of ZoneMinder's API.
pub fn zoneminder(answer: &[u8]) {
    let _ = zoneminder::read_monitors(answer);
    for zone in &*ZONES {
        if let Ok(recordings) = zoneminder::read_events(answer, zone) {
            in_order(&recordings);
        }
    }
}
