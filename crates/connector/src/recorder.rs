//! The recorder as the rest of the connector sees it: an adapter whose times are put right, whose gaps of knowledge the
//! operator's file fills, and of which nothing is seen that is not published.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Timestamp, Window};
use protocol::{ClockOffset, Manifest, ProblemReport, SourceDescription, UnavailableReason};

use crate::adapter::{self, Adapter, Asked, Coverage, Discovery, Exported, Locks, Trouble};
use crate::burned::{BurnedIn, Shown, Unread};
use crate::clock;
use crate::config::{Config, Publish, SourceConfig};
use crate::growth::Fetched;
use crate::memory::Memory;
use crate::publish;

/// No camera is described with more bytes of text; the server takes far less.
const LONGEST_TEXT: usize = 64 << 10;

/// So long after its end a window must have been recorded.
const SETTLE: Duration = Duration::from_secs(3);

/// A video system, as its operator wants it to be seen.
pub struct Recorder {
    adapter: Box<dyn Adapter>,
    publish: Publish,
    mapping: HashMap<String, SourceConfig>,
    burned_in: Option<BurnedIn>,
    memory: Memory,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What the system said last, completed; also what is kept back.
    sources: BTreeMap<String, Arc<SourceDescription>>,
    /// Measured for the system as a whole.
    clock: Option<ClockOffset>,
}

impl Known {
    /// What is as it was stays where it lies: thousands of cameras laid down anew each time would leave the memory full of holes.
    fn learn(&mut self, sources: Vec<SourceDescription>, whole: bool) {
        if whole {
            let found: HashSet<&str> = sources.iter().map(|source| source.device_id.as_str()).collect();
            self.sources.retain(|id, _| found.contains(id.as_str()));
        }
        for source in sources {
            if self.sources.get(&source.device_id).is_none_or(|known| **known != source) {
                self.sources.insert(source.device_id.clone(), Arc::new(source));
            }
        }
    }
}

impl Recorder {
    /// A recorder that was not asked anything yet.
    pub fn new(adapter: Box<dyn Adapter>, config: &Config) -> Self {
        let mapping = config.sources.iter().map(|source| (source.id.clone(), source.clone())).collect();
        let burned_in = config.burned_in_clock.clone().map(BurnedIn::new);
        let (publish, memory) = (config.publish.clone(), Memory::default());
        Self { adapter, publish, mapping, burned_in, memory, known: Mutex::default() }
    }

    /// The same, which remembers in a state over restarts that there were cameras.
    pub fn remembering(self, state: &Path) -> Self {
        Self { memory: Memory::of(state), ..self }
    }

