//! Tells the server which cameras there are: the whole set first, then what changed; and a picture of each now and then.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use protocol::{ClockOffset, ProblemReport, SourceDescription, SourceProblem, Sources};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::adapter::{self, Discovery};
use crate::backoff::Backoff;
use crate::burned;
use crate::client::CallError;
use crate::room;
use crate::session::{self, Shared};

/// Times and states that always change are told this often.
const REFRESH: Duration = Duration::from_secs(300);

/// So many refused cameras are named.
const NAMED: usize = 3;

/// A camera that gave no picture is asked again after so long.
const NO_PICTURE: Duration = Duration::from_secs(300);
/// How often is looked for pictures that are due.
const LOOK: Duration = Duration::from_secs(15);

/// Publishes on schedule, and when woken. Pictures are sent beside that: they may take hours where there are thousands of cameras.
pub async fn run(shared: &Shared) {
    let (told, ids) = watch::channel(Vec::new());
    tokio::join!(Publisher::new(shared).run(told), pictures(shared, ids), burned_in_clock(shared));
}

/// Reads the clock in the pictures on its own schedule: it takes some seconds, which nothing else waits for.
async fn burned_in_clock(shared: &Shared) {
    while let (Some(_), Some(wait)) = (shared.recorder.read_clock().await, shared.recorder.next_reading()) {
        shared.publish_now.notify_one();
        tokio::time::sleep(wait).await;
    }
}

/// A source as the server was told of it. The descriptions of thousands of cameras, kept to compare, would be most of what an
/// idle connector holds.
#[derive(PartialEq)]
struct Told {
    steady: u64,
    whole: u64,
}

impl Told {
    fn of(source: &SourceDescription) -> Self {
        // without what always changes
        let steady = SourceDescription { last_seen_at: None, clock_offset: None, ..source.clone() };
        Self { steady: hash(&steady), whole: hash(source) }
    }
}

/// Means the same only within this process.
fn hash(source: &SourceDescription) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(source).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

/// What the server was told.
struct Publisher<'a> {
    shared: &'a Shared,
    sequence: i64,
    told: Option<(BTreeMap<String, Told>, Option<ProblemReport>)>,
    /// What of that it did not take over, and why.
    refused: BTreeMap<String, String>,
    refreshed: Instant,
    /// The system's clock when it was told of all.
    clock: Option<ClockOffset>,
}

impl<'a> Publisher<'a> {
    /// Knows nothing yet.
    fn new(shared: &'a Shared) -> Self {
        let sequence = shared.settings().and_then(|settings| settings.sequence).unwrap_or(0);
        Self { shared, sequence, told: None, refused: BTreeMap::new(), refreshed: Instant::now(), clock: None }
    }

