//! One file of a case: an original, its facts, its derivatives.

use serde::{Deserialize, Serialize};

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
    /// Length of the footage.
    pub duration_ms: Option<u64>,
}
