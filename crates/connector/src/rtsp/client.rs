//! A connection to an RTSP server: one request after the other, and the packets between.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::RtspError;
use super::message::{self, Answer, Incoming};
use crate::challenge::Identity;

/// So many packets may come before the answer to PLAY.
const EARLY: usize = 1_024;

/// An open connection.
pub struct Client {
    stream: TcpStream,
    arrived: BytesMut,
    early: VecDeque<(u8, Bytes)>,
    sequence: u32,
    identity: Identity,
    session: Option<String>,
    answer_within: Duration,
}

impl From<std::io::Error> for RtspError {
    fn from(error: std::io::Error) -> Self {
        Self::Silent(error.kind().to_string())
    }
}

impl Client {
    /// Connects; nothing is sent yet.
    pub async fn connect(
        host: &str,
        port: u16,
        account: Option<(String, String)>,
        answer_within: Duration,
    ) -> Result<Self, RtspError> {
        let connecting = TcpStream::connect((host, port));
        let stream = tokio::time::timeout(answer_within.min(Duration::from_secs(10)), connecting);
        let stream = stream.await.map_err(|_| RtspError::Away("it does not answer".into()))?;
        let stream = stream.map_err(|error| RtspError::Away(error.kind().to_string()))?;
        stream.set_nodelay(true)?;
        let identity = Identity::new(account);
        let (arrived, early) = (BytesMut::with_capacity(1 << 16), VecDeque::new());
        Ok(Self { stream, arrived, early, sequence: 0, identity, session: None, answer_within })
    }

    /// Asks, and if it must, says who it is.
    pub async fn ask(&mut self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Answer, RtspError> {
        loop {
            self.send(method, uri, headers).await?;
            let answer = self.answer().await?;
            if answer.status == 401 && self.identity.challenged(answer.all("WWW-Authenticate")) {
                continue;
            }
            if let Some(session) = answer.header("Session").and_then(|session| session.split(';').next()) {
                let plain = session.len() <= 256 && session.bytes().all(|byte| byte.is_ascii_graphic());
                self.session = Some(session.to_owned()).filter(|_| plain);
            }
            return match answer.status {
                200..=299 => Ok(answer),
                401 | 403 => Err(RtspError::Refused(answer.status)),
                // also: nothing within that range
                404 | 410 | 457 => Err(RtspError::NotFound(answer.status)),
                status => Err(RtspError::Status(status)),
            };
        }
    }

    /// Sends a request whose answer is not waited for.
    pub async fn send(&mut self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<(), RtspError> {
        self.sequence += 1;
        let software = concat!("sightline-connector/", env!("CARGO_PKG_VERSION"));
        let mut text = format!("{method} {uri} RTSP/1.0\r\nCSeq: {}\r\nUser-Agent: {software}\r\n", self.sequence);
        let authorization = self.identity.answer(method, uri);
        let own = [("Session", self.session.as_deref()), ("Authorization", authorization.as_deref())];
        let own = own.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        for (name, value) in own.chain(headers.iter().copied()) {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        let sending = self.stream.write_all(text.as_bytes());
        tokio::time::timeout(self.answer_within, sending).await.map_err(|_| too_long())??;
        Ok(())
    }

    async fn answer(&mut self) -> Result<Answer, RtspError> {
        let (sequence, answer_within) = (self.sequence, self.answer_within);
        let waiting = async {
            loop {
                match self.receive().await? {
                    // some servers do not repeat the number of the request
                    Incoming::Answer(answer) if answer.cseq().is_none_or(|told| told == sequence) => return Ok(answer),
                    Incoming::Data { channel, packet } if self.early.len() < EARLY => {
                        self.early.push_back((channel, packet))
                    }
                    Incoming::Data { .. } => return Err(RtspError::TooMuch),
                    Incoming::Answer(_) | Incoming::Request => {}
                }
            }
        };
        tokio::time::timeout(answer_within, waiting).await.map_err(|_| too_long())?
    }

    /// The next that arrives. May be given up at any time without losing anything.
    pub async fn receive(&mut self) -> Result<Incoming, RtspError> {
        loop {
            if let Some(incoming) = message::take(&mut self.arrived)? {
                return Ok(incoming);
            }
            if self.stream.read_buf(&mut self.arrived).await? == 0 {
                return Err(RtspError::Silent("the connection was closed".into()));
            }
        }
    }

    /// The next that arrives, beginning with what came before the answer to PLAY.
    pub async fn next(&mut self) -> Result<Incoming, RtspError> {
        match self.early.pop_front() {
            Some((channel, packet)) => Ok(Incoming::Data { channel, packet }),
            None => self.receive().await,
        }
    }
}

fn too_long() -> RtspError {
    RtspError::Silent("it took too long".into())
}
