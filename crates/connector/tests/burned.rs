//! The clock in a recorder's pictures, as ffmpeg draws it and tesseract reads it.
#![allow(clippy::unwrap_used)]

#[path = "session/world.rs"]
#[allow(dead_code)]
mod world;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use protocol::{ProblemReport, SourceDescription};
use sightline_connector::adapter::{Adapter, Asked, Coverage, Discovery, Exported, Trouble};
use sightline_connector::burned::{BurnedIn, Face, Unread, seen};
use sightline_connector::config;
use sightline_connector::growth::Fetched;
use sightline_connector::recorder::Recorder;
use world::{Running, Server, check, export};

const PLAIN: &str = "%Y-%m-%d %H:%M:%S";
const FONTS: &str = "/usr/share/fonts/truetype/dejavu";
/// White on a black box, small, over a picture.
const BOXED: Look =
    Look("testsrc2=s=640x360:r=10", "DejaVuSansMono", 20, "fontcolor=white:box=1:boxcolor=black:boxborderw=4");

/// What is behind the letters, their font and size, and how they stand out; as ffmpeg calls it.
#[derive(Clone, Copy)]
struct Look(&'static str, &'static str, u32, &'static str);

/// Where the clock stands in pictures of such a look.
fn place(Look(_, _, size, _): Look) -> String {
    format!("[4, 4, {}, {}]", size * 15, size * 8 / 5)
}

fn face(look: Look, format: &str, zone: &str) -> Face {
    let place = place(look);
    toml::from_str(&format!("source = 'front'\nbox = {place}\nformat = '{format}'\ntime_zone = '{zone}'")).unwrap()
}

/// A JPEG with a text in its upper left corner; so many seconds into what moves behind it.
async fn drawn(Look(behind, font, size, style): Look, text: &str, second: u32) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let filter = format!(
        "drawtext=fontfile={FONTS}/{font}.ttf:textfile={}:expansion=none:x=10:y=10:fontsize={size}:{style}",
        file.path().display()
    );
    let mut ffmpeg = tokio::process::Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", behind, "-ss", &second.to_string(), "-vf", &filter]);
    let out = ffmpeg.args(["-frames:v", "1", "-q:v", "5", "-f", "mjpeg", "-"]).output().await.unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

#[tokio::test]
async fn many_a_clock_is_read() {
    let outlined = "fontcolor=white:bordercolor=black:borderw=2";
    let looks = [
        (BOXED, PLAIN),
        (Look("color=white:s=640x360", "DejaVuSans", 16, "fontcolor=black"), PLAIN),
        (Look("color=0x707070:s=640x360", "DejaVuSans", 20, "fontcolor=white"), PLAIN),
        (Look("testsrc2=s=1280x720:r=10", "DejaVuSansMono-Bold", 32, outlined), PLAIN),
        (Look("testsrc2=s=640x360:r=10", "DejaVuSans", 24, outlined), "%d/%m/%Y %H:%M:%S"),
        (Look("mandelbrot=s=640x360:r=10", "DejaVuSans-Bold", 20, outlined), "%Y/%m/%d %T"),
        (Look("testsrc=s=1920x1080:r=10", "DejaVuSansMono", 40, outlined), "%m-%d-%Y %a %H:%M:%S"),
        (Look("color=black:s=1280x720", "DejaVuSansCondensed", 30, "fontcolor=white"), "%d.%m.%Y %I:%M:%S %p"),
    ];
    for (look, format) in looks {
        for at in ["2026-11-27T10:48:36", "2025-03-09T23:59:07"] {
            let at: jiff::civil::DateTime = at.parse().unwrap();
            let text = strtime::format(format, at).unwrap();
            let picture = drawn(look, &text, 2).await;
            let read = seen(&face(look, format, "UTC"), &picture).await;
            assert_eq!(read.map(|(shown, _)| shown).map_err(|why| format!("{text} with {}: {why}", look.3)), Ok(at));
        }
    }
}

#[tokio::test]
async fn where_there_is_none_none_is_read() {
    let look = Look("testsrc2=s=640x360:r=10", "DejaVuSans", 20, "fontcolor=white");
    let face = face(look, PLAIN, "UTC");
    for text in ["", "Camera 12", "2026-11-27 10:48", "26-11-27 10:48:36"] {
        let picture = drawn(look, text, 1).await;
        assert!(matches!(seen(&face, &picture).await, Err(Unread::NoTime(_))), "{text}");
    }
    let small = drawn(Look("color=gray:s=160x90", "DejaVuSans", 20, "fontcolor=white"), "", 0).await;
    let said = seen(&face, &small).await.unwrap_err().to_string();
    assert!(said.contains("the box reaches beyond the picture, which is 160 x 90"), "{said}");
    assert!(matches!(seen(&face, b"no picture at all").await, Err(Unread::Media(_))));
}

/// A system with one camera, whose pictures show what it is told to.
struct Painted<F> {
    shown: F,
    zone: TimeZone,
    pictures: AtomicI64,
}

impl<F: Fn(i64, Timestamp) -> Timestamp> Painted<F> {
    /// The clock of the n-th picture, from 0 on, is made of its number and of the true time.
    fn new(zone: &str, shown: F) -> Self {
        Self { shown, zone: TimeZone::get(zone).unwrap(), pictures: AtomicI64::new(0) }
    }
}

#[async_trait]
impl<F: Fn(i64, Timestamp) -> Timestamp + Send + Sync> Adapter for Painted<F> {
    fn kind(&self) -> &'static str {
        "painted"
    }

    async fn discover(&self) -> Discovery {
        unreachable!()
    }

    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        assert_eq!(device_id, "front");
        let shown = (self.shown)(self.pictures.fetch_add(1, Ordering::Relaxed), Timestamp::now());
        let text = strtime::format(PLAIN, &shown.to_zoned(self.zone.clone())).unwrap();
        Ok(drawn(BOXED, &text, 1).await)
    }

    async fn coverage(&self, _: &Asked) -> Result<Coverage, Trouble> {
        unreachable!()
    }

    async fn export(&self, _: &Asked, _: &Path, _: &Fetched) -> Result<Exported, Trouble> {
        unreachable!()
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at + jiff::SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn a_clock_that_is_ahead_or_behind_is_measured() {
    let measured = async |zone: &str, ahead: i64| {
        let clock = BurnedIn::new(face(BOXED, PLAIN, zone));
        let shown = clock.read(&Painted::new(zone, move |_, now| later(now, ahead))).await.unwrap().clock;
        assert_eq!(clock.believed(), Some(shown));
        let uncertainty_ms = shown.uncertainty_ms.unwrap();
        assert!(uncertainty_ms >= 1_500);
        let off = (shown.offset_ms - ahead * 1_000).abs();
        assert!(off <= uncertainty_ms, "{zone}: {off} ms beside {ahead} s, of {uncertainty_ms}");
    };
    tokio::join!(measured("Europe/Zurich", 3_607), measured("Asia/Kathmandu", -95), measured("UTC", 0));
}

#[tokio::test]
async fn a_clock_that_lies_is_not_believed() {
    let refused = async |shown: fn(i64, Timestamp) -> Timestamp| {
        let clock = BurnedIn::new(face(BOXED, PLAIN, "UTC"));
        let why = clock.read(&Painted::new("UTC", shown)).await.unwrap_err();
        assert_eq!((clock.believed(), clock.problem()), (None, None));
        why
    };
    let frozen = |_: i64, _: Timestamp| "2026-11-27T10:48:36Z".parse().unwrap();
    // by more than what pictures that take long to come leave open
    let (back, jumps) = (|n: i64, now: Timestamp| later(now, n * -60), |n: i64, now: Timestamp| later(now, n * 30));
    let far = |_: i64, now: Timestamp| later(now, -20 * 366 * 86_400);
    let (frozen, back, jumps, far) = tokio::join!(refused(frozen), refused(back), refused(jumps), refused(far));
    assert!(matches!(frozen, Unread::Stands(text) if text == "2026-11-27 10:48:36"));
    assert!(matches!(back, Unread::Unsteady(..)) && matches!(jumps, Unread::Unsteady(..)));
    assert!(matches!(far, Unread::TooFar(_)));
}

/// A system that tells of a camera and of what is wrong, and shows nothing.
struct Dark;

#[async_trait]
impl Adapter for Dark {
    fn kind(&self) -> &'static str {
        "dark"
    }

    async fn discover(&self) -> Discovery {
        let problem = ProblemReport { text: "A disk is broken.".into(), what_to_do: "Replace it.".into() };
        let front = SourceDescription { device_id: "front".into(), name: "Front".into(), ..Default::default() };
        Discovery { sources: vec![front], whole: true, problem: Some(problem), ..Discovery::default() }
    }

    async fn snapshot(&self, _: &str) -> Result<Vec<u8>, Trouble> {
        Err(Trouble::again("It is night."))
    }

    async fn coverage(&self, _: &Asked) -> Result<Coverage, Trouble> {
        unreachable!()
    }

    async fn export(&self, _: &Asked, _: &Path, _: &Fetched) -> Result<Exported, Trouble> {
        unreachable!()
    }
}

