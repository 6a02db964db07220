//! The connector's state is on a disk of 50 MB that others fill too. Exports that find no room wait and tell so, and go on by
//! themselves once there is room; nothing that was cut short by it is ever sent.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use domain::{Timestamp, Window};
use serde_json::{Value, json};

use crate::support::installation::{Connector, ConnectorFiles, Installation, succeed, text, wait, window};
use crate::support::small_disk::SmallDisk;
use crate::support::story::{PATIENCE, Story};
use crate::whole_story::covers;

/// What a connector leaves to others of a disk of 50 MB, and a little.
const LEFT: u64 = 2_600_000;

/// A connector with a small disk.
struct Site {
    // taken away before the folder that it is in
    disk: SmallDisk,
    installation: Installation,
    files: ConnectorFiles,
    camera: String,
    start: Timestamp,
}

impl Site {
    async fn begin() -> Self {
        let (installation, files, camera, start) = Story::at_rest().await;
        let disk = SmallDisk::on(&files.folder.join("sightline-connector-state"));
        Self { installation, files, camera, start, disk }
    }

    /// Two minutes; others each time.
    fn asked(&self, turn: u64) -> Window {
        window(self.start.plus(Duration::from_millis(5_000 * turn + 350)), 120)
    }

    async fn ask(&self, turn: u64) -> String {
        self.installation.submit_and_approve(&self.camera, self.asked(turn)).await
    }

    /// The state of a request's item, and what it waits for.
    async fn stands(&self, request: &str) -> (String, Value) {
        let item = self.installation.item(request).await;
        (text(&item["state"]), item["waiting_for"].clone())
    }

    fn spool(&self) -> PathBuf {
        self.files.folder.join("sightline-connector-state/spool")
    }

    async fn problem(&self) -> Value {
        self.installation.administrator.get(&format!("/connectors/{}", self.files.id)).await["problem"].clone()
    }

    /// Waits until a request waits for room, and looks whether everybody is told.
    async fn waits_for_room(&self, request: &str) {
        let waits = (String::from("exporting"), json!("room"));
        wait("it to wait for room", PATIENCE, async || self.stands(request).await == waits).await;
        let told = async || self.problem().await.to_string().contains("no room on the connector's disk");
        wait("the connector to tell", PATIENCE, told).await;
        let problem = self.problem().await;
        let state = self.files.folder.join("sightline-connector-state");
        assert!(text(&problem["what_to_do"]).contains(&*state.to_string_lossy()), "{problem}");
    }

    /// The footage of a window is there, whole.
    async fn arrives(&self, request: &str, asked: Window) -> u64 {
        let (evidence, file) = self.installation.arrived(request).await;
        covers(&file, asked, &[]).unwrap();
        assert_eq!(evidence["recorded"]["gaps"], json!([]));
        evidence["size_bytes"].as_u64().expect("a size")
    }

