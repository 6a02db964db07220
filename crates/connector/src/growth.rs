//! How far an export is, whatever the video system: by what lies in its folder.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use protocol::Phase;

use crate::status::Told;

const LOOK: Duration = Duration::from_millis(500);

/// Tells again and again how many bytes were fetched into a folder and cut there. How many there will be nobody knows before.
pub async fn watch(folder: &Path, told: &Told) -> Infallible {
    loop {
        tokio::time::sleep(LOOK).await;
        let bytes = size(folder).await.unwrap_or(0);
        *told.lock().expect("no panic while held") = (Phase::Exporting, bytes, None);
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
}
