//! Opening a database, SQLite or PostgreSQL, and beginning transactions on it.

use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use domain::Timestamp;
use sqlx::AnyPool;
use sqlx::Executor as _;
use sqlx::any::AnyPoolOptions;
use tokio::sync::broadcast;

use crate::{Entropy, Error, Result, Tx};

/// Which database it is. Almost nothing needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Built in; one server.
    Sqlite,
    /// One or many servers.
    Postgres,
}

/// What a commit told the ledger: for live pages, for job runners, for whoever waits.
#[derive(Debug)]
pub struct Committed {
    /// Per event its kind and the ids of what it is about.
    pub events: Vec<(&'static str, Vec<String>)>,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    engine: Engine,
    readers: AnyPool,
    /// SQLite has one writer; a pool of one queues in order, where a busy timeout polls.
    writers: AnyPool,
    entropy: Entropy,
    committed: broadcast::Sender<Arc<Committed>>,
}

const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000; \
     PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000;";

impl Database {
    /// The system's random numbers.
    pub fn system_entropy() -> Entropy {
        Arc::new(|bytes| getrandom::fill(bytes).expect("the system always has random numbers"))
    }

    /// The URL of the SQLite file `sightline.db` in a data directory.
    pub fn sqlite_url(data: &Path) -> String {
        format!("sqlite://{}?mode=rwc", data.join("sightline.db").display())
    }

    /// Connects to `sqlite://…` or `postgres://…`. Nothing is migrated yet.
    pub async fn open(url: &str, entropy: Entropy) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let engine = if url.starts_with("sqlite:") { Engine::Sqlite } else { Engine::Postgres };
        let options = || {
            AnyPoolOptions::new().acquire_timeout(Duration::from_secs(30)).after_connect(move |connection, _| {
                Box::pin(async move {
                    if engine == Engine::Sqlite {
                        connection.execute(SQLITE_SETTINGS).await?;
                    }
                    Ok(())
                })
            })
        };
        let writers = match engine {
            Engine::Sqlite => options().max_connections(1).connect(url).await?,
            Engine::Postgres => options().max_connections(16).connect(url).await?,
        };
        let readers = match engine {
            Engine::Sqlite => options().max_connections(4).connect(url).await?,
            Engine::Postgres => writers.clone(),
        };
        Ok(Self { engine, readers, writers, entropy, committed: broadcast::channel(1024).0 })
    }

    /// Which database it is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Brings the tables up to date.
    pub async fn migrate(&self) -> Result<()> {
        match self.engine {
            Engine::Sqlite => sqlx::migrate!("migrations/sqlite").run(&self.writers).await?,
            Engine::Postgres => sqlx::migrate!("migrations/postgres").run(&self.writers).await?,
        }
        Ok(())
    }

    /// At start: SQLite is brought up to date, as is an empty PostgreSQL. A PostgreSQL that other servers may be using is only
    /// checked, so that two versions can run side by side: `sightline migrate` changes it.
    pub async fn migrate_at_start(&self) -> Result<()> {
        if self.engine == Engine::Postgres {
            let known = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM information_schema.tables WHERE table_name = 'events' AND table_schema = current_schema()";
            let row = sqlx::query(known).fetch_one(&self.readers).await?;
            if crate::Columns::int(&row, "n")? > 0 {
                return Ok(());
            }
        }
        self.migrate().await
    }

    /// A transaction that may write. SQLite takes its write lock at once.
    pub async fn begin(&self, now: Timestamp) -> Result<Tx> {
        let inner = match self.engine {
            Engine::Sqlite => self.writers.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.writers.begin().await?,
        };
        Ok(Tx::new(inner, self.engine, now, self.entropy.clone(), Some(self.committed.clone())))
    }

    /// A transaction that only reads, and sees one moment of the database.
    pub async fn read(&self, now: Timestamp) -> Result<Tx> {
        let inner = match self.engine {
            Engine::Sqlite => self.readers.begin().await?,
            Engine::Postgres => self.readers.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
        };
        Ok(Tx::new(inner, self.engine, now, self.entropy.clone(), None))
    }

    /// Told of every commit that this process makes from now on.
    pub fn committed(&self) -> broadcast::Receiver<Arc<Committed>> {
        self.committed.subscribe()
    }

    /// Random bytes, as ids and tokens are made of.
    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.readers.acquire().await.map_err(Error::Database)?.execute("SELECT 1").await?;
        Ok(())
    }

    /// Waits for what is under way, then closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}
