//! Where each recording is read, and where it stands in the output.

use std::path::{Path, PathBuf};

use domain::{Timestamp, Window};

use super::{Part, mend, write};
use crate::adapter::Trouble;
use crate::media::{self, Packet};

/// Of a longer segment only the surroundings of a cut are listed.
const LIST_WHOLE_US: i64 = 600_000_000;
/// So far before a cut a key frame is looked for in a long segment.
const KEY_FRAME_WITHIN_US: i64 = 60_000_000;

/// What ffmpeg reads of a recording: its own file, or a copy of it with the same times.
#[derive(Debug, Clone)]
pub(super) struct Film {
    pub(super) part: Part,
    pub(super) path: PathBuf,
    /// What is in that.
    pub(super) facts: media::Facts,
    /// Whether the recording is damaged.
    pub(super) damaged: bool,
    /// When pictures are shown that are lost or build on lost ones, by the film's clock, in order.
    pub(super) lost: Vec<i64>,
    /// How much of its beginning is lost, microseconds.
    pub(super) late_us: i64,
    /// How much of its end was left out of what is read, microseconds.
    pub(super) cut_us: i64,
    /// Whether it goes on right where the one before ends: pictures before its first key frame build on that.
    pub(super) leads_on: bool,
    /// Whether its pictures of the window's beginning do.
    pub(super) led_in: bool,
    /// The film's clock minus that of the recording, microseconds.
    pub(super) shift_us: i64,
    /// Whether its sound is left out.
    pub(super) muted: bool,
    /// Whether what is read is a copy, which holds nothing that is damaged.
    pub(super) copied: bool,
    /// Whether copies of it are MP4, as are those of the films beside it; else they are Matroska.
    pub(super) in_mp4: bool,
}

impl Film {
    pub(super) fn of(part: Part) -> Self {
        Self {
            path: part.path.clone(),
            facts: part.facts.clone(),
            damaged: part.facts.broken,
            lost: Vec::new(),
            late_us: 0,
            cut_us: 0,
            leads_on: false,
            led_in: false,
            shift_us: 0,
            muted: false,
            copied: false,
            in_mp4: false,
            part,
        }
    }

    /// The films of recordings in order. Where the window begins in pictures that build on the recording `before` the first, that is one
    /// of them.
    pub(super) async fn all_of(
        mut parts: Vec<Part>,
        before: Option<&Part>,
        window: Window,
    ) -> Result<Vec<Self>, Trouble> {
        let led_in = match before {
            Some(before) if parts[0].follows(before) => Self::of(parts[0].clone()).is_led_in(window.from).await?,
            _ => false,
        };
        if let Some(before) = before.filter(|_| led_in) {
            parts.insert(0, before.clone());
        }
        let mut films = Self::joined(parts);
        if led_in {
            films[1].led_in = true;
        }
        Ok(films)
    }

    /// Whether it begins before a time, but with pictures that build on others, up to then.
    async fn is_led_in(&self, from: Timestamp) -> Result<bool, Trouble> {
        if self.begins() >= from || media::first_packet(&self.path).await.is_ok_and(|packet| packet.key) {
            return Ok(false);
        }
        Ok(self.key_frame(self.pts(from)).await?.is_none())
    }

    fn joined(parts: Vec<Part>) -> Vec<Self> {
        let follows: Vec<_> = parts.windows(2).map(|pair| pair[1].follows(&pair[0])).collect();
        let leads_on = std::iter::once(false).chain(follows);
        // in an MP4 key frames are found by when they are decoded, which is as little known of an AVI
        let in_mp4 = parts.iter().all(|part| part.facts.timed && write::fits_mp4(&part.facts, false));
        parts.into_iter().zip(leads_on).map(|(part, leads_on)| Self { leads_on, in_mp4, ..Self::of(part) }).collect()
    }

    /// When the first picture that is left was recorded.
    pub(super) fn begins(&self) -> Timestamp {
        Timestamp::from_micros(self.part.begins.as_micros() + self.late_us)
    }

    /// When the last picture that is read ended.
    pub(super) fn ends(&self) -> Timestamp {
        Timestamp::from_micros(self.recorded_until().as_micros() - self.cut_us)
    }

    /// When the last picture of the recording ended.
    pub(super) fn recorded_until(&self) -> Timestamp {
        Timestamp::from_micros(self.part.ends.as_micros() + self.late_us)
    }

    /// The film's clock where the first picture at or after a time is being shown; none if there is none.
    pub(super) async fn end_at(&self, at: Timestamp) -> Result<Option<i64>, Trouble> {
        let target = self.pts(at);
        let near = self.around(target - 1_000_000, target + KEY_FRAME_WITHIN_US);
        let packets = media::packets(&self.path, near).await?;
        let after = packets.iter().filter(|packet| packet.pts_us >= target).min_by_key(|packet| packet.pts_us);
        Ok(after.map(|packet| packet.pts_us + (packet.duration_us / 2).max(1_000)))
    }

    /// The film's clock at the first picture of the recording.
    pub(super) fn first_us(&self) -> i64 {
        self.part.facts.first_us + self.shift_us
    }

    pub(super) fn time_of(&self, pts_us: i64) -> Timestamp {
        Timestamp::from_micros(self.begins().as_micros() + pts_us - self.first_us())
    }

    fn pts(&self, at: Timestamp) -> i64 {
        at.as_micros() - self.begins().as_micros() + self.first_us()
    }

    fn around(&self, from_us: i64, to_us: i64) -> Option<(i64, i64)> {
        (self.part.facts.duration_us > LIST_WHOLE_US).then_some((from_us, to_us))
    }

