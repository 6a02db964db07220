//! A camera that is watched by RTSP (RFC 2326) over TCP, with H.264 (RFC 6184). Its pictures tell their time, and each leaves the
//! camera when its time is: they are encoded ahead.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::clock::{RATE, WIDTH, picture};

/// A picture is encoded so long before its time.
const AHEAD: Duration = Duration::from_secs(2);
/// Between two pictures, by the clock of RTP.
const STEP: u32 = 90_000 / RATE as u32;

/// Those who watch.
type Watchers = Arc<Mutex<Vec<Arc<Mutex<TcpStream>>>>>;

/// A camera that runs until it is dropped.
pub(crate) struct Camera {
    pub(crate) url: String,
    encoder: Child,
}

impl Camera {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("rtsp://{}/live", listener.local_addr().unwrap());
        let mut encoder = encoder();
        let (pictures, stream) = (encoder.stdin.take().unwrap(), encoder.stdout.take().unwrap());
        let first = (now() + AHEAD).as_millis() as i64 * RATE / 1_000;
        let watchers = Watchers::default();
        let theirs = Arc::clone(&watchers);
        thread::spawn(move || take(pictures, first));
        thread::spawn(move || send(BufReader::new(stream), first, &watchers));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let watchers = Arc::clone(&theirs);
                thread::spawn(move || serve(stream, &watchers));
            }
        });
        Self { url, encoder }
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        let _ = self.encoder.kill();
        let _ = self.encoder.wait();
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn sleep_until(time: Duration) {
    thread::sleep(time.saturating_sub(now()));
}

fn time_of(picture: i64) -> Duration {
    Duration::from_micros(picture.unsigned_abs() * (1_000_000 / RATE.unsigned_abs()))
}

/// Makes H.264 of pictures, each as one access unit that begins with a delimiter; a key frame each second.
fn encoder() -> Child {
    let size = format!("{WIDTH}x{WIDTH}");
    Command::new("ffmpeg")
        .args(["-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", &size, "-r", &RATE.to_string(), "-i", "-"])
        .args(["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"])
        .args(["-x264-params", "threads=1:aud=1:scenecut=0", "-g", &RATE.to_string()])
        .args(["-flush_packets", "1", "-f", "h264", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg is installed")
}

fn take(mut encoder: ChildStdin, first: i64) {
    for number in first.. {
        sleep_until(time_of(number).saturating_sub(AHEAD));
        if encoder.write_all(&picture(number)).is_err() {
            return;
        }
    }
}

/// Sends each picture to all who watch when its time is.
fn send(mut stream: BufReader<ChildStdout>, first: i64, watchers: &Watchers) {
    let (mut sequence, mut units) = (0_u16, Vec::new());
    let mut number = first;
    while let Some(unit) = next_unit(&mut stream) {
        if unit.first().is_some_and(|kind| kind & 31 == 9) && !units.is_empty() {
            let packets = packets(&units, &mut sequence, ((number - first) as u32).wrapping_mul(STEP));
            sleep_until(time_of(number));
            watchers.lock().unwrap().retain(|watcher| watcher.lock().unwrap().write_all(&packets).is_ok());
            (number, units) = (number + 1, Vec::new());
        }
        units.push(unit);
    }
}

/// What lies before the next start code; none at the end.
fn next_unit(stream: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut unit = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        unit.push(byte[0]);
        if unit.ends_with(&[0, 0, 1]) {
            unit.truncate(unit.len() - 3);
            while unit.last() == Some(&0) {
                unit.pop();
            }
            if !unit.is_empty() {
                return Some(unit);
            }
        }
    }
}

/// One RTP packet for each unit; over TCP they may be as long as these are.
fn packets(units: &[Vec<u8>], sequence: &mut u16, timestamp: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        let marker = if index + 1 == units.len() { 0x80 } else { 0 };
        out.extend([b'$', 0]);
        out.extend(u16::try_from(unit.len() + 12).expect("small pictures").to_be_bytes());
        out.extend([0x80, marker | 96]);
        out.extend(sequence.to_be_bytes());
        out.extend(timestamp.to_be_bytes());
        out.extend(1_u32.to_be_bytes());
        out.extend(unit);
        *sequence = sequence.wrapping_add(1);
    }
    out
}

/// Answers one who watches, until it goes.
fn serve(stream: TcpStream, watchers: &Watchers) {
    let _ = stream.set_write_timeout(Some(Duration::from_secs(10)));
    let Ok(mut requests) = stream.try_clone().map(BufReader::new) else { return };
    let stream = Arc::new(Mutex::new(stream));
    loop {
        let mut head = Vec::new();
        while head.is_empty() || !head.ends_with(b"\r\n\r\n") {
            match requests.fill_buf() {
                Ok([]) | Err(_) => return,
                // a receiver's report, which nobody reads
                Ok([b'$', ..]) if head.is_empty() => {
                    let mut frame = [0; 4];
                    let long = |frame: [u8; 4]| usize::from(u16::from_be_bytes([frame[2], frame[3]]));
                    let skipped = requests.read_exact(&mut frame).map(|()| vec![0; long(frame)]);
                    if skipped.and_then(|mut body| requests.read_exact(&mut body)).is_err() {
                        return;
                    }
                }
                Ok(_) => drop(requests.read_until(b'\n', &mut head)),
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let answer = answer(&head);
        if stream.lock().unwrap().write_all(answer.as_bytes()).is_err() || head.starts_with("TEARDOWN") {
            return;
        }
        if head.starts_with("PLAY") {
            watchers.lock().unwrap().push(Arc::clone(&stream));
        }
    }
}

fn answer(head: &str) -> String {
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    let (more, body) = match head.split(' ').next().unwrap_or_default() {
        "OPTIONS" => ("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n", ""),
        "DESCRIBE" => (
            "Content-Type: application/sdp\r\n",
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n\
             a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:video\r\n",
        ),
        "SETUP" => ("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", ""),
        _ => ("", ""),
    };
    let (sequence, long) = (field("CSeq:"), body.len());
    format!(
        "RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\nSession: 1;timeout=60\r\n{more}Content-Length: {long}\r\n\r\n{body}"
    )
}
