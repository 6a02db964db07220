//! What is sent to try an operation on things: it would be accepted, or comes as far as the rules of the noun.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Operation;
use super::things::Things;

/// No lease has this number: whoever has the task is told that it is lost, and the task stays as it is.
const LOST_LEASE: i64 = 999;

impl Things {
    /// On which of several things an operation is tried, where it is not one.
    pub(super) fn kinds(operation: &str) -> &'static [&'static str] {
        match operation {
            "create_upload" => &["case", "item", "link", "task"],
            "append_upload" | "find_upload" | "terminate_upload" => &["case", "link", "task", "unknown"],
            "answer_link" | "finish_link" | "open_link" => &["live", "unknown"],
            _ => &[""],
        }
    }

    /// The path with ids in it, and with what the operation cannot do without in its query.
    pub(super) fn address(&self, operation: &Operation, kind: &str) -> String {
        let mut filled = String::new();
        let mut noun = "";
        for part in operation.path.split('/').filter(|part| !part.is_empty()) {
            let text = if part.starts_with('{') { self.id(noun, kind) } else { part.to_owned() };
            write!(filled, "/{text}").unwrap();
            noun = part;
        }
        match operation.id.as_str() {
            "find_coverage" => filled + "?from=2026-11-22T11:00:00Z&to=2026-11-22T11:02:00Z",
            "prove_event" => format!("{filled}?event={}", self.ids["events"]),
            _ => filled,
        }
    }

    fn id(&self, noun: &str, kind: &str) -> String {
        match (noun, kind) {
            ("uploads", _) => {
                self.uploads.get(kind).map_or("upl_00000000000000000000000000", String::as_str).to_owned()
            }
            ("links", "live") => self.link.clone(),
            ("links", _) => "link_of_another_server".to_owned(),
            _ => self.ids.get(noun).unwrap_or_else(|| panic!("the table needs one of {noun}")).clone(),
        }
    }

    pub(super) fn headers(&self, operation: &str, kind: &str) -> Vec<(&'static str, String)> {
        let mut headers = vec![("if-match", "\"1\"".to_owned()), ("tus-resumable", "1.0.0".to_owned())];
        match operation {
            "create_upload" => {
                headers.extend([("upload-length", "5".to_owned()), ("upload-metadata", self.metadata(kind))]);
            }
            "append_upload" => {
                let part = "application/offset+octet-stream".to_owned();
                headers.extend([("content-type", part), ("upload-offset", "0".to_owned())]);
            }
            _ => headers.push(("content-type", "application/json".to_owned())),
        }
        if operation != "create_upload" {
            headers.push(("sightline-lease", LOST_LEASE.to_string()));
        }
        headers
    }

    pub(super) fn body(&self, operation: &Operation) -> Vec<u8> {
        match (operation.method.as_str(), operation.id.as_str()) {
            ("GET" | "HEAD" | "OPTIONS" | "DELETE", _) | (_, "append_upload" | "create_upload") => Vec::new(),
            (_, "publish_thumbnail") => b"\xff\xd8\xff, a picture".to_vec(),
            (_, id) => self.said(id).to_string().into_bytes(),
        }
    }

    fn said(&self, operation: &str) -> Value {
        let id = |noun: &str| self.ids[noun].clone();
        match operation {
            "create_session" => json!({"email": "nobody@example.org", "password": "x"}),
            "change_my_password" => json!({"current": "x", "new": "y"}),
            "create_account" => {
                json!({"email": "n@example.org", "name": "", "organization_id": id("organizations"), "roles": []})
            }
            "create_organization" => json!({"name": "", "time_zone": "UTC"}),
            "create_group" => json!({"name": "", "organization_id": id("organizations")}),
            "change_group" => json!({"name": ""}),
            "set_group_members" => json!({"account_ids": ["acc_00000000000000000000000000"]}),
            "create_token" => json!({"name": ""}),
            "create_camera" => json!({"name": "", "organization_id": id("organizations")}),
            "create_connector" => json!({"name": "", "organization_id": id("organizations")}),
            "create_case" => json!({"name": ""}),
            "change_case" => json!({"name": ""}),
            "set_case_access" => {
                json!({"entries": [{"principal_id": "acc_00000000000000000000000000", "level": "view"}]})
            }
            "create_case_file_request" => json!({"name": "", "expires_at": "2026-11-30T00:00:00Z"}),
            "create_video_request" => {
                json!({"name": "", "incident": {"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:02:00Z"}, "items": []})
            }
            "comment_on_video_request" | "ask_request_item" | "answer_request_item" => json!({"body": ""}),
            "answer_link" => json!({"answer": "have"}),
            "greet_connector" => json!({
                "versions": [1], "restarted": false, "software": {"name": "sightline-connector", "version": "0.1.0"},
                "adapter_kinds": ["folder"], "adapter": "folder", "clock": "2026-11-22T12:00:00Z",
            }),
            "publish_sources" => json!({"sequence": 3, "base": 2, "sources": []}),
            "lease_task" => json!({"wait_seconds": 0}),
            "extend_task" => json!({"lease": LOST_LEASE}),
            "progress_task" => json!({"lease": LOST_LEASE, "phase": "exporting", "bytes_done": 0}),
            "complete_task" => json!({"lease": LOST_LEASE, "result": {"kind": "discovered"}}),
            "fail_task" => json!({"lease": LOST_LEASE, "code": "error", "retryable": true, "detail": "busy"}),
            _ => json!({}),
        }
    }
}
