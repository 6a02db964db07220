//! What `GET /rest/v2/devices` tells of cameras.

use protocol::SourceDescription;
use serde::Deserialize;

/// What is asked for; the whole of it is ten kilobytes for each camera.
pub(super) const FIELDS: &str = "id,name,deviceType,status,vendor,model";

/// Kinds of devices that have no picture.
const WITHOUT_PICTURE: [&str; 2] = ["IOModule", "HornSpeaker"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    device_type: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    vendor: String,
    #[serde(default)]
    model: String,
}

impl Device {
    pub(super) fn has_picture(&self) -> bool {
        !WITHOUT_PICTURE.iter().any(|kind| self.device_type.eq_ignore_ascii_case(kind))
    }

    /// An id stands in braces in some versions, and is taken without them in all.
    pub(super) fn described(self, retention_hours: Option<i64>) -> SourceDescription {
        let device_id = self.id.trim_matches(['{', '}']).to_owned();
        let told = |text: String| (!text.is_empty()).then_some(text);
        SourceDescription {
            name: told(self.name).unwrap_or_else(|| device_id.clone()),
            online: online(&self.status),
            retention_hours,
            make: told(self.vendor),
            model: told(self.model),
            device_id,
            ..SourceDescription::default()
        }
    }
}

/// None where another state says neither.
fn online(status: &str) -> Option<bool> {
    match status {
        "Online" | "Recording" => Some(true),
        "Offline" | "Unauthorized" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_no_part_of_an_id_and_a_camera_without_name_has_its_id() {
        let told = r#"{"id":"{6ef014c7-b349-b51f-152f-06f2ff1eb42e}","status":"Recording","vendor":"Hanwha"}"#;
        let camera: Device = serde_json::from_str(told).unwrap();
        assert!(camera.has_picture());
        let described = camera.described(Some(72));
        assert_eq!(described.device_id, "6ef014c7-b349-b51f-152f-06f2ff1eb42e");
        assert_eq!((described.name.as_str(), described.online), (described.device_id.as_str(), Some(true)));
        assert_eq!((described.make.as_deref(), described.model), (Some("Hanwha"), None));
    }

    #[test]
    fn what_has_no_picture_is_no_camera() {
        let module: Device = serde_json::from_str(r#"{"id":"a","deviceType":"IOModule"}"#).unwrap();
        assert!(!module.has_picture());
    }
}
