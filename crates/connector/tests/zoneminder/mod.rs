//! A real ZoneMinder that records two RTSP cameras whose pictures tell their time. `serve` brings it up and takes it down. The
//! server's tests use it too.

mod camera;
#[path = "../contract/clock.rs"]
pub(crate) mod clock;
mod footage;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camera::Camera;
use domain::Timestamp;
use serde_json::Value;

pub(crate) use footage::covers;

/// Who may do everything in it.
const USER: &str = "admin";
pub(crate) const PASSWORD: &str = "admin";
/// Its events last so long, and longer where the machine is busy.
const SECTION_SECONDS: u64 = 30;
/// How long something may take that takes seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// It runs until it is dropped, or until this process ends in another way.
pub(crate) struct ZoneMinder {
    /// Where its console would be opened.
    url: String,
    serving: Child,
    _cameras: [Camera; 2],
}

/// Where one event of a camera ends and the next one begins.
pub(crate) struct Seam {
    /// To the second.
    pub(crate) at: Timestamp,
    /// What ZoneMinder calls the two.
    pub(crate) events: [String; 2],
}

impl ZoneMinder {
    /// Waits for another test's to end, as there can be but one on a machine; answers when it has begun to record.
    pub(crate) fn start() -> Self {
        use std::os::unix::process::CommandExt;
        let folder = tempfile::Builder::new().prefix("zoneminder-").tempdir().unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
        let cameras = [Camera::start(), Camera::start()];
        let mut serving = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../connector/tests/zoneminder/serve"))
            .arg(&folder)
            .args([port.to_string(), SECTION_SECONDS.to_string()])
            .args(cameras.iter().map(|camera| &camera.url))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0) // whatever ends the tests, it ends in its own way
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(serving.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n", "ZoneMinder did not come up");
        Self { url: format!("http://127.0.0.1:{port}/zm"), serving, _cameras: cameras }
    }

    /// The first seam of a camera's events, as soon as there are two.
    pub(crate) async fn seam(&self, camera: &str) -> Seam {
        let start = Instant::now();
        loop {
            let events = self.events().await;
            let mut its = events.iter().filter(|event| plain(&event["MonitorId"]) == camera);
            if let (Some(first), Some(second)) = (its.next(), its.next()) {
                let at = plain(&second["StartDateTime"]).replace(' ', "T") + "Z"; // `serve` has it tell UTC
                return Seam { at: at.parse().unwrap(), events: [plain(&first["Id"]), plain(&second["Id"])] };
            }
            assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for a second event");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// The events that it was told to keep.
    pub(crate) async fn archived(&self) -> Vec<String> {
        let events = self.events().await;
        let archived = events.iter().filter(|event| ["1", "true"].contains(&plain(&event["Archived"]).as_str()));
        archived.map(|event| plain(&event["Id"])).collect()
    }

    /// All its events in their order, as its API tells.
    async fn events(&self) -> Vec<Value> {
        let http = reqwest::Client::new();
        let form = [("user", USER), ("pass", PASSWORD)];
        let login = http.post(format!("{}/api/host/login.json", self.url)).form(&form).send().await.unwrap();
        let login: Value = serde_json::from_slice(&login.bytes().await.unwrap()).unwrap();
        let token = login["access_token"].as_str().unwrap();
        let events = http.get(format!("{}/api/events.json", self.url)).query(&[("token", token), ("sort", "Id")]);
        let events: Value = serde_json::from_slice(&events.send().await.unwrap().bytes().await.unwrap()).unwrap();
        events["events"].as_array().unwrap().iter().map(|row| row["Event"].clone()).collect()
    }

    /// The lines of a connector's configuration; the password is in the file `password` beside it.
    pub(crate) fn adapter(&self) -> String {
        let url = &self.url;
        format!(
            "[adapter]\nkind = \"zoneminder\"\nurl = \"{url}\"\nusername = \"{USER}\"\npassword_file = \"password\"\n"
        )
    }
}

/// It tells numbers as such and as text.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Drop for ZoneMinder {
    fn drop(&mut self) {
        drop(self.serving.stdin.take());
        let _ = self.serving.wait();
    }
}
