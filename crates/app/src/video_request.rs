//! Video requests: submitted, found, listed, and decided about as a whole.

use std::collections::HashMap;

use domain::account::Account;
use domain::camera::Camera;
use domain::id::{CameraId, CaseId, OrganizationId, VideoRequestId};
use domain::policy::{self, Privilege, SeesRequests};
use domain::request_item::{Action, Hold, RequestItem, State};
use domain::video_request::{self, AskedItem, Incident, Limits, MessageKind, RequestAction, Submission, VideoRequest};
use domain::{Caller, Invalid, Timestamp, WaitingFor, Window};
use store::video_request::Filter;
use store::{Event, Tx};

use crate::idempotency::{self, Key};
use crate::notify::{self, Message};
use crate::number::{self, Numbered};
use crate::page::Page;
use crate::request_item;
use crate::{App, Error, Result, did};

mod decide;
mod waiting;

pub use decide::{approve, cancel, deny};
pub use store::message::Message as ThreadEntry;
pub use store::request_item::{Arrived, Link, Shown};
pub use store::video_request::{Head, SortBy};

/// What a requester sends.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// What it is about.
    pub name: String,
    /// A kind of incident.
    pub category: Option<String>,
    /// On what basis.
    pub reason: Option<String>,
    /// What happened.
    pub incident: Incident,
    /// When it is wanted.
    pub needed_by: Option<Timestamp>,
    /// The case that what comes back goes into; a new one when none is named.
    pub case_id: Option<CaseId>,
    /// One per source and window.
    pub items: Vec<NewItem>,
}

/// One source and window.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// The source; none asks for the incident's place.
    pub source_id: Option<CameraId>,
    /// Which cameras of a vehicle.
    pub channels: Option<Vec<String>>,
    /// Start of the window.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// An item as somebody sees it.
#[derive(Debug, Clone)]
pub struct ItemView {
    /// The item and its names.
    pub shown: Shown,
    /// What it waits for.
    pub waiting_for: Option<WaitingFor>,
    /// Since when, where that is known.
    pub waiting_since: Option<Timestamp>,
    /// What arrived, as far as it is theirs to see.
    pub evidence: Vec<Arrived>,
    /// The upload link.
    pub link: Option<Link>,
    /// What they may do.
    pub allowed_actions: Vec<Action>,
}

/// A request as somebody sees it.
#[derive(Debug, Clone)]
pub struct View {
    /// Its head.
    pub head: Head,
    /// The items that they see.
    pub items: Vec<ItemView>,
    /// The thread, as far as they see it.
    pub thread: Vec<ThreadEntry>,
    /// What they may do to the whole.
    pub allowed_actions: Vec<RequestAction>,
}

fn limits(app: &App) -> Limits {
    Limits { longest_window: app.settings().longest_window, ..Limits::default() }
}

/// Submits a request: checks it, numbers it, routes each item to its owner's approvers.
pub async fn submit(app: &App, caller: &Caller, new: NewRequest, key: Option<&Key>) -> Result<View> {
    policy::submit_request(caller)?;
    let requester = caller.account.as_ref().ok_or_else(|| Error::internal("the policy let nobody submit"))?;
    let mut tx = app.begin().await?;
    let id = tx.new_id();
    if let Some(made) = idempotency::once(&mut tx, caller, "video_request.submit", key, &id).await? {
        drop(tx);
        return find(app, caller, &made).await;
    }
    check(app, &new, tx.now())?;
    let sources = sources_to_ask(&mut tx, caller, &new).await?;
    check_case(&mut tx, caller, new.case_id.as_ref()).await?;
    let request = insert(app, &mut tx, id, requester, new, &sources).await?;
    let mut shown = store::request_item::of_request(&mut tx, &store::video_request::everything(), &request.id).await?;
    let held = request_item::hold_by_policy(app, &mut tx, &mut shown).await?;
    for items in by_owner(&shown) {
        let about =
            notify::About { request: &request, requester, items: &items, comment: None, missing: &[], link: None };
        notify::tell_approvers(app, &mut tx, Message::Submitted, &about).await?;
    }
    let mut events = vec![submitted_event(caller, &request)];
    events.extend(shown.iter().map(|shown| asked_event(caller, &shown.item)));
    tx.commit(events).await?;
    if held {
        app.wakers().connector_tasks.notify_waiters();
    }
    find(app, caller, &request.id).await
}

