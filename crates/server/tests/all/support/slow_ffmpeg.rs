//! An ffmpeg that takes its time over an export, so that it is surely met at its work.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Begins the real ffmpeg, the next one in `PATH`; told to read an export at ten times the speed at which it was recorded.
const SCRIPT: &str = r#"#!/bin/sh
PATH=${PATH#*:}
case " $* " in
*" concat "*) exec ffmpeg -readrate 10 "$@" ;;
*) exec ffmpeg "$@" ;;
esac
"#;

/// A folder that stands first in a connector's `PATH`. Once this is dropped ffmpeg is as fast as ever; what runs by then stays slow.
pub(crate) struct SlowFfmpeg(PathBuf);

impl SlowFfmpeg {
    pub(crate) fn put_into(programs: &Path) -> Self {
        std::fs::create_dir_all(programs).expect("a folder for programs");
        let script = programs.join("ffmpeg");
        std::fs::write(&script, SCRIPT).expect("the script is written");
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).expect("it can be run");
        Self(script)
    }
}

impl Drop for SlowFfmpeg {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Whether a child of this process is ffmpeg itself and has written a part of a connector's export.
pub(crate) fn is_exporting(parent: u32) -> bool {
    let processes = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    processes.map(|process| process.path()).any(|process| {
        is_child(&process, parent) && runs_ffmpeg(&process) && export_of(&process).is_some_and(|bytes| bytes > 0)
    })
}

/// The parent is the second field behind the name, which is in parentheses and may hold anything.
fn is_child(process: &Path, parent: u32) -> bool {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().nth(1) == Some(&parent.to_string())
}

/// Not the script, which has the same name.
fn runs_ffmpeg(process: &Path) -> bool {
    std::fs::read_link(process.join("exe")).is_ok_and(|program| program.ends_with("ffmpeg"))
}

/// How long the export is by now, if that is what the process writes.
fn export_of(process: &Path) -> Option<u64> {
    let arguments = String::from_utf8(std::fs::read(process.join("cmdline")).ok()?).ok()?;
    let output = arguments.trim_end_matches('\0').rsplit('\0').next()?.strip_prefix("file:")?;
    output.ends_with("/export.mp4").then(|| std::fs::metadata(output).ok().map(|file| file.len()))?
}
