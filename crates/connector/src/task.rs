//! Work on one task. A second future keeps the lease; when it is lost, the work is dropped where it stands, and nothing
//! more is said about it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use domain::Window;
use domain::id::{RequestItemId, TaskId};
use protocol::{Complete, Fail, FailCause, Phase, Progress, SourceDescription, Task, TaskPayload, TaskResult};

use crate::absence::Absence;
use crate::adapter::{Exported, Trouble};
use crate::backoff::Backoff;
use crate::client::CallError;
use crate::clock;
use crate::disk;
use crate::fetch;
use crate::growth::Fetched;
use crate::held::{Held, Kept, Lock};
use crate::lanes::Slot;
use crate::room::Writer;
use crate::session::Shared;
use crate::spool::{Entry, Work};
use crate::status::{About, Stage, Told};
use crate::upload::{Upload, UploadError};

/// How long is kept what has no term.
const HOLD_FOR: Duration = Duration::from_secs(31 * 24 * 3_600);

/// How work ends.
enum End {
    Done(TaskResult),
    Failed(FailCause),
    /// The lease is lost; nothing is to be said.
    Lost,
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        Self::Failed(match trouble {
            Trouble::NotYet | Trouble::NoRoom | Trouble::Away(_) | Trouble::Failing(_) | Trouble::NoKey(_) => {
                FailCause::Error { retryable: true, detail: trouble.to_string() }
            }
            Trouble::NoLock(detail) => FailCause::Unsupported { detail },
            Trouble::Unavailable { reason, detail } => FailCause::Unavailable { reason, detail },
            Trouble::Broken { retryable, detail } => FailCause::Error { retryable, detail },
        })
    }
}

fn broken(detail: impl ToString) -> End {
    End::Failed(FailCause::Error { retryable: true, detail: detail.to_string() })
}

/// Does a task and says how it ended.
pub async fn work(shared: &Shared, task: Task, mut slot: Slot) {
    let Task { id, lease, lease_seconds, payload } = task;
    let kind = payload.kind();
    tracing::info!(task = %id, lease, kind, "leased");
    let told = Arc::new(Told::new(Stage::new(Phase::Exporting, 0, None)));
    let _seen = shared.status.works_on(&id, About::of(&payload), Arc::clone(&told));
    let all = async {
        slot.take_up().await;
        let mut spooled = None;
        let end = match perform(shared, &id, lease, payload, &mut slot, &told, &mut spooled).await {
            Ok(result) => End::Done(result),
            Err(end) => end,
        };
        let again = matches!(end, End::Failed(FailCause::Error { retryable: true, .. }));
        let ended = report(shared, &id, lease, end).await;
        match &mut spooled {
            Some(work) if ended && again => work.failed(),
            Some(work) if ended => work.over(),
            _ => {}
        }
    };
    tokio::select! {
        () = all => {}
        () = keep(shared, &id, lease, lease_seconds, &told) => tracing::warn!(task = %id, lease, "lease lost; dropped"),
    }
}

/// Extends the lease and tells progress; returns when the lease is lost. A server that does not answer has not taken it away.
async fn keep(shared: &Shared, id: &TaskId, lease: i64, lease_seconds: u32, told: &Told) {
    let third = Duration::from_secs(lease_seconds.into()) / 3;
    let mut extend = tokio::time::interval(third.max(Duration::from_millis(200)));
    let mut tell = tokio::time::interval(Duration::from_millis(500));
    extend.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    tell.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    extend.tick().await;
    let mut last = None;
    loop {
        let answer = tokio::select! {
            _ = extend.tick() => shared.client.extend(id, lease).await.map(drop),
            _ = tell.tick() => {
                let now = told.lock().expect("no panic while held").clone();
                if last.as_ref() == Some(&now) {
                    continue;
                }
                last = Some(now.clone());
                let Stage { phase, done, total, note } = now;
                let whole = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
                let (bytes_done, bytes_total) = (whole(done), total.map(whole));
                let progress = Progress { lease, phase, bytes_done, bytes_total, note };
                shared.client.progress(id, &progress).await
            }
        };
        match answer {
            Err(CallError::LeaseLost(_) | CallError::Key(_)) => return,
            Err(error) => tracing::info!(task = %id, %error, "the lease could not be extended yet"),
            Ok(()) => {}
        }
    }
}

