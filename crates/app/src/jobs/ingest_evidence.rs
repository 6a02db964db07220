//! Looks at a file that arrived: its facts, a picture, a copy that plays. Then its item goes on.
//!
//! It may end at any point and run again: what it makes has a name that follows from the original's, nothing is noted before all is on
//! disk, and noting it, moving the item on and queueing the mail are one transaction.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Caller;
use domain::evidence::{Bytes, Evidence, MediaFacts, PlayableState};
use domain::id::EvidenceId;
use serde_json::json;
use store::Tx;
use store::job::Job;

use crate::media::{MediaError, MediaErrorKind, Probed, Tools};
use crate::{App, Error, Result, did};

/// How often a fault of this server is waited out; then the footage is handed on without a copy that plays.
const TRIES: i64 = 4;
/// Where in the footage the picture is taken, at most.
const PICTURE_AT: Duration = Duration::from_secs(2);
/// No run takes as long.
const LEFT_BEHIND: Duration = Duration::from_secs(7 * 24 * 3600);

/// Queues it, in the transaction that received the file.
pub(crate) async fn push(tx: &mut Tx, id: &EvidenceId) -> Result<()> {
    super::push(tx, "ingest_evidence", &json!({ "evidence_id": id }), Some(&format!("ingest {id}"))).await
}

/// Runs it.
pub(crate) async fn run(app: &App, job: &Job) -> Result<()> {
    let id: EvidenceId = serde_json::from_value(job.payload["evidence_id"].clone()).map_err(Error::internal)?;
    let found = store::evidence::find(&mut app.read().await?, &id).await?;
    let waits = |evidence: &Evidence| evidence.playable_state == PlayableState::Waiting && evidence.purged_at.is_none();
    let Some(mut evidence) = found.filter(waits) else {
        return Ok(());
    };
    let outcome = look_at(app, &mut evidence).await?;
    if let Err(error) = &outcome {
        tracing::warn!(evidence = %id, detail = error.detail, "{error}");
        if error.kind == MediaErrorKind::Installation && job.attempts < TRIES {
            return Err(Error::internal(error.to_string()));
        }
    }
    evidence.playable_state = if outcome.is_ok() { PlayableState::Ready } else { PlayableState::Failed };
    evidence.playable_error = outcome.err().map(|error| format!("No copy that plays could be made: {error}."));
    finish(app, evidence).await
}

/// Notes what was made, and moves the item on: one transaction.
async fn finish(app: &App, mut evidence: Evidence) -> Result<()> {
    let mut tx = app.begin().await?;
    // Whoever sends the last two files of an item, or finishes its link meanwhile, waits here.
    if let Some(request) = &evidence.request_id {
        store::video_request::lock(&mut tx, request).await?;
    }
    match store::evidence::save_derivatives(&mut tx, &mut evidence).await {
        // Released by hand meanwhile, or noted by another run: begin again with what is there now.
        Err(store::Error::Stale) => return Err(Error::internal("the file changed while it was looked at")),
        other => other?,
    }
    let made = |bytes: &Option<Bytes>| bytes.as_ref().map(|b| b.sha256.clone());
    let event = did(&Caller::server(), "evidence.process")
        .about("evidence", &evidence.id)
        .with("playable", evidence.playable_state.as_str())
        .with("playable_sha256", made(&evidence.playable))
        .with("thumbnail_sha256", made(&evidence.thumbnail))
        .personally("name", evidence.name.as_str());
    let mut events = match &evidence.item_id {
        Some(item) => crate::evidence::item_arrived(app, &mut tx, item).await?,
        None => Vec::new(),
    };
    let case = store::evidence::find(&mut tx, &evidence.id).await?.and_then(|evidence| evidence.case_id);
    events.insert(0, case.iter().fold(event, |event, case| event.about("case", case)));
    Ok(tx.commit(events).await?)
}

