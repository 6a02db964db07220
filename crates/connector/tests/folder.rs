//! The folder adapter on recordings that ffmpeg makes: ten frames a second, a key frame each second, so that times can be told
//! from frames.
#![allow(clippy::unwrap_used)]

#[path = "contract/world.rs"]
#[allow(dead_code)]
mod world;

#[path = "folder/joined.rs"]
mod joined;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use domain::{Timestamp, Window};
use protocol::{Manifest, UnavailableReason};
use sightline_connector::adapter::folder::Folder;
use sightline_connector::adapter::{Coverage, Discovery, Trouble};
use sightline_connector::config::{AdapterConfig, Config, FolderConfig, Publish, SourceConfig};
use sightline_connector::media;
use sightline_connector::recorder::Recorder as Seen;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A day long past, so that nothing is still being recorded.
fn on_that_day(time: &str) -> Timestamp {
    at(&format!("2026-01-10T{time}Z"))
}

fn window(from: &str, to: &str) -> Window {
    Window::checked(on_that_day(from), on_that_day(to)).unwrap()
}

struct Recorder {
    dir: tempfile::TempDir,
}

impl Recorder {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A segment of so many seconds; its file is an hour old unless `young`.
    fn record(&self, name: &str, seconds: u32, more: &[&str]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut command = Command::new("ffmpeg");
        command.args([
            "-v",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=160x90:rate=10",
            "-t",
            &seconds.to_string(),
        ]);
        command
            .args(["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-bf", "2", "-pix_fmt", "yuv420p"])
            .args(more);
        assert!(command.arg(&path).status().unwrap().success());
        self.age(name, Duration::from_secs(3_600));
        path
    }

