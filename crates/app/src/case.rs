//! Cases: made by hand or on approval; renamed, closed, shared by those whom their access list allows it.

use domain::case::{Access, Case, Level, Principal, check_access, check_name};
use domain::id::{CaseId, OrganizationId};
use domain::video_request::VideoRequest;
use domain::{Caller, Invalid, case, policy};
use serde_json::{Value, json};
use store::case::Filter;
pub use store::case::{NamedAccess, Seen};
pub use store::history::Entry;
use store::{Event, Tx};

use crate::idempotency::{self, Key};
use crate::number::{self, Numbered};
use crate::page::Page;
use crate::{App, Error, Result, did};

impl From<case::Refused> for Error {
    fn from(refused: case::Refused) -> Self {
        let code = match refused {
            case::Refused::Closed => "case_closed",
            case::Refused::Open => "wrong_state",
        };
        Self::conflict(code, refused.to_string())
    }
}

/// Makes a case; whoever makes it manages it. With a key that was used before it answers the case of then.
pub async fn create(app: &App, caller: &Caller, name: &str, key: Option<&Key>) -> Result<Seen> {
    policy::create_case(caller)?;
    let account = caller.account.as_ref().ok_or_else(|| Error::not_found("account"))?;
    let mut tx = app.begin().await?;
    let id = tx.new_id();
    if let Some(made) = idempotency::once(&mut tx, caller, "case.create", key, &id).await? {
        return visible(&mut tx, caller, &made).await;
    }
    let (case, event) = insert(app, &mut tx, caller, id, name, account).await?;
    tx.commit([event]).await?;
    Ok(Seen { case, level: Level::Manage, evidence_count: 0 })
}

async fn insert(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: CaseId,
    name: &str,
    manager: &domain::account::Account,
) -> Result<(Case, Event)> {
    check_name(name)?;
    let case = Case {
        id,
        number: number::next(tx, Numbered::Case, &app.settings().case_numbers, manager).await?,
        name: name.trim().to_owned(),
        created_by: manager.id.clone(),
        closed_at: None,
        created_at: tx.now(),
        version: 1,
    };
    store::case::insert(tx, &case).await?;
    let entry = Access { principal: Principal::Account(manager.id.clone()), level: Level::Manage, expires_at: None };
    store::case::set_access(tx, &case.id, std::slice::from_ref(&entry)).await?;
    let event = did(caller, "case.create")
        .about("case", &case.id)
        .with("access", entries_json(&[entry]))
        .personally("name", case.name.as_str());
    Ok((case, event))
}

fn entries_json(entries: &[Access]) -> Value {
    let entry = |e: &Access| json!({ "principal": e.principal.as_str(), "level": e.level.as_str(), "expires_at": e.expires_at.map(|at| at.to_string()) });
    entries.iter().map(entry).collect()
}

/// Nothing is granted into a case that was closed since the request was made. What was granted before still arrives: the owner has
/// decided, its export may be under way, and footage that is fetched is not thrown away.
pub(crate) async fn require_open_for(tx: &mut Tx, request: &VideoRequest) -> Result<()> {
    let Some(id) = &request.case_id else { return Ok(()) };
    if store::case::is_closed(tx, id).await? {
        let message =
            "The case of this request was closed meanwhile. Have whoever manages it reopen it, or deny the request.";
        return Err(Error::conflict("case_closed", message));
    }
    Ok(())
}

/// The same, until the end of the transaction.
pub(crate) async fn hold_open_for(tx: &mut Tx, request: &VideoRequest) -> Result<()> {
    if let Some(id) = &request.case_id {
        store::case::lock(tx, id).await?;
    }
    require_open_for(tx, request).await
}

/// What somebody must hold of a case to have footage put into it, by their own hand or by a request.
pub(crate) const TO_ADD: Level = Level::Edit;

/// The case that a request's footage goes into: the linked one, or a new one named after the request, which its requester manages.
/// Answers the events to commit; none when nothing changed. Nobody's level in the linked case is raised: only who manages it says who
/// opens it. A requester who may no longer add to it gets nothing there.
pub(crate) async fn for_approval(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    request: &VideoRequest,
) -> Result<(CaseId, Vec<Event>)> {
    hold_open_for(tx, request).await?;
    let Some(id) = &request.case_id else {
        let requester = store::account::find(tx, &request.requester_id)
            .await?
            .ok_or_else(|| Error::internal("the requester vanished"))?;
        let id = tx.new_id();
        let (case, event) = insert(app, tx, caller, id, &request.name, &requester).await?;
        return Ok((case.id, vec![event.about("video_request", &request.id)]));
    };
    let principals = requester_principals(tx, &request.requester_id).await?;
    if for_principals(tx, principals, id).await?.is_some_and(|seen| seen.level >= TO_ADD) {
        return Ok((id.clone(), Vec::new()));
    }
    let message = "The requester may no longer add footage to the case of this request. Have whoever manages the case let them, or deny the request.";
    Err(Error::conflict("case_access_lost", message))
}

