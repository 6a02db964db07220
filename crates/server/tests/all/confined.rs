//! What a confined program can still do, tried with programs that would do harm if they could.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use app::media::{Limits, Made, MediaErrorKind, Tools};

const SIGHTLINE: &str = env!("CARGO_BIN_EXE_sightline");

fn confined(options: &[&str], script: &str, write: &Path) -> Output {
    let mut command = Command::new(SIGHTLINE);
    command.arg("confined").args(options).arg("--write").arg(write).args(["--", "/usr/bin/python3", "-c", script]);
    command.env("SIGHTLINE_SECRET", "hush").output().unwrap()
}

/// Runs a script that prints what it was refused.
fn refusals(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = confined(&[], script, folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn files_outside_are_closed() {
    let said = refusals(
        "import os\nfor p in ['/etc/passwd', '/etc/shadow', '/proc/1/environ', '/root', '/home', '/tmp']:\n \
         try:\n  os.listdir(p) if os.path.isdir(p) else open(p)\n  print('open', p)\n except PermissionError: pass\n\
         for p in ['/tmp/escaped', '/usr/escaped', '/dev/shm/escaped']:\n \
         try:\n  open(p, 'w')\n  print('written', p)\n except (PermissionError, FileNotFoundError): pass\n\
         open('mine', 'w').write('x'); print(open('mine').read())",
    );
    assert_eq!(said.trim(), "x");
}

#[test]
fn network_processes_and_secrets_are_out_of_reach() {
    let said = refusals(
        "import os, socket, ctypes\n\
         def refused(name, f):\n \
         try:\n  f()\n  print('done', name)\n except PermissionError: pass\n\
         refused('inet', lambda: socket.socket())\n\
         refused('unix', lambda: socket.socket(socket.AF_UNIX))\n\
         refused('pair', lambda: socket.socketpair())\n\
         refused('fork', os.fork)\n\
         refused('kill', lambda: os.kill(os.getppid(), 0))\n\
         refused('spawn', lambda: os.posix_spawn('/usr/bin/true', ['true'], {}))\n\
         refused('setuid', lambda: os.setuid(12345))\n\
         refused('chmod', lambda: os.chmod('.', 0o777))\n\
         libc = ctypes.CDLL(None, use_errno=True)\n\
         refused('ptrace', lambda: libc.ptrace(0, 0, 0, 0) == -1 and (_ for _ in ()).throw(PermissionError()))\n\
         import threading; t = threading.Thread(target=lambda: print('threads run')); t.start(); t.join()\n\
         print(sorted(k for k in os.environ if 'SIGHTLINE' in k))",
    );
    assert_eq!(said.trim(), "threads run\n[]");
}

#[test]
fn memory_file_size_and_processor_time_end() {
    let folder = tempfile::tempdir().unwrap();
    let memory = confined(&["--memory-mib", "256"], "x = bytearray(300 << 20)", folder.path());
    assert!(String::from_utf8_lossy(&memory.stderr).contains("MemoryError"));
    let file = confined(
        &["--file-mib", "1"],
        "f = open('f', 'wb')\nwhile True: f.write(bytes(65536)); f.flush()",
        folder.path(),
    );
    assert!(!file.status.success());
    assert_eq!(std::fs::metadata(folder.path().join("f")).unwrap().len(), 1 << 20);
    let time = confined(&["--cpu-seconds", "1"], "while True: pass", folder.path());
    assert!(!time.status.success());
}

#[test]
fn a_mistake_in_the_call_is_told_from_the_programs_own_end() {
    let code = |args: &[&str]| Command::new(SIGHTLINE).arg("confined").args(args).output().unwrap().status.code();
    assert_eq!(code(&["--", "no-such-program"]), Some(125));
    assert_eq!(code(&["--nonsense"]), Some(125));
    assert_eq!(code(&["--", "/usr/bin/false"]), Some(1));
}

fn tools() -> Tools {
    Tools { confine: vec![SIGHTLINE.into(), "confined".into()], ..Tools::default() }
}

#[tokio::test]
async fn footage_is_read_copied_encoded_and_pictured_in_confinement() {
    let (of, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (name, codec, how) in [("a.mp4", "libx264", Made::Copied), ("b.avi", "mpeg4", Made::Encoded)] {
        let input = of.path().join(name);
        let args =
            "-v error -nostdin -y -f lavfi -i testsrc2=s=640x480:r=10:d=2 -f lavfi -i sine=d=2 -pix_fmt yuv420p -c:v";
        assert!(Command::new("ffmpeg").args(args.split(' ')).arg(codec).arg(&input).status().unwrap().success());
        let facts = tools().probe(&input).await.unwrap();
        assert_eq!(tools().make_playable(&input, &facts, &out.path().join("p.mp4")).await.unwrap().made, how);
        tools().thumbnail(&input, Duration::from_secs(1), &out.path().join("t.jpg")).await.unwrap();
    }
}

#[tokio::test]
async fn limits_reach_the_confined_program() {
    let (of, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let input = of.path().join("large.avi");
    let args = "-v error -nostdin -y -f lavfi -i testsrc2=s=1920x1080:r=25:d=4 -c:v mpeg4 -q:v 1";
    assert!(Command::new("ffmpeg").args(args.split(' ')).arg(&input).status().unwrap().success());
    for limits in [Limits { memory_mib: 300, ..Limits::default() }, Limits { file_mib: 1, ..Limits::default() }] {
        let tools = Tools { limits, ..tools() };
        let facts = self::tools().probe(&input).await.unwrap();
        let error = tools.make_playable(&input, &facts, &out.path().join("p.mp4")).await.unwrap_err();
        assert_eq!(error.kind, MediaErrorKind::Limit, "{error:?}");
    }
    let broken = Tools { confine: vec![SIGHTLINE.into(), "confined".into(), "--nonsense".into()], ..tools() };
    assert_eq!(broken.probe(&input).await.unwrap_err().kind, MediaErrorKind::Installation);
}
