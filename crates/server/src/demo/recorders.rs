//! The two recorders of the city, and the connector beside each.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use domain::{Timestamp, Window};
use serde_json::json;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::city::{self, Mounted, Owner};
use super::footage::{Camera, Gap, Recorder, Settings};

/// How long footage is kept.
const RETENTION: Duration = Duration::from_secs(2 * 3600);
/// How much of the past is there at the first start.
const PAST: Duration = Duration::from_secs(30 * 60);

/// The owners of recorders.
pub const OWNERS: [Owner; 2] = [Owner::Police, Owner::Transit];

/// The gaps in what the demo records: the camera, and when it fails.
pub const GAPS: [(&str, Gap); 2] = [
    ("pd-06-oak-se", Gap { every_seconds: 1200, after_seconds: 430, seconds: 45 }),
    ("tr-04", Gap { every_seconds: 1500, after_seconds: 600, seconds: 100 }),
];

fn slug(owner: Owner) -> &'static str {
    match owner {
        Owner::Police => "police",
        Owner::Transit => "transit",
        Owner::Mall => "mall",
    }
}

/// The folder of an owner's recorder.
fn recordings(folder: &Path, owner: Owner) -> PathBuf {
    folder.join("recorders").join(slug(owner))
}

fn recorded(owner: Owner) -> Vec<Mounted> {
    city::cameras().into_iter().filter(|camera| camera.owner == owner && camera.recorded.is_some()).collect()
}

/// Records until the other end of `stop` is gone. `caught_up` is called once the past is there.
pub(super) fn record(folder: &Path, owner: Owner, stop: &Receiver<()>, caught_up: impl FnOnce()) -> Result<()> {
    let cameras = recorded(owner)
        .into_iter()
        .filter_map(|camera| {
            let gap = GAPS.iter().find(|(device, _)| *device == camera.device).map(|(_, gap)| *gap);
            Some((Camera { device: camera.device, name: camera.name, view: camera.recorded? }, gap))
        })
        .collect();
    let settings = Settings { cameras, retention: RETENTION, names_shifted_seconds: 0 };
    let mut recorder = Recorder::new(&recordings(folder, owner), settings)?;
    let mut done = now().minus(PAST);
    recorder.prune(now())?;
    let mut caught_up = Some(caught_up);
    loop {
        let until = now();
        recorder.record(Window { from: done, to: until })?;
        if let Some(caught_up) = caught_up.take() {
            caught_up();
        }
        if until.as_micros().div_euclid(60_000_000) > done.as_micros().div_euclid(60_000_000) {
            recorder.prune(until)?;
        }
        done = Timestamp::from_micros(until.as_micros() - until.as_micros().rem_euclid(1_000_000));
        let next = done.plus(Duration::from_millis(1_020)).since(now());
        if stop.recv_timeout(next) != Err(RecvTimeoutError::Timeout) {
            return Ok(());
        }
    }
}

fn now() -> Timestamp {
    jiff::Timestamp::now().into()
}

/// Where a connector's files are.
fn connector_folder(folder: &Path, owner: Owner) -> PathBuf {
    folder.join("connectors").join(slug(owner))
}

/// Where the connection file of an owner's connector is; it is there once it was issued.
pub(super) fn connection_file(folder: &Path, owner: Owner) -> PathBuf {
    connector_folder(folder, owner).join("connection.toml")
}

/// Writes what the connector is told about the recorder.
fn describe(folder: &Path, owner: Owner) -> Result<()> {
    let sources: Vec<_> = recorded(owner)
        .into_iter()
        .map(|camera| {
            json!({
                "id": camera.device, "name": camera.name, "address": camera.address, "position": camera.position,
                "bearing_deg": camera.bearing_deg, "fov_deg": camera.fov_deg, "range_m": camera.range_m,
                "mounting_height_m": camera.height_m, "type": camera.kind, "tags": camera.tags,
            })
        })
        .collect();
    let config = json!({
        "adapter": {
            "kind": "folder", "path": std::path::absolute(recordings(folder, owner))?,
            "pattern": "{camera}/%Y%m%dT%H%M%SZ.mp4", "time_zone": "UTC", "name_precision_ms": 0,
            "retention_hours": RETENTION.as_secs() / 3600,
        },
        "source": sources,
        // beside what it encrypts: a demo has no other disk
        "hold": {"key_file": "hold.key"},
    });
    std::fs::write(connector_folder(folder, owner).join("config.toml"), toml::to_string(&config)?)?;
    Ok(())
}

/// Runs the connector of an owner as a process of its own until told to stop. It ends with this
/// process, however that ends: its standard input closes.
pub(super) async fn connect(folder: &Path, owner: Owner, stop: CancellationToken) -> Result<()> {
    describe(folder, owner)?;
    let place = connector_folder(folder, owner);
    let program = std::env::current_exe()?.with_file_name("sightline-connector");
    ensure!(program.exists(), "{} is missing: build it with cargo build --bins", program.display());
    loop {
        let log = || File::options().create(true).append(true).open(place.join("log"));
        let mut child = Command::new(&program)
            .arg("run")
            .arg("--connection")
            .arg(place.join("connection.toml"))
            .arg("--config")
            .arg(place.join("config.toml"))
            .arg("--until-stdin-closes")
            // Ctrl-C is for this process; the connector is told by its standard input.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log()?)
            .stderr(log()?)
            .kill_on_drop(true)
            .spawn()
            .context("starting a connector")?;
        // Waiting would close it.
        let lifeline = child.stdin.take();
        tokio::select! {
            ended = child.wait() => tracing::warn!(connector = slug(owner), status = %ended?, "a connector ended; it is started again"),
            () = stop.cancelled() => {
                drop(lifeline);
                let _ = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
