//! The footage of the demo shows the time that it was recorded, and the clock reader sees it.

use crate::support::clock_reader;
use std::time::Duration;

use domain::{Timestamp, Window};
use sightline_server::demo::footage::{Camera, Gap, Recorder, Settings, View};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window(from: &str, to: &str) -> Window {
    Window { from: at(from), to: at(to) }
}

fn camera(device: &str, view: View) -> Camera {
    Camera { device: device.to_owned(), name: format!("Test corner {device}"), view }
}

fn settings(cameras: Vec<(Camera, Option<Gap>)>, shift: i64) -> Settings {
    Settings { cameras, retention: Duration::from_secs(7200), names_shifted_seconds: shift }
}

fn files(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn every_tenth(from: &str, count: usize) -> Vec<Timestamp> {
    (0..count).map(|n| at(from).plus(Duration::from_millis(100 * n as u64))).collect()
}

#[test]
fn every_picture_shows_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let cameras = vec![(camera("a", View::Street), None), (camera("b", View::Concourse), None)];
    let mut recorder = Recorder::new(folder.path(), settings(cameras, 0)).unwrap();
    recorder.record(window("2026-11-22T23:58:30Z", "2026-11-23T00:01:12Z")).unwrap();
    for device in ["a", "b"] {
        let folder = folder.path().join(device);
        assert_eq!(
            files(&folder),
            [
                "20261122T235830Z.mp4",
                "20261122T235900Z.mp4",
                "20261122T235930Z.mp4",
                "20261123T000000Z.mp4",
                "20261123T000030Z.mp4",
                "20261123T000100Z.mp4"
            ]
        );
        assert_eq!(clock_reader::times(&folder.join("20261122T235930Z.mp4")), every_tenth("2026-11-22T23:59:30Z", 300));
        assert_eq!(clock_reader::times(&folder.join("20261123T000000Z.mp4")), every_tenth("2026-11-23T00:00:00Z", 300));
        assert_eq!(clock_reader::times(&folder.join("20261123T000100Z.mp4")), every_tenth("2026-11-23T00:01:00Z", 120));
    }
}

#[test]
fn a_file_grows_and_is_mended_and_nothing_is_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let new = || Recorder::new(folder.path(), settings(vec![(camera("a", View::Street), None)], 0)).unwrap();
    let file = folder.path().join("a/20261122T210500Z.mp4");
    let mut recorder = new();
    recorder.record(window("2026-11-22T21:05:00Z", "2026-11-22T21:05:04Z")).unwrap();
    assert_eq!(clock_reader::times(&file), every_tenth("2026-11-22T21:05:00Z", 40));
    recorder.record(window("2026-11-22T21:05:04Z", "2026-11-22T21:05:06Z")).unwrap();
    let whole = std::fs::read(&file).unwrap();
    // A writer that was killed leaves part of a fragment; the next one cuts it off and goes on.
    std::fs::write(&file, &whole[..whole.len() - 100]).unwrap();
    assert_eq!(clock_reader::times(&file)[..50], every_tenth("2026-11-22T21:05:00Z", 50));
    let mut recorder = new();
    recorder.record(window("2026-11-22T21:05:00Z", "2026-11-22T21:05:06Z")).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), whole);
    recorder.record(window("2026-11-22T21:04:40Z", "2026-11-22T21:05:06Z")).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), whole);
    assert_eq!(files(&folder.path().join("a")), ["20261122T210430Z.mp4", "20261122T210500Z.mp4"]);

    recorder.prune(at("2026-11-22T23:05:01Z")).unwrap();
    assert_eq!(files(&folder.path().join("a")), ["20261122T210500Z.mp4"]);
}

#[test]
fn a_gap_is_missing_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let gap = Gap { every_seconds: 1200, after_seconds: 430, seconds: 45 };
    let mut recorder = Recorder::new(folder.path(), settings(vec![(camera("a", View::Street), Some(gap))], 0)).unwrap();
    let asked = window("2026-11-22T21:06:30Z", "2026-11-22T21:08:30Z");
    recorder.record(asked).unwrap();
    assert_eq!(recorder.gaps("a", asked), [window("2026-11-22T21:07:10Z", "2026-11-22T21:07:55Z")]);
    let folder = folder.path().join("a");
    assert_eq!(
        files(&folder),
        ["20261122T210630Z.mp4", "20261122T210700Z.mp4", "20261122T210755Z.mp4", "20261122T210800Z.mp4"]
    );
    assert_eq!(clock_reader::times(&folder.join("20261122T210700Z.mp4")).last(), Some(&at("2026-11-22T21:07:09.9Z")));
    assert_eq!(clock_reader::times(&folder.join("20261122T210755Z.mp4"))[0], at("2026-11-22T21:07:55Z"));
}

#[test]
fn wrong_names_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(folder.path(), settings(vec![(camera("a", View::Street), None)], 3)).unwrap();
    recorder.record(window("2026-11-22T21:05:00Z", "2026-11-22T21:05:30Z")).unwrap();
    let file = folder.path().join("a/20261122T210503Z.mp4");
    assert_eq!(at("2026-11-22T21:05:03Z").since(clock_reader::times(&file)[0]), Duration::from_secs(3));
}
