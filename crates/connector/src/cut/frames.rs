//! The frames of the output, with the times at which they were recorded.

use std::time::Duration;

use domain::{Timestamp, Window};
use protocol::Gap;

use super::layout::Piece;
use super::mend;
use crate::adapter::Trouble;
use crate::media::Packet;

/// A camera that saves where nothing moves may let a picture stand for so long; more is none.
const STANDS_US: i64 = 2_000_000;

pub(super) struct Frames {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) key_frame_interval_us: Option<i64>,
    /// In the order in which they are shown.
    shown: Vec<Shown>,
    /// When pictures were recorded that are lost or build on lost ones.
    lost: Vec<Timestamp>,
    usual_us: i64,
}

struct Shown {
    piece: usize,
    /// Where it stands in the output.
    out_us: i64,
    from: Timestamp,
    to: Timestamp,
    key: bool,
    /// Whether its recording is damaged.
    damaged: bool,
    /// Whether it builds on a picture that is lost.
    spoilt: bool,
}

impl Frames {
    pub(super) fn read(pieces: &[Piece], mut packets: Vec<Packet>) -> Result<Self, Trouble> {
        packets.sort_by_key(|packet| packet.pts_us);
        let Some(first) = packets.first() else {
            return Err(Trouble::again("The export holds no frame."));
        };
        // the muxer moves the first frame to where it likes; the others keep their distance from it
        let zero_us = first.pts_us - pieces[0].out_first_us();
        let usual_us = usual(&packets);
        let mut shown: Vec<Shown> = Vec::with_capacity(packets.len());
        for packet in &packets {
            let out_us = packet.pts_us - zero_us;
            let piece = pieces.iter().rposition(|piece| piece.out_us <= out_us + 10_000).unwrap_or(0);
            let at = pieces[piece].time_of(out_us).as_micros();
            let from = Timestamp::from_micros((at + 500).div_euclid(1_000) * 1_000); // the containers' own clocks are no finer
            // before a gap the muxer lets a frame stand until the next one; it was recorded for as long as any other
            let long = if packet.duration_us > usual_us * 2 { usual_us } else { packet.duration_us.max(usual_us) };
            if let Some(before) = shown.last_mut().filter(|before| before.piece == piece)
                && !pieces[piece].film.damaged
                && out_us - before.out_us <= STANDS_US
            {
                before.to = before.to.max(from);
            }
            let to = from.plus(Duration::from_micros(long.unsigned_abs()));
            let film = &pieces[piece].film;
            let spoilt = mend::holds(&film.lost, pieces[piece].pts(out_us));
            shown.push(Shown { piece, out_us, from, to, key: packet.key, damaged: film.damaged, spoilt });
        }
        Ok(Self {
            first: shown[0].from,
            last: shown.iter().map(|shown| shown.from).max().unwrap_or(shown[0].from),
            lost: lost(pieces),
            key_frame_interval_us: key_frame_interval(&packets),
            shown,
            usual_us,
        })
    }

    /// Whether the output lacks pictures that its recordings should hold.
    pub(super) fn lack_some(&self, pieces: &[Piece], until_us: Option<i64>) -> bool {
        (0..pieces.len()).any(|index| {
            let piece = &pieces[index];
            let end_us = until_us.unwrap_or(i64::MAX).min(piece.out_end_us());
            let mut at_us = piece.out_first_us();
            for shown in self.shown.iter().filter(|shown| shown.piece == index) {
                if shown.out_us - at_us > STANDS_US {
                    return true;
                }
                at_us = shown.out_us;
            }
            at_us + 3 * self.usual_us + 100_000 < end_us
        })
    }

    /// For which spans of the window there is no picture, or none that can be seen whole. What is known to be lost is told however
    /// short it is.
    pub(super) fn gaps(&self, window: Window, tolerance: Duration) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let mut covered = window.from;
        let mut gap = |from: Timestamp, to: Timestamp| {
            let to = to.min(window.to);
            let lost = || self.lost.iter().any(|at| (from..to).contains(at));
            if to.since(from) > tolerance || (from < to && lost()) {
                gaps.push(Gap { from, to, reason: None });
            }
        };
        let mut shown: Vec<_> = self.shown.iter().collect();
        shown.sort_unstable_by_key(|shown| (shown.from, shown.to));
        for shown in shown {
            // in a damaged recording what follows a hole builds on what was in it
            let after_hole = shown.damaged && !shown.key && shown.from.since(covered) > tolerance;
            if !shown.spoilt && !after_hole {
                gap(covered, shown.from);
                covered = covered.max(shown.to);
            }
        }
        gap(covered, window.to);
        gaps
    }
}

fn lost(pieces: &[Piece]) -> Vec<Timestamp> {
    pieces.iter().flat_map(|piece| piece.film.lost.iter().map(|pts_us| piece.film.time_of(*pts_us))).collect()
}

/// The longest time from one key frame to the next, but for those with a hole between.
fn key_frame_interval(packets: &[Packet]) -> Option<i64> {
    let (mut longest, mut key_us) = (None, None);
    for (index, packet) in packets.iter().enumerate() {
        if index > 0 && packet.pts_us - packets[index - 1].pts_us > STANDS_US {
            key_us = None;
        }
        if packet.key {
            longest = longest.max(key_us.map(|before| packet.pts_us - before));
            key_us = Some(packet.pts_us);
        }
    }
    longest
}

/// How long a frame lasts, as most do.
fn usual(packets: &[Packet]) -> i64 {
    let mut long: Vec<_> = packets.iter().map(|packet| packet.duration_us).filter(|us| *us > 0).collect();
    long.sort_unstable();
    long.get(long.len() / 2).copied().unwrap_or(40_000)
}
