//! Folders of segments as recorders lay them out; `docs/guide/connectors/folder.md` says which patterns read them.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::Timestamp;
use jiff::Zoned;

use super::system::{Served, System};
use super::world::World;

/// How a recorder names its files.
pub(crate) trait Layout {
    /// The pattern of the manual.
    const PATTERN: &'static str;
    /// Whether names are in UTC, whatever the zone of the machine.
    const UTC: bool = false;
    /// How precisely names tell when a segment begins.
    const PRECISION: Duration = Duration::from_secs(1);

    /// The path of a segment below the folder.
    fn name(camera: &str, begins: &Zoned) -> String;
}

/// `ffmpeg -f segment -strftime 1`, a folder for each camera.
pub(crate) struct Ffmpeg;

impl Layout for Ffmpeg {
    const PATTERN: &'static str = "{camera}/%Y-%m-%d_%H-%M-%S.mp4";

    fn name(camera: &str, begins: &Zoned) -> String {
        format!("{camera}/{}.mp4", begins.strftime("%Y-%m-%d_%H-%M-%S"))
    }
}

/// MediaMTX's `recordPath` as it is unless configured.
pub(crate) struct MediaMtx;

impl Layout for MediaMtx {
    const PATTERN: &'static str = "{path}/%Y-%m-%d_%H-%M-%S-%f.mp4";
    const PRECISION: Duration = Duration::ZERO;

    fn name(camera: &str, begins: &Zoned) -> String {
        format!("{camera}/{}.mp4", begins.strftime("%Y-%m-%d_%H-%M-%S-%6f"))
    }
}

/// The same with `%z`, which tells the hour that happens twice apart; `Z` is how it writes an offset of none.
pub(crate) struct MediaMtxWithOffset;

impl Layout for MediaMtxWithOffset {
    const PATTERN: &'static str = "{path}/%Y-%m-%d_%H-%M-%S-%f%z.mp4";
    const PRECISION: Duration = Duration::ZERO;

    fn name(camera: &str, begins: &Zoned) -> String {
        let offset = if begins.offset().is_zero() { "Z".to_owned() } else { begins.strftime("%z").to_string() };
        format!("{camera}/{}{offset}.mp4", begins.strftime("%Y-%m-%d_%H-%M-%S-%6f"))
    }
}

/// Frigate's recordings.
pub(crate) struct Frigate;

impl Layout for Frigate {
    const PATTERN: &'static str = "%Y-%m-%d/%H/{camera}/%M.%S.mp4";
    const UTC: bool = true;

    fn name(camera: &str, begins: &Zoned) -> String {
        format!("{}/{camera}/{}.mp4", begins.strftime("%Y-%m-%d/%H"), begins.strftime("%M.%S"))
    }
}

/// motionEye's movies; a camera is a folder `Camera1`.
pub(crate) struct MotionEye;

impl Layout for MotionEye {
    const PATTERN: &'static str = "Camera{camera}/%Y-%m-%d/%H-%M-%S.mp4";

    fn name(camera: &str, begins: &Zoned) -> String {
        format!("Camera{camera}/{}.mp4", begins.strftime("%Y-%m-%d/%H-%M-%S"))
    }
}

/// Shinobi's videos of one group.
pub(crate) struct Shinobi;

impl Layout for Shinobi {
    const PATTERN: &'static str = "group/{camera}/%Y-%m-%dT%H-%M-%S.mp4";

    fn name(camera: &str, begins: &Zoned) -> String {
        format!("group/{camera}/{}.mp4", begins.strftime("%Y-%m-%dT%H-%M-%S"))
    }
}

/// A folder that is laid out so.
pub(crate) struct Folder<L>(PhantomData<L>);

impl<L: Layout> System for Folder<L> {
    const PRECISION: Duration = L::PRECISION;
    const TELLS_HOW_FAR: bool = false;
    const HAS_CLOCK: bool = false;
    const HAS_ACCOUNTS: bool = false;

    async fn serve(world: Arc<World>) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let zone = if L::UTC { "UTC" } else { world.zone };
        let in_zone = |at: Timestamp| at.to_jiff().unwrap().in_tz(zone).unwrap();
        let mut pattern = L::PATTERN.to_owned();
        for recording in &world.recordings {
            let mut path = folder.path().join(L::name(&recording.camera, &in_zone(recording.from)));
            if path.exists() {
                // the second 02:30 of a recorder that does not write over the first
                path.set_extension("again.mp4");
                pattern = L::PATTERN.replace(".mp4", "*.mp4");
            }
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::copy(&recording.file, &path).unwrap();
            let written = recording.to.unwrap_or_else(|| Timestamp::from(jiff::Timestamp::now()));
            let written = SystemTime::UNIX_EPOCH + Duration::from_micros(written.as_micros().unsigned_abs());
            std::fs::File::options().append(true).open(&path).unwrap().set_modified(written).unwrap();
        }
        let adapter = format!(
            "kind = \"folder\"\npath = \"{}\"\npattern = \"{pattern}\"\ntime_zone = \"{zone}\"",
            folder.path().display()
        );
        Served { adapter, site: None, _keep: Some(folder), held: Arc::default() }
    }
}
