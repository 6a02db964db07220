//! Evidence: one file of a case, an original with its facts and its derivatives. Screens call it a file.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::case::Level;
use crate::id::{CameraId, CaseId, EvidenceId, OrganizationId, RequestItemId, UploadId, VideoRequestId};
use crate::request_item::GrantedLevel;
use crate::text_enum::text_enum;
use crate::{Gap, Timestamp, Window};

/// What a media file holds, as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaFacts {
    /// The container's names, as ffprobe gives them: `mov,mp4,m4a,3gp,3g2,mj2`.
    pub container: Option<String>,
    /// `h264`, `hevc`, …
    pub video_codec: Option<String>,
    /// `aac`, …; none when there is no sound.
    pub audio_codec: Option<String>,
    /// Pixels.
    pub width: Option<i64>,
    /// Pixels.
    pub height: Option<i64>,
    /// Pictures a second, on average.
    pub frame_rate: Option<f64>,
    /// Length of the footage, as far as it plays.
    pub duration_ms: Option<u64>,
    /// Length that the file claims, where less of it plays: a part is missing or damaged.
    pub claimed_ms: Option<u64>,
    /// How long after its beginning the first picture is shown: sound may begin before that.
    #[serde(default)]
    pub first_picture_ms: u64,
}

text_enum! {
    /// Whether there is a copy that browsers play.
    PlayableState {
        /// The file has not been looked at yet.
        Waiting = "waiting",
        /// There is one.
        Ready = "ready",
        /// None could be made; the error says why.
        Failed = "failed",
    }
}

/// Bytes that were made of an original, or the original itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    /// The name in the store of bytes.
    pub blob: String,
    /// How many.
    pub size_bytes: i64,
    /// Of all of them, lower-case hexadecimal.
    pub sha256: String,
}

/// What is known of when the footage was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// From the first to the last picture.
    pub window: Window,
    /// Parts without footage.
    pub gaps: Vec<Gap>,
    /// Recorder clock minus true time, where known. Kept beside the footage, never written into it.
    pub clock_offset_ms: Option<i64>,
}

/// From a place in the footage on, when it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockPoint {
    /// So long after the beginning, microseconds.
    pub at_us: i64,
    /// When the picture there was recorded; those after it later by as much as they stand after it.
    pub from: Timestamp,
}

/// What is less than a picture or two puts no clock out.
const SAME_US: u64 = 40_000;

/// When what stands at each place of the footage was recorded. Recordings that overlap are both kept whole, so what comes after was
/// recorded earlier than its place tells. `first_picture`: its place in the footage, microseconds, and when it was recorded. `recordings`:
/// each one's place, microseconds after the first picture, and its beginning. The first point is the first picture's; there is one more only
/// where reckoning on from those before would be wrong.
pub fn clock(
    first_picture: (i64, Timestamp),
    recordings: impl IntoIterator<Item = (i64, Timestamp)>,
) -> Vec<ClockPoint> {
    let (first_us, from) = first_picture;
    // the first recording is entered somewhere: its beginning is not that of the footage
    let mut rest: Vec<_> = recordings.into_iter().filter(|(at_us, _)| *at_us > 0).collect();
    rest.sort_by_key(|(at_us, _)| *at_us);
    let mut last = ClockPoint { at_us: first_us, from };
    let mut points = vec![last];
    for (after_us, from) in rest {
        let at_us = first_us.saturating_add(after_us);
        let reckoned_us = last.from.as_micros().saturating_add(at_us - last.at_us);
        if reckoned_us.abs_diff(from.as_micros()) > SAME_US {
            last = ClockPoint { at_us, from };
            points.push(last);
        }
    }
    points
}

/// One file: the original as it came, its facts, and what was made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Its id.
    pub id: EvidenceId,
    /// Where it is, once released; footage may arrive before there is a case.
    pub case_id: Option<CaseId>,
    /// The request that it answers.
    pub request_id: Option<VideoRequestId>,
    /// The item that it answers.
    pub item_id: Option<RequestItemId>,
    /// Whose footage it is; the host's for what is added by hand.
    pub organization_id: OrganizationId,
    /// The source that recorded it.
    pub source_id: Option<CameraId>,
    /// The upload by which it came.
    pub upload_id: Option<UploadId>,
    /// What its sender calls it.
    pub name: String,
    /// The bytes as they came. Never changed.
    pub original: Bytes,
    /// What it holds.
    pub media: Option<MediaFacts>,
    /// When it was recorded.
    pub recorded: Option<Recorded>,
    /// How a connector made it, as the connector says.
    pub manifest: Option<Value>,
    /// The most that a reader of the case gets.
    pub release_level: GrantedLevel,
    /// Since when readers of the case have it.
    pub released_at: Option<Timestamp>,
    /// Whether there is a playable copy.
    pub playable_state: PlayableState,
    /// Why there is none.
    pub playable_error: Option<String>,
    /// The playable copy.
    pub playable: Option<Bytes>,
    /// A picture of it.
    pub thumbnail: Option<Bytes>,
    /// The id of the account, connector or file request that sent it.
    pub received_by: Option<String>,
    /// When it arrived.
    pub created_at: Timestamp,
    /// When it was purged: it was refused, and its bytes are gone. What is known of it stays.
    pub purged_at: Option<Timestamp>,
    /// Counts writes; a write compares it.
    pub version: i64,
}

