//! What is kept for requests that are not decided: exports in a folder of the connector, encrypted (ADR 12), or windows that the
//! video system itself keeps. Nothing of it leaves before the server asks for the export of the same item.
//!
//! Per item there is one folder: the encrypted footage, and `hold.json`, which is written last. Without it nothing is held.
//! Whoever removes the folder has deleted the hold; the server is told with the next call.

mod cipher;
mod part;

use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::id::RequestItemId;
use domain::{Timestamp, Window};
use protocol::{Manifest, SourceDescription};
use serde::{Deserialize, Serialize};

use crate::adapter::{Exported, Locks, Trouble};
use crate::disk;
use crate::recorder::Recorder;
use cipher::Key;

const HOLD: &str = "hold.json";
const FOOTAGE: &str = "footage.encrypted";

/// A window that is kept for a request item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// For which item.
    pub item_id: RequestItemId,
    /// Of which camera, as it was described then.
    pub source: SourceDescription,
    /// What was asked.
    pub window: Window,
    /// When it is let go, also when nobody says so.
    pub until: Timestamp,
    /// How it is kept.
    pub kept: Kept,
}

/// How a window is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "as")]
pub enum Kept {
    /// By the video system itself.
    Lock {
        /// What the adapter calls it.
        name: String,
        /// Whether it was only about to be set, as far as is known.
        #[serde(default)]
        begun: bool,
    },
    /// As an encrypted export.
    Export {
        /// The file's key, encrypted with the connector's, base64.
        key: String,
        /// The export's own name.
        file: String,
        /// How it was made.
        manifest: Box<Manifest>,
    },
}

/// What is held of a window.
#[derive(Debug)]
pub enum Taken {
    /// Its export.
    Export(Box<Exported>),
    /// Nothing.
    Nothing,
    /// An export that cannot be read, and why.
    Unreadable(String),
}

/// The folder of holds.
pub struct Holds {
    root: PathBuf,
    /// None where nothing is set up to hold.
    key: Option<Key>,
    /// The video system's locks are set and lifted one at a time: two may be on the same footage, and each has to know the other.
    locking: tokio::sync::Mutex<()>,
}

