//! The folder adapter on recordings that ffmpeg makes: ten frames a second, a key frame each second, so that times can be told
//! from frames.
#![allow(clippy::unwrap_used)]

#[path = "contract/world.rs"]
#[allow(dead_code)]
mod world;

#[path = "folder/joined.rs"]
mod joined;
#[path = "folder/times.rs"]
mod times;
#[path = "folder/waiting.rs"]
mod waiting;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use domain::{Timestamp, Window};
use protocol::{Manifest, UnavailableReason};
use sightline_connector::adapter::folder::Folder;
use sightline_connector::adapter::{Coverage, Discovery, Trouble};
use sightline_connector::config::{AdapterConfig, Config, FolderConfig, Publish, SourceConfig};
use sightline_connector::growth::Fetched;
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
    let exported = folder.export(camera, window, into.path(), &Fetched::default()).await?;
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
    // older than the oldest: nobody knows whether there was something
    assert_eq!(why(&folder, "yard", window("09:00:00", "09:02:00")).await, UnavailableReason::NeverRecorded);
    // the same, had the recorder kept it if there had been anything
    let keeps_long =
        recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.retention_hours = Some(1_000_000), &[]);
    assert_eq!(why(&keeps_long, "yard", window("09:00:00", "09:02:00")).await, UnavailableReason::NeverRecorded);
    let keeps_short = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.mp4", |c| c.retention_hours = Some(24), &[]);
    assert_eq!(why(&keeps_short, "yard", window("09:00:00", "09:02:00")).await, UnavailableReason::Overwritten);
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
