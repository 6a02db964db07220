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
    let yard = running.recordings.path().join("yard");
    for file in std::fs::read_dir(&yard).unwrap().map(Result::unwrap) {
        let later = file.file_name().into_string().unwrap().replace("2026-01-10", "2026-02-10");
        std::fs::rename(file.path(), yard.join(later)).unwrap();
    }
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
async fn what_is_held_of_a_camera_that_was_taken_back_does_not_leave() {
    let running = holding().await;
    let running = running.restart(|server| server.exclude = ", 'yard'").await;
    let said = next(&running, export(2)).await;
    assert_eq!((&said["code"], &said["retryable"]), (&json!("error"), &json!(false)), "{said}");
    assert!(said["detail"].as_str().unwrap().contains("not published"), "{said}");
    assert_eq!(running.server.lock().unwrap().created, 0);
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

fn waits_for_the_key(server: &Server) -> bool {
    let told = server.called("progress");
    told.last().is_some_and(|told| {
        told["phase"] == "waiting_for_key" && told["note"].as_str().is_some_and(|note| note.contains("key"))
    })
}

fn told_of_the_key(server: &Server) -> bool {
    let told = server.called("sources");
    told.last().is_some_and(|told| {
        told["problem"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("1 of 1 that are held for requests cannot be read"))
    })
}

#[tokio::test]
async fn what_cannot_be_read_for_want_of_the_key_is_kept_until_it_is_back() {
    for other in [None, Some([7; 32])] {
        let running = holding().await;
        let (key, away) = (running.state.path().join("hold.key"), running.state.path().join("unmounted.key"));
        std::fs::rename(&key, &away).unwrap();
        if let Some(other) = other {
            std::fs::write(&key, other).unwrap();
        }
        let running = running.restart(|server| server.calls.clear()).await;
        running.until("word to the office", told_of_the_key).await;
        running.until("word that it is held", |server| says_that_it_holds(server) == json!([ITEM])).await;
        running.server.lock().unwrap().tasks.push_back(export(2));
        running.until("it to be waited for", waits_for_the_key).await;
        assert_eq!(std::fs::read(&key).ok(), other.map(Vec::from), "no other key takes its place");
        assert_eq!(running.held().len(), 2);

        let listed = held_command(&running, &[]);
        let told = text(&listed.stdout);
        assert!(!listed.status.success());
        assert!(
            told.contains("which cannot be read now: ") && told.contains("\nwrong: 1 of 1 that are held"),
            "{told}"
        );
        let state = running.state.path().to_str().unwrap();
        let (well, told) = world::check_in(&running.url, &config(&running), None, &["--state", state]).await;
        assert!(!well && told.contains("wrong: 1 of 1 that are held for requests cannot be read now"), "{told}");

        std::fs::rename(&away, &key).unwrap();
        running.until("the export", |server| !server.called("complete").is_empty()).await;
        assert_eq!(running.server.lock().unwrap().called("fail"), Vec::<Value>::new());
        running.until("word that all is well", |server| !told_of_the_key(server)).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn half_of_it_at_the_recorder_does_not_take_the_place_of_what_waits_for_its_key() {
    let running = Running::start(|server| server.tasks.push_back(hold(1, FAR))).await;
    running.until("the hold", |server| ended(server) == 1).await;
    std::fs::remove_file(running.recordings.path().join("yard/2026-01-10_10-00-00.mp4")).unwrap();
    let (key, away) = (running.state.path().join("hold.key"), running.state.path().join("unmounted.key"));
    std::fs::rename(&key, &away).unwrap();
    let running = running.restart(|server| server.calls.clear()).await;
    running.server.lock().unwrap().tasks.push_back(export(2));
    running.until("it to be waited for", waits_for_the_key).await;
    assert_eq!(ended(&running.server.lock().unwrap()), 0);
    std::fs::rename(&away, &key).unwrap();
    running.until("the export", |server| ended(server) == 1).await;
    let manifest = running.server.lock().unwrap().called("complete")[0]["result"]["manifest"].clone();
    assert_eq!((&manifest["gaps"], manifest["segments"].as_array().unwrap().len()), (&json!([]), 2));
    running.stop().await;
}

#[tokio::test]
async fn what_is_freed_goes_without_its_key_and_nothing_is_held_with_another() {
    let running = Running::start(|server| server.tasks.push_back(hold(1, FAR))).await;
    running.until("the hold", |server| ended(server) == 1).await;
    let key = running.state.path().join("hold.key");
    std::fs::write(&key, [7; 32]).unwrap();
    let running = running.restart(|_| ()).await;
    let mut more = hold(2, FAR);
    more["item_id"] = json!("itm_01h455vb4pex5vsknk084sn03q");
    running.server.lock().unwrap().tasks.push_back(more);
    running.until("it to be waited for", waits_for_the_key).await;
    let mut free = task(3, json!({"kind": "free", "item_id": ITEM, "device_id": "yard"}));
    free["id"] = json!("tsk_01h455vb4pex5vsknk084sn02r");
    running.server.lock().unwrap().tasks.push_back(free);
    // as nothing is left that was encrypted with the first, the other one will do
    running.until("the other hold", |server| ended(server) == 3).await;
    assert_eq!(running.server.lock().unwrap().called("fail"), Vec::<Value>::new());
    running.until("word of it", |server| says_that_it_holds(server) == json!(["itm_01h455vb4pex5vsknk084sn03q"])).await;
    running.stop().await;
}

#[tokio::test]
async fn a_hold_of_which_nothing_can_be_read_is_told_and_kept() {
    let running = holding().await;
    let noted = running.held().into_iter().find(|file| file.ends_with("hold.json")).unwrap();
    std::fs::write(noted, "{").unwrap();
    let running = running.restart(|server| server.calls.clear()).await;
    running.until("word to the office", told_of_the_key).await;
    running.until("word that it is held", |server| says_that_it_holds(server) == json!([ITEM])).await;
    let told = held_command(&running, &[]);
    assert!(text(&told.stdout).starts_with(&format!("{ITEM}: cannot be read: ")), "{told:?}");
    assert!(held_command(&running, &["delete", ITEM]).status.success());
    assert_eq!(running.held(), Vec::<PathBuf>::new());
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

/// What its owner wrote.
fn config(running: &Running) -> String {
    let (path, key) = (running.recordings.path(), running.state.path().join("hold.key"));
    format!("[adapter]\nkind = 'folder'\npath = {path:?}\npattern = '{{camera}}/%s.mp4'\n[hold]\nkey_file = {key:?}\n")
}

/// Types `sightline-connector held …` beside it.
fn held_command(running: &Running, more: &[&str]) -> Output {
    let file = running.state.path().join("connector.toml");
    std::fs::write(&file, config(running)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline-connector"));
    command.args(["held", "--config"]).arg(&file).arg("--state").arg(running.state.path()).args(more);
    command.output().unwrap()
}

/// After a start this machine's clock may show any year, and the server be away.
#[tokio::test]
async fn nothing_runs_out_before_the_server_was_heard() {
    let running = Running::start(|server| server.tasks.push_back(hold(1, "2026-01-11T00:00:00Z"))).await;
    running.until("the hold", |server| ended(server) == 1).await;
    let running = running.restart(|server| server.down = usize::MAX).await;
    // a minute was waited for it once
    tokio::time::sleep(Duration::from_secs(63)).await;
    assert_eq!(running.held().len(), 2);
    running.server.lock().unwrap().down = 0;
    for _ in 0..600 {
        if running.held().is_empty() {
            return running.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is held beyond its term");
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
async fn what_a_name_does_to_a_terminal_is_not_done() {
    let running = holding().await;
    let noted = running.held().into_iter().find(|file| file.ends_with("hold.json")).unwrap();
    let mut told: Value = serde_json::from_slice(&std::fs::read(&noted).unwrap()).unwrap();
    told["source"]["name"] = json!("\u{1b}]0;x\u{7}gate");
    std::fs::write(noted, told.to_string()).unwrap();
    let listed = held_command(&running, &[]);
    assert!(text(&listed.stdout).contains("\"\\u{1b}]0;x\\u{7}gate\""), "{listed:?}");
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

#[tokio::test]
async fn a_key_that_goes_while_nothing_is_held_is_told() {
    let running = Running::start(|_| ()).await;
    running.until("the camera", |server| !server.called("sources").is_empty()).await;
    std::fs::remove_file(running.state.path().join("hold.key")).unwrap();
    let told = |server: &Server| server.called("sources").last().unwrap()["problem"]["text"].clone();
    let says = |server: &Server| told(server).as_str().is_some_and(|text| text.contains("Nothing can be held"));
    running.until("word to the office", says).await;
    running.stop().await;
}
