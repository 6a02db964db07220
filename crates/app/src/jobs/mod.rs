//! Work that is done after a commit: claimed from the database, tried again with back-off, given up after
//! [`TRIES`] where an administrator sees it. A job is a row, so a crash at any point only means that it
//! runs once more: each job does nothing a second time.

mod expire_request_items;
pub(crate) mod ingest_evidence;
mod purge_refused_evidence;
pub mod sequence_ledger;
pub(crate) mod settle_file_request;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::id::JobId;
use domain::policy::{self, Privilege};
use domain::{Caller, Timestamp};
use serde_json::Value;
use store::job::Job;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{App, Error, Kind, Result, did};

/// After so long without a sign of life another runner begins the job anew. Whoever runs it gives a sign three times as often;
/// when a server is killed, its jobs wait no longer than this.
const LEASE: Duration = Duration::from_secs(30);
/// How often a job is tried before it is given up.
pub const TRIES: i64 = 8;
/// Jobs that run at once on this server.
const RUNNERS: usize = 2;

/// Those who wait for work on this server are woken by a commit; on other servers they poll.
#[derive(Default)]
pub struct Wakers {
    /// Connectors that wait for a task.
    pub connector_tasks: Notify,
}

/// A job that panics, to see what comes of it.
#[cfg(feature = "testing")]
pub const PANICS: &str = "panics";

/// Runs what a job's kind names. A new job is one line here and one file beside this one.
async fn run(app: &App, job: &Job) -> Result<()> {
    match job.kind.as_str() {
        "expire_request_items" => expire_request_items::run(app).await,
        "ingest_evidence" => ingest_evidence::run(app, job).await,
        "purge_refused_evidence" => purge_refused_evidence::run(app).await,
        purge_refused_evidence::REMOVE => purge_refused_evidence::remove_bytes(app, job).await,
        "remove_expired_sessions" => remove_expired_sessions(app).await,
        "remove_abandoned_uploads" => crate::upload::remove_abandoned(app).await,
        "remove_orphaned_uploads" => crate::upload::remove_orphaned(app).await,
        "settle_file_request" => settle_file_request::run(app, job).await,
        "return_lost_leases" => crate::connector_task::return_lost(app).await,
        #[cfg(feature = "testing")]
        PANICS => panic!("as the test wants it"),
        other => Err(Error::internal(format!("no such job: {other}"))),
    }
}

/// Work that comes round by itself: its name and how often.
const RECURRING: &[(&str, Duration)] = &[
    ("remove_expired_sessions", Duration::from_secs(3600)),
    ("remove_abandoned_uploads", Duration::from_secs(600)),
    ("remove_orphaned_uploads", Duration::from_secs(60)),
    ("expire_request_items", Duration::from_secs(60)),
    ("purge_refused_evidence", Duration::from_secs(3600)),
    ("return_lost_leases", Duration::from_secs(5)),
];

async fn remove_expired_sessions(app: &App) -> Result<()> {
    let (now, settings) = (app.now(), app.settings());
    let mut tx = app.begin().await?;
    store::session::remove_expired(&mut tx, now.minus(settings.session_absolute), now.minus(settings.session_idle))
        .await?;
    tx.commit_housekeeping().await?;
    crate::throttle::forget(app).await
}

/// Queues a job in the transaction that causes it.
pub async fn push(tx: &mut store::Tx, kind: &'static str, payload: &Value, only_once: Option<&str>) -> Result<()> {
    let now = tx.now();
    Ok(store::job::push(tx, kind, payload, only_once, now).await?)
}

/// When a try after so many is due: doubling from one second to ten minutes, give or take a fifth.
pub fn again_at(now: Timestamp, attempts: i64, random: [u8; 1]) -> Timestamp {
    let seconds = (1u64 << attempts.clamp(1, 10).unsigned_abs()).min(600) as f64 / 2.0;
    now.plus(Duration::from_secs_f64(seconds * (0.8 + 0.4 * f64::from(random[0]) / 255.0)))
}

/// Jobs that were given up, or that wait; newest first, at most 500.
pub async fn list(app: &App, caller: &Caller, dead: bool) -> Result<Vec<Job>> {
    policy::holds_everywhere(caller, Privilege::ManageSettings)?;
    Ok(store::job::list(&mut app.read().await?, dead, 500).await?)
}

