//! One life of the program, from its start to its end, and the requests that it has not answered yet.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use tokio::process::ChildStdout;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::message::{self, Failure, Hello, Message, PROTOCOL, Request};
use super::process;
use super::program::{Refusal, wrong};
use super::target::Target;
use crate::adapter::Trouble;
use crate::config::CommandConfig;

/// Requests that wait to be read by the program.
const UNREAD: usize = 64;
/// Requests that were given up, and which it may still answer.
const GIVEN_UP: usize = 1_000;
/// A request is given up after so many times the silence that is borne, whatever is said of its progress.
const LONGEST_REQUEST: u32 = 10;
/// One that brings a file after so long.
const LONGEST_FILE: Duration = Duration::from_secs(6 * 3_600);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The line that answers, or why it could not be done.
type Answer = Result<Vec<u8>, Failure>;

/// A program that was started and has said hello. Dropped it is ended.
pub(super) struct Life {
    pub(super) hello: Hello,
    /// So many requests are worked on at once.
    pub(super) slots: Semaphore,
    pub(super) started: Instant,
    requests: mpsc::Sender<Vec<u8>>,
    open: Arc<Mutex<Open>>,
    stop: CancellationToken,
}

/// The requests that are not answered yet.
#[derive(Default)]
struct Open {
    last_id: u64,
    waiting: HashMap<u64, Waiting>,
    given_up: HashSet<u64>,
    /// When and why the program ended.
    ended: Option<(Instant, String)>,
}

struct Waiting {
    answer: oneshot::Sender<Answer>,
    heard: Instant,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Life {
    pub(super) async fn start(config: &CommandConfig, within: Duration) -> Result<Self, Trouble> {
        let (requests, unread) = mpsc::channel(UNREAD);
        let (open, stop) = (Arc::<Mutex<Open>>::default(), CancellationToken::new());
        let streams = process::start(config).map_err(|error| wrong(&format!("it cannot be started: {error}")))?;
        tokio::spawn(process::send(unread, streams.stdin));
        tokio::spawn(process::log(streams.stderr));
        tokio::spawn(attend(streams.group, streams.stdout, Arc::clone(&open), stop.clone()));
        let nothing = Hello { protocol: 0, can: Default::default(), parallel: 1 };
        let slots = Semaphore::new(1);
        let mut life = Self { hello: nothing, slots, started: Instant::now(), requests, open, stop };
        let software = concat!("sightline-connector ", env!("CARGO_PKG_VERSION"));
        let line = life.ask("hello", json!({"protocol": PROTOCOL, "software": software}), None, within).await;
        let hello: Hello = message::result(&line.map_err(Trouble::from)?)?;
        if hello.protocol != PROTOCOL {
            return Err(wrong(&format!("it speaks version {} of the protocol, not {PROTOCOL}", hello.protocol)));
        }
        life.slots = Semaphore::new(hello.parallel.clamp(1, 16));
        life.hello = hello;
        Ok(life)
    }

    pub(super) fn ended(&self) -> Option<(Instant, String)> {
        self.open.lock().expect("no panic while held").ended.clone()
    }

    /// The program is ended; whoever waits for it learns why.
    fn end(&self, why: &str) -> Trouble {
        self.open.lock().expect("no panic while held").end(why);
        self.stop.cancel();
        wrong(why)
    }

    pub(super) async fn ask(
        &self,
        method: &str,
        params: impl Serialize,
        target: Option<&Target>,
        within: Duration,
    ) -> Result<Vec<u8>, Refusal> {
        let (request, mut answer) = self.open(method, params)?;
        let limit = if target.is_some() { LONGEST_FILE } else { within * LONGEST_REQUEST };
        let asked = Instant::now();
        let (mut size, mut grew) = (0, asked);
        loop {
            tokio::select! {
                said = &mut answer => return match said {
                    Ok(Ok(line)) => Ok(line),
                    Ok(Err(failure)) => Err(Refusal::Failed(failure)),
                    Err(_) => Err(wrong(&self.ended().map_or("it ended".into(), |(_, why)| why)).into()),
                },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if let Some(target) = target {
                let now = target.size().await;
                if now != size {
                    (size, grew) = (now, Instant::now());
                }
                if !target.allows(size) {
                    return Err(self.end("it writes a file without end").into());
                }
                if !target.has_room() {
                    self.end("there is not enough room on the disk for what it writes");
                    return Err(Trouble::NoRoom.into());
                }
            }
            if request.heard().max(grew).elapsed() > within || asked.elapsed() > limit {
                return Err(self.end("it does not answer").into());
            }
        }
    }

    fn open(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<(OpenRequest<'_>, oneshot::Receiver<Answer>), Trouble> {
        let (answer, receiver) = oneshot::channel();
        let id = {
            let mut open = self.open.lock().expect("no panic while held");
            if let Some((_, why)) = &open.ended {
                return Err(wrong(why));
            }
            open.last_id += 1;
            let id = open.last_id;
            open.waiting.insert(id, Waiting { answer, heard: Instant::now() });
            id
        };
        let request = OpenRequest { id, life: self };
        self.write(&Request { id, method, params })?;
        Ok((request, receiver))
    }

    fn write(&self, message: &impl Serialize) -> Result<(), Trouble> {
        let mut line = serde_json::to_vec(message).map_err(Trouble::never)?;
        line.push(b'\n');
        self.requests.try_send(line).map_err(|_| self.end("it does not read what it is asked"))
    }
}

/// A request whose answer is waited for. Dropped before that, the program is told so.
struct OpenRequest<'a> {
    id: u64,
    life: &'a Life,
}

impl OpenRequest<'_> {
    fn heard(&self) -> Instant {
        let open = self.life.open.lock().expect("no panic while held");
        open.waiting.get(&self.id).map_or_else(Instant::now, |waiting| waiting.heard)
    }
}

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        let unanswered = self.life.open.lock().expect("no panic while held").give_up(self.id);
        if unanswered {
            let _ = self.life.write(&json!({"method": "cancel", "params": {"id": self.id}}));
        }
    }
}