    fn age(&self, name: &str, age: Duration) {
        let file = std::fs::File::options().append(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    /// Its last change was so long after a time of that day.
    fn close(&self, name: &str, at: &str, ms: u64) {
        let at = SystemTime::UNIX_EPOCH + Duration::from_micros(on_that_day(at).as_micros().unsigned_abs());
        let file = std::fs::File::options().append(true).open(self.path(name)).unwrap();
        file.set_modified(at + Duration::from_millis(ms)).unwrap();
    }

    fn config(&self, pattern: &str) -> FolderConfig {
        toml::from_str(&format!("path = {:?}\npattern = {pattern:?}\nname_precision_ms = 0", self.dir.path())).unwrap()
    }

    fn folder(&self) -> Seen {
        self.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |_| {}, &[])
    }

    fn folder_with(&self, pattern: &str, change: impl FnOnce(&mut FolderConfig), sources: &[SourceConfig]) -> Seen {
        media::confine_by(vec![env!("CARGO_BIN_EXE_sightline-connector").into(), "confined".into()]);
        let mut folder = self.config(pattern);
        change(&mut folder);
        let declared = sources.iter().map(|source| source.id.clone()).collect();
        let adapter = Box::new(Folder::new(folder.clone(), declared).unwrap());
        let config = Config {
            adapter: AdapterConfig::Folder(folder),
            publish: Publish::default(),
            burned_in_clock: None,
            sources: sources.to_vec(),
            connector: Default::default(),
            hold: None,
            limits: Default::default(),
        };
        Seen::new(adapter, &config)
    }
}

async fn export(
    folder: &Seen,
    camera: &str,
    window: Window,
) -> Result<(tempfile::TempDir, PathBuf, Manifest), Trouble> {
    let into = tempfile::tempdir().unwrap();
    let exported = folder.export(camera, window, into.path()).await?;
    Ok((into, exported.path, exported.manifest))
}

async fn frames(path: &Path) -> Vec<i64> {
    let mut frames: Vec<_> = media::packets(path, None).await.unwrap().iter().map(|p| p.pts_us).collect();
    frames.sort_unstable();
    frames
}

fn reason(trouble: Trouble) -> UnavailableReason {
    match trouble {
        Trouble::Unavailable { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_window_over_a_seam_is_covered_with_at_most_one_key_frame_interval_more() {
    let recorder = Recorder::new();
    for name in ["yard/2026-01-10_10-00-00.mp4", "yard/2026-01-10_10-00-10.mp4", "yard/2026-01-10_10-00-20.mp4"] {
        recorder.record(name, 10, &[]);
    }
    let asked = window("10:00:05.500", "10:00:15.250");
    let (_dir, path, manifest) = export(&recorder.folder(), "yard", asked).await.unwrap();

    assert_eq!(manifest.gaps, []);
    let names: Vec<_> = manifest.segments.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["yard/2026-01-10_10-00-00.mp4", "yard/2026-01-10_10-00-10.mp4"]);
    assert_eq!(manifest.first_frame, window("10:00:05", "10:00:06").from);
    let late = manifest.last_frame.as_micros() - asked.to.as_micros();
    assert!((0..=400_000).contains(&late), "last frame {}", manifest.last_frame);
    assert_eq!(manifest.key_frame_interval_ms, Some(1_000));
    assert_eq!(manifest.segments[1].at_us, 5_000_000);
    let bytes = std::fs::read(recorder.path("yard/2026-01-10_10-00-00.mp4")).unwrap();
    let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    assert_eq!(manifest.segments[0].sha256, sightline_connector::hex(sum.as_ref()));

    // no frame is lost or repeated at the seam
    let frames = frames(&path).await;
    let inside: Vec<_> = frames.iter().filter(|pts| **pts - frames[0] <= 10_250_000).collect();
    assert_eq!(inside.len(), 103);
    assert!(inside.windows(2).all(|pair| (pair[1] - pair[0] - 100_000).abs() < 2_000), "{frames:?}");
}

#[tokio::test]
async fn a_gap_is_said_and_keeps_its_place_in_time() {
    let recorder = Recorder::new();
    recorder.record("yard/2026-01-10_10-00-00.mp4", 10, &[]);
    recorder.record("yard/2026-01-10_10-00-30.mp4", 10, &[]);
    let folder = recorder.folder();
    let (_dir, path, manifest) = export(&folder, "yard", window("10:00:05", "10:00:35")).await.unwrap();
    assert_eq!(manifest.gaps.len(), 1);
    assert_eq!(manifest.gaps[0].from, window("10:00:10", "10:00:11").from);
    assert_eq!(manifest.gaps[0].to, window("10:00:30", "10:00:31").from);
    let frames = frames(&path).await;
    assert_eq!(frames.last().unwrap() - frames[0], manifest.last_frame.as_micros() - manifest.first_frame.as_micros());

    // before the first and after the last
    let (_dir, _, manifest) = export(&folder, "yard", window("09:59:50", "10:01:00")).await.unwrap();
    let gaps: Vec<_> = manifest.gaps.iter().map(|gap| (gap.from, gap.to)).collect();
    let all = [("09:59:50", "10:00:00"), ("10:00:10", "10:00:30"), ("10:00:40", "10:01:00")];
    assert_eq!(
        gaps,
        all.map(|(from, to)| {
            let w = window(from, to);
            (w.from, w.to)
        })
    );

    let Coverage { spans, complete } = folder.coverage("yard", window("10:00:05", "10:00:35")).await.unwrap();
    assert_eq!(spans, [window("10:00:05", "10:00:10"), window("10:00:30", "10:00:35")]);
    assert!(complete);
}

#[tokio::test]
async fn nothing_there_has_its_reason() {
    let recorder = Recorder::new();
    recorder.record("yard/2026-01-10_10-00-00.mp4", 5, &[]);
    recorder.record("yard/2026-01-10_10-00-30.mp4", 5, &[]);
    let folder = recorder.folder();
    let why = async |folder: &Seen, camera: &str, window| reason(export(folder, camera, window).await.err().unwrap());
    assert_eq!(why(&folder, "yard", window("10:00:10", "10:00:20")).await, UnavailableReason::Gap);
    assert_eq!(why(&folder, "yard", window("11:00:00", "11:02:00")).await, UnavailableReason::NeverRecorded);
    assert_eq!(why(&folder, "gate", window("10:00:00", "10:02:00")).await, UnavailableReason::NeverRecorded);
    // older than the oldest that is kept
    assert_eq!(why(&folder, "yard", window("09:00:00", "09:02:00")).await, UnavailableReason::Overwritten);
    // the same, had the recorder kept it if there had been anything
    let keeps_long =
        recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.retention_hours = Some(1_000_000), &[]);
    assert_eq!(why(&keeps_long, "yard", window("09:00:00", "09:02:00")).await, UnavailableReason::NeverRecorded);
    let keeps_short = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.retention_hours = Some(24), &[]);
    assert_eq!(why(&keeps_short, "gate", window("10:00:00", "10:02:00")).await, UnavailableReason::Overwritten);
    assert_eq!(folder.coverage("gate", window("10:00:00", "10:02:00")).await.unwrap().spans, []);
}

#[tokio::test]
async fn a_truncated_segment_is_a_gap_with_its_reason() {
    let recorder = Recorder::new();
    recorder.record("yard/2026-01-10_10-00-00.mp4", 10, &[]);
    let bad = recorder.record("yard/2026-01-10_10-00-10.mp4", 10, &[]);
    recorder.record("yard/2026-01-10_10-00-20.mp4", 10, &[]);
    let length = std::fs::metadata(&bad).unwrap().len();
    std::fs::File::options().write(true).open(&bad).unwrap().set_len(length / 2).unwrap(); // its index is lost
    recorder.age("yard/2026-01-10_10-00-10.mp4", Duration::from_secs(600));
    let folder = recorder.folder();
    let (_dir, _, manifest) = export(&folder, "yard", window("10:00:05", "10:00:25")).await.unwrap();
    assert_eq!(manifest.gaps.len(), 1, "{:?}", manifest.gaps);
    let reason_text = manifest.gaps[0].reason.clone().unwrap();
    let told = "yard/2026-01-10_10-00-10.mp4 cannot be read: its index is missing, as after a power cut";
    assert_eq!(reason_text, told);
    // alone
    let trouble = export(&folder, "yard", window("10:00:12", "10:00:18")).await.err().unwrap();
    assert!(trouble.to_string().contains("cannot be read"), "{trouble}");
    assert_eq!(reason(trouble), UnavailableReason::Gap);

    // the index is there, but the pictures stop: found in the frames themselves
    let bad = recorder.record("gate/2026-01-10_10-00-00.mp4", 10, &["-movflags", "+faststart"]);
    recorder.record("gate/2026-01-10_10-00-10.mp4", 10, &[]);
    let length = std::fs::metadata(&bad).unwrap().len();
    std::fs::File::options().write(true).open(&bad).unwrap().set_len(length / 2).unwrap();
    let (_dir, _, manifest) = export(&folder, "gate", window("10:00:00", "10:00:15")).await.unwrap();
    assert_eq!(manifest.gaps.len(), 1, "{:?}", manifest.gaps);
    assert_eq!(manifest.gaps[0].to, window("10:00:10", "10:00:11").from);
    assert!(manifest.gaps[0].from < window("10:00:09", "10:00:10").from);
    let told = manifest.gaps[0].reason.clone().unwrap();
    assert_eq!(told, "gate/2026-01-10_10-00-00.mp4 cannot be read: a part of it is damaged");
}

#[tokio::test]
async fn a_window_still_being_recorded_waits_for_it() {
    let recorder = Recorder::new();
    let now = jiff::Timestamp::now();
    let begins = now - jiff::SignedDuration::from_secs(12);
    let begins = jiff::Timestamp::from_second(begins.as_second()).unwrap();
    let name = format!("yard/{}.mp4", begins.strftime("%Y-%m-%d_%H-%M-%S"));
    std::fs::create_dir_all(recorder.path("yard")).unwrap();
    std::fs::write(recorder.path(&name), b"\0\0\0\x20ftypisom").unwrap(); // as a recorder leaves it while it writes
    let asked = Window { from: begins.into(), to: Timestamp::from(begins).plus(Duration::from_secs(6)) };
    let folder = recorder.folder();
    assert_eq!(export(&folder, "yard", asked).await.err(), Some(Trouble::NotYet));
    assert!(!folder.coverage("yard", asked).await.unwrap().complete);

    // also where nothing was written for some time
    recorder.age(&name, Duration::from_secs(60));
    assert_eq!(export(&folder, "yard", asked).await.err(), Some(Trouble::NotYet));

    recorder.record(&name, 10, &[]);
    export(&folder, "yard", asked).await.unwrap();
    let later = Window { from: asked.from, to: Timestamp::from(now).plus(Duration::from_secs(60)) };
    assert_eq!(export(&folder, "yard", later).await.err(), Some(Trouble::NotYet), "its end is yet to come");

    // an open segment that can be read, such as MPEG-TS, is enough where it covers the window
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.ts", |_| {}, &[]);
    let name = name.replace(".mp4", ".ts");
    recorder.record(&name, 8, &[]);
    recorder.age(&name, Duration::ZERO);
    export(&folder, "yard", asked).await.unwrap();
    let more = Window { to: asked.to.plus(Duration::from_secs(3)), ..asked };
    assert_eq!(export(&folder, "yard", more).await.err(), Some(Trouble::NotYet));
}

#[tokio::test]
async fn other_containers_sound_and_odd_names_are_exported_too() {
    let recorder = Recorder::new();
    let tone = ["-f", "lavfi", "-i", "sine=sample_rate=8000", "-shortest", "-c:a"];
    for (suffix, sound, container) in [("ts", "aac", "mp4"), ("mkv", "pcm_mulaw", "matroska"), ("mp4", "aac", "mp4")] {
        let camera = "it's %d é";
        for second in ["00", "10"] {
            // sound comes as a second input: written by hand, as `record` has one
            let path = recorder.path(&format!("{camera}/2026-01-10_10-00-{second}.{suffix}"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut command = Command::new("ffmpeg");
            command.args(["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=size=160x90:rate=10"]).args(&tone[..4]);
            command.args(["-t", "10", "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p"]);
            command.args(["-c:a", sound]).arg(media::file_url(&path));
            assert!(command.status().unwrap().success());
            let name = format!("{camera}/2026-01-10_10-00-{second}.{suffix}");
            recorder.age(&name, Duration::from_secs(600));
        }
        let folder = recorder.folder_with(&format!("{{camera}}/%Y-%m-%d_%H-%M-%S.{suffix}"), |_| {}, &[]);
        let asked = window("10:00:03.300", "10:00:16");
        let (_dir, path, manifest) = export(&folder, camera, asked).await.unwrap();
        assert_eq!(manifest.export.container, container);
        assert_eq!(manifest.gaps, [], "{suffix}");
        let early = asked.from.as_micros() - manifest.first_frame.as_micros();
        assert!((0..=1_000_000).contains(&early), "{suffix}: {}", manifest.first_frame);
        let late = manifest.last_frame.as_micros() - asked.to.as_micros();
        assert!((-100_000..=1_000_000).contains(&late), "{suffix}: {}", manifest.last_frame);
        assert_eq!(media::facts(&path).await.unwrap().audio.unwrap().codec, sound, "copied, not encoded again");
    }
}

#[tokio::test]
async fn zones_and_clock_offsets_are_reckoned_with() {
    let recorder = Recorder::new();
    recorder.record("yard/2026-01-10_11-00-00.mp4", 10, &[]); // 10:00 UTC by a clock in Zurich
    let ahead = SourceConfig { id: "yard".into(), clock_offset_ms: Some(3_000), ..Default::default() };
    let pattern = "{camera}/%Y-%m-%d_%H-%M-%S.mp4";
    let folder = recorder.folder_with(pattern, |config| config.time_zone = "Europe/Zurich".into(), &[]);
    assert_eq!(
        folder.coverage("yard", window("09:00:00", "12:00:00")).await.unwrap().spans,
        [window("10:00:00", "10:00:10")]
    );
    let folder = recorder.folder_with(pattern, |config| config.time_zone = "Europe/Zurich".into(), &[ahead]);
    let (_dir, _, manifest) = export(&folder, "yard", window("09:59:58", "10:00:05")).await.unwrap();
    assert_eq!(manifest.first_frame, window("09:59:58", "10:00:00").from);
    assert_eq!(manifest.clock_offset.unwrap().offset_ms, 3_000);
}

#[tokio::test]
async fn cameras_are_found_and_what_is_wrong_is_said() {
    let recorder = Recorder::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("2026-01-10_10-00-00.mp4"), b"secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), recorder.path("link")).unwrap();
    let folder = recorder.folder();
    let Discovery { sources, problem, .. } = folder.discover().await;
    assert_eq!(sources, []);
    let problem = problem.unwrap();
    assert!(problem.text.contains("matches the pattern"), "{problem:?}");
    assert!(problem.what_to_do.contains("Links"), "{problem:?}");

    recorder.record("yard/2026-01-10_10-00-00.mp4", 2, &[]);
    let named = SourceConfig { id: "yard".into(), name: Some("The yard".into()), ..Default::default() };
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.retention_hours = Some(24), &[named]);
    let Discovery { sources, problem, .. } = folder.discover().await;
    assert_eq!(problem, None);
    assert_eq!(sources.len(), 1, "the link leads out: {sources:?}");
    assert_eq!((sources[0].name.as_str(), sources[0].retention_hours), ("The yard", Some(24)));
    let picture = folder.thumbnail("yard").await.unwrap();
    assert_eq!(&picture[..3], b"\xff\xd8\xff", "a JPEG");

    let wrong = recorder.folder_with("{camera}/%Y%m%d.%H%M%S.mp4", |_| {}, &[]);
    let problem = wrong.discover().await.problem.unwrap();
    assert!(problem.what_to_do.contains("yard/2026-01-10_10-00-00.mp4"), "{problem:?}");
    let gone = recorder.folder_with("%s.mp4", |config| config.path = "/nonexistent/recordings".into(), &[]);
    assert!(gone.discover().await.problem.unwrap().text.contains("cannot be read"));
}

#[tokio::test]
async fn a_long_coverage_does_not_open_every_file() {
    let recorder = Recorder::new();
    let first = recorder.record("yard/2026-01-10_00-00-00.mp4", 10, &[]);
    let unread = recorder.path("none of the recordings");
    std::fs::write(&unread, b"whoever opens this finds no picture").unwrap();
    let start = at("2026-01-10T00:00:00Z").to_jiff().unwrap();
    for index in 1..2_000_i64 {
        if (1_000..1_010).contains(&index) {
            continue;
        }
        let name = (start + jiff::SignedDuration::from_secs(10 * index)).strftime("%Y-%m-%d_%H-%M-%S").to_string();
        let before_a_gap = [999, 1_999].contains(&index);
        let content = if before_a_gap { &first } else { &unread };
        std::fs::hard_link(content, recorder.path(&format!("yard/{name}.mp4"))).unwrap();
    }
    let coverage = recorder.folder().coverage("yard", window("00:00:00", "12:00:00")).await.unwrap();
    assert_eq!(coverage.spans, [window("00:00:00", "02:46:40"), window("02:48:20", "05:33:20")]);
}

/// Segments that begin 0.7 s later than the whole seconds of their names, as ffmpeg's segments do.
fn late_by_700_ms(recorder: &Recorder, exact_changes: bool) {
    std::fs::create_dir_all(recorder.path("yard")).unwrap();
    for start in ["10:00:00", "10:00:10", "10:00:20"] {
        let begins = window(start, "11:00:00").from.plus(Duration::from_millis(700));
        let file = recorder.path(&format!("yard/2026-01-10_{}.mp4", start.replace(':', "-")));
        world::film(&file, begins, 10);
        let closed = begins.plus(Duration::from_millis(if exact_changes { 10_040 } else { 3_600_300 }));
        let closed = SystemTime::UNIX_EPOCH + Duration::from_micros(closed.as_micros().unsigned_abs());
        std::fs::File::options().append(true).open(&file).unwrap().set_modified(closed).unwrap();
    }
}

#[tokio::test]
async fn what_names_leave_open_is_never_missing() {
    for exact_changes in [false, true] {
        let recorder = Recorder::new();
        late_by_700_ms(&recorder, exact_changes);
        let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.name_precision_ms = None, &[]);
        for (from, to) in [("10:00:20.300", "10:00:26"), ("10:00:15", "10:00:29.800"), ("10:00:20", "10:00:25")] {
            let asked = window(from, to);
            let (_dir, path, manifest) = export(&folder, "yard", asked).await.unwrap();
            let times = world::times(&path);
            let (first, last) = (times[0], *times.last().unwrap());
            assert!(first <= asked.from && last >= asked.to.minus(Duration::from_millis(100)), "{first} to {last}");
            let open = if exact_changes { 300 } else { 1_000 };
            assert_eq!(manifest.uncertainty_ms, Some(open));
            let earliest = asked.from.minus(Duration::from_millis(1_000 + 2 * open.unsigned_abs()));
            assert!(first >= earliest, "{first} is too early for {from}");
            let late = first.as_micros() - manifest.first_frame.as_micros();
            assert!((0..=1_000 * open).contains(&late), "said {}, is {first}", manifest.first_frame);
            assert_eq!(manifest.gaps, []);
        }
    }
}

#[tokio::test]
async fn a_recorder_that_shows_only_whole_segments_is_waited_for() {
    let recorder = Recorder::new();
    let now = jiff::Timestamp::now().as_second();
    let name = |start: i64| {
        let start = jiff::Timestamp::from_second(start).unwrap();
        format!("yard/{}.mp4", start.strftime("%Y-%m-%d_%H-%M-%S"))
    };
    // the newest ended 25 s ago; the next one is under way, and nothing of it can be seen
    for start in [now - 145, now - 85] {
        recorder.record(&name(start), 60, &[]);
        recorder.age(&name(start), Duration::from_secs((now - start - 60).unsigned_abs()));
    }
    let second = |at: i64| Timestamp::from_micros(at * 1_000_000);
    let asked = Window { from: second(now - 60), to: second(now - 5) };
    let folder = recorder.folder();
    assert_eq!(export(&folder, "yard", asked).await.err(), Some(Trouble::NotYet));
    assert!(!folder.coverage("yard", asked).await.unwrap().complete);
    // there in time, or after a while given up
    recorder.record(&name(now - 25), 60, &[]);
    let (_dir, _, manifest) = export(&folder, "yard", asked).await.unwrap();
    assert_eq!(manifest.gaps, []);
    let stopped = Recorder::new();
    stopped.record(&name(now - 300), 60, &[]);
    let (_dir, _, manifest) =
        export(&stopped.folder(), "yard", Window { from: second(now - 250), to: second(now - 200) }).await.unwrap();
    assert_eq!(manifest.gaps.len(), 1, "it stopped: no longer waited for");
}

#[tokio::test]
async fn a_long_recording_in_the_hour_that_happens_twice() {
    let recorder = Recorder::new();
    // two hours from 1:10 summer time on; an hour later the clock shows 1:10 again
    let path = recorder.record("yard/20261101T011000.mp4", 7_200, &["-r", "1"]);
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_527_800);
    std::fs::File::options().append(true).open(&path).unwrap().set_modified(end).unwrap();
    let pattern = "{camera}/%Y%m%dT%H%M%S.mp4";
    let folder = recorder.folder_with(pattern, |c| c.time_zone = "America/Los_Angeles".into(), &[]);
    let day = Window { from: at("2026-11-01T00:00:00Z"), to: at("2026-11-02T00:00:00Z") };
    let spans = folder.coverage("yard", day).await.unwrap().spans;
    assert_eq!(spans, [Window { from: at("2026-11-01T08:10:00Z"), to: at("2026-11-01T10:10:00Z") }]);
}

