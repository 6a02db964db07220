//! The frames of the output, with the times at which they were recorded.

use std::time::Duration;

use domain::Timestamp;

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
    pub(super) shown: Vec<Shown>,
    /// When pictures were recorded that are lost or build on lost ones.
    pub(super) lost: Vec<Timestamp>,
    usual_us: i64,
}

pub(super) struct Shown {
    pub(super) piece: usize,
    /// Where it stands in the output.
    out_us: i64,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) key: bool,
    /// Whether its recording is damaged.
    pub(super) damaged: bool,
    /// Whether it builds on a picture that is lost.
    pub(super) spoilt: bool,
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
