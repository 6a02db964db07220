//! Video requests. Every query for a person is cut to what they see ([`SeesRequests`]).

mod list;

use std::collections::HashMap;

use domain::id::{CaseId, OrganizationId, VideoRequestId};
use domain::policy::{SeesCases, SeesRequests};
use domain::position::Position;
use domain::request_item::{Hold, State};
use domain::video_request::{Incident, Status, VideoRequest};
use domain::{Timestamp, text, video_request};
use sqlx::any::AnyRow;

use crate::{Columns as _, Engine, Result, Sql, Tx};

pub use list::{Filter, SortBy, count, list};

/// A request with the names that lists show, and what follows from the items that are seen.
#[derive(Debug, Clone)]
pub struct Head {
    /// The request. Status, `open` and overwrite time follow from the items that are seen, not from all.
    pub request: VideoRequest,
    /// The requester's name.
    pub requester_name: String,
    /// The name of the requester's organization.
    pub organization_name: String,
    /// How many items are seen.
    pub item_count: i64,
}

const SELECT: &str = "SELECT r.id, r.number, r.name, r.category, r.reason, r.requester_id, r.organization_id, r.incident_number, \
     r.incident_from, r.incident_to, r.lat, r.lon, r.address, r.needed_by, r.case_id, r.status, r.open, r.overwrite_at, \
     r.created_at, r.version, a.name AS requester_name, o.name AS organization_name \
     FROM video_requests r JOIN accounts a ON a.id = r.requester_id JOIN organizations o ON o.id = r.organization_id";

fn head(row: &AnyRow) -> Result<Head> {
    let position = match (row.real_or_null("lat")?, row.real_or_null("lon")?) {
        (Some(lat), Some(lon)) => Some(Position { lat, lon }),
        _ => None,
    };
    let request = VideoRequest {
        id: row.parsed("id")?,
        number: row.text("number")?,
        name: row.text("name")?,
        category: row.text_or_null("category")?,
        reason: row.text_or_null("reason")?,
        requester_id: row.parsed("requester_id")?,
        organization_id: row.parsed("organization_id")?,
        incident: Incident {
            number: row.text_or_null("incident_number")?,
            from: row.time("incident_from")?,
            to: row.time("incident_to")?,
            position,
            address: row.text_or_null("address")?,
        },
        needed_by: row.time_or_null("needed_by")?,
        case_id: row.parsed_or_null("case_id")?,
        status: row.parsed("status")?,
        open: row.flag("open")?,
        overwrite_at: row.time_or_null("overwrite_at")?,
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    };
    let (requester_name, organization_name) = (row.text("requester_name")?, row.text("organization_name")?);
    Ok(Head { request, requester_name, organization_name, item_count: 0 })
}

