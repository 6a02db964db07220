//! Tells the server which cameras there are: the whole set first, then what changed; and a picture of each now and then.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use protocol::{ProblemReport, SourceDescription, Sources};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::adapter::Discovery;
use crate::backoff::Backoff;
use crate::client::CallError;
use crate::room;
use crate::session::Shared;

/// Times and states that always change are told this often.
const REFRESH: Duration = Duration::from_secs(300);

/// A camera that gave no picture is asked again after so long.
const NO_PICTURE: Duration = Duration::from_secs(300);
/// How often is looked for pictures that are due.
const LOOK: Duration = Duration::from_secs(15);

/// Publishes on schedule, and when woken. Pictures are sent beside that: they may take hours where there are thousands of cameras.
pub async fn run(shared: &Shared) {
    let (told, ids) = watch::channel(Vec::new());
    tokio::join!(Publisher::new(shared).run(told), pictures(shared, ids));
}

/// What the server was told.
struct Publisher<'a> {
    shared: &'a Shared,
    sequence: i64,
    told: Option<(BTreeMap<String, SourceDescription>, Option<ProblemReport>)>,
    refreshed: Instant,
}

impl<'a> Publisher<'a> {
    /// Knows nothing yet.
    fn new(shared: &'a Shared) -> Self {
        let sequence = shared.settings().and_then(|settings| settings.sequence).unwrap_or(0);
        Self { shared, sequence, told: None, refreshed: Instant::now() }
    }

    async fn run(mut self, published: watch::Sender<Vec<String>>) {
        let mut backoff = Backoff::up_to(Duration::from_secs(30));
        let every = Duration::from_secs(self.shared.config.connector.discover_seconds.max(1));
        loop {
            let woken = self.shared.publish_now.notified();
            match self.publish().await {
                Ok(ids) => {
                    backoff.reset();
                    published.send_if_modified(|before| {
                        let others = *before != ids;
                        *before = ids;
                        others
                    });
                    tokio::select! {
                        () = woken => {}
                        () = tokio::time::sleep(every) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the sources could not be published");
                    backoff.wait().await;
                }
            }
        }
    }

    async fn publish(&mut self) -> Result<Vec<String>, CallError> {
        let Discovery { sources, whole, problem } = self.shared.recorder.discover().await;
        let problem = room::and_the_disk(self.shared, problem);
        if let Some(problem) = &problem {
            tracing::warn!(what_to_do = problem.what_to_do, "{}", problem.text);
        }
        self.shared.status.discovered(sources.len(), problem.clone());
        let now: BTreeMap<_, _> = sources.into_iter().map(|source| (source.device_id.clone(), source)).collect();
        // the server may have lost, or been given, another state than this process knows of
        let server_has = self.shared.settings().and_then(|settings| settings.sequence);
        if server_has.is_some_and(|sequence| sequence > self.sequence) {
            self.sequence = server_has.unwrap_or(0);
            self.told = None;
        }
        let message = match &self.told {
            Some((before, before_problem)) => {
                let refresh = self.refreshed.elapsed() >= REFRESH;
                let changed = |source: &&SourceDescription| match before.get(&source.device_id) {
                    None => true,
                    Some(known) if refresh => known != *source,
                    Some(known) => steady(known) != steady(source),
                };
                let delta = Sources {
                    sequence: self.sequence + 1,
                    base: Some(self.sequence),
                    sources: now.values().filter(changed).cloned().collect(),
                    vanished: before.keys().filter(|id| !now.contains_key(*id)).cloned().collect(),
                    problem: problem.clone(),
                };
                if delta.sources.is_empty() && delta.vanished.is_empty() && *before_problem == problem {
                    return Ok(now.into_keys().collect());
                }
                delta
            }
            // a system that did not tell of all its cameras must not make the server believe that the others are gone
            None => Sources {
                sequence: self.sequence + 1,
                base: server_has.filter(|_| !whole),
                sources: now.values().cloned().collect(),
                vanished: Vec::new(),
                problem: problem.clone(),
            },
        };
        let answer = match self.shared.client.sources(&message).await {
            Err(CallError::Conflict(_)) if message.base.is_some() => {
                let whole =
                    Sources { base: None, sources: now.values().cloned().collect(), vanished: Vec::new(), ..message };
                self.shared.client.sources(&whole).await?
            }
            other => other?,
        };
        for refused in &answer.refused {
            tracing::warn!(device_id = refused.device_id, "not taken over: {}", refused.message);
        }
        self.sequence = answer.sequence;
        if self.told.is_none() || self.refreshed.elapsed() >= REFRESH {
            self.refreshed = Instant::now();
        }
        let ids = now.keys().cloned().collect();
        if whole {
            self.told = Some((now, problem));
        }
        Ok(ids)
    }
}

/// Sends the pictures that are due, one after the other. A camera without one is no trouble.
async fn pictures(shared: &Shared, mut ids: watch::Receiver<Vec<String>>) {
    let mut due: HashMap<String, Instant> = HashMap::new();
    loop {
        let published = ids.borrow_and_update().clone(); // in order
        due.retain(|id, _| published.binary_search(id).is_ok());
        for id in published {
            if due.get(&id).is_none_or(|at| *at <= Instant::now()) {
                let Some(wait) = picture(shared, &id).await else { break };
                due.insert(id, Instant::now() + wait);
            }
        }
        let _ = tokio::time::timeout(LOOK, ids.changed()).await;
    }
}

/// Sends a camera's picture; answers when the next one is due, or nothing where the server cannot be reached.
async fn picture(shared: &Shared, id: &str) -> Option<Duration> {
    let every = shared.settings().map_or(3_600, |settings| settings.thumbnail_seconds);
    match shared.recorder.thumbnail(id).await {
        Ok(jpeg) => match shared.client.thumbnail(id, jpeg).await {
            Ok(()) => {}
            Err(CallError::Refused(why)) => tracing::warn!(device_id = id, why, "its picture was refused"),
            Err(error) => {
                tracing::warn!(%error, "pictures could not be sent");
                return None;
            }
        },
        Err(trouble) => {
            tracing::debug!(device_id = id, %trouble, "no picture");
            return Some(NO_PICTURE);
        }
    }
    Some(Duration::from_secs(every.into()))
}

/// Without what always changes.
fn steady(source: &SourceDescription) -> SourceDescription {
    SourceDescription { last_seen_at: None, ..source.clone() }
}
