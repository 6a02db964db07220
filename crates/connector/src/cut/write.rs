//! One run of ffmpeg, which decodes nothing.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::layout::Piece;
use crate::adapter::Trouble;
use crate::{disk, media};

/// The file that ffmpeg wrote.
pub(super) struct Written {
    pub(super) path: PathBuf,
    pub(super) container: &'static str,
    /// Whether ffmpeg complained of what it read.
    pub(super) complained: bool,
}

/// Whether an MP4 can hold it, as players know it.
pub(super) fn fits_mp4(facts: &media::Facts, silent: bool) -> bool {
    let picture = ["h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg"];
    let in_mp4 = |sound: &media::Sound| {
        matches!(sound.codec.as_str(), "aac" | "mp3" | "ac3" | "eac3" | "opus" | "flac" | "alac")
    };
    picture.contains(&facts.video.0.as_str()) && (silent || facts.audio.as_ref().is_none_or(in_mp4))
}

/// Why the sound of pieces cannot be joined, if it cannot: players give up on sound of another kind, and on the picture with it.
pub(super) fn sound_left_out(pieces: &[Piece]) -> Option<String> {
    if pieces.iter().any(|piece| piece.film.muted) {
        return Some(
            "an AVI tells of no picture when it is shown, and beside sound they are found at wrong times".into(),
        );
    }
    let sound = |piece: &Piece| piece.film.part.facts.audio.clone();
    let at = pieces.windows(2).position(|pair| sound(&pair[0]) != sound(&pair[1]))?;
    let name = &pieces[at + 1].film.part.name;
    Some(match (sound(&pieces[at]), sound(&pieces[at + 1])) {
        (None, _) => format!("there is none before {name}"),
        (_, None) => format!("there is none in {name}"),
        _ => format!("it is of another kind from {name} on"),
    })
}

/// Writes the pieces one after the other, up to a time in the output if one is given.
pub(super) async fn write(pieces: &[Piece], until_us: Option<i64>, into: &Path) -> Result<Written, Trouble> {
    let list_path = into.join("segments.ffconcat");
    disk::room_in(into, expected_bytes(pieces, until_us)).map_err(Trouble::disk)?;
    tokio::fs::write(&list_path, list(pieces)).await.map_err(Trouble::disk)?;
    let facts = &pieces[0].film.part.facts;
    let silent = sound_left_out(pieces).is_some();
    let mp4 = fits_mp4(facts, silent);
    let (name, container) = if mp4 { ("export.mp4", "mp4") } else { ("export.mkv", "matroska") };
    let path = into.join(name);
    let read = media::file_url(&list_path);
    let mut arguments = vec!["-f", "concat", "-safe", "0", "-i", &read, "-map", "0:v:0", "-c", "copy"];
    if !silent {
        arguments.extend(["-map", "0:a:0?"]);
    }
    // its index stands at the end: to put it in front ffmpeg would read and write all of it a second time
    if mp4 && facts.video.0 == "hevc" {
        arguments.extend(["-tag:v", "hvc1"]);
    }
    arguments.extend(["-fflags", "+bitexact", "-f", container]);
    let read: Vec<_> = pieces.iter().map(|piece| piece.film.path.as_path()).collect();
    let until = match until_us {
        Some(us) if !silent && facts.audio.is_some() => {
            Some(us + first_picture(&arguments, &read, into).await? - pieces[0].out_first_us())
        }
        us => us,
    };
    let until = until.map(|us| format!("{us}us"));
    if let Some(until) = &until {
        arguments.extend(["-t", until]);
    }
    let complained = tokio::select! {
        done = media::ffmpeg(&arguments, &read, &path, Duration::from_secs(6 * 3_600)) => done?,
        never = flush(&path) => match never {},
    };
    Ok(Written { path, container, complained })
}

/// Where the first picture stands in the output. Pictures that are stored in another order than they are shown begin behind the sound that
/// is stored with them, and ffmpeg counts from that.
async fn first_picture(arguments: &[&str], read: &[&Path], into: &Path) -> Result<i64, Trouble> {
    let path = into.join("beginning");
    let arguments = [arguments, &["-frames:v", "1", "-t", "10"]].concat();
    media::ffmpeg(&arguments, read, &path, Duration::from_secs(600)).await?;
    let first = media::first_packet(&path).await?;
    tokio::fs::remove_file(&path).await.map_err(Trouble::disk)?;
    Ok(first.pts_us)
}

/// About as long as the output will be: of each recording the bytes of its share in time.
fn expected_bytes(pieces: &[Piece], until_us: Option<i64>) -> u64 {
    let bytes = |piece: &Piece| {
        let ends = until_us.map_or(piece.out_end_us(), |until| until.min(piece.out_end_us()));
        let share = (ends - piece.out_first_us()) as f64 / piece.film.part.facts.duration_us.max(1) as f64;
        (piece.film.part.size as f64 * share.clamp(0.0, 1.0)) as u64
    };
    pieces.iter().map(bytes).sum()
}

/// Has what is written so far put on the disk, again and again, so that whoever waits for all of it to be there waits for little.
async fn flush(path: &Path) -> Infallible {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        sync(path).await;
    }
}

/// Has what is written so far put on the disk. A disk that fails is told of when the export is kept.
pub(super) async fn sync(path: &Path) {
    if let Ok(file) = tokio::fs::File::open(path).await {
        let _ = file.sync_data().await;
    }
}

/// In the words of ffmpeg's concat demuxer.
fn list(pieces: &[Piece]) -> String {
    let mut list = String::from("ffconcat version 1.0\n");
    for (index, piece) in pieces.iter().enumerate() {
        list += &format!("file '{}'\n", media::file_url(&piece.film.path).replace('\'', r"'\''"));
        if piece.entered {
            // times were rounded to the microsecond: never land on the key frame before
            list += &format!("inpoint {}us\n", piece.in_us + 1);
        }
        if let Some(next) = pieces.get(index + 1) {
            list += &format!("duration {}us\n", next.out_us - piece.out_us);
        }
    }
    list
}
