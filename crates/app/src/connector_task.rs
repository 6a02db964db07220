//! What connectors are asked to do. Each call carries the lease number; under an older one nothing is changed.

use std::time::Duration;

use domain::camera::{Coverage, CoverageAnswer};
use domain::connector::{LEASE, Task, TaskKind, TaskState};
use domain::id::{CameraId, ConnectorId, RequestItemId, TaskId};
use domain::request_item::{Hold, Reason, UnavailableCode};
use domain::{Caller, Window};
use protocol::{Complete, Fail, FailCause, Progress, TaskPayload, TaskResult, UnavailableReason};
use serde_json::{Value, json};
use store::connector_task::NewTask;
use store::{Event, Tx};
use tokio::time::Instant;

use crate::connector::calling;
use crate::live::ItemProgress;
use crate::{App, Error, Result, request_item};

/// How long somebody who asks for coverage waits for the connector's answer.
const COVERAGE_WAIT: Duration = Duration::from_secs(4);

/// So much is kept of why a task waits, in characters.
const LONGEST_NOTE: usize = 500;

mod export;
use export as item;

/// Leases after which a task is given up: its work brings the connector down, or it never gets through.
const LEASES_AT_MOST: i64 = 50;

/// What a connector says that it holds. What the server believes it to hold and it does not is lost: deleted beside the recorder.
pub async fn holds(app: &App, caller: &Caller, held: &[RequestItemId]) -> Result<()> {
    let connector = calling(caller)?;
    let believed = store::request_item::held_by(&mut app.read().await?, connector).await?;
    for id in believed.iter().filter(|id| !held.contains(id)) {
        let mut tx = app.begin().await?;
        let events = request_item::hold_answered(app, &mut tx, caller, id, Hold::Lost, None).await?;
        finish(tx, events).await?;
    }
    Ok(())
}

/// Waits for a task and leases it. `None` when the wait is over, or the server stops.
pub async fn lease(app: &App, caller: &Caller, kinds: &[String], wait: Duration) -> Result<Option<protocol::Task>> {
    let connector = calling(caller)?;
    let until = Instant::now() + wait.min(Duration::from_secs(crate::connector::LONGEST_WAIT_SECONDS.into()));
    loop {
        let woken = app.wakers().connector_tasks.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        while store::connector_task::is_due(&mut app.read().await?, connector).await? {
            return_lost(app).await?;
            match lease_one(app, caller, connector, kinds).await? {
                Leased::Task(task) => return Ok(Some(*task)),
                Leased::Again => {}
                Leased::Nothing => break,
            }
        }
        let now = Instant::now();
        if now >= until {
            return Ok(None);
        }
        // other servers' commits do not wake us
        tokio::select! {
            _ = tokio::time::timeout_at(until.min(now + Duration::from_secs(1)), woken) => {}
            () = app.changes().over() => return Ok(None),
        }
    }
}

enum Leased {
    Task(Box<protocol::Task>),
    /// What was due is no longer wanted.
    Again,
    Nothing,
}

async fn lease_one(app: &App, caller: &Caller, connector: &ConnectorId, kinds: &[String]) -> Result<Leased> {
    let mut tx = app.begin().await?;
    let Some((id, item)) = store::connector_task::first_due(&mut tx, connector, kinds).await? else {
        return Ok(Leased::Nothing);
    };
    item::lock(&mut tx, item.as_ref()).await?;
    let Some(task) = store::connector_task::lease(&mut tx, &id, LEASE).await? else { return Ok(Leased::Again) };
    let Ok(payload) = serde_json::from_value::<TaskPayload>(task.payload.clone()) else {
        store::connector_task::end(&mut tx, &id, TaskState::Failed, None, Some("the task cannot be read")).await?;
        tx.commit_housekeeping().await?;
        return Ok(Leased::Again);
    };
    match item::leased(app, &mut tx, caller, &task).await {
        Ok(events) => finish(tx, events).await?,
        Err(error) if error.code == "wrong_state" || error.code == "not_found" => {
            store::connector_task::end(&mut tx, &id, TaskState::Canceled, None, None).await?;
            tx.commit_housekeeping().await?;
            return Ok(Leased::Again);
        }
        Err(error) => return Err(error),
    }
    let lease_seconds = u32::try_from(LEASE.as_secs()).unwrap_or(30);
    Ok(Leased::Task(Box::new(protocol::Task { id, lease: task.lease, lease_seconds, payload })))
}

