//! A real ZoneMinder that records two RTSP cameras whose pictures tell their time. `serve` brings it up and takes it down.

pub(crate) mod camera;
#[path = "../contract/clock.rs"]
pub(crate) mod clock;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use camera::Camera;
use serde_json::Value;

/// Who may do everything in it.
pub(crate) const USER: &str = "admin";
pub(crate) const PASSWORD: &str = "admin";
/// Its events last so long.
pub(crate) const SECTION_SECONDS: u64 = 30;

/// It runs until it is dropped, or until this process ends in another way.
pub(crate) struct ZoneMinder {
    /// Where its console would be opened.
    pub(crate) url: String,
    serving: Child,
    _cameras: [Camera; 2],
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

    /// The events that it was told to keep, as its API tells.
    pub(crate) async fn archived(&self) -> Vec<String> {
        let http = reqwest::Client::new();
        let form = [("user", USER), ("pass", PASSWORD)];
        let login = http.post(format!("{}/api/host/login.json", self.url)).form(&form).send().await.unwrap();
        let login: Value = serde_json::from_slice(&login.bytes().await.unwrap()).unwrap();
        let token = login["access_token"].as_str().unwrap();
        let events = http.get(format!("{}/api/events.json", self.url)).query(&[("token", token), ("sort", "Id")]);
        let events: Value = serde_json::from_slice(&events.send().await.unwrap().bytes().await.unwrap()).unwrap();
        let events = events["events"].as_array().unwrap().iter().map(|row| &row["Event"]);
        let archived = events.filter(|event| ["1", "true"].contains(&event["Archived"].to_string().trim_matches('"')));
        archived.map(|event| event["Id"].to_string().trim_matches('"').to_owned()).collect()
    }

    /// The lines of a connector's configuration; the password is in the file `password` beside it.
    pub(crate) fn adapter(&self) -> String {
        let url = &self.url;
        format!(
            "[adapter]\nkind = \"zoneminder\"\nurl = \"{url}\"\nusername = \"{USER}\"\npassword_file = \"password\"\n"
        )
    }
}

impl Drop for ZoneMinder {
    fn drop(&mut self) {
        drop(self.serving.stdin.take());
        let _ = self.serving.wait();
    }
}
