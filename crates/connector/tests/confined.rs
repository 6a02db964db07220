//! What ffmpeg could do beside the recorder if a hostile recording had taken it over: nothing to files and network that are none of its own.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Reads a secret and writes it elsewhere, and dials out, in the place of ffprobe and ffmpeg.
fn thief(folder: &Path) {
    let (secret, stolen) = (folder.join("secret"), folder.join("stolen"));
    let script = format!(
        "#!/usr/bin/python3\nimport socket\n\
         try: open({stolen:?}, 'w').write(open({secret:?}).read())\nexcept OSError: pass\n\
         try: socket.socket(); open({stolen:?}, 'a').write('dialled')\nexcept OSError: pass\n"
    );
    std::fs::write(&secret, "the key").unwrap();
    for name in ["ffprobe", "ffmpeg"] {
        let program = folder.join(name);
        std::fs::write(&program, &script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_media_program_reaches_only_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let (config, connection) = (folder.path().join("connector.toml"), folder.path().join("connection.toml"));
    std::fs::write(&config, "[adapter]\nkind = \"folder\"\npath = \".\"\npattern = \"{camera}/%s.mp4\"\n").unwrap();
    std::fs::write(
        &connection,
        "url = \"http://127.0.0.1:9\"\nconnector_id = \"con_00000000000000000000000000\"\nkey = \"none\"\n",
    )
    .unwrap();
    thief(folder.path());
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sightline-connector"));
        command.arg("check").arg("--connection").arg(&connection).arg("--config").arg(&config).env("PATH", &path);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let said = check();
    assert!(said.contains("wrong: ") && !said.contains("ffprobe"), "it ran: {said}");
    assert!(!folder.path().join("stolen").exists(), "confined, it reads no secret and writes nothing");
    assert!(Command::new(folder.path().join("ffprobe")).status().unwrap().success());
    assert_eq!(std::fs::read_to_string(folder.path().join("stolen")).unwrap(), "the keydialled", "as it is, it does");

    std::fs::remove_file(folder.path().join("ffprobe")).unwrap();
    std::fs::write(folder.path().join("ffprobe"), "no program").unwrap();
    std::fs::set_permissions(folder.path().join("ffprobe"), PermissionsExt::from_mode(0o755)).unwrap();
    assert!(check().contains("ffprobe"), "what does not start is told: {}", check());
}
