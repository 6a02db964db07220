//! Connectors: made and revoked by those who manage them; what they call about themselves and their cameras.

use std::collections::{BTreeMap, BTreeSet};

use domain::caller::Means;
use domain::camera::{Behind, Camera};
use domain::connector::{self, Connector, Problem};
use domain::id::{ConnectorId, OrganizationId};
use domain::policy::{self, Privilege};
use domain::{Caller, Invalid, Timestamp};
use proof::Sha256Digest;
use protocol::{ConnectionFile, Hello, HelloAnswer, SourceDescription, SourceProblem, Sources, SourcesAnswer};
use store::Tx;
use store::connector::Greeting;
pub use store::connector::Shown;

use crate::idempotency::{self, Key};
use crate::secret::{self, Secret};
use crate::{App, Error, Kind, Result, did};

/// How long a call for a task may wait for one.
pub const LONGEST_WAIT_SECONDS: u32 = 25;
/// How often a source's picture is wanted anew.
const THUMBNAIL_SECONDS: u32 = 3_600;
/// The largest picture that is taken.
pub const LARGEST_THUMBNAIL_BYTES: usize = 1 << 20;
/// The most sources of one connector.
const MOST_SOURCES: usize = 100_000;

/// Makes a connector. Its connection file is answered this once.
pub async fn create(
    app: &App,
    caller: &Caller,
    organization: &OrganizationId,
    name: &str,
    key: Option<&Key>,
) -> Result<(Shown, ConnectionFile)> {
    policy::manage_connector(caller, organization)?;
    let (connector, file) = insert(app, caller, organization, name, key).await?;
    Ok((Shown { connector, source_count: 0, waiting: 0, running: 0 }, file))
}

/// The connection file of a connector of this name, made if there is none; for the command line, whose user owns the data directory.
/// An earlier file of the same connector is worth nothing from then on.
pub async fn connection_file(app: &App, organization: &OrganizationId, name: &str) -> Result<ConnectionFile> {
    let mut tx = app.begin().await?;
    let Some(found) = store::connector::find_by_name(&mut tx, organization, name.trim()).await? else {
        drop(tx);
        return Ok(insert(app, &Caller::server(), organization, name, None).await?.1);
    };
    let key = Secret::new(app, "slc");
    store::connector::rekey(&mut tx, &found.id, &key.hash()).await?;
    tx.commit([did(&Caller::server(), "connector.rekey").about("connector", &found.id)]).await?;
    Ok(file(app, &found.id, &key))
}

async fn insert(
    app: &App,
    caller: &Caller,
    organization: &OrganizationId,
    name: &str,
    key: Option<&Key>,
) -> Result<(Connector, ConnectionFile)> {
    let mut tx = app.begin().await?;
    let id = tx.new_id();
    idempotency::refuse_again(&mut tx, caller, "connector.create", key, &id).await?;
    let organization = store::organization::find(&mut tx, organization).await?;
    let organization =
        organization.ok_or_else(|| Invalid::field("/organization_id", "There is no such organization."))?;
    let connector = Connector {
        id,
        organization_id: organization.id,
        organization_name: organization.name,
        name: name.trim().to_owned(),
        adapter: None,
        software: None,
        protocol_version: None,
        source_sequence: 0,
        clock_offset_ms: None,
        problem: None,
        instance: None,
        used_twice_at: None,
        last_seen_at: None,
        revoked_at: None,
        created_at: tx.now(),
        version: 1,
    };
    connector.validate()?;
    if store::connector::find_by_name(&mut tx, &connector.organization_id, &connector.name).await?.is_some() {
        return Err(Invalid::field("/name", "The organization has a connector of this name.").into());
    }
    let key = Secret::new(app, "slc");
    store::connector::insert(&mut tx, &connector, &key.hash()).await?;
    let event = did(caller, "connector.create")
        .about("connector", &connector.id)
        .about("organization", &connector.organization_id);
    tx.commit([event.personally("name", connector.name.as_str())]).await?;
    let file = file(app, &connector.id, &key);
    Ok((connector, file))
}

fn file(app: &App, id: &ConnectorId, key: &Secret) -> ConnectionFile {
    ConnectionFile {
        url: app.settings().public_url.clone(),
        connector_id: id.clone(),
        key: key.reveal().to_owned(),
        versions: protocol::VERSIONS.to_vec(),
        ca_pem: None,
    }
}

