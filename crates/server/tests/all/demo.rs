//! The demo as people start it: everything runs when it says so, and nothing is left when it ends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::installation::{Person, succeed, wait};
use serde_json::{Value, json};

struct Demo {
    process: Child,
    said: Value,
    address: String,
}

fn start(data: &Path, address: &str) -> Demo {
    let mut process = Command::new(env!("CARGO_BIN_EXE_sightline"))
        .args(["demo", "--json", "--listen", address, "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    println!("the demo runs after {:?}", begun.elapsed());
    let said = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
    Demo { process, said, address: address.to_owned() }
}

impl Demo {
    async fn person(&self, role: &str) -> Person {
        let account = self.said["accounts"].as_array().unwrap().iter().find(|account| account["role"] == role).unwrap();
        Person::sign_in_with(&self.address, account["email"].as_str().unwrap(), account["password"].as_str().unwrap())
            .await
    }

    /// Name and connector of each source, as the administrator sees them.
    async fn sources(&self) -> BTreeMap<String, bool> {
        let sources = self.person("administrator").await.get("/sources?limit=500").await;
        let items = sources["items"].as_array().unwrap();
        items
            .iter()
            .map(|source| (source["name"].as_str().unwrap().to_owned(), source["connector"]["online"] == true))
            .collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().to_string()
}

/// How many connectors run on this data directory. A connector that is about to start another program is two processes of
/// the same command line for a moment, the child being not yet that program: a child of a connector is not counted.
fn connectors(data: &Path) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let of_ours = |entry: std::fs::DirEntry| {
        let process: u32 = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line);
        let ours = line.contains("sightline-connector") && line.contains(&*data.to_string_lossy());
        let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
        let parent: u32 = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?;
        ours.then_some((process, parent))
    };
    let ours: BTreeMap<u32, u32> = processes.filter_map(of_ours).collect();
    ours.values().filter(|parent| !ours.contains_key(parent)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_that_can_be_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("city");
    let address = free_address();
    let demo = start(&data, &address);
    assert_eq!(demo.said["url"], format!("http://{address}"));
    assert_eq!(demo.said.as_object().unwrap().len(), 2);
    for role in ["administrator", "investigator", "approver", "auditor", "operator", "guest"] {
        let me = demo.person(role).await.get("/me").await;
        assert_eq!(me["account"]["roles"][0]["role"], role);
        assert_eq!(me["account"]["must_change_password"], false);
    }
    // The prosecutor has no role: she opens what is shared with her, and nothing is yet.
    let prosecutor = demo.person("prosecutor").await;
    assert_eq!(prosecutor.get("/me").await["account"]["roles"], json!([]));
    assert_eq!(prosecutor.get("/cases").await["items"], json!([]));
    let sources = demo.sources().await;
    assert!(sources.len() >= 60, "{}", sources.len());
    assert_eq!(sources.values().filter(|&&online| online).count(), 8);
    let places = demo.person("investigator").await.get("/places?q=5th%20%26%20Main").await;
    assert_eq!(places["items"][0]["name"], "5th Street & Main Avenue");
    assert_eq!(connectors(&data), 2);

    // Killed without warning, it leaves no process behind; started again, it is the same city.
    let accounts = demo.said["accounts"].clone();
    drop(demo);
    wait("the connectors to end", Duration::from_secs(20), async || connectors(&data) == 0).await;
    // At another address too.
    let address = free_address();
    let mut demo = start(&data, &address);
    assert_eq!((&demo.said["url"], &demo.said["accounts"]), (&json!(format!("http://{address}")), &accounts));
    assert_eq!(demo.sources().await, sources);

    // Two on the same data directory would write over each other.
    let second = Command::new(env!("CARGO_BIN_EXE_sightline"))
        .args(["demo", "--listen", "127.0.0.1:1", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(!second.status.success() && String::from_utf8_lossy(&second.stderr).contains("runs on"));

    // Asked to stop, it stops, and the connectors with it.
    assert!(Command::new("kill").arg(demo.process.id().to_string()).status().unwrap().success());
    let begun = Instant::now();
    assert!(demo.process.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(connectors(&data), 0);

    // And all that it kept is as it was recorded.
    succeed(Command::new(env!("CARGO_BIN_EXE_sightline")).args(["check", "--data"]).arg(&data));
}