/// Commits, with the ledger where something happened.
pub(crate) async fn finish(tx: Tx, events: Vec<Event>) -> Result<()> {
    let _: () = if events.is_empty() { tx.commit_housekeeping().await? } else { tx.commit(events).await? };
    Ok(())
}

fn lost() -> Error {
    Error::conflict("lease_lost", "The lease of this task is lost. Drop the work; nothing was changed.")
}

/// The task, if the caller holds this lease of it now.
async fn held(tx: &mut Tx, caller: &Caller, id: &TaskId, lease: i64) -> Result<Task> {
    let task = store::connector_task::lock(tx, calling(caller)?, id).await?.ok_or_else(|| Error::not_found("task"))?;
    if task.is_held(lease, tx.now()) { Ok(task) } else { Err(lost()) }
}

/// The same for the end of a task; `None` if this lease has ended it already.
async fn held_or_ended(tx: &mut Tx, caller: &Caller, id: &TaskId, lease: i64) -> Result<Option<Task>> {
    let item = store::connector_task::item_of(tx, id).await?;
    item::lock(tx, item.as_ref()).await?;
    let task = store::connector_task::lock(tx, calling(caller)?, id).await?.ok_or_else(|| Error::not_found("task"))?;
    if task.was_ended_by(lease) {
        return Ok(None);
    }
    if task.is_held(lease, tx.now()) { Ok(Some(task)) } else { Err(lost()) }
}

/// Keeps a lease. Answers for how long.
pub async fn extend(app: &App, caller: &Caller, id: &TaskId, lease: i64) -> Result<Duration> {
    let mut tx = app.begin().await?;
    held(&mut tx, caller, id, lease).await?;
    store::connector_task::extend(&mut tx, id, LEASE).await?;
    tx.commit_housekeeping().await?;
    Ok(LEASE)
}

/// Notes how far a task is.
pub async fn progress(app: &App, caller: &Caller, id: &TaskId, said: &Progress) -> Result<()> {
    let mut tx = app.begin().await?;
    let task = held(&mut tx, caller, id, said.lease).await?;
    let bytes = (said.bytes_done.max(0), said.bytes_total);
    let note = said.note.as_deref().map(short);
    store::connector_task::progress(&mut tx, id, said.phase.as_str(), bytes, note.as_deref()).await?;
    tx.commit_housekeeping().await?;
    if let Some(item_id) = task.item_id {
        let (bytes_done, bytes_total) = (said.bytes_done.max(0), said.bytes_total);
        app.progress().tell(ItemProgress { item_id, bytes_done, bytes_total });
    }
    Ok(())
}

/// A sentence of a connector, on one line.
fn short(note: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    note.chars().take(LONGEST_NOTE).map(plain).collect()
}

