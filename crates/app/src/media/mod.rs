//! What Debian's `ffmpeg` and `ffprobe` do for us, as confined processes with limits on time, memory and formats:
//! facts about a file, a copy that every browser plays, a thumbnail. Every file is treated as hostile.

mod probe;
mod run;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use probe::Probed;

/// Where the programs are, and what confines them.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The program `ffmpeg`.
    pub ffmpeg: PathBuf,
    /// The program `ffprobe`.
    pub ffprobe: PathBuf,
    /// What goes before the program: the server's `confined` subcommand. Empty means unconfined, which is for tests.
    pub confine: Vec<OsString>,
    /// How far a process may go.
    pub limits: Limits,
}

/// How far a process may go.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Address space.
    pub memory_mib: u64,
    /// The longest file that may be written.
    pub file_mib: u64,
    /// Time for looking at a file, and for a thumbnail.
    pub glance: Duration,
    /// Time for a playable copy, whatever the length of the footage.
    pub least: Duration,
    /// Time for a playable copy, added for each second of footage.
    pub per_second: Duration,
    /// Threads of one process.
    pub threads: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mib: 2048,
            file_mib: 16 * 1024,
            glance: Duration::from_secs(30),
            least: Duration::from_secs(300),
            per_second: Duration::from_secs(4),
            threads: 2,
        }
    }
}

impl Default for Tools {
    fn default() -> Self {
        Self { ffmpeg: "ffmpeg".into(), ffprobe: "ffprobe".into(), confine: Vec::new(), limits: Limits::default() }
    }
}

/// Why nothing came of it. `Display` is a short sentence for people, without paths.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct MediaError {
    /// Whose fault it is.
    pub kind: MediaErrorKind,
    /// What to tell people.
    pub sentence: &'static str,
    /// What the program said, for the log.
    pub detail: String,
}

/// Whose fault it is that nothing came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaErrorKind {
    /// The file's: trying again gives the same.
    File,
    /// The file asks for more than the limits allow.
    Limit,
    /// The installation's: no program, no space, no confinement. Trying again may help.
    Installation,
}

impl MediaError {
    fn file(sentence: &'static str) -> Self {
        Self { kind: MediaErrorKind::File, sentence, detail: String::new() }
    }
}

/// How a playable copy was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The pictures were copied as they are.
    Copied,
    /// The pictures were encoded again.
    Encoded,
}

/// A copy that plays.
#[derive(Debug, Clone, PartialEq)]
pub struct Playable {
    /// How it was made.
    pub made: Made,
    /// What it holds.
    pub facts: Probed,
}

/// What becomes of pictures that are encoded: they fit a screen, and have the colors that every browser shows.
const SHOWN: &str =
    "scale=w='min(1920,iw)':h='min(1080,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2,format=yuv420p";

type Result<T, E = MediaError> = std::result::Result<T, E>;

/// Containers that are read: of video, of sound, of a single picture. No playlists (they name other files and hosts), no devices, no lists of
/// pictures.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,asf,flv,h264,hevc,m4v,mjpeg,mxf,dhav,dv,ogg,ivf,\
aac,amr,flac,mp3,wav,jpeg_pipe,png_pipe";
/// Codecs that are decoded: what cameras, recorders and phones write.
const CODECS: &str = "h264,hevc,mpeg4,mpeg1video,mpeg2video,mjpeg,h263,h263p,msmpeg4,msmpeg4v1,msmpeg4v2,wmv1,wmv2,wmv3,vc1,vp8,vp9,\
libdav1d,libaom-av1,av1,theora,dvvideo,flv,prores,rawvideo,jpeg2000,png,\
aac,aac_fixed,aac_latm,mp1float,mp2float,mp3float,mp2,mp3,ac3,eac3,opus,libopus,vorbis,libvorbis,flac,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,\
pcm_alaw,pcm_mulaw,pcm_s16le,pcm_s16be,pcm_s24le,pcm_u8,pcm_s8,pcm_f32le,g722,g726,g726le,adpcm_ima_wav,adpcm_ms,wmav1,wmav2,wmapro,nellymoser,speex";

impl Tools {
    /// The programs that the administrator configured.
    #[must_use]
    pub fn of(settings: &crate::Settings) -> Self {
        let media = settings.media.clone();
        Self { ffmpeg: media.ffmpeg, ffprobe: media.ffprobe, confine: media.confine, limits: Limits::default() }
    }

    /// A thumbnail: one picture, JPEG, at most 640 pixels either way, taken at a time of the footage.
    pub async fn thumbnail(&self, input: &Path, at: Duration, output: &Path) -> Result<()> {
        match self.picture(input, at, output).await {
            Err(error) if error.kind != MediaErrorKind::File || at.is_zero() => Err(error),
            // Nothing at that time, or no index to find it by: the first picture will do.
            Err(_) => self.picture(input, Duration::ZERO, output).await,
            done => done,
        }
    }