/// A path of MediaMTX may have slashes, and one may lie within another.
#[tokio::test]
async fn names_of_several_folders() {
    let recorder = Recorder::new();
    let names = ["gate", "north/gate", "north/gate/low", "1/2/3/4/5/6/7/8", "1/2/3/4/5/6/7/8/9"];
    for (index, name) in names.iter().enumerate() {
        recorder.record(&format!("{name}/2026-01-10_10-00-00-{index}00000.mp4"), 2, &[]);
    }
    std::os::unix::fs::symlink(recorder.path("."), recorder.path("north/circle")).unwrap();
    let folder = recorder.folder_with("{path}/%Y-%m-%d_%H-%M-%S-%f.mp4", |_| {}, &[]);
    let found = folder.discover().await;
    assert_eq!(found.problem, None);
    let ids: Vec<_> = found.sources.iter().map(|source| source.device_id.as_str()).collect();
    assert_eq!(ids, ["1/2/3/4/5/6/7/8", "gate", "north/gate", "north/gate/low"], "eight folders deep at most");
    for (index, name) in names[..4].iter().enumerate() {
        let (_dir, _, manifest) = export(&folder, name, window("10:00:00", "10:00:02")).await.unwrap();
        let segments: Vec<_> = manifest.segments.iter().map(|segment| segment.name.clone()).collect();
        assert_eq!(segments, [format!("{name}/2026-01-10_10-00-00-{index}00000.mp4")], "that camera's alone");
    }
    for none in ["north", "north/gat", "1/2", "north/../gate", ""] {
        let none = export(&folder, none, window("10:00:00", "10:00:02")).await.unwrap_err();
        assert_eq!(reason(none), UnavailableReason::NeverRecorded);
    }
}

