//! What is recorded in the suite: cameras whose pictures tell when they were taken, with a key frame each second.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use domain::{Timestamp, Window};

#[path = "clock.rs"]
mod clock;

pub(crate) use clock::{RATE, times};
use clock::{WIDTH, picture};

/// One recording of a camera, as the system stores it.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    /// Rises with time; some systems number them.
    pub(crate) number: i64,
    /// Which camera.
    pub(crate) camera: String,
    /// When its first frame was taken.
    pub(crate) from: Timestamp,
    /// When its last frame ended; what is still being recorded has none.
    pub(crate) to: Option<Timestamp>,
    /// An MP4 file of it.
    pub(crate) file: PathBuf,
}

impl Recording {
    /// Its end; of what is still being recorded, the end of what is there.
    pub(crate) fn end(&self, now: Timestamp) -> Timestamp {
        self.to.unwrap_or(now)
    }
}

/// What a video system holds.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Its cameras: id and name.
    pub(crate) cameras: Vec<(String, String)>,
    /// All recordings, in order of time.
    pub(crate) recordings: Vec<Recording>,
    /// The recorder's clock, which all times of recordings are by, minus true time, which is what the pictures tell.
    pub(crate) ahead_us: i64,
    /// The IANA time zone of a system that tells local times.
    pub(crate) zone: &'static str,
    /// Which of its cameras somebody has taken out since: their ids, here or as it calls them.
    pub(crate) gone: Arc<Mutex<BTreeSet<String>>>,
    folder: Option<tempfile::TempDir>,
}

impl World {
    /// A system with these cameras and nothing recorded.
    pub(crate) fn new(cameras: &[(&str, &str)]) -> Self {
        let own = |(id, name): &(&str, &str)| ((*id).to_owned(), (*name).to_owned());
        Self {
            cameras: cameras.iter().map(own).collect(),
            folder: tempfile::tempdir().ok(),
            zone: "UTC",
            ..Self::default()
        }
    }

    /// The cameras that it tells of.
    pub(crate) fn cameras(&self) -> impl Iterator<Item = &(String, String)> {
        self.cameras.iter().filter(|(id, _)| !self.gone.lock().unwrap().contains(id))
    }

    /// Records a camera for so many seconds.
    pub(crate) fn record(&mut self, camera: &str, from: Timestamp, seconds: i64) -> &mut Self {
        let number = i64::try_from(self.recordings.len()).unwrap() + 1;
        let file = self.folder.as_ref().unwrap().path().join(format!("{number}.mp4"));
        film(&file, Timestamp::from_micros(from.as_micros() - self.ahead_us), seconds);
        let to = Some(Timestamp::from_micros(from.as_micros() + seconds * 1_000_000));
        self.recordings.push(Recording { number, camera: camera.to_owned(), from, to, file });
        self
    }

    /// The same, and it goes on: what is there is only its beginning.
    pub(crate) fn record_on(&mut self, camera: &str, from: Timestamp, seconds: i64) -> &mut Self {
        self.record(camera, from, seconds);
        self.recordings.last_mut().unwrap().to = None;
        self
    }

    /// The recordings of a camera that reach into a window.
    pub(crate) fn of<'a>(&'a self, camera: &'a str, window: Window) -> impl Iterator<Item = &'a Recording> {
        let reaches = move |r: &&Recording| r.from < window.to && r.to.is_none_or(|to| to > window.from);
        self.recordings.iter().filter(move |r| r.camera == camera).filter(reaches)
    }
}

/// Writes an MP4 whose frames tell their time.
pub(crate) fn film(file: &Path, from: Timestamp, seconds: i64) {
    use std::io::Write;
    let size = format!("{WIDTH}x{WIDTH}");
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", &size, "-r", &RATE.to_string()])
        .args(["-i", "-", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", &RATE.to_string()])
        .args(["-sc_threshold", "0", "-pix_fmt", "yuv420p", "-video_track_timescale", "90000", "-f", "mp4"])
        .arg(file)
        .stdin(Stdio::piped())
        .spawn()
        .expect("ffmpeg is installed");
    let mut input = ffmpeg.stdin.take().unwrap();
    let first = from.as_micros() / (1_000_000 / RATE);
    for frame in 0..seconds * RATE {
        input.write_all(&picture(first + frame)).unwrap();
    }
    drop(input);
    assert!(ffmpeg.wait().unwrap().success());
}

/// A JPEG of nothing in particular.
pub(crate) fn jpeg() -> Vec<u8> {
    static JPEG: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let source = ["-f", "lavfi", "-i", "color=gray:s=64x36", "-frames:v", "1", "-f", "mjpeg", "-"];
        Command::new("ffmpeg").args(["-v", "error"]).args(source).output().unwrap().stdout
    };
    JPEG.get_or_init(make).clone()
}

/// Part of a recording as systems cut it that cut by key frames: from the one at or before `from` on.
pub(crate) fn part(recording: &Recording, from: Timestamp, to: Timestamp, format: &[&str]) -> Vec<u8> {
    let seconds = |at: Timestamp| (at.as_micros() - recording.from.as_micros()) as f64 / 1e6;
    let (skip, until) = (seconds(from).max(0.0).floor(), seconds(to));
    let out = tempfile::Builder::new().suffix(".mp4").tempfile().unwrap();
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-ss", &format!("{:.6}", skip + 0.000_5), "-i"])
        .arg(&recording.file)
        .args(["-t", &format!("{:.6}", until - skip), "-c", "copy", "-avoid_negative_ts", "make_zero"])
        .args(format)
        .args(["-f", "mp4"])
        .arg(out.path())
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::read(out.path()).unwrap()
}

/// A window by its start and its seconds.
pub(crate) fn window(from: Timestamp, seconds: i64) -> Window {
    Window { from, to: from.plus(Duration::from_secs(seconds.unsigned_abs())) }
}
