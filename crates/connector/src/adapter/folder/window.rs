//! What a camera's recordings hold of a window, and whether more of it may come.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use domain::{Timestamp, Window};

use super::Recordings;
use super::probed::{OPEN_FOR, Probed, missing};
use super::scan::Found;
use crate::adapter::Trouble;
use crate::cut::{Beside, Part, Unreadable};

/// Why one cannot be told from those of an hour before or after.
const TWO_TIMES: &str =
    "its name means a time that the clock showed twice, and its last change does not tell which of the two";

/// What is there of a window.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) usable: Vec<Part>,
    /// The segments before and after those.
    pub(super) beside: Beside,
    pub(super) unreadable: Vec<Unreadable>,
    /// A segment of the window may still be written.
    pub(super) open: bool,
}

/// Neighbouring segments of a camera that were opened.
struct Opened {
    /// The index of the first among the camera's.
    from: usize,
    probed: Vec<std::io::Result<Probed>>,
    /// Those that can be read.
    parts: Vec<Option<Part>>,
}

impl Recordings {
    /// The segments of a window, and whether more may come.
    pub(super) async fn parts(
        self: &Arc<Self>,
        camera: &[Found],
        window: Window,
        now: Timestamp,
    ) -> Result<Parts, Trouble> {
        // the last that begins before the window may reach into it, and so may the one before where two overlap
        let first = camera.partition_point(|found| found.begins <= window.from).saturating_sub(2);
        let end = camera.partition_point(|found| found.begins < window.to);
        let first = first.min(end);
        // and one more on either side: by their clocks is seen whether a beginning is missing
        let opened = self.open(camera, first.saturating_sub(1)..camera.len().min(end + 1)).await;
        let mut parts = Parts::default();
        for index in first..opened.from + opened.probed.len() {
            let at = index - opened.from;
            // of the one after the window it is only now known when it begins
            if index >= end && opened.parts[at].as_ref().is_none_or(|part| part.begins >= window.to) {
                continue;
            }
            match &opened.probed[at] {
                Ok(_) if camera[index].or_begins.is_some() => {
                    parts.add_unreadable(camera, index, &opened, TWO_TIMES, window);
                }
                Ok(Probed { facts: Err(why), .. }) => parts.add_unreadable(camera, index, &opened, why, window),
                Ok(_) => parts.add(camera, index, &opened, window, now),
                Err(error) if error.kind() == ErrorKind::NotFound => {} // overwritten meanwhile
                Err(error) => return Err(Trouble::disk(std::io::Error::new(error.kind(), error.to_string()))),
            }
        }
        self.add_longer(camera, first, window, &mut parts).await;
        Ok(parts)
    }

    async fn open(self: &Arc<Self>, camera: &[Found], which: std::ops::Range<usize>) -> Opened {
        let probed = self.probe_all(&camera[which.clone()]).await;
        let part = |at: usize| {
            let before = at.checked_sub(1).and_then(|before| probed[before].as_ref().ok());
            let index = which.start + at;
            self.part(&camera[index], &probed[at], before, camera.get(index + 1))
        };
        let parts = (0..probed.len()).map(part).collect();
        Opened { from: which.start, probed, parts }
    }

    /// A segment that can be read, and is known when it begins.
    pub(super) fn part(
        &self,
        found: &Found,
        probed: &std::io::Result<Probed>,
        before: Option<&Probed>,
        next: Option<&Found>,
    ) -> Option<Part> {
        let probed = probed.as_ref().ok().filter(|_| found.or_begins.is_none())?;
        let facts = probed.facts.clone().ok()?;
        let (begins, or_later) = self.begin(found, probed, before, next);
        let ends = begins.plus(Duration::from_micros(facts.duration_us.unsigned_abs()));
        let (name, path) = (found.name.clone(), found.path.clone());
        let ends_later = probed.nothing_after(ends).map_or(or_later, |later| or_later.min(later));
        Some(Part { name, path, begins, or_later, ends, ends_later, size: probed.size, facts })
    }
}

impl Parts {
    /// Adds one that can be read, if it reaches into the window.
    fn add(&mut self, camera: &[Found], index: usize, opened: &Opened, window: Window, now: Timestamp) {
        let at = index - opened.from;
        let of = |at: usize| opened.parts.get(at)?.clone();
        let (Some(mut part), Ok(probed)) = (of(at), &opened.probed[at]) else { return };
        let missing = missing(&opened.parts, at);
        if !missing.is_zero() && probed.was_written_after(part.ends.plus(missing)) {
            let why = "its beginning is missing".to_owned();
            self.unreadable.push(Unreadable { name: part.name.clone(), begins: part.begins, why });
            (part.begins, part.ends) = (part.begins.plus(missing), part.ends.plus(missing));
        }
        let goes_on = is_under_way(&part, probed, camera.get(index + 1))
            || index + 1 == camera.len() && now < next_by(camera, &part);
        self.open |= goes_on && part.ends < window.to;
        if part.ends.plus(part.or_later) > window.from {
            if self.usable.is_empty() {
                self.beside.before = at.checked_sub(1).and_then(of);
            }
            self.beside.after = of(at + 1);
            self.usable.push(part);
        }
    }

    fn add_unreadable(&mut self, camera: &[Found], index: usize, opened: &Opened, why: &str, window: Window) {
        let found = &camera[index];
        let young = opened.probed[index - opened.from].as_ref().is_ok_and(Probed::is_young);
        // one whose index is written last cannot be read before it is closed, however seldom it is written to
        self.open |= young || index + 1 == camera.len();
        let next = camera.partition_point(|other| other.begins <= found.begins);
        if camera.get(next).is_some_and(|next| next.begins <= window.from) {
            return; // whatever it held was before the window
        }
        let (name, begins) = (found.name.clone(), found.begins);
        self.unreadable.push(Unreadable { name, begins, why: why.to_owned() });
    }
}

/// Whether more of it may come: it was written to just now, and is the camera's newest or has the `next` within it.
pub(super) fn is_under_way(part: &Part, probed: &Probed, next: Option<&Found>) -> bool {
    probed.is_young() && next.is_none_or(|next| next.begins.plus(OPEN_FOR) < part.ends)
}

/// Some recorders show a segment only when it is whole: until then the one after a camera's newest may be under way unseen.
fn next_by(camera: &[Found], newest: &Part) -> Timestamp {
    let before = camera.len().checked_sub(2).map(|index| newest.begins.since(camera[index].begins));
    let duration = newest.ends.since(newest.begins);
    newest.ends.plus(duration.max(before.unwrap_or_default()) + OPEN_FOR)
}