    /// The kind of its adapter.
    pub fn kind(&self) -> &'static str {
        self.adapter.kind()
    }

    /// All its cameras, also those kept back, and what is wrong. When the system did not tell of all of them, those that
    /// it told of before are still there.
    pub async fn everything(&self) -> Discovery<Arc<SourceDescription>> {
        let found = self.memory.judge(self.adapter.discover().await, clock::now());
        let Discovery { mut sources, whole, problem, away, declared } = found;
        let clock = self.measured().await;
        let too_long = leave_out_the_longest(&mut sources);
        for source in &mut sources {
            source.clock_offset = source.clock_offset.or(clock);
            if let Some(set) = self.mapping.get(&source.device_id) {
                set.apply(source);
            }
        }
        let mut known = self.known.lock().expect("no panic while held");
        if whole {
            known.clock = clock.or(known.clock);
        }
        known.learn(sources, whole);
        let problem = adapter::both(problem, self.burned_in.as_ref().and_then(BurnedIn::problem));
        let problem = adapter::both(adapter::both(problem, clock::problem()), too_long);
        Discovery { sources: known.sources.values().cloned().collect(), whole, problem, away, declared }
    }

    /// How far the clock of the system as a whole is off. What its pictures show is what dates its recordings; what its web server says
    /// may be another's. A system that cannot be asked may be dated by this machine's clock, and be as far off as that is.
    async fn measured(&self) -> Option<ClockOffset> {
        if let Some(clock) = self.burned_in.as_ref().and_then(BurnedIn::believed) {
            return Some(clock);
        }
        let told = self.adapter.clock().await.unwrap_or_else(|trouble| {
            tracing::info!(%trouble, "the recorder's clock could not be read");
            None
        });
        let as_unsure = |ahead: i64| ClockOffset {
            offset_ms: 0,
            uncertainty_ms: Some(ahead.saturating_abs()),
            measured_at: Some(clock::now()),
        };
        told.or_else(|| clock::ahead_ms().map(as_unsure))
    }

    /// Reads the clock that is burned into its pictures, which takes some seconds; none if the configuration names none.
    pub async fn read_clock(&self) -> Option<Result<Shown, Unread>> {
        Some(self.burned_in.as_ref()?.read(&*self.adapter).await)
    }

    /// After how long that is to be done again.
    pub fn next_reading(&self) -> Option<Duration> {
        self.burned_in.as_ref().map(BurnedIn::next)
    }

    /// How far the clock of the system as a whole was off when it told of its cameras.
    pub fn clock(&self) -> Option<ClockOffset> {
        self.known.lock().expect("no panic while held").clock
    }

    /// No footage is asked for by a clock that is still to be read.
    async fn settle(&self) {
        let Some(burned_in) = &self.burned_in else { return };
        burned_in.settle(&*self.adapter).await;
        if burned_in.believed().is_some_and(|clock| self.clock() != Some(clock)) {
            self.everything().await;
        }
    }

    /// Its cameras, but for those kept back, in the order of their ids.
    pub async fn discover(&self) -> Discovery<Arc<SourceDescription>> {
        let mut found = self.everything().await;
        found.sources.retain(|source| self.allows(source));
        found
    }

    /// The ids of the cameras that it told of last and that are kept back.
    pub fn kept_back(&self) -> BTreeSet<String> {
        let known = self.known.lock().expect("no panic while held");
        let kept = known.sources.values().filter(|source| !self.allows(source));
        kept.map(|source| source.device_id.clone()).collect()
    }

    /// Whether a source is published.
    pub fn allows(&self, source: &SourceDescription) -> bool {
        self.publish.allows(source)
    }

    /// Refuses footage that was kept of a camera which the operator has taken back since, by what is known of it now, or was then.
    pub fn require_published(&self, device_id: &str, kept_of: &SourceDescription) -> Result<(), Trouble> {
        let source = self.source(device_id);
        let is_published = self.allows(source.as_deref().unwrap_or(kept_of));
        is_published.then_some(()).ok_or_else(not_published)
    }

    /// The operator's word holds for tasks too: what is not published is neither shown nor exported.
    async fn published(&self, device_id: &str) -> Result<Arc<SourceDescription>, Trouble> {
        let source = match self.source(device_id) {
            Some(source) => source,
            None => {
                let found = self.everything().await;
                match self.source(device_id) {
                    Some(source) => source,
                    // it has vanished; the system says what it still has of it, if anything
                    None if found.whole => Arc::new(self.vanished(device_id)),
                    None => return Err(untold(found)),
                }
            }
        };
        self.allows(&source).then_some(source).ok_or_else(not_published)
    }

    /// A camera as the system described it last, if it has been asked.
    pub fn source(&self, device_id: &str) -> Option<Arc<SourceDescription>> {
        self.known.lock().expect("no panic while held").sources.get(device_id).cloned()
    }

    fn vanished(&self, device_id: &str) -> SourceDescription {
        let mut source = SourceDescription {
            device_id: device_id.to_owned(),
            name: device_id.to_owned(),
            clock_offset: self.clock(),
            ..SourceDescription::default()
        };
        if let Some(set) = self.mapping.get(device_id) {
            set.apply(&mut source);
        }
        source
    }

    async fn asked(&self, device_id: &str, window: Window) -> Result<(Asked, Shift), Trouble> {
        self.settle().await;
        let source = self.published(device_id).await?;
        let shift = Shift::of(source.clock_offset);
        let now = clock::now();
        let kept_since = adapter::kept_since(source.retention_hours, now);
        let asked = Asked {
            device_id: device_id.to_owned(),
            window: shift.to_recorder(window),
            now: shift.at_recorder(now),
            kept_since: kept_since.map(|at| shift.at_recorder(at)),
        };
        Ok((asked, shift))
    }

    /// That there is no footage, and that it cannot do this, is believed only of a system that tells which cameras it has.
    async fn believed<T>(&self, done: Result<T, Trouble>) -> Result<T, Trouble> {
        if matches!(done, Err(Trouble::Unavailable { .. } | Trouble::Failing(_))) {
            let found = self.everything().await;
            if found.away {
                return Err(untold(found));
            }
        }
        done.map_err(|trouble| match trouble {
            Trouble::Failing(detail) => Trouble::again(detail),
            other => other,
        })
    }

    /// The same of a camera's window. Where nothing is left of a camera, its disk may only not be mounted.
    async fn believed_of<T>(
        &self,
        (device_id, window): (&str, Window),
        done: Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let done = self.believed(done).await;
        let Err(Trouble::Unavailable { reason, .. }) = &done else { return done };
        match self.memory.missing(device_id) {
            Some(since) if window.from < since && *reason != UnavailableReason::Overwritten => {
                Err(Trouble::Away(format!(
                    "Nothing of this camera is at the recorder any more, and there was until {since}. If its recordings have a disk of their \
                     own, it may not be mounted."
                )))
            }
            _ => done,
        }
    }

    /// A picture of a camera, as JPEG.
    pub async fn thumbnail(&self, device_id: &str) -> Result<Vec<u8>, Trouble> {
        self.published(device_id).await?;
        self.adapter.snapshot(device_id).await
    }

    /// For which spans there are recordings, in true time.
    pub async fn coverage(&self, device_id: &str, window: Window) -> Result<Coverage, Trouble> {
        let (asked, shift) = self.asked(device_id, window).await?;
        let mut coverage = self.believed_of((device_id, window), self.adapter.coverage(&asked).await).await?;
        for span in &mut coverage.spans {
            *span = shift.to_true(*span);
        }
        Ok(coverage)
    }

    /// Has the system itself keep a window of true time; answers how it calls that, none if it has no such lock.
    /// [`Trouble::NotYet`] while it is still being recorded.
    pub async fn hold(&self, device_id: &str, window: Window, locks: &Locks<'_>) -> Result<Option<String>, Trouble> {
        let (asked, _) = self.asked(device_id, window).await?;
        if asked.now < asked.window.to.plus(SETTLE) {
            return Err(Trouble::NotYet);
        }
        self.believed_of((device_id, window), self.adapter.hold(&asked, locks).await).await
    }

    /// Looks whether what [`Recorder::hold`] kept is still kept: see [`Adapter::holds_still`].
    pub async fn holds_still(&self, name: &str) -> Result<Option<String>, Trouble> {
        self.adapter.holds_still(name).await
    }

    /// Lets go of what [`Recorder::hold`] kept, but for what `others` keep too.
    pub async fn free(&self, name: &str, others: &[String]) -> Result<(), Trouble> {
        self.believed(self.adapter.free(name, others).await).await
    }

    /// Writes a window of true time into a file of the folder `into`; [`Trouble::NotYet`] while it is still being recorded.
    pub async fn export(
        &self,
        device_id: &str,
        window: Window,
        into: &Path,
        fetched: &Fetched,
    ) -> Result<Exported, Trouble> {
        let (asked, shift) = self.asked(device_id, window).await?;
        if asked.now < asked.window.to.plus(SETTLE) {
            return Err(Trouble::NotYet);
        }
        let mut exported =
            self.believed_of((device_id, window), self.adapter.export(&asked, into, fetched).await).await?;
        shift.put_right(&mut exported.manifest);
        exported.manifest.asked = window;
        Ok(exported)
    }
}

