//! A running connector whose video system cannot be reached, for a while.
#![allow(clippy::unwrap_used)]

#[path = "session/recorder.rs"]
#[allow(dead_code)]
mod recorder;
#[path = "session/world.rs"]
#[allow(dead_code)]
mod world;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use world::{ITEM, Running, Server, export, task};

/// A video of twenty seconds.
fn video(running: &Running) -> PathBuf {
    let path = running.state.path().join("video.mp4");
    let mut command = std::process::Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10", "-t", "20", "-g", "10"]);
    command.args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]).arg(&path);
    assert!(command.status().unwrap().success());
    path
}

/// The same task with another id.
fn other(mut task: Value, last: char) -> Value {
    let id = task["id"].as_str().unwrap().trim_end_matches('q').to_owned();
    task["id"] = json!(format!("{id}{last}"));
    task
}

fn hold(lease: i64) -> Value {
    let mut hold = export(lease);
    (hold["kind"], hold["until"]) = (json!("hold"), json!("2099-01-01T00:00:00Z"));
    hold
}

fn waits(server: &Server, why: &str) -> bool {
    let told = server.called("progress");
    told.last().is_some_and(|told| {
        told["phase"] == "waiting_for_system" && told["note"].as_str().is_some_and(|note| note.contains(why))
    })
}

#[tokio::test]
async fn a_video_system_that_is_off_is_waited_for() {
    let at = recorder::address();
    let running = Running::start(|server| {
        server.adapter = Some(recorder::adapter(at));
        server.tasks.push_back(export(1));
    })
    .await;
    running.until("word that it is waited for", |server| waits(server, "cannot be reached")).await;
    // nobody is kept from working by those who wait
    running.server.lock().unwrap().tasks.extend([
        other(export(1), 'r'),
        other(export(1), 's'),
        other(task(1, json!({"kind": "discover"})), 't'),
    ]);
    running.until("other work", |server| !server.called("complete").is_empty()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(running.server.lock().unwrap().called("fail"), Vec::<Value>::new());

    let _recorder = recorder::switched_on(at, video(&running)).await;
    running.until("the exports", |server| server.called("complete").len() == 4).await;
    assert_eq!(running.server.lock().unwrap().called("fail"), Vec::<Value>::new());
    running.stop().await;
}

#[tokio::test]
async fn a_hold_waits_for_it_and_so_does_its_end() {
    let at = recorder::address();
    let running = Running::start(|server| server.adapter = Some(recorder::adapter(at))).await;
    let recorder = recorder::switched_on(at, video(&running)).await;
    let away = |status| recorder.lock().unwrap().answers = status;
    away(Some(503));
    running.server.lock().unwrap().tasks.push_back(hold(1));
    running.until("word that it is waited for", |server| waits(server, "503")).await;
    away(None);
    running.until("the hold", |server| !server.called("complete").is_empty()).await;
    assert!(recorder.lock().unwrap().event.archived);

    away(Some(500));
    let free = task(2, json!({"kind": "free", "item_id": ITEM, "device_id": "yard"}));
    running.server.lock().unwrap().tasks.push_back(free);
    running.until("word that it is waited for", |server| waits(server, "500")).await;
    away(None);
    running.until("its end", |server| server.called("complete").len() == 2).await;
    assert!(!recorder.lock().unwrap().event.archived);
    assert_eq!(running.server.lock().unwrap().called("fail"), Vec::<Value>::new());
    running.stop().await;
}

#[tokio::test]
async fn what_it_says_while_it_starts_is_not_believed_and_a_refusal_is() {
    let at = recorder::address();
    let running = Running::start(|server| server.adapter = Some(recorder::adapter(at))).await;
    let recorder = recorder::switched_on(at, video(&running)).await;
    running
        .until("the camera", |server| {
            server.called("sources").iter().any(|told| told["sources"][0]["device_id"] == "yard")
        })
        .await;
    let answers = |status| recorder.lock().unwrap().answers = status;
    answers(Some(401));
    running.server.lock().unwrap().tasks.push_back(export(1));
    running.until("its end", |server| !server.called("fail").is_empty()).await;
    let said = running.server.lock().unwrap().called("fail")[0].clone();
    assert!(said["detail"].as_str().unwrap().contains("user name and password"), "{said}");

    answers(Some(502));
    running.server.lock().unwrap().tasks.push_back(export(2));
    running.until("word that it is waited for", |server| waits(server, "502")).await;
    answers(Some(401));
    running.until("word that it starts", |server| waits(server, "user name and password")).await;
    answers(None);
    running.until("the export", |server| !server.called("complete").is_empty()).await;
    assert_eq!(running.server.lock().unwrap().called("fail").len(), 1);
    running.stop().await;
}

/// What was published last: the sequence, the problem, and whether a camera was said to have vanished since the calls were cleared.
fn published(server: &Server) -> (i64, String, bool) {
    let told = server.called("sources");
    let vanished = told.iter().any(|told| told["vanished"] != json!([]) || told["base"].is_null());
    let last = told.last().cloned().unwrap_or_default();
    let problem = last["problem"]["text"].as_str().unwrap_or_default().to_owned();
    (last["sequence"].as_i64().unwrap_or(0), problem, vanished)
}

#[tokio::test]
async fn recordings_that_are_not_mounted_are_waited_for() {
    for root_is_gone in [false, true] {
        let running = Running::start(|_| ()).await;
        running.until("the camera", |server| !server.called("sources").is_empty()).await;
        let root = running.recordings.path().to_owned();
        let (mounted, away) = if root_is_gone {
            (root.clone(), root.with_extension("away"))
        } else {
            (root.join("yard"), running.state.path().join("yard"))
        };
        std::fs::rename(&mounted, &away).unwrap();
        running.server.lock().unwrap().tasks.push_back(export(1));
        running.until("it to be waited for", |server| waits(server, "")).await;
        running.until("word of it", |server| published(server).1.contains("cannot be re")).await;

        // after a restart too
        let running = running
            .restart(|server| {
                server.sequence = Some(published(server).0);
                server.calls.clear();
                server.tasks.push_back(export(2));
            })
            .await;
        running.until("it to be waited for", |server| waits(server, "")).await;
        running.until("word of it", |server| published(server).1.contains("cannot be re")).await;
        assert!(
            !published(&running.server.lock().unwrap()).2,
            "{:?}",
            running.server.lock().unwrap().called("sources")
        );
        assert_eq!(running.server.lock().unwrap().called("fail"), Vec::<Value>::new());

        std::fs::rename(&away, &mounted).unwrap();
        running.until("the export", |server| !server.called("complete").is_empty()).await;
        running.until("word of it", |server| published(server).1.is_empty()).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn one_disk_of_several_that_is_not_mounted_is_waited_for() {
    let running = Running::start(|_| ()).await;
    let root = running.recordings.path().to_owned();
    let (yard, gate) = (root.join("yard"), root.join("gate"));
    std::fs::create_dir(&gate).unwrap();
    for file in std::fs::read_dir(&yard).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), gate.join(file.file_name())).unwrap();
    }
    running.server.lock().unwrap().tasks.push_back(task(1, json!({"kind": "discover"})));
    let both = |server: &Server| ["yard", "gate"].iter().all(|id| server.seen.contains(*id));
    running.until("both cameras", both).await;
    let away = running.state.path().join("yard");
    std::fs::rename(&yard, &away).unwrap();
    std::fs::create_dir(&yard).unwrap();
    running.server.lock().unwrap().tasks.extend([other(export(1), 'r'), other(hold(1), 's')]);
    running.until("it to be waited for", |server| waits(server, "may not be mounted")).await;

    // after a restart too
    let running = running.restart(|server| server.tasks.push_back(other(export(2), 'r'))).await;
    running.server.lock().unwrap().calls.clear();
    running.until("it to be waited for", |server| waits(server, "may not be mounted")).await;
    assert_eq!(running.server.lock().unwrap().called("fail"), Vec::<Value>::new());
    std::fs::remove_dir(&yard).unwrap();
    std::fs::rename(&away, &yard).unwrap();
    running.until("the export", |server| !server.called("complete").is_empty()).await;
    running.stop().await;
}

