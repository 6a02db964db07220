//! A running connector against a server that only pretends: it loses leases, breaks connections and forgets.
#![allow(clippy::unwrap_used)]

#[path = "session/checked.rs"]
mod checked;
#[path = "session/world.rs"]
#[allow(dead_code)]
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};
use world::{ITEM, KEY, Running, Server, TASK, UPLOAD, export, sha256, task};

#[tokio::test]
async fn it_publishes_exports_uploads_and_completes() {
    let running = Running::start(|server| server.tasks.push_back(export(7))).await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    running.until("a thumbnail", |server| server.thumbnails.get("yard").is_some_and(|size| *size > 500)).await;
    let server = Arc::clone(&running.server);
    running.stop().await;
    let server = server.lock().unwrap();
    let published = &server.called("sources")[0];
    assert_eq!(published["base"], Value::Null);
    assert_eq!(published["sources"][0]["device_id"], "yard");
    let complete = &server.called("complete")[0];
    assert_eq!(complete["lease"], 7);
    let result = &complete["result"];
    assert_eq!(result["upload_id"], UPLOAD);
    assert_eq!(result["sha256"], sha256(&server.upload));
    assert_eq!(result["size_bytes"], server.upload_length);
    assert_eq!(result["manifest"]["export"]["sha256"], result["sha256"]);
    assert_eq!(result["manifest"]["first_frame"], "2026-01-10T10:00:05.000Z");
    assert_eq!(server.leases_of_patches, ["7"]);
    let metadata = &server.upload_metadata;
    for (name, value) in [("task_id", TASK), ("lease", "7"), ("filename", "yard_2026-01-10T10-00-05Z_10s.mp4")] {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value);
        assert!(metadata.contains(&format!("{name} {encoded}")), "{metadata}");
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_a_dying_server_left_it() {
    let running = Running::start(|server| {
        server.tasks.push_back(export(1));
        server.breaks = vec![60_000, 1, 90_000];
    })
    .await;
    running.until("the upload", |server| !server.upload.is_empty()).await;
    running.server.lock().unwrap().down = 4;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    {
        let server = running.server.lock().unwrap();
        assert!(server.leases_of_patches.len() >= 4, "{:?}", server.leases_of_patches);
        assert_eq!(server.upload.len(), server.upload_length);
        assert_eq!(server.called("complete")[0]["result"]["sha256"], sha256(&server.upload));
        assert_eq!(server.called("complete").len(), 1);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_line_that_breaks_often_is_not_left_alone_for_longer_each_time() {
    let running = Running::start(|server| {
        server.tasks.push_back(export(1));
        server.breaks = vec![1; 7];
    })
    .await;
    running.until("the upload", |server| !server.upload.is_empty()).await;
    let begun = std::time::Instant::now();
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    assert_eq!(running.server.lock().unwrap().leases_of_patches.len(), 8);
    // half a minute, if each wait were longer than the one before
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    running.stop().await;
}

/// A recorder whose cameras do not answer when they are asked for a picture.
const SILENT: &str = r#"
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    names = open(sys.argv[1]).read().split()
    answers = {
        "hello": {"protocol": 1, "can": ["recordings", "bounds", "fetch", "snapshot"], "parallel": 9},
        "discover": {"sources": [{"device_id": name, "name": name} for name in names]},
    }
    if asked["method"] in answers:
        print(json.dumps({"id": asked["id"], "result": answers[asked["method"]]}), flush=True)
"#;

#[tokio::test]
async fn cameras_without_a_picture_do_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (program, names) = (folder.path().join("silent.py"), folder.path().join("names"));
    std::fs::write(&program, SILENT).unwrap();
    std::fs::write(&names, "a b c").unwrap();
    let running = Running::start(|server| {
        server.adapter = Some(format!("kind = 'command'\ncommand = ['/usr/bin/python3', {program:?}, {names:?}]"));
    })
    .await;
    let published =
        |server: &Server| server.called("sources").iter().map(|told| told["sources"].clone()).collect::<Vec<_>>();
    running
        .until("three cameras", |server| published(server).iter().any(|all| all.as_array().unwrap().len() == 3))
        .await;
    std::fs::write(&names, "a b c d").unwrap();
    running.until("the new one", |server| published(server).iter().any(|all| all[0]["device_id"] == "d")).await;
    running.stop().await;
}

/// A recorder that takes its time over a recording.
const SLOW: &str = r#"
import json, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    answer = {
        "hello": {"protocol": 1, "can": ["export", "coverage"]},
        "discover": {"sources": [{"device_id": "yard", "name": "yard"}]},
    }.get(asked["method"])
    if asked["method"] == "export":
        with open(asked["params"]["into"], "wb") as file:
            for part in range(3):
                file.write(bytes(100_000))
                file.flush()
                time.sleep(1)
    if "id" in asked:
        said = {"result": answer} if answer else {"error": {"kind": "broken", "retryable": False}}
        print(json.dumps({"id": asked["id"], **said}), flush=True)
"#;

#[tokio::test]
async fn how_much_was_fetched_is_told_before_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("slow.py");
    std::fs::write(&program, SLOW).unwrap();
    let running = Running::start(|server| {
        server.adapter = Some(format!("kind = 'command'\ncommand = ['/usr/bin/python3', {program:?}]"));
        server.tasks.push_back(export(1));
    })
    .await;
    running.until("the end", |server| !server.called("fail").is_empty()).await;
    let told = running.server.lock().unwrap().called("progress");
    // A busy machine may be told of one step less than there were.
    let so_far: Vec<_> = told.iter().filter(|told| told["phase"] == "exporting").collect();
    let mut bytes: Vec<_> =
        so_far.iter().filter_map(|told| told["bytes_done"].as_i64().filter(|done| *done > 0)).collect();
    assert!(bytes.is_sorted() && bytes.iter().all(|done| done % 100_000 == 0), "{told:?}");
    bytes.dedup();
    assert!(bytes.len() >= 2, "{told:?}");
    assert!(so_far.iter().all(|told| told["bytes_total"].is_null()), "{told:?}");
    running.stop().await;
}

/// A recorder with four recordings of ten seconds, which it hands out one after the other.
const ONE_BY_ONE: &str = r#"
import json, shutil, sys, time
names = ["10:00:%02d" % second for second in (0, 10, 20, 30)]
for line in sys.stdin:
    asked = json.loads(line)
    if asked["method"] == "fetch":
        time.sleep(1.5)
        shutil.copy(sys.argv[1], asked["params"]["into"])
    listed = [{"name": name, "begins": f"2026-01-10T{name}Z", "ends": f"2026-01-10T{name[:-1]}9.9Z"} for name in names]
    answer = {
        "hello": {"protocol": 1, "can": ["recordings", "bounds", "fetch"]},
        "discover": {"sources": [{"device_id": "yard", "name": "yard"}]},
        "recordings": {"recordings": listed},
    }.get(asked["method"], {})
    if "id" in asked:
        print(json.dumps({"id": asked["id"], "result": answer}), flush=True)
"#;

#[tokio::test]
async fn of_recordings_that_come_one_by_one_it_is_told_how_much_there_will_be() {
    let folder = tempfile::tempdir().unwrap();
    let (program, clip) = (folder.path().join("one-by-one.py"), folder.path().join("clip.mp4"));
    std::fs::write(&program, ONE_BY_ONE).unwrap();
    let running = Running::start(|server| {
        server.adapter = Some(format!("kind = 'command'\ncommand = ['/usr/bin/python3', {program:?}, {clip:?}]"));
    })
    .await;
    std::fs::copy(running.recordings.path().join("yard/2026-01-10_10-00-00.mp4"), &clip).unwrap();
    let size = std::fs::metadata(&clip).unwrap().len();
    let whole = json!({
        "kind": "export", "item_id": ITEM, "device_id": "yard", "from": "2026-01-10T10:00:00Z", "to": "2026-01-10T10:00:40Z",
    });
    running.server.lock().unwrap().tasks.push_back(task(1, whole));
    running.until("the end", |server| !server.called("complete").is_empty()).await;
    let told = running.server.lock().unwrap().called("progress");
    let fetching: Vec<_> = told.iter().filter(|told| told["phase"] == "exporting").collect();
    assert_eq!(fetching[0]["bytes_total"], Value::Null, "nothing is known yet: {fetching:?}");
    for come in 1..=3 {
        let so_far = |told: &&&Value| told["bytes_done"] == come * size && told["bytes_total"] == 4 * size;
        assert!(fetching.iter().any(|told| so_far(&told)), "{come} of 4 times {size}: {fetching:?}");
    }
    running.stop().await;
}

/// A recorder on a machine whose clock it shows, which tells what it was asked for by failing.
const SAME_CLOCK: &str = r#"
import datetime, json, sys
for line in sys.stdin:
    asked = json.loads(line)
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    answer = {
        "hello": {"protocol": 1, "can": ["export", "coverage", "clock"]},
        "discover": {"sources": [{"device_id": "yard", "name": "yard"}]},
        "clock": {"now": now, "precision_ms": 0},
    }.get(asked["method"])
    said = {"result": answer} if answer else {"error": {"kind": "broken", "retryable": False, "detail": json.dumps(asked)}}
    print(json.dumps({"id": asked["id"], **said}), flush=True)
"#;

/// What the server's clock shows where this machine's is ten minutes ahead.
fn ten_minutes_behind() -> &'static str {
    let behind = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(600);
    Box::leak(behind.to_string().into_boxed_str())
}

