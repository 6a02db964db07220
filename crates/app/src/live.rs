//! What is shown live: changes after a commit, and progress that no table keeps for long.

use std::time::Duration;

use domain::Caller;
use domain::id::RequestItemId;
use domain::policy::Privilege;
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
pub struct Changes(broadcast::Sender<Change>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::channel(1024).0)
    }
}

impl Changes {
    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
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

/// Follows the events of all servers and tells the pages of this one, until told to stop.
pub async fn feed(app: App, stop: CancellationToken) {
    let mut commits = app.db().committed();
    let mut seen = None;
    while !stop.is_cancelled() {
        if let Err(error) = tell_new(&app, &mut seen).await {
            tracing::error!(%error, source = ?error.source, "live updates failed");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = commits.recv() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

async fn tell_new(app: &App, seen: &mut Option<i64>) -> Result<()> {
    let mut tx = app.read().await?;
    let Some(after) = *seen else {
        *seen = Some(store::event::last_seq(&mut tx).await?);
        return Ok(());
    };
    for (seq, id) in store::event::objects_after(&mut tx, after).await? {
        *seen = Some(seq);
        if let Some(kind) = noun(&id) {
            // Nobody listening is no error.
            let _ = app.changes().0.send(Change { kind, id });
        }
    }
    Ok(())
}

/// Whether the caller may know that something with this id changed.
pub async fn sees(app: &App, caller: &Caller, id: &str) -> bool {
    match id.split_once('_').map_or("", |(prefix, _)| prefix) {
        "con" => caller.may_somewhere(Privilege::ManageConnectors),
        "acc" => {
            caller.may_somewhere(Privilege::ManageAccounts) || caller.account_id().is_some_and(|own| own.as_str() == id)
        }
        "cam" => caller.may_somewhere(Privilege::ViewRegistry),
        "req" => crate::video_request::is_seen(app, caller, id).await.unwrap_or(false),
        "itm" => crate::request_item::is_seen(app, caller, id).await.unwrap_or(false),
        "cas" => crate::case::is_seen(app, caller, id).await.unwrap_or(false),
        "evd" => crate::evidence::is_seen(app, caller, id).await.unwrap_or(false),
        // Each noun that is seen by some only adds its own question here.
        _ => false,
    }
}
