//! Room on the disk. A video system is never given the last of it.

use std::os::fd::AsFd;

/// So much is left to others, or a twentieth of the disk if that is less.
const RESERVE: u64 = 512 << 20;

/// Whether so many bytes more may be written to the disk that a file is on.
pub fn room_for(file: &impl AsFd, bytes: u64) -> std::io::Result<()> {
    let disk = rustix::fs::fstatvfs(file)?;
    let reserve = RESERVE.min(disk.f_blocks.saturating_mul(disk.f_frsize) / 20);
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= bytes.saturating_add(reserve) {
        return Ok(());
    }
    Err(std::io::Error::new(std::io::ErrorKind::StorageFull, "there is not enough room on the disk"))
}
