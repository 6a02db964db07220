//! What an installation remembers about itself: its name, its time zone, its number templates.

use crate::{Columns as _, Result, Sql, Tx};

/// A setting, if it was ever set.
pub async fn get(tx: &mut Tx, name: &'static str) -> Result<Option<String>> {
    let row = Sql::new("SELECT value FROM installation WHERE name = ").arg(name).fetch_optional(tx).await?;
    row.map(|row| row.text("value")).transpose()
}

/// Sets it.
pub async fn set(tx: &mut Tx, name: &'static str, value: &str) -> Result<()> {
    Sql::new("INSERT INTO installation (name, value) VALUES (")
        .args([name, value])
        .add(") ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .execute(tx)
        .await?;
    Ok(())
}
