//! What is shown live: changes after a commit, and progress that no table keeps for long.

use std::time::Duration;

use domain::Caller;
use domain::id::RequestItemId;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::{App, Result};

/// Bytes of an item that have arrived so far.
#[derive(Debug, Clone)]
pub struct ItemProgress {
    /// The item.
    pub item_id: RequestItemId,
    /// Bytes here.
    pub bytes_done: i64,
    /// Bytes in all, once known.
    pub bytes_total: Option<i64>,
}

/// Tells all open pages of this server about progress.
pub struct Progress(broadcast::Sender<ItemProgress>);

impl Default for Progress {
    fn default() -> Self {
        Self(broadcast::channel(256).0)
    }
}

impl Progress {
    /// Tells.
    pub fn tell(&self, progress: ItemProgress) {
        // Nobody listening is no error.
        let _ = self.0.send(progress);
    }

    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<ItemProgress> {
        self.0.subscribe()
    }
}

/// Something that changed.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its noun.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
}

/// Tells all open pages of this server what changed, whichever server changed it.
pub struct Changes {
    sender: broadcast::Sender<Change>,
    /// Nothing more will be told: the server stops.
    over: CancellationToken,
}

impl Default for Changes {
    fn default() -> Self {
        Self { sender: broadcast::channel(1024).0, over: CancellationToken::new() }
    }
}

impl Changes {
    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.sender.subscribe()
    }

    /// Until the server stops.
    pub async fn over(&self) {
        self.over.cancelled().await;
    }
}

/// The nouns that pages show live, by the prefix of their ids.
fn noun(id: &str) -> Option<&'static str> {
    match id.split_once('_')?.0 {
        "req" => Some("video_request"),
        "cas" => Some("case"),
        "evd" => Some("evidence"),
        "con" => Some("connector"),
        "cam" => Some("source"),
        "acc" => Some("account"),
        _ => None,
    }
}

/// So many events are read at once.
const AT_ONCE: i64 = 500;

/// Follows the events of all servers and tells the pages of this one, until told to stop.
///
/// It follows their places in the ledger. Those are given in order, by one server at a time, to what is committed; a number
/// given at insertion can become visible after a greater one, and would be passed over.
pub async fn feed(app: App, stop: CancellationToken) {
    let mut commits = app.db().committed();
    let mut told = None;
    while !stop.is_cancelled() {
        match tell_new(&app, &mut told).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, source = ?error.source, "live updates failed"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = commits.recv() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    app.changes().over.cancel();
}

/// True while there is more to tell.
async fn tell_new(app: &App, told: &mut Option<i64>) -> Result<bool> {
    let mut tx = app.read().await?;
    let sequenced = store::event::sequenced(&mut tx).await?;
    let begin = *told.get_or_insert(sequenced);
    let end = sequenced.min(begin + AT_ONCE);
    if begin == end {
        return Ok(false);
    }
    for id in store::event::objects(&mut tx, begin..end).await? {
        if let Some(kind) = noun(&id) {
            // Nobody listening is no error.
            let _ = app.changes().sender.send(Change { kind, id });
        }
    }
    *told = Some(end);
    Ok(end < sequenced)
}

/// Whether the caller may know that something with this id changed: whether the lists of its noun show it to them.
pub async fn sees(app: &App, caller: &Caller, id: &str) -> bool {
    let seen = match id.split_once('_').map_or("", |(prefix, _)| prefix) {
        "con" => crate::connector::is_seen(app, caller, id).await,
        "acc" => crate::account::is_seen(app, caller, id).await,
        "cam" => crate::camera::is_seen(app, caller, id).await,
        "req" => crate::video_request::is_seen(app, caller, id).await,
        "itm" => crate::request_item::is_seen(app, caller, id).await,
        "cas" => crate::case::is_seen(app, caller, id).await,
        "evd" => crate::evidence::is_seen(app, caller, id).await,
        // Each noun that is seen by some only adds its own question here.
        _ => Ok(false),
    };
    seen.unwrap_or(false)
}
