//! Evidence locks (<https://doc.developer.milestonesys.com/mipvmsapi/api/evidencelocks-rest/v1/>).

use domain::{Timestamp, Window};
use serde_json::{Value, json};

/// An evidence lock over a window of a camera. It holds until it is deleted: how long a hold lasts may change.
pub(super) fn wanted(camera: &str, window: Window) -> Value {
    let time = |at: Timestamp| at.to_string();
    json!({
        "header": format!("Sightline {}", time(window.from)),
        "description": "Kept by sightline-connector while a request is decided. It deletes this by itself.",
        "startTime": time(window.from),
        "tagTime": time(window.from),
        "endTime": time(window.to),
        "retentionOption": {"retentionType": "Indefinite", "retentionUnits": -1},
        "devicePaths": [{"type": "cameras", "id": camera}],
    })
}

/// The id of the evidence lock that an answer tells to have been made: where the gateway has it in answers of its kinds.
pub(super) fn made(answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let places = ["/data/id", "/data/relations/self/id", "/result/id", "/result/path/id"];
    let id = places.iter().find_map(|place| answer.pointer(place)?.as_str())?;
    let guid = |id: &&str| id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    Some(id).filter(guid).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        const ID: &str = "cc4bb285-e62e-4da4-b411-e25f6cc4e99a";
        for answer in [
            json!({"data": {"id": ID, "header": "x"}}),
            json!({"data": {"relations": {"self": {"type": "evidenceLocks", "id": ID}}}}),
            json!({"result": {"id": ID}}),
            json!({"result": {"state": "Success", "path": {"type": "evidenceLocks", "id": ID}}}),
        ] {
            assert_eq!(made(answer.to_string().as_bytes()).as_deref(), Some(ID), "{answer}");
        }
        for answer in ["{}", "", "<html>", r#"{"data": {"id": "../cameras"}}"#, r#"{"data": {"id": 7}}"#] {
            assert_eq!(made(answer.as_bytes()), None, "{answer}");
        }
    }
}