fn submitted_event(caller: &Caller, request: &VideoRequest) -> Event {
    let incident = &request.incident;
    // a number may be made of the requester's name
    let event = did(caller, "video_request.submit")
        .about("video_request", &request.id)
        .with("incident_from", incident.from.to_string())
        .with("incident_to", incident.to.to_string())
        .personally("number", request.number.as_str())
        .personally("name", request.name.as_str())
        .personally("reason", request.reason.clone().unwrap_or_default());
    let place = incident.position.map(|place| format!("{}, {}", place.lat, place.lon));
    [("incident_number", &incident.number), ("address", &incident.address), ("position", &place)].into_iter().fold(
        event,
        |event, (name, said)| match said {
            Some(said) => event.personally(name, said.as_str()),
            None => event,
        },
    )
}

/// What was asked of which source: an event of its own, for a request may ask for more than one leaf holds.
fn asked_event(caller: &Caller, item: &RequestItem) -> Event {
    did(caller, "request_item.submit")
        .about("request_item", &item.id)
        .about("video_request", &item.request_id)
        .with("source", item.source_id.as_ref().map(CameraId::as_str))
        .with("channels", item.channels.clone())
        .with("from", item.asked.from.to_string())
        .with("to", item.asked.to.to_string())
        .with("hold", (item.hold != Hold::None).then(|| item.hold.as_str()))
}

fn check(app: &App, new: &NewRequest, now: Timestamp) -> Result<()> {
    let mut items = Vec::new();
    for NewItem { source_id, channels, from, to } in &new.items {
        items.push(AskedItem { has_source: source_id.is_some(), channels: channels.as_deref(), from: *from, to: *to });
    }
    let submission = Submission {
        name: &new.name,
        category: new.category.as_deref(),
        reason: new.reason.as_deref(),
        incident: &new.incident,
        needed_by: new.needed_by,
        items: &items,
    };
    Ok(video_request::check_submission(&submission, limits(app), now)?)
}