impl Open {
    /// Whoever waits learns of it by the end of their channel.
    fn end(&mut self, why: &str) {
        self.ended.get_or_insert_with(|| (Instant::now(), why.to_owned()));
        self.waiting.clear();
    }

    /// Whether it was still to be answered.
    fn give_up(&mut self, id: u64) -> bool {
        let unanswered = self.waiting.remove(&id).is_some();
        if unanswered && self.given_up.len() < GIVEN_UP {
            self.given_up.insert(id);
        }
        unanswered
    }

    /// Hands a line to whoever waits for it.
    fn take(&mut self, line: Vec<u8>) -> Result<(), &'static str> {
        let (id, answer) = match message::read(&line)? {
            Message::Progress(id) => {
                match self.waiting.get_mut(&id) {
                    Some(waiting) => waiting.heard = Instant::now(),
                    None if self.given_up.contains(&id) => {}
                    None => return Err("it answers what was not asked"),
                }
                return Ok(());
            }
            Message::Failed(id, failure) => (id, Err(failure)),
            Message::Result(id) => (id, Ok(line)),
        };
        match self.waiting.remove(&id) {
            Some(waiting) => drop(waiting.answer.send(answer)),
            None if self.given_up.remove(&id) => {}
            None => return Err("it answers what was not asked"),
        }
        Ok(())
    }
}

/// Reads what the program writes, until it ends, is ended or does not keep to the protocol.
async fn attend(group: process::Group, stdout: ChildStdout, open: Arc<Mutex<Open>>, stop: CancellationToken) {
    let why = tokio::select! {
        why = process::listen(stdout, |line| open.lock().expect("no panic while held").take(line)) => why,
        () = stop.cancelled() => "it was ended",
    };
    open.lock().expect("no panic while held").end(why);
    tracing::warn!(why, "the adapter's program ended");
    drop(group);
}
