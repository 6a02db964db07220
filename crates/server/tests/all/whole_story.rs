//! From a request to footage, with the real binaries: what arrives is the window that was asked for,
//! by the clock that is burned into its pictures.

use std::path::Path;
use std::time::Duration;

use crate::support::clock_reader;
use crate::support::installation;
use crate::support::installation::{Installation, minutes_ago, recorder, sha256, text, window};
use crate::support::storage::Storage;
use domain::{Timestamp, Window};
use serde_json::{Value, json};
use sightline_server::demo::footage::{Gap, KEY_FRAME_SECONDS};

const PATIENCE: Duration = Duration::from_secs(180);
const TENTH: Duration = Duration::from_millis(100);

/// Whether a file covers a window, but for these gaps, and exceeds it by no more than a key-frame
/// interval at either end.
fn covers(file: &Path, asked: Window, gaps: &[Window]) -> Result<(), String> {
    let times = clock_reader::times(file);
    let slack = Duration::from_secs(KEY_FRAME_SECONDS as u64);
    let (first, last) = (times[0], *times.last().ok_or("no pictures")?);
    if first > asked.from || first < asked.from.minus(slack) {
        return Err(format!("begins at {first}, asked from {}", asked.from));
    }
    let end = last.plus(TENTH);
    if end < asked.to || end > asked.to.plus(slack) {
        return Err(format!("ends at {end}, asked until {}", asked.to));
    }
    for pair in times.windows(2) {
        let hole = Window { from: pair[0].plus(TENTH), to: pair[1] };
        if hole.from != hole.to && !gaps.contains(&hole) {
            return Err(format!("after {} follows {}", pair[0], pair[1]));
        }
    }
    Ok(())
}

fn gaps_of(evidence: &Value) -> Vec<Window> {
    serde_json::from_value(evidence["recorded"]["gaps"].clone()).unwrap()
}

/// A request for 120 s from the middle of one file to the middle of another, 60 s further; answers the
/// evidence and its original.
async fn fetch(installation: &Installation, camera: &str, asked: Window) -> (Value, std::path::PathBuf) {
    let request = installation.submit_and_approve(camera, asked).await;
    let item = installation.item_when(&request, "released", PATIENCE).await;
    assert_eq!(item["evidence"].as_array().unwrap().len(), 1);
    let id = text(&item["evidence"][0]["id"]);
    let evidence = installation.investigator.get(&format!("/evidence/{id}")).await;
    let file = installation.download(&id).await;
    assert_eq!(evidence["sha256"], sha256(&file).as_str());
    assert_eq!(evidence["manifest"]["export"]["sha256"], evidence["sha256"]);
    (evidence, file)
}

