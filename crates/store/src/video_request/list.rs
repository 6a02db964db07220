//! Lists of requests: filtered, sorted, paged, counted.

use domain::id::{CameraId, CaseId, OrganizationId, VideoRequestId};
use domain::policy::SeesRequests;
use domain::request_item::State;
use domain::video_request::{Status, VideoRequest};
use domain::{Timestamp, text};

use super::{
    Head, SELECT, head, push_items_seen, push_overwrite_seen, push_requests_seen, push_status_seen, push_whole_seen,
    with_items,
};
use crate::{Columns as _, Result, Sql, Tx};

/// What lists are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// When it was submitted.
    CreatedAt,
    /// When it is wanted; those without come last.
    NeededBy,
    /// When the first of its footage is overwritten; those without come last.
    OverwriteAt,
}

/// What to list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Only the caller's own.
    pub mine: bool,
    /// Only with one of these; empty: with any.
    pub statuses: Vec<Status>,
    /// Only where something can still change by itself, or only where nothing can.
    pub open: Option<bool>,
    /// Only where one of these owners (`None`: any) has something to decide or to review.
    pub reviewable: Option<Option<Vec<OrganizationId>>>,
    /// Words that must all occur.
    pub q: Option<String>,
    /// Submitted at or after.
    pub from: Option<Timestamp>,
    /// Submitted before.
    pub to: Option<Timestamp>,
    /// With an item for a source of this owner.
    pub organization_id: Option<OrganizationId>,
    /// With an item for this source.
    pub source_id: Option<CameraId>,
    /// For this case.
    pub case_id: Option<CaseId>,
    /// What to sort by.
    pub sort: SortBy,
    /// The greatest first.
    pub descending: bool,
    /// Those that come after this sort value and id.
    pub after: Option<(i64, VideoRequestId)>,
    /// At most so many.
    pub limit: i64,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            mine: false,
            statuses: Vec::new(),
            open: None,
            reviewable: None,
            q: None,
            from: None,
            to: None,
            organization_id: None,
            source_id: None,
            case_id: None,
            sort: SortBy::CreatedAt,
            descending: true,
            after: None,
            limit: 50,
        }
    }
}

impl Filter {
    /// The sort value of a request: where the next page goes on.
    pub fn key(&self, request: &VideoRequest) -> i64 {
        let absent = if self.descending { i64::MIN } else { i64::MAX };
        match self.sort {
            SortBy::CreatedAt => request.created_at.as_micros(),
            SortBy::NeededBy => request.needed_by.map_or(absent, Timestamp::as_micros),
            SortBy::OverwriteAt => request.overwrite_at.map_or(absent, Timestamp::as_micros),
        }
    }

    /// What the lists are sorted by, as far as this person sees it.
    fn push_sort_value(&self, sql: &mut Sql, sees: &SeesRequests) {
        match self.sort {
            SortBy::CreatedAt => {
                sql.push("r.created_at");
                return;
            }
            SortBy::NeededBy => sql.push("COALESCE(r.needed_by, "),
            SortBy::OverwriteAt => push_overwrite_seen(sql.push("COALESCE("), sees).push(", "),
        };
        sql.push(if self.descending { "-9223372036854775807 - 1)" } else { "9223372036854775807)" });
    }

    fn push_where(&self, sql: &mut Sql, sees: &SeesRequests) {
        sql.push(" WHERE (");
        push_requests_seen(sql, sees);
        sql.push(")");
        if self.mine {
            sql.push(" AND r.requester_id = ").bind(sees.requester.as_ref().map(|id| id.as_str().to_owned()));
        }
        if !self.statuses.is_empty() {
            sql.push(" AND ");
            push_status_seen(sql, sees);
            sql.push(" IN (").bind_all(self.statuses.iter().map(|status| status.as_str())).push(")");
        }
        for word in text::words(self.q.as_deref().unwrap_or("")) {
            let word = text::like(&word);
            sql.push(" AND (r.search_text LIKE ").bind(word.as_str()).push(" ESCAPE '!' OR ");
            push_source_named(sql, sees, &word);
            sql.push(")");
        }
        if let Some(from) = self.from {
            sql.push(" AND r.created_at >= ").bind(from.as_micros());
        }
        if let Some(to) = self.to {
            sql.push(" AND r.created_at < ").bind(to.as_micros());
        }
        if let Some(case) = &self.case_id {
            sql.push(" AND r.case_id = ").bind(case.as_str()).push(" AND (");
            push_whole_seen(sql, sees);
            sql.push(")");
        }
        self.push_where_items(sql, sees);
    }