    /// The key frame at or before a time.
    async fn key_frame(&self, target_us: i64) -> Result<Option<i64>, Trouble> {
        let last_key =
            |packets: &[Packet]| packets.iter().filter(|p| p.key && p.pts_us <= target_us).map(|p| p.pts_us).max();
        let near = self.around(target_us - KEY_FRAME_WITHIN_US, target_us + 1_000_000);
        let key = last_key(&media::packets(&self.path, near).await?);
        if key.is_some() || near.is_none() {
            return Ok(key);
        }
        Ok(last_key(&media::packets(&self.path, None).await?))
    }
}

/// A recording's share of the output.
pub(super) struct Piece {
    pub(super) film: Film,
    /// The film's own clock where reading begins.
    pub(super) in_us: i64,
    /// Whether that is not its beginning.
    pub(super) entered: bool,
    /// The same as `in_us` in the output.
    pub(super) out_us: i64,
}

impl Piece {
    /// The film's own clock at the first picture that is read.
    pub(super) fn first_us(&self) -> i64 {
        self.film.facts.first_us.max(self.in_us)
    }

    /// Where that picture stands in the output.
    pub(super) fn out_first_us(&self) -> i64 {
        self.out_us + self.first_us() - self.in_us
    }

    /// When its first picture was recorded.
    fn begins(&self) -> Timestamp {
        self.film.time_of(self.first_us())
    }

    /// When what stands at a place in the output was recorded.
    pub(super) fn time_of(&self, out_us: i64) -> Timestamp {
        self.film.time_of(self.pts(out_us))
    }

    /// The film's own clock at a place in the output.
    pub(super) fn pts(&self, out_us: i64) -> i64 {
        self.in_us + out_us - self.out_us
    }

    /// Where the recording ends in the output.
    pub(super) fn out_end_us(&self) -> i64 {
        self.out_us + self.film.first_us() + self.film.part.facts.duration_us - self.film.cut_us - self.in_us
    }

    /// Goes in at the key frame at or before a time.
    async fn enter(&mut self, from: Timestamp, into: &Path) -> Result<(), Trouble> {
        if self.film.begins() >= from {
            return Ok(());
        }
        if !self.film.facts.seekable {
            mend::copy(&mut self.film, &into.join("first.mp4")).await?;
            self.in_us = self.film.facts.start_us;
        }
        let key = self.film.key_frame(self.film.pts(from)).await?;
        if let Some(key) = key.filter(|key| *key > self.first_us()) {
            self.in_us = key;
            self.entered = true;
        }
        Ok(())
    }
}

/// The films but for those of which another one holds all that they have of the window: short ones within a longer one, one before the
/// window's beginning that the next one covers too. Of two that hold the same the later one is needed.
fn needed(films: &[Film], window: Window) -> Vec<&Film> {
    let holds = |other: &Film, film: &Film| {
        let begins = other.begins().plus(other.part.or_later);
        let ends = film.recorded_until().plus(film.part.or_later).min(window.to);
        let whole = !other.damaged && !other.led_in;
        whole && begins <= film.begins().max(window.from) && other.recorded_until() >= ends
    };
    let needed = |(index, film): &(usize, &Film)| {
        let others = films.iter().enumerate().filter(|(other, _)| other != index);
        let mut holders = others.filter(|(_, other)| holds(other, film));
        !holders.any(|(other, holder)| !holds(film, holder) || other > *index)
    };
    films.iter().enumerate().filter(needed).map(|(_, film)| film).collect()
}

/// Chooses the key frame to begin with, and gives each recording its place in the output: its place in time. Gaps stay as long as
/// they were; where two recordings overlap, both are kept whole.
pub(super) async fn lay_out(films: &[Film], window: Window, into: &Path) -> Result<Vec<Piece>, Trouble> {
    let films = needed(films, window);
    let other = films.iter().find(|film| film.part.facts.video != films[0].part.facts.video);
    if let Some(Film { part: Part { name, .. }, .. }) = other {
        return Err(Trouble::never(format!(
            "The camera's picture format changes within the window, with {name}; ask for what is before and after on its own.",
        )));
    }
    let piece = |film: &Film| Piece { in_us: film.facts.start_us, entered: false, out_us: 0, film: film.clone() };
    let mut pieces: Vec<Piece> = films.into_iter().map(piece).collect();
    // what may have been recorded later than it seems is entered earlier by as much, so that nothing is missed
    let from = window.from.minus(pieces[0].film.part.or_later);
    pieces[0].enter(from, into).await?;
    for index in 1..pieces.len() {
        let (before, here) = (&pieces[index - 1], &pieces[index]);
        let apart = here.begins().as_micros() - before.begins().as_micros();
        let long = before.film.ends().as_micros() - before.begins().as_micros();
        // a name tells whole seconds: what is less than a frame or two is no overlap
        let later = if apart + 20_000 >= long { apart.max(long) } else { long };
        pieces[index].out_us = before.out_first_us() + later - (here.first_us() - here.in_us);
    }
    Ok(pieces)
}

/// Where the output ends: after the first frame at or after the end of the window; nowhere if the last recording ends before.
pub(super) async fn end(pieces: &[Piece], window: Window) -> Result<Option<i64>, Trouble> {
    let Some(last) = pieces.last().filter(|last| last.film.ends() > window.to) else { return Ok(None) };
    Ok(last.film.end_at(window.to).await?.map(|end| last.out_us + end - last.in_us))
}
