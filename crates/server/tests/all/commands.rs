//! The command line, as an administrator types it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::installation::{Installation, Person};

#[test]
fn a_connection_file_says_where_the_server_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], public_url: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sightline"));
        command.args(["connection-file", "Depot", "--data"]).arg(folder.path().join("data")).args(arguments);
        if let Some(public_url) = public_url {
            command.env("SIGHTLINE_SERVER__PUBLIC_URL", public_url);
        }
        command.output().unwrap()
    };
    let url = |output: &std::process::Output| {
        let file: toml::Table = String::from_utf8_lossy(&output.stdout).parse().unwrap();
        file["url"].as_str().unwrap().to_owned()
    };
    // The installation has to exist.
    let mut serve = Command::new(env!("CARGO_BIN_EXE_sightline"));
    serve
        .args(["account", "add", "a@example.org", "--role", "administrator", "--data"])
        .arg(folder.path().join("data"));
    assert!(serve.output().unwrap().status.success());
    let given = run(&["--url", "https://video.example.org:8443/"], Some("https://configured.example.org"));
    assert_eq!(url(&given), "https://video.example.org:8443", "{given:?}");
    assert_eq!(url(&run(&[], Some("https://configured.example.org/"))), "https://configured.example.org");
    let guessed = run(&[], None);
    assert_eq!(url(&guessed), "http://127.0.0.1:8080");
    let said = String::from_utf8_lossy(&guessed.stderr).into_owned();
    assert!(said.contains("--url") && said.contains("public_url"), "{said}");
    let wrong = run(&["--url", "video.example.org"], None);
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("https://"), "{wrong:?}");
}

/// Each fails before anything is made, with the name of the setting.
#[test]
fn settings_that_cannot_work_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = [("BLOBS__S3_BUCKET", "footage"), ("BLOBS__S3_ENDPOINT", "http://127.0.0.1:9")];
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("REQUESTS__NUMBERS", "VR-{YYYY")], "requests.numbers"),
        (&[("EVIDENCE__CASE_NUMBERS", "C-{YYYY}")], "evidence.case_numbers"),
        (&[("SMTP__HOST", "mail.example.org"), ("SMTP__FROM", "nobody")], "smtp.from"),
        (&[("SMTP__SECURITY", "ssl")], "smtp.security"),
        (&[("REQUESTS__NUMBER", "VR-{###}")], "unknown"),
        (&bucket, "cannot be listed"),
    ];
    for (settings, expected) in cases {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_sightline"));
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data"));
        let given = settings.iter().map(|(key, value)| (format!("SIGHTLINE_{key}"), value));
        let output = serve.envs(given).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(expected), "expected {expected} of {settings:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_while_the_server_runs() {
    let installation = Installation::start().await;
    let set = |password: &str, email: &str| installation.account(&["set-password", email], password);
    let (email, fresh) = ("investigator@agency.example", "a horse of another color");
    assert!(!set("short", email).status.success());
    assert!(!set(fresh, "nobody@agency.example").status.success());
    let before = &installation.investigator;
    assert_eq!(before.send(Method::GET, "/me", None).await.0, StatusCode::OK, "nothing has changed yet");
    let done = set(fresh, email);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(before.send(Method::GET, "/me", None).await.0, StatusCode::UNAUTHORIZED, "its sessions have ended");
    let again = Person::sign_in_with(&installation.address, email, fresh).await;
    assert_eq!(again.get("/me").await["account"]["email"], email);
}

/// A connector that waits for work keeps the server from stopping no longer than it takes to say that there is none.
#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_answers_who_waits_for_work() {
    let installation = Installation::start().await;
    let connector = installation.connector("depot", Path::new("/nowhere")).await;
    let lease = reqwest::Client::new()
        .post(format!("http://{}/api/v1/connector/tasks/lease", installation.address))
        .bearer_auth(connector.key())
        .json(&json!({"wait_seconds": 25}))
        .send();
    let waiting = tokio::spawn(lease);
    tokio::time::sleep(Duration::from_secs(1)).await; // it waits now
    installation.terminate_server();
    let answer = waiting.await.unwrap().expect("answered, not cut off when the grace is over");
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}
