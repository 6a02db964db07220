//! What the connector needs from a video system.
//!
//! An adapter speaks in its recorder's own clock and knows nothing of the server: times are put right, names and positions are
//! completed, and what is kept back is kept back by [`crate::recorder`], for all of them alike.

pub mod archive;
pub mod command;
pub mod folder;
pub mod frigate;
pub mod mediamtx;
pub mod milestone;
pub mod moonfire;
pub mod nx;
pub mod onvif;
pub mod replay;
pub mod session;
pub mod web;
pub mod zoneminder;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Timestamp, Window};
use protocol::{ClockOffset, Manifest, ProblemReport, SourceDescription, UnavailableReason};

use crate::config::{AdapterConfig, Config};
use crate::disk;
use crate::growth::Fetched;
use crate::media::MediaError;

/// The kinds that a configuration can name.
pub const KINDS: &[&str] =
    &["command", "folder", "frigate", "mediamtx", "milestone", "moonfire", "nx", "onvif", "zoneminder"];

/// The adapter that a configuration asks for.
pub fn open(config: &Config) -> anyhow::Result<Box<dyn Adapter>> {
    Ok(match &config.adapter {
        AdapterConfig::Command(command) => Box::new(command::External::new(command.clone())?),
        AdapterConfig::Folder(folder) => {
            let declared = config.sources.iter().map(|source| source.id.clone()).collect();
            Box::new(folder::Folder::new(folder.clone(), declared)?)
        }
        AdapterConfig::Frigate(web) => Box::new(frigate::Frigate::new(web.clone())?),
        AdapterConfig::Mediamtx(mediamtx) => Box::new(mediamtx::MediaMtx::new(mediamtx.clone())?),
        AdapterConfig::Milestone(milestone) => Box::new(milestone::Milestone::new(milestone.clone())?),
        AdapterConfig::Moonfire(web) => Box::new(moonfire::Moonfire::new(web.clone())?),
        AdapterConfig::Nx(web) => Box::new(nx::Nx::new(web.clone())?),
        AdapterConfig::Onvif(web) => Box::new(onvif::Onvif::new(web.clone())?),
        AdapterConfig::Zoneminder(web) => Box::new(zoneminder::ZoneMinder::new(web.clone())?),
    })
}

/// A video system.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// As the configuration names it, such as `folder`.
    fn kind(&self) -> &'static str;

    /// The cameras that there are now, and what is wrong. A system that does not answer is a problem, not an empty system.
    async fn discover(&self) -> Discovery;

    /// A picture of a camera, as JPEG, of now or of its newest recording.
    async fn snapshot(&self, device_id: &str) -> Result<Vec<u8>, Trouble>;

    /// For which spans of the window there are recordings.
    async fn coverage(&self, asked: &Asked) -> Result<Coverage, Trouble>;

    /// Writes a window into a file of the folder `into`, which is empty or holds what an interrupted try of the same export left.
    /// [`Trouble::NotYet`] while some of it is still being recorded. Tells meanwhile how much of it has come, if it can.
    async fn export(&self, asked: &Asked, into: &Path, fetched: &Fetched) -> Result<Exported, Trouble>;

    /// How far the recorder's clock is off, if the system can be asked for its time.
    async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        Ok(None)
    }

    /// Has the system itself keep a window until it is freed, and answers how it calls that; none if it has no such lock.
    async fn hold(&self, _asked: &Asked, _locks: &Locks<'_>) -> Result<Option<String>, Trouble> {
        Ok(None)
    }

    /// Looks whether what [`Adapter::hold`] kept is still kept, and keeps it again if somebody else let go of it. Answers how it is called
    /// from now on; none if it is gone.
    async fn holds_still(&self, name: &str) -> Result<Option<String>, Trouble> {
        Ok(Some(name.to_owned()))
    }

    /// Lets go of what [`Adapter::hold`] kept, but for what `others` keep too. What is gone already counts as freed.
    async fn free(&self, _name: &str, _others: &[String]) -> Result<(), Trouble> {
        Ok(())
    }
}