    fn push_where_items(&self, sql: &mut Sql, sees: &SeesRequests) {
        let items = |sql: &mut Sql, not: bool| {
            sql.push(if not { " AND NOT EXISTS (" } else { " AND EXISTS (" });
            sql.push("SELECT 1 FROM request_items i WHERE i.request_id = r.id AND (");
            push_items_seen(sql, sees);
            sql.push(")");
        };
        if let Some(open) = self.open {
            items(sql, !open);
            let open = State::ALL.iter().filter(|state| state.is_open()).map(|state| state.as_str());
            sql.push(" AND i.state IN (").bind_all(open).push("))");
        }
        if let Some(owners) = &self.reviewable {
            items(sql, false);
            sql.push(" AND i.state IN ('pending', 'in_review')");
            match owners {
                Some(owners) if owners.is_empty() => {
                    sql.push(" AND 1 = 0");
                }
                Some(owners) => {
                    sql.push(" AND i.organization_id IN (")
                        .bind_all(owners.iter().map(OrganizationId::as_str))
                        .push(")");
                }
                None => {}
            }
            sql.push(")");
        }
        if let Some(organization) = &self.organization_id {
            items(sql, false);
            sql.push(" AND i.organization_id = ").bind(organization.as_str()).push(")");
        }
        if let Some(source) = &self.source_id {
            items(sql, false);
            sql.push(" AND i.source_id = ").bind(source.as_str()).push(")");
        }
    }
}

/// Where an item that is seen is for a source of this name. The requests are gathered once, not looked at one by one.
fn push_source_named(sql: &mut Sql, sees: &SeesRequests, pattern: &str) {
    sql.push(
        "r.id IN (SELECT i.request_id FROM cameras c JOIN request_items i ON i.source_id = c.id \
         JOIN video_requests r ON r.id = i.request_id WHERE c.name_key LIKE ",
    );
    sql.bind(pattern).push(" ESCAPE '!' AND (");
    push_items_seen(sql, sees);
    sql.push("))");
}

/// The requests that are seen and fit.
pub async fn list(tx: &mut Tx, sees: &SeesRequests, filter: &Filter) -> Result<Vec<Head>> {
    let mut sql = Sql::new(SELECT);
    filter.push_where(&mut sql, sees);
    let order = if filter.descending { " DESC" } else { " ASC" };
    if let Some((value, id)) = &filter.after {
        sql.push(" AND (");
        filter.push_sort_value(&mut sql, sees);
        sql.push(", r.id) ").push(if filter.descending { "< (" } else { "> (" });
        sql.bind(*value).push(", ").bind(id.as_str()).push(")");
    }
    sql.push(" ORDER BY ");
    filter.push_sort_value(&mut sql, sees);
    sql.push(order).push(", r.id").push(order).push(" LIMIT ").bind(filter.limit);
    let heads = sql.fetch_all(tx).await?.iter().map(head).collect::<Result<Vec<_>>>()?;
    with_items(tx, sees, heads).await
}

/// How many are seen and fit, counted up to 10,000.
pub async fn count(tx: &mut Tx, sees: &SeesRequests, filter: &Filter) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) AS count FROM (SELECT 1 FROM video_requests r");
    filter.push_where(&mut sql, sees);
    sql.add(" LIMIT 10000) AS found").fetch_one(tx).await?.int("count")
}
