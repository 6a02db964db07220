//! The one transaction type. What happened is said when it commits.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::Timestamp;
use domain::id::Id;
use sqlx::{Any, AnyConnection};
use tokio::sync::broadcast;

use crate::{Committed, Engine, Entropy, Event, Result, event, seal};

/// A transaction. Dropped without a commit it leaves nothing behind.
pub struct Tx {
    inner: sqlx::Transaction<'static, Any>,
    engine: Engine,
    now: Timestamp,
    entropy: Entropy,
    changed: BTreeSet<String>,
    committed: Option<broadcast::Sender<Arc<Committed>>>,
}

impl Tx {
    pub(crate) fn new(
        inner: sqlx::Transaction<'static, Any>,
        engine: Engine,
        now: Timestamp,
        entropy: Entropy,
        committed: Option<broadcast::Sender<Arc<Committed>>>,
    ) -> Self {
        Self { inner, engine, now, entropy, changed: BTreeSet::new(), committed }
    }

    /// The moment that everything in this transaction happens at.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A new id.
    pub fn new_id<T: Id>(&self) -> T {
        T::new(self.now, self.random())
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.entropy)(&mut bytes);
        bytes
    }

    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Which database it is; for `search.rs` and for row locks.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Notes that a row under seal ([`seal`]) is written or removed by this transaction; said by the query that does it.
    pub fn changed(&mut self, id: impl ToString) {
        self.changed.insert(id.to_string());
    }

    /// Commits, and puts into the ledger what happened: at least one event. The first one seals what changed.
    pub async fn commit(mut self, events: impl IntoIterator<Item = Event>) -> Result<()> {
        let changed = std::mem::take(&mut self.changed);
        let mut seals = seal::of(&mut self, &changed).await?;
        let mut told = Vec::new();
        for event in events {
            told.push((event.kind, event.objects.iter().map(|(_, id)| id.clone()).collect()));
            event::insert(&mut self, event, seals.take()).await?;
        }
        assert!(!told.is_empty(), "a commit without an event is commit_housekeeping");
        self.finish(told).await
    }

    /// Commits what no ledger records: leases, progress, sessions, upload offsets, mails sent.
    pub async fn commit_housekeeping(self) -> Result<()> {
        assert!(self.changed.is_empty(), "what is under seal changes with an event: {:?}", self.changed);
        self.finish(Vec::new()).await
    }

    async fn finish(self, events: Vec<(&'static str, Vec<String>)>) -> Result<()> {
        self.inner.commit().await?;
        if let Some(committed) = self.committed {
            // No receiver is no error.
            let _ = committed.send(Arc::new(Committed { events }));
        }
        Ok(())
    }
}
