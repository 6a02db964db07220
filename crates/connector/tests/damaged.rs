//! Times and losses, judged by the pictures: recordings of each kind that recorders write, whole and damaged as disks damage them.
//! A picture is known by the hash of its decoded pixels, and so is the moment at which it was recorded.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use domain::{Timestamp, Window};
use protocol::Manifest;
use sightline_connector::adapter::folder::Folder;
use sightline_connector::adapter::{Adapter, Asked, Exported};
use sightline_connector::growth::Fetched;

/// Ten pictures a second, a key frame every two seconds.
const FRAME_MS: i64 = 100;
const SEGMENT_SECONDS: i64 = 20;
const SEGMENTS: i64 = 3;

fn begin() -> Timestamp {
    "2026-01-10T10:00:00Z".parse().unwrap()
}

fn later(ms: i64) -> Timestamp {
    begin().plus(Duration::from_millis(ms.unsigned_abs()))
}

fn since_begin(at: Timestamp) -> i64 {
    (at.as_micros() - begin().as_micros() + 500) / 1_000
}

const PLAIN: &[&str] = &["-an", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"];
const B_FRAMES: &[&str] = &["-an", "-c:v", "libx264", "-preset", "veryfast", "-bf", "2"];
const SOUND: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-c:a", "aac"];
const BOTH: &[&str] = &["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-c:a", "aac"];
const HEVC: &[&str] = &["-an", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=20:log-level=none"];
const FRAGMENTED: &[&str] = &["-movflags", "frag_keyframe+empty_moov"];
const CMAF: &[&str] = &["-movflags", "frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets"];

/// Stands for the second in which a segment begins.
const BEGINS: &str = "BEGINS";
/// Each segment's clock goes on from the one before.
const GOING_ON: &[&str] = &["-output_ts_offset", BEGINS];

/// A camera's segments and when each picture of them was recorded, in milliseconds.
struct Recorded {
    dir: tempfile::TempDir,
    suffix: &'static str,
    segments: Vec<Vec<u8>>,
    moments: HashMap<String, i64>,
    /// What the folder is told of the names.
    name_precision_ms: i64,
}

fn name(index: i64, suffix: &str) -> String {
    let second = index * SEGMENT_SECONDS;
    format!("2026-01-10_10-{:02}-{:02}.{suffix}", second / 60, second % 60)
}

fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let out = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(arguments).output().unwrap();
    out.stdout
}

/// Each picture's time in milliseconds from the first, and its hash.
fn pictures(path: &Path) -> Vec<(i64, String)> {
    let path = path.to_str().unwrap();
    let out = ffmpeg(&["-ec", "0", "-i", path, "-map", "0:v:0", "-vsync", "0", "-f", "framemd5", "-"]);
    let text = String::from_utf8(out).unwrap();
    let base = text.lines().find_map(|line| line.strip_prefix("#tb 0: ")).unwrap_or("1/1");
    let (top, bottom) = base.split_once('/').unwrap();
    let (top, bottom): (i64, i64) = (top.parse().unwrap(), bottom.parse().unwrap());
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let mut shown: Vec<(i64, String)> = rows
        .map(|line| {
            let fields: Vec<_> = line.split(',').map(str::trim).collect();
            (fields[2].parse::<i64>().unwrap() * 1_000 * top / bottom, fields[5].to_owned())
        })
        .collect();
    let first = shown.first().map_or(0, |(at, _)| *at);
    shown.iter_mut().for_each(|(at, _)| *at -= first);
    shown
}

impl Recorded {
    fn new(suffix: &'static str, arguments: &[&str], more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (mut segments, mut moments) = (Vec::new(), HashMap::new());
        for index in 0..SEGMENTS {
            let path = dir.path().join(name(index, suffix));
            let start = (index * SEGMENT_SECONDS).to_string();
            let trim = format!("trim=start={start},setpts=PTS-STARTPTS");
            let long = SEGMENT_SECONDS.to_string();
            let input =
                ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10", "-f", "lavfi", "-i", "sine=frequency=440"];
            let cut = ["-vf", &trim, "-t", &long, "-g", "20", "-pix_fmt", "yuv420p", "-shortest"];
            let more: Vec<_> = more.iter().map(|one| if *one == BEGINS { start.as_str() } else { one }).collect();
            ffmpeg(&[&input[..], &cut, arguments, &more, &[path.to_str().unwrap()]].concat());
            let shown = pictures(&path);
            assert!(shown.len() >= 200, "{} pictures of {}", shown.len(), path.display());
            for (at, hash) in shown {
                moments.insert(hash, index * SEGMENT_SECONDS * 1_000 + at);
            }
            segments.push(std::fs::read(path).unwrap());
        }
        Self { dir, suffix, segments, moments, name_precision_ms: 0 }
    }

    /// Puts damaged segments in the place of the whole ones.
    fn damage(&self, how: &dyn Fn(&mut [Vec<u8>])) {
        let mut segments = self.segments.clone();
        how(&mut segments);
        for (index, bytes) in (0..).zip(segments) {
            let path = self.dir.path().join(name(index, self.suffix));
            if bytes.is_empty() {
                std::fs::remove_file(path).unwrap();
                continue;
            }
            std::fs::write(&path, bytes).unwrap();
            let file = std::fs::File::options().append(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(3_600)).unwrap();
        }
    }

    async fn export(&self, window: Window, into: &Path) -> Exported {
        sightline_connector::media::confine_by(vec![
            env!("CARGO_BIN_EXE_sightline-connector").into(),
            "confined".into(),
        ]);
        let pattern = format!("%Y-%m-%d_%H-%M-%S.{}", self.suffix);
        let (path, precision) = (self.dir.path(), self.name_precision_ms);
        let config =
            format!("path = {path:?}\npattern = {pattern:?}\ncamera = \"yard\"\nname_precision_ms = {precision}");
        let folder = Folder::new(toml::from_str(&config).unwrap(), vec![]).unwrap();
        let asked = Asked { device_id: "yard".into(), window, now: later(86_400_000), kept_since: None };
        folder.export(&asked, into, &Fetched::default()).await.unwrap()
    }

    /// What becomes of the window when the segments are damaged so.
    async fn judge(&self, damage: &dyn Fn(&mut [Vec<u8>])) -> Verdict {
        self.judge_within(5_000, 55_000, damage).await
    }

    /// Of a window in milliseconds after the beginning.
    async fn judge_within(&self, from: i64, to: i64, damage: &dyn Fn(&mut [Vec<u8>])) -> Verdict {
        self.damage(damage);
        let into = tempfile::tempdir().unwrap();
        let window = Window::checked(later(from), later(to)).unwrap();
        let Exported { path, manifest } = self.export(window, into.path()).await;
        let first = since_begin(manifest.first_frame);
        let mut verdict = Verdict { manifest, exact: 0, spoilt: 0, untold: 0, misplaced: Vec::new() };
        for (at, hash) in pictures(&path) {
            let told = verdict.gaps().iter().any(|(from, to, _)| (from - 1..*to).contains(&(first + at)));
            match self.moments.get(&hash) {
                None if told => verdict.spoilt += 1,
                None => verdict.untold += 1,
                Some(recorded) if (first + at - recorded).abs() < FRAME_MS / 2 => verdict.exact += 1,
                Some(recorded) => verdict.misplaced.push((first + at, *recorded)),
            }
        }
        verdict
    }
}

#[derive(Debug)]
struct Verdict {
    manifest: Manifest,
    /// Pictures that are as they were recorded, at their time.
    exact: usize,
    /// Pictures that are none of those recorded, in a gap that is told.
    spoilt: usize,
    /// Those of which nothing is said.
    untold: usize,
    /// Pictures at another time than their own: claimed and true.
    misplaced: Vec<(i64, i64)>,
}

impl Verdict {
    fn gaps(&self) -> Vec<(i64, i64, String)> {
        let tell = |gap: &protocol::Gap| {
            (since_begin(gap.from), since_begin(gap.to), gap.reason.clone().unwrap_or_else(|| "-".into()))
        };
        self.manifest.gaps.iter().map(tell).collect()
    }
}

struct Damage {
    name: &'static str,
    /// What becomes of the segments' bytes.
    to: fn(&mut [Vec<u8>]),
    /// So much may be lost: no more than up to the next key frame or fragment.
    lost_at_most_ms: i64,
    /// So many places are damaged, each of which may leave pictures that no decoder shows, up to the next key frame.
    places: usize,
}

const KEY_FRAME_INTERVAL: usize = 20;

fn noise(bytes: &mut [u8], at: f64, long: usize) {
    let from = (bytes.len() as f64 * at) as usize;
    let mut state = from as u32 | 1;
    for byte in bytes.iter_mut().skip(from).take(long) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
}

/// Where the first picture begins: after what tells of the tracks.
fn first_picture(bytes: &[u8]) -> usize {
    let find = |what: &[u8]| bytes.windows(what.len()).position(|here| here == what);
    let cluster = [0x1f, 0x43, 0xb6, 0x75];
    find(b"moof").or_else(|| find(&cluster)).or_else(|| Some(find(b"mdat")? + 4)).unwrap_or(0)
}

fn zeroes(bytes: &mut [u8], at: f64, long: usize) {
    let from = (bytes.len() as f64 * at) as usize / 4_096 * 4_096;
    bytes.iter_mut().skip(from).take(long).for_each(|byte| *byte = 0);
}

/// A page of the disk lost in each segment, a run of noise, noise on both sides of a seam, sectors lost all over.
const DAMAGES: [Damage; 6] = [
    Damage {
        name: "a page",
        to: |all| all.iter_mut().for_each(|one| zeroes(one, 0.5, 4_096)),
        lost_at_most_ms: 6_200,
        places: 3,
    },
    Damage {
        name: "64 KiB of the first",
        to: |all| noise(&mut all[0], 0.5, 65_536),
        lost_at_most_ms: 4_200,
        places: 2,
    },
    Damage { name: "64 KiB", to: |all| noise(&mut all[1], 0.5, 65_536), lost_at_most_ms: 4_200, places: 2 },
    Damage {
        name: "around a seam",
        to: |all| {
            noise(&mut all[1], 0.85, 20_000);
            noise(&mut all[2], 0.05, 20_000);
        },
        lost_at_most_ms: 4_600,
        places: 2,
    },
    Damage {
        name: "the first pictures",
        to: |all| {
            let at = first_picture(&all[1]);
            noise(&mut all[1][at..], 0.0, 4_096);
        },
        lost_at_most_ms: 2_200,
        places: 1,
    },
    Damage {
        name: "sectors",
        to: |all| {
            for one in all {
                (0..8).for_each(|place| noise(one, 0.113 + 0.1 * f64::from(place), 512));
            }
        },
        lost_at_most_ms: 24 * 2_000,
        places: 24,
    },
];

/// Whole: every picture is there, at its time. Damaged: what is lost is told, with its reason, and is no more than it must be.
async fn holds(suffix: &'static str, arguments: &[&str], more: &[&str]) {
    let recorded = Recorded::new(suffix, arguments, more);
    let whole = recorded.judge(&|_| {}).await;
    assert_eq!((whole.spoilt + whole.untold, &whole.misplaced[..], whole.gaps()), (0, &[][..], vec![]));
    assert!(whole.exact >= 511, "{} pictures from 4 to 55", whole.exact);
    assert_eq!(since_begin(whole.manifest.first_frame), 4_000);
    for damage in DAMAGES {
        let seen = recorded.judge(&damage.to).await;
        let gaps = seen.gaps();
        let told = format!("{}: {seen:?}", damage.name);
        let lost: i64 = gaps.iter().map(|(from, to, _)| to - from).sum();
        assert!(lost <= damage.lost_at_most_ms, "{lost} lost; {told}");
        let why =
            |why: &str| ["a part of it is damaged", "its beginning is missing"].iter().any(|end| why.ends_with(end));
        assert!(gaps.iter().all(|(.., told)| told.contains(" cannot be read: ") && why(told)), "{told}");
        assert!(since_begin(seen.manifest.last_frame) >= 54_900, "{told}");
        // a decoder may show an old picture once more where it cannot read the new one
        assert!(seen.misplaced.len() <= damage.places, "{told}");
        // that a picture is lost a transport stream tells by its packets' numbers; of other kinds one that is there may be spoilt inside,
        // and with it those that build on it: with an open group of pictures a few of the next, too
        let untold = if suffix == "ts" { 1 } else { KEY_FRAME_INTERVAL + 3 } * damage.places;
        assert!(seen.untold <= untold, "{} spoilt and not told; {told}", seen.untold);
        let shown = seen.exact + seen.spoilt + seen.untold + seen.misplaced.len();
        let hidden = whole.exact.saturating_sub(shown + (lost / FRAME_MS) as usize);
        assert!(hidden <= damage.places * KEY_FRAME_INTERVAL, "{hidden} neither shown nor told; {told}");
    }
}

/// Nothing of what is left is damaged, and only the clocks tell that it is not the beginning.
#[tokio::test]
async fn a_beginning_that_is_cut_off_moves_nothing() {
    for (suffix, arguments, more) in [("ts", PLAIN, &[][..]), ("ts", PLAIN, GOING_ON), ("mp4", PLAIN, CMAF)] {
        let recorded = Recorded::new(suffix, arguments, more);
        let cut = |all: &mut [Vec<u8>]| {
            let bytes = &mut all[1];
            if suffix == "ts" {
                let third = bytes.len() * 3 / 10 / 188 * 188;
                bytes.drain(..third);
            } else {
                let moofs: Vec<_> =
                    bytes.windows(4).enumerate().filter(|(_, name)| name == b"moof").map(|(at, _)| at).collect();
                bytes.drain(moofs[0] - 4..moofs[3] - 4);
            }
        };
        let seen = recorded.judge(&cut).await;
        let gaps = seen.gaps();
        let told = format!("{suffix} {more:?}: {seen:?}");
        assert!(gaps.len() == 1 && (19_900..=20_000).contains(&gaps[0].0) && gaps[0].1 <= 28_100, "{told}");
        assert!(gaps[0].2.ends_with(" cannot be read: its beginning is missing"), "{told}");
        assert!(seen.misplaced.is_empty() && seen.untold <= 20, "{told}");
        // what is left is found where it is, also where its neighbours are not asked for
        for (from, to) in [(30_000, 45_000), (30_000, 34_000), (36_000, 40_000)] {
            let seen = recorded.judge_within(from, to, &cut).await;
            assert!(seen.gaps().is_empty() && seen.misplaced.is_empty(), "{from} to {to}; {seen:?}");
            assert!(since_begin(seen.manifest.first_frame) <= from, "{from} to {to}; {seen:?}");
        }
    }
}

/// A recorder that is switched off leaves a short recording that is whole, and after the outage its clock begins anew.
#[tokio::test]
async fn a_short_recording_before_an_outage_stays_where_it_is() {
    let recorded = Recorded { name_precision_ms: 1_000, ..Recorded::new("ts", PLAIN, &[]) };
    let outage = |all: &mut [Vec<u8>]| {
        let whole = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(whole.path(), &all[0]).unwrap();
        all[0] = ffmpeg(&["-i", whole.path().to_str().unwrap(), "-t", "0.9", "-c", "copy", "-f", "mpegts", "-"]);
        all[1].clear();
    };
    let seen = recorded.judge_within(0, 60_000, &outage).await;
    let gaps = seen.gaps();
    assert!(gaps.len() == 1 && (800..=1_000).contains(&gaps[0].0) && gaps[0].1 == 40_000, "{seen:?}");
    assert!(seen.exact >= 208 && seen.misplaced.is_empty(), "{seen:?}");
}

/// A file that cannot be read is the reason also where the window begins within it.
#[tokio::test]
async fn a_window_that_begins_in_what_cannot_be_read_has_its_reason() {
    let recorded = Recorded::new("mp4", PLAIN, &[]);
    let seen = recorded.judge(&|all| all[0].truncate(2_000)).await;
    let [(from, to, why)] = &seen.gaps()[..] else { panic!("{seen:?}") };
    assert_eq!((*from, *to), (5_000, 20_000));
    assert!(why.contains("10-00-00.mp4 cannot be read: "), "{why}");
}

/// A recording that is gone and a window that ends after the last are gaps of just that length.
#[tokio::test]
async fn what_was_never_there_is_a_gap() {
    let kinds: [(_, _, &[&str]); 3] =
        [("mp4", BOTH, FRAGMENTED), ("ts", BOTH, GOING_ON), ("mkv", BOTH, &["-output_ts_offset", "30"])];
    for (suffix, arguments, more) in kinds {
        let recorded = Recorded::new(suffix, arguments, more);
        let seen = recorded.judge_within(5_000, 70_000, &|all| all[1].clear()).await;
        let gaps: Vec<_> = seen.gaps().into_iter().map(|(from, to, _)| (from, to)).collect();
        assert_eq!(gaps, [(20_000, 40_000), (60_000, 70_000)], "{suffix}");
        assert_eq!((seen.spoilt + seen.untold, &seen.misplaced[..]), (0, &[][..]), "{suffix}");
        assert_eq!(seen.manifest.key_frame_interval_ms, Some(2_000), "{suffix}");
    }
}

macro_rules! recordings {
    ($($name:ident: $suffix:literal, $arguments:expr, $more:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            holds($suffix, $arguments, $more).await;
        })*
    };
}

