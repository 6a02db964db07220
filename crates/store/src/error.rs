//! What can go wrong below the rules.

/// A failure of the database or of the object store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A row that must be unique exists already.
    #[error("exists already")]
    Exists,
    /// Another row still refers to this one, or the one referred to is missing.
    #[error("is referred to by something else, or refers to something that is not there")]
    Referred,
    /// The row was changed by somebody else since it was read.
    #[error("was changed by somebody else in the meantime")]
    Stale,
    /// Text that PostgreSQL cannot hold: it has a NUL in it.
    #[error("has control characters in it")]
    Unstorable,
    /// The database refused or could not be reached.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// The migrations do not fit the database.
    #[error("the database could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The object store refused, could not be reached, or has no such object.
    #[error("the file store failed")]
    Blob(#[from] object_store::Error),
    /// The disk failed.
    #[error("the disk failed")]
    Io(#[from] std::io::Error),
    /// An event that no leaf of the ledger can hold.
    #[error("the event has no leaf")]
    Event(#[from] proof::event::EventError),
    /// A row holds what this version cannot have written.
    #[error("column {column} holds something unexpected")]
    Corrupt {
        /// The column's name.
        column: &'static str,
    },
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(db) if db.is_unique_violation() => Self::Exists,
            Some(db) if db.is_foreign_key_violation() => Self::Referred,
            // character_not_in_repertoire. Inputs are refused before; this is for the one that was forgotten.
            Some(db) if db.code().as_deref() == Some("22021") => Self::Unstorable,
            _ => Self::Database(error),
        }
    }
}
