//! A wire between connector and server that can be slow, that can stop at a chosen moment, and that can be mended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Where the wire stops: what was said before has arrived, what follows never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nowhere.
    Never,
    /// Before the connector asks for work.
    BeforeLease,
    /// Before the upload is announced.
    BeforeUpload,
    /// After so many bytes of the upload.
    AfterBytes(usize),
    /// The server has every byte, the connector does not know.
    AfterLastByte,
    /// Before the task is reported as complete.
    BeforeCompletion,
    /// The task was reported as complete, the connector does not know.
    AfterCompletion,
}

/// What was said about uploads, of which every word arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// How many uploads were announced.
    pub(crate) announced: usize,
    /// Where each part that was sent began.
    pub(crate) parts: Vec<u64>,
}

/// A wire; cut when it is dropped.
pub(crate) struct Wire {
    pub(crate) address: String,
    stopped: Arc<Notify>,
    mended: Arc<Notify>,
    heard: Arc<Mutex<Heard>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Wire {
    /// Lays a wire to a server.
    pub(crate) async fn lay(server: &str, stop: Stop, bytes_per_second: Option<usize>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self::lay_from(listener, server, stop, bytes_per_second)
    }

    /// The same, where this listens; within a runtime.
    pub(crate) fn lay_from(
        listener: std::net::TcpListener,
        server: &str,
        stop: Stop,
        bytes_per_second: Option<usize>,
    ) -> Self {
        listener.set_nonblocking(true).expect("it listens");
        let listener = TcpListener::from_std(listener).expect("there is a runtime");
        let address = listener.local_addr().expect("it has an address").to_string();
        let (stopped, mended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let heard = Arc::<Mutex<Heard>>::default();
        let accepting = tokio::spawn({
            let (server, stopped, mended) = (server.to_owned(), Arc::clone(&stopped), Arc::clone(&mended));
            let heard = Arc::clone(&heard);
            async move {
                let (mut stop, mut rate) = (stop, bytes_per_second);
                let mut lines = tokio::task::JoinSet::new();
                loop {
                    let connector = tokio::select! {
                        biased;
                        () = mended.notified() => {
                            lines.abort_all();
                            (stop, rate) = (Stop::Never, None);
                            continue;
                        }
                        Ok((connector, _)) = listener.accept() => connector,
                    };
                    // a server that is not there takes no call: the connector hears the line go dead
                    let Ok(server) = TcpStream::connect(&server).await else { continue };
                    lines.spawn(line((connector, server), stop, rate, Arc::clone(&stopped), Arc::clone(&heard)));
                }
            }
        });
        Self { address, stopped, mended, heard, accepting }
    }

    /// Cuts every line, as a death at one end would; those that are laid from now on are fast and never stop.
    pub(crate) fn mend(&self) {
        self.mended.notify_one();
    }

    /// What was heard of uploads until now.
    pub(crate) fn heard(&self) -> Heard {
        self.heard.lock().expect("no panic while held").clone()
    }

    /// Waits until the wire has stopped.
    pub(crate) async fn stopped(&self) {
        tokio::time::timeout(Duration::from_secs(90), self.stopped.notified()).await.expect("the moment comes");
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn line(
    (connector, server): (TcpStream, TcpStream),
    stop: Stop,
    rate: Option<usize>,
    stopped: Arc<Notify>,
    heard: Arc<Mutex<Heard>>,
) {
    let (mut from_connector, mut to_connector) = connector.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut upload, mut completing) = (None, false);
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let halted = tokio::select! {
            read = from_connector.read(&mut up) => {
                let Ok(1..) = read else { return };
                let said = &up[..read.unwrap_or(0)];
                let announced = begins(said, b"POST /api/v1/uploads");
                if begins(said, b"PATCH ") {
                    upload = Some(0);
                }
                completing |= is_completion(said);
                if let Some(bytes) = &mut upload {
                    *bytes += said.len();
                }
                let halted = match stop {
                    Stop::BeforeLease => begins(said, b"POST /api/v1/connector/tasks/lease"),
                    Stop::BeforeUpload => announced,
                    Stop::AfterBytes(limit) => upload.is_some_and(|bytes| bytes > limit),
                    Stop::BeforeCompletion => completing,
                    _ => false,
                };
                if !halted {
                    note(&heard, said);
                    if to_server.write_all(said).await.is_err() {
                        return;
                    }
                }
                if let (Some(rate), Some(_)) = (rate, upload) {
                    tokio::time::sleep(Duration::from_secs_f64(said.len() as f64 / rate as f64)).await;
                }
                halted
            }
            read = from_server.read(&mut down) => {
                let Ok(1..) = read else { return };
                let halted = match stop {
                    Stop::AfterLastByte => upload.is_some(),
                    Stop::AfterCompletion => completing,
                    _ => false,
                };
                if !halted && to_connector.write_all(&down[..read.unwrap_or(0)]).await.is_err() {
                    return;
                }
                upload = None;
                halted
            }
        };
        if halted {
            stopped.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// Heads come in one piece, as below.
fn note(heard: &Mutex<Heard>, said: &[u8]) {
    let mut heard = heard.lock().expect("no panic while held");
    if begins(said, b"POST /api/v1/uploads") {
        heard.announced += 1;
    }
    if begins(said, b"PATCH ") {
        let head = String::from_utf8_lossy(said).to_ascii_lowercase();
        let offset = head.lines().find_map(|line| line.strip_prefix("upload-offset:"));
        heard.parts.extend(offset.and_then(|offset| offset.trim().parse::<u64>().ok()));
    }
}

fn begins(said: &[u8], head: &[u8]) -> bool {
    said.starts_with(head)
}

/// A request's head comes in one piece, and at the start of it.
fn is_completion(said: &[u8]) -> bool {
    let line = said.split(|&byte| byte == b'\r').next().unwrap_or_default();
    begins(line, b"POST ") && line.ends_with(b"/complete HTTP/1.1")
}
