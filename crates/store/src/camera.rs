//! Cameras: rows of the registry.

use domain::Window;
use domain::camera::{Behind, Camera, CoverageAnswer, Facts, Thumbnail};
use domain::id::{CameraId, ConnectorId};
use domain::policy::SeesSources;
use domain::position::Position;
use domain::text::fold;
use sqlx::any::AnyRow;

use crate::{Columns as _, Error, Result, Sql, Tx};

pub use search::{Filter, Found, Key, Near, Sort, list};

mod search;

const SELECT: &str = "SELECT c.id, c.organization_id, c.connector_id, c.device_id, c.name, c.description, c.site, c.lat, c.lon, c.address, \
     c.mounting_height_m, c.bearing_deg, c.fov_deg, c.tilt_deg, c.range_m, c.kind, c.tags, c.retention_hours, c.clock_offset_ms, \
     c.clock_uncertainty_ms, c.last_seen_at, c.make, c.model, c.custom, c.origins, c.published, c.online, c.vanished_at, c.thumbnail_blob, c.thumbnail_sha256, \
     c.thumbnail_at, c.created_at, c.updated_at, c.version, o.name AS organization_name, n.name AS connector_name, \
     n.last_seen_at AS connector_seen_at, n.revoked_at AS connector_revoked_at FROM cameras c \
     JOIN organizations o ON o.id = c.organization_id LEFT JOIN connectors n ON n.id = c.connector_id";

fn camera(row: &AnyRow) -> Result<Camera> {
    let connector = row.parsed_or_null::<ConnectorId>("connector_id")?;
    let behind = |id| -> Result<Behind> {
        let (last_seen_at, revoked_at) =
            (row.time_or_null("connector_seen_at")?, row.time_or_null("connector_revoked_at")?);
        Ok(Behind { id, name: row.text("connector_name")?, last_seen_at, revoked_at })
    };
    let position = row.real_or_null("lat")?.zip(row.real_or_null("lon")?);
    Ok(Camera {
        id: row.parsed("id")?,
        organization_id: row.parsed("organization_id")?,
        organization_name: row.text("organization_name")?,
        connector: connector.map(behind).transpose()?,
        device_id: row.text_or_null("device_id")?,
        facts: Facts {
            name: row.text("name")?,
            description: row.text("description")?,
            site: row.text_or_null("site")?,
            position: position.map(|(lat, lon)| Position { lat, lon }),
            address: row.text_or_null("address")?,
            mounting_height_m: row.real_or_null("mounting_height_m")?,
            bearing_deg: row.real_or_null("bearing_deg")?,
            fov_deg: row.real_or_null("fov_deg")?,
            tilt_deg: row.real_or_null("tilt_deg")?,
            range_m: row.real_or_null("range_m")?,
            r#type: row.parsed_or_null("kind")?,
            tags: row.json("tags")?,
            retention_hours: row.int_or_null("retention_hours")?,
            clock_offset_ms: row.int_or_null("clock_offset_ms")?,
            clock_uncertainty_ms: row.int_or_null("clock_uncertainty_ms")?,
            make: row.text_or_null("make")?,
            model: row.text_or_null("model")?,
            custom: row.json("custom")?,
        },
        origins: row.json("origins")?,
        published: row.flag("published")?,
        vanished_at: row.time_or_null("vanished_at")?,
        online: row.int_or_null("online")?.map(|online| online != 0),
        last_seen_at: row.time_or_null("last_seen_at")?,
        thumbnail: row
            .text_or_null("thumbnail_blob")?
            .zip(row.text_or_null("thumbnail_sha256")?)
            .zip(row.time_or_null("thumbnail_at")?)
            .map(|((blob, sha256), at)| Thumbnail { blob, sha256, at }),
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.int("version")?,
    })
}

/// A value of one of the three types that cameras have.
enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Real(Option<f64>),
}

impl Value {
    fn bind(self, sql: &mut Sql) {
        match self {
            Self::Text(value) => sql.bind(value),
            Self::Int(value) => sql.bind(value),
            Self::Real(value) => sql.bind(crate::sql::Real(value)),
        };
    }
}

fn search_text(camera: &Camera) -> String {
    let facts = &camera.facts;
    let rest = [&facts.site, &facts.address, &facts.make, &facts.model, &camera.device_id];
    let rest = rest.into_iter().flatten().map(String::as_str);
    let words: Vec<&str> = [facts.name.as_str(), &facts.description]
        .into_iter()
        .chain(rest)
        .chain(facts.tags.iter().map(String::as_str))
        .collect();
    fold(&words.join(" "))
}

fn json(value: &impl serde::Serialize) -> Value {
    Value::Text(Some(serde_json::to_string(value).expect("plain data is JSON")))
}

