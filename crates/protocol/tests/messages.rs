//! Messages as version 1 wrote them. They must be understood, and written again to the letter, for as long as version 1 is spoken:
//! add fixtures, never change one.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use sightline_protocol::*;

fn fixture(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("fixtures/v1.json")).unwrap();
    all[name].clone()
}

fn same<T: serde::Serialize + serde::de::DeserializeOwned>(name: &str) {
    let old = fixture(name);
    let read: T = serde_json::from_value(old.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), old, "{name}");
}

#[test]
fn old_messages_are_read_and_written_again() {
    same::<Hello>("hello");
    same::<HelloAnswer>("hello_answer");
    same::<Sources>("sources");
    same::<Sources>("sources_withdrawn");
    same::<SourcesAnswer>("sources_answer");
    same::<SourcesAnswer>("sources_answer_missing");
    same::<LeaseRequest>("lease_request");
    same::<Task>("task");
    same::<Progress>("progress");
    same::<Progress>("progress_waiting");
    same::<sightline_protocol::Extend>("extend");
    same::<Extended>("extended");
    same::<Complete>("complete");
    same::<Complete>("coverage");
    same::<Fail>("fail_unsupported");
    same::<Fail>("fail_unavailable");
    same::<Fail>("fail_error");
    same::<LeaseRequest>("lease_request_held");
    for task in ["hold", "hold_without_end", "free", "coverage", "thumbnail", "discover"] {
        same::<Task>(&format!("task_{task}"));
    }
    for ended in ["held", "freed", "thumbnail", "discovered"] {
        same::<Complete>(ended);
    }
}

#[test]
fn what_a_later_version_adds_is_tolerated() {
    let mut task = fixture("task");
    task["kind"] = json!("stream_live");
    task["colour"] = json!("blue");
    let task: Task = serde_json::from_value(task).unwrap();
    assert_eq!(task.payload, TaskPayload::Unknown);
    assert_eq!(task.lease, 4);

    let mut hello = fixture("hello");
    hello["more"] = json!({"a": 1});
    assert!(serde_json::from_value::<Hello>(hello).is_ok());
    let phase: Phase = serde_json::from_value(json!("transcribing")).unwrap();
    assert_eq!(phase, Phase::Other);
}

#[test]
fn the_highest_common_version_is_chosen() {
    assert_eq!(choose_version(&[9, 1]), Some(1));
    assert_eq!(choose_version(&[9]), None);
}

#[test]
fn a_connection_file_survives_odd_text_and_hides_its_key() {
    let file = ConnectionFile {
        url: "https://sightline.example".into(),
        connector_id: "con_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
        key: "a\"b\\c".into(),
        versions: vec![1],
        ca_pem: Some("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".into()),
    };
    let text = file.to_toml();
    assert_eq!(toml::from_str::<ConnectionFile>(&text).unwrap(), file);
    assert!(!format!("{file:?}").contains("a\""));
}