/// Two minutes over a boundary between files, and one mail that says that they are there.
async fn two_minutes_arrive_whole(installation: &Installation) {
    let recordings = installation.folder.path().join("recordings");
    recorder(&recordings, None, 0).record(window(minutes_ago(8), 420)).unwrap();
    let files = installation.connector("honest", &recordings).await;
    let _connector = files.run();
    let camera = installation.camera(&files).await;

    // Neither end on a key frame, nor on a picture.
    let asked = window(minutes_ago(6).plus(Duration::from_millis(14_350)), 120);
    let (evidence, file) = fetch(installation, &camera, asked).await;
    covers(&file, asked, &[]).unwrap();
    assert!(gaps_of(&evidence).is_empty());
    assert!(evidence["manifest"]["segments"].as_array().unwrap().len() >= 5);
    assert_eq!(installation.ready_mails().await, 1);

    // Both ends on a boundary between files.
    let asked = window(minutes_ago(6), 120);
    let (_, file) = fetch(installation, &camera, asked).await;
    covers(&file, asked, &[]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_minutes_over_a_segment_boundary_arrive_whole() {
    two_minutes_arrive_whole(&Installation::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_do_on_postgresql_and_s3() {
    let installation = Installation::keeping_in(Storage::servers().await).await;
    two_minutes_arrive_whole(&installation).await;

    let Storage::Servers { s3, .. } = &installation.storage else { unreachable!("as it was set up") };
    let originals = s3.folder.path().join(&s3.access.bucket).join("evidence");
    assert!(originals.is_dir(), "the bytes are in the bucket");
    let data = installation.folder.path().join("data");
    assert!(!data.join("blobs").exists() && !data.join("sightline.db").exists(), "nothing but the servers has them");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_whose_names_are_wrong_is_found_out() {
    let installation = Installation::start().await;
    let recordings = installation.folder.path().join("recordings");
    recorder(&recordings, None, 3).record(window(minutes_ago(8), 420)).unwrap();
    let files = installation.connector("shifted", &recordings).await;
    let _connector = files.run();
    let camera = installation.camera(&files).await;
    let asked = window(minutes_ago(6).plus(Duration::from_millis(14_350)), 120);
    let (_, file) = fetch(&installation, &camera, asked).await;
    let complaint = covers(&file, asked, &[]).unwrap_err();
    assert!(complaint.starts_with("begins at") || complaint.starts_with("ends at"), "{complaint}");
    // It is the three seconds that are seen, to the tenth.
    let first = clock_reader::times(&file)[0];
    let shift = asked.from.since(first);
    assert!(shift >= Duration::from_secs(3) && shift <= Duration::from_secs(3 + KEY_FRAME_SECONDS as u64), "{shift:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_told_and_reasons_are_given() {
    let installation = Installation::start().await;
    let recordings = installation.folder.path().join("recordings");
    let start = minutes_ago(10);
    let seconds = start.as_micros() / 1_000_000;
    // 45 s are missing from 3:10 on.
    let gap = Gap { every_seconds: 86_400, after_seconds: (seconds + 190).rem_euclid(86_400), seconds: 45 };
    recorder(&recordings, Some(gap), 0).record(window(start, 480)).unwrap();
    let files = installation.connector("gaps", &recordings).await;
    let _connector = files.run();
    let camera = installation.camera(&files).await;
    let after = |seconds: u64| start.plus(Duration::from_secs(seconds));

    let asked = window(after(150), 120);
    let missing = window(after(190), 45);
    let (evidence, file) = fetch(&installation, &camera, asked).await;
    covers(&file, asked, &[missing]).unwrap();
    assert_eq!(gaps_of(&evidence), [missing]);

    let none = async |asked: Window| {
        let request = installation.submit_and_approve(&camera, asked).await;
        let item = installation.item_when(&request, "unavailable", PATIENCE).await;
        let status = installation.investigator.get(&format!("/video-requests/{request}")).await["status"].clone();
        assert_eq!(status, "video_unavailable");
        assert!(!text(&item["reason"]["detail"]).is_empty());
        text(&item["reason"]["code"])
    };
    assert_eq!(none(window(after(195), 30)).await, "gap");
    // The camera keeps two hours: what is older was overwritten, what is younger never recorded.
    assert_eq!(none(window(start.minus(Duration::from_secs(3 * 3600)), 60)).await, "overwritten");
    assert_eq!(none(window(start.minus(Duration::from_secs(1800)), 60)).await, "never_recorded");

    // Where no connector can answer, the owner does.
    let shop = json!({"organization_id": installation.transit, "name": "Kiosk", "position": {"lat": 47.48, "lon": -122.02}, "published": true});
    let shop = installation.administrator.post("/cameras", shop).await;
    let request = installation.submit(&text(&shop["id"]), asked).await;
    let item = installation.item(&request).await;
    installation
        .approver
        .post(&format!("/request-items/{}/unavailable", text(&item["id"])), json!({"comment": "The kiosk was closed."}))
        .await;
    let item = installation.item_when(&request, "unavailable", PATIENCE).await;
    assert_eq!(item["reason"]["code"], "nothing_there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_still_being_recorded_waits() {
    let installation = Installation::start().await;
    let recordings = installation.folder.path().join("recordings");
    let mut recorder = recorder(&recordings, None, 0);
    let now = || Timestamp::from(jiff::Timestamp::now());
    let mut recorded = minutes_ago(3);
    recorder.record(Window { from: recorded, to: now() }).unwrap();
    recorded = now();
    let files = installation.connector("live", &recordings).await;
    let _connector = files.run();
    let camera = installation.camera(&files).await;

    let asked = Window { from: now().minus(Duration::from_secs(40)), to: now().minus(Duration::from_secs(1)) };
    let request = installation.submit_and_approve(&camera, asked).await;
    let mut waited = false;
    let start = std::time::Instant::now();
    let item = loop {
        let item = installation.item(&request).await;
        waited |= item["waiting_for"] == "recording";
        if item["state"] == "released" {
            break item;
        }
        assert!(start.elapsed() < PATIENCE, "{item:#}");
        // Nothing is recorded until the connector was seen to wait.
        if waited {
            let to = now();
            recorder.record(Window { from: recorded, to }).unwrap();
            recorded = to;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert!(waited);
    let file = installation.download(&text(&item["evidence"][0]["id"])).await;
    covers(&file, asked, &[]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_connector_is_waited_for() {
    let installation = Installation::start().await;
    let recordings = installation.folder.path().join("recordings");
    recorder(&recordings, None, 0).record(window(minutes_ago(5), 180)).unwrap();
    let files = installation.connector("sleepy", &recordings).await;
    let connector = files.run();
    let camera = installation.camera(&files).await;
    connector.kill();
    let asked = window(minutes_ago(4), 60);
    let request = installation.submit_and_approve(&camera, asked).await;
    installation::wait("the item to say that the connector is offline", PATIENCE, async || {
        let item = installation.item(&request).await;
        assert_eq!(item["state"], "approved");
        item["waiting_for"] == "connector_offline"
    })
    .await;
    let _connector = files.run();
    let item = installation.item_when(&request, "released", PATIENCE).await;
    let file = installation.download(&text(&item["evidence"][0]["id"])).await;
    covers(&file, asked, &[]).unwrap();
}
