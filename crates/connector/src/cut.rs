//! Cuts a window out of recordings by stream copy. What is claimed about the result is read from the result: its frames
//! are listed, and their times carried back to the clock of the recordings they came from.
//!
//! Every adapter that can bring recordings as files ends here, so that windows, gaps and seams mean the same for all of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::{Timestamp, Window};
use protocol::{ExportFacts, Gap, Manifest, Segment, UnavailableReason};

use crate::adapter::{Exported, Trouble};
use crate::media::{self, MediaError, Packet};

/// A recording whose file was opened. Times are by the recorder's clock.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name in the video system; of a file, the path below the folder.
    pub name: String,
    /// Where its file lies.
    pub path: PathBuf,
    /// When its first frame was recorded.
    pub begins: Timestamp,
    /// So much later that may have been: where the system tells whole seconds, up to one.
    pub or_later: Duration,
    /// When its last frame ended.
    pub ends: Timestamp,
    /// How many bytes of the file belong to it.
    pub size: u64,
    /// What is in it.
    pub facts: media::Facts,
}

/// A recording that cannot be read, up to where the next one begins.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Its name in the video system.
    pub name: String,
    /// When it begins.
    pub begins: Timestamp,
    /// Why it cannot be read.
    pub why: String,
}

/// What is cut, and out of what.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The adapter, for the manifest.
    pub adapter: &'static str,
    /// The source.
    pub device_id: String,
    /// What was asked for.
    pub window: Window,
    /// The recordings that hold some of it, in order; at least one.
    pub usable: Vec<Part>,
    /// Those that should, and cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// Holes up to this are none: what the precision of the recordings' times makes of it.
    pub tolerance: Duration,
}

/// Of a longer segment only the surroundings of a cut are listed.
const LIST_WHOLE_US: i64 = 600_000_000;
/// So far before a cut a key frame is looked for in a long segment.
const KEY_FRAME_WITHIN_US: i64 = 60_000_000;

/// A segment's share of the output.
struct Piece {
    part: Part,
    /// What ffmpeg reads: the segment, or a copy of it that can be entered at a key frame.
    path: PathBuf,
    /// The segment's own clock where reading begins.
    in_us: i64,
    /// Whether that is not its beginning.
    entered: bool,
    /// Where reading ends before the segment does: at what cannot be read.
    until_us: Option<i64>,
    /// The same as `in_us` in the output.
    out_us: i64,
}

impl Piece {
    fn time_of(&self, pts_us: i64) -> Timestamp {
        wall(&self.part, pts_us)
    }
}

fn wall(part: &Part, pts_us: i64) -> Timestamp {
    Timestamp::from_micros(part.begins.as_micros() + pts_us - part.facts.start_us)
}

fn pts(part: &Part, at: Timestamp) -> i64 {
    at.as_micros() - part.begins.as_micros() + part.facts.start_us
}

