//! A public tus client, tus-js-client, uploads 1 GiB to the real server through a line that breaks twenty times.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::TcpListener as StdListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::id::CaseId;
use proof::{Hasher, Sha256Digest};
use store::{Columns as _, Database, Sql};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SIZE: usize = 1 << 30;
const BREAKS: usize = 20;
/// What passes before each break: together a little less than the whole.
const BETWEEN: usize = SIZE / (BREAKS + 1);
/// The most memory above what the idle server takes.
const MEMORY_KIB: u64 = 100 * 1024;

struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    async fn start(data: &Path) -> Self {
        let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let process = Command::new(env!("CARGO_BIN_EXE_sightline"))
            .args(["serve", "--listen", &address, "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, address };
        for _ in 0..600 {
            if reqwest::get(format!("http://{}/readyz", server.address)).await.is_ok_and(|r| r.status().is_success()) {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not become ready");
    }

    fn memory_kib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// Runs the command line; answers what it prints.
fn sightline(data: &Path, args: &[&str], input: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline"));
    command.args(args).arg("--data").arg(data).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A file of which no two mebibytes are the same, and its digest.
fn write_source(path: &Path) -> Sha256Digest {
    let (mut file, mut hasher) = (BufWriter::with_capacity(1 << 20, File::create(path).unwrap()), Hasher::new());
    let mut block: Vec<u8> = (0..1u32 << 18).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for n in 0..SIZE / block.len() {
        block[..8].copy_from_slice(&n.to_le_bytes());
        hasher.update(&block);
        file.write_all(&block).unwrap();
    }
    file.flush().unwrap();
    hasher.finish()
}

/// A line to the server on which the first [`BREAKS`] connections break after [`BETWEEN`] bytes each.
async fn breaking_line(server: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, breaks) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicUsize::new(0)));
    let counted = breaks.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, breaks) = (server.clone(), counted.clone());
            tokio::spawn(async move {
                let upstream = TcpStream::connect(server).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = upstream.into_split();
                let answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
                let (mut buffer, mut passed) = (vec![0; 64 * 1024], 0);
                while let Ok(n @ 1..) = from_client.read(&mut buffer).await {
                    if to_server.write_all(&buffer[..n]).await.is_err() {
                        break;
                    }
                    passed += n;
                    if passed >= BETWEEN
                        && breaks
                            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| (n < BREAKS).then_some(n + 1))
                            .is_ok()
                    {
                        break;
                    }
                }
                answers.abort();
            });
        }
    });
    (address, breaks)
}

/// An account's token and a case that it may add to, before the server runs.
async fn prepare(data: &Path) -> (String, CaseId) {
    let add = ["account", "add", "ana@example.org", "--role", "investigator", "--password-stdin"];
    sightline(data, &add, "correct horse battery staple");
    let token = sightline(data, &["token", "create", "--account", "ana@example.org"], "");
    let db = Database::open(&Database::sqlite_url(data), Database::system_entropy()).await.unwrap();
    let mut tx = db.begin("2026-11-22T12:00:00Z".parse().unwrap()).await.unwrap();
    let account = store::account::find_by_email(&mut tx, "ana@example.org").await.unwrap().unwrap();
    let case: CaseId = tx.new_id();
    Sql::new("INSERT INTO cases (id, number, name, created_by, search_text, created_at, version) VALUES (")
        .args([case.as_str(), "C-1", "Theft", account.id.as_str(), ""])
        .add(", 0, 1)")
        .execute(&mut tx)
        .await
        .unwrap();
    Sql::new("INSERT INTO case_access (case_id, principal_id, level) VALUES (")
        .args([case.as_str(), account.id.as_str()])
        .add(", 4)")
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit_housekeeping().await.unwrap();
    db.close().await;
    (token, case)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_through_twenty_dropped_connections() {
    let folder = tempfile::tempdir().unwrap();
    let (data, source) = (folder.path().join("data"), folder.path().join("source.bin"));
    let (token, case) = prepare(&data).await;
    let digest = tokio::task::spawn_blocking({
        let source = source.clone();
        move || write_source(&source)
    })
    .await
    .unwrap();
    let server = Server::start(&data).await;
    let idle = server.memory_kib("VmRSS");
    let (line, breaks) = breaking_line(server.address.clone()).await;

    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let client = tokio::process::Command::new("node")
        .arg(here.join("tests/all/support/tus_client.mjs"))
        .arg(here.join("../../web"))
        .arg(format!("http://{line}/api/v1/uploads"))
        .arg(&source)
        .arg(&token)
        .arg(serde_json::json!({"filename": "source.bin", "case_id": case}).to_string())
        .output()
        .await
        .expect("node starts; `make test` installs it, and the page's packages with it");
    assert!(client.status.success(), "{}", String::from_utf8_lossy(&client.stderr));
    let told: serde_json::Value = serde_json::from_slice(&client.stdout).unwrap();
    assert_eq!(breaks.load(Ordering::SeqCst), BREAKS);
    assert!(told["retries"].as_u64().unwrap() >= BREAKS as u64, "{told}");

    let above = server.memory_kib("VmHWM").saturating_sub(idle);
    println!("{} MiB above {} MiB idle", above / 1024, idle / 1024);
    assert!(above < MEMORY_KIB, "{above} KiB above {idle} KiB");
    drop(server);

    let db = Database::open(&Database::sqlite_url(&data), Database::system_entropy()).await.unwrap();
    let mut tx = db.read("2026-11-22T12:00:00Z".parse().unwrap()).await.unwrap();
    let rows = Sql::new("SELECT sha256, blob FROM evidence").fetch_all(&mut tx).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text("sha256").unwrap(), digest.to_string());
    let kept = data.join("blobs").join(rows[0].text("blob").unwrap());
    assert_eq!(std::fs::metadata(kept).unwrap().len(), SIZE as u64);
}
