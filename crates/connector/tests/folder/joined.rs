//! What comes of recordings that are joined in one export: judged by what is seen in each picture.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use domain::Window;
use domain::id::RequestItemId;
use protocol::SourceDescription;
use sightline_connector::adapter::Exported;
use sightline_connector::held::{Held, Holds, Kept, Taken};

use super::{Recorder, export, media, on_that_day, window, world};

/// The pictures of a file, each as the hash of what is seen.
fn seen(path: &Path) -> Vec<String> {
    let mut command = Command::new("ffmpeg");
    let hashes = command.args(["-v", "error", "-i"]).arg(path).args(["-map", "0:v", "-f", "framemd5", "-"]).output();
    let text = String::from_utf8(hashes.unwrap().stdout).unwrap();
    let last = |line: &str| line.rsplit(',').next().unwrap().trim().to_owned();
    text.lines().filter(|line| !line.starts_with('#')).map(last).collect()
}

/// Whether all of `part` is in `whole`, one after the other.
fn within(part: &[String], whole: &[String]) -> bool {
    !part.is_empty() && whole.windows(part.len()).any(|run| run == part)
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success());
}

/// Both recordings decode by themselves; joined, the second must not be decoded by the first one's settings.
#[tokio::test]
async fn a_camera_whose_settings_change_is_seen_on_both_sides() {
    for (codec, settings, before, after) in [
        ("libx265", "-x265-params", "log-level=error:ctu=16", "log-level=error:ctu=32:ref=4"),
        ("libx265", "-x265-params", "log-level=error:bframes=0", "log-level=error:bframes=2"),
        ("libx264", "-x264-params", "cabac=0:8x8dct=0", "cabac=1:8x8dct=1:ref=4"),
    ] {
        let recorder = Recorder::new();
        let record = |name, set| recorder.record(name, 10, &["-c:v", codec, "-preset", "veryfast", settings, set]);
        let segments = [record("yard/2026-01-10_10-00-00.mp4", before), record("yard/2026-01-10_10-00-10.mp4", after)];
        let (_into, path, manifest) = export(&recorder.folder(), "yard", window("10:00:00", "10:00:20")).await.unwrap();
        assert_eq!(manifest.gaps, []);
        assert_eq!(seen(&path), segments.map(|path| seen(&path)).concat(), "{codec} {after}");
    }
}

/// In MPEG-TS its pictures are written down in another way than in the copy that is made to enter it.
#[tokio::test]
async fn h265_in_mpeg_ts_is_seen_beyond_a_seam() {
    let recorder = Recorder::new();
    let h265 = ["-c:v", "libx265", "-x265-params", "log-level=error"];
    let name = |second: &str| format!("yard/2026-01-10_10-00-{second}.ts");
    let segments = ["00", "10", "20"].map(|second| recorder.record(&name(second), 10, &h265));
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.ts", |_| {}, &[]);
    let (_into, path, manifest) = export(&folder, "yard", window("10:00:05.500", "10:00:25")).await.unwrap();
    assert_eq!(manifest.gaps, []);
    let pictures = seen(&path);
    assert!((196..=206).contains(&pictures.len()), "{}", pictures.len());
    // what comes beyond the end may have been stored before it, and not all of it
    assert!(within(&pictures[..196], &segments.map(|path| seen(&path)).concat()));
}

/// A recording of 40 seconds, and halfway through it one of 30.
fn overlapping() -> Recorder {
    let recorder = Recorder::new();
    std::fs::create_dir_all(recorder.path("yard")).unwrap();
    for (begins, seconds) in [("10:00:00", 40), ("10:00:20", 30)] {
        let name = format!("yard/2026-01-10_{}.mp4", begins.replace(':', "-"));
        world::film(&recorder.path(&name), on_that_day(begins), seconds);
        recorder.age(&name, Duration::from_secs(3_600));
    }
    recorder
}