/// Writes the window into a file of the folder `into`.
pub async fn cut(cut: Cut, into: &Path) -> Result<Exported, Trouble> {
    let Cut { adapter, device_id, window, usable, mut unreadable, tolerance } = cut;
    let hashes = Hashes::start(&usable);
    let mut pieces = lay_out(usable, window, into).await?;
    let until_us = end(&pieces, window).await?;
    let (path, container, frames) = write_whole(&mut pieces, until_us, &mut unreadable, into).await?;
    let mut gaps = frames.gaps(window, tolerance);
    for gap in &mut gaps {
        let bad = unreadable.iter().rev().find(|bad| bad.begins < gap.to && bad.begins.plus(tolerance) >= gap.from);
        gap.reason = bad.map(|bad| format!("{} cannot be read: {}", bad.name, bad.why));
    }
    if gaps.iter().any(|gap| gap.from <= window.from && gap.to >= window.to) {
        return Err(Trouble::Unavailable {
            reason: UnavailableReason::Gap,
            detail: "The recordings around that time hold no frame of it.".into(),
        });
    }
    let sums = hashes.finish().await?;
    let first_pts = frames.first_pts;
    let uncertainty = pieces.iter().map(|piece| piece.part.or_later).max().unwrap_or_default();
    pieces.dedup_by(|later, first| later.part.name == first.part.name);
    let segments = pieces.drain(..).filter_map(|piece| {
        let (size, sha256) =
            sums.iter().find(|(name, ..)| *name == piece.part.name).map(|(_, size, sum)| (*size, sum))?;
        Some(Segment {
            name: piece.part.name,
            from: piece.part.begins,
            to: piece.part.ends,
            size_bytes: i64::try_from(size).unwrap_or(i64::MAX),
            sha256: sha256.clone(),
            at_us: (piece.out_us - first_pts).max(0),
        })
    });
    let manifest = Manifest {
        version: 1,
        software: concat!("sightline-connector ", env!("CARGO_PKG_VERSION")).to_owned(),
        adapter: adapter.into(),
        asked: window,
        segments: segments.collect(),
        gaps,
        first_frame: frames.first,
        last_frame: frames.last,
        key_frame_interval_ms: frames.key_frame_interval_us.map(|us| us / 1_000),
        uncertainty_ms: i64::try_from(uncertainty.as_millis()).ok().filter(|ms| *ms > 0),
        clock_offset: None,
        export: ExportFacts { sha256: String::new(), size_bytes: 0, container: container.into() },
        device_id,
    };
    Ok(Exported { path, manifest })
}

fn refused(error: MediaError) -> Trouble {
    Trouble::again(error)
}

/// Chooses the key frame to begin with, and gives each segment its place in the output: its place in time. Gaps stay as long as
/// they were; where two segments overlap, both are kept whole.
async fn lay_out(usable: Vec<Part>, window: Window, into: &Path) -> Result<Vec<Piece>, Trouble> {
    let mut pieces: Vec<Piece> = usable
        .into_iter()
        .map(|part| Piece {
            path: part.path.clone(),
            in_us: part.facts.start_us,
            entered: false,
            until_us: None,
            out_us: 0,
            part,
        })
        .collect();
    if let [first, others @ ..] = &pieces[..]
        && others.iter().any(|piece| piece.part.facts.video != first.part.facts.video)
    {
        return Err(Trouble::never(
            "The camera's picture format changes within the window; ask for the parts on their own.",
        ));
    }
    // two segments that both begin before the window: the later one alone will do where it covers the start
    while pieces.len() > 1 && pieces[1].part.begins.plus(pieces[1].part.or_later) <= window.from {
        pieces.remove(0);
    }
    // what may have been recorded later than it seems is entered earlier by as much, so that nothing is missed
    let from = window.from.minus(pieces[0].part.or_later);
    enter(&mut pieces[0], from, into).await?;
    let mut out_us = 0;
    for index in 0..pieces.len() {
        pieces[index].out_us = out_us;
        let here = pieces[index].time_of(pieces[index].in_us);
        if let Some(next) = pieces.get(index + 1) {
            let apart = next.time_of(next.in_us).as_micros() - here.as_micros();
            let long = pieces[index].part.ends.as_micros() - here.as_micros();
            // a name tells whole seconds: what is less than a frame or two is no overlap
            out_us += if apart + 20_000 >= long { apart.max(long) } else { long };
        }
    }
    Ok(pieces)
}

