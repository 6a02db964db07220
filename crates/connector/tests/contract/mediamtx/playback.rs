//! What is peculiar to MediaMTX.

use std::sync::Arc;
use std::time::Duration;

use domain::Window;
use sightline_connector::adapter::archive::{Archive, Recording};
use sightline_connector::adapter::{self, mediamtx};
use sightline_connector::config::{self, AdapterConfig};
use sightline_connector::growth::Fetched;
use sightline_connector::recorder::Recorder;

use super::super::scenarios::{holds, later, noon};
use super::super::system::{Bench, PASSWORD, System, USER, bench};
use super::super::world::{World, times, window};
use super::{Habits, MediaMtx};

/// With its playback server at this path of its site.
fn opened(served: super::Served, playback: &str) -> Bench {
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("password"), PASSWORD).unwrap();
    let path = files.path().join("connector.toml");
    let account = format!("username = \"{USER}\"\npassword_file = \"password\"");
    let adapter = served.adapter.replace("/playback", playback);
    std::fs::write(&path, format!("[adapter]\n{adapter}\n{account}\n")).unwrap();
    let config = config::read(&path).unwrap();
    let recorder = Recorder::new(adapter::open(&config).unwrap(), &config);
    Bench { served, recorder, into: tempfile::tempdir().unwrap(), files, gone: Arc::default() }
}

fn one_camera() -> World {
    World::new(&[("1", "Main & 1st")])
}

