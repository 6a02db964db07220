//! API tokens.

use domain::Timestamp;
use domain::account::Token;
use domain::id::{AccountId, TokenId};
use domain::policy::Privilege;
use sqlx::any::AnyRow;

use crate::{Columns as _, Error, Result, Sql, Tx};

const SELECT: &str =
    "SELECT id, account_id, name, scopes, created_at, last_used_at, expires_at, revoked_at FROM tokens";

fn token(row: &AnyRow) -> Result<Token> {
    let scopes = row.text("scopes")?;
    let scopes =
        scopes.split_whitespace().map(|s| s.parse::<Privilege>().map_err(|_| Error::Corrupt { column: "scopes" }));
    Ok(Token {
        id: row.parsed("id")?,
        account_id: row.parsed("account_id")?,
        name: row.text("name")?,
        scopes: scopes.collect::<Result<_>>()?,
        created_at: row.time("created_at")?,
        last_used_at: row.time_or_null("last_used_at")?,
        expires_at: row.time_or_null("expires_at")?,
        revoked_at: row.time_or_null("revoked_at")?,
    })
}

/// Writes a new one, by the hash of its secret.
pub async fn insert(tx: &mut Tx, new: &Token, hash: &str) -> Result<()> {
    tx.changed(&new.id);
    let scopes = new.scopes.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(" ");
    Sql::new("INSERT INTO tokens (id, account_id, name, token_hash, scopes, created_at, expires_at) VALUES (")
        .args([new.id.as_str(), new.account_id.as_str(), &new.name, hash, &scopes])
        .add(", ")
        .arg(new.created_at.as_micros())
        .add(", ")
        .arg(new.expires_at.map(Timestamp::as_micros))
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}

/// The token of a secret's hash.
pub async fn find_by_hash(tx: &mut Tx, hash: &str) -> Result<Option<Token>> {
    Sql::new(SELECT).add(" WHERE token_hash = ").arg(hash).fetch_optional(tx).await?.as_ref().map(token).transpose()
}

/// A token of this account.
pub async fn find(tx: &mut Tx, account: &AccountId, id: &TokenId) -> Result<Option<Token>> {
    let sql = Sql::new(SELECT).add(" WHERE account_id = ").arg(account.as_str()).add(" AND id = ").arg(id.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(token).transpose()
}

/// The tokens of an account, newest first.
pub async fn list(tx: &mut Tx, account: &AccountId) -> Result<Vec<Token>> {
    let sql = Sql::new(SELECT).add(" WHERE account_id = ").arg(account.as_str()).add(" ORDER BY id DESC");
    sql.fetch_all(tx).await?.iter().map(token).collect()
}

/// Revokes one for good.
pub async fn revoke(tx: &mut Tx, id: &TokenId) -> Result<()> {
    tx.changed(id);
    let now = tx.now().as_micros();
    Sql::new("UPDATE tokens SET revoked_at = ")
        .arg(now)
        .add(" WHERE revoked_at IS NULL AND id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes that it was used.
pub async fn used(tx: &mut Tx, id: &TokenId) -> Result<()> {
    let now = tx.now().as_micros();
    Sql::new("UPDATE tokens SET last_used_at = ").arg(now).add(" WHERE id = ").arg(id.as_str()).execute(tx).await?;
    Ok(())
}
