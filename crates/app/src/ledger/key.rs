//! The key that signs checkpoints: made before the first one, in a file that nobody else reads. Its name is the
//! origin of the log, so both are random once and stay.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use proof::note::Signer;
use tokio::sync::OnceCell;

use crate::{App, Error, Result};

/// The key, read when it is first needed.
#[derive(Default)]
pub struct Key(OnceCell<Signer>);

/// The key of this installation's ledger.
pub async fn signer(app: &App) -> Result<&Signer> {
    app.ledger_key().0.get_or_try_init(|| async { load(app).await }).await
}

async fn load(app: &App) -> Result<Signer> {
    let path = app.settings().ledger_key.clone().unwrap_or_else(|| app.data().join("ledger-key"));
    let signed = store::ledger::head(&mut app.read().await?).await?.is_some();
    if signed && !tokio::fs::try_exists(&path).await.map_err(Error::internal)? {
        return Err(Error::internal(format!(
            "the ledger's key {} is missing: restore it, a new one could not continue the ledger",
            path.display()
        )));
    }
    let name: String = app.random::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    let new = Signer::from_seed(&format!("sightline-{name}"), &app.random()).map_err(Error::internal)?;
    let read = move || read_or_make(&path, &new).map_err(|error| in_file(&path, &error));
    tokio::task::spawn_blocking(read).await.map_err(Error::internal)?.map_err(Error::internal)
}

fn in_file(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the ledger's key {}: {error}", path.display()))
}

fn read_or_make(path: &Path, new: &Signer) -> io::Result<Signer> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return parse(&read?),
    }
    // Whole or not at all, and never over a key that another process has just made.
    let unfinished = PathBuf::from(format!("{}.{}.new", path.display(), new.verifier().name()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{}", new.to_secret_text())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&unfinished, path);
    std::fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    parse(&std::fs::read_to_string(path)?)
}

fn parse(text: &str) -> io::Result<Signer> {
    text.trim_end().parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_first_key_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger-key");
        let first = read_or_make(&path, &Signer::from_seed("a", &[1; 32]).unwrap()).unwrap();
        let again = read_or_make(&path, &Signer::from_seed("b", &[2; 32]).unwrap()).unwrap();
        assert_eq!(first.verifier(), again.verifier());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::write(&path, "PRIVATE+KEY+spoiled").unwrap();
        assert!(read_or_make(&path, &first).is_err(), "a spoiled key is not replaced");
    }
}
