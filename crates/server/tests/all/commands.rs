//! The command line, as an administrator types it.

#[test]
fn a_connection_file_says_where_the_server_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], public_url: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sightline"));
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
    let mut serve = std::process::Command::new(env!("CARGO_BIN_EXE_sightline"));
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