/// Writes a new one. `also` is what else finds it: the names of the requester and of their organization. The names of its sources
/// are no part of it: they find it for those who see their items ([`list`]).
pub async fn insert(tx: &mut Tx, new: &VideoRequest, also: &str) -> Result<()> {
    tx.changed(&new.id);
    let incident = &new.incident;
    let found_by = [
        Some(new.number.as_str()),
        Some(&new.name),
        new.category.as_deref(),
        new.reason.as_deref(),
        incident.number.as_deref(),
        incident.address.as_deref(),
        Some(also),
    ];
    let search = text::fold(&found_by.into_iter().flatten().collect::<Vec<_>>().join(" "));
    Sql::new(
        "INSERT INTO video_requests (id, number, name, requester_id, organization_id, status, search_text, category, reason, \
         incident_number, address, case_id, incident_from, incident_to, open, created_at, version, needed_by, overwrite_at, lat, lon) VALUES (",
    )
    .args([
        new.id.as_str(),
        &new.number,
        &new.name,
        new.requester_id.as_str(),
        new.organization_id.as_str(),
        new.status.as_str(),
        &search,
    ])
    .add(", ")
    .args([
        new.category.as_deref(),
        new.reason.as_deref(),
        incident.number.as_deref(),
        incident.address.as_deref(),
        new.case_id.as_ref().map(CaseId::as_str),
    ])
    .add(", ")
    .args([
        incident.from.as_micros(),
        incident.to.as_micros(),
        i64::from(new.open),
        new.created_at.as_micros(),
        new.version,
    ])
    .add(", ")
    .args([new.needed_by.map(Timestamp::as_micros), new.overwrite_at.map(Timestamp::as_micros)])
    .add(", ")
    .args([incident.position.map(|p| p.lat), incident.position.map(|p| p.lon)].map(crate::sql::Real))
    .add(")")
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes others who want to change this request or its items wait for this transaction, so that what follows from all its
/// items is computed by one at a time. SQLite has a single writer anyway.
pub async fn lock(tx: &mut Tx, id: &VideoRequestId) -> Result<()> {
    if tx.engine() == Engine::Postgres {
        let sql = Sql::new("SELECT id FROM video_requests WHERE id = ").arg(id.as_str()).add(" FOR UPDATE");
        sql.fetch_optional(tx).await?;
    }
    Ok(())
}

/// Computes status, `open` and overwrite time from the items again, and writes them.
pub async fn refresh(tx: &mut Tx, id: &VideoRequestId) -> Result<Status> {
    tx.changed(id);
    let rows = Sql::new("SELECT state, hold, overwrite_at FROM request_items WHERE request_id = ")
        .arg(id.as_str())
        .fetch_all(tx)
        .await?;
    let items = rows.iter().map(stand).collect::<Result<Vec<_>>>()?;
    let summary = Summary::of(&items)?;
    Sql::new("UPDATE video_requests SET version = version + 1, status = ")
        .arg(summary.status.as_str())
        .add(", open = ")
        .arg(i64::from(summary.open))
        .add(", overwrite_at = ")
        .arg(summary.overwrite_at.map(Timestamp::as_micros))
        .add(" WHERE id = ")
        .arg(id.as_str())
        .execute(tx)
        .await?;
    Ok(summary.status)
}

/// Puts what comes back into a case.
pub async fn set_case(tx: &mut Tx, id: &VideoRequestId, case: &CaseId) -> Result<()> {
    tx.changed(id);
    let sql = Sql::new("UPDATE video_requests SET version = version + 1, case_id = ").arg(case.as_str());
    sql.add(" WHERE id = ").arg(id.as_str()).execute(tx).await?;
    Ok(())
}

/// How an item stands.
struct Stand {
    state: State,
    hold: Hold,
    overwrite_at: Option<Timestamp>,
}

fn stand(row: &AnyRow) -> Result<Stand> {
    Ok(Stand {
        state: row.parsed("state")?,
        hold: row.parsed("hold")?,
        overwrite_at: row.time_or_null("overwrite_at")?,
    })
}

/// What follows from items.
struct Summary {
    status: Status,
    open: bool,
    overwrite_at: Option<Timestamp>,
}

impl Summary {
    fn of(items: &[Stand]) -> Result<Self> {
        let states = || items.iter().map(|item| item.state);
        // What is held is not lost when the recorder writes over it.
        let dies = |item: &&Stand| item.state.is_open() && item.hold != Hold::Held;
        Ok(Self {
            status: Status::of(states()).ok_or(crate::Error::Corrupt { column: "request_id" })?,
            open: video_request::is_open(states()),
            overwrite_at: items.iter().filter(dies).filter_map(|item| item.overwrite_at).min(),
        })
    }
}

/// Conditions of which one must hold. A single one stands alone, so that its index is used.
struct AnyOf<'s> {
    sql: &'s mut Sql,
    first: bool,
}

impl<'s> AnyOf<'s> {
    fn of(sql: &'s mut Sql) -> Self {
        Self { sql, first: true }
    }

    fn or(&mut self) -> &mut Sql {
        if !std::mem::take(&mut self.first) {
            self.sql.push(" OR ");
        }
        self.sql
    }

