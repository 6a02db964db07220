//! One confined process: its limits, its end, and what it said.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::{MediaError, MediaErrorKind, Result, Tools, folder};

/// The most that a program may print; the facts of 64 streams are far below it.
const PRINTED: u64 = 4 << 20;
/// The exit code by which the confinement says that it failed.
const NOT_CONFINED: i32 = 125;

/// Kills the process and its group when the caller goes away, however that happens.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

enum End {
    Exited(ExitStatus),
    TooSlow,
    TooLong,
    TooMuchSaid,
}

impl Tools {
    /// Runs a program to its end or to its limits; what it printed, or a sentence.
    pub(super) async fn run(
        &self,
        program: &Path,
        args: Vec<OsString>,
        input: &Path,
        output: Option<&Path>,
        time: Duration,
    ) -> Result<Vec<u8>> {
        let mut command = self.command(program, args, input, output, time);
        let mut child = command.spawn().map_err(|error| MediaError {
            kind: MediaErrorKind::Installation,
            sentence: "the media programs could not be started",
            detail: error.to_string(),
        })?;
        let mut group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(MediaError::file("the media programs could not be heard"));
        };
        let stdout = tokio::spawn(collect(stdout));
        let stderr = tokio::spawn(collect(stderr));
        let end = self.watch(&mut child, output, Instant::now() + time).await;
        if !matches!(end, End::Exited(_)) {
            drop(Group(group.0.take()));
            let _ = child.wait().await;
        }
        group.0 = None;
        let printed = stdout.await.unwrap_or_default();
        // whoever prints more meets a closed pipe, and ends by that
        let end = if printed.len() as u64 >= PRINTED { End::TooMuchSaid } else { end };
        let said = String::from_utf8_lossy(&stderr.await.unwrap_or_default()).into_owned();
        judge(&end, &said).map_or(Ok(printed), Err)
    }

    fn command(
        &self,
        program: &Path,
        args: Vec<OsString>,
        input: &Path,
        output: Option<&Path>,
        time: Duration,
    ) -> Command {
        let mut line: Vec<OsString> = self.confine.clone();
        if !line.is_empty() {
            let limits = self.limits;
            let cpu_seconds = (time.as_secs() + 1) * u64::from(limits.threads.max(1));
            line.extend(["--read".into(), input.into()]);
            if let Some(output) = output {
                line.extend(["--write".into(), folder(output).into()]);
            }
            for (name, value) in
                [("--memory-mib", limits.memory_mib), ("--cpu-seconds", cpu_seconds), ("--file-mib", limits.file_mib)]
            {
                line.extend([name.into(), value.to_string().into()]);
            }
            line.push("--".into());
        }
        line.push(program.into());
        line.extend(args);
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        command
    }

    /// Waits for the end, looking now and then at what has been written.
    async fn watch(&self, child: &mut Child, output: Option<&Path>, deadline: Instant) -> End {
        let most = self.limits.file_mib.saturating_mul(1 << 20);
        loop {
            match tokio::time::timeout(Duration::from_millis(250), child.wait()).await {
                Ok(Ok(status)) => return End::Exited(status),
                Ok(Err(_)) => return End::TooSlow,
                Err(_) if Instant::now() >= deadline => return End::TooSlow,
                Err(_) => {}
            }
            if let Some(output) = output
                && std::fs::metadata(output).is_ok_and(|written| written.len() > most)
            {
                return End::TooLong;
            }
        }
    }
}

/// Everything that a pipe brings, up to a limit; then it is closed, and the writer meets a broken pipe.
async fn collect(pipe: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut said = Vec::new();
    let _ = pipe.take(PRINTED).read_to_end(&mut said).await;
    said
}

/// A sentence for an end that is not a good one.
fn judge(end: &End, said: &str) -> Option<MediaError> {
    const SIGKILL: i32 = 9;
    const SIGXCPU: i32 = 24;
    const SIGXFSZ: i32 = 25;
    let (kind, sentence) = match end {
        End::Exited(status) if status.success() => return None,
        End::TooSlow => (MediaErrorKind::Limit, "reading the file took longer than is allowed"),
        End::TooLong => (MediaErrorKind::Limit, "what was made of the file grew larger than is allowed"),
        End::TooMuchSaid => (MediaErrorKind::Limit, "the file has more streams than is allowed"),
        End::Exited(status) => match (status.signal(), status.code()) {
            (Some(SIGXCPU), _) => (MediaErrorKind::Limit, "reading the file took longer than is allowed"),
            (Some(SIGKILL), _) => (MediaErrorKind::Limit, "reading the file was stopped"),
            (Some(SIGXFSZ), _) => (MediaErrorKind::Limit, "what was made of the file grew larger than is allowed"),
            (Some(_), _) => (MediaErrorKind::File, "the file is damaged in a way that cannot be read"),
            (None, Some(NOT_CONFINED)) => {
                (MediaErrorKind::Installation, "the media programs could not be confined on this server")
            }
            _ => heard(said),
        },
    };
    Some(MediaError { kind, sentence, detail: said.trim().chars().take(2000).collect() })
}

/// What the program's own words mean.
fn heard(said: &str) -> (MediaErrorKind, &'static str) {
    let has = |words: &str| said.contains(words);
    if has("No space left on device") {
        (MediaErrorKind::Installation, "this server has no space left")
    } else if has("File too large") {
        (MediaErrorKind::Limit, "what was made of the file grew larger than is allowed")
    } else if has("exceeds max_streams") {
        (MediaErrorKind::Limit, "the file has more streams than is allowed")
    } else if [
        "Cannot allocate memory",
        "malloc of size",
        "get_buffer() failed",
        "error while loading shared libraries",
    ]
    .into_iter()
    .any(has)
    {
        (MediaErrorKind::Limit, "the file needs more memory than is allowed")
    } else if has("whitelist") {
        (MediaErrorKind::File, "the file is of a kind that is not read here")
    } else if has("does not contain any stream") || has("matches no streams") {
        (MediaErrorKind::File, "the file holds no video")
    } else if has("moov atom not found") || has("Truncated") || has("End of file") {
        (MediaErrorKind::File, "the file is cut short and cannot be read")
    } else {
        (MediaErrorKind::File, "the file is damaged, or is no video")
    }
}