impl Evidence {
    /// What somebody with this level in the case may do with this file.
    pub fn level(&self, in_case: Level) -> Level {
        in_case.min(match self.release_level {
            GrantedLevel::View => Level::View,
            GrantedLevel::Download => Level::Download,
        })
    }
}

text_enum! {
    /// What may be done with a file.
    EvidenceAction {
        /// Watch the copy that browsers play.
        Play = "play",
        /// Fetch the original.
        Download = "download",
    }
}

text_enum! {
    /// What is looked at.
    Look {
        /// The playable copy.
        Play = "play",
        /// The bytes as they came.
        Original = "original",
        /// The picture.
        Thumbnail = "thumbnail",
    }
}

impl Look {
    /// What the ledger calls it.
    pub const fn event(self) -> &'static str {
        match self {
            Self::Play => "evidence.play",
            Self::Original => "evidence.download",
            Self::Thumbnail => "evidence.preview",
        }
    }

    /// The level that it needs.
    pub const fn needs(self) -> Level {
        match self {
            Self::Play | Self::Thumbnail => Level::View,
            Self::Original => Level::Download,
        }
    }

    /// For how long further requests of the same person belong to the same look. A player asks for a file in dozens of
    /// ranges, a list of files shows each thumbnail whenever it is opened: one event stands for all of them. Somebody who goes on
    /// watching is logged again after this time. Fetching the original from its beginning is a look of its own each time; only ranges
    /// that go on with it are joined.
    pub const fn lasts(self) -> Duration {
        match self {
            Self::Play | Self::Original => Duration::from_secs(5 * 60),
            Self::Thumbnail => Duration::from_secs(60 * 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000)
    }

    fn told(recordings: &[(i64, i64)]) -> Vec<(i64, Timestamp)> {
        let points = clock((0, at(5_000)), recordings.iter().map(|(at_ms, from_ms)| (at_ms * 1_000, at(*from_ms))));
        points.into_iter().map(|point| (point.at_us / 1_000, point.from)).collect()
    }

    #[test]
    fn one_point_tells_the_clock_of_footage_that_goes_on() {
        assert_eq!(told(&[]), [(0, at(5_000))], "nothing is known of recordings");
        assert_eq!(told(&[(0, 0), (5_000, 10_000), (65_000, 70_020)]), [(0, at(5_000))], "entered five seconds in");
        assert_eq!(told(&[(0, 0), (5_000, 10_000), (95_000, 100_000)]), [(0, at(5_000))], "a gap is as long as it was");
        assert_eq!(told(&[(0, 0), (0, 3_000)]), [(0, at(5_000))], "no places are told");
    }

    #[test]
    fn what_overlaps_puts_the_clock_back() {
        let twice = [(0, 0), (7_000, 10_000), (17_000, 20_000), (29_000, 30_000)];
        assert_eq!(told(&twice), [(0, at(5_000)), (7_000, at(10_000)), (29_000, at(30_000))]);
        assert_eq!(told(&[(i64::MAX / 1_000, 0)]).len(), 2, "nonsense is no panic");
    }

    #[test]
    fn sound_before_the_first_picture_puts_all_of_it_off() {
        let points = clock((400_000, at(5_000)), [(0, at(0)), (7_000_000, at(10_000))]);
        let told: Vec<_> = points.iter().map(|point| (point.at_us, point.from)).collect();
        assert_eq!(told, [(400_000, at(5_000)), (7_400_000, at(10_000))]);
    }

    #[test]
    fn little_that_adds_up_is_told() {
        let each: Vec<_> = (0..5).map(|n| (n * 10_030, 5_000 + n * 10_000)).collect();
        assert_eq!(told(&each), [(0, at(5_000)), (20_060, at(25_000)), (40_120, at(45_000))]);
    }
}
