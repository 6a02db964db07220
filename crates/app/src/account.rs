//! Accounts: made, changed and disabled by those who manage them; a password by its owner.

use std::net::IpAddr;

use domain::account::{Account, Grant, Role, validate_password};
use domain::id::{AccountId, OrganizationId};
use domain::policy::Privilege;
use domain::{Caller, Invalid, policy};
use store::account::Filter;

use crate::idempotency::{self, Key};
use crate::page::Page;
use crate::secret::Secret;
use crate::{App, Error, Kind, Result, did, throttle};

/// A new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Address.
    pub email: String,
    /// User name; the address when none is given.
    pub user_name: Option<String>,
    /// The person's name.
    pub name: String,
    /// Where the person works.
    pub organization_id: OrganizationId,
    /// The roles.
    pub grants: Vec<Grant>,
    /// A password that its owner knows; without one a one-time password is made.
    pub password: Option<String>,
}

/// What to change about an account; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// The person's name.
    pub name: Option<String>,
    /// User name.
    pub user_name: Option<String>,
    /// The roles, all of them.
    pub grants: Option<Vec<Grant>>,
    /// Whether it can no longer sign in.
    pub disabled: Option<bool>,
}

/// Makes the host organization and the first administrator, once. Answers the administrator's address and one-time password.
pub async fn set_up(app: &App, host_name: &str, time_zone: &str, email: &str) -> Result<Option<(String, Secret)>> {
    let mut tx = app.begin().await?;
    if store::organization::host(&mut tx).await?.is_some() {
        return Ok(None);
    }
    let host = crate::organization::insert_host(&mut tx, host_name, time_zone).await?;
    let new = NewAccount {
        email: email.to_owned(),
        user_name: Some("admin".to_owned()),
        name: "Administrator".to_owned(),
        organization_id: host.id.clone(),
        grants: vec![Grant { role: Role::Administrator, organization_id: None }],
        password: None,
    };
    let id = tx.new_id();
    let (account, one_time) = insert(app, &mut tx, id, new).await?;
    let event =
        did(&Caller::server(), "installation.set_up").about("organization", &host.id).about("account", &account.id);
    tx.commit([event]).await?;
    Ok(one_time.map(|secret| (account.email, secret)))
}

/// Makes an account. Answers the one-time password when none was given.
pub async fn create(
    app: &App,
    caller: &Caller,
    new: NewAccount,
    key: Option<&Key>,
) -> Result<(Account, Option<Secret>)> {
    policy::manage_account(caller, &new.organization_id, &new.grants)?;
    create_unchecked(app, caller, new, key).await
}

/// Makes an account from the command line, whose user owns the data directory.
pub async fn create_by_operator(app: &App, new: NewAccount) -> Result<(Account, Option<Secret>)> {
    create_unchecked(app, &Caller::server(), new, None).await
}

async fn create_unchecked(
    app: &App,
    caller: &Caller,
    new: NewAccount,
    key: Option<&Key>,
) -> Result<(Account, Option<Secret>)> {
    let mut tx = app.begin().await?;
    let id = tx.new_id();
    if let Some(made) = idempotency::once(&mut tx, caller, "account.create", key, &id).await? {
        if new.password.is_none() {
            return Err(idempotency::already_made(&made));
        }
        return Ok((visible(&mut tx, caller, &made).await?, None));
    }
    let (account, one_time) = insert(app, &mut tx, id, new).await?;
    let event = did(caller, "account.create")
        .about("account", &account.id)
        .personally("email", account.email.as_str())
        .with("roles", roles(&account));
    tx.commit([event]).await?;
    Ok((account, one_time))
}

fn roles(account: &Account) -> Vec<String> {
    account
        .grants
        .iter()
        .map(|g| format!("{} {}", g.role, g.organization_id.as_ref().map_or("all", OrganizationId::as_str)))
        .collect()
}

