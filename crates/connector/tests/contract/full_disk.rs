//! ffmpeg on a disk that is too small for what it writes, wherever in the file that shows: it may say so and end as if all were well.

use std::path::Path;
use std::time::Duration;

use sightline_connector::disk;
use sightline_connector::media::{self, MediaError};

use crate::small_disk::SmallDisk;
use crate::world::World;

/// A disk in memory has as many bytes as pages.
const PAGE: u64 = 4_096;

async fn copied(from: &Path, into: &Path) -> Result<bool, MediaError> {
    let read = media::file_url(from);
    let arguments = ["-i", &read, "-map", "0", "-c", "copy", "-movflags", "+faststart", "-f", "mp4"];
    media::ffmpeg(&arguments, &[from], into, Duration::from_secs(30)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cut_short_by_it_is_never_taken_for_whole() {
    disk::keep_free(0); // the disk itself says that it is full
    let mut world = World::new(&[("yard", "Yard")]);
    let recording = world.record("yard", "2026-01-10T10:00:00Z".parse().unwrap(), 20).recordings[0].file.clone();
    let folder = tempfile::tempdir().unwrap();
    let small = SmallDisk::on(&folder.path().join("small"));
    let into = folder.path().join("small/export.mp4");
    copied(&recording, &into).await.unwrap();
    let whole = std::fs::read(&into).unwrap();
    let pages = whole.len() as u64 / PAGE + 1;
    let (mut short, mut enough) = (0, 0);
    // it shows while the pictures are written, then the index behind them, then when the pictures are moved behind the index
    for left in [0, pages / 2].into_iter().chain(pages.saturating_sub(12)..pages + 2) {
        std::fs::remove_file(&into).unwrap();
        small.leave(left * PAGE);
        match copied(&recording, &into).await {
            Err(MediaError::NoRoom) => short += 1,
            Ok(_) => {
                assert!(std::fs::read(&into).unwrap() == whole, "what fits {left} of {pages} pages is taken for whole");
                enough += 1;
            }
            Err(other) => panic!("{left} of {pages} pages: {other}"),
        }
    }
    assert!(short >= 3 && enough >= 2, "{short} short, {enough} enough");
}
