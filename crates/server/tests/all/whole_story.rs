//! From a request to footage, with the real binaries: what arrives is the window that was asked for,
//! by the clock that is burned into its pictures.

use std::path::Path;
use std::time::Duration;

use crate::support::clock_reader;
use crate::support::installation::{Installation, minutes_ago, text, wait, window};
use crate::support::storage::Storage;
use crate::support::story::{PATIENCE, Story};
use domain::{Timestamp, Window};
use serde_json::{Value, json};
use sightline_server::demo::footage::{Gap, KEY_FRAME_SECONDS};

const TENTH: Duration = Duration::from_millis(100);

/// Whether a file covers a window, but for these gaps, and exceeds it by no more than a key-frame
/// interval at either end.
pub(crate) fn covers(file: &Path, asked: Window, gaps: &[Window]) -> Result<(), String> {
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

/// Two minutes over boundaries between files, and one mail that says that they are there.
async fn two_minutes_arrive_whole(story: &Story) {
    // Neither end on a key frame, nor on a picture.
    let asked = window(minutes_ago(6).plus(Duration::from_millis(14_350)), 120);
    let (evidence, file) = story.fetch(asked).await;
    covers(&file, asked, &[]).unwrap();
    assert!(gaps_of(&evidence).is_empty());
    assert!(evidence["manifest"]["segments"].as_array().unwrap().len() >= 5);
    assert_eq!(story.installation.ready_mails().await, 1);

    // Both ends on a boundary between files.
    let asked = window(minutes_ago(6), 120);
    let (_, file) = story.fetch(asked).await;
    covers(&file, asked, &[]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_minutes_over_a_segment_boundary_arrive_whole() {
    two_minutes_arrive_whole(&Story::begin(window(minutes_ago(8), 420)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_do_on_postgresql_and_s3() {
    let installation = Installation::keeping_in(Storage::servers().await).await;
    let story = Story::told(installation, window(minutes_ago(8), 420), None, 0).await;
    two_minutes_arrive_whole(&story).await;

    let Storage::Servers { s3, .. } = &story.installation.storage else { unreachable!("as it was set up") };
    let originals = s3.folder.path().join(&s3.access.bucket).join("evidence");
    assert!(originals.is_dir(), "the bytes are in the bucket");
    let data = story.installation.folder.path().join("data");
    assert!(!data.join("blobs").exists() && !data.join("sightline.db").exists(), "nothing but the servers has them");
}

/// Asked, held, written over by the recorder, granted in part: what arrives is what was held.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_outlives_the_recorder() {
    let story = Story::begin(window(minutes_ago(8), 420)).await;
    let Story { installation, camera, files, .. } = &story;
    let held = async |request: &str, hold: &str| {
        wait(hold, PATIENCE, async || installation.item(request).await["hold"] == hold).await;
    };
    let ask = async |asked: Window| {
        let request = installation.submit(camera, asked).await;
        let item = text(&installation.item(&request).await["id"]);
        installation.approver.post(&format!("/request-items/{item}/hold"), json!({})).await;
        held(&request, "held").await;
        (request, item)
    };
    let kept = || std::fs::read_dir(files.folder.join("sightline-connector-state/held")).unwrap().count();
    let asked = window(minutes_ago(6).plus(Duration::from_millis(14_350)), 120);
    let (granted, item) = ask(asked).await;
    let (denied, other) = ask(asked).await;
    assert_eq!(kept(), 2);
    std::fs::remove_dir_all(installation.folder.path().join("recordings/cam")).unwrap();

    installation.approver.post(&format!("/request-items/{other}/deny"), json!({})).await;
    held(&denied, "freed").await;
    wait("the denied one to be deleted", PATIENCE, async || kept() == 1).await;

    let part = window(asked.from.plus(Duration::from_secs(30)), 60);
    let terms = json!({"from": part.from, "to": part.to});
    installation.approver.post(&format!("/request-items/{item}/approve"), terms).await;
    let (evidence, file) = installation.arrived(&granted).await;
    covers(&file, part, &[]).unwrap();
    assert!(gaps_of(&evidence).is_empty());
    wait("the granted one to be deleted", PATIENCE, async || kept() == 0).await;
    assert_eq!(installation.item(&granted).await["hold"], "freed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_whose_names_are_wrong_is_found_out() {
    let story = Story::told(Installation::start().await, window(minutes_ago(8), 420), None, 3).await;
    let asked = window(minutes_ago(6).plus(Duration::from_millis(14_350)), 120);
    let (_, file) = story.fetch(asked).await;
    let complaint = covers(&file, asked, &[]).unwrap_err();
    assert!(complaint.starts_with("begins at") || complaint.starts_with("ends at"), "{complaint}");
    // It is the three seconds that are seen, to the tenth.
    let first = clock_reader::times(&file)[0];
    let shift = asked.from.since(first);
    assert!(shift >= Duration::from_secs(3) && shift <= Duration::from_secs(3 + KEY_FRAME_SECONDS as u64), "{shift:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_told_and_reasons_are_given() {
    let start = minutes_ago(10);
    let seconds = start.as_micros() / 1_000_000;
    // 45 s are missing from 3:10 on.
    let gap = Gap { every_seconds: 86_400, after_seconds: (seconds + 190).rem_euclid(86_400), seconds: 45 };
    let story = Story::told(Installation::start().await, window(start, 480), Some(gap), 0).await;
    let Story { installation, camera, .. } = &story;
    let after = |seconds: u64| start.plus(Duration::from_secs(seconds));

    let asked = window(after(150), 120);
    let missing = window(after(190), 45);
    let (evidence, file) = story.fetch(asked).await;
    covers(&file, asked, &[missing]).unwrap();
    assert_eq!(gaps_of(&evidence), [missing]);

    let none = async |asked: Window| {
        let request = installation.submit_and_approve(camera, asked).await;
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
    let now = || Timestamp::from(jiff::Timestamp::now());
    let mut recorded = now();
    let mut story = Story::begin(Window { from: minutes_ago(3), to: recorded }).await;

    let asked = Window { from: now().minus(Duration::from_secs(40)), to: now().minus(Duration::from_secs(1)) };
    let request = story.installation.submit_and_approve(&story.camera, asked).await;
    wait("the connector to wait for the recording", PATIENCE, async || {
        story.installation.item(&request).await["waiting_for"] == "recording"
    })
    .await;
    // Nothing is recorded until the connector was seen to wait.
    wait("the footage", PATIENCE, async || {
        let to = now();
        story.recorder.record(Window { from: recorded, to }).unwrap();
        recorded = to;
        tokio::time::sleep(Duration::from_millis(500)).await;
        story.installation.item(&request).await["state"] == "released"
    })
    .await;
    let (_, file) = story.installation.arrived(&request).await;
    covers(&file, asked, &[]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_connector_is_waited_for() {
    let mut story = Story::begin(window(minutes_ago(5), 180)).await;
    story.connector.kill();
    let asked = window(minutes_ago(4), 60);
    let request = story.installation.submit_and_approve(&story.camera, asked).await;
    wait("the item to say that the connector is offline", PATIENCE, async || {
        let item = story.installation.item(&request).await;
        assert_eq!(item["state"], "approved");
        item["waiting_for"] == "connector_offline"
    })
    .await;
    story.connector = story.files.run();
    let (_, file) = story.installation.arrived(&request).await;
    covers(&file, asked, &[]).unwrap();
}