#[tokio::test]
async fn a_clock_that_is_not_read_is_told_beside_what_else_is_wrong() {
    let clock = CLOCK.replace("'yard'", "'front'");
    let config = config::parse(&format!("[adapter]\nkind = 'command'\ncommand = ['a']\n{clock}"), Path::new("/etc"));
    let recorder = Recorder::new(Box::new(Dark), &config.unwrap());
    for tries in 1..=3 {
        assert!(matches!(recorder.read_clock().await, Some(Err(Unread::Picture(_)))));
        let told = recorder.discover().await.problem.unwrap();
        assert_eq!(
            told.text.starts_with("A disk is broken. The clock in the pictures of 'front' is not read: "),
            tries == 3
        );
        assert_eq!(
            told.what_to_do.contains("Replace it. See that the source of [burned_in_clock] is there"),
            tries == 3
        );
        assert_eq!(told.text.contains("there is no picture: It is night. Until it is,"), tries == 3, "{}", told.text);
    }
}

/// A recorder whose clock is 67 seconds ahead, and which tells it by nothing but its pictures. It notes what it is asked for.
const AHEAD: &str = r#"
import datetime, json, subprocess, sys
def draw(into):
    shown = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=67)
    style = "fontfile=/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf:fontsize=20:fontcolor=white:box=1:boxcolor=black"
    text = shown.strftime("%Y-%m-%d %H\\:%M\\:%S")
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=640x360", "-frames:v", "1", "-vf",
                    f"drawtext={style}:x=10:y=10:text='{text}'", "-f", "mjpeg", into], check=True, stdin=subprocess.DEVNULL)
