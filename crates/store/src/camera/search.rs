//! Searching the registry by words, place and what else is known.

use domain::camera::{CONNECTOR_SILENT_AFTER, Camera, Status};
use domain::id::{CameraId, OrganizationId};
use domain::policy::SeesSources;
use domain::position::Position;
use domain::text::{fold, like, words};
use serde::{Deserialize, Serialize};

use super::{SELECT, camera, find_many, push_sees};
use crate::place::{self, Bounds};
use crate::{Columns as _, Result, Sql, Tx};

/// Around a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// From where distances are measured.
    pub position: Position,
    /// How far at most; none: the nearest ones, however far.
    pub radius_m: Option<f64>,
}

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// By name, without case and accents.
    #[default]
    Name,
    /// The nearest first.
    Distance,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Key {
    /// Name and id.
    Name(String, CameraId),
    /// Metres and id.
    Distance(f64, CameraId),
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words that must all occur, anywhere in what is known; or an id.
    pub q: Option<String>,
    /// Of this owner.
    pub organization_id: Option<OrganizationId>,
    /// With this tag.
    pub tag: Option<String>,
    /// With one of these; none given: with any.
    pub statuses: Vec<Status>,
    /// Inside.
    pub bounds: Option<Bounds>,
    /// Around.
    pub near: Option<Near>,
    /// In which order.
    pub sort: Sort,
    /// Those that come after.
    pub after: Option<Key>,
    /// At most so many.
    pub limit: i64,
    /// Whether to count all.
    pub count: bool,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Each with its distance where there is a place to measure from.
    pub cameras: Vec<(Camera, Option<f64>)>,
    /// How many there are in all, 10,000 at most.
    pub total: Option<i64>,
}

/// Counting stops here.
const COUNT_AT_MOST: usize = 10_000;

/// Cameras that are seen, searched.
pub async fn list(tx: &mut Tx, sees: &SeesSources, filter: &Filter) -> Result<Found> {
    match filter.near {
        Some(near) => list_near(tx, sees, filter, near).await,
        None => list_by_name(tx, sees, filter).await,
    }
}

fn push_filter(tx: &Tx, sql: &mut Sql, sees: &SeesSources, filter: &Filter) {
    push_sees(sql, sees);
    let q = filter.q.as_deref().unwrap_or("").trim();
    if let Ok(id) = q.parse::<CameraId>() {
        sql.push(" AND c.id = ").bind(id.as_str());
    } else {
        for word in words(q) {
            sql.push(" AND c.search_text LIKE ").bind(like(&word)).push(" ESCAPE '!'");
        }
    }
    if let Some(organization) = &filter.organization_id {
        sql.push(" AND c.organization_id = ").bind(organization.as_str());
    }
    if let Some(tag) = &filter.tag {
        sql.push(" AND EXISTS (SELECT 1 FROM camera_tags t WHERE t.tag = ")
            .bind(fold(tag))
            .push(" AND t.camera_id = c.id)");
    }
    if !filter.statuses.is_empty() {
        let heard_since = tx.now().minus(CONNECTOR_SILENT_AFTER).as_micros();
        sql.push(" AND (1 = 0");
        for status in &filter.statuses {
            push_status(sql.push(" OR "), *status, heard_since);
        }
        sql.push(")");
    }
    if let Some(bounds) = filter.bounds {
        sql.push(" AND ");
        place::push_ranges(sql, "c.cell", &place::within(bounds));
        sql.push(" AND c.lat BETWEEN ").bind(bounds.south).push(" AND ").bind(bounds.north);
        sql.push(" AND (c.lon >= ").bind(bounds.west);
        sql.push(if bounds.west <= bounds.east { " AND c.lon <= " } else { " OR c.lon <= " })
            .bind(bounds.east)
            .push(")");
    }
}

/// The same as [`Camera::status`]; a test compares them.
fn push_status(sql: &mut Sql, status: Status, heard_since: i64) {
    const HEARD: &str =
        "(n.id IS NOT NULL AND n.revoked_at IS NULL AND n.last_seen_at IS NOT NULL AND n.last_seen_at >= ";
    if status == Status::Vanished {
        sql.push("c.vanished_at IS NOT NULL");
        return;
    }
    sql.push("(c.vanished_at IS NULL AND ");
    match status {
        Status::Online => sql.push("c.online = 1 AND ").push(HEARD).bind(heard_since).push(")"),
        Status::Offline => {
            sql.push("n.id IS NOT NULL AND (c.online = 0 OR NOT ").push(HEARD).bind(heard_since).push("))")
        }
        _ => sql.push("(n.id IS NULL OR (c.online IS NULL AND ").push(HEARD).bind(heard_since).push(")))"),
    };
    sql.push(")");
}

