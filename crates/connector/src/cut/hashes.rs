//! The hashes of what an export is cut out of.

use std::path::Path;
use std::sync::Arc;

use super::Part;
use crate::adapter::Trouble;

/// Hashes the segments beside ffmpeg, two at a time.
pub(super) struct Hashes(Vec<tokio::task::JoinHandle<std::io::Result<(String, u64, String)>>>);

impl Hashes {
    pub(super) fn start<'a>(parts: impl Iterator<Item = &'a Part>) -> Self {
        let turns = Arc::new(tokio::sync::Semaphore::new(2));
        Self(
            parts
                .map(|part| {
                    let (name, path, size, turns) =
                        (part.name.clone(), part.path.clone(), part.size, Arc::clone(&turns));
                    tokio::spawn(async move {
                        let _turn = turns.acquire().await.map_err(std::io::Error::other)?;
                        let sum = tokio::task::spawn_blocking(move || sha256_of(&path, size))
                            .await
                            .map_err(std::io::Error::other)??;
                        Ok((name, size, sum))
                    })
                })
                .collect(),
        )
    }

    pub(super) async fn finish(mut self) -> Result<Vec<(String, u64, String)>, Trouble> {
        let mut sums = Vec::new();
        for task in std::mem::take(&mut self.0) {
            sums.push(task.await.map_err(Trouble::again)?.map_err(Trouble::again)?);
        }
        Ok(sums)
    }
}

impl Drop for Hashes {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

fn sha256_of(path: &Path, size: u64) -> std::io::Result<String> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?.take(size);
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(crate::hex(hash.finish().as_ref()))
}