/// Its pictures are those of the window, each of them, and at most a key-frame interval more at either end.
fn is_the_window(path: &Path, asked: Window) {
    let mut times = world::times(path);
    times.sort_unstable();
    let (first, last) = (times[0], *times.last().unwrap());
    assert!(first <= asked.from && first >= asked.from.minus(Duration::from_secs(1)), "{first} for {asked:?}");
    let end = last.plus(Duration::from_millis(100));
    assert!(end >= asked.to && end <= asked.to.plus(Duration::from_secs(1)), "{last} for {asked:?}");
    let within: Vec<_> = times.into_iter().filter(|at| *at <= asked.to).collect();
    assert!(within.windows(2).all(|pair| pair[1].since(pair[0]) <= Duration::from_millis(150)), "{asked:?}");
}

/// Clips of what moved beside recordings of two minutes: those hold all of the window, whatever lies within them or between.
#[tokio::test]
async fn a_clip_within_a_longer_recording_hides_nothing_of_it() {
    let recorder = Recorder::new();
    std::fs::create_dir_all(recorder.path("yard")).unwrap();
    let clips = [("10:00:20", 5), ("10:00:30", 5), ("10:00:40", 10), ("10:02:05", 5)];
    for (begins, seconds) in [("10:00:00", 120), ("10:02:00", 60)].into_iter().chain(clips) {
        let name = format!("yard/2026-01-10_{}.mp4", begins.replace(':', "-"));
        world::film(&recorder.path(&name), on_that_day(begins), seconds);
        recorder.age(&name, Duration::from_secs(3_600));
    }
    let folder = recorder.folder();
    for (from, to) in [
        ("10:00:22", "10:00:50"),
        ("10:00:42", "10:01:10"),
        ("10:01:00", "10:01:30"),
        ("10:01:50", "10:02:10"),
        ("10:02:07", "10:02:40"),
        ("10:00:05", "10:02:55"),
    ] {
        let asked = window(from, to);
        let (_into, path, manifest) = export(&folder, "yard", asked).await.unwrap();
        assert_eq!(manifest.gaps, [], "{from} to {to}");
        is_the_window(&path, asked);
        let pictures = world::times(&path).len();
        let most = usize::try_from(asked.duration().as_secs() * 10).unwrap() + 12;
        assert!(pictures <= most, "{pictures} pictures from {from} to {to}: none comes twice");
        let coverage = folder.coverage("yard", asked).await.unwrap();
        assert_eq!(coverage.spans, [asked]);
    }
    // also where another camera made the clips
    recorder.record("yard/2026-01-10_10-01-00.mp4", 5, &[]);
    let asked = window("10:01:02", "10:01:20");
    is_the_window(&export(&folder, "yard", asked).await.unwrap().1, asked);
}

/// Nobody is handed more than was granted because two recordings hold it.
#[tokio::test]
async fn recordings_that_overlap_end_with_the_window() {
    let recorder = overlapping();
    for (from, to) in [("10:00:05", "10:00:25"), ("10:00:22", "10:00:30"), ("10:00:05", "10:00:45")] {
        let asked = window(from, to);
        let (_into, path, manifest) = export(&recorder.folder(), "yard", asked).await.unwrap();
        assert_eq!(manifest.gaps, []);
        is_the_window(&path, asked);
        assert!(manifest.segments[0].to >= on_that_day("10:00:39"), "the whole recording, as it was hashed");
    }
}