/// What is known of locks when one is to be set.
pub struct Locks<'a> {
    /// The names of what is kept for others: it may be the same footage.
    pub others: &'a [String],
    /// What a try that was interrupted was about to set.
    pub begun: Option<String>,
    /// Notes what is about to be set, before any of it is: else, after a crash, nobody knows that it is to be lifted again.
    pub begin: &'a (dyn Fn(&str) -> std::io::Result<()> + Sync),
}

impl<'a> Locks<'a> {
    /// Beside those of others, with nothing begun, and nothing noted.
    pub fn besides(others: &'a [String]) -> Self {
        Self { others, begun: None, begin: &|_| Ok(()) }
    }
}

/// What footage is asked for. All times are by the recorder's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Of which camera.
    pub device_id: String,
    /// From when to when.
    pub window: Window,
    /// What the recorder's clock shows now.
    pub now: Timestamp,
    /// What is older has been overwritten, where that is known.
    pub kept_since: Option<Timestamp>,
}

/// The cameras of a video system.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovery<S = SourceDescription> {
    /// Each with what the system knows of it.
    pub sources: Vec<S>,
    /// Whether these are all: what is missing from a whole answer has vanished, from any other it may come back.
    pub whole: bool,
    /// What is wrong, for the people in the office and beside the recorder.
    pub problem: Option<ProblemReport>,
    /// Whether that is that the system cannot be reached.
    pub away: bool,
    /// Those that are there because the configuration describes them; nothing of them was found.
    pub declared: BTreeSet<String>,
}

impl Discovery {
    /// All the cameras of a system that told of them, or why it did not, and what is to be done about it.
    pub fn of(listed: Result<Vec<SourceDescription>, Trouble>, what_to_do: &str) -> Self {
        match listed {
            Ok(sources) => Self { sources, whole: true, ..Self::default() },
            Err(trouble) => {
                let away = trouble.is_away();
                let problem = ProblemReport { text: trouble.to_string(), what_to_do: what_to_do.to_owned() };
                Self { problem: Some(problem), away, ..Self::default() }
            }
        }
    }
}

/// Two things that are wrong, told as one.
pub fn both(first: Option<ProblemReport>, second: Option<ProblemReport>) -> Option<ProblemReport> {
    let (Some(one), Some(other)) = (&first, &second) else { return first.or(second) };
    Some(ProblemReport {
        text: format!("{} {}", one.text, other.text),
        what_to_do: format!("{} {}", one.what_to_do, other.what_to_do),
    })
}

/// Why an adapter cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Some of the window is still being recorded.
    #[error("the window is still being recorded")]
    NotYet,
    /// There is no room on the connector's disk for it.
    #[error("There is no room on the connector's disk.")]
    NoRoom,
    /// The video system cannot be reached, and why, in a sentence: it is waited for.
    #[error("{0}")]
    Away(String),
    /// The video system answers with an error of its own, in a sentence. One that cannot even tell which cameras it has is away.
    #[error("{0}")]
    Failing(String),
    /// What is held cannot be read, or nothing can be held, until a key is back; why, in a sentence.
    #[error("{0}")]
    NoKey(String),
    /// The video system has locks, and why it makes none, in a sentence.
    #[error("{0}")]
    NoLock(String),
    /// There is no footage.
    #[error("{detail}")]
    Unavailable {
        /// Why there is none.
        reason: UnavailableReason,
        /// In a sentence.
        detail: String,
    },
    /// Something broke.
    #[error("{detail}")]
    Broken {
        /// Whether it may go better later.
        retryable: bool,
        /// In a sentence.
        detail: String,
    },
}

