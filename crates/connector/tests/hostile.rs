//! What others wrote and the connector reads: each file of the corpus of `fuzz/`, and some seconds of mutations of them, go
//! through the functions that cargo-fuzz is given. A panic of theirs fails the test.
#![allow(clippy::unwrap_used)]

#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub)] // the other who uses it is a crate of its own
mod targets;

#[path = "session/recorder.rs"]
#[allow(dead_code)]
mod recorder;

use std::path::Path;
use std::time::{Duration, Instant};

use domain::Window;
use sightline_connector::adapter::{self, Trouble};
use sightline_connector::config;
use sightline_connector::growth::Fetched;
use sightline_connector::recorder::Recorder;

/// So long mutations are tried.
const TRIED_FOR: Duration = Duration::from_secs(3);
/// No mutation is longer.
const LONGEST: usize = 16 << 10;
/// What parsers stumble over.
const WORDS: [&str; 18] = [
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e400",
    "-0",
    "0",
    "null",
    "true",
    "\"\"",
    "[",
    "{",
    "\\u0000",
    "\u{202e}",
    "é",
    "..",
    "/",
    "%",
    "9999-12-31T23:59:59Z",
];

/// Splitmix64: not random enough for anything but this.
struct Dice(u64);

impl Dice {
    fn from_environment() -> Self {
        let given = std::env::var("SIGHTLINE_TEST_SEED").ok();
        let seed = given.map_or_else(|| getrandom::u64().unwrap(), |seed| seed.parse().expect("a number"));
        println!("SIGHTLINE_TEST_SEED={seed}");
        Self(seed)
    }

    /// From 0 to below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    /// A place in some bytes and the end of a part from there.
    fn part(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let from = self.below(bytes.len() + 1);
        from..from + self.below((bytes.len() - from).min(64) + 1)
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let part = self.part(bytes);
        match self.below(6) {
            0 => drop(bytes.drain(part)),
            1 if !part.is_empty() => bytes[part.start] ^= 1 << self.below(8),
            2 if !part.is_empty() => bytes[part.start] = b"0123456789+-:.,\"[]{}eZ \n"[self.below(24)],
            3 => drop(bytes.splice(part.clone(), WORDS[self.below(WORDS.len())].bytes())),
            4 => drop(bytes.splice(part.start..part.start, bytes[part.clone()].to_vec())),
            _ => drop(bytes.splice(part, other[self.part(other)].iter().copied())),
        }
        bytes.truncate(LONGEST);
    }
}

fn hold(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let corpus: Vec<_> = files.collect();
    assert!(!corpus.is_empty());
    corpus.iter().for_each(|bytes| target(bytes));
    let mut dice = Dice::from_environment();
    let (begun, mut tries) = (Instant::now(), 0);
    while begun.elapsed() < TRIED_FOR {
        let mut bytes = corpus[dice.below(corpus.len())].clone();
        for _ in 0..=dice.below(8) {
            let other = dice.below(corpus.len());
            dice.mutate(&mut bytes, &corpus[other]);
        }
        // named should it panic
        let tried = std::panic::catch_unwind(|| target(&bytes));
        assert!(tried.is_ok(), "after {tries} tries: {:?}", String::from_utf8_lossy(&bytes));
        tries += 1;
    }
    println!("{tries} mutations");
}

/// A video system that sends a byte now and then keeps nobody for good.
#[tokio::test]
async fn footage_that_trickles() {
    let at = recorder::address();
    let into = tempfile::tempdir().unwrap();
    let video = into.path().join("video");
    std::fs::write(&video, [7; 10_000]).unwrap();
    let served = recorder::switched_on(at, video).await;
    served.lock().unwrap().trickles = true;
    let config = format!("[adapter]\n{}", recorder::adapter(at));
    let config = config::parse(&config, into.path()).unwrap();
    let beside = Recorder::new(adapter::open(&config).unwrap(), &config);
    let window = Window { from: "2026-01-10T10:00:05Z".parse().unwrap(), to: "2026-01-10T10:00:15Z".parse().unwrap() };
    let fetched = Fetched::default();
    let export = beside.export("yard", window, into.path(), &fetched);
    let trouble = tokio::time::timeout(Duration::from_secs(30), export).await.expect("an end").unwrap_err();
    assert!(matches!(&trouble, Trouble::Away(why) if why.contains("less than 64 KiB in 8 seconds")), "{trouble:?}");
}

#[test]
fn clocks_in_pictures() {
    hold("burned", targets::burned);
}

#[test]
fn questions_who_is_there() {
    hold("challenge", targets::challenge);
}

#[test]
fn lines_of_a_program() {
    hold("command", targets::command);
}

#[test]
fn the_operators_file() {
    hold("config", targets::config);
}

#[test]
fn names_of_recordings() {
    hold("folder", targets::folder);
}

#[test]
fn answers_of_frigate() {
    hold("frigate", targets::frigate);
}

#[test]
fn answers_of_mediamtx() {
    hold("mediamtx", targets::mediamtx);
}

#[test]
fn answers_of_milestone() {
    hold("milestone", targets::milestone);
}

#[test]
fn answers_of_moonfire() {
    hold("moonfire", targets::moonfire);
}

#[test]
fn fragmented_mp4() {
    hold("mp4", targets::mp4);
}

#[test]
fn answers_of_nx() {
    hold("nx", targets::nx);
}

#[test]
fn answers_of_onvif() {
    hold("onvif", targets::onvif);
}

#[test]
fn playbacks() {
    hold("rtsp", targets::rtsp);
}

#[test]
fn answers_of_zoneminder() {
    hold("zoneminder", targets::zoneminder);
}
