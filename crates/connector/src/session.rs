//! The life of a connector: says hello, publishes what there is, and works on tasks until it is told to stop. Every failure
//! is waited out; nothing but a refused key or version, which nobody but the operator can mend, is louder than a log line.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use protocol::{Hello, HelloAnswer, LeaseRequest, Software, VERSIONS};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::client::{CallError, Client};
use crate::clock;
use crate::config::Config;
use crate::held::Holds;
use crate::lanes::Lanes;
use crate::limits::Pace;
use crate::publish;
use crate::recorder::Recorder;
use crate::room::Room;
use crate::spool::Spool;
use crate::status::{self, Status};
use crate::task;

/// How long the server is asked to wait for a task while there is not room for each kind: there may be soon.
const WAIT_WHILE_BUSY: u32 = 2;

/// After so many looks at the cameras the video system's locks are looked at.
const LOCKS: u64 = 5;

/// How often is looked for holds whose term is over.
const SWEEP: Duration = Duration::from_secs(60);

/// The server is greeted again so often: how time goes by here is not how it goes by there.
const GREET_AGAIN: Duration = Duration::from_secs(3_600);

/// What all parts of a running connector share.
pub struct Shared {
    /// The server.
    pub client: Client,
    /// The recorder.
    pub recorder: Recorder,
    /// Where exports wait.
    pub spool: Arc<Spool>,
    /// What is kept for requests that are not decided.
    pub holds: Arc<Holds>,
    /// Wakes the publisher.
    pub publish_now: Notify,
    /// Which tasks may be worked on at once.
    pub lanes: Lanes,
    /// Who waits for room on the disk.
    pub room: Room,
    /// What is seen of it on this machine.
    pub status: Status,
    /// How fast footage is sent.
    pub pace: Option<Arc<Pace>>,
    /// What the configuration says.
    pub config: Config,
    settings: Mutex<Option<HelloAnswer>>,
}

impl Shared {
    /// What the server said last about how it wants to be called.
    pub fn settings(&self) -> Option<HelloAnswer> {
        self.settings.lock().expect("no panic while held").clone()
    }

    /// Whether footage is sent at this hour.
    pub fn may_send(&self) -> bool {
        self.config.limits.hours.as_ref().is_none_or(|hours| hours.hold(clock::now()))
    }
}

/// Works until `stop` is canceled.
pub async fn run(
    client: Client,
    recorder: Recorder,
    (spool, holds): (Spool, Holds),
    config: Config,
    stop: CancellationToken,
) {
    let shared = Arc::new(Shared {
        client: client.known_as(spool.instance()),
        recorder: recorder.remembering(spool.state()),
        spool: Arc::new(spool),
        holds: Arc::new(holds),
        publish_now: Notify::new(),
        lanes: Lanes::new(config.connector.tasks),
        room: Room::default(),
        status: Status::default(),
        pace: config.limits.upload_mbit.map(|mbit| Arc::new(Pace::megabits(mbit))),
        config,
        settings: Mutex::new(None),
    });
    let work = async {
        let (greeted, mut seen) = watch::channel(false);
        let mut greeted_once = seen.clone();
        let sweeper = async {
            // by the server's clock alone: this machine's may show any year after a start
            let _ = greeted_once.wait_for(|greeted| *greeted).await;
            sweep(&shared).await;
        };
        let publisher = async {
            let _ = seen.wait_for(|greeted| *greeted).await;
            publish::run(&shared).await;
        };
        let locks = async {
            let every = Duration::from_secs(shared.config.connector.discover_seconds.max(1).saturating_mul(LOCKS));
            loop {
                shared.holds.look_at_locks(&shared.recorder).await;
                tokio::time::sleep(every).await;
            }
        };
        tokio::join!(publisher, locks, lease_loop(&shared, &greeted), sweeper, status::serve(Arc::clone(&shared)));
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => tracing::info!("stopping"),
    }
}