    fn end(self) {
        if self.first {
            self.sql.push("1 = 0");
        }
    }
}

/// Where an item `i` of a request `r` is seen.
pub(crate) fn push_items_seen(sql: &mut Sql, sees: &SeesRequests) {
    let mut any = AnyOf::of(sql);
    whole_seen(&mut any, sees);
    if !sees.all && !sees.owned_by.is_empty() {
        any.or().push("i.organization_id IN (").bind_all(sees.owned_by.iter().map(OrganizationId::as_str)).push(")");
    }
    any.end();
}

fn whole_seen(any: &mut AnyOf<'_>, sees: &SeesRequests) {
    if sees.all {
        any.or().push("1 = 1");
        return;
    }
    if let Some(requester) = &sees.requester {
        any.or().push("r.requester_id = ").bind(requester.as_str());
    }
    if !sees.asked_by.is_empty() {
        any.or().push("r.organization_id IN (").bind_all(sees.asked_by.iter().map(OrganizationId::as_str)).push(")");
    }
}

/// Where a request `r` is seen with all its items.
fn push_whole_seen(sql: &mut Sql, sees: &SeesRequests) {
    let mut any = AnyOf::of(sql);
    whole_seen(&mut any, sees);
    any.end();
}

/// Where a request `r` is seen at all.
fn push_requests_seen(sql: &mut Sql, sees: &SeesRequests) {
    let mut any = AnyOf::of(sql);
    whole_seen(&mut any, sees);
    if !sees.all && !sees.owned_by.is_empty() {
        any.or()
            .push("EXISTS (SELECT 1 FROM request_items i WHERE i.request_id = r.id AND i.organization_id IN (")
            .bind_all(sees.owned_by.iter().map(OrganizationId::as_str))
            .push("))");
    }
    any.end();
}

/// The status as this person sees it: of the whole request, or of the items of the owners that they stand for.
/// The same order of tests as [`Status::of`]; a test holds that.
fn push_status_seen(sql: &mut Sql, sees: &SeesRequests) {
    if sees.all || sees.owned_by.is_empty() {
        sql.push("r.status");
        return;
    }
    sql.push("CASE WHEN ");
    push_whole_seen(sql, sees);
    sql.push(
        " THEN r.status ELSE (SELECT CASE \
         WHEN SUM(CASE WHEN i.state = 'released' THEN 1 ELSE 0 END) = COUNT(*) THEN 'completed' \
         WHEN SUM(CASE WHEN i.state = 'released' THEN 1 ELSE 0 END) > 0 THEN 'partially_completed' \
         WHEN SUM(CASE WHEN i.state IN ('pending', 'needs_information') THEN 1 ELSE 0 END) > 0 THEN 'pending' \
         WHEN SUM(CASE WHEN i.state IN ('approved', 'exporting', 'uploading', 'in_review') THEN 1 ELSE 0 END) > 0 THEN 'processing' \
         WHEN SUM(CASE WHEN i.state = 'unavailable' THEN 1 ELSE 0 END) > 0 THEN 'video_unavailable' \
         WHEN SUM(CASE WHEN i.state = 'failed' THEN 1 ELSE 0 END) > 0 THEN 'failed' \
         WHEN SUM(CASE WHEN i.state = 'denied' THEN 1 ELSE 0 END) > 0 THEN 'denied' \
         WHEN SUM(CASE WHEN i.state = 'expired' THEN 1 ELSE 0 END) > 0 THEN 'expired' \
         ELSE 'canceled' END FROM request_items i WHERE i.request_id = r.id AND i.organization_id IN (",
    );
    sql.bind_all(sees.owned_by.iter().map(OrganizationId::as_str)).push(")) END");
}

