//! A running connector that keeps footage for requests that are not decided.
#![allow(clippy::unwrap_used)]

#[path = "session/world.rs"]
#[allow(dead_code)]
mod world;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use world::{ITEM, Running, Server, export, sha256, task};

fn hold(lease: i64, until: &str) -> Value {
    let window = json!({"from": "2026-01-10T10:00:05Z", "to": "2026-01-10T10:00:15Z"});
    let mut more = json!({"kind": "hold", "item_id": ITEM, "device_id": "yard", "until": until});
    more.as_object_mut().unwrap().extend(window.as_object().unwrap().clone());
    task(lease, more)
}

const FAR: &str = "2099-01-01T00:00:00Z";

/// A connector that holds the window, and whose recorder has written over it.
async fn holding() -> Running {
    let running = Running::start(|server| server.tasks.push_back(hold(1, FAR))).await;
    running.until("the hold", |server| ended(server) == 1).await;
    let complete = running.server.lock().unwrap().called("complete")[0].clone();
    assert_eq!(complete["result"], json!({"kind": "held", "until": "2099-01-01T00:00:00.000Z"}));
    std::fs::remove_dir_all(running.recordings.path().join("yard")).unwrap();
    running
}

fn ended(server: &Server) -> usize {
    server.called("complete").len() + server.called("fail").len()
}

async fn next(running: &Running, task: Value) -> Value {
    let before = ended(&running.server.lock().unwrap());
    running.server.lock().unwrap().tasks.push_back(task);
    running.until("the task's end", |server| ended(server) > before).await;
    let server = running.server.lock().unwrap();
    let (_, said) = server.calls.iter().rev().find(|(verb, _)| verb == "complete" || verb == "fail").unwrap();
    said.clone()
}

fn says_that_it_holds(server: &Server) -> Value {
    server.called("lease").last().unwrap()["held"].clone()
}

#[tokio::test]
async fn what_is_held_is_exported_when_the_recorder_has_it_no_more() {
    let running = holding().await;
    let held: Vec<_> = running.held();
    assert_eq!(held.len(), 2, "{held:?}");
    let folder = std::fs::metadata(running.state.path().join("held")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&folder.permissions()) & 0o777, 0o700);
    for file in &held {
        let bytes = std::fs::read(file).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
        assert!(!bytes.windows(4).any(|window| window == b"ftyp" || window == b"moov"), "{file:?} is in the clear");
    }
    assert_eq!(running.spooled(), Vec::<PathBuf>::new(), "nothing in the clear is left");
    running.until("word of it", |server| says_that_it_holds(server) == json!([ITEM])).await;

    // after a restart too, and whole
    let running = running.restart(|_| ()).await;
    let said = next(&running, export(2)).await;
    let result = &said["result"];
    assert_eq!(result["kind"], "exported", "{said}");
    assert_eq!(result["sha256"], sha256(&running.server.lock().unwrap().upload));
    assert_eq!(result["manifest"]["first_frame"], "2026-01-10T10:00:05.000Z");
    assert_eq!(result["manifest"]["segments"].as_array().unwrap().len(), 2);

    // freed, twice
    let free = || task(3, json!({"kind": "free", "item_id": ITEM, "device_id": "yard"}));
    assert_eq!(next(&running, free()).await["result"], json!({"kind": "freed"}));
    assert_eq!(next(&running, free()).await["result"], json!({"kind": "freed"}));
    assert_eq!(running.held(), Vec::<PathBuf>::new());
    running.until("word of it", |server| says_that_it_holds(server) == json!([])).await;
    let gone = next(&running, export(4)).await;
    assert_eq!((&gone["code"], &gone["reason"]), (&json!("unavailable"), &json!("never_recorded")), "{gone}");
    running.stop().await;
}

