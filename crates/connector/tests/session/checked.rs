//! What is wrong before anything is published, and what the server does not take over: both are told in words.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::SILENT;
use crate::world::{Running, Server, check, check_in, check_with};

/// A video system with these cameras, and its `[adapter]`.
struct System {
    folder: tempfile::TempDir,
    adapter: String,
}

impl System {
    fn with(names: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (program, list) = (folder.path().join("silent.py"), folder.path().join("names"));
        std::fs::write(&program, SILENT).unwrap();
        std::fs::write(&list, names).unwrap();
        let adapter = format!("kind = 'command'\ncommand = ['/usr/bin/python3', {program:?}, {list:?}]\n");
        Self { folder, adapter }
    }

    fn config(&self, more: &str) -> String {
        format!("[adapter]\n{}{more}", self.adapter)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[tokio::test]
async fn check_says_what_would_be_published_and_what_is_wrong() {
    let running = Running::start(|_| {}).await;
    let system = System::with("a b");
    let fine = "published: a \"a\" (no position)\npublished: b \"b\" (no position)\nnothing is wrong\n";
    assert_eq!(check(&running.url, &system.config(""), None).await, (true, fine.to_owned()));
    let described = "[publish]\nwithin = [[8.0, 47.0, 9.0, 48.0]]\n\
                     [[source]]\nid = 'a'\nposition = { lat = 47.3, lon = 8.5 }\n[[source]]\nid = 'z'\nname = 'Gone'\n";
    let wrong = "published: a \"a\" (47.30000, 8.50000)\nkept back: b \"b\" (no position)\n\
                 wrong: The configuration describes 'z', which the video system does not have.\n";
    assert_eq!(check(&running.url, &system.config(described), None).await, (false, wrong.to_owned()));
    running.stop().await;
}

/// What `check` finds wrong.
async fn wrong(url: &str, config: &str, more: &[&str]) -> Vec<String> {
    let (fine, said) = check_in(url, config, None, more).await;
    let wrong: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("wrong: ")).map(str::to_owned).collect();
    assert_eq!(fine, wrong.is_empty(), "{said}");
    wrong
}

#[tokio::test]
async fn check_says_what_would_keep_it_from_running() {
    let running = Running::start(|_| {}).await;
    let system = System::with("a");
    let one = async |more: &str, arguments: &[&str]| {
        let wrong = wrong(&running.url, &system.config(more), arguments).await;
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        wrong[0].clone()
    };
    std::fs::write(system.path("short.key"), "short").unwrap();
    let short = one(&format!("[hold]\nkey_file = {:?}", system.path("short.key")), &[]).await;
    assert!(short.ends_with("short.key: it has 5 bytes; a key has 32."), "{short}");
    let nowhere = one(&format!("[hold]\nkey_file = {:?}", system.path("no/such/key")), &[]).await;
    assert!(nowhere.contains("no/such/key: No such file or directory"), "{nowhere}");
    let state = one("[connector]\nstate = '/proc/nowhere'", &[]).await;
    assert!(state.starts_with("cannot write in /proc/nowhere: ") && state.contains("--state"), "{state}");
    assert!(one("", &["--state", "/proc/elsewhere"]).await.starts_with("cannot write in /proc/elsewhere: "));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let status = format!("[connector]\nstatus = '{}'", listener.local_addr().unwrap());
    let taken = one(&status, &[]).await;
    assert!(taken.contains("no status page") && taken.contains("in use"), "{taken}");
    // by the one that runs here, which has the state too
    let state = running.state.path().to_str().unwrap();
    assert_eq!(wrong(&running.url, &system.config(&status), &["--state", state]).await, [""; 0]);
    // nothing stays of a key and a state that could be made
    let hold = format!("[hold]\nkey_file = {:?}\n[connector]\nstate = {:?}", system.path("key"), system.path("state"));
    assert_eq!(wrong(&running.url, &system.config(&hold), &[]).await, [""; 0]);
    assert!(!system.path("key").exists() && !system.path("state").exists());
    running.stop().await;
}

#[tokio::test]
async fn check_says_what_the_server_would_not_take_over() {
    let running = Running::start(|_| {}).await;
    let system = System::with("a b");
    for (line, said) in [
        ("position = { lat = 95.0, lon = 0.0 }", "position: Expected a latitude from -90 to 90 and a longitude from"),
        ("bearing_deg = 720.0", "bearing_deg: Expected degrees clockwise from north, from 0 to less than 360."),
        ("fov_deg = -5.0", "fov_deg: Expected degrees from 1 to 360."),
        ("type = 'balloon'", "type: Expected fixed, panning or dome."),
        ("retention_hours = -4", "retention_hours: Expected hours from 1 to 876000."),
        (&format!("name = '{}'", "x".repeat(201)), "name: This has 201 characters; at most 200 fit."),
    ] {
        let config = system.config(&format!("[[source]]\nid = 'a'\n{line}"));
        let wrong = wrong(&running.url, &config, &[]).await;
        let begin = format!("The server would not take over 'a': {said}");
        assert!(matches!(&wrong[..], [one] if one.starts_with(&begin)), "{line}: {wrong:?}");
        assert!(check(&running.url, &config, None).await.1.starts_with("refused: a "));
        // nor is it asked to
        let kept_back = format!("{config}\n[publish]\nexclude = ['a', 'x*']");
        assert!(check(&running.url, &kept_back, None).await.0, "{line}");
    }
    let none = wrong(&running.url, &system.config("[publish]\ninclude = ['gaet*']"), &[]).await;
    assert_eq!(none, ["Nothing is published: [publish] keeps every camera back."]);
    running.stop().await;
}

#[tokio::test]
async fn what_the_server_does_not_take_over_is_told_there_and_here() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
    let system = System::with("a b c");
    let running = Running::start(|server| {
        let wrong = "[[source]]\nid = 'b'\nposition = { lat = 95.0, lon = 0.0 }";
        (server.adapter, server.connector) =
            (Some(system.adapter.clone()), format!("status = '127.0.0.1:{port}'\n{wrong}"));
    })
    .await;
    let told = |server: &Server| server.called("sources").last().map(|last| last["problem"]["text"].clone());
    let text = "The server does not take over what is said of these cameras: 'b' (position: Expected a latitude from -90 to 90 \
                and a longitude from -180 to 180).";
    running.until("the problem", |server| told(server) == Some(json!(text))).await;
    let here = async || -> Value {
        let answer = reqwest::get(format!("http://127.0.0.1:{port}/status.json")).await.unwrap();
        answer.json().await.unwrap()
    };
    let mut now = here().await;
    for _ in 0..100 {
        if now["cameras"] == 2 && now["problem"]["text"] == text {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        now = here().await;
    }
    assert_eq!((&now["cameras"], &now["problem"]["text"]), (&json!(2), &json!(text)));
    // said once, not with each look at the video system
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(running.server.lock().unwrap().called("sources").len(), 2);
    // and no longer once it is gone
    std::fs::write(system.path("names"), "a c").unwrap();
    running.until("the end of it", |server| told(server) == Some(Value::Null)).await;
    running.stop().await;
}

#[tokio::test]
async fn a_connector_is_the_same_after_a_restart_and_says_that_it_is_not_alone() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
    let running = Running::start(|server| server.connector = format!("status = '127.0.0.1:{port}'")).await;
    running.until("a picture", |server| !server.thumbnails.is_empty()).await;
    let running = running.restart(|server| server.calls.clear()).await;
    running.until("calls for tasks", |server| !server.called("lease").is_empty()).await;
    let first = {
        let server = running.server.lock().unwrap();
        assert!(server.instances.iter().all(|one| one == &server.instances[0]), "{:?}", server.instances);
        server.instances[0].clone()
    };
    let other = Running::start(|_| {}).await;
    other.until("calls for tasks", |server| !server.called("lease").is_empty()).await;
    assert_ne!(other.server.lock().unwrap().instances[0], first);
    other.stop().await;
    running.server.lock().unwrap().used_twice = true;
    for _ in 0..100 {
        let answer = reqwest::get(format!("http://127.0.0.1:{port}/status.json")).await.unwrap();
        let now: Value = answer.json().await.unwrap();
        if now["trouble"].as_str().is_some_and(|trouble| trouble.starts_with("Another one uses this file.")) {
            return running.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("another one is heard, and nothing is said of it");
}

#[tokio::test]
async fn a_proxy_is_for_the_server_alone() {
    // What listens as the server is the proxy here: by any other way its name leads nowhere.
    let running = Running::start(|_| {}).await;
    let office = "http://office.invalid";
    let proxy = Some(("HTTP_PROXY", running.url.as_ref()));
    let system = System::with("a");
    let (fine, said) = check_with(office, &system.config(""), proxy, &[]).await;
    assert!(fine && said.ends_with("nothing is wrong\n"), "{said}");
    let (fine, said) = check_with(office, &system.config(""), None, &[]).await;
    assert!(!fine, "{said}");
    // A video system is asked beside the connector, and its password is nothing for a proxy.
    let system = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = format!("[adapter]\nkind = 'frigate'\nurl = 'http://{}'\n", system.local_addr().unwrap());
    tokio::select! {
        _ = check_with(office, &config, proxy, &[]) => panic!("nobody asked the video system"),
        asked = system.accept() => drop(asked.unwrap()),
    }
    assert!(running.server.lock().unwrap().called("refused").is_empty(), "the proxy was asked for the video system");
    running.stop().await;
}

#[tokio::test]
async fn a_name_of_megabytes_keeps_nobody_from_anything() {
    let system = System::with(&format!("a {} b", "north".repeat(1 << 20)));
    let running = Running::start(|server| {
        server.adapter = Some(system.adapter.clone());
        server.exclude = ", '*north*gate*south*'";
    })
    .await;
    let begun = std::time::Instant::now();
    running
        .until("the others", |server| told(server).iter().any(|told| told["sources"].as_array().unwrap().len() == 2))
        .await;
    let problem = told(&running.server.lock().unwrap())[0]["problem"]["text"].clone();
    let problem = problem.as_str().unwrap().to_owned();
    assert!(
        problem.contains("'northnorth") && problem.contains("have more than 65536 bytes") && problem.len() < 1_000,
        "{problem}"
    );
    running.server.lock().unwrap().tasks.push_back(crate::task(1, json!({"kind": "discover"})));
    running.until("work", |server| !server.called("complete").is_empty()).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let wrong = wrong(&running.url, &system.config(""), &[]).await;
    assert!(wrong.len() == 1 && wrong[0].contains("have more than 65536 bytes"), "{wrong:?}");
    running.stop().await;
}

fn told(server: &Server) -> Vec<Value> {
    server.called("sources")
}

#[tokio::test]
async fn what_a_name_does_to_a_terminal_is_not_done() {
    let running = Running::start(|_| {}).await;
    let system = System::with("a\u{1b}[2Jb\u{202e}c");
    let (_, said) = check(&running.url, &system.config(""), None).await;
    assert!(said.contains("refused: a\\u{1b}[2Jb\\u{202e}c \"a\\u{1b}[2J") && !said.contains('\u{1b}'), "{said:?}");
    running.stop().await;
}