    async fn is_well(&self, connector: Connector, mails: usize) {
        wait("the trouble to be over", PATIENCE, async || !self.problem().await.to_string().contains("room")).await;
        wait("the mails", PATIENCE, async || self.installation.ready_mails().await >= mails).await;
        assert_eq!(self.installation.ready_mails().await, mails);
        connector.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_waits_for_room() {
    let site = Site::begin().await;
    site.disk.leave(LEFT + 100_000);
    let free = site.disk.free();
    let connector = site.files.run();
    let request = site.ask(0).await;
    site.waits_for_room(&request).await;
    // as long as it takes to use up the tries of a task that fails
    tokio::time::sleep(Duration::from_secs(5)).await;
    site.waits_for_room(&request).await;
    assert!(site.disk.free() + 50_000 > free, "what it could not finish goes");
    assert!(!connector.has_said("failed"));
    site.disk.clear();
    site.arrives(&request, site.asked(0)).await;
    site.is_well(connector, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_that_fit_one_after_the_other_both_come() {
    let site = Site::begin().await;
    site.files.configure("[limits]\nupload_mbit = 4\n");
    let connector = site.files.run();
    let first = site.ask(0).await;
    let long = site.arrives(&first, site.asked(0)).await;

    site.disk.leave(LEFT + long * 8 / 5);
    let slow_ffmpeg = site.files.slow_ffmpeg();
    let requests = [site.ask(1).await, site.ask(2).await];
    let waits = async || {
        let stands = [site.stands(&requests[0]).await, site.stands(&requests[1]).await];
        stands.iter().any(|(_, waiting_for)| *waiting_for == "room")
    };
    wait("one to wait for room", PATIENCE, waits).await;
    drop(slow_ffmpeg);
    for (turn, request) in (1..).zip(&requests) {
        site.arrives(request, site.asked(turn)).await;
    }
    site.is_well(connector, 3).await;
}

/// Nothing is left to others by the connector, and others take what is left while ffmpeg writes.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_while_ffmpeg_writes() {
    let site = Site::begin().await;
    site.files.configure("[limits]\nkeep_free_mb = 0\n");
    let slow_ffmpeg = site.files.slow_ffmpeg();
    let connector = site.files.run();
    let request = site.ask(0).await;
    wait("ffmpeg to write a part", PATIENCE, async || connector.is_exporting()).await;
    site.disk.leave(0);
    site.waits_for_room(&request).await;
    drop(slow_ffmpeg);
    site.disk.clear();
    site.arrives(&request, site.asked(0)).await;
    site.is_well(connector, 1).await;
}

/// The recorder has written over it, and a full disk must not make what is held look lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_waits_for_room_too() {
    let site = Site::begin().await;
    let connector = site.files.run();
    let request = site.installation.submit(&site.camera, site.asked(0)).await;
    let item = text(&site.installation.item(&request).await["id"]);
    site.disk.leave(LEFT + 100_000);
    site.installation.approver.post(&format!("/request-items/{item}/hold"), json!({})).await;
    wait("the connector to tell", PATIENCE, async || site.problem().await != Value::Null).await;
    assert_eq!(site.installation.item(&request).await["hold"], "asked");
    site.disk.clear();
    wait("the hold", PATIENCE, async || site.installation.item(&request).await["hold"] == "held").await;
    let clear = Command::new("find").arg(site.spool()).args(["-type", "f"]).output().unwrap().stdout;
    assert_eq!(String::from_utf8_lossy(&clear), "", "no clear copy is left");

    std::fs::remove_dir_all(site.installation.folder.path().join("recordings/cam")).unwrap();
    site.disk.leave(LEFT + 100_000);
    site.installation.approver.post(&format!("/request-items/{item}/approve"), json!({})).await;
    site.waits_for_room(&request).await;
    site.disk.clear();
    site.arrives(&request, site.asked(0)).await;
    site.is_well(connector, 1).await;
}

/// The server's own disk: what arrived is kept, the server goes on noting things, and the upload goes on once there is room.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_waits_for_room_at_the_server() {
    let place = tempfile::tempdir().unwrap();
    let disk = SmallDisk::on(&place.path().join("small"));
    let (mut installation, files, camera, start) = Story::at_rest().await;
    installation.kill_server();
    let data = installation.folder.path().join("data");
    succeed(Command::new("cp").arg("--archive").arg(data.join(".")).arg(place.path().join("small")));
    std::fs::remove_dir_all(&data).unwrap();
    std::os::unix::fs::symlink(place.path().join("small"), &data).unwrap();
    installation.restart_server().await;

    files.configure("[limits]\nupload_mbit = 1\n");
    let connector = files.run();
    let request = installation.submit_and_approve(&camera, window(start, 120)).await;
    wait("a part of the upload", PATIENCE, async || installation.staged_bytes() > 200_000).await;
    disk.leave(LEFT - 200_000);
    wait("it to be refused", PATIENCE, async || connector.has_said("The server's disk is full.")).await;
    let arrived = installation.staged_bytes();
    assert!(arrived > 200_000, "what arrived is kept");
    installation.submit(&camera, window(start, 60)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let item = installation.item(&request).await;
    assert_eq!((&item["state"], &item["waiting_for"]), (&json!("uploading"), &json!("server_room")), "{item:#}");
    assert_eq!(installation.staged_bytes(), arrived);
    disk.clear();
    installation.one_evidence_and_one_mail(&request, 0).await;
    connector.kill();
}