/// Finds the key frame at or before the start of the window.
async fn enter(piece: &mut Piece, from: Timestamp, into: &Path) -> Result<(), Trouble> {
    if piece.part.begins >= from {
        return Ok(());
    }
    if !piece.part.facts.seekable {
        let copy = into.join("first.mp4");
        let (read, write) = (media::file_url(&piece.path), media::file_url(&copy));
        let arguments = ["-i", &read, "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", "-f", "mp4", &write];
        media::ffmpeg(&arguments, Duration::from_secs(600)).await.map_err(refused)?;
        piece.part.facts = media::facts(&copy).await.map_err(refused)?;
        piece.in_us = piece.part.facts.start_us;
        piece.path = copy;
    }
    let target = pts(&piece.part, from);
    let last_key = |packets: &[Packet]| packets.iter().filter(|p| p.key && p.pts_us <= target).map(|p| p.pts_us).max();
    let near = around(&piece.part, target - KEY_FRAME_WITHIN_US, target + 1_000_000);
    let mut key = last_key(&media::packets(&piece.path, near).await.map_err(refused)?);
    if key.is_none() && near.is_some() {
        key = last_key(&media::packets(&piece.path, None).await.map_err(refused)?);
    }
    if let Some(key) = key.filter(|key| *key > piece.in_us) {
        piece.in_us = key;
        piece.entered = true;
    }
    Ok(())
}

fn around(part: &Part, from_us: i64, to_us: i64) -> Option<(i64, i64)> {
    (part.facts.duration_us > LIST_WHOLE_US).then_some((from_us, to_us))
}

/// Where the output ends: after the first frame at or after the end of the window; nowhere if the last segment ends before.
async fn end(pieces: &[Piece], window: Window) -> Result<Option<i64>, Trouble> {
    let Some(last) = pieces.last().filter(|last| last.part.ends > window.to) else { return Ok(None) };
    let target = pts(&last.part, window.to);
    let near = around(&last.part, target - 1_000_000, target + KEY_FRAME_WITHIN_US);
    let packets = media::packets(&last.path, near).await.map_err(refused)?;
    let after = packets.iter().filter(|packet| packet.pts_us >= target).min_by_key(|packet| packet.pts_us);
    Ok(after.map(|packet| last.out_us + packet.pts_us - last.in_us + (packet.duration_us / 2).max(1_000)))
}

/// Writes the output. Where a damaged segment made ffmpeg stop reading, it is entered again at the next key frame.
async fn write_whole(
    pieces: &mut Vec<Piece>,
    until_us: Option<i64>,
    unreadable: &mut Vec<Unreadable>,
    into: &Path,
) -> Result<(PathBuf, &'static str, Frames), Trouble> {
    for _ in 0..DAMAGES_AT_MOST {
        let (path, container) = write(pieces, until_us, into).await?;
        let frames = Frames::read(pieces, media::packets(&path, None).await.map_err(refused)?)?;
        let Some(stopped) = frames.stopped_short(pieces, until_us) else { return Ok((path, container, frames)) };
        pass_over(pieces, stopped, frames.of_piece(stopped), unreadable).await?;
    }
    Err(Trouble::again("The recordings are damaged in too many places."))
}

/// So many damaged places are passed over.
const DAMAGES_AT_MOST: usize = 200;

/// Divides a piece at the packet that could not be read: what came before it, and what begins with the next key frame.
async fn pass_over(
    pieces: &mut Vec<Piece>,
    stopped: usize,
    read: usize,
    unreadable: &mut Vec<Unreadable>,
) -> Result<(), Trouble> {
    let packets = media::packets(&pieces[stopped].path, None).await.map_err(refused)?;
    let piece = &mut pieces[stopped];
    let first = packets.iter().position(|packet| packet.pts_us >= piece.in_us && (packet.key || !piece.entered));
    let bad = first.unwrap_or(0) + read;
    let end_us = piece.part.facts.start_us + piece.part.facts.duration_us;
    let at_us = packets.get(bad).map_or(end_us, |packet| packet.pts_us);
    let listed_us = packets.iter().map(|packet| packet.pts_us + packet.duration_us).max().unwrap_or(0);
    if bad >= packets.len() && listed_us + 100_000 >= end_us {
        piece.until_us = Some(end_us); // its last picture stands for long: nothing is missing
        return Ok(());
    }
    unreadable.push(Unreadable {
        name: piece.part.name.clone(),
        begins: piece.time_of(at_us),
        why: "a part of it is damaged".into(),
    });
    unreadable.sort_by_key(|bad| bad.begins);
    let next_key = packets.iter().skip(bad + 1).find(|packet| packet.key).map(|packet| packet.pts_us);
    let next = next_key.map(|in_us| Piece {
        in_us,
        entered: true,
        until_us: piece.until_us,
        out_us: piece.out_us + in_us - piece.in_us,
        part: piece.part.clone(),
        path: piece.path.clone(),
    });
    piece.until_us = Some(packets.get(bad).map_or(at_us, |packet| packet.dts_us));
    match next {
        Some(next) if read == 0 => pieces[stopped] = next,
        Some(next) => pieces.insert(stopped + 1, next),
        None if read == 0 && pieces.len() > 1 => drop(pieces.remove(stopped)),
        None => {}
    }
    Ok(())
}