/// A folder of its own on this machine, for one run. What runs left behind that were killed goes after a week.
fn work_folder(app: &App) -> std::io::Result<tempfile::TempDir> {
    let above = app.data().join("work");
    std::fs::create_dir_all(&above)?;
    for entry in std::fs::read_dir(&above)?.flatten() {
        let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > LEFT_BEHIND) {
            // Another runner may be at it too.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    tempfile::Builder::new().prefix("ingest-").tempdir_in(above)
}

/// Makes all that can be made. The outer error is this server's, the inner one the reason why there is no copy that plays.
async fn look_at(app: &App, evidence: &mut Evidence) -> Result<Result<(), MediaError>> {
    let folder = work_folder(app).map_err(Error::internal)?;
    let input: PathBuf = match app.blobs().local_path(&evidence.original.blob) {
        Some(path) => path,
        None => {
            let copy = folder.path().join("original");
            app.blobs().copy_out(&evidence.original.blob, &copy).await?;
            copy
        }
    };
    // What is written stands apart from what is read: the programs may write nowhere else.
    let out = folder.path().join("out");
    std::fs::create_dir(&out).map_err(Error::internal)?;
    let tools = Tools::of(app.settings());
    let facts = match tools.probe(&input).await {
        Ok(facts) => facts,
        Err(error) => return Ok(Err(error)),
    };
    evidence.media = Some(facts.media.clone());
    let (picture, copy) = (out.join("thumbnail.jpg"), out.join("playable.mp4"));
    // Both at once: somebody waits for the footage.
    let (pictured, copied) =
        tokio::join!(tools.thumbnail(&input, picture_at(&facts), &picture), tools.make_playable(&input, &facts, &copy));
    match pictured {
        Ok(()) => evidence.thumbnail = Some(keep(app, &picture, "thumbnail", evidence).await?),
        Err(error) => tracing::info!(evidence = %evidence.id, detail = error.detail, "no thumbnail: {error}"),
    }
    match copied {
        Ok(plays) => evidence.media = Some(as_it_plays(facts.media, plays.facts.media.duration_ms)),
        Err(error) => return Ok(Err(error)),
    }
    evidence.playable = Some(keep(app, &copy, "playable", evidence).await?);
    Ok(Ok(()))
}

/// An index may promise more than there is: a file that was cut short, or whose end is damaged.
fn as_it_plays(mut media: MediaFacts, plays_ms: Option<u64>) -> MediaFacts {
    if let (Some(claimed), Some(plays)) = (media.duration_ms, plays_ms)
        && plays + 1_000 + claimed / 100 < claimed
    {
        (media.duration_ms, media.claimed_ms) = (Some(plays), Some(claimed));
    }
    media
}

/// Two seconds in, or in the middle of what is shorter.
fn picture_at(facts: &Probed) -> Duration {
    Duration::from_millis(facts.media.duration_ms.unwrap_or(0) / 2).min(PICTURE_AT)
}

/// What something is called that is made of an original: `playable` or `thumbnail`.
pub(super) fn name(kind: &str, original: &str) -> String {
    format!("{kind}/{}", original.split_once('/').map_or(original, |(_, tail)| tail))
}

/// Moves what was made into the store of bytes, under a name that follows from the original's random one: whoever makes it again
/// replaces it, so that a crash leaves nothing behind.
async fn keep(app: &App, file: &Path, kind: &str, evidence: &Evidence) -> Result<Bytes> {
    let blob = name(kind, &evidence.original.blob);
    let hashed = file.to_owned();
    let (size, sha256) =
        tokio::task::spawn_blocking(move || hash(&hashed)).await.map_err(Error::internal)?.map_err(Error::internal)?;
    app.blobs().adopt(file, &blob).await?;
    Ok(Bytes { blob, size_bytes: i64::try_from(size).map_err(Error::internal)?, sha256 })
}

fn hash(file: &Path) -> std::io::Result<(u64, String)> {
    use std::io::Read as _;
    let (mut file, mut hasher, mut size) = (std::fs::File::open(file)?, proof::digest::Hasher::new(), 0);
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((size, hasher.finish().to_string())),
            n => {
                hasher.update(&buffer[..n]);
                size += n as u64;
            }
        }
    }
}
