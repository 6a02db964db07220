//! How many rows there are in which state, for whoever watches over the installation.

use crate::{Columns as _, Result, Sql, Tx};

/// A table whose rows are counted by their state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Work that is queued or was given up.
    Jobs,
    /// Mails, sent ones too.
    Mails,
    /// Request items.
    Items,
}

/// Each state that occurs, and how often.
pub async fn by_state(tx: &mut Tx, counted: Counted) -> Result<Vec<(String, i64)>> {
    let rows = Sql::new("SELECT state, COUNT(*) AS n FROM ")
        .add(match counted {
            Counted::Jobs => "jobs",
            Counted::Mails => "mails",
            Counted::Items => "request_items",
        })
        .add(" GROUP BY state ORDER BY state")
        .fetch_all(tx)
        .await?;
    rows.iter().map(|row| Ok((row.text("state")?, row.int("n")?))).collect()
}
