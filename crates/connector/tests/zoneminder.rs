//! The adapter for ZoneMinder and a real ZoneMinder, whose cameras tell the time in their pictures.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "zoneminder/mod.rs"]
mod real;

use std::time::{Duration, Instant};

use domain::{Position, Timestamp, Window};
use real::clock::times;
use real::{PASSWORD, PATIENCE, Seam, ZoneMinder};
use sightline_connector::adapter::archive::{Archive, Recording};
use sightline_connector::adapter::{self, Exported, Locks, Trouble};
use sightline_connector::config;
use sightline_connector::growth::Fetched;
use sightline_connector::recorder::Recorder;

const SECOND: Duration = Duration::from_secs(1);

/// A connector's view of it.
struct Bench {
    recorder: Recorder,
    archive: adapter::zoneminder::ZoneMinder,
    into: tempfile::TempDir,
}

fn bench(real: &ZoneMinder, password: &str) -> Bench {
    let into = tempfile::tempdir().unwrap();
    std::fs::write(into.path().join("password"), password).unwrap();
    let file = into.path().join("connector.toml");
    std::fs::write(&file, real.adapter()).unwrap();
    let config = config::read(&file).unwrap();
    let config::AdapterConfig::Zoneminder(web) = &config.adapter else { unreachable!("as it was written") };
    let archive = adapter::zoneminder::ZoneMinder::new(web.clone()).unwrap();
    Bench { recorder: Recorder::new(adapter::open(&config).unwrap(), &config), archive, into }
}

fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}

/// Asks again and again, until there is an answer.
async fn wait<T>(what: &str, mut asked: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = asked().await {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

impl Bench {
    /// What ZoneMinder has of a camera.
    async fn recordings(&self, camera: &str) -> Vec<Recording> {
        self.archive.list(camera, Window { from: now().minus(Duration::from_secs(3_600)), to: now() }).await.unwrap()
    }

    /// Exports as the connector does: what is still being recorded is waited for.
    async fn export(&self, camera: &str, asked: Window) -> Exported {
        wait("the footage", async || {
            match self.recorder.export(camera, asked, self.into.path(), &Fetched::default()).await {
                Err(Trouble::NotYet) => None,
                done => Some(done.unwrap()),
            }
        })
        .await
    }
}

/// Whether an export shows every moment of a window.
fn covers(exported: &Exported, asked: Window) {
    real::covers(&exported.path, asked, exported.manifest.uncertainty_ms.unwrap());
    assert_eq!(exported.manifest.gaps, []);
}

async fn it_lists_its_cameras(bench: &Bench) {
    let found = wait("both cameras", async || {
        let found = bench.recorder.discover().await;
        assert_eq!(found.problem, None);
        found.sources.iter().all(|camera| camera.online == Some(true)).then_some(found)
    })
    .await;
    assert!(found.whole);
    let told: Vec<_> = found.sources.iter().map(|camera| (camera.device_id.as_str(), camera.name.as_str())).collect();
    assert_eq!(told, [("1", "Camera 1"), ("2", "Camera 2")]);
    assert_eq!(found.sources[0].position, Position::checked(47.371, 8.541));
    let clock = found.sources[0].clock_offset.unwrap();
    assert!(clock.offset_ms.abs() <= clock.uncertainty_ms.unwrap(), "{clock:?}");
}

async fn it_shows_a_picture(bench: &Bench) {
    let before = now();
    let picture = bench.into.path().join("picture.jpg");
    std::fs::write(&picture, bench.recorder.thumbnail("2").await.unwrap()).unwrap();
    let shown = times(&picture)[0];
    assert!(shown.plus(Duration::from_secs(10)) > before && shown <= now(), "{shown} at {before}");
}

async fn a_wrong_password(real: &ZoneMinder) {
    let found = bench(real, "wrong").recorder.discover().await;
    let problem = found.problem.unwrap();
    assert!(!found.whole && found.sources.is_empty());
    assert!(problem.text.contains("user name and password"), "{}", problem.text);
}

async fn a_window_over_two_events(bench: &Bench, seam: Timestamp) {
    let around = Duration::from_millis(8_350);
    let asked = Window { from: seam.minus(around), to: seam.plus(around) };
    let exported = bench.export("1", asked).await;
    covers(&exported, asked);
    assert_eq!(exported.manifest.segments.len(), 2);
}

async fn what_is_still_being_recorded(bench: &Bench, seam: Timestamp) {
    let asked = Window { from: seam.plus(3 * SECOND), to: seam.plus(8 * SECOND) };
    let exported = bench.export("1", asked).await;
    assert_eq!(bench.recordings("1").await.last().unwrap().ends, None, "its event is still open");
    covers(&exported, asked);
}

async fn coverage_tells_what_there_is(bench: &Bench, seam: Timestamp) {
    let asked = Window { from: seam.minus(3_600 * SECOND), to: seam.minus(SECOND) };
    let covered = bench.recorder.coverage("1", asked).await.unwrap();
    let [span] = covered.spans.as_slice() else { panic!("{covered:?}") };
    assert_eq!(span.from, bench.recordings("1").await[0].begins);
    assert_eq!(span.to, asked.to);
    let before = Window { from: asked.from, to: asked.from.plus(10 * SECOND) };
    let none = bench.recorder.export("1", before, bench.into.path(), &Fetched::default()).await.unwrap_err();
    assert!(matches!(none, Trouble::Unavailable { .. }), "{none:?}");
}

/// A hold archives the events of a window, as ZoneMinder itself tells; freed, they are as they were.
async fn a_hold_and_its_end(bench: &Bench, real: &ZoneMinder, seam: &Seam) {
    let asked = Window { from: seam.at.minus(8 * SECOND), to: seam.at.plus(3 * SECOND) };
    assert_eq!(real.archived().await, [""; 0]);
    let name = bench.recorder.hold("2", asked, &Locks::besides(&[])).await.unwrap().unwrap();
    assert_eq!(real.archived().await, seam.events);
    for _ in 0..2 {
        bench.recorder.free(&name, &[]).await.unwrap();
        assert_eq!(real.archived().await, [""; 0]);
    }
    bench.recorder.free("4711", &[]).await.unwrap(); // it has been purged meanwhile
}

/// All of it in one test: it takes half a minute until there are two events, and there can be but one ZoneMinder.
#[tokio::test(flavor = "multi_thread")]
async fn the_real_zoneminder() {
    let real = tokio::task::spawn_blocking(ZoneMinder::start).await.unwrap();
    let bench = bench(&real, PASSWORD);
    it_lists_its_cameras(&bench).await;
    it_shows_a_picture(&bench).await;
    a_wrong_password(&real).await;
    let (seam, other) = (real.seam("1").await.at, real.seam("2").await);
    what_is_still_being_recorded(&bench, seam).await;
    a_hold_and_its_end(&bench, &real, &other).await;
    a_window_over_two_events(&bench, seam).await;
    coverage_tells_what_there_is(&bench, seam).await;
}