/// Of a connector with that adapter on such a machine: what it publishes, and how an export ends.
async fn ten_minutes_apart(adapter: Option<String>, end: &str) -> (Value, Value) {
    let running = Running::start(|server| {
        server.adapter = adapter;
        server.clock = Some(ten_minutes_behind());
        server.tasks.push_back(export(1));
    })
    .await;
    running.until(end, |server| !server.called("sources").is_empty() && !server.called(end).is_empty()).await;
    let told = {
        let server = running.server.lock().unwrap();
        (server.called("sources")[0].clone(), server.called(end)[0].clone())
    };
    running.stop().await;
    told
}

fn clock_of(published: &Value) -> (i64, i64) {
    let clock = &published["sources"][0]["clock_offset"];
    (clock["offset_ms"].as_i64().unwrap(), clock["uncertainty_ms"].as_i64().unwrap())
}

#[tokio::test]
async fn true_time_is_the_servers_whatever_this_machine_shows() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("same-clock.py");
    std::fs::write(&program, SAME_CLOCK).unwrap();
    let adapter = format!("kind = 'command'\ncommand = ['/usr/bin/python3', {program:?}]");
    let (published, failed) = ten_minutes_apart(Some(adapter), "fail").await;
    let (offset_ms, uncertainty_ms) = clock_of(&published);
    assert!((598_000..602_000).contains(&offset_ms) && uncertainty_ms < 2_000, "{published}");
    let problem = published["problem"]["text"].as_str().unwrap();
    assert!(problem.contains("600 s ahead") || problem.contains("601 s ahead"), "{problem}");
    assert!(failed["detail"].as_str().unwrap().contains("2026-01-10T10:10:0"), "{failed}");
}