/// One case, if these people and groups see it, whatever else they may do.
pub(crate) async fn for_principals(tx: &mut Tx, principals: Vec<String>, id: &CaseId) -> Result<Option<Seen>> {
    Ok(store::case::find(tx, &policy::SeesCases { all: false, principals }, id).await?)
}

async fn requester_principals(tx: &mut Tx, account: &domain::id::AccountId) -> Result<Vec<String>> {
    let groups = store::group::of_account(tx, account).await?;
    Ok(groups.iter().map(ToString::to_string).chain([account.to_string()]).collect())
}

/// One case, if the caller sees it.
pub async fn find(app: &App, caller: &Caller, id: &CaseId) -> Result<Seen> {
    visible(&mut app.read().await?, caller, id).await
}

/// Whether the caller may know of a case.
pub(crate) async fn is_seen(app: &App, caller: &Caller, id: &str) -> Result<bool> {
    let Ok(id) = id.parse() else { return Ok(false) };
    Ok(store::case::find(&mut app.read().await?, &policy::sees_cases(caller), &id).await?.is_some())
}

pub(crate) async fn visible(tx: &mut Tx, caller: &Caller, id: &CaseId) -> Result<Seen> {
    store::case::find(tx, &policy::sees_cases(caller), id).await?.ok_or_else(|| Error::not_found("case"))
}

/// A case that is seen, whose caller holds a level in it.
pub(crate) async fn with_level(tx: &mut Tx, caller: &Caller, id: &CaseId, needed: Level) -> Result<Seen> {
    let seen = visible(tx, caller, id).await?;
    policy::in_case(seen.level, needed)?;
    Ok(seen)
}

/// Whether the caller may add a file to a case now: for uploads, before their first byte.
pub async fn require_may_add(tx: &mut Tx, caller: &Caller, id: &CaseId) -> Result<()> {
    Ok(with_level(tx, caller, id, TO_ADD).await?.case.require_open()?)
}

/// What to list.
#[derive(Debug, Default, Clone)]
pub struct Wanted {
    /// Words of number and name.
    pub q: Option<String>,
    /// Only closed ones, or only open ones.
    pub closed: Option<bool>,
    /// At most so many.
    pub limit: Option<i64>,
    /// The `next_cursor` of an earlier answer.
    pub cursor: Option<String>,
    /// Say how many there are.
    pub count: bool,
}

/// The cases that the caller sees, newest first.
pub async fn list(app: &App, caller: &Caller, wanted: Wanted) -> Result<Page<Seen>> {
    let limit = crate::page::limit(wanted.limit)?;
    let filter = Filter {
        q: wanted.q,
        closed: wanted.closed,
        after: crate::page::key(wanted.cursor.as_deref())?,
        limit: limit + 1,
    };
    let (mut tx, sees) = (app.read().await?, policy::sees_cases(caller));
    let found = store::case::list(&mut tx, &sees, &filter).await?;
    let mut page = Page::cut(found, limit, |seen| (seen.case.created_at.as_micros(), seen.case.id.clone()));
    if wanted.count {
        page.total = Some(store::case::count(&mut tx, &sees, &filter).await?);
    }
    Ok(page)
}

async fn change(
    app: &App,
    caller: &Caller,
    id: &CaseId,
    needed: Level,
    what: &'static str,
    act: impl FnOnce(&mut Case, &Tx) -> Result<()>,
) -> Result<Seen> {
    let mut tx = app.begin().await?;
    let mut seen = with_level(&mut tx, caller, id, needed).await?;
    act(&mut seen.case, &tx)?;
    store::case::save(&mut tx, &mut seen.case).await?;
    let mut event = did(caller, what).about("case", id);
    if what == "case.rename" {
        event = event.personally("name", seen.case.name.as_str());
    }
    tx.commit([event]).await?;
    Ok(seen)
}

/// Gives a case another name.
pub async fn rename(app: &App, caller: &Caller, id: &CaseId, version: i64, name: &str) -> Result<Seen> {
    change(app, caller, id, Level::Edit, "case.rename", |case, _| {
        case.version = version;
        Ok(case.rename(name)?)
    })
    .await
}

/// Nothing is added from now on.
pub async fn close(app: &App, caller: &Caller, id: &CaseId) -> Result<Seen> {
    change(app, caller, id, Level::Manage, "case.close", |case, tx| Ok(case.close(tx.now())?)).await
}

