//! `sightline check` on a real installation whose server was killed, more than once.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use store::{Database, Sql};

fn sightline(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline"));
    command.args(arguments).arg("--data").arg(data).env("SIGHTLINE_LOG", "warn");
    command
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    sightline(data, arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn clean(data: &Path, arguments: &[&str]) {
    let output = run(data, arguments);
    assert!(output.status.success() && said(&output).contains("all as recorded"), "{}", said(&output));
}

fn mismatch(data: &Path, arguments: &[&str], expected: &str) {
    let output = run(data, arguments);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains(&format!("MISMATCH {expected}")), "expected {expected}: {}", said(&output));
}

fn serve(data: &Path) -> Child {
    sightline(data, &["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::null()).spawn().unwrap()
}

fn kill(mut server: Child) {
    server.kill().unwrap();
    server.wait().unwrap();
}

/// How many leaves the last checkpoint has.
fn leaves(data: &Path) -> u64 {
    let note = run(data, &["ledger", "checkpoint"]);
    String::from_utf8(note.stdout).unwrap().lines().nth(1).map_or(0, |size| size.parse().unwrap())
}

fn add_account(data: &Path, name: &str) {
    let added = run(data, &["account", "add", &format!("{name}@agency.example"), "--role", "investigator"]);
    assert!(added.status.success(), "{}", said(&added));
}

fn wait_for_leaves(data: &Path, more_than: u64) {
    let patience = Instant::now() + Duration::from_secs(60);
    while leaves(data) <= more_than {
        assert!(Instant::now() < patience, "no checkpoint over more than {more_than} leaves");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

async fn sql(data: &Path, statement: &str) {
    let db = Database::open(&Database::sqlite_url(data), Database::system_entropy()).await.unwrap();
    let mut tx = db.begin(domain::Timestamp::from_micros(0)).await.unwrap();
    assert!(Sql::new(statement.to_owned().leak()).execute(&mut tx).await.unwrap() > 0);
    tx.commit_housekeeping().await.unwrap();
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_installation_is_whole_and_a_changed_one_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let data: PathBuf = folder.path().join("data");
    let nowhere = run(&data, &["check"]);
    assert!(!nowhere.status.success() && said(&nowhere).contains("no installation"), "{}", said(&nowhere));
    assert!(!data.exists(), "a mistyped folder stays what it is");
    add_account(&data, "first");
    clean(&data, &["check"]);
    for (round, moment) in [900, 1100, 1300].into_iter().enumerate() {
        let server = serve(&data);
        add_account(&data, &format!("round{round}"));
        std::thread::sleep(Duration::from_millis(moment));
        kill(server);
        clean(&data, &["check"]);
    }
    let before = leaves(&data);
    let server = serve(&data);
    add_account(&data, "last");
    wait_for_leaves(&data, before);
    clean(&data, &["check"]);
    kill(server);
    let key = data.join("ledger-key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);

    // What is kept elsewhere.
    let kept = folder.path().join("kept.checkpoint");
    std::fs::write(&kept, run(&data, &["ledger", "checkpoint"]).stdout).unwrap();
    let vkey = String::from_utf8(run(&data, &["ledger", "key"]).stdout).unwrap();
    let outside = ["check", "--checkpoint", kept.to_str().unwrap(), "--key", vkey.trim()];
    clean(&data, &outside);

    let bundle = format!("ledger/tile/entries/000.p/{}", leaves(&data));
    flip(&data.join("blobs").join(&bundle));
    mismatch(&data, &["check"], &format!("{bundle}: leaf "));
    flip(&data.join("blobs").join(&bundle));
    std::fs::write(data.join("blobs/stray"), "x").unwrap();
    mismatch(&data, &["check"], "stray: no row names this file");
    std::fs::remove_file(data.join("blobs/stray")).unwrap();
    sql(&data, "UPDATE events SET at = at + 1 WHERE leaf_index = 1").await;
    mismatch(&data, &["check"], "evt_");
    sql(&data, "UPDATE events SET at = at - 1 WHERE leaf_index = 1").await;
    clean(&data, &outside);

    // The whole ledger is thrown away and written anew with the same key, without its last event and what it made.
    sql(&data, "DELETE FROM ledger").await;
    let last = "(SELECT object_id FROM seals WHERE seq = (SELECT MAX(seq) FROM events))";
    sql(&data, &format!("DELETE FROM accounts WHERE id IN {last}")).await;
    sql(&data, "DELETE FROM seals WHERE seq = (SELECT MAX(seq) FROM events)").await;
    sql(&data, "DELETE FROM event_objects WHERE seq = (SELECT MAX(seq) FROM events)").await;
    sql(&data, "DELETE FROM events WHERE seq = (SELECT MAX(seq) FROM events)").await;
    sql(&data, "UPDATE events SET leaf_index = NULL").await;
    std::fs::remove_dir_all(data.join("blobs/ledger")).unwrap();
    let server = serve(&data);
    wait_for_leaves(&data, 0);
    kill(server);
    clean(&data, &["check"]);
    mismatch(&data, &outside, "ledger: it was cut short");

    // A key that is lost is not replaced in silence.
    std::fs::remove_file(&key).unwrap();
    let lost = run(&data, &["check"]);
    assert!(!lost.status.success() && said(&lost).contains("is missing: restore it"), "{}", said(&lost));
    assert!(!key.exists());
}