#[tokio::test]
async fn recordings_that_nobody_dates_are_as_unsure_as_this_machines_clock() {
    let (published, complete) = ten_minutes_apart(None, "complete").await;
    let (offset_ms, uncertainty_ms) = clock_of(&published);
    assert!(offset_ms == 0 && (598_000..602_000).contains(&uncertainty_ms), "{published}");
    assert!(published["problem"]["what_to_do"].as_str().unwrap().contains("time server"));
    let told = &complete["result"]["manifest"]["clock_offset"];
    assert!(told["uncertainty_ms"].as_i64().unwrap() > 598_000, "{complete}");
}

#[tokio::test]
async fn footage_is_sent_in_the_hours_that_its_owner_allows() {
    let last = |server: &Server, phase| server.called("progress").last().is_some_and(|told| told["phase"] == phase);
    let at = |clock, lease| {
        move |server: &mut Server| {
            server.calls.clear();
            server.tasks.push_back(export(lease));
            server.clock = Some(clock);
        }
    };
    let running = Running::start(|server| {
        at("2026-01-10T12:00:00Z", 1)(server);
        server.limits = "[limits]\nupload_mbit = 0.1\nhours = { from = '20:00', to = '20:00:10', time_zone = 'UTC' }";
    })
    .await;
    running.until("the hours to be waited for", |server| last(server, "waiting_for_hours")).await;
    assert_eq!(running.server.lock().unwrap().created, 0);
    let running = running.restart(at("2026-01-10T20:00:00Z", 2)).await;
    running.until("it to be sent", |server| !server.upload.is_empty()).await;
    running.until("the hours to be over", |server| last(server, "waiting_for_hours")).await;
    let sent = running.server.lock().unwrap().upload.len();
    assert!(sent < running.server.lock().unwrap().upload_length, "{sent} bytes");
    let running = running
        .restart(|server| {
            at("2026-01-11T20:00:00Z", 3)(server);
            server.limits = "[limits]\nhours = { from = '19:00', to = '06:00', time_zone = 'UTC' }";
        })
        .await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    {
        let server = running.server.lock().unwrap();
        assert_eq!((server.created, server.offsets_of_patches.last()), (1, Some(&sent)), "it goes on where it was");
        assert_eq!(server.called("complete")[0]["result"]["sha256"], sha256(&server.upload));
    }
    running.stop().await;
}

