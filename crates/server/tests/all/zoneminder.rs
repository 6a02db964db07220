//! What a real ZoneMinder recorded, from the request to the footage: held by its own lock until somebody has decided.

use std::time::Duration;

use domain::{Timestamp, Window};
use serde_json::{Value, json};

use crate::support::installation::{Connector, ConnectorFiles, Installation, text, wait};
use crate::support::zoneminder::{PASSWORD, PATIENCE, Seam, ZoneMinder, covers};

/// Neither end on a picture.
const AROUND: Duration = Duration::from_millis(6_350);

struct Story {
    _connector: Connector,
    files: ConnectorFiles,
    installation: Installation,
    camera: String,
    real: ZoneMinder,
    seam: Seam,
}

impl Story {
    /// A camera whose owner has its footage held as soon as somebody asks for it, and which has recorded two events.
    async fn begin() -> Self {
        let real = tokio::task::spawn_blocking(ZoneMinder::start).await.unwrap();
        let installation = Installation::start().await;
        let owner = format!("/organizations/{}", installation.transit);
        installation.administrator.patch(&owner, json!({"holds_on_submission": true})).await;
        let files = installation.connector_with("zoneminder", &real.adapter()).await;
        std::fs::write(files.folder.join("password"), PASSWORD).unwrap();
        let connector = files.run();
        let camera = installation.camera(&files).await;
        let device = text(&installation.administrator.get(&format!("/cameras/{camera}")).await["device_id"]);
        let seam = real.seam(&device).await;
        Self { _connector: connector, files, installation, camera, real, seam }
    }

    /// Asks for a window of both events, once it has passed; answers the request when they are held, and its item.
    async fn ask(&self, asked: Window) -> (String, String) {
        wait("the window to pass", PATIENCE, async || Timestamp::from(jiff::Timestamp::now()) > asked.to).await;
        let request = self.installation.submit(&self.camera, asked).await;
        let mut item = Value::Null;
        wait("the hold", PATIENCE, async || {
            item = self.installation.item(&request).await;
            item["hold"] == "held"
        })
        .await;
        assert_eq!((&item["state"], &item["evidence"]), (&json!("pending"), &json!([])));
        assert_eq!(self.real.archived().await, self.seam.events, "ZoneMinder keeps them");
        (request, text(&item["id"]))
    }

    async fn decide(&self, item: &str, how: &str) {
        self.installation.approver.post(&format!("/request-items/{item}/{how}"), json!({})).await;
    }

    /// So many holds have a folder beside the recorder.
    async fn kept(&self, holds: usize) {
        let kept = || std::fs::read_dir(self.files.folder.join("sightline-connector-state/held")).unwrap().count();
        wait("the connector's holds", PATIENCE, async || kept() == holds).await;
    }

    /// The hold of a request has ended, and ZoneMinder keeps nothing any more.
    async fn is_freed(&self, request: &str) {
        wait("ZoneMinder to let go", PATIENCE, async || self.real.archived().await.is_empty()).await;
        assert_eq!(self.installation.item(request).await["hold"], "freed");
    }
}

/// Two ask for the same footage; one is denied it, which must not let go of what is held for the other. All of it in one test: it
/// takes half a minute until there are two events, and there can be but one ZoneMinder.
#[tokio::test(flavor = "multi_thread")]
async fn what_zoneminder_keeps_is_let_go_by_a_denial_and_released_by_an_approval() {
    let story = Story::begin().await;
    let asked = Window { from: story.seam.at.minus(AROUND), to: story.seam.at.plus(AROUND) };
    assert_eq!(story.real.archived().await, [""; 0]);

    let (denied, item) = story.ask(asked).await;
    story.decide(&item, "deny").await;
    story.is_freed(&denied).await;
    assert_eq!(story.installation.item(&denied).await["evidence"], json!([]));

    let (denied, of_denied) = story.ask(asked).await;
    let (granted, of_granted) = story.ask(asked).await;
    story.decide(&of_denied, "deny").await;
    story.kept(1).await;
    assert_eq!(story.installation.item(&denied).await["hold"], "freed");
    assert_eq!(story.real.archived().await, story.seam.events, "the other one still needs them");

    story.decide(&of_granted, "approve").await;
    let (evidence, file) = story.installation.arrived(&granted).await;
    covers(&file, asked, evidence["manifest"]["uncertainty_ms"].as_i64().unwrap());
    assert_eq!(evidence["manifest"]["segments"].as_array().unwrap().len(), 2);
    assert_eq!(evidence["recorded"]["gaps"], json!([]));
    story.is_freed(&granted).await;

    // what its owner deletes beside the recorder, ZoneMinder lets go of at once
    let (_, item) = story.ask(asked).await;
    story.files.delete_held(&item);
    assert_eq!(story.real.archived().await, [""; 0]);
}