/// Files may be added again.
pub async fn reopen(app: &App, caller: &Caller, id: &CaseId) -> Result<Seen> {
    change(app, caller, id, Level::Manage, "case.reopen", |case, _| Ok(case.reopen()?)).await
}

/// Who may do what in a case, and the version of the case that says so.
pub type AccessList = (Vec<NamedAccess>, i64);

/// Who may do what, for everybody who sees the case.
pub async fn access(app: &App, caller: &Caller, id: &CaseId) -> Result<AccessList> {
    let mut tx = app.read().await?;
    let seen = visible(&mut tx, caller, id).await?;
    Ok((store::case::access(&mut tx, id).await?, seen.case.version))
}

/// Somebody who could be given access.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Account or group.
    pub principal: Principal,
    /// The person's or the group's name.
    pub name: String,
    /// The organization's name.
    pub organization: String,
}

/// So many candidates are told at once; more words find the rest.
const CANDIDATES: usize = 20;

/// Who could be given access, by name: people who can sign in, and groups, of one's own organization and of the host. For those who
/// manage the case: others have no use for a list of people.
pub async fn candidates(app: &App, caller: &Caller, id: &CaseId, q: Option<String>) -> Result<Vec<Candidate>> {
    let mut tx = app.read().await?;
    with_level(&mut tx, caller, id, Level::Manage).await?;
    let mut organizations = store::organization::list(&mut tx).await?;
    let own = caller.account.as_ref().map(|account| account.organization_id.clone());
    organizations.retain(|organization| organization.is_host || Some(&organization.id) == own.as_ref());
    let named = |id: &OrganizationId| organizations.iter().find(|o| o.id == *id).map(|o| o.name.clone());
    let words = domain::text::words(q.as_deref().unwrap_or(""));
    let of: Vec<OrganizationId> = organizations.iter().map(|organization| organization.id.clone()).collect();
    let theirs = policy::SeesGroups { of: Some(of.clone()), own: Vec::new() };
    let groups = store::group::list(&mut tx, &theirs).await?.into_iter().filter_map(|group| {
        let organization = named(&group.organization_id)?;
        let text = domain::text::fold(&format!("{} {organization}", group.name));
        let fits = words.iter().all(|word| text.contains(word));
        fits.then_some(Candidate { principal: Principal::Group(group.id), name: group.name, organization })
    });
    let mut found: Vec<Candidate> = groups.collect();
    let filter = store::account::Filter { q, organizations: Some(of), after: None, limit: 500 };
    for account in
        store::account::list(&mut tx, &filter).await?.into_iter().filter(|account| account.disabled_at.is_none())
    {
        let organization = account.organization_name;
        found.push(Candidate { principal: Principal::Account(account.id), name: account.name, organization });
    }
    found.sort_by_cached_key(|candidate| domain::text::fold(&candidate.name));
    found.truncate(CANDIDATES);
    Ok(found)
}

/// Says who may do what: the whole list.
pub async fn set_access(
    app: &App,
    caller: &Caller,
    id: &CaseId,
    version: i64,
    entries: &[Access],
) -> Result<AccessList> {
    let mut tx = app.begin().await?;
    let mut seen = with_level(&mut tx, caller, id, Level::Manage).await?;
    check_access(entries, tx.now())?;
    let mut invalid = Invalid::new();
    let before: Vec<Principal> =
        store::case::access(&mut tx, id).await?.into_iter().map(|named| named.access.principal).collect();
    for (index, entry) in entries.iter().enumerate() {
        if !before.contains(&entry.principal) && !store::case::exists(&mut tx, &entry.principal).await? {
            invalid.add(format!("/entries/{index}/principal_id"), "There is no such account or group.");
        }
    }
    invalid.into_result()?;
    seen.case.version = version;
    store::case::save(&mut tx, &mut seen.case).await?;
    store::case::set_access(&mut tx, id, entries).await?;
    let named = store::case::access(&mut tx, id).await?;
    tx.commit([did(caller, "case.set_access").about("case", id).with("access", entries_json(entries))]).await?;
    Ok((named, seen.case.version))
}

/// What happened in a case, newest first, for everybody who sees it.
pub async fn history(
    app: &App,
    caller: &Caller,
    id: &CaseId,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Entry>> {
    let (limit, before) = (crate::page::limit(limit)?, crate::page::key(cursor)?);
    let mut tx = app.read().await?;
    visible(&mut tx, caller, id).await?;
    let found = store::history::of(&mut tx, id.as_str(), before, limit + 1).await?;
    Ok(Page::cut(found, limit, |entry| entry.seq))
}