async fn insert(app: &App, tx: &mut store::Tx, id: AccountId, new: NewAccount) -> Result<(Account, Option<Secret>)> {
    let organization = store::organization::find(tx, &new.organization_id).await?;
    let organization =
        organization.ok_or_else(|| Invalid::field("/organization_id", "There is no such organization."))?;
    for grant in &new.grants {
        if let Some(of) = &grant.organization_id {
            store::organization::find(tx, of)
                .await?
                .ok_or_else(|| Invalid::field("/roles", "There is no such organization."))?;
        }
    }
    let email = new.email.trim().to_lowercase();
    let mut account = Account {
        id,
        organization_id: organization.id,
        organization_name: organization.name,
        user_name: new.user_name.map_or_else(|| email.clone(), |n| n.trim().to_lowercase()),
        email,
        name: new.name.trim().to_owned(),
        must_change_password: new.password.is_none(),
        disabled_at: None,
        last_seen_at: None,
        created_at: tx.now(),
        version: 1,
        grants: new.grants,
    };
    account.validate()?;
    account.grants.sort();
    account.grants.dedup();
    let one_time = new.password.is_none().then(|| Secret::new(app, "once"));
    let password = match (&new.password, &one_time) {
        (Some(given), _) => {
            validate_password("/password", given)?;
            given.as_str()
        }
        (None, Some(secret)) => secret.reveal(),
        (None, None) => unreachable!("one of the two is always there"),
    };
    let hash = app.passwords().hash(password, tx.random()).await?;
    match store::account::insert(tx, &account, Some(&hash)).await {
        Err(store::Error::Exists) => {
            Err(Invalid::field("/email", "Another account has this address or user name.").into())
        }
        other => Ok(other.map(|()| (account, one_time))?),
    }
}

/// One account, if it may be known to the caller.
pub async fn find(app: &App, caller: &Caller, id: &AccountId) -> Result<Account> {
    let mut tx = app.read().await?;
    visible(&mut tx, caller, id).await
}

async fn visible(tx: &mut store::Tx, caller: &Caller, id: &AccountId) -> Result<Account> {
    let found = store::account::find(tx, id).await?;
    found.filter(|account| policy::sees_account(caller, account)).ok_or_else(|| Error::not_found("account"))
}

/// Whether an account may be known to the caller: for live updates.
pub(crate) async fn is_seen(app: &App, caller: &Caller, id: &str) -> Result<bool> {
    let Ok(id) = id.parse() else { return Ok(false) };
    let found = store::account::find(&mut app.read().await?, &id).await?;
    Ok(found.is_some_and(|account| policy::sees_account(caller, &account)))
}

/// By address; for the command line.
pub async fn find_by_email(app: &App, email: &str) -> Result<Option<Account>> {
    let mut tx = app.read().await?;
    Ok(store::account::find_by_email(&mut tx, email).await?)
}

/// Accounts of the organizations whose accounts the caller manages.
pub async fn list(
    app: &App,
    caller: &Caller,
    q: Option<String>,
    organization: Option<OrganizationId>,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Account>> {
    policy::holds(caller, Privilege::ManageAccounts)?;
    let limit = crate::page::limit(limit)?;
    let mut organizations = caller.organizations_with(Privilege::ManageAccounts);
    if let Some(wanted) = organization {
        organizations = Some(if caller.may(Privilege::ManageAccounts, &wanted) { vec![wanted] } else { Vec::new() });
    }
    if organizations.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Page::whole(Vec::new()));
    }
    let mut tx = app.read().await?;
    let filter = Filter { q, organizations, after: crate::page::key(cursor)?, limit: limit + 1 };
    let found = store::account::list(&mut tx, &filter).await?;
    Ok(Page::cut(found, limit, |account| (account.name.clone(), account.id.clone())))
}

