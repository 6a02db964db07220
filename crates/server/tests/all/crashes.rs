//! The connector alone, the server alone, then both die at every moment of an export, and come back. Each time exactly one
//! evidence comes of it, whose hash is the source's, and one mail says so.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::support::installation::{Connector, ConnectorFiles, Installation, minutes_ago, text, wait, window};
use crate::support::story::{PATIENCE, Story};
use crate::support::wire::{Stop, Wire};
use domain::Timestamp;

/// An installation with a connector that is not running, its camera, and the start of two minutes of footage.
async fn installation() -> (Installation, ConnectorFiles, String, Timestamp) {
    let recorded = minutes_ago(6);
    let Story { installation, files, camera, connector, .. } = Story::begin(window(recorded, 270)).await;
    connector.kill();
    (installation, files, camera, recorded.plus(Duration::from_secs(60)))
}

/// Waits for the end, and looks at what has come of it.
async fn one_evidence_and_one_mail(installation: &Installation, request: &str, mails_before: usize) {
    let (evidence, _) = installation.arrived(request).await;
    let in_case = installation.investigator.get(&format!("/cases/{}/evidence", text(&evidence["case_id"]))).await;
    assert_eq!(in_case["items"].as_array().unwrap().len(), 1);
    wait("the mail", PATIENCE, async || installation.ready_mails().await > mails_before).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(installation.ready_mails().await, mails_before + 1);
}

/// Who dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    Connector,
    Server,
    Both,
}

impl Death {
    const EACH: [Self; 3] = [Self::Connector, Self::Server, Self::Both];

    /// Kills without warning, and starts again what was killed. A connector that is spared lives through it.
    async fn strike(
        self,
        installation: &mut Installation,
        files: &ConnectorFiles,
        connector: Connector,
        wire: &Wire,
    ) -> Connector {
        let spared = if self == Self::Server {
            Some(connector)
        } else {
            connector.kill();
            None
        };
        if self != Self::Connector {
            installation.kill_server();
        }
        wire.mend();
        if self != Self::Connector {
            installation.restart_server().await;
        }
        spared.unwrap_or_else(|| files.run())
    }
}

/// One after the other dies when the wire stops, or else when ffmpeg is at its work, and comes back.
async fn die_at(stop: Stop, state: &[&str]) {
    let (mut installation, files, camera, start) = installation().await;
    for (turn, death) in (0..).zip(Death::EACH) {
        let wire = Wire::lay(&installation.address, stop, None).await;
        files.through(&installation.address, &wire.address);
        let slow_ffmpeg = (stop == Stop::Never).then(|| files.slow_ffmpeg());
        let connector = files.run();
        let mails = installation.ready_mails().await;
        let asked = window(start.plus(Duration::from_secs(5 * turn)), 120);
        let request = installation.submit_and_approve(&camera, asked).await;
        match &slow_ffmpeg {
            Some(_) => wait("ffmpeg to write a part", PATIENCE, async || connector.is_exporting()).await,
            None => wire.stopped().await,
        }
        let seen = text(&installation.item(&request).await["state"]);
        assert!(state.contains(&seen.as_str()), "at {stop:?} the item is {seen}");
        if matches!(stop, Stop::AfterBytes(_)) {
            // What only the wire has is lost with the server; what is to be resumed is what it had written.
            wait("the server to write of what came", PATIENCE, async || installation.staged_bytes() > 0).await;
        }
        if slow_ffmpeg.is_some() {
            assert!(connector.is_exporting(), "it dies in the middle of it");
        }
        drop(slow_ffmpeg);
        let connector = death.strike(&mut installation, &files, connector, &wire).await;
        one_evidence_and_one_mail(&installation, &request, mails).await;
        connector.kill();
        let heard = wire.heard();
        println!("{death:?} at {stop:?}: {heard:?}");
        assert_eq!(heard.announced, 1, "{death:?} at {stop:?}: the same upload goes on");
        if matches!(stop, Stop::AfterBytes(_)) {
            assert_eq!((heard.parts.len(), heard.parts[0]), (2, 0), "{death:?}: {heard:?}");
            assert!(heard.parts[1] > 0, "{death:?}: {heard:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_lease() {
    die_at(Stop::BeforeLease, &["approved"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_ffmpeg_exports() {
    die_at(Stop::Never, &["exporting"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_upload() {
    die_at(Stop::BeforeUpload, &["exporting"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_the_upload() {
    die_at(Stop::AfterBytes(600_000), &["uploading"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_byte() {
    die_at(Stop::AfterLastByte, &["uploading"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_completion() {
    die_at(Stop::BeforeCompletion, &["uploading"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_completion() {
    die_at(Stop::AfterCompletion, &["released", "uploading"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_slept_through_a_lease_changes_nothing() {
    let (installation, files, camera, start) = installation().await;
    let slow = Wire::lay(&installation.address, Stop::Never, Some(200_000)).await;
    files.through(&installation.address, &slow.address);
    let sleeper = files.run();
    let request = installation.submit_and_approve(&camera, window(start, 120)).await;
    installation.item_when(&request, "uploading", PATIENCE).await;
    sleeper.sleep();
    // Real clocks: this is how long a lease lasts, and nobody extends it.
    tokio::time::sleep(domain::connector::LEASE).await;
    let twin = files.twin().run();
    one_evidence_and_one_mail(&installation, &request, 0).await;
    twin.kill();
    sleeper.wake();
    wait("the sleeper to hear that it is late", PATIENCE, async || sleeper.has_said("lease lost; dropped")).await;
    one_evidence_and_one_mail(&installation, &request, 0).await;
    // And it goes on with what is next.
    let next = installation.submit_and_approve(&camera, window(start.plus(Duration::from_secs(5)), 120)).await;
    one_evidence_and_one_mail(&installation, &next, 1).await;
    sleeper.kill();
}

/// Another one each time, unless the environment says which: the one that a failed test has printed.
fn seed() -> u64 {
    match std::env::var("SIGHTLINE_TEST_SEED") {
        Ok(given) => given.parse().expect("SIGHTLINE_TEST_SEED is a number"),
        Err(_) => std::hash::RandomState::new().build_hasher().finish(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_ten_random_moments() {
    let (mut installation, files, camera, start) = installation().await;
    // Slow enough that the moments fall into every part of the work.
    let seed = seed();
    println!("SIGHTLINE_TEST_SEED={seed}");
    for moment in 0..10 {
        let wire = Wire::lay(&installation.address, Stop::Never, Some(1_000_000)).await;
        files.through(&installation.address, &wire.address);
        let connector = files.run();
        let asked = window(start.plus(Duration::from_secs(moment)), 120);
        let mails = installation.ready_mails().await;
        let request = installation.submit_and_approve(&camera, asked).await;
        let pause = seed.rotate_left(7 * moment as u32) % 4_000;
        let death = Death::EACH[moment as usize % 3];
        println!("{death:?} {pause} ms after the approval");
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let connector = death.strike(&mut installation, &files, connector, &wire).await;
        one_evidence_and_one_mail(&installation, &request, mails).await;
        connector.kill();
    }
}