/// Connectors of the organizations whose connectors the caller manages.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Shown>> {
    policy::holds(caller, Privilege::ManageConnectors)?;
    let organizations = caller.organizations_with(Privilege::ManageConnectors);
    Ok(store::connector::list(&mut app.read().await?, organizations.as_deref(), None).await?)
}

/// One of them.
pub async fn find(app: &App, caller: &Caller, id: &ConnectorId) -> Result<Shown> {
    let organizations = caller.organizations_with(Privilege::ManageConnectors);
    let mut found = store::connector::list(&mut app.read().await?, organizations.as_deref(), Some(id)).await?;
    found.pop().ok_or_else(|| Error::not_found("connector"))
}

/// Whether the caller may know of a connector: for live updates.
pub(crate) async fn is_seen(app: &App, caller: &Caller, id: &str) -> Result<bool> {
    let Ok(id) = id.parse() else { return Ok(false) };
    let organizations = caller.organizations_with(Privilege::ManageConnectors);
    let found = store::connector::list(&mut app.read().await?, organizations.as_deref(), Some(&id)).await?;
    Ok(!found.is_empty())
}

/// Revokes its key for good. What it worked on is given back, and waits for another one or for the deadline.
pub async fn revoke(app: &App, caller: &Caller, id: &ConnectorId) -> Result<()> {
    let shown = find(app, caller, id).await?;
    policy::manage_connector(caller, &shown.connector.organization_id)?;
    let mut tx = app.begin().await?;
    let now = tx.now();
    if !store::connector::revoke(&mut tx, id, now).await? {
        return Ok(());
    }
    let mut events = crate::connector_task::give_all_back(app, &mut tx, id).await?;
    events.push(did(caller, "connector.revoke").about("connector", id));
    Ok(tx.commit(events).await?)
}

/// Who presents this key. A key of another server, or a revoked one, is nobody's; and of two instances with the same key, the one that
/// was there first is heard, as long as it lives: each would publish over the other.
pub async fn resume(app: &App, key: &str, instance: Option<&str>) -> Result<Caller> {
    let found = store::connector::find_by_key(&mut app.read().await?, &secret::hash(key)).await?;
    let wrong = || {
        Error::new(
            Kind::Unauthenticated,
            "wrong_key",
            "This key is of another server, or was revoked. Ask the office for a new connection file.",
        )
    };
    let connector = found.ok_or_else(wrong)?;
    let now = app.now();
    let instance = instance.map(limited);
    if instance.is_some_and(|instance| connector.is_beside(instance, now)) {
        return Err(used_twice(app, connector).await?);
    }
    let is_new = instance.is_some() && instance != connector.instance.as_deref();
    if is_new || connector.last_seen_at.is_none_or(|at| now.since(at).as_secs() >= 10) {
        let mut tx = app.begin().await?;
        store::connector::seen(&mut tx, &connector.id, instance).await?;
        tx.commit_housekeeping().await?;
    }
    Ok(Caller::connector(connector.id, connector.organization_id))
}

/// Notes that two have the key of a connector, and answers what the second one is told.
async fn used_twice(app: &App, connector: Connector) -> Result<Error> {
    let now = app.now();
    if connector.used_twice_at.is_none_or(|at| now.since(at).as_secs() >= 10) {
        let mut tx = app.begin().await?;
        store::connector::used_twice(&mut tx, &connector.id).await?;
        if connector.is_used_twice(now) {
            tx.commit_housekeeping().await?;
        } else {
            let event = did(&Caller::server(), "connector.used_twice").about("connector", &connector.id);
            tx.commit([event]).await?;
        }
    }
    Ok(Error::conflict(
        protocol::USED_TWICE,
        "Another running connector uses this connection file, and was there first. Stop one of the two: each needs a connection \
         file of its own. This one is heard once the other was silent for a minute.",
    ))
}

/// The connector that calls.
pub(crate) fn calling(caller: &Caller) -> Result<&ConnectorId> {
    match &caller.means {
        Means::Connector(id) => Ok(id),
        _ => Err(Error::new(Kind::Forbidden, "forbidden", "Only a connector calls this.")),
    }
}

