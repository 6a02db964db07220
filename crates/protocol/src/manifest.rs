use domain::{Gap, Timestamp, Window};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How an export was made, written beside the recorder and kept with the evidence as it came.
///
/// All times are true times: what the recorder's clock said, minus the clock offset where one is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Manifest {
    /// Version of this form: 1.
    pub version: u32,
    /// Program and version that made it.
    pub software: String,
    /// The adapter that read the recorder.
    pub adapter: String,
    /// The source in the video system.
    pub device_id: String,
    /// The window that was asked for.
    pub asked: Window,
    /// The recordings it was made from, in order.
    pub segments: Vec<Segment>,
    /// Parts of the window without footage.
    pub gaps: Vec<Gap>,
    /// When the first frame was recorded.
    pub first_frame: Timestamp,
    /// When the last frame was recorded.
    pub last_frame: Timestamp,
    /// The longest distance between two key frames.
    #[serde(default)]
    pub key_frame_interval_ms: Option<i64>,
    /// So much later than said the frames may have been recorded: some recorders tell only in which second a recording begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty_ms: Option<i64>,
    /// Why the recordings' sound is not in the export, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound_left_out: Option<String>,
    /// How far the recorder's clock was off, where known.
    #[serde(default)]
    pub clock_offset: Option<ClockOffset>,
    /// The file that came out.
    pub export: ExportFacts,
}

/// One recording that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Segment {
    /// Its name in the video system; of a file, the path below the folder.
    pub name: String,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// Its size when it was read.
    pub size_bytes: i64,
    /// Of the whole of it, lower-case hexadecimal.
    pub sha256: String,
    /// Where it begins in the exported file; microseconds after the first frame.
    #[serde(default)]
    pub at_us: i64,
}

/// Recorder clock minus true time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClockOffset {
    /// Positive when the recorder is ahead.
    pub offset_ms: i64,
    /// How well that is known.
    #[serde(default)]
    pub uncertainty_ms: Option<i64>,
    /// When it was measured.
    #[serde(default)]
    pub measured_at: Option<Timestamp>,
}

/// The file that came out of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExportFacts {
    /// Lower-case hexadecimal, computed beside the recorder.
    pub sha256: String,
    /// Its size.
    pub size_bytes: i64,
    /// `mp4` or `matroska`.
    pub container: String,
}
