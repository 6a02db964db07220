use std::collections::BTreeMap;

use domain::camera::{CameraType, Change, Origin};
use domain::{Invalid, Position, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ClockOffset, ProblemReport};

/// What the connector publishes: the whole set, or what changed since the publication `base`.
///
/// Publications are numbered by the connector, rising. A delta is taken over only on top of the publication that it names;
/// otherwise the answer is 409, and the connector sends the whole. The whole set marks every source that it does not name as vanished.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sources {
    /// The number of this publication.
    pub sequence: i64,
    /// The publication that this one changes; none for the whole set.
    #[serde(default)]
    pub base: Option<i64>,
    /// All sources, or the new and the changed ones.
    #[serde(default)]
    pub sources: Vec<SourceDescription>,
    /// Device ids that the video system no longer has. Their records are kept and marked.
    #[serde(default)]
    pub vanished: Vec<String>,
    /// Of the vanished, device ids that the video system still has, and that their owner keeps back since. Nobody else sees them any more;
    /// what was handed over of them stays. Only what the server is known to have is named: [`SourcesAnswer::missing`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<String>,
    /// What is wrong, if anything; none clears what was said before.
    #[serde(default)]
    pub problem: Option<ProblemReport>,
}

/// A camera as the video system, or the connector's configuration, describes it. What is not known is left out, and then left
/// to the office.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceDescription {
    /// What the video system calls it; never changes.
    pub device_id: String,
    /// What people call it.
    pub name: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Where it looks, clockwise from north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearing_deg: Option<f64>,
    /// Horizontal field of view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fov_deg: Option<f64>,
    /// How far a person can be made out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range_m: Option<f64>,
    /// Below the horizon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tilt_deg: Option<f64>,
    /// Above the ground.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mounting_height_m: Option<f64>,
    /// `fixed`, `panning` or `dome`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How long recordings are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_hours: Option<i64>,
    /// How far the recorder's clock is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset: Option<ClockOffset>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Which model it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether it delivers pictures now; none when the adapter cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// The end of its newest recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    /// What fits nowhere else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, String>,
}

impl SourceDescription {
    /// What keeps a server that knows nothing else of the camera from taking it over.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.check_id()?;
        self.change(&BTreeMap::new())?.validate()
    }

    /// Whether it can be told from others.
    pub fn check_id(&self) -> Result<(), Invalid> {
        if (1..=500).contains(&self.device_id.chars().count()) {
            return Ok(());
        }
        Err(Invalid::field("/device_id", "Expected 1 to 500 characters."))
    }

    /// What it says, as a change: what the connector said once, by the origins of what is known, and no longer says is emptied.
    pub fn change(&self, origins: &BTreeMap<String, Origin>) -> Result<Change, Invalid> {
        let was_said = |field: &str| origins.get(field) == Some(&Origin::Connector);
        macro_rules! field {
            ($name:literal, $value:expr) => {{
                let value = $value;
                (value.is_some() || was_said($name)).then_some(value)
            }};
        }
        let wrong_type = |_| Invalid::field("/type", "Expected fixed, panning or dome.");
        let kind = self.kind.as_deref().map(str::parse::<CameraType>).transpose().map_err(wrong_type)?;
        Ok(Change {
            name: Some(Some(self.name.clone())),
            description: field!("description", self.description.clone()),
            position: field!("position", self.position),
            address: field!("address", self.address.clone()),
            mounting_height_m: field!("mounting_height_m", self.mounting_height_m),
            bearing_deg: field!("bearing_deg", self.bearing_deg),
            fov_deg: field!("fov_deg", self.fov_deg),
            tilt_deg: field!("tilt_deg", self.tilt_deg),
            range_m: field!("range_m", self.range_m),
            r#type: field!("type", kind),
            tags: field!("tags", Some(self.tags.clone()).filter(|tags| !tags.is_empty())),
            retention_hours: field!("retention_hours", self.retention_hours),
            clock_offset_ms: field!("clock_offset_ms", self.clock_offset.map(|offset| offset.offset_ms)),
            clock_uncertainty_ms: field!("clock_uncertainty_ms", self.clock_offset.and_then(|o| o.uncertainty_ms)),
            make: field!("make", self.make.clone()),
            model: field!("model", self.model.clone()),
            custom: field!("custom", Some(self.custom.clone()).filter(|custom| !custom.is_empty())),
            ..Change::default()
        })
    }
}

/// What became of a publication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourcesAnswer {
    /// The publication that holds now.
    pub sequence: i64,
    /// Sources that were not taken over, and why.
    #[serde(default)]
    pub refused: Vec<SourceProblem>,
    /// Of a whole set: device ids that it does not name and that people still see here, as vanished. The connector says which of them the
    /// video system has and their owner keeps back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// A source that the server did not take over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceProblem {
    /// Which.
    pub device_id: String,
    /// Why.
    pub message: String,
}
