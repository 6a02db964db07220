//! Copies of recordings that ffmpeg can read where it cannot read the recordings themselves. Nothing is decoded, and times stay as they are.

use std::path::Path;
use std::time::Duration;

use super::layout::Film;
use crate::media::{self, MediaError, Packet};

/// The times of a recording and of its copy agree to this, in microseconds: Matroska tells whole milliseconds.
const SAME_US: i64 = 1_000;

/// Copies a film packet by packet, without those that are damaged.
pub(super) async fn copy(film: &mut Film, to: &Path) -> Result<(), MediaError> {
    let facts = &film.part.facts;
    // no MP4 holds times before zero
    let shift_us = (-film.facts.start_us).max(0);
    let shift = format!("{shift_us}us");
    let read = media::file_url(&film.path);
    let mut arguments = vec![
        "-fflags",
        "+genpts+discardcorrupt",
        "-copyts",
        "-i",
        &read,
        "-map",
        "0:v:0",
        "-map",
        "0:a:0?",
        "-c",
        "copy",
    ];
    // asked for by name a filter passes over a packet that it cannot read; by itself ffmpeg would give up
    match facts.video.0.as_str() {
        "h264" => arguments.extend(["-bsf:v", "h264_mp4toannexb"]),
        "hevc" => arguments.extend(["-bsf:v", "hevc_mp4toannexb"]),
        _ => {}
    }
    if facts.audio.as_deref() == Some("aac") {
        arguments.extend(["-bsf:a", "aac_adtstoasc"]);
    }
    arguments.extend(["-output_ts_offset", &shift]);
    let format = if super::write::fits_mp4(facts) { "mp4" } else { "matroska" };
    arguments.extend(["-f", format]);
    if media::ffmpeg(&arguments, &[&film.path], to, Duration::from_secs(3_600)).await? {
        film.damaged = true;
        film.lost = lost(&media::packets(&film.path, None).await?, &media::packets(to, None).await?, shift_us);
    }
    film.shift_us += shift_us;
    film.facts = media::facts(to).await?;
    film.path = to.to_owned();
    Ok(())
}

/// When the pictures are shown that were not copied, or that build on such: up to the next key frame, and those shown before that key
/// frame though decoded after it.
fn lost(recorded: &[Packet], copied: &[Packet], shift_us: i64) -> Vec<i64> {
    let mut kept: Vec<_> = copied.iter().map(|packet| packet.pts_us).collect();
    kept.sort_unstable();
    let (mut lost, mut broken, mut whole_from) = (Vec::new(), false, i64::MIN);
    for packet in recorded {
        let pts_us = packet.pts_us + shift_us;
        let copied = holds(&kept, pts_us);
        if copied && packet.key {
            whole_from = if broken { pts_us } else { i64::MIN };
        }
        broken = !copied || (broken && !packet.key);
        if broken || pts_us < whole_from {
            lost.push(pts_us);
        }
    }
    lost.sort_unstable();
    lost
}

/// Whether a time is among times in order.
pub(super) fn holds(times: &[i64], at_us: i64) -> bool {
    let next = times.partition_point(|time| *time < at_us - SAME_US);
    times.get(next).is_some_and(|time| *time <= at_us + SAME_US)
}

/// Copies films whose clock begins before zero, as where that of an MPEG-TS runs over (every 26.5 hours, ISO/IEC 13818-1, 2.4.3.7).
pub(super) async fn begin_at_zero(films: &mut [Film], into: &Path) -> Result<(), MediaError> {
    for (index, film) in films.iter_mut().enumerate().filter(|(_, film)| film.part.facts.start_us < 0) {
        copy(film, &into.join(format!("later-{index}.mp4"))).await?;
    }
    Ok(())
}

/// Puts whole fragments in the place of a fragmented MP4 that is broken.
pub(super) async fn cover_broken(films: &mut [Film], into: &Path) -> Result<(), MediaError> {
    for (index, film) in films.iter_mut().enumerate().filter(|(_, film)| film.part.facts.broken) {
        let whole = into.join(format!("whole-{index}.mp4"));
        media::whole_fragments(&film.part.path, film.part.size, &whole).await?;
        film.path = whole;
    }
    Ok(())
}

/// Copies each film without what is damaged. One that cannot be copied stays as it is.
pub(super) async fn mend(films: &mut [Film], into: &Path) -> Result<(), MediaError> {
    for (index, film) in films.iter_mut().enumerate() {
        match copy(film, &into.join(format!("mended-{index}.mp4"))).await {
            Ok(()) => {}
            Err(MediaError::Refused(_)) => film.damaged = true,
            Err(other) => return Err(other),
        }
    }
    Ok(())
}
