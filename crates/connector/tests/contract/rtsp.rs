//! What plays recordings as the ONVIF Streaming Specification (6, "Playback over RTSP") says. Built from that document: no
//! answer of a real device is recorded yet.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use bytes::BufMut;
use domain::{Timestamp, Window};
use md5::{Digest, Md5};
use sightline_connector::rtsp::depacketize::AccessUnit;
use sightline_connector::rtsp::mp4::Mp4;
use sightline_connector::rtsp::parameter_sets::ParameterSets;
use sightline_connector::rtsp::sdp::Codec;
use sightline_connector::{hex, media};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::site::{Fault, Faults};
use super::system::{PASSWORD, USER};
use super::world::{Recording, World};

const NONCE: &str = "5d41402abc4b2a76";
/// Payload of a packet, bytes.
const MTU: usize = 200;

/// Answers at a listener for as long as it is asked.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>, faults: Arc<Faults>) {
    while let Ok((stream, _)) = listener.accept().await {
        let connection =
            Connection { stream: BufReader::new(stream), world: Arc::clone(&world), faults: Arc::clone(&faults) };
        tokio::spawn(async move { drop(connection.run().await) });
    }
}

struct Connection {
    stream: BufReader<TcpStream>,
    world: Arc<World>,
    faults: Arc<Faults>,
}

struct Request {
    method: String,
    uri: String,
    headers: HashMap<String, String>,
}

impl Request {
    /// `rtsp://host/replay/CAMERA`, and a track of it.
    fn camera(&self) -> &str {
        self.uri.split('/').nth(4).unwrap()
    }
}

