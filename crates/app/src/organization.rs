//! Organizations: entered and changed by those who manage accounts everywhere; everybody may know them.

use domain::account::Organization;
use domain::id::OrganizationId;
use domain::{Caller, Invalid, policy};

use crate::idempotency::{self, Key};
use crate::{App, Error, Result, did};

fn validate(organization: &Organization) -> Result<()> {
    let mut invalid = Invalid::new();
    invalid.require_text("/name", &organization.name, 200);
    if jiff::tz::TimeZone::get(&organization.time_zone).is_err() {
        invalid.add("/time_zone", "Expected a time zone such as America/Los_Angeles.");
    }
    Ok(invalid.into_result()?)
}

/// All organizations, by name.
pub async fn list(app: &App) -> Result<Vec<Organization>> {
    let mut tx = app.read().await?;
    Ok(store::organization::list(&mut tx).await?)
}

/// One organization.
pub async fn find(app: &App, id: &OrganizationId) -> Result<Organization> {
    let mut tx = app.read().await?;
    store::organization::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("organization"))
}

/// By name, however it is written; for the command line.
pub async fn find_by_name(app: &App, name: &str) -> Result<Option<Organization>> {
    let mut tx = app.read().await?;
    Ok(store::organization::find_by_name(&mut tx, name).await?)
}

/// The agency that runs this installation.
pub async fn host(app: &App) -> Result<Organization> {
    let mut tx = app.read().await?;
    store::organization::host(&mut tx).await?.ok_or_else(|| Error::internal("there is no host organization"))
}

/// Enters an organization.
pub async fn create(
    app: &App,
    caller: &Caller,
    name: &str,
    time_zone: &str,
    key: Option<&Key>,
) -> Result<Organization> {
    policy::manage_organizations(caller)?;
    let mut tx = app.begin().await?;
    let id = tx.new_id();
    if let Some(made) = idempotency::once(&mut tx, caller, "organization.create", key, &id).await? {
        return store::organization::find(&mut tx, &made).await?.ok_or_else(|| Error::not_found("organization"));
    }
    let new = Organization {
        id,
        name: name.trim().to_owned(),
        time_zone: time_zone.to_owned(),
        is_host: false,
        holds_on_submission: false,
        created_at: tx.now(),
        version: 1,
    };
    validate(&new)?;
    insert(&mut tx, &new).await?;
    tx.commit([did(caller, "organization.create").about("organization", &new.id)]).await?;
    Ok(new)
}

async fn insert(tx: &mut store::Tx, new: &Organization) -> Result<()> {
    match store::organization::insert(tx, new).await {
        Err(store::Error::Exists) => Err(Invalid::field("/name", "Another organization has this name.").into()),
        other => Ok(other?),
    }
}

/// What is changed of an organization; none leaves it.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// What its people call it.
    pub name: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// Whether its sources hold what is asked of them as soon as it is asked.
    pub holds_on_submission: Option<bool>,
}

/// Changes an organization.
pub async fn change(
    app: &App,
    caller: &Caller,
    id: &OrganizationId,
    version: i64,
    patch: Patch,
) -> Result<Organization> {
    let mut tx = app.begin().await?;
    let mut organization =
        store::organization::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("organization"))?;
    match patch {
        Patch { name: None, time_zone: None, holds_on_submission: Some(_) } => policy::set_holds(caller, id)?,
        _ => policy::manage_organizations(caller)?,
    }
    organization.version = version;
    organization.name = patch.name.map_or(organization.name, |n| n.trim().to_owned());
    organization.time_zone = patch.time_zone.unwrap_or(organization.time_zone);
    organization.holds_on_submission = patch.holds_on_submission.unwrap_or(organization.holds_on_submission);
    validate(&organization)?;
    match store::organization::save(&mut tx, &organization).await {
        Err(store::Error::Exists) => return Err(Invalid::field("/name", "Another organization has this name.").into()),
        other => other?,
    }
    organization.version += 1;
    let event = did(caller, "organization.change").about("organization", id);
    tx.commit([event.with("holds_on_submission", organization.holds_on_submission)]).await?;
    Ok(organization)
}

/// Makes the host when the installation is new.
pub(crate) async fn insert_host(tx: &mut store::Tx, name: &str, time_zone: &str) -> Result<Organization> {
    let new = Organization {
        id: tx.new_id(),
        name: name.to_owned(),
        time_zone: time_zone.to_owned(),
        is_host: true,
        holds_on_submission: false,
        created_at: tx.now(),
        version: 1,
    };
    validate(&new)?;
    insert(tx, &new).await?;
    Ok(new)
}
