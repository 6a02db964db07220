//! Cases and who may do what in them. Every query for a person is cut to what they see ([`SeesCases`]).

use std::collections::HashSet;

use domain::Timestamp;
use domain::case::{Access, Case, Level, Principal};
use domain::id::{CaseId, RequestItemId};
use domain::policy::SeesCases;
use domain::text::fold;
use sqlx::any::AnyRow;

use crate::{Columns as _, Engine, Error, Result, Sql, Tx};

/// A case, as somebody sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The case.
    pub case: Case,
    /// What they may do in it.
    pub level: Level,
    /// How many files it holds.
    pub evidence_count: i64,
}

fn case(row: &AnyRow) -> Result<Case> {
    Ok(Case {
        id: row.parsed("id")?,
        number: row.text("number")?,
        name: row.text("name")?,
        created_by: row.parsed("created_by")?,
        closed_at: row.time_or_null("closed_at")?,
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    })
}

fn seen(row: &AnyRow) -> Result<Seen> {
    let level = Level::of_rank(row.int("level")?).ok_or(Error::Corrupt { column: "level" })?;
    Ok(Seen { case: case(row)?, level, evidence_count: row.int("evidence_count")? })
}

/// Appends the lines of access lists that hold now for somebody: `FROM case_access a WHERE …`.
pub(crate) fn push_access(sql: &mut Sql, sees: &SeesCases, now: Timestamp) {
    sql.push("FROM case_access a WHERE (a.expires_at IS NULL OR a.expires_at > ")
        .bind(now.as_micros())
        .push(") AND a.principal_id IN (");
    // A list of nobody is no SQL; no principal has an empty id.
    sql.bind_all(sees.principals.iter().map(String::as_str).chain([""])).push(")");
}

/// Appends the level of somebody in the case of an outer row: an expression.
pub(crate) fn push_level(sql: &mut Sql, sees: &SeesCases, now: Timestamp, same_case: &'static str) {
    if sees.all {
        sql.push("CAST(4 AS BIGINT)");
    } else {
        sql.push("(SELECT MAX(a.level) ");
        push_access(sql, sees, now);
        sql.push(" AND a.case_id = ").push(same_case).push(")");
    }
}

fn select(sees: &SeesCases, now: Timestamp) -> Sql {
    let mut sql = Sql::new("SELECT c.id, c.number, c.name, c.created_by, c.closed_at, c.created_at, c.version, ");
    push_level(&mut sql, sees, now, "c.id");
    sql.push(" AS level, (SELECT COUNT(*) FROM evidence e WHERE e.case_id = c.id AND e.released_at IS NOT NULL) AS evidence_count FROM cases c WHERE ");
    if sees.all {
        sql.push("1 = 1");
    } else {
        sql.push("c.id IN (SELECT a.case_id ");
        push_access(&mut sql, sees, now);
        sql.push(")");
    }
    sql
}

fn search_text(case: &Case) -> String {
    fold(&format!("{} {}", case.number, case.name))
}

/// Writes a new one, without an access list.
pub async fn insert(tx: &mut Tx, new: &Case) -> Result<()> {
    tx.changed(&new.id);
    Sql::new("INSERT INTO cases (id, number, name, created_by, search_text, created_at, version) VALUES (")
        .args([new.id.as_str(), &new.number, &new.name, new.created_by.as_str(), &search_text(new)])
        .add(", ")
        .args([new.created_at.as_micros(), new.version])
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}

/// Saves it, if nobody else did since it was read.
pub async fn save(tx: &mut Tx, changed: &mut Case) -> Result<()> {
    tx.changed(&changed.id);
    Sql::new("UPDATE cases SET version = version + 1, name = ")
        .arg(&changed.name)
        .add(", search_text = ")
        .arg(search_text(changed))
        .add(", closed_at = ")
        .arg(changed.closed_at.map(Timestamp::as_micros))
        .add(" WHERE id = ")
        .arg(changed.id.as_str())
        .add(" AND version = ")
        .arg(changed.version)
        .execute_versioned(tx)
        .await?;
    changed.version += 1;
    Ok(())
}

/// Which of these cases are seen.
pub async fn which_are_seen(tx: &mut Tx, sees: &SeesCases, ids: &[CaseId]) -> Result<HashSet<CaseId>> {
    if ids.is_empty() || sees.all {
        return Ok(ids.iter().cloned().collect());
    }
    let mut sql = Sql::new("SELECT DISTINCT a.case_id ");
    push_access(&mut sql, sees, tx.now());
    let sql = sql.add(" AND a.case_id IN (").args(ids.iter().map(CaseId::as_str)).add(")");
    sql.fetch_all(tx).await?.iter().map(|row| row.parsed("case_id")).collect()
}

/// One case, if it is seen.
pub async fn find(tx: &mut Tx, sees: &SeesCases, id: &CaseId) -> Result<Option<Seen>> {
    let sql = select(sees, tx.now()).add(" AND c.id = ").arg(id.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(seen).transpose()
}

/// Holds a case until the end of the transaction, so that closing it or sharing it and adding to it wait for each other.
pub async fn lock(tx: &mut Tx, id: &CaseId) -> Result<()> {
    if tx.engine() == Engine::Postgres {
        Sql::new("SELECT id FROM cases WHERE id = ").arg(id.as_str()).add(" FOR UPDATE").fetch_optional(tx).await?;
    }
    Ok(())
}

/// The same for the case of an item's request, if it has one.
pub async fn lock_of_item(tx: &mut Tx, item: &RequestItemId) -> Result<()> {
    if tx.engine() == Engine::Postgres {
        let sql = "SELECT c.id FROM cases c JOIN video_requests r ON r.case_id = c.id JOIN request_items i ON i.request_id = r.id WHERE i.id = ";
        Sql::new(sql).arg(item.as_str()).add(" FOR UPDATE OF c").fetch_optional(tx).await?;
    }
    Ok(())
}

/// Whether nothing is added to a case any more; for the server itself.
pub async fn is_closed(tx: &mut Tx, id: &CaseId) -> Result<bool> {
    let sql = Sql::new("SELECT closed_at FROM cases WHERE id = ").arg(id.as_str());
    Ok(sql.fetch_one(tx).await?.time_or_null("closed_at")?.is_some())
}

/// What to list.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// Words that must all occur in number and name.
    pub q: Option<String>,
    /// Only closed ones, or only open ones.
    pub closed: Option<bool>,
    /// Those that come after.
    pub after: Option<(i64, CaseId)>,
    /// At most so many.
    pub limit: i64,
}