/// Tries a job again that was given up.
pub async fn retry(app: &App, caller: &Caller, id: &JobId) -> Result<()> {
    policy::holds_everywhere(caller, Privilege::ManageSettings)?;
    let mut tx = app.begin().await?;
    if !store::job::revive(&mut tx, id).await? {
        return Err(Error::not_found("job that was given up"));
    }
    Ok(tx.commit([did(caller, "job.retry").about("job", id)]).await?)
}

/// Runs a job, and keeps it from other runners for as long as that takes.
async fn run_held(app: &App, job: &Job) -> Result<()> {
    let hold = async {
        let mut every = tokio::time::interval(LEASE / 3);
        every.tick().await;
        loop {
            every.tick().await;
            let held = async {
                let mut tx = app.begin().await?;
                let held = store::job::extend(&mut tx, job, LEASE).await?;
                tx.commit_housekeeping().await?;
                Ok::<_, Error>(held)
            };
            // A database that does not answer now may do so before the lease is over.
            if let Ok(false) = held.await {
                return Err(Error::internal("another runner has taken the job"));
            }
        }
    };
    tokio::select! {
        outcome = caught(run(app, job)) => outcome,
        lost = hold => lost,
    }
}

/// Claims and runs one job. False when there was none to run.
pub async fn run_one(app: &App) -> Result<bool> {
    let mut tx = app.begin().await?;
    let Some(job) = store::job::claim(&mut tx, LEASE).await? else { return Ok(false) };
    tx.commit_housekeeping().await?;
    let recurring = RECURRING.iter().any(|(kind, _)| *kind == job.kind);
    // the last try took the server with it, or it would have been given up then
    let outcome = if job.attempts > TRIES && !recurring {
        Err(Error::internal(format!("It was begun {TRIES} times, and the server ended each time before it did.")))
    } else {
        run_held(app, &job).await
    };
    let mut tx = app.begin().await?;
    match outcome {
        Ok(()) => {
            store::job::done(&mut tx, &job).await?;
            if let Some((kind, every)) = RECURRING.iter().find(|(kind, _)| *kind == job.kind) {
                let at = tx.now().plus(*every);
                store::job::push(&mut tx, kind, &Value::Null, Some(kind), at).await?;
            }
        }
        Err(error) => {
            tracing::warn!(job = %job.id, kind = job.kind, attempts = job.attempts, error = %error, source = ?error.source, "job failed");
            let give_up = job.attempts >= TRIES && !recurring;
            let again = (!give_up).then(|| again_at(tx.now(), job.attempts, tx.random()));
            store::job::failed(&mut tx, &job, &error.for_administrators(), again).await?;
        }
    }
    tx.commit_housekeeping().await?;
    Ok(true)
}

/// A panic is a failure like any other: it must not end the loop that it happens in.
pub(crate) async fn caught<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    use futures::FutureExt as _;
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| {
        let words =
            panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(Error::internal(format!("a panic: {}", words.unwrap_or_default())))
    })
}

/// Queues the recurring jobs that are not queued yet.
pub async fn schedule(app: &App) -> Result<()> {
    let mut tx = app.begin().await?;
    for (kind, _) in RECURRING {
        push(&mut tx, kind, &Value::Null, Some(kind)).await?;
    }
    Ok(tx.commit_housekeeping().await?)
}

/// Runs jobs and sends mail until it is told to stop, then lets what is under way end.
pub async fn work(app: App, stop: CancellationToken) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..RUNNERS {
        tasks.spawn(each_commit(app.clone(), stop.clone(), |app| async move { run_one(&app).await }));
    }
    tasks.spawn(each_commit(app.clone(), stop.clone(), |app| async move { crate::mail::send_one(&app).await }));
    tasks.spawn(sequence_ledger::work(app.clone(), stop.clone()));
    while tasks.join_next().await.is_some() {}
}

/// Does something until there is nothing more to do, then waits for a commit here, or a second for those elsewhere.
pub async fn each_commit<F: Future<Output = Result<bool>>>(
    app: App,
    stop: CancellationToken,
    mut work: impl FnMut(App) -> F,
) {
    let mut commits = app.db().committed();
    while !stop.is_cancelled() {
        match caught(work(app.clone())).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(Error { kind: Kind::Internal, source, message, .. }) => {
                tracing::error!(message, ?source, "background work failed")
            }
            Err(error) => tracing::error!(%error, "background work failed"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = commits.recv() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}