#[tokio::test]
async fn at_a_small_pace_something_moves_all_the_time() {
    let running = Running::start(|server| {
        server.tasks.push_back(export(1));
        server.limits = "[limits]\nupload_mbit = 0.01";
    })
    .await;
    running.until("the first bytes", |server| !server.upload.is_empty()).await;
    let sent = || running.server.lock().unwrap().upload.len();
    let first = sent();
    tokio::time::sleep(Duration::from_secs(4)).await;
    // 1250 bytes a second
    let (more, whole) = (sent() - first, running.server.lock().unwrap().upload_length);
    assert!(first < 10_000 && (2_000..20_000).contains(&more), "{first} and {more} of {whole} bytes");
    running.stop().await;
}

#[tokio::test]
async fn whoever_stands_beside_it_sees_what_it_does() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
    let running = Running::start(|server| {
        server.connector = format!("status = '127.0.0.1:{port}'");
        server.tasks.push_back(export(1));
        server.clock = Some("2026-01-10T12:00:00Z");
        server.limits = "[limits]\nhours = { from = '20:00', to = '21:00', time_zone = 'UTC' }";
    })
    .await;
    let phase = |server: &Server| server.called("progress").last().map(|told| told["phase"].clone());
    running.until("the task to wait", |server| phase(server) == Some(json!("waiting_for_hours"))).await;
    let http = reqwest::Client::new();
    let get = async |path: &str, host: &str| {
        let answer = http.get(format!("http://127.0.0.1:{port}{path}")).header("host", host).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let here = format!("127.0.0.1:{port}");
    let (status, now) = get("/status.json", &here).await;
    let now: Value = serde_json::from_str(&now).unwrap();
    assert_eq!(
        (status, &now["adapter"], &now["cameras"], &now["trouble"]),
        (200, &json!("folder"), &json!(1), &Value::Null)
    );
    let window = json!({"from": "2026-01-10T10:00:05.000Z", "to": "2026-01-10T10:00:15.000Z"});
    let task = json!({
        "id": TASK, "kind": "export", "device_id": "yard", "window": window, "phase": "waiting_for_hours", "bytes_done": 0,
        "bytes_total": null
    });
    assert_eq!(now["tasks"], json!([task]));
    let (status, page) = get("/", &here).await;
    assert!(status == 200 && page.contains("export of yard, 2026-01-1") && !page.contains(KEY), "{page}");
    assert!(page.contains(": waiting for hours"), "{page}");
    // a name of somebody else's that leads here
    assert_eq!(get("/status.json", "evil.example").await.0, 421);
    running.server.lock().unwrap().down = usize::MAX;
    for _ in 0..100 {
        let now: Value = serde_json::from_str(&get("/status.json", &here).await.1).unwrap();
        if now["trouble"].is_string() {
            return running.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the server is away, and nothing is said of it");
}

/// A connector whose upload broke off in the middle, and whose server does not answer any more.
async fn half_sent() -> Running {
    let running = Running::start(|server| {
        server.tasks.push_back(export(1));
        (server.breaks, server.gone_after_break) = (vec![60_000], true);
    })
    .await;
    running.until("half an upload", |server| server.down > 0).await;
    running
}

fn back_again(lease: i64) -> impl FnOnce(&mut Server) {
    move |server| {
        server.down = 0;
        server.tasks.push_back(export(lease));
    }
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart_of_the_connector() {
    let running = half_sent().await;
    let export = running.spooled().into_iter().find(|file| file.extension().is_some_and(|ext| ext == "mp4")).unwrap();
    let on_disk = std::fs::read(export).unwrap();
    // what was exported needs the recorder no more
    std::fs::remove_dir_all(running.recordings.path().join("yard")).unwrap();
    let running = running.restart(back_again(2)).await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    {
        let server = running.server.lock().unwrap();
        assert_eq!(server.created, 1, "the same upload goes on");
        assert_eq!(server.leases_of_patches, ["1", "2"]);
        assert!(server.offsets_of_patches[1] > 0, "{:?}", server.offsets_of_patches);
        assert!(server.upload == on_disk, "every byte once");
        let complete = &server.called("complete")[0];
        assert_eq!((&complete["lease"], &complete["result"]["upload_id"]), (&json!(2), &json!(UPLOAD)));
        assert_eq!(complete["result"]["sha256"], sha256(&on_disk));
        assert_eq!(complete["result"]["manifest"]["first_frame"], "2026-01-10T10:00:05.000Z");
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(running.spooled(), Vec::<PathBuf>::new(), "what was completed goes");
    running.stop().await;
}

/// An entry as of long ago, by a machine's clock that shows any year.
fn age(running: &Running) {
    let entry = running.spooled().into_iter().find(|file| file.ends_with("entry.json")).unwrap();
    let mut told: Value = serde_json::from_slice(&std::fs::read(&entry).unwrap()).unwrap();
    told["made_at"] = json!("2020-01-01T00:00:00Z");
    std::fs::write(entry, told.to_string()).unwrap();
}

#[tokio::test]
async fn an_export_is_kept_however_old_it_is_until_the_server_was_heard() {
    let running = half_sent().await;
    std::fs::rename(running.recordings.path().join("yard"), running.recordings.path().join("gate")).unwrap();
    age(&running);
    let before = running.spooled();
    let running = running.restart(|_| ()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(running.spooled(), before, "the server is still away");
    let running = running.restart(back_again(2)).await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    assert_eq!(running.server.lock().unwrap().created, 1, "the same upload goes on");
    running.stop().await;
}

#[tokio::test]
async fn what_is_told_after_a_restart_is_the_hash_of_what_lies_on_the_disk() {
    let running = half_sent().await;
    let export = running.spooled().into_iter().find(|file| file.extension().is_some_and(|ext| ext == "mp4")).unwrap();
    let mut bytes = std::fs::read(&export).unwrap();
    bytes[1_000] ^= 1; // a part that had been sent
    std::fs::write(export, &bytes).unwrap();
    let running = running.restart(back_again(2)).await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    {
        let server = running.server.lock().unwrap();
        let told = server.called("complete")[0]["result"]["sha256"].clone();
        assert_eq!(told, sha256(&bytes));
        assert_ne!(told, sha256(&server.upload), "so that the server finds it");
    }
    running.stop().await;
}

#[tokio::test]
async fn what_does_not_fit_after_a_restart_is_made_anew() {
    let running = half_sent().await;
    let mut other = export(2);
    other["to"] = json!("2026-01-10T10:00:12Z");
    let running = running
        .restart(|server| {
            server.down = 0;
            server.tasks.push_back(other);
        })
        .await;
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    {
        let server = running.server.lock().unwrap();
        assert_eq!((server.created, server.offsets_of_patches.as_slice()), (2, [0, 0].as_slice()));
        assert_eq!(server.called("complete")[0]["result"]["sha256"], sha256(&server.upload));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_lost_lease_leaves_the_export_to_the_next_one() {
    let running = half_sent().await;
    {
        let mut server = running.server.lock().unwrap();
        (server.down, server.lost) = (0, true);
    }
    running.until("the loss", |server| !server.called("extend").is_empty()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    {
        let mut server = running.server.lock().unwrap();
        assert!(server.called("complete").is_empty());
        server.lost = false;
        server.tasks.push_back(export(2));
    }
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    assert_eq!(running.server.lock().unwrap().created, 1, "the same upload goes on");
    running.stop().await;
}

#[tokio::test]
async fn a_lost_lease_stops_the_work_and_nothing_more_is_said() {
    for lost_from in ["extend", "progress", "complete"] {
        let running = Running::start(|server| {
            server.tasks.push_back(export(3));
            server.lost_from = Some(lost_from);
            server.breaks = if lost_from == "extend" { vec![20_000; 50] } else { Vec::new() };
        })
        .await;
        running.until("the loss", |server| server.lost).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = running
            .server
            .lock()
            .unwrap()
            .calls
            .iter()
            .filter(|(name, _)| name != "sources" && name != "lease")
            .count();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        {
            let server = running.server.lock().unwrap();
            let after = server.calls.iter().filter(|(name, _)| name != "sources" && name != "lease").count();
            assert_eq!(before, after, "{lost_from}: {:?}", server.calls);
            assert_eq!(server.called("fail"), Vec::<Value>::new());
        }
        // and the next task is done
        {
            let mut server = running.server.lock().unwrap();
            (server.lost, server.lost_from) = (false, None);
            server.breaks.clear();
            server.tasks.push_back(export(4));
        }
        running
            .until("the next try", |server| server.called("complete").iter().any(|complete| complete["lease"] == 4))
            .await;
        running.stop().await;
    }
}

#[tokio::test]
async fn other_tasks_are_answered_too() {
    let window = json!({"from": "2026-01-10T09:00:00Z", "to": "2026-01-10T11:00:00Z"});
    let with = |more: Value| {
        let mut task = task(1, more);
        task.as_object_mut().unwrap().extend(window.as_object().unwrap().clone());
        task
    };
    let running = Running::start(|server| {
        server.cannot_hold = true;
        server.tasks.extend([
            with(json!({"kind": "coverage", "device_id": "yard"})),
            with(json!({"kind": "export", "item_id": ITEM, "device_id": "gate"})),
            with(json!({"kind": "export", "item_id": ITEM, "device_id": "secret"})),
            with(json!({"kind": "hold", "item_id": ITEM, "device_id": "yard"})),
            with(json!({"kind": "stream_live", "colour": "blue"})),
            with(json!({"kind": "discover"})),
        ]);
    })
    .await;
    running.until("six answers", |server| server.called("complete").len() + server.called("fail").len() >= 6).await;
    let server = Arc::clone(&running.server);
    running.stop().await;
    let server = server.lock().unwrap();
    let mut failed: Vec<_> =
        server.called("fail").iter().map(|fail| fail["code"].as_str().unwrap().to_owned()).collect();
    failed.sort();
    assert_eq!(failed, ["error", "unavailable", "unsupported", "unsupported"]);
    let spans = server.called("complete").iter().find(|done| done["result"]["kind"] == "coverage").unwrap().clone();
    assert_eq!(
        spans["result"]["spans"],
        json!([{"from": "2026-01-10T10:00:00.000Z", "to": "2026-01-10T10:00:20.000Z"}])
    );
}

#[tokio::test]
async fn what_cannot_wait_does_not_stand_behind_exports() {
    let about = |id: &str, more: Value| {
        let mut task = task(1, more);
        task["id"] = format!("tsk_01h455vb4pex5vsknk084sn{id}").into();
        (task["from"], task["to"]) = ("2026-01-10T10:00:02Z".into(), "2026-01-10T10:00:18Z".into());
        task
    };
    let exports =
        ["a01", "a02", "a03"].map(|id| about(id, json!({"kind": "export", "item_id": ITEM, "device_id": "yard"})));
    let running = Running::start(|server| {
        server.tasks.extend(exports);
        server.limits = "[limits]\nupload_mbit = 0.01";
    })
    .await;
    // Two are sent at once, for minutes; the third one waits at the server.
    running.until("uploads", |server| server.created >= 2).await;
    let item = "itm_01h455vb4pex5vsknk084sn02r";
    running.server.lock().unwrap().tasks.extend([
        about("b01", json!({"kind": "hold", "item_id": item, "device_id": "yard"})),
        about("b02", json!({"kind": "coverage", "device_id": "yard"})),
    ]);
    running.until("held, and covered", |server| server.called("complete").len() == 2).await;
    running
        .server
        .lock()
        .unwrap()
        .tasks
        .push_back(about("b03", json!({"kind": "free", "item_id": item, "device_id": "yard"})));
    running.until("let go", |server| server.called("complete").len() == 3).await;
    let server = Arc::clone(&running.server);
    running.stop().await;
    let server = server.lock().unwrap();
    let mut kinds: Vec<_> = server.called("complete").iter().map(|done| done["result"]["kind"].clone()).collect();
    kinds.sort_by_key(ToString::to_string);
    assert_eq!(kinds, ["coverage", "freed", "held"]);
    assert_eq!((server.tasks.len(), server.created), (1, 2), "there is room for two exports");
    assert!(server.called("lease").last().unwrap()["kinds"].as_array().unwrap().iter().all(|kind| kind != "export"));
}

#[tokio::test]
async fn a_camera_that_is_taken_back_is_named_as_such_once() {
    let running = Running::start(|_| ()).await;
    let folder = running.recordings.path();
    for camera in ["secret", "gate"] {
        std::fs::create_dir(folder.join(camera)).unwrap();
        let from = folder.join("yard/2026-01-10_10-00-00.mp4");
        std::fs::copy(from, folder.join(camera).join("2026-01-10_10-00-00.mp4")).unwrap();
    }
    let named = |server: &Server, id: &str| {
        server
            .called("sources")
            .iter()
            .any(|told| told["sources"].as_array().unwrap().iter().any(|one| one["device_id"] == id))
    };
    running.until("both", |server| named(server, "yard") && named(server, "gate")).await;
    let taken_back = |server: &mut Server| {
        server.calls.clear();
        server.exclude = ", 'yard'";
    };
    let withdrawn = |server: &Server| {
        let said = server.called("sources").into_iter().map(|told| told["withdrawn"].clone());
        said.filter(|withdrawn| !withdrawn.is_null()).collect::<Vec<_>>()
    };
    let running = running.restart(taken_back).await;
    running.until("that it is taken back", |server| !withdrawn(server).is_empty()).await;
    assert_eq!(withdrawn(&running.server.lock().unwrap()), [json!(["yard"])], "what was never published is not named");
    let running = running.restart(taken_back).await;
    running.until("a publication", |server| !server.called("sources").is_empty()).await;
    assert_eq!(withdrawn(&running.server.lock().unwrap()), [Value::Null; 0]);
    assert!(!named(&running.server.lock().unwrap(), "secret"));
    running.stop().await;
}

#[tokio::test]
async fn a_restart_while_the_recordings_are_away_takes_no_camera_from_anybody() {
    let running = Running::start(|_| ()).await;
    running.until("the camera", |server| server.seen.contains("yard")).await;
    let (folder, away) = (running.recordings.path().join("yard"), running.state.path().join("yard"));
    std::fs::rename(&folder, &away).unwrap();
    let running = running.restart(|server| server.calls.clear()).await;
    let whole = |server: &Server| server.called("sources").iter().any(|told| told["base"].is_null());
    running.until("the problem", |server| !server.called("sources").is_empty()).await;
    tokio::time::sleep(Duration::from_secs(4)).await; // several looks at the recordings
    assert!(!whole(&running.server.lock().unwrap()), "{:?}", running.server.lock().unwrap().called("sources"));
    // nor where the server was given another state meanwhile
    running.server.lock().unwrap().sequence = Some(77);
    std::fs::write(running.recordings.path().join("note.txt"), "").unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!whole(&running.server.lock().unwrap()));
    std::fs::rename(&away, &folder).unwrap();
    running.until("all of it again", whole).await;
    running.stop().await;
}

#[tokio::test]
async fn a_refused_delta_is_sent_as_the_whole_and_a_wrong_key_changes_nothing() {
    let running = Running::start(|server| server.refuse_deltas = true).await;
    running.until("the first set", |server| !server.called("sources").is_empty()).await;
    let folder = running.recordings.path();
    std::fs::create_dir(folder.join("gate")).unwrap();
    std::fs::copy(folder.join("yard/2026-01-10_10-00-00.mp4"), folder.join("gate/2026-01-10_10-00-00.mp4")).unwrap();
    running
        .until("the whole again", |server| {
            server
                .called("sources")
                .iter()
                .any(|set| set["base"].is_null() && set["sources"].as_array().unwrap().len() == 2)
        })
        .await;
    assert!(running.server.lock().unwrap().called("sources").iter().any(|set| !set["base"].is_null()), "a delta first");
    running.stop().await;

    let running = Running::start(|server| {
        server.key = "slc_of_another_server".into();
        server.tasks.push_back(export(1));
    })
    .await;
    running.until("three tries", |server| server.called("refused").len() >= 3).await;
    assert!(running.server.lock().unwrap().calls.iter().all(|(name, _)| name == "refused"));
    running.server.lock().unwrap().key = KEY.into(); // mended
    running.until("completion", |server| !server.called("complete").is_empty()).await;
    running.stop().await;
}
