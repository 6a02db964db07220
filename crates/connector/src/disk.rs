//! What is written to the disk: never the last of its room, and what matters whole or not at all.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::OnceLock;

/// So much is left to others, or a twentieth of the disk if that is less, unless the configuration says how much.
const RESERVE: u64 = 512 << 20;

static KEEP_FREE: OnceLock<u64> = OnceLock::new();

/// Leaves so many bytes to others, on each disk; said once, when the program starts.
pub fn keep_free(bytes: u64) {
    KEEP_FREE.get_or_init(|| bytes);
}

/// Whether an error says that the disk is full, or what its owner allows of it.
pub fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Whether so many bytes more may be written to the disk that a file is on.
pub fn room_for(file: &impl AsFd, bytes: u64) -> std::io::Result<()> {
    let disk = rustix::fs::fstatvfs(file)?;
    let most = || RESERVE.min(disk.f_blocks.saturating_mul(disk.f_frsize) / 20);
    let reserve = KEEP_FREE.get().copied().unwrap_or_else(most);
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= bytes.saturating_add(reserve) {
        return Ok(());
    }
    Err(std::io::Error::new(ErrorKind::StorageFull, "there is not enough room on the disk"))
}

/// The same of the disk that a folder is on.
pub fn room_in(folder: &Path, bytes: u64) -> std::io::Result<()> {
    room_for(&File::open(folder)?, bytes)
}

/// Whether a file could be made in a folder, which may still have to be made itself. Nothing stays of the try.
pub fn try_writing(folder: &Path) -> std::io::Result<()> {
    for above in std::path::absolute(folder)?.ancestors() {
        match std::fs::metadata(above) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(_) => return tempfile::tempfile_in(above).map(drop),
        }
    }
    Err(ErrorKind::NotFound.into())
}

/// Writes a file whole or not at all: beside its place, forced to the disk, and moved there.
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> std::io::Result<()> {
    use std::io::Write;
    let (fresh, folder) = (path.with_extension("fresh"), path.parent().unwrap_or(Path::new(".")));
    let mut file = own_file(&fresh)?;
    serde_json::to_writer(&mut file, value)?;
    file.flush()?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

/// Makes a folder that nobody but its owner opens.
pub fn own_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a file that nobody but its owner opens; what was in it is gone.
pub fn own_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}