/// Every column but the id and the version.
fn columns(camera: &Camera) -> Vec<(&'static str, Value)> {
    let facts = &camera.facts;
    let text = |value: &str| Value::Text(Some(value.to_owned()));
    let maybe = |value: &Option<String>| Value::Text(value.clone());
    let time = |value: Option<domain::Timestamp>| Value::Int(value.map(domain::Timestamp::as_micros));
    vec![
        ("organization_id", text(camera.organization_id.as_str())),
        ("connector_id", Value::Text(camera.connector.as_ref().map(|c| c.id.to_string()))),
        ("device_id", maybe(&camera.device_id)),
        ("name", text(&facts.name)),
        ("name_key", text(&fold(&facts.name))),
        ("description", text(&facts.description)),
        ("site", maybe(&facts.site)),
        ("lat", Value::Real(facts.position.map(|p| p.lat))),
        ("lon", Value::Real(facts.position.map(|p| p.lon))),
        ("cell", Value::Int(facts.position.map(crate::place::cell))),
        ("address", maybe(&facts.address)),
        ("mounting_height_m", Value::Real(facts.mounting_height_m)),
        ("bearing_deg", Value::Real(facts.bearing_deg)),
        ("fov_deg", Value::Real(facts.fov_deg)),
        ("tilt_deg", Value::Real(facts.tilt_deg)),
        ("range_m", Value::Real(facts.range_m)),
        ("kind", Value::Text(facts.r#type.map(|t| t.to_string()))),
        ("tags", json(&facts.tags)),
        ("retention_hours", Value::Int(facts.retention_hours)),
        ("clock_offset_ms", Value::Int(facts.clock_offset_ms)),
        ("clock_uncertainty_ms", Value::Int(facts.clock_uncertainty_ms)),
        ("last_seen_at", time(camera.last_seen_at)),
        ("make", maybe(&facts.make)),
        ("model", maybe(&facts.model)),
        ("custom", json(&facts.custom)),
        ("origins", json(&camera.origins)),
        ("published", Value::Int(Some(i64::from(camera.published)))),
        ("online", Value::Int(camera.online.map(i64::from))),
        ("vanished_at", time(camera.vanished_at)),
        ("thumbnail_blob", Value::Text(camera.thumbnail.as_ref().map(|t| t.blob.clone()))),
        ("thumbnail_sha256", Value::Text(camera.thumbnail.as_ref().map(|t| t.sha256.clone()))),
        ("thumbnail_at", time(camera.thumbnail.as_ref().map(|t| t.at))),
        ("search_text", text(&search_text(camera))),
        ("created_at", time(Some(camera.created_at))),
        ("updated_at", time(Some(camera.updated_at))),
    ]
}

/// Writes a new one. [`Error::Exists`] when its connector has a camera of that device id.
pub async fn insert(tx: &mut Tx, new: &Camera) -> Result<()> {
    insert_many(tx, std::slice::from_ref(new)).await
}

/// Writes new ones, many with each statement.
pub async fn insert_many(tx: &mut Tx, new: &[Camera]) -> Result<()> {
    for cameras in new.chunks(100) {
        let mut sql = Sql::new("INSERT INTO cameras (id, version");
        for (index, camera) in cameras.iter().enumerate() {
            let columns = columns(camera);
            if index == 0 {
                for (name, _) in &columns {
                    sql.push(", ").push(name);
                }
                sql.push(") VALUES ");
            }
            sql.push(if index == 0 { "(" } else { ", (" }).bind(camera.id.as_str()).push(", ").bind(camera.version);
            for (_, value) in columns {
                value.bind(sql.push(", "));
            }
            sql.push(")");
        }
        sql.execute(tx).await?;
    }
    for camera in new {
        tx.changed(&camera.id);
        insert_tags(tx, camera).await?;
    }
    Ok(())
}

/// Saves everything that is known of it, if nobody else did since it was read.
pub async fn save(tx: &mut Tx, changed: &Camera) -> Result<()> {
    tx.changed(&changed.id);
    let mut sql = Sql::new("UPDATE cameras SET version = version + 1");
    for (name, value) in columns(changed) {
        sql.push(", ").push(name).push(" = ");
        value.bind(&mut sql);
    }
    sql.push(" WHERE id = ").bind(changed.id.as_str()).push(" AND version = ").bind(changed.version);
    sql.execute_versioned(tx).await?;
    Sql::new("DELETE FROM camera_tags WHERE camera_id = ").arg(changed.id.as_str()).execute(tx).await?;
    insert_tags(tx, changed).await
}

async fn insert_tags(tx: &mut Tx, camera: &Camera) -> Result<()> {
    if camera.facts.tags.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("INSERT INTO camera_tags (tag, camera_id) VALUES ");
    for (i, tag) in camera.facts.tags.iter().enumerate() {
        sql.push(if i == 0 { "(" } else { ", (" }).bind(fold(tag)).push(", ").bind(camera.id.as_str()).push(")");
    }
    sql.add(" ON CONFLICT DO NOTHING").execute(tx).await?;
    Ok(())
}

/// Appends ` AND …`: what the caller sees.
pub(crate) fn push_sees(sql: &mut Sql, sees: &SeesSources) {
    let Some(all_of) = &sees.all_of else { return };
    sql.push(" AND (c.organization_id IN (").bind_all(all_of.iter().map(domain::id::OrganizationId::as_str));
    // An empty list is accepted by neither database's grammar alone.
    if all_of.is_empty() {
        sql.push("''");
    }
    sql.push(") OR (c.published = 1");
    if let Some(published_of) = &sees.published_of {
        sql.push(" AND c.organization_id IN (").bind_all(published_of.iter().map(domain::id::OrganizationId::as_str));
        if published_of.is_empty() {
            sql.push("''");
        }
        sql.push(")");
    }
    sql.push("))");
}

/// One camera, if it is seen.
pub async fn find(tx: &mut Tx, sees: &SeesSources, id: &CameraId) -> Result<Option<Camera>> {
    let mut sql = Sql::new(SELECT).add(" WHERE c.id = ").arg(id.as_str());
    push_sees(&mut sql, sees);
    sql.fetch_optional(tx).await?.as_ref().map(camera).transpose()
}

/// The cameras that are seen among these.
pub async fn find_many(tx: &mut Tx, sees: &SeesSources, ids: &[CameraId]) -> Result<Vec<Camera>> {
    let mut found = Vec::new();
    for some in ids.chunks(500) {
        let mut sql = Sql::new(SELECT).add(" WHERE c.id IN (").args(some.iter().map(CameraId::as_str)).add(")");
        push_sees(&mut sql, sees);
        for row in &sql.fetch_all(tx).await? {
            found.push(camera(row)?);
        }
    }
    Ok(found)
}

/// The camera that a connector calls so.
pub async fn find_by_device(tx: &mut Tx, connector: &ConnectorId, device_id: &str) -> Result<Option<Camera>> {
    let sql = Sql::new(SELECT)
        .add(" WHERE c.connector_id = ")
        .arg(connector.as_str())
        .add(" AND c.device_id = ")
        .arg(device_id);
    sql.fetch_optional(tx).await?.as_ref().map(camera).transpose()
}

/// All cameras of a connector.
pub async fn of_connector(tx: &mut Tx, connector: &ConnectorId) -> Result<Vec<Camera>> {
    let sql = Sql::new(SELECT).add(" WHERE c.connector_id = ").arg(connector.as_str()).add(" ORDER BY c.id");
    sql.fetch_all(tx).await?.iter().map(camera).collect()
}

/// Removes a camera that no request names; [`Error::Referred`] where one does.
pub async fn remove(tx: &mut Tx, camera: &Camera) -> Result<()> {
    let id = camera.id.as_str();
    let named = Sql::new("SELECT 1 AS one FROM request_items WHERE source_id = ").arg(id).add(" LIMIT 1");
    if named.fetch_optional(tx).await?.is_some() {
        return Err(Error::Referred);
    }
    tx.changed(id);
    let sql = Sql::new("DELETE FROM cameras WHERE id = ").arg(id).add(" AND version = ").arg(camera.version);
    sql.execute_versioned(tx).await
}

/// Keeps what a connector answered; older answers that it covers whole are dropped.
pub async fn insert_coverage(tx: &mut Tx, id: &CameraId, answer: &CoverageAnswer) -> Result<()> {
    let (from, to) = (answer.window.from.as_micros(), answer.window.to.as_micros());
    let covered = Sql::new("DELETE FROM camera_coverage WHERE camera_id = ").arg(id.as_str());
    covered.add(" AND from_at >= ").arg(from).add(" AND to_at <= ").arg(to).execute(tx).await?;
    let spans = serde_json::to_string(&answer.spans).expect("plain data is JSON");
    Sql::new("INSERT INTO camera_coverage (camera_id, from_at, to_at, asked_at, complete, spans) VALUES (")
        .arg(id.as_str())
        .add(", ")
        .args([from, to, answer.asked_at.as_micros(), i64::from(answer.complete)])
        .add(", ")
        .arg(spans)
        .add(")")
        .execute(tx)
        .await?;
    Ok(())
}

/// The answers about recordings that touch a window.
pub async fn coverage(tx: &mut Tx, id: &CameraId, window: Window) -> Result<Vec<CoverageAnswer>> {
    let sql = Sql::new("SELECT from_at, to_at, asked_at, complete, spans FROM camera_coverage WHERE camera_id = ")
        .arg(id.as_str())
        .add(" AND from_at < ")
        .arg(window.to.as_micros())
        .add(" AND to_at > ")
        .arg(window.from.as_micros())
        .add(" ORDER BY asked_at LIMIT 1000");
    let answer = |row: &AnyRow| -> Result<CoverageAnswer> {
        let window = Window { from: row.time("from_at")?, to: row.time("to_at")? };
        Ok(CoverageAnswer {
            window,
            asked_at: row.time("asked_at")?,
            spans: row.json("spans")?,
            complete: row.flag("complete")?,
        })
    };
    sql.fetch_all(tx).await?.iter().map(answer).collect()
}
