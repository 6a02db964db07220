//! One run of ffmpeg, which decodes nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::layout::Piece;
use super::refused;
use crate::adapter::Trouble;
use crate::media;

/// The file that ffmpeg wrote.
pub(super) struct Written {
    pub(super) path: PathBuf,
    pub(super) container: &'static str,
    /// Whether ffmpeg complained of what it read.
    pub(super) complained: bool,
}

/// Whether an MP4 can hold it.
pub(super) fn fits_mp4(facts: &media::Facts) -> bool {
    let in_mp4 = |codec: &String| matches!(codec.as_str(), "aac" | "mp3" | "ac3" | "eac3" | "opus" | "flac" | "alac");
    facts.audio.as_ref().is_none_or(in_mp4)
}

/// Writes the pieces one after the other, up to a time in the output if one is given.
pub(super) async fn write(pieces: &[Piece], until_us: Option<i64>, into: &Path) -> Result<Written, Trouble> {
    let list_path = into.join("segments.ffconcat");
    tokio::fs::write(&list_path, list(pieces)).await.map_err(Trouble::again)?;
    let facts = &pieces[0].film.part.facts;
    let mp4 = fits_mp4(facts);
    let (name, container) = if mp4 { ("export.mp4", "mp4") } else { ("export.mkv", "matroska") };
    let path = into.join(name);
    let (read, write) = (media::file_url(&list_path), media::file_url(&path));
    let until = until_us.map(|us| format!("{us}us"));
    let mut arguments =
        vec!["-f", "concat", "-safe", "0", "-i", &read, "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy"];
    if let Some(until) = &until {
        arguments.extend(["-t", until]);
    }
    if mp4 {
        arguments.extend(["-movflags", "+faststart"]);
        if facts.video.0 == "hevc" {
            arguments.extend(["-tag:v", "hvc1"]);
        }
    }
    arguments.extend(["-fflags", "+bitexact", "-f", container, &write]);
    let read: Vec<_> = pieces.iter().map(|piece| piece.film.path.as_path()).collect();
    let complained = media::ffmpeg(&arguments, &read, into, Duration::from_secs(6 * 3_600)).await.map_err(refused)?;
    Ok(Written { path, container, complained })
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
