//! API tokens: made by a person for their own programs, shown once.

use domain::account::Token;
use domain::id::{AccountId, TokenId};
use domain::policy::Privilege;
use domain::{Caller, Invalid, Timestamp, policy};

use crate::idempotency::{self, Key};
use crate::secret::{self, Secret};
use crate::{App, Error, Kind, Result, did};

/// Makes a token; its secret is answered this once.
pub async fn create(
    app: &App,
    caller: &Caller,
    name: &str,
    scopes: Option<Vec<Privilege>>,
    expires_at: Option<Timestamp>,
    key: Option<&Key>,
) -> Result<(Token, Secret)> {
    if scopes.as_ref().is_some_and(Vec::is_empty) {
        let message = "A token without any privilege can do nothing. Leave this out for all that the account may.";
        return Err(Invalid::field("/scopes", message).into());
    }
    let scopes = scopes.unwrap_or_default();
    policy::manage_own_tokens(caller)?;
    let account = caller.account_id().ok_or_else(|| Error::not_found("account"))?;
    insert(app, caller, account, name, scopes, expires_at, key).await
}

/// Makes a token from the command line, whose user owns the data directory.
pub async fn create_by_operator(
    app: &App,
    account: &AccountId,
    name: &str,
    scopes: Vec<Privilege>,
) -> Result<(Token, Secret)> {
    insert(app, &Caller::server(), account, name, scopes, None, None).await
}

async fn insert(
    app: &App,
    caller: &Caller,
    account: &AccountId,
    name: &str,
    mut scopes: Vec<Privilege>,
    expires_at: Option<Timestamp>,
    key: Option<&Key>,
) -> Result<(Token, Secret)> {
    let mut invalid = Invalid::new();
    invalid.require_text("/name", name, 200);
    if expires_at.is_some_and(|at| at <= app.now()) {
        invalid.add("/expires_at", "Expected a time in the future.");
    }
    invalid.into_result()?;
    scopes.sort_unstable();
    scopes.dedup();
    let secret = Secret::new(app, "slt");
    let mut tx = app.begin().await?;
    let id = tx.new_id();
    idempotency::refuse_again(&mut tx, caller, "token.create", key, &id).await?;
    let token = Token {
        id,
        account_id: account.clone(),
        name: name.trim().to_owned(),
        scopes,
        created_at: tx.now(),
        last_used_at: None,
        expires_at,
        revoked_at: None,
    };
    store::token::insert(&mut tx, &token, &secret.hash()).await?;
    tx.commit([did(caller, "token.create").about("token", &token.id).about("account", account)]).await?;
    Ok((token, secret))
}

/// The caller's tokens.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Token>> {
    let account = caller.account_id().ok_or_else(|| Error::not_found("account"))?;
    let mut tx = app.read().await?;
    Ok(store::token::list(&mut tx, account).await?)
}

/// Revokes one of the caller's tokens.
pub async fn revoke(app: &App, caller: &Caller, id: &TokenId) -> Result<()> {
    let account = caller.account_id().ok_or_else(|| Error::not_found("token"))?;
    let mut tx = app.begin().await?;
    store::token::find(&mut tx, account, id).await?.ok_or_else(|| Error::not_found("token"))?;
    policy::manage_own_tokens(caller)?;
    store::token::revoke(&mut tx, id).await?;
    tx.commit([did(caller, "token.revoke").about("token", id).about("account", account)]).await?;
    Ok(())
}

/// Who a presented token speaks for. Notes the use, once a minute.
pub async fn resume(app: &App, presented: &str) -> Result<Caller> {
    let (token, caller) = read(app, presented).await?;
    if token.last_used_at.is_none_or(|at| at.plus(std::time::Duration::from_secs(60)) <= app.now()) {
        let mut tx = app.begin().await?;
        store::token::used(&mut tx, &token.id).await?;
        tx.commit_housekeeping().await?;
    }
    Ok(caller)
}

/// Who a presented token still speaks for.
pub async fn holder(app: &App, presented: &str) -> Result<Caller> {
    Ok(read(app, presented).await?.1)
}

async fn read(app: &App, presented: &str) -> Result<(Token, Caller)> {
    let refused = || {
        Error::new(Kind::Unauthenticated, "wrong_token", "This token is not valid here, has run out, or was revoked.")
    };
    let mut tx = app.read().await?;
    let token = store::token::find_by_hash(&mut tx, &secret::hash(presented)).await?.ok_or_else(refused)?;
    if token.revoked_at.is_some() || token.expires_at.is_some_and(|at| at <= tx.now()) {
        return Err(refused());
    }
    let account = store::account::find(&mut tx, &token.account_id)
        .await?
        .filter(|a| a.disabled_at.is_none())
        .ok_or_else(refused)?;
    let groups = store::group::of_account(&mut tx, &account.id).await?;
    let caller = Caller::token(token.id.clone(), &token.scopes, account, groups);
    Ok((token, caller))
}