/// Leaves out the cameras of which more is said than anybody would read, and tells which.
fn leave_out_the_longest(sources: &mut Vec<SourceDescription>) -> Option<ProblemReport> {
    let text = |source: &SourceDescription| {
        let fields = [&source.description, &source.address, &source.kind, &source.make, &source.model];
        let custom = source.custom.iter().flat_map(|(name, value)| [name, value]);
        let texts = [&source.device_id, &source.name].into_iter().chain(fields.into_iter().flatten());
        texts.chain(&source.tags).chain(custom).map(String::len).sum::<usize>()
    };
    let mut refused = BTreeMap::new();
    sources.retain(|source| {
        let fits = text(source) <= LONGEST_TEXT;
        if !fits {
            let id = source.device_id.chars().take(200).collect();
            refused.insert(id, format!("its name and what else is said of it have more than {LONGEST_TEXT} bytes"));
        }
        fits
    });
    publish::refusal(&refused)
}

fn not_published() -> Trouble {
    Trouble::never("This source is not published.")
}

/// Why nothing can be said of a camera.
fn untold(found: Discovery<Arc<SourceDescription>>) -> Trouble {
    let why = found.problem.map_or(String::new(), |problem| format!(" {}", problem.text));
    let detail = format!("The video system does not tell which cameras it has.{why}");
    if found.away { Trouble::Away(detail) } else { Trouble::again(detail) }
}

/// Recorder clock minus true time, as far as it is known.
#[derive(Clone, Copy)]
struct Shift(Option<ClockOffset>);

impl Shift {
    fn of(offset: Option<ClockOffset>) -> Self {
        Self(offset)
    }

    /// What is not beyond its own uncertainty is no offset.
    fn us(self) -> i64 {
        let told =
            |offset: &ClockOffset| offset.offset_ms.unsigned_abs() > offset.uncertainty_ms.unwrap_or(0).unsigned_abs();
        self.0.filter(told).map_or(0, |offset| offset.offset_ms.saturating_mul(1_000))
    }

    fn at_recorder(self, at: Timestamp) -> Timestamp {
        Timestamp::from_micros(at.as_micros() + self.us())
    }

    fn at_true(self, at: Timestamp) -> Timestamp {
        Timestamp::from_micros(at.as_micros() - self.us())
    }

    fn to_recorder(self, window: Window) -> Window {
        Window { from: self.at_recorder(window.from), to: self.at_recorder(window.to) }
    }

    fn to_true(self, window: Window) -> Window {
        Window { from: self.at_true(window.from), to: self.at_true(window.to) }
    }

    fn put_right(self, manifest: &mut Manifest) {
        for segment in &mut manifest.segments {
            (segment.from, segment.to) = (self.at_true(segment.from), self.at_true(segment.to));
        }
        for gap in &mut manifest.gaps {
            (gap.from, gap.to) = (self.at_true(gap.from), self.at_true(gap.to));
        }
        manifest.first_frame = self.at_true(manifest.first_frame);
        manifest.last_frame = self.at_true(manifest.last_frame);
        manifest.clock_offset = self.0;
    }
}
