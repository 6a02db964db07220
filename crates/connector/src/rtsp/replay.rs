//! Footage of a span of time, as fast as it can be had (ONVIF Streaming Specification, 6 "Playback over RTSP").

use std::path::Path;
use std::time::Duration;

use domain::{Timestamp, Window};
use tokio::time::Instant;

use super::client::Client;
use super::depacketize::{AccessUnit, Depacketizer};
use super::message::Incoming;
use super::mp4::Mp4;
use super::parameter_sets::ParameterSets;
use super::sdp::{self, Video};
use super::{RtspError, rtp};
use crate::adapter::web::longest;
use crate::cut::Part;
use crate::growth::Fetched;
use crate::{disk, media};

/// Playback begins so much earlier: where a server begins at the key frame after a time, nothing is missed.
const EARLIER: Duration = Duration::from_secs(10);
/// And ends so much later: what is shown before its end may be sent after it.
const LATER: Duration = Duration::from_secs(2);
/// A server that says nothing for so long is asked whether it is there; if it answers, it has nothing more. A disk may have
/// to start first.
const SILENCE: Duration = Duration::from_secs(10);
/// The same, after what it said to be the last before a gap, and at the end of the window.
const SILENCE_AT_END: Duration = Duration::from_secs(2);
/// A server that begins so much before the window is not listened to until it comes nearer.
const LONG_BEFORE: Duration = Duration::from_secs(3_600);
/// A session is kept alive so often.
const ALIVE: Duration = Duration::from_secs(20);
/// Two pictures that follow each other are no further apart.
const APART_US: i64 = 60_000_000;
/// So many sections, and no more, are within a window.
const SECTIONS: usize = 10_000;

/// What is played, and by whom.
#[derive(Clone)]
pub struct Source {
    /// Where the server is.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `rtsp://` and so on, as it goes into requests.
    pub uri: String,
    /// A user name and a password.
    pub account: Option<(String, String)>,
    /// An answer that takes longer is given up.
    pub answer_within: Duration,
    /// What the recording is called in a manifest.
    pub name: String,
}

/// Writes what there is of a window, and a little around it, into files of the folder `into`: one for each section without gaps,
/// in the order in which they were sent. None if there is nothing.
pub async fn record(source: &Source, window: Window, into: &Path, fetched: &Fetched) -> Result<Vec<Part>, RtspError> {
    let around = Window { from: window.from.minus(EARLIER), to: window.to.plus(LATER) };
    let mut playback = match Playback::start(source, around).await {
        Err(RtspError::NotFound(_)) => return Ok(Vec::new()),
        playback => playback?,
    };
    let mut sections = Sections { into, video: playback.video.clone(), open: None, done: Vec::new(), before: None };
    while let Some(unit) = playback.next().await? {
        sections.take(&unit).await?;
        fetched.is(unit.at.since(around.from), around.duration());
    }
    playback.stop().await;
    sections.close().await?;
    let mut parts = Vec::new();
    for (path, begins) in sections.done {
        let facts = media::facts(&path).await.map_err(|error| match error {
            media::MediaError::NoRoom => RtspError::NoRoom,
            other => RtspError::Unreadable(other.to_string()),
        })?;
        let size = tokio::fs::metadata(&path).await.map_err(written)?.len();
        let ends = begins.plus(Duration::from_micros(facts.duration_us.unsigned_abs()));
        let name = format!("{} {begins}", source.name);
        parts.push(Part {
            name,
            path,
            begins,
            or_later: Duration::ZERO,
            ends,
            ends_later: Duration::ZERO,
            size,
            facts,
        });
    }
    parts.sort_by_key(|part| part.begins);
    Ok(parts)
}

fn written(error: std::io::Error) -> RtspError {
    if disk::is_full(&error) { RtspError::NoRoom } else { RtspError::Disk(error.to_string()) }
}

/// Pictures are put into one file as long as they follow each other.
struct Sections<'a> {
    into: &'a Path,
    video: Video,
    open: Option<(std::path::PathBuf, Mp4, ParameterSets)>,
    done: Vec<(std::path::PathBuf, Timestamp)>,
    before: Option<Timestamp>,
}

