//! Server and connector are on machines of their own, and the cable between them is pulled while an export is under way. Put in
//! again, exactly one evidence comes of it; meanwhile the page is told what is so.

use std::time::Duration;

use domain::Timestamp;
use serde_json::Value;

use crate::support::installation::{Connector, ConnectorFiles, Installation, text, wait, window};
use crate::support::network::Network;
use crate::support::story::{PATIENCE, Story};
use crate::support::wire::{Stop, Wire};

/// Shorter than a lease lasts.
const SOME_SECONDS: Duration = Duration::from_secs(6);

/// A story whose connector is on a machine of its own and not running.
struct Apart {
    installation: Installation,
    files: ConnectorFiles,
    camera: String,
    start: Timestamp,
}

impl Apart {
    async fn begin() -> Self {
        let (installation, files, camera, start) = Story::at_rest_on(Installation::in_network().await).await;
        Self { installation, files, camera, start }
    }

    fn network(&self) -> &Network {
        self.installation.network.as_ref().expect("as it was set up")
    }

    /// Asks for two minutes; others each time.
    async fn ask(&self, turn: u64) -> String {
        let asked = window(self.start.plus(Duration::from_secs(5 * turn)), 120);
        self.installation.submit_and_approve(&self.camera, asked).await
    }

    /// Starts the connector, asks, and waits until half a megabyte or so has arrived.
    async fn half_sent(&self) -> (Connector, String) {
        self.files.configure("[limits]\nupload_mbit = 1\n");
        let connector = self.files.run_in(self.network());
        let request = self.ask(0).await;
        wait("half an upload", PATIENCE, async || self.installation.staged_bytes() > 300_000).await;
        (connector, request)
    }

    async fn connector(&self) -> Value {
        self.installation.administrator.get(&format!("/connectors/{}", self.files.id)).await
    }

    /// What the page is told while the cable has been out for some seconds: nobody can know yet.
    async fn is_told(&self, request: &str, state: &str) {
        let item = self.installation.item(request).await;
        assert_eq!((text(&item["state"]).as_str(), &item["waiting_for"]), (state, &Value::Null), "{item:#}");
        assert_eq!(self.connector().await["online"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_exports() {
    let apart = Apart::begin().await;
    let slow_ffmpeg = apart.files.slow_ffmpeg();
    let connector = apart.files.run_in(apart.network());
    let request = apart.ask(0).await;
    wait("ffmpeg to write a part", PATIENCE, async || connector.is_exporting()).await;
    apart.network().pull();
    drop(slow_ffmpeg);
    tokio::time::sleep(SOME_SECONDS).await;
    apart.is_told(&request, "exporting").await;
    apart.network().plug();
    apart.installation.one_evidence_and_one_mail(&request, 0).await;
    connector.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_the_upload() {
    let apart = Apart::begin().await;
    let (connector, request) = apart.half_sent().await;
    apart.network().pull();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let arrived = apart.installation.staged_bytes();
    tokio::time::sleep(SOME_SECONDS).await;
    assert_eq!(apart.installation.staged_bytes(), arrived, "nothing comes through");
    apart.is_told(&request, "uploading").await;
    let progress = apart.installation.item(&request).await["progress"].clone();
    assert_eq!(progress["bytes_done"], arrived, "{progress}");
    apart.network().plug();
    apart.installation.one_evidence_and_one_mail(&request, 0).await;
    connector.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn before_and_after_completion() {
    let apart = Apart::begin().await;
    for (turn, stop, state) in [(0, Stop::BeforeCompletion, "uploading"), (1, Stop::AfterCompletion, "released")] {
        let wire = Wire::lay_from(apart.network().listen_at_server(), &apart.installation.address, stop, None);
        apart.files.through(&apart.installation.address, &wire.address);
        let connector = apart.files.run_in(apart.network());
        let mails = apart.installation.ready_mails().await;
        let request = apart.ask(turn).await;
        wire.stopped().await;
        apart.network().pull();
        wire.mend(); // the lines end here, of which the connector hears nothing
        tokio::time::sleep(SOME_SECONDS).await;
        apart.is_told(&request, state).await;
        apart.network().plug();
        apart.installation.one_evidence_and_one_mail(&request, mails).await;
        connector.kill();
        assert_eq!(wire.heard().announced, 1, "at {stop:?} the same upload goes on");
    }
}

/// By real clocks, as long as it takes until a connector counts as offline.
#[tokio::test(flavor = "multi_thread")]
async fn until_the_connector_is_offline() {
    let apart = Apart::begin().await;
    let (connector, request) = apart.half_sent().await;
    apart.network().pull();
    let item = async || apart.installation.item(&request).await;
    tokio::time::sleep(SOME_SECONDS).await;
    apart.is_told(&request, "uploading").await;
    wait("it to be offline", PATIENCE, async || item().await["waiting_for"] == "connector_offline").await;
    assert_eq!(item().await["state"], "uploading");
    let told = apart.connector().await;
    assert_eq!((&told["online"], &told["last_seen_at"]), (&false.into(), &item().await["waiting_since"]));
    assert_eq!(told["problem"]["text"], "It is not heard of any more.");

    apart.network().plug();
    wait("the connector", PATIENCE, async || apart.connector().await["online"] == true).await;
    apart.installation.one_evidence_and_one_mail(&request, 0).await;
    assert_eq!(apart.connector().await["problem"], Value::Null);
    assert!(connector.has_said("going on with what was exported before"), "it is not exported twice");
    connector.kill();
}
