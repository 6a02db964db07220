//! Accounts and the roles they hold.

use std::collections::HashMap;

use domain::account::{Account, Grant, Role};
use domain::id::{AccountId, OrganizationId};
use domain::policy::Privilege;
use domain::text::fold;
use sqlx::any::AnyRow;

use crate::{Columns as _, Result, Sql, Tx};

const SELECT: &str = "SELECT a.id, a.organization_id, o.name AS organization_name, a.email, a.user_name, a.name, a.must_change_password, \
     a.disabled_at, a.last_seen_at, a.created_at, a.version FROM accounts a JOIN organizations o ON o.id = a.organization_id";

fn account(row: &AnyRow) -> Result<Account> {
    Ok(Account {
        id: row.parsed("id")?,
        organization_id: row.parsed("organization_id")?,
        organization_name: row.text("organization_name")?,
        email: row.text("email")?,
        user_name: row.text("user_name")?,
        name: row.text("name")?,
        must_change_password: row.flag("must_change_password")?,
        disabled_at: row.time_or_null("disabled_at")?,
        last_seen_at: row.time_or_null("last_seen_at")?,
        created_at: row.time("created_at")?,
        version: row.int("version")?,
        grants: Vec::new(),
    })
}

async fn with_grants(tx: &mut Tx, mut accounts: Vec<Account>) -> Result<Vec<Account>> {
    if accounts.is_empty() {
        return Ok(accounts);
    }
    let rows = Sql::new("SELECT account_id, role, organization_id FROM account_roles WHERE account_id IN (")
        .args(accounts.iter().map(|a| a.id.as_str()))
        .add(") ORDER BY role, organization_id")
        .fetch_all(tx)
        .await?;
    let mut grants: HashMap<AccountId, Vec<Grant>> = HashMap::new();
    for row in &rows {
        let organization = row.text("organization_id")?;
        let organization_id = match organization.as_str() {
            "" => None,
            _ => Some(organization.parse().map_err(|_| crate::Error::Corrupt { column: "organization_id" })?),
        };
        grants.entry(row.parsed("account_id")?).or_default().push(Grant { role: row.parsed("role")?, organization_id });
    }
    for account in &mut accounts {
        account.grants = grants.remove(&account.id).unwrap_or_default();
    }
    Ok(accounts)
}

fn search_text(account: &Account) -> String {
    fold(&format!("{} {} {} {}", account.name, account.email, account.user_name, account.organization_name))
}

/// Writes a new one. [`crate::Error::Exists`] when address or user name is taken.
pub async fn insert(tx: &mut Tx, new: &Account, password_hash: Option<&str>) -> Result<()> {
    tx.changed(&new.id);
    Sql::new("INSERT INTO accounts (id, organization_id, email, user_name, name, search_text, password_hash, must_change_password, created_at, version) VALUES (")
        .args([new.id.as_str(), new.organization_id.as_str(), &new.email, &new.user_name, &new.name, &search_text(new)])
        .add(", ")
        .arg(password_hash)
        .add(", ")
        .args([i64::from(new.must_change_password), new.created_at.as_micros(), new.version])
        .add(")")
        .execute(tx)
        .await?;
    insert_grants(tx, new).await
}