impl Sections<'_> {
    async fn take(&mut self, unit: &AccessUnit) -> Result<(), RtspError> {
        let follows = |before: Timestamp| (unit.at.as_micros() - before.as_micros()).abs() < APART_US;
        if unit.discontinuity || !self.before.is_none_or(follows) || self.changes(unit) {
            self.close().await?;
        }
        self.before = Some(unit.at);
        if self.open.is_none() && unit.key {
            self.begin(unit).await?;
        }
        // what comes before the first key frame cannot be shown
        if let Some((_, mp4, _)) = &mut self.open {
            mp4.push(unit).await.map_err(written)?;
        }
        if unit.ends_section {
            self.close().await?;
        }
        Ok(())
    }

    /// Whether the camera was set to another picture.
    fn changes(&self, unit: &AccessUnit) -> bool {
        let Some((_, _, known)) = self.open.as_ref().filter(|_| unit.key) else { return false };
        let told = ParameterSets::within(self.video.codec, &unit.data);
        told.sps.iter().any(|sps| !known.sps.contains(sps))
    }

    async fn begin(&mut self, unit: &AccessUnit) -> Result<(), RtspError> {
        let codec = self.video.codec;
        let within = ParameterSets::within(codec, &unit.data);
        let beforehand = ParameterSets::among(codec, self.video.parameter_sets.iter().map(Vec::as_slice));
        let whole = |sets: ParameterSets| sets.configuration(codec).map(|configuration| (sets, configuration));
        let sets = whole(within).or_else(|| whole(beforehand));
        let (sets, configuration) = sets.ok_or(RtspError::form("pictures without parameter sets"))?;
        if self.done.len() >= SECTIONS {
            return Err(RtspError::TooMuch);
        }
        let path = self.into.join(format!("section-{}.mp4", self.done.len()));
        let mp4 = Mp4::create(&path, codec, configuration).await.map_err(written)?;
        self.open = Some((path, mp4, sets));
        Ok(())
    }

    async fn close(&mut self) -> Result<(), RtspError> {
        if let Some((path, mp4, _)) = self.open.take() {
            let begins = mp4.finish().await.map_err(written)?;
            self.done.extend(begins.map(|begins| (path, begins)));
        }
        Ok(())
    }
}

/// A running playback.
struct Playback {
    client: Client,
    uri: String,
    channel: u8,
    video: Video,
    depacketizer: Depacketizer,
    ready: std::collections::VecDeque<AccessUnit>,
    window: Window,
    /// The latest picture's time, and whether a gap follows it.
    latest: Option<(Timestamp, bool)>,
    /// So many bytes may still come.
    left: u64,
    deadline: Instant,
    alive: Instant,
    ended: bool,
}

impl Playback {
    async fn start(source: &Source, window: Window) -> Result<Self, RtspError> {
        let Source { host, port, uri, account, answer_within, .. } = source;
        let mut client = Client::connect(host, *port, account.clone(), *answer_within).await?;
        client.ask("OPTIONS", uri, &[]).await?;
        let replay = ("Require", "onvif-replay");
        let described = client.ask("DESCRIBE", uri, &[("Accept", "application/sdp"), replay]).await?;
        let text = std::str::from_utf8(&described.body).map_err(|_| RtspError::form("no SDP"))?;
        let video = sdp::video(text).ok_or(RtspError::form("no picture in H.264 or H.265"))?;
        let base = described.header("Content-Base").unwrap_or(uri);
        let control = sdp::address(base, &video.control).filter(|_| base.bytes().all(|byte| byte.is_ascii_graphic()));
        let control = control.ok_or(RtspError::form("an address that is none"))?;
        let transport = ("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1");
        let set_up = client.ask("SETUP", &control, &[transport, replay]).await?;
        let channel = set_up.header("Transport").and_then(channel).unwrap_or(0);
        let range = format!("clock={}-{}", clock(window.from), clock(window.to));
        let headers = [replay, ("Range", &range), ("Rate-Control", "no"), ("Immediate", "yes")];
        client.ask("PLAY", uri, &headers).await?;
        Ok(Self {
            client,
            uri: uri.clone(),
            channel,
            depacketizer: Depacketizer::new(&video),
            video,
            ready: std::collections::VecDeque::new(),
            window,
            latest: None,
            left: longest(window.duration()),
            deadline: Instant::now() + Duration::from_secs(600) + window.duration() * 4,
            alive: Instant::now(),
            ended: false,
        })
    }