/// The simulator's own: from within a segment, pictures since the key frame before come first, without a time of theirs. It is
/// why the adapter never asks so for what it exports.
#[tokio::test]
async fn from_within_a_segment_earlier_pictures_come_first() {
    let mut world = one_camera();
    world.record("1", noon(), 10);
    let served = MediaMtx::serve(Arc::new(world)).await;
    let get = |start: &str| {
        let url = format!("{}/playback/get?path=1&start={start}&duration=2&format=fmp4", served.site().url);
        reqwest::Client::new().get(url).basic_auth(USER, Some(PASSWORD)).send()
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    for (start, first_ms) in [("2026-01-10T12:00:00Z", 0), ("2026-01-10T12:00:05.5Z", 5_000)] {
        std::fs::write(file.path(), get(start).await.unwrap().bytes().await.unwrap()).unwrap();
        let shown = times(file.path());
        let first = noon().plus(Duration::from_millis(first_ms));
        assert_eq!(shown.first(), Some(&first), "{start}");
    }
}

#[tokio::test]
async fn a_path_may_have_slashes() {
    let mut world = World::new(&[("site/yard-1", "")]);
    world.record("site/yard-1", noon(), 10);
    let bench = bench::<MediaMtx>(world, PASSWORD, "").await;
    let found = bench.recorder.discover().await;
    assert_eq!(found.sources[0].device_id, "site/yard-1");
    assert_eq!(found.sources[0].online, Some(true));
    assert_eq!(found.sources.len(), 1, "what somebody asks for is no camera");
    let asked = window(later(noon(), 3), 4);
    let exported = bench.recorder.export("site/yard-1", asked, bench.into.path(), &Fetched::default()).await.unwrap();
    holds::<MediaMtx>(&exported, asked, &[]);
}

/// Segments that follow each other are one file of MediaMTX's, from the segment on in which the window begins.
#[tokio::test]
async fn what_follows_each_other_is_fetched_at_once() {
    let mut world = one_camera();
    for segment in 0..4 {
        world.record("1", later(noon(), segment * 10), 10);
    }
    let bench = bench::<MediaMtx>(world, PASSWORD, "").await;
    let asked = window(later(noon(), 24), 10);
    let exported = bench.recorder.export("1", asked, bench.into.path(), &Fetched::default()).await.unwrap();
    holds::<MediaMtx>(&exported, asked, &[]);
    let names: Vec<_> = exported.manifest.segments.iter().map(|segment| segment.name.as_str()).collect();
    assert_eq!(names, ["start=2026-01-10T12:00:10.000Z&duration=26.000000"]);
}

/// An empty file, as a power cut leaves it, has MediaMTX refuse every list that it is in.
#[tokio::test]
async fn a_segment_that_cannot_be_read_costs_no_other() {
    let mut world = one_camera();
    for segment in 0..5 {
        world.record("1", later(noon(), segment * 10), 10);
    }
    let bench =
        opened(super::serve(Arc::new(world), Habits { damaged: Some(3), ..Habits::default() }).await, "/playback");
    let (asked, hole) = (window(later(noon(), 5), 40), window(later(noon(), 20), 10));
    let exported = bench.recorder.export("1", asked, bench.into.path(), &Fetched::default()).await.unwrap();
    holds::<MediaMtx>(&exported, asked, &[hole]);
    let [gap] = exported.manifest.gaps.as_slice() else { panic!("{:?}", exported.manifest.gaps) };
    assert_eq!(Window { from: gap.from, to: gap.to }, hole);
    let covered = bench.recorder.coverage("1", asked).await.unwrap();
    let seconds = |span: &Window| span.duration().as_secs_f64().round() as i64;
    assert_eq!(covered.spans.iter().map(seconds).collect::<Vec<_>>(), [15, 15], "{:?}", covered.spans);
}

/// A camera whose clock is slow: what came is dated up to five seconds earlier.
#[tokio::test]
async fn dates_that_are_behind_lose_nothing() {
    let mut world = one_camera();
    world.record("1", noon(), 20).record("1", later(noon(), 20), 20);
    let habits = Habits { behind: Duration::from_millis(4_900), ..Habits::default() };
    let bench = opened(super::serve(Arc::new(world), habits).await, "/playback");
    for from in [8, 17, 24] {
        let asked = window(later(noon(), from), 5);
        let into = tempfile::tempdir().unwrap();
        let exported = bench.recorder.export("1", asked, into.path(), &Fetched::default()).await.unwrap();
        let shown = times(&exported.path);
        for tick in 0..50 {
            let tick = asked.from.plus(Duration::from_millis(tick * 100));
            assert!(shown.contains(&tick), "{tick} is missing: {:?} to {:?}", shown.first(), shown.last());
        }
        assert_eq!(exported.manifest.uncertainty_ms, Some(6_000));
    }
}

/// A segment that begins with sound is named by that: its first picture is as much later as it stands in the file.
#[tokio::test]
async fn sound_before_the_first_picture_makes_no_time_wrong() {
    let mut world = one_camera();
    world.record("1", noon(), 20).record("1", later(noon(), 20), 20);
    let habits = Habits { sound: Duration::from_millis(800), ..Habits::default() };
    let bench = opened(super::serve(Arc::new(world), habits).await, "/playback");
    // from the first segment's beginning, within it, over the seam, and from the second's beginning
    for from in [0, 10, 17, 28] {
        let asked = window(later(noon(), from), 5);
        let into = tempfile::tempdir().unwrap();
        holds::<MediaMtx>(
            &bench.recorder.export("1", asked, into.path(), &Fetched::default()).await.unwrap(),
            asked,
            &[],
        );
    }
}

/// What begins a part was deleted since it was listed: the times of what is handed out for it are its own.
#[tokio::test]
async fn a_segment_that_was_deleted_meanwhile_makes_no_time_wrong() {
    let mut world = one_camera();
    world.record("1", noon(), 10);
    let bench = opened(MediaMtx::serve(Arc::new(world)).await, "/playback");
    let config = config::read(&bench.files.path().join("connector.toml")).unwrap();
    let AdapterConfig::Mediamtx(config) = config.adapter else { panic!() };
    let archive = mediamtx::MediaMtx::new(config).unwrap();
    let file = bench.into.path().join("fetched.mp4");
    for begins in [noon(), later(noon(), -5), later(noon(), -60)] {
        let recording =
            Recording { name: String::new(), begins, or_later: Duration::ZERO, ends: Some(later(noon(), 10)) };
        assert_eq!(archive.fetch("1", &recording, &file).await, Ok(true));
        let (told, _) = archive.begins(&recording, &file, Duration::ZERO).await.unwrap();
        assert!(noon() <= told && told <= noon().plus(Duration::from_millis(200)), "{told}");
    }
}

/// The control API tells of cameras, and there is nothing at the address of the playback server.
#[tokio::test]
async fn a_playback_server_that_is_elsewhere_is_told() {
    let mut world = one_camera();
    world.record("1", noon(), 10);
    let bench = opened(MediaMtx::serve(Arc::new(world)).await, "/elsewhere");
    let found = bench.recorder.discover().await;
    assert!(found.whole && found.sources.len() == 1);
    let problem = found.problem.unwrap();
    assert!(problem.text.contains("playback server"), "{}", problem.text);
    assert!(problem.what_to_do.contains("playback_url"), "{}", problem.what_to_do);
}
