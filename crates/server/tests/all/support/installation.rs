//! A running installation for tests: the real server, real connectors, real recordings on the disk.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use domain::{Timestamp, Window};
use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use sightline_server::demo::footage::{Camera, Gap, Recorder, Settings, View};

use super::network::{self, Network};
use super::slow_ffmpeg::{self, SlowFfmpeg};
use super::storage::Storage;

const PASSWORD: &str = "correct horse battery staple";
/// The server's configuration, beside its data.
const CONFIG: &str = "sightline.toml";

/// A server with its data, and whoever works with it.
pub(crate) struct Installation {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) address: String,
    server: Child,
    pub(crate) administrator: Person,
    pub(crate) investigator: Person,
    pub(crate) approver: Person,
    pub(crate) transit: String,
    /// Ends after the server.
    pub(crate) storage: Storage,
    /// Where the server has a machine of its own.
    pub(crate) network: Option<Network>,
}

impl Installation {
    /// Starts a server with an organization that owns cameras, and the people of the story.
    pub(crate) async fn start() -> Self {
        Self::keeping_in(Storage::DataDirectory).await
    }

    /// The same, with rows and bytes elsewhere.
    pub(crate) async fn keeping_in(storage: Storage) -> Self {
        Self::begin(storage, None).await
    }

    /// The same, with the server on a machine of its own, which the connector reaches by a cable.
    pub(crate) async fn in_network() -> Self {
        Self::begin(Storage::DataDirectory, Some(Network::lay())).await
    }

    async fn begin(storage: Storage, network: Option<Network>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the data");
        let reached_from_outside = if network.is_some() { "[server]\nbehind_proxy = true\n" } else { "" };
        let config = storage.settings() + reached_from_outside;
        std::fs::write(folder.path().join(CONFIG), config).expect("the configuration is written");
        if let Storage::Servers { .. } = storage {
            succeed(&mut sightline(folder.path(), &["migrate"]));
        }
        let address = network.as_ref().map_or_else(free_address, Network::server_address);
        let server = serve(folder.path(), &address, network.as_ref());
        ready(&address).await;
        let added = account(folder.path(), &["add", "admin@agency.example", "--role", "administrator"], PASSWORD);
        assert!(added.status.success(), "sightline account add: {}", text_of(&added.stderr));

        let administrator = Person::sign_in(&address, "admin@agency.example").await;
        let organization =
            administrator.post("/organizations", json!({"name": "Transit", "time_zone": "America/Los_Angeles"})).await;
        let transit = text(&organization["id"]);
        let me = administrator.get("/me").await;
        let host = text(&me["installation"]["host_organization_id"]);
        for (email, name, organization, role, scope) in [
            ("investigator@agency.example", "Ines Investigator", &host, "investigator", Value::Null),
            ("approver@transit.example", "Adam Approver", &transit, "approver", json!(transit)),
        ] {
            let account = json!({"email": email, "name": name, "organization_id": organization, "password": PASSWORD, "roles": [{"role": role, "organization_id": scope}]});
            administrator.post("/accounts", account).await;
        }
        let investigator = Person::sign_in(&address, "investigator@agency.example").await;
        let approver = Person::sign_in(&address, "approver@transit.example").await;
        Self { folder, address, server, administrator, investigator, approver, transit, storage, network }
    }

    /// Types `sightline account …` with a password.
    pub(crate) fn account(&self, arguments: &[&str], password: &str) -> Output {
        account(self.folder.path(), arguments, password)
    }

    /// Kills the server without warning.
    pub(crate) fn kill_server(&mut self) {
        kill(&mut self.server);
    }

    /// Tells the server to stop.
    pub(crate) fn terminate_server(&self) {
        signal(&self.server, Signal::TERM);
    }