    /// The next picture; none when there are no more.
    async fn next(&mut self) -> Result<Option<AccessUnit>, RtspError> {
        while self.ready.is_empty() && !self.ended {
            let Some(packet) = self.packet().await? else {
                self.ready.extend(self.depacketizer.finish());
                self.ended = true;
                break;
            };
            self.left = self.left.checked_sub(packet.len() as u64 + 64).ok_or(RtspError::TooMuch)?;
            let Some(packet) = rtp::packet(&packet) else { return Err(RtspError::form("no RTP")) };
            let mut whole = Vec::new();
            self.depacketizer.push(&packet, &mut whole)?;
            self.ready.extend(whole.into_iter().filter(|unit| unit.at.plus(LONG_BEFORE) > self.window.from));
        }
        let unit = self.ready.pop_front();
        if let Some(unit) = &unit {
            self.ended |= unit.last || unit.at >= self.window.to;
            self.latest = Some((unit.at, unit.ends_section));
        }
        Ok(unit)
    }

    fn at_end_of_window(&self) -> bool {
        self.latest.is_some_and(|(at, _)| at.plus(LATER) >= self.window.to)
    }

    /// The next packet of the picture; none when the server has nothing more.
    async fn packet(&mut self) -> Result<Option<bytes::Bytes>, RtspError> {
        let mut asked = false;
        loop {
            if Instant::now() > self.deadline {
                return Err(RtspError::Silent("it took too long".into()));
            }
            if self.alive.elapsed() > ALIVE {
                self.client.send("OPTIONS", &self.uri, &[]).await?;
                self.alive = Instant::now();
            }
            let gap = self.latest.is_some_and(|(_, gap)| gap);
            let silence = if gap || self.at_end_of_window() { SILENCE_AT_END } else { SILENCE };
            match tokio::time::timeout(silence, self.client.next()).await {
                Ok(Ok(Incoming::Data { channel, packet })) if channel == self.channel => return Ok(Some(packet)),
                Ok(Ok(Incoming::Answer(_))) if asked => return Ok(None),
                Ok(Ok(_)) => {}
                // some hang up when they are done; anywhere else there may be more
                Ok(Err(RtspError::Silent(_))) if self.at_end_of_window() => return Ok(None),
                Ok(Err(error)) => return Err(error),
                Err(_) if asked => return Err(RtspError::Silent("it fell silent".into())),
                Err(_) => {
                    self.client.send("OPTIONS", &self.uri, &[]).await?;
                    (self.alive, asked) = (Instant::now(), true);
                }
            }
        }
    }

    /// Lets go of it; the server may have done so already.
    async fn stop(mut self) {
        if self.depacketizer.lost() > 0 {
            tracing::warn!(times = self.depacketizer.lost(), "something was missing in the footage that was sent");
        }
        let _ = self.client.send("TEARDOWN", &self.uri, &[]).await;
    }
}

/// The server may have chosen another channel than ours.
fn channel(transport: &str) -> Option<u8> {
    transport.split(';').find_map(|one| one.trim().strip_prefix("interleaved=")?.split('-').next()?.parse().ok())
}

/// A time as a range tells it (RFC 2326, 3.7).
fn clock(at: Timestamp) -> String {
    let at = at.to_jiff().unwrap_or(jiff::Timestamp::MAX);
    at.strftime("%Y%m%dT%H%M%S.%6fZ").to_string()
}