/// Says how it ended. False when the lease was lost first: somebody may go on with it, perhaps this process.
async fn report(shared: &Shared, id: &TaskId, lease: i64, end: End) -> bool {
    let mut backoff = Backoff::up_to(Duration::from_secs(15));
    loop {
        let answer = match &end {
            End::Lost => Err(CallError::LeaseLost(String::new())),
            End::Done(result) => shared.client.complete(id, &Complete { lease, result: result.clone() }).await,
            End::Failed(cause) => shared.client.fail(id, &Fail { lease, cause: cause.clone() }).await,
        };
        match answer {
            Ok(()) => {
                match &end {
                    End::Failed(cause) => tracing::warn!(task = %id, lease, ?cause, "failed"),
                    _ => tracing::info!(task = %id, lease, "completed"),
                }
                return true;
            }
            Err(error) if error.may_repeat() => {
                tracing::info!(task = %id, %error, "the end could not be reported yet");
                backoff.wait().await;
            }
            Err(CallError::LeaseLost(_) | CallError::Key(_)) => {
                tracing::warn!(task = %id, lease, "lease lost; dropped");
                return false;
            }
            Err(error) => {
                tracing::warn!(task = %id, lease, %error, "the end was not accepted");
                return true;
            }
        }
    }
}

async fn perform(
    shared: &Shared,
    id: &TaskId,
    lease: i64,
    payload: TaskPayload,
    slot: &mut Slot,
    told: &Told,
    spooled: &mut Option<Work>,
) -> Result<TaskResult, End> {
    let checked = |from, to| Window::checked(from, to).ok_or_else(|| End::from(reversed()));
    match payload {
        TaskPayload::Discover {} => {
            shared.publish_now.notify_one();
            Ok(TaskResult::Discovered {})
        }
        TaskPayload::Thumbnail { device_id } => {
            let jpeg = shared.recorder.thumbnail(&device_id).await?;
            shared.client.thumbnail(&device_id, jpeg).await.map_err(call)?;
            Ok(TaskResult::Thumbnail {})
        }
        TaskPayload::Coverage { device_id, from, to } => {
            let coverage = shared.recorder.coverage(&device_id, checked(from, to)?).await?;
            Ok(TaskResult::Coverage { device_id, spans: coverage.spans, complete: coverage.complete })
        }
        TaskPayload::Export { item_id, device_id, from, to } => {
            let window = checked(from, to)?;
            let work = spooled.insert(shared.spool.work(id).await.map_err(broken)?);
            let entry = match begun(shared, work, &device_id, window)? {
                Some(entry) => entry,
                None => {
                    let recorder_lacks = AtomicBool::new(false);
                    let attempt =
                        |into| fetch::export(shared, &item_id, &device_id, window, (told, &recorder_lacks), into);
                    let exported = patiently(shared, work, slot, told, attempt).await?;
                    keep_export(shared, work, exported, &device_id, window, slot, told).await?
                }
            };
            send(shared, id, lease, work, entry, slot, told).await
        }
        TaskPayload::Hold { item_id, device_id, from, to, until } => {
            let window = checked(from, to)?;
            let work = spooled.insert(shared.spool.work(id).await.map_err(broken)?);
            let until = until.unwrap_or_else(|| clock::now().plus(HOLD_FOR));
            let source = described(shared, &device_id);
            let kept = Kept::Lock { name: String::new(), begun: true, lost: false };
            hold(shared, work, Held { item_id, source, window, until, kept }, slot, told).await
        }
        TaskPayload::Free { item_id, .. } => {
            free(shared, &item_id, slot, told).await?;
            Ok(TaskResult::Freed {})
        }
        TaskPayload::Unknown => Err(End::Failed(FailCause::Unsupported {
            detail: "This version of sightline-connector does not know such tasks.".into(),
        })),
    }
}

fn reversed() -> Trouble {
    Trouble::Broken { retryable: false, detail: "The window is empty or reversed.".into() }
}

fn call(error: CallError) -> End {
    match error {
        CallError::LeaseLost(_) | CallError::Key(_) => End::Lost,
        other => broken(other),
    }
}