/// Changes an account.
pub async fn change(
    app: &App,
    caller: &Caller,
    id: &AccountId,
    version: i64,
    change: AccountChange,
) -> Result<Account> {
    let mut tx = app.begin().await?;
    let mut account = visible(&mut tx, caller, id).await?;
    let before = account.grants.clone();
    policy::manage_account(caller, &account.organization_id, &before)?;
    if let Some(grants) = change.grants {
        policy::manage_account(caller, &account.organization_id, &grants)?;
        account.grants = grants;
    }
    account.version = version;
    account.name = change.name.map_or(account.name, |n| n.trim().to_owned());
    account.user_name = change.user_name.map_or(account.user_name, |n| n.trim().to_lowercase());
    if change.disabled == Some(true) && caller.account_id() == Some(id) {
        return Err(Error::conflict(
            "own_account",
            "Nobody disables their own account: somebody else who manages accounts can.",
        ));
    }
    account.disabled_at = match change.disabled {
        Some(true) => account.disabled_at.or(Some(tx.now())),
        Some(false) => None,
        None => account.disabled_at,
    };
    if policy::manages_all_accounts(&before)
        && (account.disabled_at.is_some() || !policy::manages_all_accounts(&account.grants))
        && !store::account::another_administrator(&mut tx, id).await?
    {
        return Err(Error::conflict(
            "last_administrator",
            "This is the last administrator of the installation; nothing was changed. Make somebody else one first.",
        ));
    }
    account.validate()?;
    match store::account::save(&mut tx, &account).await {
        Err(store::Error::Exists) => {
            return Err(Invalid::field("/user_name", "Another account has this user name.").into());
        }
        other => other?,
    }
    account.version += 1;
    if account.disabled_at.is_some() {
        store::session::remove_others(&mut tx, id, None).await?;
    }
    let event = did(caller, "account.change")
        .about("account", id)
        .with("roles", roles(&account))
        .with("disabled", account.disabled_at.is_some());
    tx.commit([event]).await?;
    Ok(account)
}

/// Sets a password for somebody who forgot theirs, or makes a one-time password; ends all sessions of the account. For the command
/// line: whoever has the data directory has everything.
pub async fn reset_password(app: &App, email: &str, password: Option<&str>) -> Result<Option<Secret>> {
    let account = find_by_email(app, email).await?.ok_or_else(|| Error::not_found("account"))?;
    let one_time = password.is_none().then(|| Secret::new(app, "once"));
    let chosen = match (password, &one_time) {
        (Some(given), _) => {
            validate_password("/password", given)?;
            given
        }
        (None, Some(secret)) => secret.reveal(),
        (None, None) => return Err(Error::internal("a password or a one-time password")),
    };
    let hash = app.passwords().hash(chosen, app.random()).await?;
    let mut tx = app.begin().await?;
    store::account::set_password(&mut tx, &account.id, &hash, one_time.is_some()).await?;
    store::session::remove_others(&mut tx, &account.id, None).await?;
    tx.commit([did(&Caller::server(), "account.reset_password").about("account", &account.id)]).await?;
    Ok(one_time)
}

/// Chooses a new password; ends all other sessions of the account.
pub async fn change_password(
    app: &App,
    caller: &Caller,
    session_hash: Option<&str>,
    current: &str,
    new: &str,
    address: Option<IpAddr>,
) -> Result<()> {
    policy::change_password(caller)?;
    let account = caller
        .account
        .as_ref()
        .ok_or_else(|| Error::new(Kind::Unauthenticated, "unauthenticated", "Sign in first."))?;
    validate_password("/new", new)?;
    if current == new {
        return Err(Invalid::field("/new", "Choose a password that differs from the one you have.").into());
    }
    // by a session that somebody left open, a password is as well guessed as at the door
    let attempt = throttle::begin(app, &account.email, address).await?;
    let stored = {
        let mut tx = app.read().await?;
        store::account::find_password(&mut tx, &account.email).await?.and_then(|(_, hash)| hash)
    };
    if !app.passwords().verify(current, stored).await? {
        return Err(Invalid::field("/current", "This is not your current password.").into());
    }
    let hash = app.passwords().hash(new, app.random()).await?;
    let mut tx = app.begin().await?;
    attempt.succeeded(&mut tx).await?;
    store::account::set_password(&mut tx, &account.id, &hash, false).await?;
    store::session::remove_others(&mut tx, &account.id, session_hash).await?;
    tx.commit([did(caller, "account.change_password").about("account", &account.id)]).await?;
    Ok(())
}