#[tokio::test]
async fn a_part_of_what_is_held_is_granted() {
    let running = holding().await;
    let mut part = export(2);
    (part["from"], part["to"]) = (json!("2026-01-10T10:00:08Z"), json!("2026-01-10T10:00:12Z"));
    let said = next(&running, part).await;
    let manifest = &said["result"]["manifest"];
    let time = |name: &str| manifest[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(time("first_frame"), at("2026-01-10T10:00:08Z"), "{said}");
    assert!(
        time("last_frame") >= at("2026-01-10T10:00:11.9Z") && time("last_frame") <= at("2026-01-10T10:00:12.5Z"),
        "{said}"
    );
    assert_eq!(manifest["segments"].as_array().unwrap().len(), 2);
    assert_eq!((&manifest["adapter"], &manifest["gaps"]), (&json!("folder"), &json!([])));

    // more than is held is not in it
    let mut more = export(3);
    more["from"] = json!("2026-01-10T10:00:00Z");
    assert_eq!(next(&running, more).await["code"], "unavailable");
    running.stop().await;
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let running = holding().await;
    std::fs::write(running.state.path().join("hold.key"), [7; 32]).unwrap();
    let running = running.restart(|_| ()).await;
    let said = next(&running, export(2)).await;
    assert_eq!(said["code"], "unavailable", "the recorder is asked, and has it no more");
    let detail = said["detail"].as_str().unwrap();
    assert!(detail.ends_with("cannot be read: it was changed, or is encrypted with another key."), "{detail}");
    running.stop().await;
}

#[tokio::test]
async fn a_hold_that_is_asked_again_is_kept_longer_and_made_once() {
    let running = holding().await;
    let footage = || running.held().into_iter().find(|file| file.ends_with("footage.encrypted")).unwrap();
    let before = std::fs::metadata(footage()).unwrap().modified().unwrap();
    let later = next(&running, hold(2, "2099-02-01T00:00:00Z")).await;
    assert_eq!(later["result"]["until"], "2099-02-01T00:00:00.000Z");
    assert_eq!(std::fs::metadata(footage()).unwrap().modified().unwrap(), before);
    running.stop().await;
}

#[tokio::test]
async fn nothing_is_held_beyond_its_term() {
    let running = Running::start(|server| server.tasks.push_back(hold(1, "2026-01-11T00:00:00Z"))).await;
    running.until("the hold", |server| ended(server) == 1).await;
    let running = running.restart(|_| ()).await;
    for _ in 0..400 {
        if running.held().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(running.held(), Vec::<PathBuf>::new());
    running.stop().await;
}

/// Types `sightline-connector held …` beside it.
fn held_command(running: &Running, more: &[&str]) -> Output {
    let config = running.state.path().join("connector.toml");
    let path = running.recordings.path();
    std::fs::write(&config, format!("[adapter]\nkind = 'folder'\npath = {path:?}\npattern = '{{camera}}/%s.mp4'"))
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline-connector"));
    command.args(["held", "--config"]).arg(&config).arg("--state").arg(running.state.path()).args(more);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn its_owner_lists_and_deletes_what_is_held() {
    let running = holding().await;
    // another one is just being made
    std::fs::create_dir(running.state.path().join("held/itm_01h455vb4pex5vsknk084sn03q")).unwrap();
    let listed = held_command(&running, &[]);
    let told = text(&listed.stdout);
    // with the camera's name, if its folder was looked at before the hold was asked for
    let told_without_name = told.replace(" \"yard\"", "");
    let line = format!(
        "{ITEM}: yard, 2026-01-10T10:00:05.000Z to 2026-01-10T10:00:15.000Z, until 2099-01-01T00:00:00.000Z; an encrypted copy of "
    );
    assert!(listed.status.success() && told_without_name.starts_with(&line) && told.lines().count() == 1, "{listed:?}");

    let deleted = held_command(&running, &["delete", ITEM]);
    assert!(deleted.status.success() && deleted.stderr.is_empty(), "{deleted:?}");
    assert_eq!(running.held(), Vec::<PathBuf>::new());
    running.until("word of it", |server| says_that_it_holds(server) == json!([])).await;
    assert_eq!(text(&held_command(&running, &[]).stdout), "nothing is held\n");
    assert!(std::fs::exists(running.state.path().join("held/itm_01h455vb4pex5vsknk084sn03q")).unwrap());

    let again = held_command(&running, &["delete", ITEM]);
    assert!(!again.status.success());
    assert_eq!(text(&again.stderr), format!("sightline-connector: nothing is held for {ITEM}\n"));
    running.stop().await;
}

#[tokio::test]
async fn what_was_half_written_goes() {
    let running = holding().await;
    let hold = running.held().into_iter().find(|file| file.ends_with("hold.json")).unwrap();
    std::fs::remove_file(hold).unwrap();
    let running = running.restart(|_| ()).await;
    assert_eq!(running.held(), Vec::<PathBuf>::new());
    running.until("word of it", |server| says_that_it_holds(server) == json!([])).await;
    running.stop().await;
}

#[tokio::test]
async fn a_connector_that_is_not_set_up_to_hold_says_so() {
    let running = Running::start(|server| {
        server.cannot_hold = true;
        server.tasks.push_back(hold(1, FAR));
    })
    .await;
    running.until("the end", |server| ended(server) == 1).await;
    assert_eq!(running.server.lock().unwrap().called("fail")[0]["code"], "unsupported");
    running.stop().await;
}