/// Ends a task well. Said again under the same lease, it changes nothing and is answered alike.
pub async fn complete(app: &App, caller: &Caller, id: &TaskId, said: Complete) -> Result<()> {
    let mut tx = app.begin().await?;
    let Some(task) = held_or_ended(&mut tx, caller, id, said.lease).await? else { return Ok(()) };
    let mut events = Vec::new();
    match &said.result {
        TaskResult::Exported { upload_id, sha256, size_bytes, manifest } => {
            let exported = item::Exported { upload_id, sha256, size_bytes: *size_bytes, manifest };
            match item::exported(&mut tx, caller, &task, exported).await {
                Ok(more) => events = more,
                Err(error) if matches!(error.code, "hash_differs" | "upload_unfinished") => {
                    drop(tx);
                    fail(app, caller, id, Fail { lease: said.lease, cause: again(&error.message) }).await?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
        }
        TaskResult::Coverage { device_id, spans, complete } => {
            save_coverage(&mut tx, calling(caller)?, &task, device_id, spans, *complete).await?;
        }
        TaskResult::Held { until } => {
            events = item::hold_ended(app, &mut tx, caller, &task, Hold::Held, *until).await?
        }
        TaskResult::Freed {} | TaskResult::Discovered {} | TaskResult::Thumbnail {} => {}
    }
    store::connector_task::end(&mut tx, id, TaskState::Done, Some(&json!(said.result)), None).await?;
    finish(tx, events).await
}

fn again(detail: &str) -> FailCause {
    FailCause::Error { retryable: true, detail: detail.to_owned() }
}

async fn save_coverage(
    tx: &mut Tx,
    connector: &ConnectorId,
    task: &Task,
    device_id: &str,
    spans: &[Window],
    complete: bool,
) -> Result<()> {
    let Ok(TaskPayload::Coverage { device_id: asked, from, to }) = serde_json::from_value(task.payload.clone()) else {
        return Ok(());
    };
    let Some(camera) = store::camera::find_by_device(tx, connector, device_id).await? else { return Ok(()) };
    if asked != device_id {
        return Ok(());
    }
    let window = Window { from, to };
    let spans = spans.iter().filter_map(|span| span.intersect(window)).collect();
    let answer = CoverageAnswer { window, asked_at: tx.now(), spans, complete };
    Ok(store::camera::insert_coverage(tx, &camera.id, &answer).await?)
}

/// Ends a try of a task without success: for good, or to be tried again.
pub async fn fail(app: &App, caller: &Caller, id: &TaskId, said: Fail) -> Result<()> {
    let mut tx = app.begin().await?;
    let Some(mut task) = held_or_ended(&mut tx, caller, id, said.lease).await? else { return Ok(()) };
    let now = tx.now();
    task.attempts += 1;
    store::connector_task::tried(&mut tx, id, task.attempts).await?;
    let events = match said.cause {
        FailCause::Unavailable { reason, detail } => {
            let code = match reason {
                UnavailableReason::NeverRecorded => UnavailableCode::NeverRecorded,
                UnavailableReason::Overwritten => UnavailableCode::Overwritten,
                UnavailableReason::Gap => UnavailableCode::Gap,
            };
            store::connector_task::end(&mut tx, id, TaskState::Unavailable, None, Some(&detail)).await?;
            let mut events = item::unavailable(app, &mut tx, caller, &task, code, &detail).await?;
            events.extend(item::hold_ended(app, &mut tx, caller, &task, Hold::Lost, None).await?);
            events
        }
        FailCause::Unsupported { detail } => {
            // before it is given up, which would call it lost
            let mut events = item::hold_ended(app, &mut tx, caller, &task, Hold::Unsupported, None).await?;
            events.extend(give_up(app, &mut tx, caller, &task, "unsupported", &detail).await?);
            events
        }
        FailCause::Error { retryable, detail } => match task.again_at(now).filter(|_| retryable) {
            Some(at) => {
                store::connector_task::give_back(&mut tx, id, task.attempts, at, Some(&detail)).await?;
                item::given_back(app, &mut tx, &task).await?
            }
            None => give_up(app, &mut tx, caller, &task, "export_failed", &detail).await?,
        },
    };
    finish(tx, events).await
}

async fn give_up(app: &App, tx: &mut Tx, caller: &Caller, task: &Task, code: &str, detail: &str) -> Result<Vec<Event>> {
    store::connector_task::end(tx, &task.id, TaskState::Failed, None, Some(detail)).await?;
    let reason = Reason { code: code.to_owned(), detail: detail.to_owned() };
    let mut events = item::failed(app, tx, caller, task, reason).await?;
    events.extend(item::hold_ended(app, tx, caller, task, Hold::Lost, None).await?);
    Ok(events)
}

/// Gives back what a connector held: it was restarted, or revoked.
pub(crate) async fn give_all_back(app: &App, tx: &mut Tx, connector: &ConnectorId) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for (id, item) in store::connector_task::leased(tx, Some(connector)).await? {
        item::lock(tx, item.as_ref()).await?;
        let Some(task) = store::connector_task::lock_leased(tx, &id).await? else { continue };
        let now = tx.now();
        store::connector_task::give_back(tx, &id, task.attempts, now, None).await?;
        events.extend(item::given_back(app, tx, &task).await?);
    }
    Ok(events)
}

/// Gives back what was leased to connectors that fell silent.
pub async fn return_lost(app: &App) -> Result<()> {
    let lost = store::connector_task::leased(&mut app.read().await?, None).await?;
    for (id, item) in lost {
        let mut tx = app.begin().await?;
        item::lock(&mut tx, item.as_ref()).await?;
        let Some(task) = store::connector_task::lock_leased(&mut tx, &id).await? else { continue };
        let now = tx.now();
        if now < task.lease_until {
            continue;
        }
        let events = if task.lease >= LEASES_AT_MOST {
            let detail = "The connector fell silent each time that it worked on this.";
            give_up(app, &mut tx, &Caller::server(), &task, "export_failed", detail).await?
        } else {
            store::connector_task::give_back(&mut tx, &id, task.attempts, now, Some("the lease ran out")).await?;
            item::given_back(app, &mut tx, &task).await?
        };
        finish(tx, events).await?;
        app.wakers().connector_tasks.notify_waiters();
    }
    Ok(())
}

/// Asks a connector what is recorded of a camera. False when such a question is on its way already. The waiters are woken by the
/// caller after its commit.
pub async fn ask_coverage(
    tx: &mut Tx,
    connector: &ConnectorId,
    camera: &CameraId,
    device_id: &str,
    window: Window,
) -> Result<bool> {
    if store::connector_task::is_coverage_asked(tx, camera).await? {
        return Ok(false);
    }
    let payload: Value =
        json!(TaskPayload::Coverage { device_id: device_id.to_owned(), from: window.from, to: window.to });
    let new = NewTask {
        connector_id: connector,
        kind: TaskKind::Coverage,
        item_id: None,
        camera_id: Some(camera),
        payload: &payload,
    };
    store::connector_task::push(tx, &new).await?;
    Ok(true)
}

/// What is known of a camera's recordings in a window, after its connector was asked, if it is here. Waits a little for the answer;
/// `asked_at` tells how old the knowledge is.
pub async fn refresh_coverage(app: &App, caller: &Caller, id: &CameraId, window: Window) -> Result<Coverage> {
    let known = crate::camera::coverage(app, caller, id, window).await?;
    let mut tx = app.begin().await?;
    let camera = crate::camera::visible(&mut tx, caller, id).await?;
    let here = camera.connector.filter(|connector| connector.online(tx.now()));
    let (Some(connector), Some(device_id)) = (here, camera.device_id) else { return Ok(known) };
    ask_coverage(&mut tx, &connector.id, id, &device_id, window).await?;
    tx.commit_housekeeping().await?;
    app.wakers().connector_tasks.notify_waiters();
    let until = Instant::now() + COVERAGE_WAIT;
    while Instant::now() < until && store::connector_task::is_coverage_asked(&mut app.read().await?, id).await? {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    crate::camera::coverage(app, caller, id, window).await
}

/// A page of a connector's tasks, newest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    connector: &ConnectorId,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<crate::page::Page<Task>> {
    crate::connector::find(app, caller, connector).await?;
    let limit = crate::page::limit(limit)?;
    let before = crate::page::key::<String>(cursor)?;
    let found = store::connector_task::list(&mut app.read().await?, connector, before.as_deref(), limit + 1).await?;
    Ok(crate::page::Page::cut(found, limit, |task| task.id.to_string()))
}
