//! Runs ffprobe and ffmpeg, confined (ADR 7): what they read comes from a video system that may be hostile. Files are named by absolute
//! `file:` paths, so that no name can be taken for an option or a protocol.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::disk;
use crate::fragments::{self, Broken};

pub mod text;

/// How often is looked whether what ffmpeg writes still has room.
const LOOK_FOR_ROOM: Duration = Duration::from_millis(100);

/// A file or a tool gave trouble.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The program cannot be started.
    #[error("{program} cannot be started: {source}; is it installed?")]
    Missing {
        /// Which.
        program: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// It is not there, or cannot be kept from what it must not do.
    #[error("{program} is not started: {why}")]
    NotConfined {
        /// Which.
        program: &'static str,
        /// Why.
        why: String,
    },
    /// It did not end in time.
    #[error("{0} took too long")]
    Slow(&'static str),
    /// It refused the file.
    #[error("{0}")]
    Refused(String),
    /// What it writes has no room on the disk. What there is of it is no whole file, whatever the program says.
    #[error("there is no room on the disk")]
    NoRoom,
}

/// What a recording holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The earliest time stamp in the file, of picture or sound, microseconds.
    pub start_us: i64,
    /// When the first picture is shown, microseconds.
    pub first_us: i64,
    /// From there to the end of the last picture, microseconds.
    pub duration_us: i64,
    /// Whether fragments of it are broken: see [`whole_fragments`].
    pub broken: bool,
    /// Whether seeking to a key frame in it is exact.
    pub seekable: bool,
    /// Whether the file tells when each picture is shown; an AVI tells in which order.
    pub timed: bool,
    /// The picture's codec, width and height.
    pub video: (String, i64, i64),
    /// The hash of what a decoder of the picture is told before the first one; none where the file has it among the pictures.
    pub parameters: Option<String>,
    /// The sound, if there is any.
    pub audio: Option<Sound>,
    /// Of each stream, in the file's order, its kind and the parts of a second that its times are told in: `video 1/90000`.
    pub streams: Vec<String>,
}

/// What a decoder must know of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// As ffmpeg calls it.
    pub codec: String,
    /// In Hz.
    pub sample_rate: String,
    /// How many.
    pub channels: i64,
}

/// One packet of the picture, times in microseconds on the file's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// When it is shown.
    pub pts_us: i64,
    /// When it is decoded.
    pub dts_us: i64,
    /// How long.
    pub duration_us: i64,
    /// Whether decoding can begin here.
    pub key: bool,
}

/// What a program wrote.
struct Ran {
    out: Vec<u8>,
    /// The beginning of its standard error.
    err: Vec<u8>,
}

/// As the C library calls it when a disk is full; ffmpeg repeats it, and may end as if all were well.
const FULL: [&[u8]; 2] = [b"No space left on device", b"Disk quota exceeded"];
const KEPT: usize = 16 * 1024;

/// Reads what a program complains of. Answers the beginning, and whether it is that a disk is full.
async fn complaints(mut pipe: impl AsyncRead + Unpin) -> (Vec<u8>, bool) {
    let (mut kept, mut full) = (Vec::new(), false);
    let (mut window, mut buffer) = (Vec::new(), [0; 4 * 1024]);
    while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
        window.extend_from_slice(&buffer[..n]);
        full |= FULL.iter().any(|words| memchr::memmem::find(&window, words).is_some());
        window.drain(..window.len().saturating_sub(64)); // the words may come in two pieces
        kept.extend_from_slice(&buffer[..n.min(KEPT - kept.len())]);
    }
    (kept, full)
}

/// Which files a program may read, and the one folder that it may write.
#[derive(Default)]
struct Reach<'a> {
    read: &'a [&'a Path],
    write: Option<&'a Path>,
}

/// What confines media programs, with its first arguments.
static CONFINEMENT: OnceLock<Vec<OsString>> = OnceLock::new();

/// Has every media program of this process confined: `start` becomes the program that is given to it after `--`.
pub fn confine_by(start: Vec<OsString>) {
    let _ = CONFINEMENT.set(start);
}