async fn sources_to_ask(tx: &mut Tx, caller: &Caller, new: &NewRequest) -> Result<HashMap<CameraId, Camera>> {
    let mut ids: Vec<CameraId> = new.items.iter().filter_map(|item| item.source_id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = store::camera::find_many(tx, &policy::sees_sources(caller), &ids).await?;
    if found.len() < ids.len() {
        return Err(Error::not_found("source"));
    }
    Ok(found.into_iter().map(|camera| (camera.id.clone(), camera)).collect())
}

/// Only a case that the requester may add footage to, and that is open.
async fn check_case(tx: &mut Tx, caller: &Caller, case: Option<&CaseId>) -> Result<()> {
    let Some(case) = case else { return Ok(()) };
    let principals = caller.principals().into_iter().map(str::to_owned).collect();
    let seen = crate::case::for_principals(tx, principals, case).await?.ok_or_else(|| Error::not_found("case"))?;
    let refused = if seen.case.closed_at.is_some() {
        "This case is closed."
    } else if seen.level < crate::case::TO_ADD {
        "You may only look at this case. Have whoever manages it let you edit it, or name none: a case is made on approval."
    } else {
        return Ok(());
    };
    Err(Invalid::field("/case_id", refused).into())
}

fn trimmed(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

async fn insert(
    app: &App,
    tx: &mut Tx,
    id: VideoRequestId,
    requester: &Account,
    new: NewRequest,
    sources: &HashMap<CameraId, Camera>,
) -> Result<VideoRequest> {
    let host = store::organization::host(tx).await?.ok_or_else(|| Error::internal("there is no host organization"))?;
    let deadline_at = Some(tx.now().plus(app.settings().deadline));
    let mut items = Vec::new();
    for asked in new.items {
        let source = asked.source_id.as_ref().and_then(|id| sources.get(id));
        let window = Window { from: asked.from, to: asked.to };
        items.push(RequestItem {
            id: tx.new_id(),
            request_id: id.clone(),
            organization_id: source.map_or_else(|| host.id.clone(), |source| source.organization_id.clone()),
            source_id: asked.source_id,
            channels: asked.channels,
            asked: window,
            granted: None,
            state: State::Pending,
            reason: None,
            hold: Hold::None,
            held_until: None,
            review_before_release: false,
            level: None,
            decided_by: None,
            decided_at: None,
            bytes_done: 0,
            bytes_total: None,
            attempts: 0,
            overwrite_at: video_request::overwrite_at(window, source.and_then(|source| source.facts.retention_hours)),
            deadline_at,
            version: 1,
        });
    }
    let request = VideoRequest {
        id,
        number: number::next(tx, Numbered::Request, &app.settings().request_numbers, requester).await?,
        name: new.name.trim().to_owned(),
        category: trimmed(new.category),
        reason: trimmed(new.reason),
        requester_id: requester.id.clone(),
        organization_id: requester.organization_id.clone(),
        incident: Incident {
            number: trimmed(new.incident.number),
            address: trimmed(new.incident.address),
            ..new.incident
        },
        needed_by: new.needed_by,
        case_id: new.case_id,
        status: video_request::Status::Pending,
        open: true,
        overwrite_at: items.iter().filter_map(|item| item.overwrite_at).min(),
        created_at: tx.now(),
        version: 1,
    };
    let also = format!("{} {}", requester.name, requester.organization_name);
    store::video_request::insert(tx, &request, &also).await?;
    for (ordinal, item) in items.iter().enumerate() {
        store::request_item::insert(tx, item, i64::try_from(ordinal).unwrap_or(i64::MAX)).await?;
    }
    Ok(request)
}

/// The items of each owner together.
pub(crate) fn by_owner(shown: &[Shown]) -> Vec<Vec<&Shown>> {
    let mut owners: Vec<&OrganizationId> = shown.iter().map(|shown| &shown.item.organization_id).collect();
    owners.sort_unstable();
    owners.dedup();
    let of = |owner| shown.iter().filter(|shown| &shown.item.organization_id == owner).collect();
    owners.into_iter().map(of).collect()
}

/// One request, as the caller sees it.
pub async fn find(app: &App, caller: &Caller, id: &VideoRequestId) -> Result<View> {
    let sees = policy::sees_requests(caller);
    let mut tx = app.read().await?;
    let head =
        store::video_request::find(&mut tx, &sees, id).await?.ok_or_else(|| Error::not_found("video request"))?;
    let shown = store::request_item::of_request(&mut tx, &sees, id).await?;
    let thread = store::message::of_request(&mut tx, &sees, id).await?;
    let arrived = store::request_item::arrived(&mut tx, id).await?;
    let links = store::request_item::links(&mut tx, id).await?;
    let now = tx.now();
    let view = |shown: Shown| item_view(app, caller, &head.request, &arrived, &links, now, shown);
    let items: Vec<ItemView> = shown.into_iter().map(view).collect();
    let allowed_actions = allowed_actions(caller, &head.request, &items);
    Ok(View { head, items, thread, allowed_actions })
}

fn item_view(
    app: &App,
    caller: &Caller,
    request: &VideoRequest,
    arrived: &[Arrived],
    links: &[Link],
    now: Timestamp,
    shown: Shown,
) -> ItemView {
    let item = &shown.item;
    let may_be_same = app.settings().requester_may_approve;
    let decides = policy::sees_unreleased(caller, &item.organization_id, &request.requester_id, may_be_same);
    let theirs = |arrived: &&Arrived| arrived.item_id == item.id && (decides || arrived.released_at.is_some());
    let mut allowed = policy::request_item_actions(caller, item, &request.requester_id, may_be_same);
    if shown.connector.is_some() {
        allowed.retain(|action| *action != Action::FileRequest);
    } else {
        allowed.retain(|action| *action != Action::Hold);
    }
    let link = links.iter().find(|link| link.item_id == item.id);
    let waiting_for = waiting::waiting_for(&shown, link, now);
    ItemView {
        waiting_for,
        waiting_since: waiting::waiting_since(&shown, waiting_for),
        evidence: arrived.iter().filter(theirs).cloned().collect(),
        link: link.cloned(),
        allowed_actions: allowed,
        shown,
    }
}

fn allowed_actions(caller: &Caller, request: &VideoRequest, items: &[ItemView]) -> Vec<RequestAction> {
    let any = |action, state: Option<State>| {
        items.iter().any(|item| {
            item.allowed_actions.contains(&action) && state.is_none_or(|state| item.shown.item.state == state)
        })
    };
    let owners: Vec<OrganizationId> = items.iter().map(|item| item.shown.item.organization_id.clone()).collect();
    let mut allowed = Vec::new();
    if any(Action::Approve, None) {
        allowed.push(RequestAction::Approve);
    }
    if any(Action::Deny, Some(State::Pending)) {
        allowed.push(RequestAction::Deny);
    }
    if any(Action::Cancel, None) {
        allowed.push(RequestAction::Cancel);
    }
    if policy::comment_on_request(caller, &request.requester_id, &owners).is_ok() {
        allowed.push(RequestAction::Comment);
    }
    allowed
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The caller's own only.
    pub mine: bool,
    /// With one of these.
    pub statuses: Vec<video_request::Status>,
    /// Where something can still change.
    pub open: Option<bool>,
    /// Where the caller has something to decide or to review.
    pub reviewable: bool,
    /// Words.
    pub q: Option<String>,
    /// Submitted at or after.
    pub from: Option<Timestamp>,
    /// Submitted before.
    pub to: Option<Timestamp>,
    /// For a source of this owner.
    pub organization_id: Option<OrganizationId>,
    /// For this source.
    pub source_id: Option<CameraId>,
    /// For this case.
    pub case_id: Option<CaseId>,
    /// `created_at`, `needed_by` or `overwrite_at`, with `-` before it for the greatest first.
    pub sort: Option<String>,
    /// At most so many.
    pub limit: Option<i64>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Also how many there are, up to 10,000.
    pub count: bool,
}

/// The requests that the caller sees and that fit.
pub async fn list(app: &App, caller: &Caller, search: Search) -> Result<Page<Head>> {
    let limit = crate::page::limit(search.limit)?;
    let (sort, descending) = sort(search.sort.as_deref())?;
    let reviewable = search.reviewable.then(|| caller.organizations_with(Privilege::ApproveRequests));
    let filter = Filter {
        mine: search.mine,
        statuses: search.statuses,
        open: search.open,
        reviewable,
        q: search.q,
        from: search.from,
        to: search.to,
        organization_id: search.organization_id,
        source_id: search.source_id,
        case_id: search.case_id,
        sort,
        descending,
        after: crate::page::key(search.cursor.as_deref())?,
        limit: limit + 1,
    };
    let sees = policy::sees_requests(caller);
    let mut tx = app.read().await?;
    let found = store::video_request::list(&mut tx, &sees, &filter).await?;
    let mut page = Page::cut(found, limit, |head| (filter.key(&head.request), head.request.id.clone()));
    if search.count {
        page.total = Some(store::video_request::count(&mut tx, &sees, &filter).await?);
    }
    Ok(page)
}

fn sort(asked: Option<&str>) -> Result<(SortBy, bool)> {
    let asked = asked.unwrap_or("-created_at");
    let (name, descending) = asked.strip_prefix('-').map_or((asked, false), |name| (name, true));
    match name {
        "created_at" => Ok((SortBy::CreatedAt, descending)),
        "needed_by" => Ok((SortBy::NeededBy, descending)),
        "overwrite_at" => Ok((SortBy::OverwriteAt, descending)),
        _ => Err(Invalid::field(
            "/sort",
            "Expected created_at, needed_by or overwrite_at, with - before it for the greatest first.",
        )
        .into()),
    }
}

/// Writes into the thread.
pub async fn comment(app: &App, caller: &Caller, id: &VideoRequestId, body: &str, key: Option<&Key>) -> Result<View> {
    let sees = policy::sees_requests(caller);
    let mut tx = app.begin().await?;
    let head =
        store::video_request::find(&mut tx, &sees, id).await?.ok_or_else(|| Error::not_found("video request"))?;
    if idempotency::once(&mut tx, caller, "video_request.comment", key, id).await?.is_some() {
        drop(tx);
        return find(app, caller, id).await;
    }
    let shown = store::request_item::of_request(&mut tx, &sees, id).await?;
    let owners: Vec<OrganizationId> = shown.into_iter().map(|shown| shown.item.organization_id).collect();
    policy::comment_on_request(caller, &head.request.requester_id, &owners)?;
    let mut invalid = Invalid::new();
    invalid.require_text("/body", body, video_request::LONG_TEXT);
    invalid.into_result()?;
    let message =
        store::message::insert(&mut tx, id, None, MessageKind::Comment, caller.account_id(), body.trim()).await?;
    let event = did(caller, "video_request.comment").about("video_request", id).about("message", message);
    tx.commit([event.personally("body", body.trim())]).await?;
    find(app, caller, id).await
}

/// Whether the caller sees a request at all: for live updates.
pub async fn is_seen(app: &App, caller: &Caller, id: &str) -> Result<bool> {
    let sees: SeesRequests = policy::sees_requests(caller);
    Ok(store::video_request::is_seen(&mut app.read().await?, &sees, id).await?)
}