/// A connector introduces itself.
pub async fn hello(app: &App, caller: &Caller, said: &Hello) -> Result<HelloAnswer> {
    let id = calling(caller)?;
    let version = protocol::choose_version(&said.versions).ok_or_else(|| {
        Invalid::field(
            "/versions",
            format!("This server speaks {:?}. Install a connector of the server's release.", protocol::VERSIONS),
        )
    })?;
    let mut tx = app.begin().await?;
    let connector = store::connector::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("connector"))?;
    let software = format!("{} {}", said.software.name, said.software.version);
    let greeting = Greeting {
        adapter: limited(&said.adapter),
        software: limited(&software),
        protocol_version: i64::from(version),
        clock_offset_ms: said.clock.as_millis().saturating_sub(tx.now().as_millis()),
    };
    store::connector::greeted(&mut tx, id, &greeting).await?;
    let mut events = Vec::new();
    if said.restarted {
        events = crate::connector_task::give_all_back(app, &mut tx, id).await?;
        events.push(did(caller, "connector.start").about("connector", id).with("version", version));
    }
    if events.is_empty() {
        tx.commit_housekeeping().await?;
    } else {
        tx.commit(events).await?;
    }
    Ok(HelloAnswer {
        version,
        connector: protocol::ConnectorRef { id: id.clone(), name: connector.name },
        clock: app.now(),
        heartbeat_seconds: u32::try_from(connector::OFFLINE_AFTER.as_secs() / 3).unwrap_or(30),
        longest_wait_seconds: LONGEST_WAIT_SECONDS,
        thumbnail_seconds: THUMBNAIL_SECONDS,
        sequence: (connector.source_sequence > 0).then_some(connector.source_sequence),
    })
}

fn limited(text: &str) -> &str {
    text.char_indices().nth(200).map_or(text, |(end, _)| &text[..end])
}

/// A connector publishes what cameras there are. The office's word stands over it, field by field.
pub async fn publish(app: &App, caller: &Caller, said: &Sources) -> Result<SourcesAnswer> {
    let id = calling(caller)?;
    if said.sources.len() > MOST_SOURCES {
        return Err(Invalid::field("/sources", format!("At most {MOST_SOURCES} sources of one connector.")).into());
    }
    let mut tx = app.begin().await?;
    let connector = store::connector::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("connector"))?;
    let before = connector.source_sequence;
    let again = said.sequence == before && before > 0; // because the answer was lost
    let unknown = || Error::conflict("sequence", "This does not follow the last publication. Send the whole set.");
    if !again && (said.sequence <= 0 || said.base.is_some_and(|base| base != before)) {
        return Err(unknown());
    }
    let problem = said.problem.as_ref().map(|p| Problem { text: p.text.clone(), what_to_do: p.what_to_do.clone() });
    if !again && !store::connector::published(&mut tx, id, before, said.sequence, problem.as_ref()).await? {
        return Err(unknown());
    }
    let mut known = BTreeMap::new();
    for camera in store::camera::of_connector(&mut tx, id).await? {
        known.insert(camera.device_id.clone().unwrap_or_default(), camera);
    }
    let (mut new, mut changed, mut gone, mut refused) = (Vec::new(), 0u64, 0u64, Vec::new());
    let mut named = BTreeSet::new();
    for source in &said.sources {
        if !named.insert(source.device_id.as_str()) {
            continue;
        }
        let done = match known.get_mut(&source.device_id) {
            None => first_seen(&tx, &connector, source).map(|camera| new.push(camera)),
            Some(camera) => describe(&mut tx, camera, source).await?.map(|written| changed += u64::from(written)),
        };
        if let Err(invalid) = done {
            refused.push(SourceProblem { device_id: source.device_id.clone(), message: invalid.to_string() });
        }
    }
    let seen = |(id, camera): &(&String, &Camera)| {
        let withdrawn = said.withdrawn.contains(id) || named.contains(id.as_str());
        said.base.is_none() && !withdrawn && (camera.published || camera.thumbnail.is_some())
    };
    let missing = known.iter().filter(seen).map(|(id, _)| id.clone()).collect();
    if again {
        return Ok(SourcesAnswer { sequence: before, refused, missing }); // all was done; the transaction ends without a trace
    }
    store::camera::insert_many(&mut tx, &new).await?;
    let mut pictures = Vec::new();
    for (device_id, camera) in &mut known {
        let kept_back = said.withdrawn.contains(device_id) && !named.contains(device_id.as_str());
        let picture = camera.thumbnail.clone();
        if kept_back && camera.withdraw(tx.now()) {
            store::camera::save(&mut tx, camera).await?;
            pictures.extend(picture);
            gone += 1;
            continue;
        }
        let missing = said.base.is_none() && !named.contains(device_id.as_str());
        if camera.vanished_at.is_none() && (missing || said.vanished.contains(device_id)) {
            camera.vanished_at = Some(tx.now());
            store::camera::save(&mut tx, camera).await?;
            gone += 1;
        }
    }
    let event = did(caller, "connector.publish").about("connector", id).with("sequence", said.sequence);
    tx.commit([event.with("added", new.len()).with("changed", changed).with("vanished", gone)]).await?;
    for picture in pictures {
        app.blobs().remove(&picture.blob).await?;
    }
    Ok(SourcesAnswer { sequence: said.sequence, refused, missing })
}