    /// A number of the server's in `/proc/…/status`.
    pub(crate) fn memory_kib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).expect("the server runs");
        let line = status.lines().find(|line| line.starts_with(field)).expect("the kernel tells it");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number of KiB")
    }

    /// Bytes of unfinished uploads that the server has written.
    pub(crate) fn staged_bytes(&self) -> u64 {
        let files = std::fs::read_dir(self.folder.path().join("data/uploads")).into_iter().flatten();
        files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum()
    }

    /// Starts the server again on the same data and the same address.
    pub(crate) async fn restart_server(&mut self) {
        self.server = serve(self.folder.path(), &self.address, self.network.as_ref());
        ready(&self.address).await;
    }

    /// Issues a connection file and describes a recorder with one camera, `cam`.
    pub(crate) async fn connector(&self, name: &str, recordings: &Path) -> ConnectorFiles {
        let config = format!(
            "[adapter]\nkind = \"folder\"\npath = \"{}\"\npattern = \"{{camera}}/%Y%m%dT%H%M%SZ.mp4\"\nname_precision_ms = 0\nretention_hours = 2\n\
             [[source]]\nid = \"{CAMERA}\"\nname = \"{name} camera\"\nposition = {{ lat = 47.48, lon = -122.02 }}\nbearing_deg = 90\n\
             [hold]\nkey_file = \"hold.key\"\n",
            recordings.display()
        );
        self.connector_with(name, &config).await
    }

    /// Issues a connection file and lays this configuration beside it.
    pub(crate) async fn connector_with(&self, name: &str, config: &str) -> ConnectorFiles {
        let made = self.administrator.post("/connectors", json!({"name": name, "organization_id": self.transit})).await;
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder for the connector");
        let connection = text(&made["connection_file"]);
        std::fs::write(folder.join("connection.toml"), &connection).expect("the connection file is written");
        std::fs::write(folder.join("config.toml"), config).expect("the configuration is written");
        ConnectorFiles { folder, connection, id: text(&made["connector"]["id"]) }
    }

    /// The camera of this connector, as soon as the server knows it.
    pub(crate) async fn camera(&self, connector: &ConnectorFiles) -> String {
        let mut found = None;
        wait("the connector's camera", Duration::from_secs(60), async || {
            let sources = self.administrator.get("/sources?limit=100").await;
            found = sources["items"].as_array().and_then(|items| {
                items
                    .iter()
                    .find(|source| source["connector"]["id"] == connector.id.as_str())
                    .map(|source| text(&source["id"]))
            });
            found.is_some()
        })
        .await;
        found.expect("it was found")
    }

    /// Asks for a window of a camera.
    pub(crate) async fn submit(&self, source: &str, window: Window) -> String {
        let request = json!({
            "name": "Theft of a bicycle",
            "reason": "A witness saw the rider pass.",
            "incident": {"number": "26-1147", "from": window.from, "to": window.to},
            "items": [{"source_id": source, "from": window.from, "to": window.to}],
        });
        text(&self.investigator.post("/video-requests", request).await["id"])
    }

    /// Asks for a window of a camera, and has it granted.
    pub(crate) async fn submit_and_approve(&self, source: &str, window: Window) -> String {
        let request = self.submit(source, window).await;
        self.approver.post(&format!("/video-requests/{request}/approve"), json!({})).await;
        request
    }

    /// The only item of a request, as its requester sees it.
    pub(crate) async fn item(&self, request: &str) -> Value {
        self.investigator.get(&format!("/video-requests/{request}")).await["items"][0].clone()
    }

    /// The item once it is in this state.
    pub(crate) async fn item_when(&self, request: &str, state: &str, patience: Duration) -> Value {
        let mut item = Value::Null;
        wait(&format!("state {state}"), patience, async || {
            item = self.item(request).await;
            let now = item["state"].as_str().unwrap_or_default();
            let ended = ["released", "unavailable", "failed", "denied", "canceled", "expired"].contains(&now);
            assert!(now == state || !ended, "wanted {state}, ended as {item:#}");
            now == state
        })
        .await;
        item
    }

    /// Fetches the original of an evidence into a file.
    pub(crate) async fn download(&self, evidence: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{evidence}.mp4"));
        let bytes = self.investigator.bytes(&format!("/evidence/{evidence}/original")).await;
        std::fs::write(&path, bytes).expect("the original is written");
        path
    }

    /// How many mails to the investigator say that footage is ready.
    pub(crate) async fn ready_mails(&self) -> usize {
        let mails = self.administrator.get("/mails?limit=500").await;
        let items = mails["items"].as_array().cloned().unwrap_or_default();
        let ready = |mail: &&Value| {
            mail["to"] == "investigator@agency.example"
                && mail["subject"].as_str().is_some_and(|s| s.to_lowercase().contains("ready"))
        };
        items.iter().filter(ready).count()
    }
}

/// Whatever a test did to it: when it ends, rows, files and ledger agree.
impl Drop for Installation {
    fn drop(&mut self) {
        kill(&mut self.server);
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("--- the end of the server's log, last line first\n{}", tail.join("\n"));
        } else {
            succeed(&mut sightline(self.folder.path(), &["check"]));
        }
    }
}

/// Runs a command, which has to end well.
pub(crate) fn succeed(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}: {}{}", text_of(&output.stdout), text_of(&output.stderr));
}