/// How this program introduces itself.
pub fn hello(adapter: &str, restarted: bool) -> Hello {
    Hello {
        versions: VERSIONS.to_vec(),
        restarted,
        software: Software { name: "sightline-connector".into(), version: env!("CARGO_PKG_VERSION").into() },
        adapter_kinds: crate::adapter::KINDS.iter().map(|kind| (*kind).to_owned()).collect(),
        adapter: adapter.to_owned(),
        clock: clock::own(),
    }
}

/// Greets the server, and remembers what it wants.
pub async fn greet(shared: &Shared, restarted: bool) -> Result<HelloAnswer, CallError> {
    let answer = shared.client.hello(&hello(shared.recorder.kind(), restarted)).await?;
    if !VERSIONS.contains(&answer.version) {
        return Err(CallError::Refused(format!("version {} of the protocol is not known here", answer.version)));
    }
    if let Some(ahead) = clock::ahead_ms() {
        tracing::warn!(milliseconds = ahead, "this machine's clock is not the server's");
    }
    tracing::info!(name = answer.connector.name, id = %answer.connector.id, version = answer.version, "connected");
    shared.status.heard();
    *shared.settings.lock().expect("no panic while held") = Some(answer.clone());
    Ok(answer)
}

/// Lets go of what is held beyond its term, also when the server is not heard of again.
async fn sweep(shared: &Shared) {
    loop {
        for held in shared.holds.run_out(clock::now()) {
            match shared.holds.let_go(&shared.recorder, &held.item_id).await {
                Ok(()) => tracing::info!(item = %held.item_id, until = %held.until, "its term is over: no longer held"),
                Err(trouble) => {
                    tracing::warn!(item = %held.item_id, %trouble, "what is no longer held could not be removed")
                }
            }
        }
        tokio::time::sleep(SWEEP).await;
    }
}

async fn lease_loop(shared: &Arc<Shared>, greeted: &watch::Sender<bool>) {
    let mut backoff = Backoff::up_to(Duration::from_secs(20));
    let mut tasks = tokio::task::JoinSet::new();
    let mut connected = None::<Instant>;
    loop {
        while tasks.try_join_next().is_some() {}
        if connected.is_none_or(|since| since.elapsed() > GREET_AGAIN) {
            let restarted = !*greeted.borrow();
            match greet(shared, restarted).await {
                Ok(_) => {
                    connected = Some(Instant::now());
                    greeted.send_replace(true);
                    shared.publish_now.notify_one();
                }
                Err(error) => {
                    complain(shared, &error);
                    backoff.wait().await;
                    continue;
                }
            }
        }
        let kinds = shared.lanes.open().await;
        let any = kinds.is_empty();
        let longest = shared.settings().map_or(25, |settings| settings.longest_wait_seconds);
        let wait_seconds = if any { longest } else { longest.min(WAIT_WHILE_BUSY) };
        let started = tokio::time::Instant::now();
        match shared.client.lease(&LeaseRequest { wait_seconds, kinds, held: Some(shared.holds.items()) }).await {
            Ok(Some(task)) => {
                shared.status.heard();
                backoff.reset();
                let slot = shared.lanes.enter(task.payload.kind()).await;
                let shared = Arc::clone(shared);
                tasks.spawn(async move { task::work(&shared, task, slot).await });
            }
            Ok(None) => {
                shared.status.heard();
                backoff.reset();
                if any {
                    shared.spool.tidy(); // no export waits for us there
                }
                if started.elapsed() < Duration::from_millis(500) {
                    tokio::time::sleep(Duration::from_millis(500)).await; // a server that does not wait must not be hurried
                }
            }
            Err(error) => {
                complain(shared, &error);
                connected = None;
                backoff.wait().await;
            }
        }
    }
}

fn complain(shared: &Shared, error: &CallError) {
    shared.status.troubled(error);
    match error {
        CallError::Key(_) | CallError::Refused(_) | CallError::UsedTwice(_) => {
            tracing::error!(%error, "the server does not want this connector")
        }
        _ => tracing::warn!(%error, "no connection; trying again"),
    }
}