for line in sys.stdin:
    asked = json.loads(line)
    params = asked["params"]
    answer = {
        "hello": {"protocol": 1, "can": ["export", "coverage", "snapshot"]},
        "discover": {"sources": [{"device_id": "yard", "name": "yard"}, {"device_id": "gate", "name": "gate"}]},
        "snapshot": {},
    }.get(asked["method"])
    if asked["method"] == "snapshot":
        draw(params["into"])
    if asked["method"] == "export":
        with open(sys.argv[1], "a") as notes:
            notes.write(json.dumps(params) + "\n")
    if "id" in asked:
        said = {"error": {"kind": "broken", "retryable": False}} if answer is None else {"result": answer}
        print(json.dumps({"id": asked["id"], **said}), flush=True)
"#;

const CLOCK: &str =
    "[burned_in_clock]\nsource = 'yard'\nbox = [4, 4, 300, 32]\nformat = '%Y-%m-%d %H:%M:%S'\ntime_zone = 'UTC'\n";

/// Lays the program down, and answers what a configuration says of it.
fn ahead(folder: &Path) -> String {
    let (program, notes) = (folder.join("ahead.py"), folder.join("notes"));
    std::fs::write(&program, AHEAD).unwrap();
    let environment = "environment = { PATH = '/usr/local/bin:/usr/bin:/bin' }";
    format!("kind = 'command'\ncommand = ['/usr/bin/python3', {program:?}, {notes:?}]\n{environment}\n")
}