/// Of what is held a part is granted: it is whole, and no more than that, though the export's own clock runs ahead behind an overlap.
#[tokio::test]
async fn a_part_of_held_recordings_that_overlap_is_what_was_granted() {
    let recorder = overlapping();
    for (from, to) in
        [("10:00:06", "10:00:15"), ("10:00:22", "10:00:35"), ("10:00:41", "10:00:48"), ("10:00:06", "10:00:47")]
    {
        let (state, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let holds = Holds::open(state.path(), Some(&state.path().join("key"))).unwrap();
        let whole = window("10:00:05", "10:00:49");
        let (made_in, path, manifest) = export(&recorder.folder(), "yard", whole).await.unwrap();
        let kept = Kept::Lock { name: String::new(), begun: true, lost: false };
        let source = SourceDescription { device_id: "yard".into(), ..SourceDescription::default() };
        let item: RequestItemId = "itm_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        let held = Held { item_id: item.clone(), source, window: whole, until: whole.to, kept };
        holds.keep(held, &Exported { path, manifest }, made_in.path()).unwrap();

        let asked = window(from, to);
        let Taken::Export(part) = holds.take(&item, "yard", asked, into.path()).await.unwrap() else { panic!() };
        assert_eq!((part.manifest.asked, &part.manifest.gaps), (asked, &Vec::new()), "{from} to {to}");
        is_the_window(&part.path, asked);
        let pictures = world::times(&part.path);
        for segment in &part.manifest.segments {
            let place = usize::try_from(segment.at_us / 100_000).unwrap();
            let begins = segment.from.max(pictures[0]);
            assert!(pictures[place].since(begins) <= Duration::from_millis(100), "{segment:?} at {}", pictures[place]);
            assert!(begins.since(pictures[place]) <= Duration::from_millis(100), "{segment:?} at {}", pictures[place]);
        }
        let told = (part.manifest.first_frame, part.manifest.last_frame);
        let (first, last) = (pictures[0], *pictures.iter().max().unwrap());
        for (told, seen) in [(told.0, first), (told.1, last)] {
            assert!(told.as_micros().abs_diff(seen.as_micros()) < 50_000, "{told} is told, {seen} is seen");
        }
    }
}

/// Some recorders end a file wherever they are: the next one's first pictures build on the last of it.
#[tokio::test]
async fn a_seam_that_is_no_key_frame_is_no_damage() {
    for suffix in ["ts", "mp4"] {
        let recorder = Recorder::new();
        let long =
            recorder.record("long.mp4", 30, &["-g", "70", "-keyint_min", "70", "-bf", "0", "-sc_threshold", "0"]);
        let split = recorder.path(&format!("%d.{suffix}"));
        let how = ["-c", "copy", "-f", "segment", "-segment_time", "10", "-break_non_keyframes", "1"];
        run(Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(&long).args(how).arg(&split));
        std::fs::create_dir_all(recorder.path("yard")).unwrap();
        for (index, second) in ["00", "10", "20"].into_iter().enumerate() {
            let name = format!("yard/2026-01-10_10-00-{second}.{suffix}");
            std::fs::rename(recorder.path(&format!("{index}.{suffix}")), recorder.path(&name)).unwrap();
            recorder.age(&name, Duration::from_secs(3_600));
        }
        let folder = recorder.folder_with(&format!("{{camera}}/%Y-%m-%d_%H-%M-%S.{suffix}"), |_| {}, &[]);
        // over two seams, and from the middle of pictures that build on the recording before
        for from in ["10:00:08", "10:00:10.500"] {
            let asked = window(from, "10:00:28");
            let (_into, path, manifest) = export(&folder, "yard", asked).await.unwrap();
            assert_eq!(manifest.gaps, [], "{suffix} from {from}");
            assert!(manifest.first_frame <= asked.from, "{suffix}: {} for {from}", manifest.first_frame);
            let pictures = seen(&path);
            let least = asked.duration().as_millis() / 100;
            assert!(pictures.len() as u128 >= least && within(&pictures, &seen(&long)), "{suffix}: {}", pictures.len());
        }
    }
}

/// With sound of `codec` and so many Hz; none of it if that is empty.
fn with_sound(recorder: &Recorder, second: &str, codec: &str, rate: &str) -> PathBuf {
    let name = format!("yard/2026-01-10_10-00-{second}.mp4");
    let silent = recorder.record(&name, 10, &[]);
    if !codec.is_empty() {
        let heard = recorder.path("heard.mp4");
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-y", "-i"]).arg(&silent).args(["-f", "lavfi", "-i", "sine", "-shortest"]);
        run(command.args(["-c:v", "copy", "-c:a", codec, "-ar", rate]).arg(&heard));
        std::fs::rename(heard, &silent).unwrap();
        recorder.age(&name, Duration::from_secs(3_600));
    }
    silent
}

/// How long a file sounds. Of each packet that is only heard that an MP4 holds: those of MPEG-TS have a head of their own (ADTS).
fn heard(path: &Path) -> Duration {
    let packets = ["-v", "error", "-select_streams", "a", "-show_packets", "-show_data", "-of", "default=nk=0"];
    let out = Command::new("ffprobe").args(packets).arg(path).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(!text.lines().any(|line| line.starts_with("00000000: fff")), "packets with a head");
    let lasting = text.lines().filter_map(|line| line.strip_prefix("duration_time=")?.parse::<f64>().ok());
    Duration::from_secs_f64(lasting.sum())
}

/// Sound of another kind would end the player, and the picture with it.
#[tokio::test]
async fn sound_that_changes_is_left_out_and_that_is_told() {
    let second = "yard/2026-01-10_10-00-10.mp4";
    for (before, after, told) in [
        (("aac", "48000"), ("aac", "48000"), None),
        (("aac", "48000"), ("aac", "16000"), Some(format!("it is of another kind from {second} on"))),
        (("aac", "48000"), ("libmp3lame", "48000"), Some(format!("it is of another kind from {second} on"))),
        (("", ""), ("aac", "48000"), Some(format!("there is none before {second}"))),
        (("aac", "48000"), ("", ""), Some(format!("there is none in {second}"))),
    ] {
        let recorder = Recorder::new();
        with_sound(&recorder, "00", before.0, before.1);
        with_sound(&recorder, "10", after.0, after.1);
        let (_into, path, manifest) = export(&recorder.folder(), "yard", window("10:00:02", "10:00:18")).await.unwrap();
        assert_eq!(media::facts(&path).await.unwrap().audio.is_some(), told.is_none(), "{before:?} {after:?}");
        assert_eq!(manifest.sound_left_out, told);
        assert_eq!(manifest.gaps, []);
    }
}

/// Pictures that are stored in another order than they are shown, with sound: ffmpeg counts from the sound, which begins before them.
#[tokio::test]
async fn sound_beside_b_frames_takes_nothing_from_the_end() {
    let b_frames = ["-g", "20", "-bf", "3", "-b_strategy", "0", "-sc_threshold", "0"];
    for suffix in ["mp4", "ts", "mkv"] {
        let recorder = Recorder::new();
        let silent = recorder.record("silent.mp4", 20, &b_frames);
        std::fs::create_dir_all(recorder.path("yard")).unwrap();
        let mut recorded = Vec::new();
        for second in ["00", "20"] {
            let name = format!("yard/2026-01-10_10-00-{second}.{suffix}");
            let sound = ["-f", "lavfi", "-i", "sine", "-map", "0:v", "-map", "1:a", "-c:v", "copy"];
            let aac = ["-c:a", "aac", "-ar", "16000", "-t", "20"];
            let mut command = Command::new("ffmpeg");
            run(command.args(["-v", "error", "-i"]).arg(&silent).args(sound).args(aac).arg(recorder.path(&name)));
            recorder.age(&name, Duration::from_secs(3_600));
            recorded.extend(seen(&recorder.path(&name)));
        }
        let folder = recorder.folder_with(&format!("{{camera}}/%Y-%m-%d_%H-%M-%S.{suffix}"), |_| {}, &[]);
        for (from, to, first) in
            [("10:00:05", "10:00:15", 40), ("10:00:07", "10:00:36.500", 60), ("10:00:00", "10:00:31.300", 0)]
        {
            let asked = window(from, to);
            let (_into, path, manifest) = export(&folder, "yard", asked).await.unwrap();
            assert_eq!(manifest.gaps, [], "{suffix} {from} to {to}");
            let until = usize::try_from(asked.to.since(on_that_day("10:00:00")).as_millis() / 100).unwrap();
            let pictures = seen(&path);
            assert_eq!(pictures[0], recorded[first], "{suffix} {from} to {to}");
            assert!(within(&recorded[first..until], &pictures), "{suffix} {from} to {to}: {} pictures", pictures.len());
            let apart = heard(&path).as_secs_f64() - pictures.len() as f64 / 10.0;
            assert!(apart.abs() < 0.4, "{suffix} {from} to {to}: sound lasts {apart} s longer");
        }
    }
}

/// Recorders count time in parts of a second of their own choice, and a recorder after its update in others.
#[tokio::test]
async fn recordings_that_count_time_otherwise_are_joined() {
    let recorder = Recorder::new();
    let mut recorded = Vec::new();
    for (second, scale) in [("00", "90000"), ("10", "12800"), ("20", "1000000")] {
        let name = format!("yard/2026-01-10_10-00-{second}.mp4");
        recorder.record(&name, 10, &["-video_track_timescale", scale]);
        recorded.extend(seen(&recorder.path(&name)));
    }
    let (_into, path, manifest) = export(&recorder.folder(), "yard", window("10:00:03", "10:00:28")).await.unwrap();
    assert_eq!(manifest.gaps, []);
    let pictures = seen(&path);
    assert!(within(&recorded[30..280], &pictures), "{} pictures", pictures.len());
    let lasts = media::facts(&path).await.unwrap().duration_us;
    assert!((25_000_000..26_200_000).contains(&lasts), "{lasts}");
}

/// What no MP4 holds comes in Matroska.
#[tokio::test]
async fn vp8_is_exported_as_it_is() {
    let recorder = Recorder::new();
    let name = "yard/2026-01-10_10-00-00.webm";
    std::fs::create_dir_all(recorder.path("yard")).unwrap();
    let picture =
        ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x90:rate=10", "-t", "20", "-c:v", "libvpx", "-g", "10"];
    run(Command::new("ffmpeg").args(picture).arg(recorder.path(name)));
    recorder.age(name, Duration::from_secs(3_600));
    let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.webm", |_| {}, &[]);
    let (_into, path, manifest) = export(&folder, "yard", window("10:00:05", "10:00:15")).await.unwrap();
    assert_eq!((manifest.export.container.as_str(), &manifest.gaps), ("matroska", &Vec::new()));
    assert!(within(&seen(&path)[..100], &seen(&recorder.path(name))));
}

/// An AVI has no times of its own, and beside its sound the pictures would be found at wrong ones.
#[tokio::test]
async fn an_avi_with_sound_is_dated_right_and_silent() {
    for sound in ["aac", "pcm_s16le"] {
        let recorder = Recorder::new();
        let silent = recorder.record("silent.mp4", 20, &["-g", "20", "-bf", "0", "-sc_threshold", "0"]);
        std::fs::create_dir_all(recorder.path("yard")).unwrap();
        let mut recorded = Vec::new();
        for second in ["00", "20"] {
            let name = format!("yard/2026-01-10_10-00-{second}.avi");
            let more =
                ["-f", "lavfi", "-i", "sine", "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", sound, "-t", "20"];
            run(Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(&silent).args(more).arg(recorder.path(&name)));
            recorder.age(&name, Duration::from_secs(3_600));
            recorded.extend(seen(&recorder.path(&name)));
        }
        let folder = recorder.folder_with("{camera}/%Y-%m-%d_%H-%M-%S.avi", |_| {}, &[]);
        for (from, to, first, until) in [("10:00:05", "10:00:15", 40, 150), ("10:00:07", "10:00:36.500", 60, 365)] {
            let (_into, path, manifest) = export(&folder, "yard", window(from, to)).await.unwrap();
            assert_eq!(manifest.gaps, [], "{sound} {from} to {to}");
            assert!(manifest.sound_left_out.is_some_and(|why| why.contains("AVI")));
            let pictures = seen(&path);
            assert_eq!(pictures[0], recorded[first], "{sound} {from} to {to}");
            assert!(within(&recorded[first..until], &pictures), "{sound} {from} to {to}: {} pictures", pictures.len());
        }
    }
}
