//! Groups of accounts, which access lists may name.

use domain::account::Group;
use domain::id::{AccountId, GroupId, OrganizationId};
use domain::{Caller, Invalid, policy};

use crate::idempotency::{self, Key};
use crate::{App, Error, Result, did};

/// The groups of the organizations whose accounts the caller manages, and those the caller is in.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Group>> {
    let mut tx = app.read().await?;
    Ok(store::group::list(&mut tx, &policy::sees_groups(caller)).await?)
}

async fn visible(tx: &mut store::Tx, caller: &Caller, id: &GroupId) -> Result<Group> {
    store::group::find(tx, &policy::sees_groups(caller), id).await?.ok_or_else(|| Error::not_found("group"))
}

/// One group.
pub async fn find(app: &App, caller: &Caller, id: &GroupId) -> Result<Group> {
    visible(&mut app.read().await?, caller, id).await
}

/// Makes a group.
pub async fn create(
    app: &App,
    caller: &Caller,
    name: &str,
    organization: &OrganizationId,
    key: Option<&Key>,
) -> Result<Group> {
    policy::manage_group(caller, organization)?;
    let mut invalid = Invalid::new();
    invalid.require_text("/name", name, 200);
    invalid.into_result()?;
    let mut tx = app.begin().await?;
    let id = tx.new_id();
    if let Some(made) = idempotency::once(&mut tx, caller, "group.create", key, &id).await? {
        return visible(&mut tx, caller, &made).await;
    }
    let group = Group {
        id,
        organization_id: organization.clone(),
        name: name.trim().to_owned(),
        members: Vec::new(),
        created_at: tx.now(),
        version: 1,
    };
    match store::group::insert(&mut tx, &group).await {
        Err(store::Error::Referred) => {
            return Err(Invalid::field("/organization_id", "There is no such organization.").into());
        }
        other => other?,
    }
    tx.commit([did(caller, "group.create").about("group", &group.id)]).await?;
    Ok(group)
}

/// Renames a group.
pub async fn rename(app: &App, caller: &Caller, id: &GroupId, version: i64, name: &str) -> Result<Group> {
    let mut tx = app.begin().await?;
    let mut group = visible(&mut tx, caller, id).await?;
    policy::manage_group(caller, &group.organization_id)?;
    let mut invalid = Invalid::new();
    invalid.require_text("/name", name, 200);
    invalid.into_result()?;
    group.name = name.trim().to_owned();
    group.version = version;
    store::group::save(&mut tx, &group).await?;
    group.version += 1;
    tx.commit([did(caller, "group.change").about("group", id)]).await?;
    Ok(group)
}

/// Says who is in it: all of them.
pub async fn set_members(
    app: &App,
    caller: &Caller,
    id: &GroupId,
    version: i64,
    members: Vec<AccountId>,
) -> Result<Group> {
    let mut tx = app.begin().await?;
    let mut group = visible(&mut tx, caller, id).await?;
    policy::manage_group(caller, &group.organization_id)?;
    group.version = version;
    store::group::save(&mut tx, &group).await?;
    group.version += 1;
    match store::group::set_members(&mut tx, id, &members).await {
        Err(store::Error::Referred) => return Err(Invalid::field("/account_ids", "There is no such account.").into()),
        other => other?,
    }
    group.members = members;
    let ids: Vec<String> = group.members.iter().map(ToString::to_string).collect();
    tx.commit([did(caller, "group.set_members").about("group", id).with("members", ids)]).await?;
    Ok(group)
}

/// Removes a group, and with it what was given to it.
pub async fn remove(app: &App, caller: &Caller, id: &GroupId, version: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let group = visible(&mut tx, caller, id).await?;
    policy::manage_group(caller, &group.organization_id)?;
    store::group::remove(&mut tx, id, version).await?;
    tx.commit([did(caller, "group.remove").about("group", id)]).await?;
    Ok(())
}
