//! From a request to footage out of a real ZoneMinder.

use std::time::Duration;

use domain::{Timestamp, Window};

use crate::support::installation::{Installation, wait};
use crate::support::story::PATIENCE;
use crate::support::zoneminder::clock::times;
use crate::support::zoneminder::{PASSWORD, SECTION_SECONDS, ZoneMinder};

const SECOND: Duration = Duration::from_secs(1);
/// A picture reaches ZoneMinder, which notes when it came, some frames later.
const WAY: Duration = Duration::from_millis(400);

/// A window that begins in one event and ends in the next, asked for while it is being recorded, arrives whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_over_two_events_arrives_whole() {
    let real = tokio::task::spawn_blocking(ZoneMinder::start).await.unwrap();
    let installation = Installation::start().await;
    let files = installation.connector_with("zoneminder", &real.adapter()).await;
    std::fs::write(files.folder.join("password"), PASSWORD).unwrap();
    let _connector = files.run();
    let camera = installation.camera(&files).await;
    let begun = Timestamp::from(jiff::Timestamp::now());
    // by then the first event, which is older, has ended, and with it the first half of this
    let half = Duration::from_secs(SECTION_SECONDS / 2);
    let asked = Window { from: begun.plus(half), to: begun.plus(half + Duration::from_secs(SECTION_SECONDS)) };
    wait("the window to have passed", PATIENCE, async || Timestamp::from(jiff::Timestamp::now()) > asked.to).await;

    let request = installation.submit_and_approve(&camera, asked).await;
    let (evidence, file) = installation.arrived(&request).await;
    assert!(evidence["manifest"]["segments"].as_array().unwrap().len() >= 2, "{:#}", evidence["manifest"]);
    let shown = times(&file);
    let (first, last) = (*shown.iter().min().unwrap(), *shown.iter().max().unwrap());
    let got = format!("asked for {} to {}, got {first} to {last}", asked.from, asked.to);
    println!("{got}");
    assert!(first <= asked.from && last.plus(WAY) >= asked.to, "{got}");
    // no more than a key frame, and the second that ZoneMinder does not tell; two for the event that began first
    assert!(first.plus(SECOND * 3 + WAY) >= asked.from && last <= asked.to.plus(SECOND * 3), "{got}");
}