async fn insert_grants(tx: &mut Tx, account: &Account) -> Result<()> {
    for grant in &account.grants {
        Sql::new("INSERT INTO account_roles (account_id, role, organization_id) VALUES (")
            .args([
                account.id.as_str(),
                grant.role.as_str(),
                grant.organization_id.as_ref().map_or("", OrganizationId::as_str),
            ])
            .add(") ON CONFLICT DO NOTHING")
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Saves names, roles and whether it is disabled, if nobody else did since it was read.
pub async fn save(tx: &mut Tx, changed: &Account) -> Result<()> {
    tx.changed(&changed.id);
    Sql::new("UPDATE accounts SET version = version + 1, name = ")
        .arg(&changed.name)
        .add(", user_name = ")
        .arg(&changed.user_name)
        .add(", search_text = ")
        .arg(search_text(changed))
        .add(", disabled_at = ")
        .arg(changed.disabled_at.map(domain::Timestamp::as_micros))
        .add(" WHERE id = ")
        .arg(changed.id.as_str())
        .add(" AND version = ")
        .arg(changed.version)
        .execute_versioned(tx)
        .await?;
    Sql::new("DELETE FROM account_roles WHERE account_id = ").arg(changed.id.as_str()).execute(tx).await?;
    insert_grants(tx, changed).await
}

/// Sets a password; its owner has chosen it, or must choose another at the next sign-in.
pub async fn set_password(tx: &mut Tx, id: &AccountId, hash: &str, must_change: bool) -> Result<()> {
    tx.changed(id);
    Sql::new("UPDATE accounts SET version = version + 1, password_hash = ")
        .arg(hash)
        .add(", must_change_password = ")
        .arg(i64::from(must_change))
        .add(" WHERE id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// The stored password hash of whoever signs in with an address or a user name, and their id.
pub async fn find_password(tx: &mut Tx, login: &str) -> Result<Option<(AccountId, Option<String>)>> {
    let login = login.trim().to_lowercase();
    let row = Sql::new("SELECT id, password_hash FROM accounts WHERE disabled_at IS NULL AND (email = ")
        .arg(login.as_str())
        .add(" OR user_name = ")
        .arg(login.as_str())
        .add(") ORDER BY CASE WHEN email = ")
        .arg(login.as_str())
        .add(" THEN 0 ELSE 1 END")
        .fetch_optional(tx)
        .await?;
    row.map(|row| Ok((row.parsed("id")?, row.text_or_null("password_hash")?))).transpose()
}

/// One account, for the server itself; what a person may see of others is decided by the caller.
pub async fn find(tx: &mut Tx, id: &AccountId) -> Result<Option<Account>> {
    let row = Sql::new(SELECT).add(" WHERE a.id = ").arg(id.as_str()).fetch_optional(tx).await?;
    let found = row.as_ref().map(account).transpose()?;
    Ok(with_grants(tx, found.into_iter().collect()).await?.pop())
}

/// By address, for the command line.
pub async fn find_by_email(tx: &mut Tx, email: &str) -> Result<Option<Account>> {
    let row = Sql::new(SELECT).add(" WHERE a.email = ").arg(email.trim().to_lowercase()).fetch_optional(tx).await?;
    let found = row.as_ref().map(account).transpose()?;
    Ok(with_grants(tx, found.into_iter().collect()).await?.pop())
}

/// What to list.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// Words that must all occur.
    pub q: Option<String>,
    /// Of these organizations only; `None`: of all.
    pub organizations: Option<Vec<OrganizationId>>,
    /// Those whose name and id come after.
    pub after: Option<(String, AccountId)>,
    /// At most so many.
    pub limit: i64,
}

/// Accounts by name.
pub async fn list(tx: &mut Tx, filter: &Filter) -> Result<Vec<Account>> {
    let mut sql = Sql::new(SELECT).add(" WHERE 1 = 1");
    for word in domain::text::words(filter.q.as_deref().unwrap_or("")) {
        sql = sql.add(" AND a.search_text LIKE ").arg(domain::text::like(&word)).add(" ESCAPE '!'");
    }
    if let Some(organizations) = &filter.organizations {
        sql = sql.add(" AND a.organization_id IN (").args(organizations.iter().map(OrganizationId::as_str)).add(")");
    }
    if let Some((name, id)) = &filter.after {
        sql = sql.add(" AND (a.name, a.id) > (").arg(name.as_str()).add(", ").arg(id.as_str()).add(")");
    }
    let rows = sql.add(" ORDER BY a.name, a.id LIMIT ").arg(filter.limit).fetch_all(tx).await?;
    let found = rows.iter().map(account).collect::<Result<Vec<_>>>()?;
    with_grants(tx, found).await
}

/// Everybody who holds a privilege for an organization and can sign in: to whom mail goes.
pub async fn with_privilege(tx: &mut Tx, privilege: Privilege, organization: &OrganizationId) -> Result<Vec<Account>> {
    let roles = Role::ALL.iter().filter(|role| role.privileges().contains(&privilege)).map(|role| role.as_str());
    // Holders for all organizations decide for the host only by mail: other owners are not swamped by them.
    let rows = Sql::new(SELECT)
        .add(" WHERE a.disabled_at IS NULL AND EXISTS (SELECT 1 FROM account_roles r WHERE r.account_id = a.id AND r.role IN (")
        .args(roles)
        .add(") AND (r.organization_id = ")
        .arg(organization.as_str())
        .add(" OR (r.organization_id = '' AND a.organization_id = ")
        .arg(organization.as_str())
        .add("))) ORDER BY a.name, a.id")
        .fetch_all(tx)
        .await?;
    let found = rows.iter().map(account).collect::<Result<Vec<_>>>()?;
    with_grants(tx, found).await
}

/// Whether there is any account at all.
pub async fn any(tx: &mut Tx) -> Result<bool> {
    Ok(Sql::new("SELECT 1 AS one FROM accounts LIMIT 1").fetch_optional(tx).await?.is_some())
}

/// Whether somebody else, who can sign in, is an administrator of the whole installation.
pub async fn another_administrator(tx: &mut Tx, than: &AccountId) -> Result<bool> {
    let sql = Sql::new("SELECT 1 AS one FROM account_roles r JOIN accounts a ON a.id = r.account_id WHERE r.role = ")
        .arg(Role::Administrator.as_str())
        .add(" AND r.organization_id = '' AND a.disabled_at IS NULL AND a.id <> ")
        .arg(than.as_str());
    Ok(sql.add(" LIMIT 1").fetch_optional(tx).await?.is_some())
}

/// Notes that somebody was here.
pub async fn seen(tx: &mut Tx, id: &AccountId) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("UPDATE accounts SET last_seen_at = ").arg(now).add(" WHERE id = ").arg(id.as_str()).execute(tx).await?;
    Ok(())
}
