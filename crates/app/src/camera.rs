//! Cameras: searched by those who may, entered and changed by those who manage their owner's registry.

use bytes::Bytes;
use domain::camera::{Camera, Change, Coverage, Thumbnail, coverage as known_coverage};
use domain::id::CameraId;
use domain::{Caller, Invalid, Window, policy};
use proof::Sha256Digest;
use store::camera::{Filter, Key as After};

use crate::idempotency::{self, Key};
use crate::page::Page;
use crate::{App, Error, Kind, Result, did};

pub use store::camera::{Filter as Search, Near, Sort};
pub use store::place::Bounds;

/// A camera, and how far it is from where the search asked.
#[derive(Debug)]
pub struct Listed {
    /// The camera.
    pub camera: Camera,
    /// Metres, where the search names a place.
    pub distance_m: Option<f64>,
}

/// Searches what the caller sees.
pub async fn list(
    app: &App,
    caller: &Caller,
    search: Filter,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Listed>> {
    let limit = crate::page::limit(limit)?;
    let after: Option<After> = crate::page::key(cursor)?;
    let sort = search.sort;
    if sort == Sort::Distance && search.near.is_none() {
        return Err(Invalid::field("/sort", "Sorting by distance needs a place to measure from: near=lat,lon.").into());
    }
    let right_cursor = after.as_ref().is_none_or(|key| matches!(key, After::Distance(..)) == (sort == Sort::Distance));
    if !right_cursor {
        return Err(Invalid::field("/cursor", "This cursor belongs to another order.").into());
    }
    let mut tx = app.read().await?;
    let filter = Filter { after, limit: limit + 1, ..search };
    let found = store::camera::list(&mut tx, &policy::sees_sources(caller), &filter).await?;
    let listed = found.cameras.into_iter().map(|(camera, distance_m)| Listed { camera, distance_m }).collect();
    let page = Page::cut(listed, limit, |last: &Listed| match (sort, last.distance_m) {
        (Sort::Distance, Some(metres)) => After::Distance(metres, last.camera.id.clone()),
        _ => After::Name(domain::text::fold(&last.camera.facts.name), last.camera.id.clone()),
    });
    Ok(Page { total: found.total, ..page })
}

/// One camera.
pub async fn find(app: &App, caller: &Caller, id: &CameraId) -> Result<Camera> {
    visible(&mut app.read().await?, caller, id).await
}

/// Whether the caller sees a camera: for live updates.
pub(crate) async fn is_seen(app: &App, caller: &Caller, id: &str) -> Result<bool> {
    let Ok(id) = id.parse() else { return Ok(false) };
    Ok(store::camera::find(&mut app.read().await?, &policy::sees_sources(caller), &id).await?.is_some())
}

pub(crate) async fn visible(tx: &mut store::Tx, caller: &Caller, id: &CameraId) -> Result<Camera> {
    let found = store::camera::find(tx, &policy::sees_sources(caller), id).await?;
    found.ok_or_else(|| Error::not_found("camera"))
}

/// Enters a camera of an organization.
pub async fn create(app: &App, caller: &Caller, mut new: Change, key: Option<&Key>) -> Result<Camera> {
    let no_owner = || Invalid::field("/organization_id", "Say which organization it belongs to.");
    let organization_id = new.organization_id.take().ok_or_else(no_owner)?;
    policy::manage_camera(caller, &organization_id)?;
    let mut tx = app.begin().await?;
    let id = tx.new_id();
    if let Some(made) = idempotency::once(&mut tx, caller, "camera.create", key, &id).await? {
        return visible(&mut tx, caller, &made).await;
    }
    let organization = store::organization::find(&mut tx, &organization_id).await?;
    let organization =
        organization.ok_or_else(|| Invalid::field("/organization_id", "There is no such organization."))?;
    let mut camera = Camera::new(id, organization.id, organization.name, tx.now());
    camera.device_id = new.device_id.take().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    let mut invalid = Invalid::new();
    invalid.limit_text("/device_id", camera.device_id.as_deref(), 200);
    invalid.into_result()?;
    let fields = camera.change(new, tx.now())?;
    store::camera::insert(&mut tx, &camera).await?;
    let event = did(caller, "camera.create").about("camera", &camera.id).about("organization", &camera.organization_id);
    tx.commit([event.with("fields", fields)]).await?;
    Ok(camera)
}

/// Changes what is known of a camera, and whether it is published.
pub async fn change(app: &App, caller: &Caller, id: &CameraId, version: i64, change: Change) -> Result<Camera> {
    let mut tx = app.begin().await?;
    let mut camera = visible(&mut tx, caller, id).await?;
    policy::manage_camera(caller, &camera.organization_id)?;
    let mut invalid = Invalid::new();
    if change.organization_id.as_ref().is_some_and(|of| *of != camera.organization_id) {
        invalid.add("/organization_id", "A camera keeps its owner; enter it anew for another.");
    }
    if change.device_id.is_some() && change.device_id != camera.device_id {
        invalid.add("/device_id", "A camera keeps its id in the source system.");
    }
    invalid.into_result()?;
    if version != camera.version {
        return Err(store::Error::Stale.into());
    }
    let fields = camera.change(change, tx.now())?;
    if fields.is_empty() {
        return Ok(camera);
    }
    store::camera::save(&mut tx, &camera).await?;
    camera.version += 1;
    tx.commit([did(caller, "camera.change").about("camera", id).with("fields", fields)]).await?;
    Ok(camera)
}

/// Removes a camera that no request names. One that is named by requests can be hidden.
pub async fn remove(app: &App, caller: &Caller, id: &CameraId) -> Result<()> {
    let mut tx = app.begin().await?;
    let camera = visible(&mut tx, caller, id).await?;
    policy::manage_camera(caller, &camera.organization_id)?;
    match store::camera::remove(&mut tx, &camera).await {
        Err(store::Error::Referred) => {
            return Err(Error::conflict(
                "requested",
                "Requests name this camera, so it stays. Take it out of sight with published: false.",
            ));
        }
        other => other?,
    }
    tx.commit([did(caller, "camera.remove").about("camera", id)]).await?;
    if let Some(picture) = camera.thumbnail {
        app.blobs().remove(&picture.blob).await?;
    }
    Ok(())
}

/// The largest thumbnail, in bytes.
pub const LARGEST_THUMBNAIL_BYTES: usize = 512 << 10;

/// Sets the picture of a camera: a JPEG.
pub async fn set_thumbnail(app: &App, caller: &Caller, id: &CameraId, jpeg: Bytes) -> Result<Camera> {
    let camera = visible(&mut app.read().await?, caller, id).await?;
    policy::manage_camera(caller, &camera.organization_id)?;
    put_thumbnail(app, caller, camera, jpeg).await
}

/// Stores the bytes before the row names them; what the row named before is removed after.
pub(crate) async fn put_thumbnail(app: &App, caller: &Caller, camera: Camera, jpeg: Bytes) -> Result<Camera> {
    if jpeg.len() > LARGEST_THUMBNAIL_BYTES {
        return Err(Error::new(Kind::TooLarge, "too_large", "A thumbnail has at most 512 KiB."));
    }
    if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) {
        return Err(Error::new(Kind::Invalid(Invalid::new()), "not_a_jpeg", "Expected a JPEG picture."));
    }
    let sha256 = Sha256Digest::of(&jpeg).to_string();
    let blob = app.blobs().put("picture", jpeg).await?;
    let saved = save_thumbnail(app, caller, camera, blob.clone(), sha256).await;
    let obsolete = match &saved {
        Ok((_, before)) => before.as_ref().map(|picture| picture.blob.clone()),
        Err(_) => Some(blob),
    };
    if let Some(obsolete) = obsolete {
        app.blobs().remove(&obsolete).await?;
    }
    saved.map(|(camera, _)| camera)
}