    async fn run(mut self, published: watch::Sender<Vec<Arc<str>>>) {
        let mut backoff = Backoff::up_to(Duration::from_secs(30));
        let every = Duration::from_secs(self.shared.config.connector.discover_seconds.max(1));
        loop {
            let woken = self.shared.publish_now.notified();
            match self.publish().await {
                Ok(sources) => {
                    backoff.reset();
                    published.send_if_modified(|before| {
                        let now = sources.iter().map(|source| source.device_id.as_str());
                        let others = !now.clone().eq(before.iter().map(AsRef::as_ref));
                        if others {
                            *before = now.map(Arc::from).collect();
                        }
                        others
                    });
                    drop(sources);
                    tokio::select! {
                        () = woken => {}
                        () = tokio::time::sleep(every) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the sources could not be published");
                    self.shared.status.unpublished(&error);
                    backoff.wait().await;
                }
            }
        }
    }

    /// Answers what the server has taken over, in the order of the ids.
    async fn publish(&mut self) -> Result<Vec<Arc<SourceDescription>>, CallError> {
        let Discovery { sources: mut now, whole, problem, .. } = self.shared.recorder.discover().await;
        let problem = adapter::both(room::and_the_disk(self.shared, problem), self.shared.holds.problem_now());
        if let Some(problem) = &problem {
            tracing::warn!(what_to_do = problem.what_to_do, "{}", problem.text);
        }
        let before = self.refused.clone();
        self.tell(&now, whole, problem.clone()).await?;
        if self.refused != before {
            self.tell(&now, whole, problem).await?; // what it refuses is known only now
        }
        now.retain(|source| !self.refused.contains_key(&source.device_id));
        self.shared.status.published(now.len());
        Ok(now)
    }

    /// Tells what the server does not know yet, if anything.
    async fn tell(
        &mut self,
        now: &[Arc<SourceDescription>],
        whole: bool,
        problem: Option<ProblemReport>,
    ) -> Result<(), CallError> {
        self.refused.retain(|id, _| is_among(now, id));
        let problem = adapter::both(problem, refusal(&self.refused));
        self.shared.status.discovered(problem.clone());
        // the server may have lost, or been given, another state than this process knows of
        let server_has = self.shared.settings().and_then(|settings| settings.sequence);
        if server_has.is_some_and(|sequence| sequence > self.sequence) {
            self.sequence = server_has.unwrap_or(0);
            self.told = None;
        }
        let mut message = match &self.told {
            Some((told, told_problem)) => {
                let delta = Sources { base: Some(self.sequence), problem, ..self.changes(told, now) };
                let same = delta.sources.is_empty() && delta.vanished.is_empty();
                if same && delta.problem == *told_problem {
                    return Ok(());
                }
                delta
            }
            // a system that did not tell of all its cameras must not make the server believe that the others are gone
            None => Sources { base: self.base(whole), problem, ..self.all(now) },
        };
        let answer = match self.shared.client.sources(&message).await {
            Err(CallError::Conflict(_)) if message.base.is_some() => {
                (self.sequence, self.told) = (session::greet(self.shared, false).await?.sequence.unwrap_or(0), None);
                message = Sources { base: self.base(whole), problem: message.problem, ..self.all(now) };
                self.shared.client.sources(&message).await?
            }
            other => other?,
        };
        self.sequence = answer.sequence;
        self.take_back(&message, answer.missing).await?;
        if self.told.is_none() || self.refresh() {
            (self.refreshed, self.clock) = (Instant::now(), self.shared.recorder.clock());
        }
        self.judged(&message, answer.refused);
        self.note(message, whole);
        Ok(())
    }

    /// On top of what all is told that there is. A system that did not tell of all its cameras must not make the server believe that the
    /// others are gone.
    fn base(&self, whole: bool) -> Option<i64> {
        (!whole && self.sequence > 0).then_some(self.sequence)
    }

    /// Tells which of those that the server has beyond this message their owner keeps back.
    async fn take_back(&mut self, message: &Sources, missing: Vec<String>) -> Result<(), CallError> {
        let kept_back = self.shared.recorder.kept_back();
        let withdrawn: Vec<_> = missing.into_iter().filter(|id| kept_back.contains(id)).collect();
        if withdrawn.is_empty() {
            return Ok(());
        }
        let (base, problem) = (Some(self.sequence), message.problem.clone());
        let message = Sources { sequence: self.sequence + 1, base, withdrawn, problem, ..Sources::default() };
        self.sequence = self.shared.client.sources(&message).await?.sequence;
        Ok(())
    }

    /// Remembers what the server did not take over of what it was told.
    fn judged(&mut self, message: &Sources, refused: Vec<SourceProblem>) {
        for source in &message.sources {
            self.refused.remove(&source.device_id);
        }
        for SourceProblem { device_id, message } in refused {
            tracing::warn!(device_id, "not taken over: {message}");
            self.refused.insert(device_id, message);
        }
    }

    /// Whether it is time to tell what always changes. A clock that shows another time than before is told at once.
    fn refresh(&self) -> bool {
        let same = match (self.shared.recorder.clock(), self.clock) {
            (Some(now), Some(told)) => burned::agree(&now, &told),
            (now, told) => now.is_some() == told.is_some(),
        };
        self.refreshed.elapsed() >= REFRESH || !same
    }

    fn all(&self, now: &[Arc<SourceDescription>]) -> Sources {
        Sources {
            sequence: self.sequence + 1,
            base: None,
            sources: now.iter().map(|source| SourceDescription::clone(source)).collect(),
            vanished: Vec::new(),
            withdrawn: Vec::new(),
            problem: None,
        }
    }

    fn changes(&self, told: &BTreeMap<String, Told>, now: &[Arc<SourceDescription>]) -> Sources {
        let refresh = self.refresh();
        let changed = |source: &&Arc<SourceDescription>| {
            let fresh = Told::of(source);
            // the office may have mended meanwhile what was refused
            let anew = |told: &Told| fresh != *told || self.refused.contains_key(&source.device_id);
            told.get(&source.device_id).is_none_or(|told| fresh.steady != told.steady || refresh && anew(told))
        };
        let kept_back = self.shared.recorder.kept_back();
        let vanished: Vec<_> = told.keys().filter(|id| !is_among(now, id)).cloned().collect();
        Sources {
            sequence: self.sequence + 1,
            base: None,
            sources: now.iter().filter(changed).map(|source| SourceDescription::clone(source)).collect(),
            withdrawn: vanished.iter().filter(|id| kept_back.contains(*id)).cloned().collect(),
            vanished,
            problem: None,
        }
    }

    /// Remembers what the server has taken over.
    fn note(&mut self, message: Sources, whole: bool) {
        let fresh = message.sources.iter().map(|source| (source.device_id.clone(), Told::of(source)));
        match &mut self.told {
            Some((told, problem)) if message.base.is_some() => {
                told.extend(fresh);
                for id in &message.vanished {
                    told.remove(id);
                }
                *problem = message.problem;
            }
            _ if whole => self.told = Some((fresh.collect(), message.problem)),
            _ => {}
        }
    }
}

/// Whether a source is one of these, which are in the order of their ids.
fn is_among(sources: &[Arc<SourceDescription>], id: &str) -> bool {
    sources.binary_search_by(|source| source.device_id.as_str().cmp(id)).is_ok()
}

/// What the server does not take over, for those who can correct it.
pub fn refusal(refused: &BTreeMap<String, String>) -> Option<ProblemReport> {
    let short = |id: &str| id.chars().take(100).collect::<String>();
    let named = |(id, why): (&String, &String)| format!("'{}' ({})", short(id), why.trim_end_matches('.'));
    let mut list = refused.iter().take(NAMED).map(named).collect::<Vec<_>>().join(", ");
    if refused.len() > NAMED {
        list = format!("{list} and {} more", refused.len() - NAMED);
    }
    (!refused.is_empty()).then(|| ProblemReport {
        text: format!("The server does not take over what is said of these cameras: {list}."),
        what_to_do: "Correct it in the video system, or in [[source]] of the connector's configuration. \
                     \"sightline-connector check\" names each of them."
            .into(),
    })
}

/// Sends the pictures that are due, one after the other. A camera without one is no trouble.
async fn pictures(shared: &Shared, mut ids: watch::Receiver<Vec<Arc<str>>>) {
    let mut due: HashMap<Arc<str>, Instant> = HashMap::new();
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

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn what_always_changes_is_told_with_the_rest_now_and_then() {
        let gate = SourceDescription { device_id: "1".into(), name: "Gate".into(), ..SourceDescription::default() };
        let clock = ClockOffset { offset_ms: 7, uncertainty_ms: None, measured_at: None };
        let later = SourceDescription {
            last_seen_at: Some(Timestamp::from_micros(1)),
            clock_offset: Some(clock),
            ..gate.clone()
        };
        let renamed = SourceDescription { name: "Gate 1".into(), ..gate.clone() };
        let [gate, later, renamed] = [gate, later, renamed].map(|source| Told::of(&source));
        assert!(gate.steady == later.steady && gate.whole != later.whole);
        assert!(gate.steady != renamed.steady && gate.whole != renamed.whole);
    }
}
