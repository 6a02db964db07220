//! Cuts a window out of recordings by stream copy. What is claimed about the result is read from the result: its frames
//! are listed, and their times carried back to the clock of the recordings they came from.
//!
//! Every adapter that can bring recordings as files ends here, so that windows, gaps and seams mean the same for all of them.

mod beginning;
mod frames;
mod gaps;
mod hashes;
mod layout;
mod mend;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{Timestamp, Window};
use protocol::{ExportFacts, Gap, Manifest, Segment, UnavailableReason};

use crate::adapter::{Exported, Trouble};
use crate::media;
pub use beginning::{Beside, missing};
use frames::Frames;
use gaps::Holes;
use hashes::Hashes;
use layout::{Film, Piece};
use write::Written;

/// Less than half of what any picture lasts.
const SEAMLESS_US: i64 = 15_000;

/// A recording whose file was opened. Times are by the recorder's clock.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name in the video system; of a file, the path below the folder.
    pub name: String,
    /// Where its file lies.
    pub path: PathBuf,
    /// When its first frame was recorded.
    pub begins: Timestamp,
    /// So much later that may have been: where the system tells whole seconds, up to one.
    pub or_later: Duration,
    /// When its last frame ended.
    pub ends: Timestamp,
    /// So much later that may have been: as its first frame, unless something tells that none of its frames is so late.
    pub ends_later: Duration,
    /// How many bytes of the file belong to it.
    pub size: u64,
    /// What is in it.
    pub facts: media::Facts,
}

impl Part {
    /// Whether it begins right where another one ends, without a picture between: its clock goes on, or begins anew as the other's did
    /// and the times that are told agree.
    fn follows(&self, before: &Self) -> bool {
        let (here, there) = (&self.facts, &before.facts);
        let later = here.first_us - there.first_us;
        let apart = self.begins.as_micros() - before.ends.as_micros();
        let exact = self.or_later.is_zero() && before.or_later.is_zero();
        let seamless = |us: i64| us.abs() <= SEAMLESS_US;
        seamless(later - there.duration_us) || exact && seamless(later) && seamless(apart)
    }
}

/// A recording that cannot be read, up to where the next one begins.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Its name in the video system.
    pub name: String,
    /// When it begins.
    pub begins: Timestamp,
    /// Why it cannot be read.
    pub why: String,
}

/// What is cut, and out of what.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The adapter, for the manifest.
    pub adapter: &'static str,
    /// The source.
    pub device_id: String,
    /// What was asked for.
    pub window: Window,
    /// The recordings that hold some of it, in order; at least one.
    pub usable: Vec<Part>,
    /// Their neighbours.
    pub beside: Beside,
    /// Those that should, and cannot be read; also of one that can be, the beginning that is missing.
    pub unreadable: Vec<Unreadable>,
    /// Holes up to this are none, besides what the precision of the recordings' times makes of it.
    pub tolerance: Duration,
}