/// One run of ffmpeg: nothing is decoded.
async fn write(pieces: &[Piece], until_us: Option<i64>, into: &Path) -> Result<(PathBuf, &'static str), Trouble> {
    let mut list = String::from("ffconcat version 1.0\n");
    for (index, piece) in pieces.iter().enumerate() {
        list += &format!("file '{}'\n", media::file_url(&piece.path).replace('\'', r"'\''"));
        if piece.entered {
            // times were rounded to the microsecond: never land on the key frame before
            list += &format!("inpoint {}us\n", piece.in_us + 1);
        }
        if let Some(until_us) = piece.until_us {
            list += &format!("outpoint {until_us}us\n");
        }
        if let Some(next) = pieces.get(index + 1) {
            list += &format!("duration {}us\n", next.out_us - piece.out_us);
        }
    }
    let list_path = into.join("segments.ffconcat");
    tokio::fs::write(&list_path, list).await.map_err(Trouble::again)?;
    let facts = &pieces[0].part.facts;
    let in_mp4 = |codec: &String| matches!(codec.as_str(), "aac" | "mp3" | "ac3" | "eac3" | "opus" | "flac" | "alac");
    let mp4 = facts.audio.as_ref().is_none_or(in_mp4);
    let (name, format) = if mp4 { ("export.mp4", "mp4") } else { ("export.mkv", "matroska") };
    let out = into.join(name);
    let (read, write) = (media::file_url(&list_path), media::file_url(&out));
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
    arguments.extend(["-fflags", "+bitexact", "-f", format, &write]);
    media::ffmpeg(&arguments, Duration::from_secs(6 * 3_600)).await.map_err(refused)?;
    Ok((out, format))
}

/// The frames of the output, with the times at which they were recorded.
struct Frames {
    first: Timestamp,
    last: Timestamp,
    first_pts: i64,
    /// The piece that each is of, in the order in which they are shown.
    pieces: Vec<usize>,
    /// How long after the first the last one begins, in the output, and how long one usually lasts.
    last_us: i64,
    usual_us: i64,
    /// Start and end of each.
    shown: Vec<(Timestamp, Timestamp)>,
    key_frame_interval_us: Option<i64>,
}

impl Frames {
    fn read(pieces: &[Piece], mut packets: Vec<Packet>) -> Result<Self, Trouble> {
        packets.sort_by_key(|packet| packet.pts_us);
        let Some(first_packet) = packets.first() else {
            return Err(Trouble::again("The export holds no frame."));
        };
        // the muxer moves the first frame to where it likes; the others keep their distance from it
        let first_pts = first_packet.pts_us;
        let piece_of =
            |pts_us: i64| pieces.iter().rposition(|piece| piece.out_us <= pts_us - first_pts + 10_000).unwrap_or(0);
        let time_of = |pts_us: i64| {
            let (piece, out_us) = (&pieces[piece_of(pts_us)], pts_us - first_pts);
            let at = piece.time_of(piece.in_us + out_us - piece.out_us).as_micros();
            Timestamp::from_micros((at + 500).div_euclid(1_000) * 1_000) // the containers' own clocks are no finer
        };
        let usual = packets.iter().map(|packet| packet.duration_us).filter(|us| *us > 0).min().unwrap_or(40_000);
        let shown: Vec<_> = packets
            .iter()
            .map(|packet| {
                let at = time_of(packet.pts_us);
                // before a gap the muxer lets a frame stand until the next one; it was recorded for as long as any other
                let long = if packet.duration_us > usual * 2 { usual } else { packet.duration_us.max(usual) };
                (at, at.plus(Duration::from_micros(long.unsigned_abs())))
            })
            .collect();
        let keys: Vec<_> = packets.iter().filter(|packet| packet.key).map(|packet| packet.pts_us).collect();
        Ok(Self {
            first: shown[0].0,
            last: shown.iter().map(|(at, _)| *at).max().unwrap_or(shown[0].0),
            first_pts,
            pieces: packets.iter().map(|packet| piece_of(packet.pts_us)).collect(),
            last_us: packets.last().map_or(0, |packet| packet.pts_us - first_pts),
            usual_us: usual,
            key_frame_interval_us: keys.windows(2).map(|pair| pair[1] - pair[0]).max(),
            shown,
        })
    }