/// When the first of the footage that this person sees asked for is overwritten, as [`Summary::of`] says it.
fn push_overwrite_seen<'s>(sql: &'s mut Sql, sees: &SeesRequests) -> &'s mut Sql {
    if sees.all || sees.owned_by.is_empty() {
        return sql.push("r.overwrite_at");
    }
    sql.push("CASE WHEN ");
    push_whole_seen(sql, sees);
    sql.push(" THEN r.overwrite_at ELSE (SELECT MIN(i.overwrite_at) FROM request_items i WHERE i.request_id = r.id AND i.hold <> 'held' AND i.state IN (")
        .bind_all(State::ALL.iter().filter(|state| state.is_open()).map(|state| state.as_str()))
        .push(") AND i.organization_id IN (")
        .bind_all(sees.owned_by.iter().map(OrganizationId::as_str))
        .push(")) END")
}

/// One request, if it is seen.
pub async fn find(tx: &mut Tx, sees: &SeesRequests, id: &VideoRequestId) -> Result<Option<Head>> {
    let mut sql = Sql::new(SELECT).add(" WHERE r.id = ").arg(id.as_str()).add(" AND (");
    push_requests_seen(&mut sql, sees);
    let row = sql.add(")").fetch_optional(tx).await?;
    let found = row.as_ref().map(head).transpose()?;
    Ok(with_items(tx, sees, found.into_iter().collect()).await?.pop())
}

/// Adds what follows from the items that are seen. A case is only told to those who see the whole and may open it.
async fn with_items(tx: &mut Tx, sees: &SeesRequests, mut heads: Vec<Head>) -> Result<Vec<Head>> {
    if heads.is_empty() {
        return Ok(heads);
    }
    let mut sql = Sql::new(
        "SELECT i.request_id, i.state, i.hold, i.overwrite_at FROM request_items i JOIN video_requests r ON r.id = i.request_id WHERE r.id IN (",
    )
    .args(heads.iter().map(|head| head.request.id.as_str()))
    .add(") AND (");
    push_items_seen(&mut sql, sees);
    let mut items: HashMap<VideoRequestId, Vec<Stand>> = HashMap::new();
    for row in sql.add(")").fetch_all(tx).await? {
        items.entry(row.parsed("request_id")?).or_default().push(stand(&row)?);
    }
    let cases: Vec<CaseId> = heads.iter().filter_map(|head| head.request.case_id.clone()).collect();
    let cases = crate::case::which_are_seen(tx, &sees.cases, &cases).await?;
    for head in &mut heads {
        let items = items.remove(&head.request.id).unwrap_or_default();
        let summary = Summary::of(&items)?;
        let whole = sees.whole(&head.request.requester_id, &head.request.organization_id);
        let request = &mut head.request;
        (request.status, request.open, request.overwrite_at) = (summary.status, summary.open, summary.overwrite_at);
        request.case_id.take_if(|case| !whole || !cases.contains(case));
        head.item_count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    }
    Ok(heads)
}

/// Whether a number is already given, by an earlier template.
pub async fn number_is_taken(tx: &mut Tx, number: &str) -> Result<bool> {
    Ok(Sql::new("SELECT 1 AS one FROM video_requests WHERE number = ").arg(number).fetch_optional(tx).await?.is_some())
}

/// Whether a request is seen.
pub async fn is_seen(tx: &mut Tx, sees: &SeesRequests, id: &str) -> Result<bool> {
    let mut sql = Sql::new("SELECT 1 AS one FROM video_requests r WHERE r.id = ").arg(id).add(" AND (");
    push_requests_seen(&mut sql, sees);
    Ok(sql.add(")").fetch_optional(tx).await?.is_some())
}

/// Everything that may be seen, for the server itself.
pub fn everything() -> SeesRequests {
    let cases = SeesCases { all: true, principals: Vec::new() };
    SeesRequests { all: true, requester: None, asked_by: Vec::new(), owned_by: Vec::new(), cases }
}

/// Whether a case has this number, by an earlier template.
pub async fn case_number_is_taken(tx: &mut Tx, number: &str) -> Result<bool> {
    Ok(Sql::new("SELECT 1 AS one FROM cases WHERE number = ").arg(number).fetch_optional(tx).await?.is_some())
}