#[tokio::test]
async fn footage_is_asked_for_by_the_clock_in_the_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let set_by_hand = "[[source]]\nid = 'gate'\nclock_offset_ms = 250\n";
    let limits: &'static str = Box::leak(format!("{CLOCK}{set_by_hand}").into_boxed_str());
    let running = Running::start(|server| {
        server.adapter = Some(ahead(folder.path()));
        server.limits = limits;
        server.tasks.push_back(export(1));
    })
    .await;
    let offset = |server: &Server, device: &str| {
        let told = server.called("sources").into_iter().rev();
        let mut sources = told.flat_map(|told| told["sources"].as_array().unwrap().clone());
        sources.find(|source| source["device_id"] == device && source["clock_offset"] != serde_json::Value::Null)
    };
    running.until("the clock to be told", |server| offset(server, "yard").is_some()).await;
    running.until("the export to end", |server| !server.called("fail").is_empty()).await;
    let (yard, gate) = {
        let server = running.server.lock().unwrap();
        let of = |device| offset(&server, device).unwrap()["clock_offset"].clone();
        (of("yard"), of("gate"))
    };
    let (offset_ms, uncertainty_ms) = (yard["offset_ms"].as_i64().unwrap(), yard["uncertainty_ms"].as_i64().unwrap());
    assert!((offset_ms - 67_000).abs() <= uncertainty_ms && uncertainty_ms < 10_000, "{yard}");
    assert_eq!(gate["offset_ms"], 250, "what is set by hand counts");
    let notes = std::fs::read_to_string(folder.path().join("notes")).unwrap();
    let asked: serde_json::Value = serde_json::from_str(notes.lines().next().unwrap()).unwrap();
    for (name, at) in [("from", "2026-01-10T10:00:05Z"), ("to", "2026-01-10T10:00:15Z")] {
        let asked: Timestamp = asked[name].as_str().unwrap().parse().unwrap();
        assert_eq!(asked.as_millisecond() - at.parse::<Timestamp>().unwrap().as_millisecond(), offset_ms, "{name}");
    }
    running.stop().await;
}

#[tokio::test]
async fn check_says_what_is_read_or_why_nothing_is() {
    let running = Running::start(|_| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let config = format!("[adapter]\n{}{CLOCK}", ahead(folder.path()));
    let (fine, said) = check(&running.url, &config, None).await;
    let clock = said
        .lines()
        .find_map(|line| line.strip_prefix("clock: the picture shows 20"))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(fine && clock.contains(" s ahead, to "), "{said}");
    let elsewhere = config.replace("[4, 4, 300, 32]", "[4, 300, 300, 32]");
    let (fine, said) = check(&running.url, &elsewhere, None).await;
    assert!(
        !fine && said.contains("wrong: The burned-in clock is not read: ") && said.contains("box, format"),
        "{said}"
    );
    // ffmpeg is there, and tesseract is not
    let path = folder.path().join("programs");
    std::fs::create_dir(&path).unwrap();
    let programs = std::env::var_os("PATH").unwrap();
    for program in ["ffmpeg", "ffprobe"] {
        let found = std::env::split_paths(&programs).map(|folder| folder.join(program)).find(|file| file.is_file());
        std::os::unix::fs::symlink(found.unwrap(), path.join(program)).unwrap();
    }
    let (fine, said) = check(&running.url, &config, Some(&path)).await;
    let wrong = "wrong: The burned-in clock is not read: the program tesseract is missing. Install it";
    assert!(!fine && said.contains(wrong) && said.contains("apt install tesseract-ocr"), "{said}");
    tokio::time::timeout(Duration::from_secs(10), running.stop()).await.unwrap();
}
