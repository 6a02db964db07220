//! A recorder that has recorded, the connector beside it, and the camera that people ask for.

use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use domain::{Timestamp, Window};
use serde_json::Value;
use sightline_server::demo::footage::{Gap, Recorder};

use super::installation::{Connector, ConnectorFiles, Installation, minutes_ago, recorder, sha256, text, wait, window};

/// How long something may take that takes seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// The beginning of every story that is told with the real programs.
pub(crate) struct Story {
    pub(crate) connector: Connector,
    pub(crate) files: ConnectorFiles,
    pub(crate) recorder: Recorder,
    pub(crate) camera: String,
    pub(crate) installation: Installation,
}

impl Story {
    /// With a recorder that says when it recorded.
    pub(crate) async fn begin(recorded: Window) -> Self {
        Self::told(Installation::start().await, recorded, None, 0).await
    }

    /// An installation with a connector that is not running, its camera, and the start of two minutes of footage.
    pub(crate) async fn at_rest() -> (Installation, ConnectorFiles, String, Timestamp) {
        Self::at_rest_on(Installation::start().await).await
    }

    /// The same on this installation.
    pub(crate) async fn at_rest_on(installation: Installation) -> (Installation, ConnectorFiles, String, Timestamp) {
        let recorded = minutes_ago(6);
        let Self { installation, files, camera, connector, .. } =
            Self::told(installation, window(recorded, 270), None, 0).await;
        connector.kill();
        (installation, files, camera, recorded.plus(Duration::from_secs(60)))
    }

    /// On this installation, with a recorder that has a gap, or whose names are wrong by so many seconds.
    pub(crate) async fn told(
        installation: Installation,
        recorded: Window,
        gap: Option<Gap>,
        names_shifted_seconds: i64,
    ) -> Self {
        let recordings = installation.folder.path().join("recordings");
        let mut recorder = recorder(&recordings, gap, names_shifted_seconds);
        recorder.record(recorded).expect("it records");
        let files = installation.connector("recorder", &recordings).await;
        let connector = files.run();
        let camera = installation.camera(&files).await;
        Self { connector, files, recorder, camera, installation }
    }

    /// Asks for a window and has it granted; answers the evidence and its original.
    pub(crate) async fn fetch(&self, asked: Window) -> (Value, PathBuf) {
        let request = self.installation.submit_and_approve(&self.camera, asked).await;
        self.installation.arrived(&request).await
    }
}

impl Installation {
    /// The evidence that a request ends with, and its original: one file, as it was hashed beside the recorder.
    pub(crate) async fn arrived(&self, request: &str) -> (Value, PathBuf) {
        let item = self.item_when(request, "released", PATIENCE).await;
        assert_eq!(item["evidence"].as_array().expect("a list").len(), 1, "{item:#}");
        let id = text(&item["evidence"][0]["id"]);
        let evidence = self.investigator.get(&format!("/evidence/{id}")).await;
        let file = self.download(&id).await;
        assert_eq!(evidence["sha256"], sha256(&file).as_str());
        assert_eq!(evidence["manifest"]["export"]["sha256"], evidence["sha256"], "as hashed at the source");
        (evidence, file)
    }

    /// Waits for the end of a request, and looks at what has come of it: one file in its case, and one mail more than before.
    pub(crate) async fn one_evidence_and_one_mail(&self, request: &str, mails_before: usize) -> Value {
        let (evidence, _) = self.arrived(request).await;
        let in_case = self.investigator.get(&format!("/cases/{}/evidence", text(&evidence["case_id"]))).await;
        assert_eq!(in_case["items"].as_array().expect("a list").len(), 1, "{in_case:#}");
        wait("the mail", PATIENCE, async || self.ready_mails().await > mails_before).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(self.ready_mails().await, mails_before + 1);
        evidence
    }
}

/// Another one each time, unless the environment says which: the one that a failed test has printed.
pub(crate) fn seed() -> u64 {
    let seed = match std::env::var("SIGHTLINE_TEST_SEED") {
        Ok(given) => given.parse().expect("SIGHTLINE_TEST_SEED is a number"),
        Err(_) => std::hash::RandomState::new().build_hasher().finish(),
    };
    println!("SIGHTLINE_TEST_SEED={seed}");
    seed
}
