//! A disk of 50 MB (tmpfs), of which a test takes as much as it likes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// How long it is.
const MEGABYTES: u64 = 50;

/// The disk, on a folder; taken away when this is dropped.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Puts it on a folder, which is made if need be.
    pub(crate) fn on(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let size = format!("size={}", MEGABYTES * 1_000_000);
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).output();
        let done = done.expect("mount starts");
        assert!(
            done.status.success(),
            "Tests that fill a disk mount a small one: run them as root (CAP_SYS_ADMIN; of a container: --privileged).\n{}",
            String::from_utf8_lossy(&done.stderr)
        );
        Self(folder.to_owned())
    }

    /// So many bytes are free.
    pub(crate) fn free(&self) -> u64 {
        let disk = statvfs(&self.0).expect("it is there");
        disk.f_bavail * disk.f_frsize
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes what is free but for so many bytes; also what is given back late: the rules of a confined program keep its files on the
    /// disk for some milliseconds after it ended, removed or not.
    pub(crate) fn leave(&self, bytes: u64) {
        self.clear();
        assert!(self.free() >= bytes, "there is so much");
        let file = File::create(self.ballast()).expect("a file");
        while let Some(more) = self.free().checked_sub(bytes).filter(|more| *more > 0) {
            let taken = file.metadata().expect("its length").len();
            fallocate(&file, FallocateFlags::empty(), taken, more).expect("it takes it");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Gives back what was taken.
    pub(crate) fn clear(&self) {
        match std::fs::remove_file(self.ballast()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("the ballast stays: {error}"),
            _ => {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // at once for everybody else, also while a program that is about to end still has a file open
        let done = Command::new("umount").arg("--lazy").arg(&self.0).status();
        if !std::thread::panicking() {
            assert!(done.is_ok_and(|status| status.success()), "the small disk is taken away");
        }
    }
}
