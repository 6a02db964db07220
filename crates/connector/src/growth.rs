//! How far an export is, whatever the video system: by what lies in its folder, and by what the adapter tells of it.

use std::convert::Infallible;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use protocol::Phase;

use crate::status::{Stage, Told};

const LOOK: Duration = Duration::from_millis(500);

/// Which share of the footage has been fetched, in thousandths; none where the video system does not let that be told.
#[derive(Debug, Default)]
pub struct Fetched(AtomicU32);

impl Fetched {
    /// So much recorded time has come, of so much.
    pub fn is(&self, come: Duration, of: Duration) {
        let thousandths = come.as_millis().min(of.as_millis()) * 1_000 / of.as_millis().max(1);
        self.0.store(u32::try_from(thousandths).unwrap_or(0), Ordering::Relaxed);
    }

    /// What was told last.
    pub fn thousandths(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Tells again and again how many bytes were fetched into a folder and cut there, and about how many will have been fetched, if that
/// can be told.
pub async fn watch(folder: &Path, fetched: &Fetched, told: &Told) -> Infallible {
    let mut guess = Guess::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let bytes = size(folder).await.unwrap_or(0);
        let (done, total) = guess.from(bytes, fetched.thousandths());
        *told.lock().expect("no panic while held") = Stage::new(Phase::Exporting, done, total);
    }
}

/// How many bytes there will be, by how many there were when a share of the footage had come.
#[derive(Default)]
struct Guess {
    thousandths: u32,
    total: Option<u64>,
}

impl Guess {
    /// Guesses anew with each further share: what has come since the last is in the bytes, but not yet in the share. When all has
    /// come it is too late: some of the bytes may be of the window, which is cut out of it.
    fn from(&mut self, bytes: u64, thousandths: u32) -> (u64, Option<u64>) {
        if thousandths != self.thousandths && thousandths < 1_000 {
            self.thousandths = thousandths;
            self.total = bytes.saturating_mul(1_000).checked_div(thousandths.into());
        }
        (self.total.map_or(bytes, |total| bytes.min(total)), self.total)
    }
}

/// Of its files, not of what they lead to.
async fn size(folder: &Path) -> std::io::Result<u64> {
    let (mut files, mut bytes) = (tokio::fs::read_dir(folder).await?, 0);
    while let Some(file) = files.next_entry().await? {
        bytes += file.metadata().await.map_or(0, |meta| if meta.is_file() { meta.len() } else { 0 });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_lies_in_the_folder_counts_and_nothing_else() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("recording"), [0; 700]).unwrap();
        std::fs::write(folder.path().join("another.coming"), [0; 50]).unwrap();
        std::fs::write(other.path().join("elsewhere"), [0; 1_000]).unwrap();
        std::os::unix::fs::symlink(other.path().join("elsewhere"), folder.path().join("link")).unwrap();
        std::fs::create_dir(folder.path().join("below")).unwrap();
        assert_eq!(size(folder.path()).await.unwrap(), 750);
        assert!(size(&folder.path().join("gone")).await.is_err());
    }

    #[test]
    fn a_share_is_one_of_whatever_is_told() {
        let fetched = Fetched::default();
        let share = |come, of| {
            fetched.is(Duration::from_millis(come), Duration::from_millis(of));
            fetched.thousandths()
        };
        assert_eq!(
            [share(30, 120), share(0, 0), share(5, 0), share(500, 20), share(u64::MAX, u64::MAX)],
            [250, 0, 0, 1_000, 1_000]
        );
    }

    #[test]
    fn how_much_there_will_be_is_told_by_what_came_of_it() {
        let mut guess = Guess::default();
        assert_eq!(guess.from(700, 0), (700, None));
        assert_eq!(guess.from(1_000, 250), (1_000, Some(4_000)));
        assert_eq!(guess.from(1_900, 250), (1_900, Some(4_000)), "the next one is coming");
        assert_eq!(guess.from(3_000, 500), (3_000, Some(6_000)), "that one was larger");
        assert_eq!(guess.from(9_000, 1_000), (6_000, Some(6_000)), "the window is cut out of it");
        assert_eq!(guess.from(10, 0), (10, None), "it begins anew");
        assert_eq!(guess.from(9_000, 1_000), (9_000, None), "it came in one piece");
    }
}