/// Writes the window into a file of the folder `into`.
pub async fn cut(cut: Cut, into: &Path) -> Result<Exported, Trouble> {
    let Cut { adapter, device_id, window, usable, beside, unreadable, tolerance } = cut;
    let mut films = Film::all_of(usable, beside.before.as_ref(), window).await?;
    let hashes = Hashes::start(films.iter().map(|film| &film.part));
    mend::cover_broken(&mut films, into).await?;
    mend::mute_untimed(&mut films, into).await?;
    mend::begin_at_zero(&mut films, into).await?;
    beginning::find(&mut films, &beside, &unreadable);
    mend::end_with(&mut films, window, into).await?;
    mend::make_alike(&mut films, into).await?;
    beginning::find(&mut films, &beside, &unreadable); // copies showed more of what is damaged
    let mut tried = Export::write(&films, window, into).await;
    if needs_mending(&tried) {
        mend::mend(&mut films, into).await?;
        beginning::find(&mut films, &beside, &unreadable);
        tried = Export::write(&films, window, into).await;
    }
    let Export { pieces, written, frames, .. } = tried?;
    let mut gaps = frames.gaps(&pieces, window, &Holes { tolerance, beside: &beside, unreadable: &unreadable });
    for gap in &mut gaps {
        gap.reason = why(gap, &unreadable, &pieces, tolerance);
    }
    if let Some(gap) = gaps.iter().find(|gap| gap.from <= window.from && gap.to >= window.to) {
        let why = gap.reason.as_ref().map(|why| format!("{why}."));
        let detail = why.unwrap_or_else(|| "The recordings around that time hold no frame of it.".into());
        return Err(Trouble::Unavailable { reason: UnavailableReason::Gap, detail });
    }
    let sums = hashes.finish().await?;
    let segment = |piece: &Piece| {
        let part = &piece.film.part;
        let (_, size, sha256) = sums.iter().find(|(name, ..)| *name == part.name)?;
        Some(Segment {
            name: part.name.clone(),
            from: piece.film.begins(),
            to: piece.film.recorded_until(),
            size_bytes: i64::try_from(*size).unwrap_or(i64::MAX),
            sha256: sha256.clone(),
            at_us: piece.out_first_us() - pieces[0].out_first_us(),
        })
    };
    let uncertainty = pieces.iter().map(|piece| piece.film.part.or_later).max().unwrap_or_default();
    let manifest = Manifest {
        version: 1,
        software: concat!("sightline-connector ", env!("CARGO_PKG_VERSION")).to_owned(),
        adapter: adapter.into(),
        asked: window,
        segments: pieces.iter().filter_map(segment).collect(),
        gaps,
        first_frame: frames.first,
        last_frame: frames.last,
        key_frame_interval_ms: frames.key_frame_interval_us.map(|us| us / 1_000),
        uncertainty_ms: i64::try_from(uncertainty.as_millis()).ok().filter(|ms| *ms > 0),
        sound_left_out: write::sound_left_out(&pieces),
        clock_offset: None,
        export: ExportFacts { sha256: String::new(), size_bytes: 0, container: written.container.into() },
        device_id,
    };
    Ok(Exported { path: written.path, manifest })
}

/// What was cut, with what it holds.
struct Export {
    pieces: Vec<Piece>,
    until_us: Option<i64>,
    written: Written,
    frames: Frames,
}

impl Export {
    async fn write(films: &[Film], window: Window, into: &Path) -> Result<Self, Trouble> {
        let pieces = layout::lay_out(films, window, into).await?;
        let until_us = layout::end(&pieces, window).await?;
        let written = write::write(&pieces, until_us, into).await?;
        let (packets, _) = tokio::join!(media::packets(&written.path, None), write::sync(&written.path));
        let frames = Frames::read(&pieces, packets?)?;
        Ok(Self { pieces, until_us, written, frames })
    }
}

/// ffmpeg may stop at what is damaged, pass over it, or write it down as it is.
fn needs_mending(tried: &Result<Export, Trouble>) -> bool {
    match tried {
        Ok(Export { pieces, written, frames, until_us }) => {
            written.complained || pieces.iter().any(|piece| piece.film.damaged) || frames.lack_some(pieces, *until_us)
        }
        Err(trouble) => matches!(trouble, Trouble::Broken { retryable: true, .. }),
    }
}

/// Why there is no picture, where that is known.
fn why(gap: &Gap, unreadable: &[Unreadable], pieces: &[Piece], tolerance: Duration) -> Option<String> {
    let until = |bad: &Unreadable| {
        let begins = pieces.iter().map(|piece| piece.film.part.begins);
        begins.filter(|begins| *begins > bad.begins).min()
    };
    let holds = |bad: &&Unreadable| bad.begins < gap.to && until(bad).is_none_or(|until| until > gap.from);
    let bad = unreadable.iter().rev().find(holds);
    if let Some(bad) = bad {
        return Some(format!("{} cannot be read: {}", bad.name, bad.why));
    }
    let within = |film: &&Film| {
        let ends = film.ends().plus(tolerance);
        // where a damaged one ends is not known
        film.part.begins <= gap.from && if film.damaged { gap.from <= ends } else { gap.to <= ends }
    };
    let film = pieces.iter().rev().map(|piece| &piece.film).find(within)?;
    let name = &film.part.name;
    Some(match film.damaged {
        true => format!("{name} cannot be read: a part of it is damaged"),
        false => format!("{name} holds no picture of that time"),
    })
}