impl Connection {
    async fn run(mut self) -> std::io::Result<()> {
        let mut cut = false;
        while let Some(request) = self.request().await? {
            let fault =
                if request.method == "DESCRIBE" && signed_in(&request) { self.faults.due_for(true) } else { None };
            match fault {
                None => {}
                Some(Fault::Cut) => cut = true,
                Some(fault) => return self.misbehave(fault, &request).await,
            }
            if !signed_in(&request) && request.method != "OPTIONS" {
                let ask = format!(
                    "WWW-Authenticate: Basic realm=\"r\"\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"{NONCE}\"\r\n"
                );
                self.answer(&request, "401 Unauthorized", &ask, "").await?;
                continue;
            }
            match request.method.as_str() {
                "OPTIONS" => self.answer(&request, "200 OK", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", "").await?,
                "DESCRIBE" => self.describe(&request).await?,
                "SETUP" => {
                    assert_eq!(request.headers["require"], "onvif-replay");
                    assert!(request.uri.ends_with("/trackID=1"), "{}", request.uri);
                    let agreed = "Session: 7;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n";
                    self.answer(&request, "200 OK", agreed, "").await?;
                }
                "PLAY" => {
                    self.play(&request, cut).await?;
                    if cut {
                        return Ok(());
                    }
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    async fn request(&mut self) -> std::io::Result<Option<Request>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let [method, uri, "RTSP/1.0"] = lines[0].split(' ').collect::<Vec<_>>()[..] else { panic!("{lines:?}") };
        let header = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers = lines[1..].iter().filter_map(header).collect();
        Ok(Some(Request { method: method.to_owned(), uri: uri.to_owned(), headers }))
    }

    async fn answer(&mut self, request: &Request, status: &str, more: &str, body: &str) -> std::io::Result<()> {
        let (sequence, long) = (&request.headers["cseq"], body.len());
        let text = format!("RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n{more}Content-Length: {long}\r\n\r\n{body}");
        self.stream.write_all(text.as_bytes()).await
    }

    async fn describe(&mut self, request: &Request) -> std::io::Result<()> {
        let recording = self.world.recordings.iter().find(|recording| recording.camera == request.camera());
        let Some(recording) = recording.cloned() else { return self.answer(request, "404 Not Found", "", "").await };
        let frames = frames(&recording).await;
        let base64 = base64::engine::general_purpose::STANDARD;
        let sets: Vec<_> =
            frames[0].nals.iter().filter(|nal| matches!(nal[0] & 31, 7 | 8)).map(|nal| base64.encode(nal)).collect();
        let sdp = format!(
            "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=replay\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n\
             a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets={}\r\na=control:trackID=1\r\n",
            sets.join(",")
        );
        let more = format!("Content-Type: application/sdp\r\nContent-Base: {}/\r\n", request.uri);
        self.answer(request, "200 OK", &more, &sdp).await
    }

    /// Sends what there is of the range, and then falls silent.
    async fn play(&mut self, request: &Request, cut: bool) -> std::io::Result<()> {
        assert_eq!((&request.headers["require"][..], &request.headers["rate-control"][..]), ("onvif-replay", "no"));
        let range = range(&request.headers["range"]);
        let world = Arc::clone(&self.world);
        let of: Vec<_> = world.recordings.iter().filter(|recording| recording.camera == request.camera()).collect();
        let before = of.iter().all(|recording| recording.to.is_some_and(|to| to <= range.from));
        if before || of.iter().all(|recording| recording.from >= range.to) {
            return self.answer(request, "457 Invalid Range", "", "").await;
        }
        let mut sent = Vec::new();
        for recording in world.of(request.camera(), range) {
            let frames = frames(recording).await;
            let start = frames.iter().rposition(|frame| frame.key && frame.at <= range.from).unwrap_or(0);
            let follows = sent.last().is_some_and(|last: &Frame| last.at < recording.from);
            let mut section: Vec<Frame> = frames[start..].iter().filter(|frame| frame.at < range.to).cloned().collect();
            if let Some(first) = section.first_mut() {
                first.discontinuity = !sent.is_empty() && !follows;
            }
            let goes_on =
                world.recordings.iter().any(|next| next.camera == recording.camera && Some(next.from) == recording.to);
            let whole = section.len() == frames.len() - start;
            if let Some(last) = section.last_mut() {
                last.ends_section = whole && !goes_on;
            }
            sent.extend(section);
        }
        self.answer(request, "200 OK", "Session: 7\r\nRange: npt=now-\r\n", "").await?;
        let packets = packets(&sent);
        let count = if cut { packets.len() / 2 } else { packets.len() };
        for packet in &packets[..count] {
            let head = [b'$', 2, (packet.len() >> 8) as u8, packet.len() as u8];
            self.stream.write_all(&[&head[..], packet].concat()).await?;
        }
        self.stream.write_all(&[b'$', 3, 0, 4, 0x80, 200, 0, 0]).await // of RTCP
    }

    async fn misbehave(&mut self, fault: Fault, request: &Request) -> std::io::Result<()> {
        match fault {
            Fault::Status(status) => self.answer(request, &format!("{status} Broken"), "", "rtsp://a/?token=x").await,
            Fault::Redirect => {
                let location = format!("Location: {}\r\n", self.faults.elsewhere_url);
                self.answer(request, "302 Found", &location, "").await
            }
            Fault::Html => self.stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>").await,
            Fault::Empty => self.answer(request, "200 OK", "", "").await,
            Fault::Nonsense => self.stream.write_all(&[0xa5; 4_096]).await,
            Fault::Endless => loop {
                self.stream.write_all(&[b' '; 1 << 16]).await?;
            },
            Fault::Headers => {
                self.answer(request, "200 OK", &format!("X: {}\r\n", "x".repeat(1_000)).repeat(2_000), "").await
            }
            Fault::Silent => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok(())
            }
            Fault::Cut => unreachable!(),
        }
    }
}

/// Digest without `qop` (RFC 2069), as cameras ask for it.
fn signed_in(request: &Request) -> bool {
    let Some(told) = request.headers.get("authorization").and_then(|told| told.strip_prefix("Digest ")) else {
        return false;
    };
    let sum = |text: String| hex(&Md5::digest(text.as_bytes()));
    let (who, what) = (sum(format!("{USER}:r:{PASSWORD}")), sum(format!("{}:{}", request.method, request.uri)));
    told.contains(&format!("response=\"{}\"", sum(format!("{who}:{NONCE}:{what}"))))
}

/// `clock=20260110T120000.000000Z-20260110T120010Z`
fn range(text: &str) -> Window {
    let (from, to) = text.strip_prefix("clock=").unwrap().split_once('-').unwrap();
    let time = |text: &str| jiff::fmt::strtime::parse("%Y%m%dT%H%M%S%.fZ", text).unwrap().to_datetime().unwrap();
    let utc = |text| Timestamp::from(time(text).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp());
    Window { from: utc(from), to: utc(to) }
}

#[derive(Clone)]
struct Frame {
    at: Timestamp,
    key: bool,
    nals: Vec<Vec<u8>>,
    ends_section: bool,
    discontinuity: bool,
}

/// The pictures of a recording, in the order of decoding; each ends with its one slice.
async fn frames(recording: &Recording) -> Vec<Frame> {
    let listed = media::packets(&recording.file, None).await.unwrap();
    let start = listed.iter().map(|packet| packet.pts_us).min().unwrap();
    let nals = annex_b(&annex_b_of(&recording.file, "h264"));
    let pictures = nals.split_inclusive(|nal| matches!(nal[0] & 31, 1 | 5));
    let at = |pts_us: i64| Timestamp::from_micros(recording.from.as_micros() + pts_us - start);
    let frame = |(packet, nals): (&media::Packet, &[Vec<u8>])| Frame {
        at: at(packet.pts_us),
        key: packet.key,
        nals: nals.to_vec(),
        ends_section: false,
        discontinuity: false,
    };
    listed.iter().zip(pictures).map(frame).collect()
}

fn annex_b(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = stream.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let nal = |(start, end): (&usize, usize)| {
        let nal = &stream[start + 3..end];
        let long = nal.iter().rposition(|byte| *byte != 0).unwrap() + 1; // the zero of a longer start code
        nal[..long].to_vec()
    };
    starts.iter().zip(ends).map(nal).collect()
}

/// RTP: parameter sets together (STAP-A), what is long in fragments (FU-A).
fn packets(frames: &[Frame]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let mut payloads = Vec::new();
        let (sets, others): (Vec<_>, Vec<_>) = frame.nals.iter().partition(|nal| matches!(nal[0] & 31, 7 | 8));
        if !sets.is_empty() {
            let one = |nal: &&Vec<u8>| [&(nal.len() as u16).to_be_bytes()[..], nal].concat();
            payloads.push([vec![24], sets.iter().map(one).collect::<Vec<_>>().concat()].concat());
        }
        others.iter().for_each(|nal| payloads.extend(fragments(nal)));
        let count = payloads.len();
        for (number, payload) in payloads.iter().enumerate() {
            let ticks = (frame.at.as_micros() as i128 * 9 / 100) as u32;
            let mut packet =
                vec![if number == 0 { 0x90 } else { 0x80 }, 96 | if number + 1 == count { 0x80 } else { 0 }];
            packet.put_u16((out.len() as u16).wrapping_add(65_000));
            packet.put_u32(ticks);
            packet.put_u32(1);
            if number == 0 {
                packet.put_slice(&extension(frame, index + 1 == frames.len()));
            }
            packet.put_slice(payload);
            out.push(packet);
        }
    }
    out
}

fn extension(frame: &Frame, last: bool) -> Vec<u8> {
    let micros = frame.at.as_micros() as u64;
    let mut out = vec![0xab, 0xac, 0, 3];
    out.put_u32((micros / 1_000_000 + 2_208_988_800) as u32);
    out.put_u32((((micros % 1_000_000) << 32) / 1_000_000) as u32);
    let bits = [(frame.key, 0x80), (frame.ends_section, 0x40), (frame.discontinuity, 0x20), (last, 0x10)];
    out.put_u8(bits.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum());
    out.put_slice(&[0; 3]);
    out
}

fn fragments(nal: &[u8]) -> Vec<Vec<u8>> {
    if nal.len() <= MTU {
        return vec![nal.to_vec()];
    }
    let pieces: Vec<&[u8]> = nal[1..].chunks(MTU).collect();
    let fragment = |(number, piece): (usize, &&[u8])| {
        let (starts, ends) = (number == 0, number + 1 == pieces.len());
        let head = nal[0] & 31 | if starts { 0x80 } else { 0 } | if ends { 0x40 } else { 0 };
        [&[nal[0] & 0xe0 | 28, head][..], piece].concat()
    };
    pieces.iter().enumerate().map(fragment).collect()
}

/// Whatever is in a picture stays in it, for a signature may be; and each keeps its time.
#[tokio::test]
async fn nal_units_and_times_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    for (codec, encoder, format) in [(Codec::H264, "libx264", "h264"), (Codec::H265, "libx265", "hevc")] {
        let (film, copy) = (folder.path().join(format!("{format}.mkv")), folder.path().join(format!("{format}.mp4")));
        let source = ["-f", "lavfi", "-i", "testsrc2=s=192x128:r=25:d=3", "-c:v", encoder, "-bf", "2", "-g", "25"];
        let made = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(source).arg(&film).output().unwrap();
        assert!(made.status.success());
        let listed = media::packets(&film, None).await.unwrap();
        let nals = annex_b(&annex_b_of(&film, format));
        let slice = |nal: &Vec<u8>| if codec == Codec::H264 { matches!(nal[0] & 31, 1 | 5) } else { nal[0] >> 1 < 32 };
        let units: Vec<AccessUnit> = listed.iter().zip(nals.split_inclusive(slice)).map(unit).collect();
        let sets = ParameterSets::within(codec, &units[0].data).configuration(codec).unwrap();
        let mut mp4 = Mp4::create(&copy, codec, sets).await.unwrap();
        for unit in &units {
            mp4.push(unit).await.unwrap();
        }
        assert_eq!(mp4.finish().await.unwrap(), Some(Timestamp::from_micros(0)));
        let facts = media::facts(&copy).await.unwrap();
        assert_eq!((facts.start_us, facts.duration_us, facts.video), (0, 3_000_000, (format.into(), 192, 128)));
        let shown = |packets: Vec<media::Packet>| packets.iter().map(|p| (p.pts_us, p.key)).collect::<Vec<_>>();
        assert_eq!(shown(media::packets(&copy, None).await.unwrap()), shown(listed));
        let kept = annex_b(&annex_b_of(&copy, format));
        assert!(nals.iter().all(|nal| kept.contains(nal)), "a NAL unit of {format} is gone");
    }
}

fn unit((packet, nals): (&media::Packet, &[Vec<u8>])) -> AccessUnit {
    let one = |nal: &Vec<u8>| [&(nal.len() as u32).to_be_bytes()[..], nal].concat();
    let at = Timestamp::from_micros(packet.pts_us);
    let data = nals.iter().map(one).collect::<Vec<_>>().concat();
    AccessUnit { at, data, key: packet.key, ends_section: false, discontinuity: false, last: false }
}

fn annex_b_of(file: &std::path::Path, format: &str) -> Vec<u8> {
    Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-c", "copy", "-f", format, "-"])
        .output()
        .unwrap()
        .stdout
}
