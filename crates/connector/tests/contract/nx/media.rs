//! What Nx has on its disks, and the files that it makes of it, by the rules of its source (`vms/libs/nx_vms_common/src/transcoding`):
//! from the key frame at or before a time on, with a break of five seconds closed to a millisecond.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use domain::Timestamp;
use serde_json::json;

use super::super::world::{RATE, Recording, World};

/// `MAX_FRAME_DURATION_MS`.
const CLOSED: Duration = Duration::from_secs(5);
/// Of what is still being recorded the world films so much.
const ON: Duration = Duration::from_secs(20);
const FRAME: Duration = Duration::from_millis(1_000 / RATE as u64);

/// A file of it: pictures that follow each other without a break, a key frame each second. As it gives each picture one time,
/// none is stored in another order than shown.
pub(super) struct Chunk {
    pub(super) camera: String,
    pub(super) from: Timestamp,
    /// None while it is being written.
    pub(super) to: Option<Timestamp>,
    /// The end of what is written.
    written: Timestamp,
    file: PathBuf,
}

/// What of a chunk is handed out.
struct Piece<'a> {
    chunk: &'a Chunk,
    from: Timestamp,
    to: Timestamp,
}

/// Stores what a world recorded.
pub(super) fn chunks(world: &World, folder: &Path) -> Vec<Chunk> {
    let store = |recording: &Recording| {
        let file = folder.join(format!("{}.mp4", recording.number));
        let (rate, key_frames) = (RATE.to_string(), format!("keyint={RATE}:scenecut=0:bframes=0"));
        let stored = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&recording.file)
            .args(["-c:v", "libx264", "-preset", "ultrafast", "-r", &rate, "-x264-params", &key_frames])
            .args(["-video_track_timescale", "90000"])
            .arg(&file)
            .status();
        assert!(stored.unwrap().success());
        let written = recording.to.unwrap_or(recording.from.plus(ON));
        Chunk { camera: recording.camera.clone(), from: recording.from, to: recording.to, written, file }
    };
    world.recordings.iter().map(store).collect()
}

impl Chunk {
    /// When the key frame at or before a time was recorded; the first where there is none.
    fn key_frame(&self, at: Timestamp) -> Timestamp {
        self.from.plus(Duration::from_secs(at.since(self.from).as_secs()))
    }

    fn piece(&self, pos: Timestamp, end: Timestamp) -> Option<Piece<'_>> {
        let piece = Piece { chunk: self, from: self.key_frame(pos), to: self.written.min(end) };
        (piece.from < piece.to && pos < self.written).then_some(piece)
    }
}

/// The key frame at or before a time; none if nothing was recorded until then.
pub(super) fn key_frame<'a>(chunks: impl Iterator<Item = &'a Chunk>, at: Timestamp) -> Option<Timestamp> {
    chunks.filter(|chunk| chunk.from <= at).last().map(|chunk| chunk.key_frame(at.min(chunk.written.minus(FRAME))))
}

/// An MP4 of a time; none if there is nothing of it. `tells` is whether it says when it begins.
pub(super) fn file<'a>(
    chunks: impl Iterator<Item = &'a Chunk>,
    pos: Timestamp,
    end: Timestamp,
    tells: bool,
) -> Option<Vec<u8>> {
    let pieces: Vec<Piece<'_>> = chunks.filter_map(|chunk| chunk.piece(pos, end)).collect();
    let first = pieces.first()?;
    let mut list = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        let within = |at: Timestamp| at.since(piece.chunk.from).as_secs_f64();
        let last = piece.to.minus(FRAME);
        let follows = pieces.get(index + 1).map(|next| next.from);
        let goes_on = follows.filter(|next| *next > last && next.since(last) < CLOSED);
        let next = goes_on.unwrap_or(last.plus(if follows.is_some() { Duration::from_millis(1) } else { FRAME }));
        // the next one is not decoded before its key frame, and this one no further than its end
        list += &format!(
            "file '{}'\ninpoint {:.6}\noutpoint {:.6}\nduration {:.6}\n",
            piece.chunk.file.display(),
            within(piece.from),
            within(piece.to) - 0.01,
            next.since(piece.from).as_secs_f64(),
        );
    }
    let began = json!({"startTimeMs": (first.from.as_micros() / 1_000).to_string(), "version": 4}).to_string();
    Some(muxed(&list, if tells { &began } else { "" }))
}

fn muxed(list: &str, comment: &str) -> Vec<u8> {
    let playlist = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(playlist.path(), list).unwrap();
    let muxed = Command::new("ffmpeg")
        .args(["-v", "error", "-protocol_whitelist", "pipe,file", "-f", "concat", "-safe", "0", "-i"])
        .arg(playlist.path())
        .args(["-c", "copy", "-metadata", &format!("comment={comment}")])
        .args(["-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "pipe:"])
        .output()
        .unwrap();
    assert!(muxed.status.success(), "{}", String::from_utf8_lossy(&muxed.stderr));
    muxed.stdout
}
