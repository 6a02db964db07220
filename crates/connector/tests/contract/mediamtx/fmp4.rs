//! Segments as MediaMTX records them, and the files that its playback server makes of them, by the rules of its source
//! (`internal/playback/{segment_fmp4,muxer_fmp4}.go`): one video track, in a fragment for each second.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

/// Ticks of the track's clock in a second.
pub(super) const SCALE: i64 = 90_000;

/// A picture, times in ticks.
#[derive(Clone)]
struct Sample {
    /// Since the beginning of the segment.
    dts: i64,
    duration: i64,
    /// How much later it is shown.
    offset: i64,
    key: bool,
    data: Vec<u8>,
}

/// What is in a segment.
pub(super) struct Track {
    init: Vec<u8>,
    samples: Vec<Sample>,
}

impl Track {
    /// Of a film of the world. Where it begins with sound, its first picture is shown, and not decoded, so long after that.
    pub(super) fn of(film: &Path, sound: Duration) -> Self {
        let bytes = std::fs::read(film).unwrap();
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-select_streams", "v:0", "-show_packets", "-of", "json"])
            .arg(film)
            .output();
        let listed: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        let rows = listed["packets"].as_array().unwrap();
        let number = |name: &str| rows[0][name].as_i64().unwrap();
        let sound = sound.as_micros() as i64 * SCALE / 1_000_000;
        let first = if sound == 0 { number("dts") } else { number("pts") - sound };
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().parse::<usize>().unwrap();
        let sample = |row: &Value| {
            let dts = row["dts"].as_i64().unwrap();
            let at = text(row, "pos");
            Sample {
                dts: dts - first,
                duration: row["duration"].as_i64().unwrap(),
                offset: row["pts"].as_i64().unwrap() - dts,
                key: row["flags"].as_str().unwrap().starts_with('K'),
                data: bytes[at..at + text(row, "size")].to_vec(),
            }
        };
        Self { init: init(film), samples: rows.iter().map(sample).collect() }
    }

    /// In ticks.
    pub(super) fn duration(&self) -> i64 {
        self.samples.last().map_or(0, |last| last.dts + last.duration)
    }

    /// How long its pictures last.
    pub(super) fn pictures(&self) -> i64 {
        self.duration() - self.samples.first().map_or(0, |first| first.dts)
    }
}

/// The boxes before the first fragment.
fn init(film: &Path) -> Vec<u8> {
    let mut bytes = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(film)
        .args(["-c", "copy", "-t", "0.1", "-video_track_timescale", "90000", "-use_editlist", "0"])
        .args(["-movflags", "empty_moov+default_base_moof+frag_keyframe", "-f", "mp4", "pipe:"])
        .output()
        .unwrap()
        .stdout;
    let mut end = 0;
    while &bytes[end + 4..end + 8] != b"moof" {
        end += u32::from_be_bytes(bytes[end..end + 4].try_into().unwrap()) as usize;
    }
    bytes.truncate(end);
    bytes
}

/// `muxerFMP4`.
#[derive(Default)]
pub(super) struct Muxer {
    out: Vec<u8>,
    sequence: u32,
    /// Of the first sample that waits, once one was at or after the start.
    base: Option<i64>,
    last: i64,
    samples: Vec<Sample>,
}

impl Muxer {
    /// `segmentFMP4MuxParts`: takes what of a track, which begins at `begins`, comes before `until`, counted from the start.
    pub(super) fn take(&mut self, track: &Track, begins: i64, until: i64) {
        if self.out.is_empty() {
            self.out.clone_from(&track.init);
        }
        for sample in &track.samples {
            let dts = begins + sample.dts;
            if dts >= until {
                break;
            }
            self.write(sample.clone(), dts);
            self.finish(dts + sample.duration);
        }
    }

    fn write(&mut self, sample: Sample, dts: i64) {
        if dts < 0 {
            // what is needed to show the first one, without length
            if sample.key {
                self.samples.clear();
            }
            self.samples.push(Sample { duration: 0, ..sample });
            return;
        }
        match self.base {
            None => {
                self.base = Some(dts);
                if sample.key {
                    self.samples.clear();
                }
            }
            Some(_) => self.samples.last_mut().unwrap().duration = (dts - self.last).max(0),
        }
        self.samples.push(sample);
        self.last = dts;
        if dts - self.base.unwrap() >= SCALE {
            let last = self.samples.pop().unwrap();
            self.flush();
            self.samples = vec![last];
            self.base = Some(dts);
        }
    }

    /// `writeFinalDTS`.
    fn finish(&mut self, dts: i64) {
        if let (Some(last), Some(_)) = (self.samples.last_mut(), self.base) {
            last.duration = (dts - self.last).max(0);
        }
    }

    /// The file; none if there is nothing at or after the start.
    pub(super) fn file(mut self) -> Option<Vec<u8>> {
        self.base?;
        self.flush();
        Some(self.out)
    }

    fn flush(&mut self) {
        let number = |number: i64| u32::try_from(number).unwrap().to_be_bytes();
        let mut runs = Vec::new();
        for sample in &self.samples {
            runs.extend(number(sample.duration));
            runs.extend(number(sample.data.len() as i64));
            runs.extend(if sample.key { [0; 4] } else { (1_u32 << 16).to_be_bytes() });
            runs.extend(i32::try_from(sample.offset).unwrap().to_be_bytes());
        }
        let base = self.base.unwrap().to_be_bytes();
        let fragment = |data_at: u32| {
            let count = number(self.samples.len() as i64);
            let run = boxed(b"trun", &[&[1, 0, 0x0f, 1], &count, &data_at.to_be_bytes(), &runs]);
            let header = boxed(b"tfhd", &[&[0, 2, 0, 0], &1_u32.to_be_bytes()]);
            let time = boxed(b"tfdt", &[&[1, 0, 0, 0], &base]);
            let sequence = boxed(b"mfhd", &[&[0; 4], &self.sequence.to_be_bytes()]);
            boxed(b"moof", &[&sequence, &boxed(b"traf", &[&header, &time, &run])])
        };
        let data_at = fragment(0).len() as u32 + 8;
        let data: Vec<&[u8]> = self.samples.iter().map(|sample| sample.data.as_slice()).collect();
        self.out.extend(fragment(data_at));
        self.out.extend(boxed(b"mdat", &data));
        self.sequence += 1;
    }
}

fn boxed(kind: &[u8; 4], content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, &content].concat()
}
