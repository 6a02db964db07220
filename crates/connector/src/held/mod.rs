//! What is kept for requests that are not decided: exports in a folder of the connector, encrypted (ADR 12), or windows that the
//! video system itself keeps. Nothing of it leaves before the server asks for the export of the same item.
//!
//! Per item there is one folder: the encrypted footage, and `hold.json`, which is written last. Without it nothing is held.
//! Whoever removes the folder has deleted the hold; the server is told with the next call. What cannot be read, because the key is not there
//! or another one is, is kept and told: it is deleted when its term is over, when it is freed, and when its owner says so.

mod cipher;
mod keyring;
mod part;

use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::id::RequestItemId;
use domain::{Timestamp, Window};
use protocol::{Manifest, ProblemReport, SourceDescription};
use serde::{Deserialize, Serialize};

use crate::adapter::{Exported, Locks, Trouble};
use crate::disk;
use crate::recorder::Recorder;
use keyring::Keyring;

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
        /// Whether the footage is gone from it all the same.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
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

/// Whether the video system keeps a window itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// It does.
    Set,
    /// It does not, and why.
    None(String),
}

/// What is held of a window.
#[derive(Debug)]
pub enum Taken {
    /// Its export.
    Export(Box<Exported>),
    /// Nothing.
    Nothing,
    /// An export that was damaged, and how.
    Damaged(String),
    /// An export that cannot be read for want of its key.
    Locked {
        /// Why.
        why: String,
        /// What it is.
        manifest: Box<Manifest>,
    },
}

/// The folder of holds.
pub struct Holds {
    root: PathBuf,
    keyring: Keyring,
    /// The video system's locks are set and lifted one at a time: two may be on the same footage, and each has to know the other.
    locking: tokio::sync::Mutex<()>,
}