#[tokio::test]
async fn an_error_for_one_recording_alone_is_no_absence() {
    let at = recorder::address();
    let running = Running::start(|server| server.adapter = Some(recorder::adapter(at))).await;
    let recorder = recorder::switched_on(at, video(&running)).await;
    running.until("the camera", |server| server.seen.contains("yard")).await;
    recorder.lock().unwrap().video_answers = Some(500);
    running.server.lock().unwrap().tasks.push_back(export(1));
    running.until("its end", |server| !server.called("fail").is_empty()).await;
    let said = running.server.lock().unwrap().called("fail")[0].clone();
    assert_eq!((&said["code"], &said["retryable"]), (&json!("error"), &json!(true)), "{said}");
    assert!(said["detail"].as_str().unwrap().contains("500"), "{said}");
    running.stop().await;
}

#[tokio::test]
async fn a_folder_in_which_nothing_ever_was_has_nothing() {
    let empty = tempfile::tempdir().unwrap();
    let running = Running::start(|server| {
        server.adapter = Some(format!("kind = 'folder'\npath = {:?}\npattern = '{{camera}}/%s.mp4'", empty.path()));
        server.tasks.push_back(export(1));
    })
    .await;
    running.until("the end", |server| !server.called("fail").is_empty()).await;
    let said = running.server.lock().unwrap().called("fail")[0].clone();
    assert_eq!((&said["code"], &said["reason"]), (&json!("unavailable"), &json!("never_recorded")), "{said}");
    running.stop().await;
}

#[tokio::test]
async fn a_system_that_had_cameras_and_tells_of_none_has_not_told() {
    let at = recorder::address();
    let running = Running::start(|server| server.adapter = Some(recorder::adapter(at))).await;
    let recorder = recorder::switched_on(at, video(&running)).await;
    let named = |server: &Server| server.called("sources").iter().any(|told| told["sources"][0]["device_id"] == "yard");
    running.until("the camera", named).await;
    recorder.lock().unwrap().empty = true;
    running.server.lock().unwrap().calls.clear();
    running.server.lock().unwrap().tasks.extend([export(1), other(hold(1), 'r')]);
    running.until("word of it", |server| published(server).1.contains("no camera is there, and there were 1")).await;
    running.until("it to be waited for", |server| waits(server, "there were 1 before")).await;
    assert!(!published(&running.server.lock().unwrap()).2);
    recorder.lock().unwrap().empty = false;
    running.until("export and hold", |server| server.called("complete").len() == 2).await;
    assert_eq!(running.server.lock().unwrap().called("fail"), Vec::<Value>::new());
    running.stop().await;
}
