//! Databases for tests: SQLite in a temporary folder, and a private PostgreSQL cluster that the first
//! test starts and that ends by itself when no test has used it for a while. A missing PostgreSQL
//! fails the tests; it does not skip them. When a test has passed, every row of its database must be as it was sealed.
//! And an S3 server for blobs.

mod s3;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{Database, Engine, Entropy, seal};
pub use s3::S3Server;

/// A fresh, migrated database of its own for one test.
pub struct TestDatabase {
    /// The database.
    pub db: Database,
    /// Where it is.
    pub url: String,
    /// Goes away with it; also a place for blobs and other files.
    pub folder: tempfile::TempDir,
    tampered: AtomicBool,
}

impl TestDatabase {
    /// The test changes rows behind the product's back: they are not held against their seals when it ends.
    pub fn tamper(&self) {
        self.tampered.store(true, Ordering::Relaxed);
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.tampered.load(Ordering::Relaxed) || std::thread::panicking() {
            return;
        }
        let url = self.url.clone();
        let compared = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(not_as_sealed(&url))
        });
        assert_eq!(compared.join().unwrap(), Vec::<String>::new(), "rows are not as the ledger sealed them");
    }
}

/// The rows that are not as they were sealed, or were never sealed.
async fn not_as_sealed(url: &str) -> Vec<String> {
    let db = Database::open(url, counted_entropy()).await.unwrap();
    let mut tx = db.read(domain::Timestamp::from_micros(0)).await.unwrap();
    let mut found: Vec<String> = seal::without(&mut tx).await.unwrap().into_iter().map(|(id, _)| id).collect();
    let mut after = String::new();
    loop {
        let compared = seal::compare(&mut tx, &after, 1000).await.unwrap();
        found.extend(compared.broken.into_iter().map(|(seal, _)| seal.object));
        match compared.last {
            Some(last) => after = last,
            None => return found,
        }
    }
}

/// Different bytes at each call, the same in each run.
pub fn counted_entropy() -> Entropy {
    let counter = AtomicU64::new(1);
    Arc::new(move |bytes: &mut [u8]| {
        // splitmix64: well spread, and reproducible.
        for chunk in bytes.chunks_mut(8) {
            let mut z = counter.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    })
}

/// A fresh database of the engine.
pub async fn database(engine: Engine) -> TestDatabase {
    let folder = tempfile::tempdir().unwrap();
    let url = match engine {
        Engine::Sqlite => Database::sqlite_url(folder.path()),
        Engine::Postgres => empty_postgres().await,
    };
    let db = Database::open(&url, counted_entropy()).await.unwrap();
    db.migrate().await.unwrap();
    TestDatabase { db, url, folder, tampered: AtomicBool::new(false) }
}

/// The address of a fresh database in the cluster, with nothing in it.
pub async fn empty_postgres() -> String {
    tokio::task::spawn_blocking(new_postgres_database).await.unwrap()
}

/// Runs a test on both engines: `on_both!(name, |test| async move { … })` makes two tests in a module.
#[macro_export]
macro_rules! on_both {
    ($name:ident, $body:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                ($body)($crate::testing::database($crate::Engine::Sqlite).await).await;
            }
            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                ($body)($crate::testing::database($crate::Engine::Postgres).await).await;
            }
        }
    };
}

/// Seconds without any test after which the cluster ends itself.
const IDLE_SECONDS: u32 = 300;

fn new_postgres_database() -> String {
    let base = cluster_folder();
    std::fs::create_dir_all(&base).unwrap();
    let lock = std::fs::File::create(base.join("lock")).unwrap();
    lock.lock().unwrap();
    std::fs::write(base.join("used"), "").unwrap();
    let port = running_port(&base).unwrap_or_else(|| start_cluster(&base));
    let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    psql(port, &format!("DROP DATABASE IF EXISTS {name}"));
    psql(port, &format!("CREATE DATABASE {name}"));
    format!("postgres://postgres@127.0.0.1:{port}/{name}")
}

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Outside the target folder, whose parents the user `postgres` may not be allowed to enter.
fn cluster_folder() -> PathBuf {
    std::env::temp_dir().join("sightline-test-postgres")
}

fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed (scripts/need test)");
    let mut found: Vec<_> =
        versions.map(|v| v.unwrap().path().join("bin")).filter(|bin| bin.join("initdb").exists()).collect();
    found.sort();
    found.pop().expect("PostgreSQL's server is installed (scripts/need test)")
}

/// PostgreSQL refuses to run as root: then it runs as the user `postgres`.
fn as_postgres(program: &Path) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command) -> String {
    let output = command.current_dir("/").output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn psql(port: u16, statement: &str) {
    run(Command::new(binaries().join("psql")).args([
        "-qX",
        "-h",
        "127.0.0.1",
        "-U",
        "postgres",
        "-p",
        &port.to_string(),
        "-c",
        statement,
        "postgres",
    ]));
}

fn running_port(base: &Path) -> Option<u16> {
    let port: u16 = std::fs::read_to_string(base.join("port")).ok()?.trim().parse().ok()?;
    let ready = Command::new(binaries().join("pg_isready"))
        .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])
        .status()
        .ok()?;
    ready.success().then_some(port)
}

fn start_cluster(base: &Path) -> u16 {
    let data = base.join("data");
    if data.exists() {
        std::fs::remove_dir_all(&data).unwrap();
    }
    std::fs::create_dir(&data).unwrap();
    if rustix::process::geteuid().is_root() {
        run(Command::new("chown").arg("postgres:postgres").arg(&data));
    }
    run(as_postgres(&binaries().join("initdb"))
        .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N", "-D"])
        .arg(&data));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=500 -c shared_buffers=64MB"
    );
    run(as_postgres(&binaries().join("pg_ctl"))
        .args(["-w", "-t", "60", "-l", "/dev/null", "-o", &options, "-D"])
        .arg(&data)
        .arg("start"));
    std::fs::write(base.join("port"), port.to_string()).unwrap();
    end_when_idle(base, &data);
    port
}

/// A shell that outlives the tests and stops the cluster when `used` was not touched for a while.
#[expect(clippy::zombie_processes, reason = "it outlives the tests on purpose")]
fn end_when_idle(base: &Path, data: &Path) {
    let script = format!(
        "while sleep 20; do [ -n \"$(find '{used}' -newermt '-{IDLE_SECONDS} seconds' 2>/dev/null)\" ] || break; done; exec '{pg_ctl}' -m immediate -D '{data}' stop",
        used = base.join("used").display(),
        pg_ctl = binaries().join("pg_ctl").display(),
        data = data.display()
    );
    let mut shell = as_postgres(Path::new("sh"));
    shell.args(["-c", &script]).current_dir("/");
    shell.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    shell.spawn().unwrap();
}
