//! Ledger events: rows written in the transaction that they describe. The sequencer gives them
//! their leaf index afterwards (`ledger.rs`).

use std::ops::Range;

use proof::Sha256Digest;
use proof::event::PublicEvent;
use serde_json::{Map, Value, json};

use crate::seal::{self, Seal};
use crate::{Result, Sql, Tx};

/// What happened, to be put into the ledger.
#[derive(Debug, Clone)]
pub struct Event {
    /// `noun.verb`.
    pub kind: &'static str,
    /// The id of the account, token, connector or file request that did it; `None`: the server itself.
    pub actor: Option<String>,
    /// What it is about: noun and id.
    pub objects: Vec<(&'static str, String)>,
    /// Public: states, sizes, hashes. Never names or words that a person wrote.
    pub data: Map<String, Value>,
    /// Personal: names, comments, addresses. Stands beside the leaf and can be erased.
    pub personal: Map<String, Value>,
}

impl Event {
    /// An event without data.
    pub fn new(kind: &'static str, actor: Option<String>) -> Self {
        Self { kind, actor, objects: Vec::new(), data: Map::new(), personal: Map::new() }
    }

    /// Says what it is about.
    #[must_use]
    pub fn about(mut self, noun: &'static str, id: impl ToString) -> Self {
        self.objects.push((noun, id.to_string()));
        self
    }

    /// Adds something public. Whole numbers, text, booleans, lists and objects of them; no fractions.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }

    /// Adds something personal.
    #[must_use]
    pub fn personally(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.personal.insert(name.to_owned(), value.into());
        self
    }
}

/// Writes the row, with the seals of what changed and the hash over them. Called by [`Tx::commit`] alone.
pub(crate) async fn insert(tx: &mut Tx, event: Event, seals: Option<(Vec<Seal>, Sha256Digest)>) -> Result<()> {
    let id: domain::id::EventId = tx.new_id();
    let (personal, salt, commitment) = if event.personal.is_empty() {
        (None, None, None)
    } else {
        let salt: [u8; 32] = tx.random();
        let personal = Value::Object(event.personal);
        let commitment = proof::event::commit(&salt, &personal).map_err(proof::event::EventError::from)?;
        (Some(personal.to_string()), Some(salt.to_vec()), Some(commitment))
    };
    let public = PublicEvent {
        id: id.to_string(),
        at: tx.now().as_micros(),
        kind: event.kind.to_owned(),
        actor: event.actor,
        objects: event.objects.into_iter().map(|(noun, id)| (noun.to_owned(), id)).collect(),
        data: event.data,
        commitment,
        seals: seals.as_ref().map(|(_, list)| *list),
    };
    // What has no leaf must not be committed: the ledger would stand still before it.
    public.leaf()?;
    let row =
        Sql::new("INSERT INTO events (id, at, kind, actor, objects, data, personal, salt, commitment, seals) VALUES (")
            .args([public.id.as_str()])
            .add(", ")
            .arg(public.at)
            .add(", ")
            .arg(public.kind.as_str())
            .add(", ")
            .arg(public.actor.as_deref())
            .add(", ")
            .arg(json!(public.objects).to_string())
            .add(", ")
            .arg(Value::Object(public.data).to_string())
            .add(", ")
            .arg(personal)
            .add(", ")
            .arg(salt)
            .add(", ")
            .arg(commitment.map(|c| c.to_string()))
            .add(", ")
            .arg(public.seals.map(|list| list.to_string()))
            .add(") RETURNING seq")
            .fetch_one(tx)
            .await?;
    let seq = crate::Columns::int(&row, "seq")?;
    if let Some((seals, _)) = seals {
        seal::insert(tx, seq, seals).await?;
    }
    let mut ids: Vec<String> = public.objects.into_values().collect();
    ids.sort_unstable();
    ids.dedup();
    for object in ids {
        Sql::new("INSERT INTO event_objects (object_id, seq) VALUES (")
            .arg(object)
            .add(", ")
            .arg(seq)
            .add(")")
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// How many events have their place in the ledger.
pub async fn sequenced(tx: &mut Tx) -> Result<i64> {
    let row = Sql::new("SELECT COALESCE(MAX(leaf_index) + 1, 0) AS count FROM events").fetch_one(tx).await?;
    crate::Columns::int(&row, "count")
}

/// What the events at these places in the ledger were about, in order.
pub async fn objects(tx: &mut Tx, places: Range<i64>) -> Result<Vec<String>> {
    let rows =
        Sql::new("SELECT o.object_id FROM events e JOIN event_objects o ON o.seq = e.seq WHERE e.leaf_index >= ")
            .arg(places.start)
            .add(" AND e.leaf_index < ")
            .arg(places.end)
            .add(" ORDER BY e.leaf_index, o.object_id")
            .fetch_all(tx)
            .await?;
    rows.iter().map(|row| crate::Columns::text(row, "object_id")).collect()
}