recordings! {
    mp4: "mp4", PLAIN, &[];
    mp4_with_b_frames: "mp4", B_FRAMES, &[];
    mp4_with_sound: "mp4", SOUND, &[];
    mp4_with_both: "mp4", BOTH, &[];
    mp4_of_hevc: "mp4", HEVC, &[];
    fragmented_mp4: "mp4", PLAIN, FRAGMENTED;
    fragmented_mp4_with_both: "mp4", BOTH, FRAGMENTED;
    fragmented_mp4_of_hevc: "mp4", HEVC, FRAGMENTED;
    cmaf: "mp4", BOTH, CMAF;
    mpeg_ts: "ts", PLAIN, &[];
    mpeg_ts_with_both: "ts", BOTH, &[];
    mpeg_ts_that_goes_on: "ts", BOTH, GOING_ON;
    mpeg_ts_that_runs_over: "ts", BOTH, &["-output_ts_offset", "95430"];
    mpeg_ts_that_is_about_to: "ts", PLAIN, &["-output_ts_offset", "95400"];
    matroska: "mkv", PLAIN, &[];
    matroska_with_both: "mkv", BOTH, &[];
    matroska_that_begins_late: "mkv", BOTH, &["-output_ts_offset", "30"];
    matroska_that_goes_on: "mkv", PLAIN, GOING_ON;
}
