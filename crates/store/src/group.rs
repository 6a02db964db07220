//! Groups of accounts.

use std::collections::HashMap;

use domain::account::Group;
use domain::id::{AccountId, GroupId, OrganizationId};
use domain::policy::SeesGroups;
use sqlx::any::AnyRow;

use crate::{Columns as _, Result, Sql, Tx};

const SELECT: &str = "SELECT g.id, g.organization_id, g.name, g.created_at, g.version FROM groups g";

fn group(row: &AnyRow) -> Result<Group> {
    Ok(Group {
        id: row.parsed("id")?,
        organization_id: row.parsed("organization_id")?,
        name: row.text("name")?,
        members: Vec::new(),
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    })
}

/// Writes a new one, without members.
pub async fn insert(tx: &mut Tx, new: &Group) -> Result<()> {
    tx.changed(&new.id);
    Sql::new("INSERT INTO groups (id, organization_id, name, created_at, version) VALUES (")
        .args([new.id.as_str(), new.organization_id.as_str(), &new.name])
        .add(", ")
        .args([new.created_at.as_micros(), new.version])
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}

/// Saves the name, if nobody else did since it was read.
pub async fn save(tx: &mut Tx, changed: &Group) -> Result<()> {
    tx.changed(&changed.id);
    Sql::new("UPDATE groups SET version = version + 1, name = ")
        .arg(&changed.name)
        .add(" WHERE id = ")
        .arg(changed.id.as_str())
        .add(" AND version = ")
        .arg(changed.version)
        .execute_versioned(tx)
        .await
}

/// Where a group `g` is seen.
fn push_sees(sql: &mut Sql, sees: &SeesGroups) {
    let Some(of) = &sees.of else {
        sql.push("1 = 1");
        return;
    };
    sql.push("(1 = 0");
    if !of.is_empty() {
        sql.push(" OR g.organization_id IN (").bind_all(of.iter().map(OrganizationId::as_str)).push(")");
    }
    if !sees.own.is_empty() {
        sql.push(" OR g.id IN (").bind_all(sees.own.iter().map(GroupId::as_str)).push(")");
    }
    sql.push(")");
}

/// One group with its members, if it is seen.
pub async fn find(tx: &mut Tx, sees: &SeesGroups, id: &GroupId) -> Result<Option<Group>> {
    let mut sql = Sql::new(SELECT).add(" WHERE g.id = ").arg(id.as_str()).add(" AND ");
    push_sees(&mut sql, sees);
    let row = sql.fetch_optional(tx).await?;
    let Some(mut found) = row.as_ref().map(group).transpose()? else { return Ok(None) };
    let rows = Sql::new("SELECT account_id FROM group_members WHERE group_id = ")
        .arg(id.as_str())
        .add(" ORDER BY account_id")
        .fetch_all(tx)
        .await?;
    found.members = rows.iter().map(|row| row.parsed("account_id")).collect::<Result<_>>()?;
    Ok(Some(found))
}

/// The groups that are seen with their members, by name.
pub async fn list(tx: &mut Tx, sees: &SeesGroups) -> Result<Vec<Group>> {
    let mut members: HashMap<GroupId, Vec<AccountId>> = HashMap::new();
    let mut sql =
        Sql::new("SELECT m.group_id, m.account_id FROM group_members m JOIN groups g ON g.id = m.group_id WHERE ");
    push_sees(&mut sql, sees);
    for row in sql.add(" ORDER BY m.group_id, m.account_id").fetch_all(tx).await? {
        members.entry(row.parsed("group_id")?).or_default().push(row.parsed("account_id")?);
    }
    let mut sql = Sql::new(SELECT).add(" WHERE ");
    push_sees(&mut sql, sees);
    let rows = sql.add(" ORDER BY g.name, g.id").fetch_all(tx).await?;
    let found =
        rows.iter().map(|row| group(row).map(|g| Group { members: members.remove(&g.id).unwrap_or_default(), ..g }));
    found.collect()
}

/// The groups that an account is in.
pub async fn of_account(tx: &mut Tx, account: &AccountId) -> Result<Vec<GroupId>> {
    let rows = Sql::new("SELECT group_id FROM group_members WHERE account_id = ")
        .arg(account.as_str())
        .add(" ORDER BY group_id")
        .fetch_all(tx)
        .await?;
    rows.iter().map(|row| row.parsed("group_id")).collect()
}

/// Replaces the members; [`save`] belongs to it.
pub async fn set_members(tx: &mut Tx, id: &GroupId, members: &[AccountId]) -> Result<()> {
    tx.changed(id);
    Sql::new("DELETE FROM group_members WHERE group_id = ").arg(id.as_str()).execute(tx).await?;
    for member in members {
        Sql::new("INSERT INTO group_members (group_id, account_id) VALUES (")
            .args([id.as_str(), member.as_str()])
            .add(") ON CONFLICT DO NOTHING")
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Removes a group, its members' membership, and what access lists gave it, if nobody changed it since it was read.
pub async fn remove(tx: &mut Tx, id: &GroupId, version: i64) -> Result<()> {
    tx.changed(id);
    let sql = Sql::new("DELETE FROM case_access WHERE principal_id = ").arg(id.as_str()).add(" RETURNING case_id");
    for row in sql.fetch_all(tx).await? {
        crate::case::touch(tx, &row.text("case_id")?).await?;
    }
    let sql = Sql::new("DELETE FROM groups WHERE id = ").arg(id.as_str()).add(" AND version = ").arg(version);
    sql.execute_versioned(tx).await
}