    async fn picture(&self, input: &Path, at: Duration, output: &Path) -> Result<()> {
        let mut args = self.reading();
        args.extend(words(&["-noaccurate_seek", "-ss"]));
        args.push(format!("{:.3}", at.as_secs_f64()).into());
        args.extend(self.input(input));
        args.extend(words(&["-map", "0:V:0", "-frames:v", "1", "-map_metadata", "-1", "-vf"]));
        args.push(
            "scale=w='min(640,iw)':h='min(640,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2".into(),
        );
        args.extend(words(&["-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj420p", "-f", "mjpeg", "-y"]));
        args.push(located(output));
        self.run(&self.ffmpeg, args, input, Some(output), self.limits.glance).await?;
        match std::fs::metadata(output) {
            Ok(written) if written.len() > 0 => Ok(()),
            _ => Err(MediaError::file("no picture could be read from the file")),
        }
    }

    /// A copy that every browser plays, as H.264 and AAC in MP4 with its index first. The pictures are copied where that is
    /// enough, which takes a moment, and encoded where it is not. A single picture is shown for two seconds, sound alone stays
    /// alone. `output` stands alone in a folder of its own.
    pub async fn make_playable(&self, input: &Path, facts: &Probed, output: &Path) -> Result<Playable> {
        if facts.media.video_codec.is_none() && facts.media.audio_codec.is_none() {
            return Err(MediaError::file("the file holds neither video nor sound"));
        }
        if facts.plays_as_it_is() {
            match self.convert(input, facts, output, Made::Copied).await {
                Ok(copy) if copy.media.duration_ms.is_some_and(|ms| ms > 0) => {
                    return Ok(Playable { made: Made::Copied, facts: copy });
                }
                Err(error) if error.kind == MediaErrorKind::Installation => return Err(error),
                // Pictures in an order or at times that MP4 cannot hold: encode them.
                Ok(_) | Err(_) => {}
            }
        }
        let copy = self.convert(input, facts, output, Made::Encoded).await?;
        Ok(Playable { made: Made::Encoded, facts: copy })
    }

    async fn convert(&self, input: &Path, facts: &Probed, output: &Path, how: Made) -> Result<Probed> {
        let mut args = self.reading();
        args.extend(words(&["-fflags", "+genpts"]));
        args.extend(self.input(input));
        args.extend(words(&[
            "-map",
            "0:V:0?",
            "-map",
            "0:a:0?",
            "-sn",
            "-dn",
            "-map_metadata",
            "-1",
            "-map_chapters",
            "-1",
        ]));
        let first = if facts.is_still() { "tpad=stop_mode=clone:stop_duration=2" } else { "yadif=deint=interlaced" };
        match how {
            Made::Copied => args.extend(words(&["-c:v", "copy"])),
            Made::Encoded => args.extend(words(&[
                "-vf",
                &format!("{first},{SHOWN}"),
                "-fps_mode",
                "vfr",
                // times as the input tells them: by the rate of its beginning pictures would be dropped where it rises later
                "-enc_time_base",
                "-1",
                "-c:v",
                "libx264",
                "-preset",
                "veryfast",
                "-crf",
                "23",
                "-profile:v",
                "high",
                "-force_key_frames",
                "expr:gte(t,n_forced*2)",
            ])),
        }
        if facts.audio_plays() && how == Made::Copied {
            args.extend(words(&["-c:a", "copy"]));
        } else {
            args.extend(words(&["-c:a", "aac", "-b:a", "96k", "-ac", "2"]));
        }
        args.extend(words(&["-max_muxing_queue_size", "4096", "-threads"]));
        args.push(self.limits.threads.to_string().into());
        args.extend(words(&["-movflags", "+faststart", "-f", "mp4", "-y"]));
        args.push(located(output));
        let length = Duration::from_millis(facts.media.duration_ms.unwrap_or(600_000).min(7 * 24 * 3_600_000));
        let time = self.limits.least + self.limits.per_second.mul_f64(length.as_secs_f64());
        self.run(&self.ffmpeg, args, input, Some(output), time).await?;
        self.probe(output).await
    }

    /// What every reading of a hostile file begins with.
    fn reading(&self) -> Vec<OsString> {
        words(&["-nostdin", "-hide_banner", "-v", "error"])
    }

    /// The input, with what it may be and what it may reach.
    fn input(&self, input: &Path) -> Vec<OsString> {
        let mut args = words(&["-threads"]);
        args.push(self.limits.threads.to_string().into());
        args.extend(words(&["-max_pixels", "67108864"]));
        args.extend(guarded());
        args.push("-i".into());
        args.push(located(input));
        args
    }
}

/// What a file may be and what it may reach.
fn guarded() -> Vec<OsString> {
    words(&[
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        FORMATS,
        "-codec_whitelist",
        CODECS,
        "-max_streams",
        "64",
    ])
}

fn words(list: &[&str]) -> Vec<OsString> {
    list.iter().map(OsString::from).collect()
}

/// A path that cannot be taken for an option or for another protocol.
fn located(path: &Path) -> OsString {
    let mut text = OsString::from("file:");
    text.push(path.as_os_str());
    text
}

/// The folder of an output, which is the one that may be written.
fn folder(output: &Path) -> &OsStr {
    output.parent().map_or(OsStr::new("."), Path::as_os_str)
}