async fn list_by_name(tx: &mut Tx, sees: &SeesSources, filter: &Filter) -> Result<Found> {
    let mut sql = Sql::new(SELECT).add(" WHERE 1 = 1");
    push_filter(tx, &mut sql, sees, filter);
    if let Some(Key::Name(name, id)) = &filter.after {
        sql.push(" AND (c.name_key, c.id) > (").bind(name.as_str()).push(", ").bind(id.as_str()).push(")");
    }
    let rows = sql.add(" ORDER BY c.name_key, c.id LIMIT ").arg(filter.limit).fetch_all(tx).await?;
    let cameras = rows.iter().map(|row| Ok((camera(row)?, None))).collect::<Result<_>>()?;
    let total = if filter.count { Some(count(tx, sees, filter).await?) } else { None };
    Ok(Found { cameras, total })
}

async fn count(tx: &mut Tx, sees: &SeesSources, filter: &Filter) -> Result<i64> {
    let mut sql = Sql::new(
        "SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM cameras c LEFT JOIN connectors n ON n.id = c.connector_id WHERE 1 = 1",
    );
    push_filter(tx, &mut sql, sees, filter);
    let row = sql.add(" LIMIT ").arg(COUNT_AT_MOST as i64).add(") counted").fetch_one(tx).await?;
    row.int("n")
}

/// A hit, before its row is read.
struct Candidate {
    id: CameraId,
    name_key: String,
    distance_m: f64,
}

async fn candidates(
    tx: &mut Tx,
    sees: &SeesSources,
    filter: &Filter,
    near: Position,
    radius_m: f64,
) -> Result<Vec<Candidate>> {
    let mut sql = Sql::new(
        "SELECT c.id, c.name_key, c.lat, c.lon FROM cameras c LEFT JOIN connectors n ON n.id = c.connector_id WHERE ",
    );
    place::push_ranges(&mut sql, "c.cell", &place::around(near, radius_m));
    push_filter(tx, &mut sql, sees, filter);
    let mut found = Vec::new();
    for row in &sql.fetch_all(tx).await? {
        let Some((lat, lon)) = row.real_or_null("lat")?.zip(row.real_or_null("lon")?) else { continue };
        let distance_m = near.distance_m(Position { lat, lon });
        if distance_m <= radius_m {
            found.push(Candidate { id: row.parsed("id")?, name_key: row.text("name_key")?, distance_m });
        }
    }
    Ok(found)
}

/// Half of the earth's circumference: nothing is farther.
const FARTHEST_M: f64 = 20_100_000.0;

async fn list_near(tx: &mut Tx, sees: &SeesSources, filter: &Filter, near: Near) -> Result<Found> {
    let limit = usize::try_from(filter.limit).unwrap_or(0);
    let by_name = filter.sort == Sort::Name;
    // Without a radius the circle grows until the page is full.
    let mut radius_m = near.radius_m.unwrap_or(if by_name || filter.count { FARTHEST_M } else { 500.0 });
    let (mut page, total) = loop {
        let mut found = candidates(tx, sees, filter, near.position, radius_m).await?;
        let total = found.len().min(COUNT_AT_MOST) as i64;
        found.retain(|c| match &filter.after {
            Some(Key::Name(name, id)) if by_name => (&c.name_key, &c.id) > (name, id),
            Some(Key::Distance(metres, id)) if !by_name => (c.distance_m, &c.id) > (*metres, id),
            _ => true,
        });
        if near.radius_m.is_some() || found.len() >= limit || radius_m >= FARTHEST_M {
            break (found, total);
        }
        radius_m *= 4.0;
    };
    if by_name {
        page.sort_unstable_by(|a, b| (&a.name_key, &a.id).cmp(&(&b.name_key, &b.id)));
    } else {
        page.sort_unstable_by(|a, b| a.distance_m.total_cmp(&b.distance_m).then_with(|| a.id.cmp(&b.id)));
    }
    page.truncate(limit);
    let ids: Vec<CameraId> = page.iter().map(|c| c.id.clone()).collect();
    let mut rows: std::collections::HashMap<CameraId, Camera> =
        find_many(tx, sees, &ids).await?.into_iter().map(|c| (c.id.clone(), c)).collect();
    let cameras = page.into_iter().filter_map(|c| Some((rows.remove(&c.id)?, Some(c.distance_m)))).collect();
    Ok(Found { cameras, total: filter.count.then_some(total) })
}
