//! What happened to something, as histories show it.

use domain::Timestamp;
use domain::id::EventId;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Named;

/// Something that happened.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct HistoryEntry {
    /// The id of the ledger's event.
    #[schema(value_type = EventId)]
    id: String,
    at: Timestamp,
    /// What: `evidence.play`.
    kind: String,
    /// Who; null: the server itself.
    actor: Option<Named>,
    /// Facts, as the ledger holds them, with what is personal unless it was erased.
    #[schema(value_type = Object)]
    detail: Map<String, Value>,
}

impl From<app::case::Entry> for HistoryEntry {
    fn from(entry: app::case::Entry) -> Self {
        let name = entry.actor_name;
        let actor = entry.actor.map(|id| Named::new(&id, name.unwrap_or_else(|| id.clone())));
        Self { id: entry.id, at: entry.at, kind: entry.kind, actor, detail: entry.detail }
    }
}
