//! A file that the program is asked to write. It has a name of its own, so that a program that still writes for a request that
//! was given up writes into nothing that is used.

use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::adapter::Trouble;
use crate::disk;

/// Where the program writes, and how much it may.
pub(super) struct Target {
    path: TempPath,
    longest: u64,
}

impl Target {
    /// In a folder, for at most so many bytes. What is not kept is deleted.
    pub(super) fn within(folder: &Path, longest: u64) -> Result<Self, Trouble> {
        let made = tempfile::Builder::new().prefix("program-").suffix(".part").tempfile_in(folder);
        Ok(Self { path: made.map_err(Trouble::disk)?.into_temp_path(), longest })
    }

    /// What the program is told.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes there are now.
    pub(super) async fn size(&self) -> u64 {
        tokio::fs::symlink_metadata(&self.path).await.map_or(0, |meta| meta.len())
    }

    /// Whether so many bytes may be there.
    pub(super) fn allows(&self, size: u64) -> bool {
        size <= self.longest
    }

    /// Whether the disk has room for more.
    pub(super) fn has_room(&self) -> bool {
        self.path.parent().is_none_or(|folder| !disk::room_in(folder, 0).is_err_and(|error| disk::is_full(&error)))
    }

    /// Gives the file the name that it shall have.
    pub(super) async fn keep(self, name: &Path) -> Result<PathBuf, Trouble> {
        self.checked().await?;
        self.path.persist(name).map_err(Trouble::again)?;
        Ok(name.to_owned())
    }

    /// What is in it.
    pub(super) async fn read(self) -> Result<Vec<u8>, Trouble> {
        self.checked().await?;
        tokio::fs::read(&self.path).await.map_err(Trouble::again)
    }

    /// It must be a plain file still, and not longer than allowed.
    async fn checked(&self) -> Result<(), Trouble> {
        let meta = tokio::fs::symlink_metadata(&self.path).await;
        match meta {
            Ok(meta) if meta.is_file() && meta.len() <= self.longest => Ok(()),
            _ => Err(Trouble::again("The adapter's program wrote no file, or one that is too long.")),
        }
    }
}
