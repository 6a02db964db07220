//! What each target does with its bytes: reads them as the connector does what others wrote, and looks at what must hold
//! whatever they are. Above all that nothing panics.

use std::path::Path;
use std::sync::LazyLock;

use bytes::BytesMut;
use domain::{Timestamp, Window};
use jiff::tz::TimeZone;
use sightline_connector::adapter::archive::Recording;
use sightline_connector::adapter::command::message::{self, Cameras, Hello, Message, Recordings};
use sightline_connector::adapter::{folder, frigate, mediamtx, milestone, moonfire, nx, onvif, zoneminder};
use sightline_connector::challenge::Identity;
use sightline_connector::rtsp::depacketize::{AccessUnit, Depacketizer, nal_units};
use sightline_connector::rtsp::message::Incoming;
use sightline_connector::rtsp::parameter_sets::ParameterSets;
use sightline_connector::rtsp::sdp::Codec;
use sightline_connector::rtsp::{message as rtsp_message, rtp, sdp};
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
    ends_after_begin(recordings);
}

fn ends_after_begin(recordings: &[Recording]) {
    for recording in recordings {
        assert!(recording.ends.is_none_or(|ends| recording.begins <= ends), "{recording:?}");
    }
}

/// What a clock in a picture was read as, after its format and a line break.
pub fn burned(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (format, shown) = text.split_once('\n').unwrap_or(("%Y-%m-%d %H:%M:%S", text));
    let quoted = |c: char| c == ' ' || c.is_ascii_graphic() && c != '\'';
    if !format.chars().all(quoted) {
        return;
    }
    for zone in ZONE_NAMES {
        let face = format!("source = 'a'\nbox = [0, 0, 99, 20]\nformat = '{format}'\ntime_zone = '{zone}'");
        let file = format!("[adapter]\nkind = 'onvif'\nurl = 'http://a'\n[burned_in_clock]\n{face}");
        let Ok(config) = config::parse(&file, Path::new("/etc")) else { return };
        let Some(face) = config.burned_in_clock else { return };
        assert!(!face.characters().contains(char::is_whitespace));
        if let Some(moment) = face.read(shown).and_then(|shown| face.moment(shown, 0)) {
            assert!(jiff::Timestamp::from_millisecond(moment).is_ok(), "{moment}");
        }
    }
}

/// Values of `WWW-Authenticate`, a line each; what answers one must not become a header of its own.
pub fn challenge(lines: &[u8]) {
    let Ok(lines) = std::str::from_utf8(lines) else { return };
    let mut identity = Identity::new(Some(("user".into(), "pass:\"word\\".into())));
    if identity.challenged(lines.split('\n')) {
        assert!(!identity.challenged(lines.split('\n')), "what was answered is not answered again");
        let answer = identity.answer("GET", "/a?b=\"c\"");
        assert!(answer.is_none_or(|answer| !answer.contains(char::is_control)));
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

/// What Frigate answers: its settings, segments, or the hours that it has.
pub fn frigate(answer: &[u8]) {
    let _ = frigate::read_cameras(answer);
    assert!(frigate::read_hours(answer).unwrap_or_default().is_sorted());
    for (from, to) in WINDOWS {
        let window = Window { from: Timestamp::from_micros(from), to: Timestamp::from_micros(to) };
        if let Ok(clips) = frigate::read_clips(answer, window) {
            ends_after_begin(&clips);
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

/// What Moonfire answers: cameras, or recordings.
pub fn moonfire(answer: &[u8]) {
    let _ = moonfire::read_cameras(answer);
    for (from, to) in WINDOWS {
        let window = Window { from: Timestamp::from_micros(from), to: Timestamp::from_micros(to) };
        if let Ok(recordings) = moonfire::read_recordings(answer, window) {
            ends_after_begin(&recordings);
        }
    }
}

/// What a device answers by ONVIF.
pub fn onvif(answer: &[u8]) {
    for (from, to) in WINDOWS {
        let window = Window { from: Timestamp::from_micros(from), to: Timestamp::from_micros(to) };
        if let Some(Ok(spans)) = onvif::read(answer, window)
            && spans != [window]
        {
            assert!(spans.iter().all(|span| from <= span.from.as_micros() && span.to.as_micros() <= to), "{spans:?}");
            assert!(spans.iter().all(|span| span.from < span.to), "{spans:?}");
            assert!(spans.windows(2).all(|pair| pair[0].to <= pair[1].from), "{spans:?}");
        }
    }
}

/// All that a server says in the course of a playback: answers, the last SDP of which holds for the packets that follow.
pub fn rtsp(stream: &[u8]) {
    let mut arrived = BytesMut::from(stream);
    let (mut playing, mut units) = (None, Vec::new());
    while let Ok(Some(incoming)) = rtsp_message::take(&mut arrived) {
        match incoming {
            Incoming::Request => {}
            Incoming::Answer(answer) => {
                let _ = answer.cseq();
                Identity::new(Some(("a".into(), "b".into()))).challenged(answer.all("WWW-Authenticate"));
                if let Some(video) = std::str::from_utf8(&answer.body).ok().and_then(sdp::video) {
                    let address = sdp::address("rtsp://recorder/1", &video.control);
                    assert!(address.is_none_or(|address| address.bytes().all(|byte| byte.is_ascii_graphic())));
                    let sets = video.parameter_sets.iter().map(Vec::as_slice);
                    configured(&ParameterSets::among(video.codec, sets), video.codec);
                    playing = Some((video.codec, Depacketizer::new(&video)));
                }
            }
            Incoming::Data { packet, .. } => {
                let (Some((codec, depacketizer)), Some(packet)) = (&mut playing, rtp::packet(&packet)) else {
                    continue;
                };
                if depacketizer.push(&packet, &mut units).is_err() {
                    return;
                }
                units.drain(..).for_each(|unit| whole(*codec, &unit));
            }
        }
    }
    if let Some((codec, mut depacketizer)) = playing {
        depacketizer.finish().iter().for_each(|unit| whole(codec, unit));
    }
}

/// A picture is NAL units and nothing else.
fn whole(codec: Codec, unit: &AccessUnit) {
    assert_eq!(nal_units(&unit.data).map(|nal| 4 + nal.len()).sum::<usize>(), unit.data.len());
    configured(&ParameterSets::within(codec, &unit.data), codec);
}

/// A configuration has as many sets as it says, and any layers.
fn configured(sets: &ParameterSets, codec: Codec) {
    match (codec, sets.configuration(codec)) {
        (Codec::H264, Some(told)) => assert_eq!(usize::from(told[5] & 0x1f), sets.sps.len()),
        (Codec::H265, Some(told)) => assert_ne!(told[21] & 0x38, 0),
        (_, None) => {}
    }
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