fn tell(told: &Told, phase: Phase, done: u64, total: Option<u64>) {
    *told.lock().expect("no panic while held") = Stage::new(phase, done, total);
}

/// What an earlier lease of the task had finished exporting. The operator may have taken the camera back since.
fn begun(shared: &Shared, work: &Work, device_id: &str, window: Window) -> Result<Option<Entry>, End> {
    let Some(entry) = work.finished(device_id, window) else { return Ok(None) };
    shared.recorder.require_published(device_id, &entry.source)?;
    tracing::info!(file = entry.file, location = entry.location, "going on with what was exported before");
    Ok(Some(entry.clone()))
}

/// Tries until the window is no longer being recorded, until the video system can be reached, and until there is room for it. Waiting
/// for that costs no right to work.
async fn patiently<T, F: Future<Output = Result<T, Trouble>>>(
    shared: &Shared,
    work: &mut Work,
    slot: &mut Slot,
    told: &Told,
    attempt: impl Fn(PathBuf) -> F,
) -> Result<T, End> {
    let (mut writer, mut absence) = (Writer::new(shared), Absence::default());
    let mut scratch = None;
    loop {
        // who waits for a turn does not wait any more for what was told before
        tell(told, Phase::Exporting, 0, None);
        slot.take_up().await;
        let turn = writer.turn().await;
        let into = match scratch.take() {
            Some(into) => Ok(into),
            None => work.scratch().map_err(Trouble::disk),
        };
        let done = match into {
            Ok(into) => attempt(scratch.insert(into).clone()).await,
            Err(trouble) => Err(trouble),
        };
        match absence.seen_in(done) {
            Err(Trouble::Away(why)) => {
                drop(turn);
                absence.wait(Phase::WaitingForSystem, &why, slot, told).await;
            }
            Err(Trouble::NoKey(why)) => {
                drop(turn);
                absence.wait(Phase::WaitingForKey, &why, slot, told).await;
            }
            Err(Trouble::NotYet) => {
                drop(turn);
                tell(told, Phase::WaitingForRecording, 0, None);
                slot.put_down();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(Trouble::NoRoom) => {
                scratch = None;
                work.clear(); // to others it may be room enough
                drop(turn);
                wait_for_room(&mut writer, slot, told).await;
            }
            done => return Ok(done?),
        }
    }
}

/// Lets go of what is held; a video system that cannot be reached is waited for.
async fn free(shared: &Shared, item: &RequestItemId, slot: &mut Slot, told: &Told) -> Result<(), End> {
    let mut absence = Absence::default();
    loop {
        tell(told, Phase::Exporting, 0, None);
        slot.take_up().await;
        match absence.seen_in(shared.holds.let_go(&shared.recorder, item).await) {
            Err(Trouble::Away(why)) => absence.wait(Phase::WaitingForSystem, &why, slot, told).await,
            done => return Ok(done?),
        }
    }
}

async fn wait_for_room(writer: &mut Writer<'_>, slot: &mut Slot, told: &Told) {
    tell(told, Phase::WaitingForRoom, 0, None);
    slot.put_down();
    writer.wait().await;
}

/// Keeps a finished export; what is noted of it is little, and yet there may be no room for it.
async fn keep_export(
    shared: &Shared,
    work: &mut Work,
    exported: Exported,
    device_id: &str,
    window: Window,
    slot: &mut Slot,
    told: &Told,
) -> Result<Entry, End> {
    let mut writer = Writer::new(shared);
    loop {
        match work.keep(&exported, described(shared, device_id), window).await {
            Err(error) if disk::is_full(&error) => wait_for_room(&mut writer, slot, told).await,
            kept => return kept.map_err(broken),
        }
    }
}

/// As the video system described the camera last.
fn described(shared: &Shared, device_id: &str) -> SourceDescription {
    let unknown = || SourceDescription { device_id: device_id.to_owned(), ..SourceDescription::default() };
    shared.recorder.source(device_id).map_or_else(unknown, |source| SourceDescription::clone(&source))
}

/// Keeps a window: the video system does it itself, or an export of it is kept here, encrypted. Asked again, it keeps what it has.
async fn hold(shared: &Shared, work: &mut Work, held: Held, slot: &mut Slot, told: &Told) -> Result<TaskResult, End> {
    let until = Some(held.until);
    let window = held.window;
    let done = |before: &Held| before.window == window && !matches!(before.kept, Kept::Lock { begun: true, .. });
    if let Some(before) = shared.holds.find(&held.item_id).filter(done) {
        let source = before.source;
        shared.holds.note(&Held { kept: before.kept, source, ..held }).map_err(broken)?;
        return Ok(TaskResult::Held { until });
    }
    let locked = patiently(shared, work, slot, told, |_| shared.holds.lock(&shared.recorder, &held)).await?;
    let Lock::None(why) = locked else { return Ok(TaskResult::Held { until }) };
    if !shared.holds.keeps_exports() {
        let detail = format!("{why} This connector is not set up to keep footage ([hold]).");
        return Err(End::Failed(FailCause::Unsupported { detail }));
    }
    tracing::info!(item = %held.item_id, why, "an encrypted export is held instead");
    let attempt = |into| export_and_hold(shared, &held, into);
    patiently(shared, work, slot, told, attempt).await?;
    work.over();
    Ok(TaskResult::Held { until })
}

async fn export_and_hold(shared: &Shared, held: &Held, into: PathBuf) -> Result<(), Trouble> {
    shared.holds.may_encrypt()?;
    let exported = shared.recorder.export(&held.source.device_id, held.window, &into, &Fetched::default()).await?;
    let (holds, held) = (Arc::clone(&shared.holds), held.clone());
    let kept = tokio::task::spawn_blocking(move || holds.keep(held, &exported, &into)).await;
    kept.map_err(Trouble::again)?.map_err(Trouble::disk)
}

/// Waits for the hours at which footage may be sent. That costs no right to work.
async fn wait_for_hours(shared: &Shared, slot: &mut Slot, told: &Told) {
    while !shared.may_send() {
        slot.put_down();
        tell(told, Phase::WaitingForHours, 0, None);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    slot.take_up().await;
}

async fn hours_end(shared: &Shared) {
    while shared.may_send() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn send(
    shared: &Shared,
    id: &TaskId,
    lease: i64,
    work: &mut Work,
    entry: Entry,
    slot: &mut Slot,
    told: &Told,
) -> Result<TaskResult, End> {
    let mut manifest = entry.manifest.clone();
    let (suffix, media_type) =
        if manifest.export.container == "mp4" { ("mp4", "video/mp4") } else { ("mkv", "video/x-matroska") };
    let (path, name) = (work.file(&entry), file_name(&entry.source.device_id, entry.window, suffix));
    let sent = loop {
        wait_for_hours(shared, slot, told).await;
        let upload = Upload {
            client: &shared.client,
            task: id,
            lease,
            path: &path,
            name: &name,
            media_type,
            begun: work.location(),
            pace: shared.pace.clone(),
        };
        let placed = |location: &str| {
            // without the note a restarted connector begins anew, and nothing worse
            if let Err(error) = work.sent_to(location) {
                tracing::warn!(task = %id, %error, "where the export is sent could not be noted");
            }
        };
        tokio::select! {
            sent = upload.send(placed, |phase, done, total| tell(told, phase, done, Some(total))) => break sent,
            () = hours_end(shared) => tracing::info!(task = %id, "the hours are over; goes on in the next"),
        }
    };
    let sent = sent.map_err(|error| match error {
        UploadError::Call(error) => call(error),
        other => broken(other),
    })?;
    let size_bytes = i64::try_from(sent.size_bytes).unwrap_or(i64::MAX);
    manifest.export.sha256.clone_from(&sent.sha256);
    manifest.export.size_bytes = size_bytes;
    Ok(TaskResult::Exported {
        upload_id: sent.upload_id,
        sha256: sent.sha256,
        size_bytes,
        manifest: Box::new(manifest),
    })
}

/// Such as `yard-2_2026-11-22T21-05-00Z_120s.mp4`.
fn file_name(device_id: &str, window: Window, suffix: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let camera: String = device_id.chars().map(plain).take(80).collect();
    let from = window.from.to_string();
    let from = from.split('.').next().unwrap_or_default().replace(':', "-");
    format!("{}_{from}Z_{}s.{suffix}", camera.trim_start_matches('.'), window.duration().as_secs())
}
