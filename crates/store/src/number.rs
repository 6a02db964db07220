//! Running numbers. Raised in the transaction that uses them, so that none is skipped.

use crate::{Columns as _, Result, Sql, Tx};

/// The next number of a counter, from one.
pub async fn next(tx: &mut Tx, scope: &str) -> Result<u64> {
    let row = Sql::new("INSERT INTO counters (scope, last) VALUES (")
        .arg(scope)
        .add(", 1) ON CONFLICT (scope) DO UPDATE SET last = counters.last + 1 RETURNING last")
        .fetch_one(tx)
        .await?;
    u64::try_from(row.int("last")?).map_err(|_| crate::Error::Corrupt { column: "last" })
}
