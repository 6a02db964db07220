//! A recorder that has recorded, the connector beside it, and the camera that people ask for.

use std::path::PathBuf;
use std::time::Duration;

use domain::Window;
use serde_json::Value;
use sightline_server::demo::footage::{Gap, Recorder};

use super::installation::{Connector, ConnectorFiles, Installation, recorder, sha256, text};

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
}