impl Holds {
    /// Opens the folder beside a connector that may be running: nothing is made in it or tidied up, and no footage is read.
    pub fn beside(state: &Path) -> std::io::Result<Self> {
        let root = state.join("held");
        match std::fs::read_dir(&root) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(Self { root, key: None, locking: tokio::sync::Mutex::default() }),
        }
    }

    /// Opens the folder; what was left half written goes. `key_file` is made when it is not there.
    pub fn open(state: &Path, key_file: Option<&Path>) -> anyhow::Result<Self> {
        disk::own_folder(&state.join("held")).with_context(|| format!("cannot make {}/held", state.display()))?;
        let key = key_file
            .map(|path| Key::read_or_make(path).with_context(|| format!("the hold's key_file {}", path.display())));
        let holds = Self { key: key.transpose()?, ..Self::beside(state)? };
        for found in std::fs::read_dir(&holds.root)? {
            let folder = found?.path();
            if !folder.join(HOLD).exists() {
                std::fs::remove_dir_all(&folder)?;
            }
        }
        Ok(holds)
    }

    /// Whether [`Holds::open`] would do; nothing is made.
    pub fn would_open(state: &Path, key_file: Option<&Path>) -> anyhow::Result<()> {
        let root = state.join("held");
        if root.exists() {
            disk::try_writing(&root).with_context(|| format!("cannot write in {}", root.display()))?;
        }
        let Some(path) = key_file else { return Ok(()) };
        Key::would_do(path).with_context(|| format!("the hold's key_file {}", path.display()))
    }

    /// Whether exports can be kept here.
    pub fn keeps_exports(&self) -> bool {
        self.key.is_some()
    }

    fn folder(&self, item: &RequestItemId) -> PathBuf {
        self.root.join(item.as_str())
    }

    /// What is held for an item.
    pub fn find(&self, item: &RequestItemId) -> Option<Held> {
        read(&self.folder(item))
    }

    /// All that is held, by item.
    pub fn list(&self) -> Vec<Held> {
        let folders = std::fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut held: Vec<_> = folders.filter_map(|folder| read(&folder.path())).collect();
        held.sort_by(|a, b| a.item_id.cmp(&b.item_id));
        held
    }

    /// How many bytes an item's encrypted export has, if there is one.
    pub fn size_bytes(&self, item: &RequestItemId) -> Option<u64> {
        Some(std::fs::metadata(self.folder(item).join(FOOTAGE)).ok()?.len())
    }

    /// The items that something is held for.
    pub fn items(&self) -> Vec<RequestItemId> {
        self.list().into_iter().map(|held| held.item_id).collect()
    }

    /// The names of what the video system keeps for others than this item.
    fn other_locks(&self, item: &RequestItemId) -> Vec<String> {
        let name = |held: Held| match held.kept {
            Kept::Lock { name, .. } if held.item_id != *item => Some(name),
            _ => None,
        };
        self.list().into_iter().filter_map(name).collect()
    }

    /// Has the video system itself keep a window; false if it cannot.
    pub async fn lock(&self, recorder: &Recorder, held: &Held) -> Result<bool, Trouble> {
        let _alone = self.locking.lock().await;
        let others = self.other_locks(&held.item_id);
        let begun = self.find(&held.item_id).and_then(|held| match held.kept {
            Kept::Lock { name, .. } => Some(name),
            Kept::Export { .. } => None,
        });
        let note =
            |name: &str, begun| self.note(&Held { kept: Kept::Lock { name: name.to_owned(), begun }, ..held.clone() });
        let locks = Locks { others: &others, begun, begin: &|name| note(name, true) };
        let locked = recorder.hold(&held.source.device_id, held.window, &locks).await?;
        let Some(name) = locked else { return Ok(false) };
        note(&name, false).map_err(Trouble::disk)?;
        Ok(true)
    }

    /// Notes how a window is kept, or for how long.
    pub fn note(&self, held: &Held) -> std::io::Result<()> {
        let folder = self.folder(&held.item_id);
        disk::own_folder(&folder)?;
        disk::write_json(&folder.join(HOLD), held)
    }

    /// Encrypts an export into the folder. The clear one goes, with the folder that it was made in, before it is noted that anything is
    /// held: from then on there is no other. What could not be written whole goes.
    pub fn keep(&self, held: Held, exported: &Exported, made_in: &Path) -> std::io::Result<()> {
        let folder = self.folder(&held.item_id);
        let kept = self.encrypt(held, exported, &folder).and_then(|held| {
            std::fs::remove_dir_all(made_in)?;
            self.note(&held)
        });
        if kept.is_err() && !folder.join(HOLD).exists() {
            let _ = std::fs::remove_dir_all(&folder);
        }
        kept
    }

    fn encrypt(&self, held: Held, exported: &Exported, folder: &Path) -> std::io::Result<Held> {
        let key = self.key.as_ref().ok_or_else(|| std::io::Error::other("nothing is set up to hold"))?;
        disk::own_folder(folder)?;
        let (of_file, wrapped) = key.of_file()?;
        of_file.encrypt(&exported.path, &folder.join(FOOTAGE))?;
        let file = exported.path.file_name().and_then(|name| name.to_str()).unwrap_or("export").to_owned();
        let manifest = Box::new(exported.manifest.clone());
        let kept = Kept::Export { key: BASE64.encode(wrapped), file, manifest };
        Ok(Held { kept, ..held })
    }

    /// Lets go of what is held for an item, here or in the video system. What is gone already counts as freed.
    pub async fn let_go(&self, recorder: &Recorder, item: &RequestItemId) -> Result<(), Trouble> {
        let _alone = self.locking.lock().await;
        if let Some(Held { kept: Kept::Lock { name, .. }, .. }) = self.find(item) {
            recorder.free(&name, &self.other_locks(item)).await?;
        }
        self.forget(item).map_err(Trouble::again)
    }

    fn forget(&self, item: &RequestItemId) -> std::io::Result<()> {
        let folder = self.folder(item);
        // without the key in it the footage is lost, whatever becomes of its blocks on the disk
        for gone in [std::fs::remove_file(folder.join(HOLD)), std::fs::remove_dir_all(&folder)] {
            match gone {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// What is held beyond its term.
    pub fn run_out(&self, now: Timestamp) -> Vec<Held> {
        self.list().into_iter().filter(|held| held.until <= now).collect()
    }

    /// The export of an item, or of a part of its window, out of what is held.
    pub async fn take(
        &self,
        item: &RequestItemId,
        device_id: &str,
        window: Window,
        into: &Path,
    ) -> Result<Taken, Trouble> {
        let Some(held) = self.find(item) else { return Ok(Taken::Nothing) };
        let Kept::Export { key, file, manifest } = held.kept else { return Ok(Taken::Nothing) };
        if held.source.device_id != device_id || !held.window.contains(window) {
            return Ok(Taken::Nothing);
        }
        let Some(master) = self.key.clone() else { return Ok(Taken::Unreadable("no key_file is configured".into())) };
        let sealed = self.folder(item).join(FOOTAGE);
        let name = Path::new(&file).file_name().map_or_else(|| "export".into(), PathBuf::from);
        let path = into.join(name);
        let out = path.clone();
        let decrypted = tokio::task::spawn_blocking(move || {
            let wrapped = BASE64.decode(key).map_err(std::io::Error::other)?;
            master.unwrap(&wrapped)?.decrypt(&sealed, &out)
        });
        if let Err(error) = decrypted.await.map_err(Trouble::again)? {
            if disk::is_full(&error) {
                return Err(Trouble::NoRoom); // it can be read as soon as there is room
            }
            tracing::warn!(item = %item, %error, "what was held cannot be read; the recorder is asked instead");
            return Ok(Taken::Unreadable(error.to_string()));
        }
        if window == held.window {
            return Ok(Taken::Export(Box::new(Exported { path, manifest: *manifest })));
        }
        part::cut_out(path, *manifest, window, into).await.map(|exported| Taken::Export(Box::new(exported)))
    }
}

fn read(folder: &Path) -> Option<Held> {
    serde_json::from_slice(&std::fs::read(folder.join(HOLD)).ok()?).ok()
}