impl Filter {
    fn push(&self, sql: &mut Sql) {
        for word in domain::text::words(self.q.as_deref().unwrap_or("")) {
            sql.push(" AND c.search_text LIKE ").bind(domain::text::like(&word)).push(" ESCAPE '!'");
        }
        match self.closed {
            Some(true) => sql.push(" AND c.closed_at IS NOT NULL"),
            Some(false) => sql.push(" AND c.closed_at IS NULL"),
            None => sql,
        };
    }
}

/// The cases that are seen, newest first.
pub async fn list(tx: &mut Tx, sees: &SeesCases, filter: &Filter) -> Result<Vec<Seen>> {
    let mut sql = select(sees, tx.now());
    filter.push(&mut sql);
    if let Some((at, id)) = &filter.after {
        sql = sql.add(" AND (c.created_at, c.id) < (").arg(*at).add(", ").arg(id.as_str()).add(")");
    }
    let rows = sql.add(" ORDER BY c.created_at DESC, c.id DESC LIMIT ").arg(filter.limit).fetch_all(tx).await?;
    rows.iter().map(seen).collect()
}

/// How many there are, up to 10,000.
pub async fn count(tx: &mut Tx, sees: &SeesCases, filter: &Filter) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) AS n FROM (SELECT c.id FROM cases c WHERE ");
    if sees.all {
        sql.push("1 = 1");
    } else {
        sql.push("c.id IN (SELECT a.case_id ");
        push_access(&mut sql, sees, tx.now());
        sql.push(")");
    }
    filter.push(&mut sql);
    sql.add(" LIMIT 10000) AS found").fetch_one(tx).await?.int("n")
}

/// A line of an access list, with the name of whom it names.
#[derive(Debug, Clone)]
pub struct NamedAccess {
    /// The line.
    pub access: Access,
    /// The person's or the group's name.
    pub name: Option<String>,
}

/// The access list of a case, the highest level first.
pub async fn access(tx: &mut Tx, id: &CaseId) -> Result<Vec<NamedAccess>> {
    let rows = Sql::new(
        "SELECT a.principal_id, a.level, a.expires_at, COALESCE(p.name, g.name) AS name FROM case_access a \
         LEFT JOIN accounts p ON p.id = a.principal_id LEFT JOIN groups g ON g.id = a.principal_id WHERE a.case_id = ",
    )
    .arg(id.as_str())
    .add(" ORDER BY a.level DESC, a.principal_id")
    .fetch_all(tx)
    .await?;
    let named = |row: &AnyRow| {
        let level = Level::of_rank(row.int("level")?).ok_or(Error::Corrupt { column: "level" })?;
        let access =
            Access { principal: row.parsed("principal_id")?, level, expires_at: row.time_or_null("expires_at")? };
        Ok(NamedAccess { access, name: row.text_or_null("name")? })
    };
    rows.iter().map(named).collect()
}

/// Replaces the access list. [`Error::Referred`] does not come: check the principals with [`exists`] first.
pub async fn set_access(tx: &mut Tx, id: &CaseId, entries: &[Access]) -> Result<()> {
    tx.changed(id);
    Sql::new("DELETE FROM case_access WHERE case_id = ").arg(id.as_str()).execute(tx).await?;
    for entry in entries {
        insert_access(tx, id, entry).await?;
    }
    Ok(())
}

async fn insert_access(tx: &mut Tx, id: &CaseId, entry: &Access) -> Result<()> {
    Sql::new("INSERT INTO case_access (case_id, principal_id, level, expires_at) VALUES (")
        .args([id.as_str(), entry.principal.as_str()])
        .add(", ")
        .arg(entry.level.rank())
        .add(", ")
        .arg(entry.expires_at.map(Timestamp::as_micros))
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}

/// A new version, for a change of the access list that does not come from the case.
pub(crate) async fn touch(tx: &mut Tx, id: &str) -> Result<()> {
    tx.changed(id);
    Sql::new("UPDATE cases SET version = version + 1 WHERE id = ").arg(id).execute(tx).await?;
    Ok(())
}

/// Whether there is such an account that can sign in, or such a group.
pub async fn exists(tx: &mut Tx, principal: &Principal) -> Result<bool> {
    let sql = match principal {
        Principal::Account(_) => Sql::new("SELECT 1 AS one FROM accounts WHERE disabled_at IS NULL AND id = "),
        Principal::Group(_) => Sql::new("SELECT 1 AS one FROM groups WHERE id = "),
    };
    Ok(sql.arg(principal.as_str()).fetch_optional(tx).await?.is_some())
}

/// The level of one principal in a case by its own line, whether or not the line still holds.
pub async fn access_of(tx: &mut Tx, id: &CaseId, principal: &Principal) -> Result<Option<Access>> {
    let found = access(tx, id).await?;
    Ok(found.into_iter().map(|named| named.access).find(|access| access.principal == *principal))
}
