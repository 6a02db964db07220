//! Running connectors whose ZoneMinder keeps what is held.
#![allow(clippy::unwrap_used)]

#[path = "session/recorder.rs"]
#[allow(dead_code)]
mod recorder;
#[path = "session/world.rs"]
#[allow(dead_code)]
mod world;

use std::path::PathBuf;
use std::time::Duration;

use recorder::Shared;
use serde_json::{Value, json};
use world::{ITEM, Running, Server, export, task};

async fn connector(adapter: String, set: impl FnOnce(&mut Server)) -> Running {
    Running::start(|server| {
        server.adapter = Some(adapter);
        set(server);
    })
    .await
}

/// A connector and its ZoneMinder, whose event is as it says.
async fn both(set: impl FnOnce(&mut Server), event: impl FnOnce(&mut recorder::Event)) -> (Running, Shared, String) {
    let at = recorder::address();
    let running = connector(recorder::adapter(at), set).await;
    let recorder = recorder::switched_on(at, running.recordings.path().join("yard/2026-01-10_10-00-00.mp4")).await;
    event(&mut recorder.lock().unwrap().event);
    running
        .until("the camera", |server| server.called("sources").iter().any(|told| told["sources"] != json!([])))
        .await;
    (running, recorder, recorder::adapter(at))
}

/// How a task ends.
async fn end(running: &Running, task: Value) -> Value {
    let ended = |server: &Server| server.called("complete").len() + server.called("fail").len();
    let before = ended(&running.server.lock().unwrap());
    running.server.lock().unwrap().tasks.push_back(task);
    running.until("the end", |server| ended(server) > before).await;
    let server = running.server.lock().unwrap();
    let (_, said) = server.calls.iter().rev().find(|(verb, _)| verb == "complete" || verb == "fail").unwrap();
    said.clone()
}

fn hold() -> Value {
    let mut hold = export(1);
    (hold["kind"], hold["until"]) = (json!("hold"), json!("2099-01-01T00:00:00Z"));
    hold
}

fn free() -> Value {
    task(2, json!({"kind": "free", "item_id": ITEM, "device_id": "yard"}))
}

fn says_that_it_holds(server: &Server) -> Value {
    server.called("lease").last().unwrap()["held"].clone()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come about");
}

#[tokio::test]
async fn what_one_connector_lets_go_the_other_still_has() {
    let (one, recorder, adapter) = both(|_| (), |event| event.notes = "Motion: Gate".into()).await;
    let other = connector(adapter, |_| ()).await;
    for running in [&one, &other] {
        assert_eq!(end(running, hold()).await["result"]["kind"], "held");
    }
    assert_eq!(end(&one, free()).await["result"]["kind"], "freed");
    assert!(recorder.lock().unwrap().event.archived, "the other one holds it");
    assert_eq!(end(&other, free()).await["result"]["kind"], "freed");
    {
        let recorder = recorder.lock().unwrap();
        assert_eq!((recorder.event.archived, recorder.event.notes.as_str()), (false, "Motion: Gate"));
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_lock_is_looked_at_again() {
    let (running, recorder, _) = both(|_| (), |_| ()).await;
    end(&running, hold()).await;
    running.until("word of it", |server| says_that_it_holds(server) == json!([ITEM])).await;
    let event = |set: fn(&mut recorder::Event)| set(&mut recorder.lock().unwrap().event);
    event(|event| (event.archived, event.notes) = (false, String::new()));
    until("its lock", || recorder.lock().unwrap().event.archived).await;
    event(|event| event.there = false);
    running.until("word that it is lost", |server| says_that_it_holds(server) == json!([])).await;
    assert_eq!(end(&running, free()).await["result"]["kind"], "freed");
    assert_eq!(running.held(), Vec::<PathBuf>::new());
    running.stop().await;
}

#[tokio::test]
async fn what_somebody_else_archived_stays_so_and_is_kept_if_they_do_not() {
    let (running, recorder, _) = both(|_| (), |event| event.archived = true).await;
    let archived = || recorder.lock().unwrap().event.archived;
    end(&running, hold()).await;
    end(&running, free()).await;
    assert!(archived());
    end(&running, hold()).await;
    recorder.lock().unwrap().event.archived = false;
    until("its lock", archived).await;
    end(&running, free()).await;
    assert!(!archived());
    running.stop().await;
}

#[tokio::test]
async fn without_the_right_to_archive_a_copy_is_held_or_the_reason_said() {
    let (running, recorder, _) = both(|_| (), |event| event.fixed = true).await;
    assert_eq!(end(&running, hold()).await["result"]["kind"], "held");
    assert!(running.held().iter().any(|file| file.ends_with("footage.encrypted")), "{:?}", running.held());
    assert!(!recorder.lock().unwrap().event.archived);
    running.stop().await;

    let (running, ..) = both(|server| server.cannot_hold = true, |event| event.fixed = true).await;
    let said = end(&running, hold()).await;
    let detail = said["detail"].as_str().unwrap();
    assert_eq!(said["code"], "unsupported");
    assert!(detail.contains("Events Edit") && detail.contains("[hold]"), "{detail}");
    running.until("word of it", |server| says_that_it_holds(server) == json!([])).await;
    running.stop().await;
}

#[tokio::test]
async fn events_of_single_pictures_are_told_as_such() {
    let (running, ..) = both(|_| (), |event| event.file = String::new()).await;
    for task in [export(1), hold()] {
        let said = end(&running, task).await;
        assert_eq!((&said["code"], &said["retryable"]), (&json!("error"), &json!(false)), "{said}");
        assert!(said["detail"].as_str().unwrap().contains("single pictures (JPEG)"), "{said}");
    }
    let told = |server: &Server| server.called("sources").last().unwrap()["problem"]["text"].clone();
    running
        .until("word of it", |server| told(server).as_str().is_some_and(|told| told.contains("'Yard' as single")))
        .await;
    running.stop().await;
}