/// A command of the server's on this installation.
fn sightline(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline"));
    command.args(arguments).arg("--data").arg(folder.join("data")).arg("--config").arg(folder.join(CONFIG));
    command
}

fn account(folder: &Path, arguments: &[&str], password: &str) -> Output {
    let mut child = sightline(folder, &[&["account"], arguments, &["--password-stdin"]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sightline account starts");
    writeln!(child.stdin.take().expect("a pipe"), "{password}").expect("the password is taken");
    child.wait_with_output().expect("it ends")
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").to_string()
}

fn serve(folder: &Path, address: &str, network: Option<&Network>) -> Child {
    let log = || File::options().create(true).append(true).open(folder.join("server.log")).expect("a log");
    let here = sightline(folder, &["serve", "--listen", address]);
    let mut there = network.map(|network| network::within(&network.server(), &here));
    there.get_or_insert(here).stdin(Stdio::null()).stdout(log()).stderr(log()).spawn().expect("the server starts")
}

async fn ready(address: &str) {
    let http = reqwest::Client::new();
    wait("the server", Duration::from_secs(60), async || {
        http.get(format!("http://{address}/readyz")).send().await.is_ok_and(|answer| answer.status() == StatusCode::OK)
    })
    .await;
}

/// The device of the only camera of a test's recorder.
pub(crate) const CAMERA: &str = "cam";

/// What a connector is started with.
pub(crate) struct ConnectorFiles {
    pub(crate) folder: PathBuf,
    connection: String,
    pub(crate) id: String,
}

impl ConnectorFiles {
    /// What the connector signs in with.
    pub(crate) fn key(&self) -> String {
        let file: toml::Table = self.connection.parse().expect("a connection file");
        file["key"].as_str().expect("a key").to_owned()
    }

    /// Lets the connector reach the server at another address.
    pub(crate) fn through(&self, server: &str, proxy: &str) {
        let connection = self.connection.replace(server, proxy);
        assert_ne!(connection, self.connection, "the connection file names the server");
        std::fs::write(self.folder.join("connection.toml"), connection).expect("the connection file is written");
    }

    /// Adds to the configuration.
    pub(crate) fn configure(&self, more: &str) {
        let path = self.folder.join("config.toml");
        let config = std::fs::read_to_string(&path).expect("the configuration is there");
        std::fs::write(path, config + more).expect("the configuration is written");
    }

    /// The same connector set up a second time, on a machine of its own.
    pub(crate) fn twin(&self) -> Self {
        let folder = self.folder.with_extension("twin");
        std::fs::create_dir_all(&folder).expect("a folder for the twin");
        std::fs::write(folder.join("connection.toml"), &self.connection).expect("the connection file is written");
        std::fs::copy(self.folder.join("config.toml"), folder.join("config.toml"))
            .expect("the configuration is copied");
        Self { folder, connection: self.connection.clone(), id: self.id.clone() }
    }

    /// Where the connector looks for programs first.
    fn programs(&self) -> PathBuf {
        self.folder.join("programs")
    }

    /// Slows down each ffmpeg that the connector starts, until the answer is dropped.
    pub(crate) fn slow_ffmpeg(&self) -> SlowFfmpeg {
        SlowFfmpeg::put_into(&self.programs())
    }

    /// A command of the connector's with its configuration.
    fn command(&self, name: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_sightline")).with_file_name("sightline-connector");
        assert!(program.exists(), "{} is missing: cargo build --workspace --bins", program.display());
        let mut command = Command::new(program);
        command.arg(name).arg("--config").arg(self.folder.join("config.toml"));
        command
    }

    /// Types `sightline-connector held … delete`.
    pub(crate) fn delete_held(&self, item: &str) {
        succeed(self.command("held").args(["delete", item]));
    }

    /// Starts the connector.
    pub(crate) fn run(&self) -> Connector {
        self.start(self.run_command())
    }

    /// Starts it on its own machine.
    pub(crate) fn run_in(&self, network: &Network) -> Connector {
        self.start(network::within(&network.connector(), &self.run_command()))
    }

    fn run_command(&self) -> Command {
        let mut command = self.command("run");
        command.arg("--connection").arg(self.folder.join("connection.toml"));
        command
    }

    fn start(&self, mut command: Command) -> Connector {
        let log = || File::options().create(true).append(true).open(self.folder.join("connector.log")).expect("a log");
        let child = command
            .env("PATH", format!("{}:{}", self.programs().display(), std::env::var("PATH").expect("there is one")))
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log())
            .spawn()
            .expect("the connector starts");
        Connector { child, log: self.folder.join("connector.log") }
    }
}

/// A running connector.
pub(crate) struct Connector {
    child: Child,
    log: PathBuf,
}

impl Connector {
    /// Kills it without warning.
    pub(crate) fn kill(mut self) {
        kill(&mut self.child);
    }

    /// Puts it to sleep: it keeps its connections and all that it knows, and does nothing.
    pub(crate) fn sleep(&self) {
        signal(&self.child, Signal::STOP);
    }

    /// Wakes it up.
    pub(crate) fn wake(&self) {
        signal(&self.child, Signal::CONT);
    }

    /// Whether its ffmpeg is in the middle of an export.
    pub(crate) fn is_exporting(&self) -> bool {
        slow_ffmpeg::is_exporting(self.child.id())
    }

    /// Whether it has written this into its log.
    pub(crate) fn has_said(&self, words: &str) -> bool {
        std::fs::read_to_string(&self.log).is_ok_and(|log| log.contains(words))
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        kill(&mut self.child);
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            eprintln!("--- the end of the connector's log, last line first\n{}", tail.join("\n"));
        }
    }
}

