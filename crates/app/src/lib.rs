//! What the product does: one function per verb that every door calls — the API, the command line, a
//! job, an upload link.
#![cfg_attr(any(test, feature = "testing"), allow(clippy::unwrap_used, clippy::expect_used))]

pub mod account;
pub mod authentication;
pub mod camera;
pub mod case;
pub mod check;
mod clock;
pub mod connector;
pub mod connector_task;
mod error;
pub mod evidence;
pub mod file_request;
pub mod group;
pub mod idempotency;
pub mod jobs;
pub mod ledger;
pub mod live;
pub mod mail;
pub mod media;
pub mod metrics;
mod notify;
mod number;
pub mod organization;
pub mod page;
pub mod request_item;
pub mod secret;
pub mod session;
pub mod settings;
pub mod streets;
#[cfg(feature = "testing")]
pub mod testing;
mod throttle;
pub mod token;
pub mod upload;
pub mod video_request;

use std::path::PathBuf;
use std::sync::Arc;

use domain::{Caller, Timestamp};
use store::{Event, Tx};

pub use clock::Clock;
pub use error::{Error, Kind, Result};
pub use settings::Settings;
pub use store::blob::S3;
pub use store::mail::Mail;
pub use store::{Blobs, Database};

/// The product: everything that an action needs. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    db: Database,
    blobs: Blobs,
    clock: Clock,
    settings: Settings,
    data: PathBuf,
    passwords: authentication::Passwords,
    turns: throttle::Turns,
    changes: live::Changes,
    progress: live::Progress,
    wakers: jobs::Wakers,
    uploads: upload::Staging,
    ledger_key: ledger::Key,
    streets: streets::Layer,
}

impl App {
    /// Puts the parts together. `data` is the folder for what is on this machine alone: staged uploads, work files, keys.
    pub fn new(db: Database, blobs: Blobs, clock: Clock, settings: Settings, data: PathBuf) -> Self {
        let passwords = authentication::Passwords::new(settings.password_cost);
        let (changes, progress, wakers) =
            (live::Changes::default(), live::Progress::default(), jobs::Wakers::default());
        let uploads = upload::staging(&data, settings.durable_parts);
        let ledger_key = ledger::Key::default();
        let streets = streets::Layer::default();
        Self(Arc::new(Inner {
            db,
            blobs,
            clock,
            settings,
            data,
            passwords,
            turns: throttle::Turns::default(),
            changes,
            progress,
            wakers,
            uploads,
            ledger_key,
            streets,
        }))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The clock itself, for what waits.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// A transaction that may write, at this moment.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(self.0.db.begin(self.now()).await?)
    }

    /// A transaction that only reads.
    pub async fn read(&self) -> Result<Tx> {
        Ok(self.0.db.read(self.now()).await?)
    }

    /// The database.
    pub fn db(&self) -> &Database {
        &self.0.db
    }

    /// The store of bytes.
    pub fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    /// What the administrator configured.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The folder for what is on this machine alone.
    pub fn data(&self) -> &std::path::Path {
        &self.0.data
    }

    /// Progress that is shown live and not kept.
    pub fn progress(&self) -> &live::Progress {
        &self.0.progress
    }

    /// What changed, on any server.
    pub fn changes(&self) -> &live::Changes {
        &self.0.changes
    }

    /// What wakes those who wait for work.
    pub fn wakers(&self) -> &jobs::Wakers {
        &self.0.wakers
    }

    pub(crate) fn streets(&self) -> &streets::Layer {
        &self.0.streets
    }

    pub(crate) fn passwords(&self) -> &authentication::Passwords {
        &self.0.passwords
    }

    pub(crate) fn turns(&self) -> &throttle::Turns {
        &self.0.turns
    }

    /// Uploads that are under way.
    pub fn uploads(&self) -> &upload::Staging {
        &self.0.uploads
    }

    pub(crate) fn ledger_key(&self) -> &ledger::Key {
        &self.0.ledger_key
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0.db.entropy())(&mut bytes);
        bytes
    }
}

/// An event that this caller caused: `did(caller, "camera.create").about("camera", id)`.
pub fn did(caller: &Caller, kind: &'static str) -> Event {
    Event::new(kind, caller.actor())
}
