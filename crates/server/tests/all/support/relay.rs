//! A relay between connector and server that is a bad line: it refuses calls, holds bytes back, and cuts lines in the middle of a
//! request and of an answer. What it does to a line follows from its seed and from how many lines were laid before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};

/// After so many cuts the line is good, so that everything has an end.
const MOST_CUTS: usize = 40;
/// An upload is cut somewhere in its first bytes, about as many as two minutes of footage have.
const UPLOAD: u64 = 1_500_000;

/// What was cut, by what was asked: `PATCH`, `POST complete`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cuts {
    /// Calls that nobody took.
    pub(crate) refused: usize,
    /// Requests of which the server saw a part.
    pub(crate) requests: BTreeMap<String, usize>,
    /// Answers of which the connector saw a part at most: it does not know whether it was done.
    pub(crate) answers: BTreeMap<String, usize>,
}

impl Cuts {
    fn all(&self) -> usize {
        self.refused + self.requests.values().sum::<usize>() + self.answers.values().sum::<usize>()
    }
}

/// A relay; gone when it is dropped.
pub(crate) struct Relay {
    pub(crate) address: String,
    cuts: Arc<Mutex<Cuts>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Relay {
    /// Lays one to a server.
    pub(crate) async fn lay(server: &str, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address").to_string();
        let cuts = Arc::<Mutex<Cuts>>::default();
        let accepting = tokio::spawn({
            let (server, cuts) = (server.to_owned(), Arc::clone(&cuts));
            async move {
                let mut lines = tokio::task::JoinSet::new();
                for number in 0_u64.. {
                    let Ok((connector, _)) = listener.accept().await else { continue };
                    let Ok(server) = TcpStream::connect(&server).await else { continue };
                    let dice = Dice(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                    let line = Line { dice, cuts: Arc::clone(&cuts), asked: String::new(), sent: 0, upload_ends: None };
                    lines.spawn(line.relay(connector, server));
                }
            }
        });
        Self { address, cuts, accepting }
    }

    /// What was cut until now.
    pub(crate) fn cuts(&self) -> Cuts {
        self.cuts.lock().expect("no panic while held").clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    /// A part of some bytes, perhaps none of them, never all.
    fn part<'a>(&mut self, said: &'a [u8]) -> &'a [u8] {
        &said[..self.below(said.len() as u64) as usize]
    }

    /// Most bytes are a little late, some very.
    async fn delay(&mut self) {
        let longest = if self.one_in(40) { 1_500 } else { 10 };
        tokio::time::sleep(Duration::from_millis(self.below(longest))).await;
    }
}

struct Line {
    dice: Dice,
    cuts: Arc<Mutex<Cuts>>,
    /// What is asked now.
    asked: String,
    /// How many bytes of that were let through.
    sent: u64,
    /// After so many of them an upload ends.
    upload_ends: Option<u64>,
}

impl Line {
    async fn relay(mut self, connector: TcpStream, server: TcpStream) {
        if self.dice.one_in(8) && self.cut(|cuts| cuts.refused += 1) {
            return;
        }
        let (mut from_connector, mut to_connector) = connector.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
        loop {
            let goes_on = tokio::select! {
                read = from_connector.read(&mut up) => match read {
                    Ok(n @ 1..) => self.ask(&up[..n], &mut to_server).await,
                    _ => false,
                },
                read = from_server.read(&mut down) => match read {
                    Ok(n @ 1..) => self.answer(&down[..n], &mut to_connector).await,
                    _ => false,
                },
            };
            if !goes_on {
                return;
            }
        }
    }

    async fn ask(&mut self, said: &[u8], server: &mut OwnedWriteHalf) -> bool {
        self.dice.delay().await;
        if let Some(asked) = what_is_asked(said) {
            self.begin(asked);
        }
        self.sent += said.len() as u64;
        let cut = self.upload_ends.is_some_and(|end| self.sent > end) || self.asked != "PATCH" && self.dice.one_in(30);
        let asked = self.asked.clone();
        if cut && self.cut(|cuts| *cuts.requests.entry(asked).or_default() += 1) {
            let _ = server.write_all(self.dice.part(said)).await;
            return false;
        }
        server.write_all(said).await.is_ok()
    }

    /// The first upload is cut for certain, each second one after that.
    fn begin(&mut self, asked: String) {
        let first = !self.cuts.lock().expect("no panic while held").requests.contains_key("PATCH");
        let ends = asked == "PATCH" && (first || self.dice.one_in(2));
        self.upload_ends = ends.then(|| self.dice.below(if first { UPLOAD / 2 } else { UPLOAD }));
        (self.asked, self.sent) = (asked, 0);
    }

    /// Of each kind the first answer is cut for certain.
    async fn answer(&mut self, said: &[u8], connector: &mut OwnedWriteHalf) -> bool {
        self.dice.delay().await;
        let asked = self.asked.clone();
        let first = !self.cuts.lock().expect("no panic while held").answers.contains_key(&asked);
        if (first || self.dice.one_in(8)) && self.cut(|cuts| *cuts.answers.entry(asked).or_default() += 1) {
            let _ = connector.write_all(self.dice.part(said)).await;
            return false;
        }
        connector.write_all(said).await.is_ok()
    }

    /// Whether it may be cut once more.
    fn cut(&self, note: impl FnOnce(&mut Cuts)) -> bool {
        let mut cuts = self.cuts.lock().expect("no panic while held");
        let may = cuts.all() < MOST_CUTS;
        if may {
            note(&mut cuts);
        }
        may
    }
}

/// The method of a request that begins here, and what follows the last slash, but for those that name something. A request's head
/// comes in one piece, and at the start of it.
fn what_is_asked(said: &[u8]) -> Option<String> {
    let line = said.split(|&byte| byte == b'\r').next()?.strip_suffix(b" HTTP/1.1")?;
    let (method, path) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let verb = path.rsplit('/').next()?;
    Some(if matches!(method, "POST" | "PUT") { format!("{method} {verb}") } else { method.to_owned() })
}