/// ffmpeg names its first segment after it has looked at the stream for seconds, and writes into it what came meanwhile.
#[tokio::test]
async fn a_first_segment_that_is_named_late_begins_before_its_name() {
    let recorder = Recorder::new();
    let (first, next) = ("yard/2026-01-10_10-00-04.mp4", "yard/2026-01-10_10-00-20.mp4");
    recorder.record(first, 20, &[]); // from 10:00:00.1 on
    recorder.record(next, 20, &[]);
    recorder.close(next, "10:00:40", 150);
    // as the file system tells it, and as a copy does that knows whole seconds
    for (ms, unsure) in [(150, 300), (0, 1_300)] {
        recorder.close(first, "10:00:20", ms);
        let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.name_precision_ms = None, &[]);
        let (_into, path, manifest) = export(&folder, "yard", window("10:00:01", "10:00:03")).await.unwrap();
        assert!(manifest.gaps.is_empty(), "{manifest:?}");
        let (first, last) = (manifest.first_frame, manifest.last_frame);
        assert!(first <= on_that_day("10:00:01") && last >= on_that_day("10:00:03"), "{manifest:?}");
        let begins = manifest.segments[0].from;
        assert!((on_that_day("09:59:59.7")..on_that_day("10:00:00.2")).contains(&begins), "{manifest:?}");
        assert_eq!(manifest.uncertainty_ms, Some(unsure));
        assert!(!frames(&path).await.is_empty());
    }
}

