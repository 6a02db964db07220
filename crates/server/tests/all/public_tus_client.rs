//! A public tus client, tus-js-client, uploads 1 GiB to the real server through a line that breaks twenty times.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proof::{Hasher, Sha256Digest};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::installation::{Installation, text};

const SIZE: usize = 1 << 30;
const BREAKS: usize = 20;
/// What passes before each break: together a little less than the whole.
const BETWEEN: usize = SIZE / (BREAKS + 1);
/// The most memory above what the idle server takes.
const MEMORY_KIB: u64 = 100 * 1024;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_through_twenty_dropped_connections() {
    let mut installation = Installation::start().await;
    let source = installation.folder.path().join("source.bin");
    let case = text(&installation.investigator.post("/cases", json!({"name": "Theft"})).await["id"]);
    let token = text(&installation.investigator.post("/tokens", json!({"name": "tus-js-client"})).await["secret"]);
    let digest = tokio::task::spawn_blocking({
        let source = source.clone();
        move || write_source(&source)
    })
    .await
    .unwrap();
    // What it took to check passwords is forgotten.
    installation.kill_server();
    installation.restart_server().await;
    let idle = installation.memory_kib("VmRSS");
    let (line, breaks) = breaking_line(installation.address.clone()).await;

    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let client = tokio::process::Command::new("node")
        .arg(here.join("tests/all/support/tus_client.mjs"))
        .arg(here.join("../../web"))
        .arg(format!("http://{line}/api/v1/uploads"))
        .arg(&source)
        .arg(&token)
        .arg(json!({"filename": "source.bin", "case_id": case}).to_string())
        .output()
        .await
        .expect("node starts; `make test` installs it, and the page's packages with it");
    assert!(client.status.success(), "{}", String::from_utf8_lossy(&client.stderr));
    let told: serde_json::Value = serde_json::from_slice(&client.stdout).unwrap();
    assert_eq!(breaks.load(Ordering::SeqCst), BREAKS);
    assert!(told["retries"].as_u64().unwrap() >= BREAKS as u64, "{told}");

    let above = installation.memory_kib("VmHWM").saturating_sub(idle);
    println!("{} MiB above {} MiB idle", above / 1024, idle / 1024);
    assert!(above < MEMORY_KIB, "{above} KiB above {idle} KiB");

    // The bytes themselves are hashed once more by `sightline check`, when the installation goes.
    let kept = installation.investigator.get(&format!("/cases/{case}/evidence")).await;
    assert_eq!(kept["items"].as_array().unwrap().len(), 1);
    assert_eq!(kept["items"][0]["sha256"], digest.to_string());
    assert_eq!(kept["items"][0]["size_bytes"], SIZE);
}
