//! Uploads never take the last of the disk: the database is often on it too, and could not note anything any more.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// So much is left, or a twentieth of the disk if that is less.
const RESERVE: u64 = 512 << 20;

/// Whether so many bytes more may be written to the disk that a file is on.
pub(super) fn room_for(file: &impl AsFd, bytes: u64) -> io::Result<()> {
    let disk = rustix::fs::fstatvfs(file)?;
    let reserve = RESERVE.min(disk.f_blocks.saturating_mul(disk.f_frsize) / 20);
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= bytes.saturating_add(reserve) { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
}

/// The same of the disk that a folder is on, once there is one.
pub(super) fn room_in(folder: &Path, bytes: u64) -> io::Result<()> {
    match File::open(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        folder => room_for(&folder?, bytes),
    }
}