impl Trouble {
    /// Whether a system that says so of its cameras cannot be reached.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Failing(_))
    }

    /// It may go better later.
    pub fn again(detail: impl ToString) -> Self {
        Self::Broken { retryable: true, detail: detail.to_string() }
    }

    /// What went wrong while a file was written; it may go better later.
    pub fn disk(error: std::io::Error) -> Self {
        if disk::is_full(&error) { Self::NoRoom } else { Self::again(error) }
    }

    /// It will not.
    pub fn never(detail: impl ToString) -> Self {
        Self::Broken { retryable: false, detail: detail.to_string() }
    }

    /// There is no footage.
    pub fn unavailable(reason: UnavailableReason, detail: impl ToString) -> Self {
        Self::Unavailable { reason, detail: detail.to_string() }
    }
}

impl From<MediaError> for Trouble {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::NoRoom => Self::NoRoom,
            other => Self::again(other),
        }
    }
}

/// Which spans have recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// In order, within what was asked.
    pub spans: Vec<Window>,
    /// Whether nothing of it is still being recorded.
    pub complete: bool,
}

/// An exported file. The facts about the file itself are added while it is sent.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Where it lies.
    pub path: std::path::PathBuf,
    /// Its manifest, but for hash and size.
    pub manifest: Manifest,
}

/// What is older has been overwritten, by a retention in hours.
pub fn kept_since(retention_hours: Option<i64>, now: Timestamp) -> Option<Timestamp> {
    let hours = u64::try_from(retention_hours?).ok()?;
    Some(now.minus(Duration::from_secs(hours.saturating_mul(3_600))))
}

/// Joins spans that touch, or nearly so, and cuts them to the window.
pub fn joined(spans: Vec<Window>, tolerance: Duration, window: Window) -> Vec<Window> {
    joined_unsure(spans.into_iter().map(|span| (span, Duration::ZERO)).collect(), tolerance, window)
}

/// The same of spans whose ends may be so much later than they are told.
pub fn joined_unsure(mut spans: Vec<(Window, Duration)>, tolerance: Duration, window: Window) -> Vec<Window> {
    spans.sort_by_key(|(span, _)| (span.from, span.to));
    let mut out: Vec<(Window, Duration)> = Vec::new();
    for (span, later) in spans {
        match out.last_mut() {
            Some((last, last_later)) if span.from <= last.to.plus(tolerance + *last_later) => {
                if span.to > last.to {
                    (last.to, *last_later) = (span.to, later);
                }
            }
            _ => out.push((span, later)),
        }
    }
    out.into_iter().filter_map(|(span, _)| span.intersect(window)).collect()
}

/// Why a camera that has no recording at all has none of a window.
pub fn nothing_at_all(asked: &Asked) -> Trouble {
    if asked.kept_since.is_some_and(|since| asked.window.to <= since) {
        return Trouble::unavailable(UnavailableReason::Overwritten, "Recordings are not kept for so long.");
    }
    Trouble::unavailable(UnavailableReason::NeverRecorded, "There is no recording of this camera.")
}

/// Why a camera that has recordings, the oldest and the newest of which begin at these times, has none of a window.
pub fn nothing_between(asked: &Asked, oldest: Timestamp, newest: Timestamp) -> Trouble {
    let Asked { window, kept_since, .. } = asked;
    if window.to <= oldest {
        let detail = format!("The oldest recording of this camera begins at {oldest} by the recorder's clock.");
        // Where it is not known how long recordings are kept, nobody says that there was one.
        let is_overwritten = kept_since.is_some_and(|since| window.to <= since);
        let reason = if is_overwritten { UnavailableReason::Overwritten } else { UnavailableReason::NeverRecorded };
        return Trouble::unavailable(reason, detail);
    }
    if window.from >= newest {
        let detail =
            format!("The newest recording of this camera, begun at {newest} by the recorder's clock, ends before.");
        return Trouble::unavailable(UnavailableReason::NeverRecorded, detail);
    }
    Trouble::unavailable(UnavailableReason::Gap, "There are recordings before and after that time, none of it.")
}