/// A camera that falls out before its file is closed leaves it shorter than the time to its last change.
#[tokio::test]
async fn pictures_missing_at_the_end_of_a_file_do_not_date_it_late() {
    let recorder = Recorder::new();
    let names = ["yard/2026-01-10_10-00-00.mp4", "yard/2026-01-10_10-00-10.mp4", "yard/2026-01-10_10-00-20.mp4"];
    for ((name, seconds), closed) in names.iter().zip([10, 7, 10]).zip(["10:00:10", "10:00:20", "10:00:30"]) {
        recorder.record(name, seconds, &[]);
        recorder.close(name, closed, 100);
    }
    let precise_to = |ms| move |config: &mut FolderConfig| config.name_precision_ms = Some(ms);
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", precise_to(6_000), &[]);
    let asked = window("10:00:11", "10:00:16");
    let begins = async || export(&folder, "yard", asked).await.unwrap().2.segments[0].from;
    assert!((on_that_day("10:00:10")..=on_that_day("10:00:10.1")).contains(&begins().await), "{}", begins().await);
    std::fs::remove_file(recorder.path(names[0])).unwrap();
    assert_eq!(begins().await, on_that_day("10:00:10"), "nothing tells when it was opened");
}

/// A recorder that is cut off closes its last file when it gives up: that time says nothing of the last picture.
#[tokio::test]
async fn a_file_that_was_closed_late_begins_when_its_name_says() {
    let recorder = Recorder::new();
    let (first, next) = ("yard/2026-01-10_10-00-20.mp4", "yard/2026-01-10_10-01-00.mp4");
    recorder.record(first, 10, &[]);
    recorder.record(next, 10, &[]);
    recorder.close(first, "10:00:30", 850);
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |config| config.name_precision_ms = None, &[]);
    let (_into, _, manifest) = export(&folder, "yard", window("10:00:20", "10:00:28")).await.unwrap();
    assert_eq!(
        (manifest.segments[0].from, manifest.uncertainty_ms),
        (on_that_day("10:00:20"), Some(1_000)),
        "{manifest:?}"
    );
}
