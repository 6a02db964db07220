//! Recordings that are fetched from the video system one after the other: each is fetched once, whatever happens in between.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Timestamp;
use serde_json::json;

use crate::support::installation::{ConnectorFiles, Installation, minutes_ago, recorder, wait, window};
use crate::support::story::PATIENCE;
use crate::whole_story::covers;

/// The worked example of a program of one's own, but that each `fetch` is noted, and that the second recording is not given: while
/// there is a file `hangs` it waits without end, and then a file `fails` is used up for each time that it says that it broke.
const PROGRAM: &str = r#"
import os, sys, time
sys.dont_write_bytecode = True
folder, example = sys.argv[1:3]
sys.path.insert(0, os.path.dirname(example))
import mp4_folder

class Recorder(mp4_folder.Recorder):
    def fetch(self, params):
        with open(os.path.join(folder, "fetched"), "a") as file:
            print(params["name"], file=file)
        there = lambda name: os.path.exists(os.path.join(folder, name))
        if params["name"] == self.index()["recordings"][1]["file"]:
            connector = os.getppid()
            while there("hangs"):
                if os.getppid() != connector:
                    sys.exit("the connector was killed")
                time.sleep(0.1)
            if there("fails"):
                os.remove(os.path.join(folder, "fails"))
                raise mp4_folder.Failure("broken", detail="The recorder is busy.")
        return super().fetch(params)

mp4_folder.serve(Recorder(folder))
"#;

struct Site {
    recordings: PathBuf,
    files: ConnectorFiles,
}

impl Site {
    async fn on(installation: &Installation, recorded: Timestamp) -> Self {
        let recordings = installation.folder.path().join("recordings");
        recorder(&recordings, None, 0).record(window(recorded, 270)).unwrap();
        std::fs::write(recordings.join("index.json"), index(&recordings.join("cam"))).unwrap();
        std::fs::write(recordings.join("program.py"), PROGRAM).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/connector-command/mp4_folder.py");
        let config = format!(
            "[adapter]\nkind = \"command\"\ncommand = [\"/usr/bin/python3\", {:?}, {recordings:?}, {example:?}]\n",
            recordings.join("program.py")
        );
        let files = installation.connector_with("recorder", &config).await;
        Self { recordings, files }
    }

    /// How often each recording that was asked for was, in order of time.
    fn fetched(&self) -> Vec<usize> {
        let log = std::fs::read_to_string(self.recordings.join("fetched")).unwrap_or_default();
        let mut names: Vec<_> = log.lines().collect();
        names.sort_unstable();
        names.chunk_by(|a, b| a == b).map(<[_]>::len).collect()
    }
}

/// Of the segments of a folder; not of the last, as only the next one's name tells when one ends.
fn index(folder: &Path) -> String {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let begins = |name: &str| {
        let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ.mp4", name).unwrap();
        civil.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().to_string()
    };
    let row = |pair: &[String]| json!({"camera": "cam", "file": format!("cam/{}", pair[0]), "begins": begins(&pair[0]), "ends": begins(&pair[1])});
    let rows: Vec<_> = names.windows(2).map(row).collect();
    json!({"cameras": [{"id": "cam", "name": "Yard"}], "recordings": rows}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_is_not_fetched_again_after_a_kill_and_a_failure() {
    let (installation, recorded) = (Installation::start().await, minutes_ago(6));
    let site = Site::on(&installation, recorded).await;
    let (hangs, fails) = (site.recordings.join("hangs"), site.recordings.join("fails"));
    std::fs::write(&hangs, "").unwrap();
    let connector = site.files.run();
    let camera = installation.camera(&site.files).await;
    let asked = window(recorded.plus(Duration::from_millis(10_350)), 120);
    let request = installation.submit_and_approve(&camera, asked).await;
    wait("the second recording to be asked for", PATIENCE, async || site.fetched() == [1, 1]).await;
    connector.kill();

    std::fs::write(&fails, "").unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await; // its program sees that it is gone
    std::fs::remove_file(&hangs).unwrap();
    let connector = site.files.run();
    let (evidence, file) = installation.arrived(&request).await;
    assert!(!fails.exists());
    covers(&file, asked, &[]).unwrap();
    assert_eq!(evidence["recorded"]["gaps"], json!([]));
    let fetched = site.fetched();
    assert_eq!(fetched[..2], [1, 3], "the second: killed, failed, brought");
    assert!(fetched.len() > 2 && fetched[2..].iter().all(|times| *times == 1), "{fetched:?}");
    connector.kill();
}
