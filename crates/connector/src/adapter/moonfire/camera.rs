//! What `GET /api/` tells of cameras.

use std::collections::BTreeMap;

use protocol::SourceDescription;
use serde::Deserialize;

use super::recording::Ticks;

/// The streams that a camera may have, the best first.
const STREAMS: [&str; 3] = ["main", "sub", "ext"];

#[derive(Deserialize)]
pub(super) struct Root {
    pub(super) cameras: Vec<Camera>,
    #[serde(default)]
    pub(super) permissions: Permissions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Permissions {
    pub(super) view_video: bool,
}

impl Default for Permissions {
    fn default() -> Self {
        Self { view_video: true }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Camera {
    pub(super) uuid: String,
    short_name: String,
    #[serde(default)]
    description: Option<String>,
    streams: BTreeMap<String, Stream>,
}

/// Times of what is committed; what was recorded in the last seconds is not yet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stream {
    pub(super) min_start_time_90k: Option<Ticks>,
    pub(super) max_end_time_90k: Option<Ticks>,
}

impl Camera {
    /// Its streams with their names, the best first.
    pub(super) fn streams(&self) -> impl Iterator<Item = (&'static str, &Stream)> {
        STREAMS.into_iter().filter_map(|name| Some((name, self.streams.get(name)?)))
    }

    pub(super) fn described(self, retention_hours: Option<i64>) -> SourceDescription {
        SourceDescription {
            device_id: self.uuid,
            name: self.short_name,
            description: self.description.filter(|text| !text.is_empty()),
            retention_hours,
            ..SourceDescription::default()
        }
    }
}
