//! Organizations.

use domain::account::Organization;
use domain::id::OrganizationId;
use sqlx::any::AnyRow;

use crate::{Columns as _, Result, Sql, Tx};

const SELECT: &str = "SELECT id, name, time_zone, is_host, holds_on_submission, created_at, version FROM organizations";

fn organization(row: &AnyRow) -> Result<Organization> {
    Ok(Organization {
        id: row.parsed("id")?,
        name: row.text("name")?,
        time_zone: row.text("time_zone")?,
        is_host: row.flag("is_host")?,
        holds_on_submission: row.int_or_null("holds_on_submission")? == Some(1),
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    })
}

/// Writes a new one. [`crate::Error::Exists`] when the name is taken.
pub async fn insert(tx: &mut Tx, new: &Organization) -> Result<()> {
    tx.changed(&new.id);
    Sql::new("INSERT INTO organizations (id, name, name_key, time_zone, is_host, created_at, version, holds_on_submission) VALUES (")
        .args([new.id.as_str(), &new.name, &domain::text::fold(&new.name), &new.time_zone])
        .add(", ")
        .args([i64::from(new.is_host), new.created_at.as_micros(), new.version])
        .add(", ")
        .arg(new.holds_on_submission.then_some(1_i64))
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}

/// Saves what may be changed of it, if nobody else did since it was read.
pub async fn save(tx: &mut Tx, changed: &Organization) -> Result<()> {
    tx.changed(&changed.id);
    Sql::new("UPDATE organizations SET version = version + 1, name = ")
        .arg(&changed.name)
        .add(", name_key = ")
        .arg(domain::text::fold(&changed.name))
        .add(", time_zone = ")
        .arg(&changed.time_zone)
        .add(", holds_on_submission = ")
        .arg(changed.holds_on_submission.then_some(1_i64))
        .add(" WHERE id = ")
        .arg(changed.id.as_str())
        .add(" AND version = ")
        .arg(changed.version)
        .execute_versioned(tx)
        .await
}

/// One organization. Every signed-in person may know that it exists.
pub async fn find(tx: &mut Tx, id: &OrganizationId) -> Result<Option<Organization>> {
    let row = Sql::new(SELECT).add(" WHERE id = ").arg(id.as_str()).fetch_optional(tx).await?;
    row.as_ref().map(organization).transpose()
}

/// By name, however it is written.
pub async fn find_by_name(tx: &mut Tx, name: &str) -> Result<Option<Organization>> {
    let row = Sql::new(SELECT).add(" WHERE name_key = ").arg(domain::text::fold(name)).fetch_optional(tx).await?;
    row.as_ref().map(organization).transpose()
}

/// The agency that runs this installation.
pub async fn host(tx: &mut Tx) -> Result<Option<Organization>> {
    Sql::new(SELECT).add(" WHERE is_host = 1").fetch_optional(tx).await?.as_ref().map(organization).transpose()
}

/// All of them, by name.
pub async fn list(tx: &mut Tx) -> Result<Vec<Organization>> {
    Sql::new(SELECT).add(" ORDER BY name_key").fetch_all(tx).await?.iter().map(organization).collect()
}