fn text_of(output: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(output)
}

fn signal(child: &Child, signal: Signal) {
    rustix::process::kill_process(Pid::from_child(child), signal).expect("it is there");
}

fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Somebody who has signed in.
pub(crate) struct Person {
    http: reqwest::Client,
    base: String,
    cookie: String,
}

impl Person {
    async fn sign_in(address: &str, email: &str) -> Self {
        Self::sign_in_with(address, email, PASSWORD).await
    }

    /// Signs in with a password of one's own.
    pub(crate) async fn sign_in_with(address: &str, email: &str, password: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
        let base = format!("http://{address}/api/v1");
        let answer = http
            .post(format!("{base}/session"))
            .json(&json!({"email": email, "password": password}))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{email} signs in");
        let cookie =
            answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("the cookie").to_owned();
        Self { http, base, cookie }
    }

    /// Sends something; answers the status and the body.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Self::answer(request).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header("cookie", &self.cookie)
    }

    async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
        let answer = request.send().await.expect("the server answers");
        let status = answer.status();
        (status, serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, None).await;
        assert!(status.is_success(), "GET {path}: {status} {body:#}");
        body
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "POST {path}: {status} {answer:#}");
        answer
    }

    /// Changes something in the version that it has now.
    pub(crate) async fn patch(&self, path: &str, change: Value) -> Value {
        let version = format!("\"{}\"", self.get(path).await["version"]);
        let request = self.request(Method::PATCH, path).header("if-match", version).json(&change);
        let (status, answer) = Self::answer(request).await;
        assert!(status.is_success(), "PATCH {path}: {status} {answer:#}");
        answer
    }

    async fn bytes(&self, path: &str) -> Vec<u8> {
        let answer = self.request(Method::GET, path).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "GET {path}");
        answer.bytes().await.expect("a body").to_vec()
    }
}

/// Asks again and again, until it is so.
pub(crate) async fn wait(what: &str, patience: Duration, mut so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !so().await {
        assert!(start.elapsed() < patience, "waited {patience:?} for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text instead of {value}")).to_owned()
}

/// A recorder with one camera.
pub(crate) fn recorder(folder: &Path, gap: Option<Gap>, names_shifted_seconds: i64) -> Recorder {
    let camera = Camera { device: CAMERA.to_owned(), name: "Test camera".to_owned(), view: View::Street };
    let settings =
        Settings { cameras: vec![(camera, gap)], retention: Duration::from_secs(7200), names_shifted_seconds };
    Recorder::new(folder, settings).expect("a recorder")
}

/// The start of the minute so many minutes ago.
pub(crate) fn minutes_ago(minutes: u64) -> Timestamp {
    let now = Timestamp::from(jiff::Timestamp::now()).minus(Duration::from_secs(60 * minutes));
    Timestamp::from_micros(now.as_micros() - now.as_micros().rem_euclid(60_000_000))
}

/// A window by its start and its length in seconds.
pub(crate) fn window(from: Timestamp, seconds: u64) -> Window {
    Window { from, to: from.plus(Duration::from_secs(seconds)) }
}

/// The SHA-256 of a file, by another program than ours.
pub(crate) fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().expect("sha256sum starts");
    String::from_utf8_lossy(&output.stdout).split(' ').next().unwrap_or_default().to_owned()
}
