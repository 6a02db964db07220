//! The process of the program, and its streams.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use super::message;
use crate::config::CommandConfig;

/// The longest line that is taken.
const LONGEST_LINE: usize = 32 << 20;
/// No program has more to say in a second.
const LINES_IN_A_SECOND: u32 = 1_000;
/// The longest line of standard error that is logged as one.
const LONGEST_NOTE: usize = 500;
/// So many of them are logged in a minute.
const NOTES_IN_A_MINUTE: u32 = 60;

/// The program and what it has started itself, in a process group of their own.
pub(super) struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // it has not been waited for: until then its number is nobody else's
        let pid = self.0.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

/// A program that was started.
pub(super) struct Streams {
    pub(super) group: Group,
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// Starts the program.
pub(super) fn start(config: &CommandConfig) -> std::io::Result<Streams> {
    let (program, arguments) = config.command.split_first().ok_or(std::io::ErrorKind::NotFound)?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(&config.environment)
        .current_dir(&config.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let group = Group(child);
    match pipes {
        (Some(stdin), Some(stdout), Some(stderr)) => Ok(Streams { group, stdin, stdout, stderr }),
        _ => Err(std::io::ErrorKind::BrokenPipe.into()),
    }
}

/// Hands each line on, and answers why there are no more.
pub(super) async fn listen(
    stdout: ChildStdout,
    mut take: impl FnMut(Vec<u8>) -> Result<(), &'static str>,
) -> &'static str {
    let mut stdout = BufReader::with_capacity(64 << 10, stdout);
    let (mut second, mut lines) = (Instant::now(), 0);
    loop {
        let line = match message::line(&mut stdout, LONGEST_LINE).await {
            Ok(Some(cut)) if cut.whole => cut.line,
            Ok(Some(_)) => return "it wrote a line without end",
            Ok(None) | Err(_) => return "it ended",
        };
        if second.elapsed() > Duration::from_secs(1) {
            (second, lines) = (Instant::now(), 0);
        }
        lines += 1;
        if lines > LINES_IN_A_SECOND {
            return "it writes without end";
        }
        if let Err(why) = take(line) {
            return why;
        }
    }
}

/// Writes requests until the program ends.
pub(super) async fn send(mut unread: mpsc::Receiver<Vec<u8>>, mut stdin: ChildStdin) {
    while let Some(line) = unread.recv().await {
        if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
            break; // that it ended is seen where its answers are read
        }
    }
}

/// What the program says on standard error goes into the log; of too much the rest is left out.
pub(super) async fn log(stderr: ChildStderr) {
    let mut stderr = BufReader::new(stderr);
    let (mut minute, mut notes) = (Instant::now(), 0);
    while let Ok(Some(cut)) = message::line(&mut stderr, LONGEST_NOTE).await {
        if minute.elapsed() > Duration::from_secs(60) {
            (minute, notes) = (Instant::now(), 0);
        }
        notes += 1;
        if notes < NOTES_IN_A_MINUTE && !cut.line.is_empty() {
            let text = message::sentence(&String::from_utf8_lossy(&cut.line));
            tracing::info!(text, "the adapter's program says");
        } else if notes == NOTES_IN_A_MINUTE {
            tracing::warn!("the adapter's program says more than is logged");
        }
    }
}