/// A program that is still to be told what to do.
fn command(program: &'static str, reach: &Reach<'_>, limit: Duration) -> Command {
    let Some((confine, first)) = CONFINEMENT.get().and_then(|start| start.split_first()) else {
        return Command::new(program);
    };
    let mut command = Command::new(confine);
    command.args(first);
    for path in reach.read {
        command.arg("--read").arg(absolute(path));
    }
    if let Some(folder) = reach.write {
        command.arg("--write").arg(absolute(folder));
    }
    // of two threads; how large a file grows is for the disk to say
    command.arg("--cpu-seconds").arg((2 * limit.as_secs()).to_string()).args(["--file-mib", "1048576", "--", program]);
    command
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Runs to the end.
async fn run(program: &'static str, command: &mut Command, limit: Duration) -> Result<Ran, MediaError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|source| MediaError::Missing { program, source })?;
    let (mut out, mut err, mut full) = (Vec::new(), Vec::new(), false);
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let work = async {
        let (_, _, status) = tokio::join!(
            async {
                if let Some(mut pipe) = stdout {
                    let _ = pipe.read_to_end(&mut out).await;
                }
            },
            async {
                if let Some(pipe) = stderr {
                    (err, full) = complaints(pipe).await;
                }
            },
            child.wait(),
        );
        status
    };
    let status = tokio::time::timeout(limit, work).await.map_err(|_| MediaError::Slow(program))?;
    match status {
        Ok(_) if full => Err(MediaError::NoRoom),
        Ok(status) if status.success() => Ok(Ran { out, err }),
        Ok(status) if CONFINEMENT.get().is_some() && status.code() == Some(i32::from(confine::REFUSED)) => {
            Err(MediaError::NotConfined { program, why: complaint(&err).unwrap_or_default() })
        }
        Ok(status) => Err(MediaError::Refused(complaint(&err).unwrap_or_else(|| format!("{program}: {status}")))),
        Err(source) => Err(MediaError::Missing { program, source }),
    }
}

/// What a program complained of, the commonest in words that people who ask for footage understand.
fn complaint(err: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(err);
    if text.contains("moov atom not found") {
        return Some("its index is missing, as after a power cut".into());
    }
    if text.contains("Invalid data found") || text.contains("End of file") {
        return Some("it is damaged, or no video".into());
    }
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?.trim();
    // without the path: the sentence may be shown to people of another organization
    let line = line.rsplit_once("file:").map_or(line, |(_, rest)| rest.split_once(": ").map_or(rest, |(_, what)| what));
    Some(line.chars().take(300).collect())
}

/// The path as ffmpeg's file protocol takes it, from whatever folder.
pub fn file_url(path: &Path) -> String {
    format!("file:{}", absolute(path).display())
}

fn ffprobe(path: &Path, limit: Duration) -> Command {
    let mut command = command("ffprobe", &Reach { read: &[path], write: None }, limit);
    command.args(["-v", "error", "-protocol_whitelist", "file", "-i"]).arg(file_url(path));
    command
}

/// None for a time that no recording has, so that sums of times cannot overflow.
fn micros(text: Option<&str>) -> Option<i64> {
    let seconds: f64 = text?.parse().ok()?;
    (seconds.abs() < 1e10).then_some((seconds * 1e6).round() as i64)
}

/// What a file holds.
pub async fn facts(path: &Path) -> Result<Facts, MediaError> {
    let Some(index) = index_of_whole_fragments(path).await? else { return probe(path).await };
    Ok(Facts { broken: true, ..probe(index.path()).await? })
}

async fn probe(path: &Path) -> Result<Facts, MediaError> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        streams: Vec<Stream>,
        #[serde(default)]
        format: Format,
    }
    #[derive(Deserialize)]
    struct Stream {
        codec_type: Option<String>,
        codec_name: Option<String>,
        width: Option<i64>,
        height: Option<i64>,
        start_time: Option<String>,
        duration: Option<String>,
        extradata_hash: Option<String>,
        time_base: Option<String>,
        sample_rate: Option<String>,
        channels: Option<i64>,
    }
    #[derive(Deserialize, Default)]
    struct Format {
        format_name: Option<String>,
        start_time: Option<String>,
        duration: Option<String>,
    }
    let limit = Duration::from_secs(60);
    let mut command = ffprobe(path, limit);
    let entries = "format=format_name,start_time,duration:\
                   stream=codec_type,codec_name,width,height,start_time,duration,extradata_hash,time_base,\
                   sample_rate,channels";
    command.args(["-show_data_hash", "sha256", "-show_entries", entries, "-of", "json"]);
    let out = run("ffprobe", &mut command, limit).await?.out;
    let Answer { streams, format } =
        serde_json::from_slice(&out).map_err(|error| MediaError::Refused(error.to_string()))?;
    let of = |kind: &str| streams.iter().find(|stream| stream.codec_type.as_deref() == Some(kind));
    let Some(video) = of("video") else { return Err(MediaError::Refused("no picture in the file".into())) };
    let start_us = micros(format.start_time.as_deref()).unwrap_or(0);
    let first_us = micros(video.start_time.as_deref()).unwrap_or(start_us);
    let counted = |stream: &Stream| {
        let told = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{} {}", told(&stream.codec_type), told(&stream.time_base))
    };
    let long = |text: &Option<String>| micros(text.as_deref()).filter(|long| *long > 0);
    let kind = format.format_name.as_deref().unwrap_or_default();
    // what Matroska calls its duration is where it ends, also where it does not begin at zero
    let counted_from = if kind.contains("matroska") { 0 } else { start_us };
    let told = long(&video.duration).or_else(|| Some(counted_from + long(&format.duration)? - first_us));
    // of an MP4 it is the one where it has fragments, and the other where it has none
    let either = kind.contains("mp4") && first_us >= 500_000;
    let duration_us = match told.filter(|_| !either) {
        Some(duration) => duration,
        None => {
            let packets = packets(path, None).await?;
            packets.iter().map(|p| p.pts_us + p.duration_us).max().unwrap_or(first_us) - first_us
        }
    };
    if duration_us <= 0 {
        return Err(MediaError::Refused("no frame in the file".into()));
    }
    Ok(Facts {
        start_us,
        first_us,
        duration_us,
        broken: false,
        seekable: !kind.is_empty() && !kind.contains("mpegts"),
        timed: kind != "avi",
        video: (video.codec_name.clone().unwrap_or_default(), video.width.unwrap_or(0), video.height.unwrap_or(0)),
        parameters: video.extradata_hash.clone(),
        audio: of("audio").and_then(|stream| {
            Some(Sound {
                codec: stream.codec_name.clone()?,
                sample_rate: stream.sample_rate.clone().unwrap_or_default(),
                channels: stream.channels.unwrap_or(0),
            })
        }),
        streams: streams.iter().map(counted).collect(),
    })
}

