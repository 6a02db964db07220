//! The connector alone, the server alone, then both die at every moment of an export, and come back. Each time exactly one
//! evidence comes of it, whose hash is the source's, and one mail says so.

use std::time::Duration;

use crate::support::installation::{Connector, ConnectorFiles, Installation, text, wait, window};
use crate::support::story::{PATIENCE, Story, seed};
use crate::support::wire::{Stop, Wire};

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
    let (mut installation, files, camera, start) = Story::at_rest().await;
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
        installation.one_evidence_and_one_mail(&request, mails).await;
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
    let (installation, files, camera, start) = Story::at_rest().await;
    let slow = Wire::lay(&installation.address, Stop::Never, Some(200_000)).await;
    files.through(&installation.address, &slow.address);
    let sleeper = files.run();
    let request = installation.submit_and_approve(&camera, window(start, 120)).await;
    installation.item_when(&request, "uploading", PATIENCE).await;
    sleeper.sleep();
    // Real clocks: this is how long a lease lasts, and nobody extends it.
    tokio::time::sleep(domain::connector::LEASE).await;
    let twin = files.twin().run();
    installation.one_evidence_and_one_mail(&request, 0).await;
    twin.kill();
    sleeper.wake();
    wait("the sleeper to hear that it is late", PATIENCE, async || sleeper.has_said("lease lost; dropped")).await;
    installation.one_evidence_and_one_mail(&request, 0).await;
    // And it goes on with what is next.
    let next = installation.submit_and_approve(&camera, window(start.plus(Duration::from_secs(5)), 120)).await;
    installation.one_evidence_and_one_mail(&next, 1).await;
    sleeper.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn at_ten_random_moments() {
    let (mut installation, files, camera, start) = Story::at_rest().await;
    // Slow enough that the moments fall into every part of the work.
    let seed = seed();
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
        installation.one_evidence_and_one_mail(&request, mails).await;
        connector.kill();
    }
}
