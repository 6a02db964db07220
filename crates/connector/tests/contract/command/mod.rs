//! Programs that speak the protocol of the adapter `command`: the example of `examples/connector-command` as it is, the same made
//! to misbehave, and one that exports whole windows.

mod broken;
mod hold;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::system::{Served, System};
use super::world::{World, jpeg};

const PYTHON: &str = "/usr/bin/python3";

/// The example.
pub(crate) struct Command;

impl System for Command {
    const PRECISION: Duration = Duration::ZERO;
    const HAS_CLOCK: bool = false;
    const HAS_ACCOUNTS: bool = false;

    async fn serve(world: Arc<World>) -> Served {
        served(&world, &[&example()], &[])
    }
}

/// A program that lists no recordings, but exports windows.
pub(crate) struct Exporting;

impl System for Exporting {
    const PRECISION: Duration = Duration::ZERO;
    const TELLS_HOW_FAR: bool = false;
    const HAS_ACCOUNTS: bool = false;

    async fn serve(world: Arc<World>) -> Served {
        let ahead = (world.ahead_us / 1_000_000).to_string();
        served(&world, &[&script("exporting.py"), &example()], &[Path::new(&ahead)])
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/connector-command/mp4_folder.py")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/command").join(name)
}

/// Lays the folder out, and names the program for it, with what follows the folder among its arguments.
fn served(world: &World, program: &[&Path], after: &[&Path]) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let file = |number: i64| format!("{number}.mp4");
    for recording in &world.recordings {
        std::fs::copy(&recording.file, folder.path().join(file(recording.number))).unwrap();
    }
    std::fs::write(folder.path().join("picture.jpg"), jpeg()).unwrap();
    let camera = |(id, name): &(String, String)| json!({"id": id, "name": name, "picture": "picture.jpg"});
    let recording = |recording: &super::world::Recording| {
        let mut row = json!({"camera": recording.camera, "file": file(recording.number), "begins": recording.from});
        if let Some(ends) = recording.to {
            row["ends"] = json!(ends);
        }
        row
    };
    let index = json!({
        "cameras": world.cameras.iter().map(camera).collect::<Vec<_>>(),
        "recordings": world.recordings.iter().map(recording).collect::<Vec<_>>(),
    });
    std::fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
    let program = [Path::new(PYTHON)].into_iter().chain(program.iter().copied()).chain([folder.path()]);
    let words: Vec<_> = program.chain(after.iter().copied()).map(|word| word.to_str().unwrap()).collect();
    Served {
        // a list of texts is the same in JSON and in TOML
        adapter: format!(
            "kind = \"command\"\ncommand = {}\nenvironment = {{ PATH = \"/usr/bin:/bin\" }}",
            json!(words)
        ),
        site: None,
        _keep: Some(folder),
        held: Arc::default(),
    }
}
