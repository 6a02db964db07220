//! What of a window has no picture.

use std::time::Duration;

use domain::{Timestamp, Window};
use protocol::Gap;

use super::frames::{Frames, Shown};
use super::layout::Piece;
use super::{Beside, Unreadable};

/// What a hole between pictures is judged by.
pub(super) struct Holes<'a> {
    /// Shorter ones are none.
    pub(super) tolerance: Duration,
    /// The recordings before and after those that were cut.
    pub(super) beside: &'a Beside,
    /// Where one of these lies, pictures are missing, however short the hole.
    pub(super) unreadable: &'a [Unreadable],
}

/// Until when there are pictures.
#[derive(Clone, Copy)]
struct Covered {
    to: Timestamp,
    /// When the recording begins that holds the last of them.
    begins: Timestamp,
    /// So much later the end may be, where the next picture is of another recording.
    later: Duration,
    piece: Option<usize>,
}

impl Frames {
    /// For which spans of the window there is no picture, or none that can be seen whole. What is known to be lost is told however
    /// short it is; all of a window in which no picture is, whatever the precision of times makes of it.
    pub(super) fn gaps(&self, pieces: &[Piece], window: Window, holes: &Holes) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let before = holes.beside.before.as_ref();
        let mut covered =
            before.map(|part| Covered { to: part.ends, begins: part.begins, later: part.ends_later, piece: None });
        let mut shown: Vec<_> = self.shown.iter().collect();
        shown.sort_unstable_by_key(|shown| (shown.from, shown.to));
        let mut seen = false;
        for shown in shown {
            // in a damaged recording what follows a hole builds on what was in it
            let hole = covered.map_or(Duration::ZERO, |covered| shown.from.since(covered.to.max(window.from)));
            if shown.spoilt || shown.damaged && !shown.key && hole > holes.tolerance {
                continue;
            }
            gaps.extend(self.gap(covered, Some(shown), window, holes));
            seen |= shown.from < window.to && shown.to > window.from;
            if covered.is_none_or(|covered| shown.to > covered.to) {
                let part = &pieces[shown.piece].film.part;
                let (begins, later) = (part.begins, part.ends_later);
                covered = Some(Covered { to: shown.to, begins, later, piece: Some(shown.piece) });
            }
        }
        gaps.extend(self.gap(covered, None, window, holes));
        if seen { gaps } else { vec![Gap { from: window.from, to: window.to, reason: None }] }
    }

    /// What of the window lies between two pictures, if that is a hole; none after the last one of all that were cut.
    fn gap(&self, covered: Option<Covered>, next: Option<&Shown>, window: Window, holes: &Holes) -> Option<Gap> {
        let next_at = next.map(|next| next.from).or(holes.beside.after.as_ref().map(|part| part.begins));
        let from = covered.map_or(window.from, |covered| covered.to.max(window.from));
        let to = next_at.map_or(window.to, |next| next.min(window.to));
        if from >= to {
            return None;
        }
        let same = covered.and_then(|covered| covered.piece) == next.map(|next| next.piece);
        let later = covered.filter(|_| !same).map_or(Duration::ZERO, |covered| covered.later);
        // where both ends of a hole are known all of it counts, and not what of it lies in the window
        let long = match (covered, next_at) {
            (Some(covered), Some(next)) => next.since(covered.to),
            _ => to.since(from),
        };
        let after = |bad: &Unreadable| covered.is_none_or(|covered| bad.begins > covered.begins);
        let until = |bad: &Unreadable| next_at.is_none_or(|next| bad.begins < next);
        let unreadable = !same && holes.unreadable.iter().any(|bad| after(bad) && until(bad));
        let lost = self.lost.iter().any(|at| (from..to).contains(at));
        (long > holes.tolerance + later || unreadable || lost).then_some(Gap { from, to, reason: None })
    }
}