/// A tag of a file as ffprobe names it, such as `comment`; none if it has none.
pub async fn tag(path: &Path, name: &str) -> Result<Option<String>, MediaError> {
    let limit = Duration::from_secs(60);
    let mut command = ffprobe(path, limit);
    command.args(["-show_entries", &format!("format_tags={name}"), "-of", "default=noprint_wrappers=1:nokey=1"]);
    let out = run("ffprobe", &mut command, limit).await?.out;
    let text = String::from_utf8_lossy(&out).trim().to_owned();
    Ok((!text.is_empty()).then_some(text))
}

/// If fragments of a file are broken, a copy of what tells times in the others.
async fn index_of_whole_fragments(path: &Path) -> Result<Option<tempfile::NamedTempFile>, MediaError> {
    let path = path.to_owned();
    blocking(move || {
        let mut file = File::open(&path)?;
        let size = file.metadata()?.len();
        let Some(Broken { bad, bodies }) = fragments::look(&mut file, size)? else { return Ok(None) };
        let mut index = tempfile::Builder::new().suffix(".mp4").tempfile()?;
        fragments::copy(&path, size, index.as_file_mut(), &bad, &bodies)?;
        Ok(Some(index))
    })
    .await
}

/// Copies the first `size` bytes of a file, with its broken fragments covered, each in its place, so that ffmpeg reads the others.
pub async fn whole_fragments(path: &Path, size: u64, copy: &Path) -> Result<(), MediaError> {
    let (path, copy) = (path.to_owned(), copy.to_owned());
    blocking(move || {
        disk::room_in(copy.parent().unwrap_or(&copy), size)?;
        let broken = fragments::look(&mut File::open(&path)?, size)?;
        fragments::copy(&path, size, &mut File::create(&copy)?, &broken.map_or_else(Vec::new, |broken| broken.bad), &[])
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, MediaError> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other).and_then(|done| done).map_err(disk_error)
}

fn disk_error(error: std::io::Error) -> MediaError {
    if disk::is_full(&error) { MediaError::NoRoom } else { MediaError::Refused(error.to_string()) }
}

/// The packets of the picture, in decoding order, but for those that are never shown: all of them, or from the key frame at or
/// before `around.0` to `around.1`.
pub async fn packets(path: &Path, around: Option<(i64, i64)>) -> Result<Vec<Packet>, MediaError> {
    let seconds = |us: i64| us.max(0) as f64 / 1e6;
    listed(path, around.map(|(from, to)| format!("{:.6}%{:.6}", seconds(from), seconds(to)))).await
}

/// The packet of the picture that is decoded first.
pub async fn first_packet(path: &Path) -> Result<Packet, MediaError> {
    let first = listed(path, Some("%+#1".into())).await?;
    first.first().copied().ok_or_else(|| MediaError::Refused("no frame in the file".into()))
}

/// The packets of an interval, as ffprobe's `-read_intervals` calls it.
async fn listed(path: &Path, interval: Option<String>) -> Result<Vec<Packet>, MediaError> {
    let limit = Duration::from_secs(600);
    let mut command = ffprobe(path, limit);
    command.args(["-select_streams", "v:0", "-show_entries", "packet=pts_time,dts_time,duration_time,flags"]);
    // an hour has a hundred thousand packets and more: as JSON each would take four times the room
    command.args(["-of", "csv=print_section=0"]);
    if let Some(interval) = interval {
        command.arg("-read_intervals").arg(interval);
    }
    let out = run("ffprobe", &mut command, limit).await?.out;
    Ok(String::from_utf8_lossy(&out).lines().filter_map(packet).collect())
}

/// A line of ffprobe's, such as `0.120000,N/A,0.040000,K_`. None for a packet that is never shown, and where no packet is told of: what
/// is said of one beyond these four ends in lines of its own.
fn packet(line: &str) -> Option<Packet> {
    let mut fields = line.split(',');
    let (pts, dts, duration, flags) = (fields.next(), fields.next(), fields.next(), fields.next()?);
    if flags.contains('D') {
        return None;
    }
    let (pts_us, dts_us) = (micros(pts), micros(dts));
    Some(Packet {
        pts_us: pts_us.or(dts_us)?,
        dts_us: dts_us.or(pts_us)?,
        duration_us: micros(duration).unwrap_or(0),
        key: flags.starts_with('K'),
    })
}

/// Runs ffmpeg with these arguments, which name these files to read, to write a file, and answers whether it complained of what it
/// read. It is ended when it begins to take the last room of the disk.
pub async fn ffmpeg(arguments: &[&str], read: &[&Path], out: &Path, limit: Duration) -> Result<bool, MediaError> {
    let into = out.parent().unwrap_or(out);
    let mut command = command("ffmpeg", &Reach { read, write: Some(into) }, limit);
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-y", "-protocol_whitelist", "file"]).args(arguments);
    command.arg(file_url(out));
    let folder = File::open(into).map_err(disk_error)?;
    let no_room = async {
        while disk::room_for(&folder, 0).is_ok() {
            tokio::time::sleep(LOOK_FOR_ROOM).await;
        }
    };
    let Ran { err, .. } = tokio::select! {
        ran = run("ffmpeg", &mut command, limit) => ran?,
        () = no_room => return Err(MediaError::NoRoom),
    };
    Ok(String::from_utf8_lossy(&err).lines().any(complains))
}

/// Sound that ends a little after the next recording's begins is no fault of either.
fn complains(line: &str) -> bool {
    !line.trim().is_empty() && !line.contains("Non-monotonous DTS")
}

/// The picture of a file so many microseconds after its beginning, as JPEG, at most 640 pixels wide.
pub async fn picture(path: &Path, at_us: i64) -> Result<Vec<u8>, MediaError> {
    let into = tempfile::tempdir().map_err(disk_error)?;
    let out = into.path().join("picture.jpg");
    let (at, from) = (format!("{:.3}", at_us as f64 / 1e6), file_url(path));
    let small = ["-map", "0:v:0", "-frames:v", "1", "-vf", "scale='min(640,iw)':-2", "-q:v", "5", "-f", "image2"];
    let arguments = [&["-ss", &at, "-i", &from][..], &small, &["-update", "1"]].concat();
    ffmpeg(&arguments, &[path], &out, Duration::from_secs(30)).await?;
    tokio::fs::read(&out).await.map_err(|_| MediaError::Refused("there is no picture".into()))
}

/// Whether both programs are there, and can be confined.
pub async fn present() -> Result<(), MediaError> {
    let limit = Duration::from_secs(20);
    for program in ["ffprobe", "ffmpeg"] {
        run(program, command(program, &Reach::default(), limit).arg("-version"), limit).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_ffprobe_tells_them() {
        // of an MP4 with a packet that is never shown, of a Matroska file, and of an MPEG-TS, which has more to say of each
        let said = "-0.040000,-0.080000,0.040000,KD\n0.120000,N/A,0.040000,K_\nN/A,0.160000,N/A,__\n\
                    1.480000,1.400000,0.040000,__,\n\nN/A,N/A,0.040000,__\n";
        let packet = |pts_us, dts_us, duration_us, key| Packet { pts_us, dts_us, duration_us, key };
        assert_eq!(
            said.lines().filter_map(super::packet).collect::<Vec<_>>(),
            [
                packet(120_000, 120_000, 40_000, true),
                packet(160_000, 160_000, 0, false),
                packet(1_480_000, 1_400_000, 40_000, false)
            ]
        );
    }
}