    /// How many frames there are of a piece.
    fn of_piece(&self, index: usize) -> usize {
        self.pieces.iter().filter(|piece| **piece == index).count()
    }

    /// The piece at which ffmpeg stopped reading, though there was more of it or after it, within what is wanted.
    fn stopped_short(&self, pieces: &[Piece], until_us: Option<i64>) -> Option<usize> {
        let last = self.pieces.last().copied()?;
        let piece = &pieces[last];
        if last + 1 < pieces.len() {
            // ffmpeg ends at the first piece of which it can read nothing
            let read_to_its_end = piece.until_us.is_some() || self.reaches(piece, None);
            return Some(if read_to_its_end { last + 1 } else { last });
        }
        (piece.until_us.is_none() && !self.reaches(piece, until_us)).then_some(last)
    }

    /// Whether the output goes to the end of its last piece, or to where it is to end.
    fn reaches(&self, piece: &Piece, until_us: Option<i64>) -> bool {
        let facts = &piece.part.facts;
        let end_us = piece.out_us + facts.start_us + facts.duration_us - piece.in_us;
        self.last_us + 3 * self.usual_us + 100_000 >= until_us.unwrap_or(i64::MAX).min(end_us)
    }

    fn gaps(&self, window: Window, tolerance: Duration) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let mut covered = window.from;
        let mut gap = |from: Timestamp, to: Timestamp| {
            let to = to.min(window.to);
            if to.since(from) > tolerance {
                gaps.push(Gap { from, to, reason: None });
            }
        };
        let mut shown = self.shown.clone();
        shown.sort_unstable();
        for (from, to) in shown {
            gap(covered, from);
            covered = covered.max(to);
        }
        gap(covered, window.to);
        gaps
    }
}

/// Hashes the segments beside ffmpeg, two at a time.
struct Hashes(Vec<tokio::task::JoinHandle<std::io::Result<(String, u64, String)>>>);

impl Hashes {
    fn start(parts: &[Part]) -> Self {
        let turns = Arc::new(tokio::sync::Semaphore::new(2));
        Self(
            parts
                .iter()
                .map(|part| {
                    let (name, path, size, turns) =
                        (part.name.clone(), part.path.clone(), part.size, Arc::clone(&turns));
                    tokio::spawn(async move {
                        let _turn = turns.acquire().await.map_err(std::io::Error::other)?;
                        let sum = tokio::task::spawn_blocking(move || sha256_of(&path, size))
                            .await
                            .map_err(std::io::Error::other)??;
                        Ok((name, size, sum))
                    })
                })
                .collect(),
        )
    }

    async fn finish(mut self) -> Result<Vec<(String, u64, String)>, Trouble> {
        let mut sums = Vec::new();
        for task in std::mem::take(&mut self.0) {
            sums.push(task.await.map_err(Trouble::again)?.map_err(Trouble::again)?);
        }
        Ok(sums)
    }
}

impl Drop for Hashes {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

fn sha256_of(path: &Path, size: u64) -> std::io::Result<String> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?.take(size);
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(crate::hex(hash.finish().as_ref()))
}
