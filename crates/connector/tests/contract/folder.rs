//! A folder of segments as a plain recorder writes them, in local time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::Timestamp;

use super::system::{Served, System};
use super::world::World;

pub(crate) struct Folder;

impl System for Folder {
    const PRECISION: Duration = Duration::from_secs(1);
    const HAS_CLOCK: bool = false;
    const HAS_ACCOUNTS: bool = false;

    async fn serve(world: Arc<World>) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let zone = jiff::tz::TimeZone::get(world.zone).unwrap();
        for recording in &world.recordings {
            let at = zone.to_datetime(recording.from.to_jiff().unwrap());
            let name = format!("{}/{}", recording.camera, at.strftime("%Y-%m-%d_%H-%M-%S"));
            let mut path = folder.path().join(format!("{name}.mp4"));
            if path.exists() {
                path = folder.path().join(format!("{name}.again.mp4")); // the second 02:30
            }
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::copy(&recording.file, &path).unwrap();
            let written = recording.to.unwrap_or_else(|| Timestamp::from(jiff::Timestamp::now()));
            let written = SystemTime::UNIX_EPOCH + Duration::from_micros(written.as_micros().unsigned_abs());
            std::fs::File::options().append(true).open(&path).unwrap().set_modified(written).unwrap();
        }
        for (camera, _) in &world.cameras {
            std::fs::create_dir_all(folder.path().join(camera)).unwrap();
        }
        let path = folder.path().display();
        Served {
            adapter: format!(
                "kind = \"folder\"\npath = \"{path}\"\npattern = \"{{camera}}/%Y-%m-%d_%H-%M-%S*.mp4\"\ntime_zone = \"{}\"",
                world.zone
            ),
            site: None,
            _keep: Some(folder),
            held: Arc::default(),
        }
    }
}