impl Holds {
    /// Opens the folder beside a connector that may be running: nothing is made in it or tidied up, and no footage is read.
    pub fn beside(state: &Path, key_file: Option<&Path>) -> std::io::Result<Self> {
        let root = state.join("held");
        match std::fs::read_dir(&root) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(Self { root, keyring: Keyring::of(key_file), locking: tokio::sync::Mutex::default() }),
        }
    }

    /// Opens the folder; what was left half written goes. `key_file` is made when it is not there and nothing was encrypted with it.
    pub fn open(state: &Path, key_file: Option<&Path>) -> anyhow::Result<Self> {
        disk::own_folder(&state.join("held")).with_context(|| format!("cannot make {}/held", state.display()))?;
        let holds = Self::beside(state, key_file)?;
        for found in std::fs::read_dir(&holds.root)? {
            let folder = found?.path();
            if !folder.join(HOLD).try_exists()? {
                std::fs::remove_dir_all(&folder)?;
            }
        }
        match holds.problem() {
            Some(problem) => tracing::error!(what_to_do = problem.what_to_do, "{}", problem.text),
            None if holds.has_exports() => {}
            None => holds.keyring.make_ready()?,
        }
        Ok(holds)
    }

    /// Whether [`Holds::open`] would do; nothing is made.
    pub fn would_open(state: &Path, key_file: Option<&Path>) -> anyhow::Result<()> {
        let root = state.join("held");
        if root.exists() {
            disk::try_writing(&root).with_context(|| format!("cannot write in {}", root.display()))?;
        }
        let holds = Self::beside(state, key_file)?;
        match holds.problem() {
            Some(problem) => anyhow::bail!("{} {}", problem.text, problem.what_to_do.trim_end_matches('.')),
            None if holds.has_exports() => Ok(()),
            None => holds.keyring.would_make_ready(),
        }
    }

    /// Whether anything is held that a key was made for.
    fn has_exports(&self) -> bool {
        self.list().iter().any(|held| matches!(held.kept, Kept::Export { .. }))
    }

    /// Whether exports can be kept here.
    pub fn keeps_exports(&self) -> bool {
        self.keyring.is_configured()
    }

    /// Whether an export can be encrypted now: not with another key than that of what is held already.
    pub fn may_encrypt(&self) -> Result<(), Trouble> {
        self.key_now().map(drop).map_err(|why| Trouble::NoKey(format!("Nothing can be held: {why}.")))
    }

    /// The key in the file, if it is that of what is held, or nothing is.
    fn key_now(&self) -> Result<cipher::Key, String> {
        let key = self.keyring.now()?;
        let wrapped: Vec<_> = self.list().into_iter().filter_map(|held| held.wrapped()).collect();
        let fits = wrapped.is_empty() || wrapped.iter().any(|wrapped| key.unwrap(wrapped).is_ok());
        if fits { Ok(key) } else { Err("what is held was encrypted with another key than that of the key_file".into()) }
    }

    /// Why what is held for an item cannot be read, if it cannot, as far as its key tells.
    pub fn unreadable(&self, item: &RequestItemId) -> Option<String> {
        let Some(held) = self.find(item) else {
            return self.has(item).then(|| "what was noted of it is damaged".to_owned());
        };
        let wrapped = held.wrapped()?;
        match self.keyring.now() {
            Ok(key) => key.unwrap(&wrapped).err().map(|error| error.to_string()),
            Err(why) => Some(why),
        }
    }

    /// That some of what is held cannot be read, why, and what to do about it.
    pub fn problem(&self) -> Option<ProblemReport> {
        let all = self.items();
        let whys: Vec<_> = all.iter().filter_map(|item| self.unreadable(item)).collect();
        let why = whys.first()?;
        Some(ProblemReport {
            text: format!("{} of {} that are held for requests cannot be read now: {why}.", whys.len(), all.len()),
            what_to_do: "They are kept. Put the key that they were encrypted with back in its place (is its disk mounted?): it is used as \
                         soon as it is there, and no new one is made meanwhile. If it is lost for good, \"sightline-connector held\" lists \
                         them and \"held delete\" deletes them."
                .into(),
        })
    }

    /// The same, or that nothing can be held, because the key has gone since the start.
    pub fn problem_now(&self) -> Option<ProblemReport> {
        let gone = || {
            let text = format!("Nothing can be held for requests now: {}.", self.keyring.gone()?);
            let what_to_do =
                "Put the key back in its place (is its disk mounted?): it is used as soon as it is there.".into();
            Some(ProblemReport { text, what_to_do })
        };
        self.problem().or_else(gone)
    }

    fn folder(&self, item: &RequestItemId) -> PathBuf {
        self.root.join(item.as_str())
    }

    /// What is held for an item.
    pub fn find(&self, item: &RequestItemId) -> Option<Held> {
        read(&self.folder(item))
    }

    /// Whether anything is held for an item, also what cannot be read.
    pub fn has(&self, item: &RequestItemId) -> bool {
        !matches!(self.folder(item).join(HOLD).try_exists(), Ok(false))
    }

    /// All that is held, by item, but for what cannot be read.
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

    /// The items that something is held for, also what cannot be read.
    pub fn items(&self) -> Vec<RequestItemId> {
        let folders = std::fs::read_dir(&self.root).into_iter().flatten().flatten();
        let named = |folder: std::fs::DirEntry| folder.file_name().to_str()?.parse().ok();
        let lost = |item: &RequestItemId| {
            self.find(item).is_some_and(|held| matches!(held.kept, Kept::Lock { lost: true, .. }))
        };
        let mut items: Vec<_> = folders.filter_map(named).filter(|item| self.has(item) && !lost(item)).collect();
        items.sort();
        items
    }

    /// The names of what the video system keeps for others than this item.
    fn other_locks(&self, item: &RequestItemId) -> Vec<String> {
        let name = |held: Held| match held.kept {
            Kept::Lock { name, .. } if held.item_id != *item => Some(name),
            _ => None,
        };
        self.list().into_iter().filter_map(name).collect()
    }

    /// Has the video system itself keep a window, if it can.
    pub async fn lock(&self, recorder: &Recorder, held: &Held) -> Result<Lock, Trouble> {
        let _alone = self.locking.lock().await;
        let others = self.other_locks(&held.item_id);
        let begun = self.find(&held.item_id).and_then(|held| match held.kept {
            Kept::Lock { name, .. } => Some(name),
            Kept::Export { .. } => None,
        });
        let note = |name: &str, begun| {
            let kept = Kept::Lock { name: name.to_owned(), begun, lost: false };
            self.note(&Held { kept, ..held.clone() })
        };
        let locks = Locks { others: &others, begun, begin: &|name| note(name, true) };
        match recorder.hold(&held.source.device_id, held.window, &locks).await {
            Ok(Some(name)) => {
                note(&name, false).map_err(Trouble::disk)?;
                Ok(Lock::Set)
            }
            Ok(None) => Ok(Lock::None("The video system does not keep footage by itself.".into())),
            Err(Trouble::NoLock(why)) => {
                self.forget(&held.item_id).map_err(Trouble::disk)?; // what was about to be set is not
                Ok(Lock::None(why))
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Looks whether the video system still keeps what it should. What it lost is not said to be held any more.
    pub async fn look_at_locks(&self, recorder: &Recorder) {
        for held in self.list() {
            let Kept::Lock { name, begun: false, lost: false } = &held.kept else { continue };
            let _alone = self.locking.lock().await;
            if self.find(&held.item_id).as_ref() != Some(&held) {
                continue; // it was let go meanwhile
            }
            let kept = match recorder.holds_still(name).await {
                Ok(Some(now)) if now == *name => continue,
                Ok(Some(now)) => Kept::Lock { name: now, begun: false, lost: false },
                Ok(None) => {
                    tracing::warn!(item = %held.item_id, "the video system no longer has what it was to keep");
                    Kept::Lock { name: name.clone(), begun: false, lost: true }
                }
                Err(trouble) => {
                    tracing::warn!(item = %held.item_id, %trouble, "whether it is still held is not known");
                    continue;
                }
            };
            if let Err(error) = self.note(&Held { kept, ..held.clone() }) {
                tracing::warn!(item = %held.item_id, %error, "how it is held could not be noted");
            }
        }
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
        let key = self.key_now().map_err(std::io::Error::other)?;
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
        let wrapped = BASE64.decode(key).unwrap_or_default();
        let of_file = match self.keyring.unwrap(&wrapped) {
            Ok(key) => key,
            Err(why) => return Ok(Taken::Locked { why, manifest }),
        };
        let sealed = self.folder(item).join(FOOTAGE);
        let name = Path::new(&file).file_name().map_or_else(|| "export".into(), PathBuf::from);
        let path = into.join(name);
        let out = path.clone();
        let decrypted = tokio::task::spawn_blocking(move || of_file.decrypt(&sealed, &out));
        if let Err(error) = decrypted.await.map_err(Trouble::again)? {
            if !matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::NotFound) {
                return Err(Trouble::disk(error)); // it can be read as soon as there is room, or the disk is read again
            }
            tracing::warn!(item = %item, %error, "what was held cannot be read; the recorder is asked instead");
            return Ok(Taken::Damaged(error.to_string()));
        }
        if window == held.window {
            return Ok(Taken::Export(Box::new(Exported { path, manifest: *manifest })));
        }
        part::cut_out(path, *manifest, window, into).await.map(|exported| Taken::Export(Box::new(exported)))
    }
}

impl Held {
    /// The key of its file, as it is kept.
    fn wrapped(&self) -> Option<Vec<u8>> {
        let Kept::Export { key, .. } = &self.kept else { return None };
        Some(BASE64.decode(key).unwrap_or_default())
    }
}

fn read(folder: &Path) -> Option<Held> {
    serde_json::from_slice(&std::fs::read(folder.join(HOLD)).ok()?).ok()
}