/// A camera that a connector publishes for the first time.
fn first_seen(tx: &Tx, connector: &Connector, source: &SourceDescription) -> Result<Camera, Invalid> {
    let (organization, now) = (connector.organization_id.clone(), tx.now());
    let mut camera = Camera::new(tx.new_id(), organization, connector.organization_name.clone(), now);
    camera.connector = Some(Behind {
        id: connector.id.clone(),
        name: connector.name.clone(),
        last_seen_at: connector.last_seen_at,
        revoked_at: connector.revoked_at,
    });
    camera.device_id = Some(source.device_id.clone());
    (camera.online, camera.last_seen_at) = (source.online, source.last_seen_at);
    source.check_id()?;
    camera.describe(source.change(&camera.origins)?, now)?;
    Ok(camera)
}

/// Takes over what a connector says of a camera that is known. Answers whether its record changed.
async fn describe(tx: &mut Tx, camera: &mut Camera, source: &SourceDescription) -> Result<Result<bool, Invalid>> {
    let now = tx.now();
    let changed = match source.change(&camera.origins).and_then(|change| camera.describe(change, now)) {
        Ok(changed) => changed,
        Err(invalid) => return Ok(Err(invalid)),
    };
    let seen = (source.online.or(camera.online), source.last_seen_at.max(camera.last_seen_at));
    let moved = seen != (camera.online, camera.last_seen_at);
    (camera.online, camera.last_seen_at) = seen;
    let came_back = camera.vanished_at.take().is_some();
    if !changed.is_empty() || came_back {
        store::camera::save(tx, camera).await?;
        return Ok(Ok(true));
    }
    if moved {
        store::connector::saw(tx, &camera.id, seen.0, seen.1).await?;
    }
    Ok(Ok(false))
}

/// A connector sends a picture of a camera.
pub async fn set_thumbnail(app: &App, caller: &Caller, device_id: &str, jpeg: bytes::Bytes) -> Result<()> {
    let id = calling(caller)?;
    if jpeg.len() > LARGEST_THUMBNAIL_BYTES {
        return Err(Error::new(
            Kind::TooLarge,
            "too_large",
            format!("A picture may have at most {LARGEST_THUMBNAIL_BYTES} bytes."),
        ));
    }
    if !jpeg.starts_with(b"\xff\xd8\xff") {
        return Err(Invalid::field("", "Expected a JPEG picture.").into());
    }
    let sha256 = Sha256Digest::of(&jpeg).to_string();
    let blob = app.blobs().put("picture", jpeg).await?;
    let mut tx = app.begin().await?;
    let before = store::connector::set_thumbnail(&mut tx, id, device_id, &blob, &sha256).await?;
    let Some(before) = before else {
        app.blobs().remove(&blob).await?;
        return Err(Error::not_found("source"));
    };
    tx.commit_housekeeping().await?;
    if let Some(before) = before {
        app.blobs().remove(&before).await?;
    }
    Ok(())
}

/// Whether a connector that was last seen then is online now.
pub fn is_online(app: &App, last_seen_at: Option<Timestamp>) -> bool {
    connector::is_online(last_seen_at, None, app.now())
}
