//! What a video system must be able to do to be held to the suite.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sightline_connector::adapter;
use sightline_connector::config::{self, Config};
use sightline_connector::recorder::Recorder;

use super::site::Site;
use super::world::World;

pub(crate) const USER: &str = "viewer";
pub(crate) const PASSWORD: &str = "correct horse";

/// A video system, or what answers like it.
pub(crate) trait System {
    /// How precisely it tells when a recording begins.
    const PRECISION: Duration;
    /// The same of a recording that begins seconds before the last one ends, as after a clock was set back.
    const OVERLAP_PRECISION: Duration = Self::PRECISION;
    /// What came may have been taken as much later than it is dated: exports begin so much earlier besides.
    const BEHIND: Duration = Duration::ZERO;
    /// Whether it can be told how much of a window has come. What lies beside the connector already need not come.
    const TELLS_HOW_FAR: bool = true;
    /// Whether it can keep footage from being overwritten by itself.
    const HOLDS: bool = false;
    /// Whether it can be asked for its time.
    const HAS_CLOCK: bool = true;
    /// Whether it asks who is there.
    const HAS_ACCOUNTS: bool = true;

    /// How it calls a camera of the world; some give ids of their own.
    fn camera(id: &str) -> String {
        id.to_owned()
    }

    /// Brings it up with what it holds.
    async fn serve(world: Arc<World>) -> Served;
}

/// A system that is up.
pub(crate) struct Served {
    /// The lines of `[adapter]`, but for user name and password.
    pub(crate) adapter: String,
    /// Its web server, if it has one.
    pub(crate) site: Option<Site>,
    /// What must live as long as it.
    pub(crate) _keep: Option<tempfile::TempDir>,
    /// Which recordings it was asked to keep, and to let go.
    pub(crate) held: Arc<Mutex<BTreeSet<i64>>>,
}

impl Served {
    pub(crate) fn site(&self) -> &Site {
        self.site.as_ref().expect("a system with a web server")
    }
}

/// A system and a connector's view of it.
pub(crate) struct Bench {
    pub(crate) served: Served,
    pub(crate) recorder: Recorder,
    pub(crate) into: tempfile::TempDir,
    /// Where its configuration lies.
    pub(crate) files: tempfile::TempDir,
    /// Which cameras are taken out of the system.
    pub(crate) gone: Arc<Mutex<BTreeSet<String>>>,
}

/// Brings a system up, and opens it as a connector with this configuration would; `more` goes beside the adapter.
pub(crate) async fn bench<S: System>(world: World, password: &str, more: &str) -> Bench {
    let gone = Arc::clone(&world.gone);
    let served = S::serve(Arc::new(world)).await;
    sightline_connector::media::confine_by(vec![env!("CARGO_BIN_EXE_sightline-connector").into(), "confined".into()]);
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("password"), format!("{password}\n")).unwrap();
    let accounts = format!("username = \"{USER}\"\npassword_file = \"password\"\n");
    let accounts = if S::HAS_ACCOUNTS { accounts.as_str() } else { "" };
    let config = read(files.path(), &format!("[adapter]\n{}\n{accounts}{more}", served.adapter));
    let recorder = Recorder::new(adapter::open(&config).unwrap(), &config);
    Bench { served, recorder, into: tempfile::tempdir().unwrap(), files, gone }
}

fn read(folder: &Path, text: &str) -> Config {
    let path = folder.join("connector.toml");
    std::fs::write(&path, text).unwrap();
    config::read(&path).unwrap()
}