async fn save_thumbnail(
    app: &App,
    caller: &Caller,
    camera: Camera,
    blob: String,
    sha256: String,
) -> Result<(Camera, Option<Thumbnail>)> {
    let mut tx = app.begin().await?;
    let mut camera = visible(&mut tx, caller, &camera.id).await?;
    let before = camera.thumbnail.replace(Thumbnail { blob, sha256: sha256.clone(), at: tx.now() });
    store::camera::save(&mut tx, &camera).await?;
    camera.version += 1;
    tx.commit([did(caller, "camera.set_thumbnail").about("camera", &camera.id).with("sha256", sha256)]).await?;
    Ok((camera, before))
}

/// The picture of a camera and the name of this version of it.
pub async fn thumbnail(app: &App, caller: &Caller, id: &CameraId) -> Result<(Bytes, String)> {
    let camera = find(app, caller, id).await?;
    let picture = camera.thumbnail.ok_or_else(|| Error::not_found("thumbnail"))?;
    Ok((app.blobs().get(&picture.blob).await?, picture.at.as_micros().to_string()))
}

/// The longest window that coverage is told for.
const LONGEST_COVERAGE_DAYS: u64 = 366;

/// What is known of recordings in a window.
pub async fn coverage(app: &App, caller: &Caller, id: &CameraId, window: Window) -> Result<Coverage> {
    if window.duration().as_secs() > LONGEST_COVERAGE_DAYS * 86_400 {
        return Err(Invalid::field("/to", "Coverage is told for at most a year at once.").into());
    }
    let mut tx = app.read().await?;
    let camera = visible(&mut tx, caller, id).await?;
    Ok(known_coverage(window, store::camera::coverage(&mut tx, &camera.id, window).await?))
}
