//! Copies of recordings that ffmpeg can read where it cannot read the recordings themselves. Nothing is decoded, and times stay as they are.

use std::path::Path;
use std::time::Duration;

use domain::Window;

use super::layout::Film;
use crate::adapter::Trouble;
use crate::media::{self, MediaError, Packet};

/// The times of a recording and of its copy agree to this, in microseconds: Matroska tells whole milliseconds.
const SAME_US: i64 = 1_000;

/// All copies in MP4 tell the times of pictures in such parts of a second, as MPEG-TS does.
const COPIES_COUNT: &str = "90000";

/// So much may be handed over beyond the end of a window: less than from one key frame to the next.
const BEYOND: Duration = Duration::from_millis(500);

/// Copies a film packet by packet, without those that are damaged.
pub(super) async fn copy(film: &mut Film, to: &Path) -> Result<(), MediaError> {
    copy_until(film, None, to).await
}

/// The same up to a time of the film's clock.
async fn copy_until(film: &mut Film, until_us: Option<i64>, to: &Path) -> Result<(), MediaError> {
    let facts = &film.part.facts;
    // no MP4 holds times before zero
    let shift_us = (-film.facts.start_us).max(0);
    let shift = format!("{shift_us}us");
    let read = media::file_url(&film.path);
    let mut arguments = vec!["-fflags", "+genpts+discardcorrupt", "-copyts"];
    if film.muted {
        arguments.extend(["-guess_layout_max", "0"]); // nothing is to be said of sound that is not read
    }
    arguments.extend(["-i", &read, "-map", "0:v:0", "-c", "copy"]);
    if !film.muted {
        arguments.extend(["-map", "0:a:0?"]);
    }
    if film.leads_on {
        arguments.push("-copyinkf");
    }
    let until = until_us.map(|us| format!("{us}us"));
    if let Some(until) = &until {
        arguments.extend(["-t", until]);
    }
    // asked for by name a filter passes over a packet that it cannot read; by itself ffmpeg would give up
    match facts.video.0.as_str() {
        "h264" => arguments.extend(["-bsf:v", "h264_mp4toannexb"]),
        "hevc" => arguments.extend(["-bsf:v", "hevc_mp4toannexb"]),
        _ => {}
    }
    if !film.muted && facts.audio.as_ref().is_some_and(|sound| sound.codec == "aac") {
        arguments.extend(["-bsf:a", "aac_adtstoasc"]);
    }
    arguments.extend(["-output_ts_offset", &shift]);
    let format: &[&str] = if film.in_mp4 { &["mp4", "-video_track_timescale", COPIES_COUNT] } else { &["matroska"] };
    arguments.push("-f");
    arguments.extend(format);
    film.lost.iter_mut().for_each(|at_us| *at_us += shift_us);
    if media::ffmpeg(&arguments, &[&film.path], to, Duration::from_secs(3_600)).await? {
        film.damaged = true;
        let mut recorded = media::packets(&film.path, None).await?;
        recorded.retain(|packet| until_us.is_none_or(|until| packet.pts_us < until));
        film.lost.extend(lost(&recorded, &media::packets(to, None).await?, shift_us));
        film.lost.sort_unstable();
    }
    film.copied = true;
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

/// Copies films of AVI that have sound, without it: beside sound ffmpeg finds the pictures of an AVI, which have no times of their own, at
/// wrong ones.
pub(super) async fn mute_untimed(films: &mut [Film], into: &Path) -> Result<(), MediaError> {
    let untimed = |film: &Film| !film.part.facts.timed && film.part.facts.audio.is_some();
    for (index, film) in films.iter_mut().enumerate().filter(|(_, film)| untimed(film)) {
        film.muted = true;
        copy(film, &into.join(format!("silent-{index}.mkv"))).await?;
        film.shift_us += film.facts.first_us - film.first_us();
        let part = &mut film.part;
        part.facts.duration_us = film.facts.duration_us;
        part.ends = part.begins.plus(Duration::from_micros(film.facts.duration_us.unsigned_abs()));
    }
    Ok(())
}

/// Copies films that cannot be joined as they are, so that all are alike.
pub(super) async fn make_alike(films: &mut [Film], into: &Path) -> Result<(), MediaError> {
    if films.len() < 2 || are_alike(films) {
        return Ok(());
    }
    for (index, film) in films.iter_mut().enumerate().filter(|(_, film)| !film.copied) {
        copy(film, &into.join(format!("alike-{index}.mp4"))).await?;
    }
    Ok(())
}

/// Whether ffmpeg joins them right: it takes the streams of each file to be those of the first, in order, and their times to be told in
/// the same parts of a second. Of HEVC it takes also the settings of the first, where those of H.264 are put among the pictures: a
/// camera may have changed them, and in the copy that is made to enter an MPEG-TS they are written down in another way. There sound is counted
/// otherwise too.
fn are_alike(films: &[Film]) -> bool {
    let hevc = films[0].part.facts.video.0 == "hevc";
    let alike = |pair: &[Film]| {
        let same_settings = pair[0].part.facts.parameters == pair[1].part.facts.parameters;
        pair[0].facts.streams == pair[1].facts.streams && (same_settings || !hevc)
    };
    let copied_alike = films[0].facts.streams.len() == 1 && !hevc;
    films.windows(2).all(alike) && (copied_alike || films.iter().all(|film| film.facts.seekable))
}

/// Copies films that go on beyond the window, but for the last, up to its end: where recordings overlap, all of the others would be handed
/// over.
pub(super) async fn end_with(films: &mut [Film], window: Window, into: &Path) -> Result<(), Trouble> {
    let Some((_, others)) = films.split_last_mut() else { return Ok(()) };
    for (index, film) in others.iter_mut().enumerate() {
        if film.ends() > window.to.plus(BEYOND)
            && let Some(until_us) = film.end_at(window.to).await?
        {
            let kept_us = until_us - film.first_us();
            copy_until(film, Some(until_us), &into.join(format!("ended-{index}.mp4"))).await?;
            film.cut_us = film.part.facts.duration_us - kept_us;
        }
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

/// Copies each film without what is damaged, unless that is done. One that cannot be copied stays as it is.
pub(super) async fn mend(films: &mut [Film], into: &Path) -> Result<(), MediaError> {
    for (index, film) in films.iter_mut().enumerate().filter(|(_, film)| !film.copied) {
        match copy(film, &into.join(format!("mended-{index}.mp4"))).await {
            Ok(()) => {}
            Err(MediaError::Refused(_)) => film.damaged = true,
            Err(other) => return Err(other),
        }
    }
    Ok(())
}
