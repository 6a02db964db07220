//! Writes pictures into an MP4 file (ISO/IEC 14496-12 and -15), byte for byte as they came, with the times that they came with.

use std::path::Path;

use domain::Timestamp;
use tokio::io::{AsyncSeekExt, AsyncWriteExt, BufWriter};

use super::depacketize::AccessUnit;
use super::sdp::Codec;
use crate::disk;

/// Ticks in a second.
const CLOCK: i64 = 90_000;
const HEAD: usize = 16;

/// A file that is being written. It is none until [`Mp4::finish`].
pub struct Mp4 {
    file: BufWriter<tokio::fs::File>,
    codec: Codec,
    configuration: Vec<u8>,
    samples: Vec<Sample>,
    size: u64,
}

#[derive(Clone, Copy)]
struct Sample {
    size: u32,
    at: Timestamp,
    key: bool,
}

/// When each sample is decoded and how much later it is shown, in ticks.
struct Times {
    /// From one sample's decoding to the next's; of the last, how long it is shown.
    steps: Vec<i64>,
    shown_later: Vec<i64>,
    /// The first picture is shown so long after the first is decoded.
    delay: i64,
    total: i64,
}

impl Mp4 {
    /// Begins a file; `configuration` is the content of `avcC` or `hvcC`.
    pub async fn create(path: &Path, codec: Codec, configuration: Vec<u8>) -> std::io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, tokio::fs::File::create(path).await?);
        file.write_all(&boxed(b"ftyp", b"isom\0\0\x02\0isomiso6mp41")).await?;
        file.write_all(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\0").await?; // how long it is, is known at the end
        Ok(Self { file, codec, configuration, samples: Vec::new(), size: 0 })
    }

    /// Adds the next picture, in the order of decoding.
    pub async fn push(&mut self, unit: &AccessUnit) -> std::io::Result<()> {
        let size = u32::try_from(unit.data.len()).map_err(std::io::Error::other)?;
        disk::room_for(self.file.get_ref(), u64::from(size))?;
        self.file.write_all(&unit.data).await?;
        self.samples.push(Sample { size, at: unit.at, key: unit.key });
        self.size += u64::from(size);
        Ok(())
    }

    /// Ends the file, and answers when the first picture was taken; none if there is none.
    pub async fn finish(mut self) -> std::io::Result<Option<Timestamp>> {
        let Some(first) = self.samples.iter().map(|sample| sample.at).min() else { return Ok(None) };
        let data_at = boxed(b"ftyp", &[0; 20]).len();
        let moov = self.moov(first, (data_at + HEAD) as u64);
        self.file.write_all(&moov).await?;
        self.file.seek(std::io::SeekFrom::Start(data_at as u64 + 8)).await?;
        self.file.write_all(&(self.size + HEAD as u64).to_be_bytes()).await?;
        self.file.flush().await?;
        Ok(Some(first))
    }

    fn moov(&self, first: Timestamp, data_at: u64) -> Vec<u8> {
        let times = times(&self.samples, first);
        let total = times.total.to_be_bytes();
        let identity = [1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30].map(u32::to_be_bytes).concat();
        let mvhd =
            [&zeros(16)[..], &clock(), &total, &[0, 1, 0, 0, 1, 0], &zeros(10), &identity, &zeros(24), &[0, 0, 0, 2]];
        let tkhd = [&zeros(16)[..], &[0, 0, 0, 1], &zeros(4), &total, &zeros(16), &identity, &zeros(8)];
        let edit = [&[0, 0, 0, 1][..], &total, &times.delay.to_be_bytes(), &[0, 1, 0, 0]];
        let mdhd = [&zeros(16)[..], &clock(), &total, &[0x55, 0xc4, 0, 0]];
        let hdlr = [&zeros(4)[..], b"vide", &zeros(12), b"\0"];
        let dref = [&[0, 0, 0, 1][..], &full(b"url ", 0, 1, &[])];
        let minf = [
            full(b"vmhd", 0, 1, &zeros(8)),
            boxed(b"dinf", &full(b"dref", 0, 0, &dref.concat())),
            boxed(b"stbl", &self.stbl(&times, data_at)),
        ];
        let mdia =
            [full(b"mdhd", 1, 0, &mdhd.concat()), full(b"hdlr", 0, 0, &hdlr.concat()), boxed(b"minf", &minf.concat())];
        let trak = [
            full(b"tkhd", 1, 3, &tkhd.concat()),
            boxed(b"edts", &full(b"elst", 1, 0, &edit.concat())),
            boxed(b"mdia", &mdia.concat()),
        ];
        boxed(b"moov", &[full(b"mvhd", 1, 0, &mvhd.concat()), boxed(b"trak", &trak.concat())].concat())
    }

    /// All samples lie in one chunk.
    fn stbl(&self, times: &Times, data_at: u64) -> Vec<u8> {
        let count = self.samples.len() as u32;
        let keys: Vec<u32> = (1..).zip(&self.samples).filter(|(_, s)| s.key).map(|(number, _)| number).collect();
        let sizes: Vec<u32> = [0, count].into_iter().chain(self.samples.iter().map(|sample| sample.size)).collect();
        [
            full(b"stsd", 0, 0, &[&[0, 0, 0, 1][..], &self.entry()].concat()),
            full(b"stts", 0, 0, &runs(&times.steps)),
            full(b"ctts", 0, 0, &runs(&times.shown_later)),
            full(b"stss", 0, 0, &numbers(std::iter::once(keys.len() as u32).chain(keys))),
            full(b"stsc", 0, 0, &numbers([1, 1, count, 1])),
            full(b"stsz", 0, 0, &numbers(sizes)),
            full(b"co64", 0, 0, &[&[0, 0, 0, 1][..], &data_at.to_be_bytes()].concat()),
        ]
        .concat()
    }

    /// `avc3` and `hev1`: parameter sets may stand among the pictures too, and stay there. Width and height are in them; whoever
    /// reads the file takes them from there.
    fn entry(&self) -> Vec<u8> {
        let (kind, within) = match self.codec {
            Codec::H264 => (b"avc3", b"avcC"),
            Codec::H265 => (b"hev1", b"hvcC"),
        };
        let resolution = [0, 72, 0, 0, 0, 72, 0, 0];
        let fixed =
            [&zeros(7)[..], &[1], &zeros(20), &resolution, &zeros(4), &[0, 1], &zeros(32), &[0, 24, 0xff, 0xff]];
        boxed(kind, &[&fixed.concat()[..], &boxed(within, &self.configuration)].concat())
    }
}

/// Times of decoding are not sent: they are the times of showing in order, as soon as no picture is shown before it is decoded.
fn times(samples: &[Sample], first: Timestamp) -> Times {
    let ticks = |sample: &Sample| ((sample.at.as_micros() - first.as_micros()) * CLOCK + 500_000) / 1_000_000;
    let shown: Vec<i64> = samples.iter().map(ticks).collect();
    let mut decoded = shown.clone();
    decoded.sort_unstable();
    for at in 1..decoded.len() {
        decoded[at] = decoded[at].max(decoded[at - 1] + 1);
    }
    let delay = decoded.iter().zip(&shown).map(|(decoded, shown)| decoded - shown).max().unwrap_or(0).max(0);
    let mut steps: Vec<i64> = decoded.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut usual = steps.clone();
    usual.sort_unstable();
    let last = usual.get(usual.len() / 2).copied().unwrap_or(CLOCK / 25);
    steps.push(last);
    let shown_later = decoded.iter().zip(&shown).map(|(decoded, shown)| shown - decoded + delay).collect();
    Times { steps, shown_later, delay, total: shown.iter().max().unwrap_or(&0) + last }
}

fn clock() -> [u8; 4] {
    (CLOCK as u32).to_be_bytes()
}

fn zeros(count: usize) -> Vec<u8> {
    vec![0; count]
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
}

fn full(kind: &[u8; 4], version: u8, flags: u8, content: &[u8]) -> Vec<u8> {
    boxed(kind, &[&[version, 0, 0, flags], content].concat())
}

fn numbers(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    numbers.into_iter().flat_map(u32::to_be_bytes).collect()
}

/// How many there are, and each as often as it repeats.
fn runs(values: &[i64]) -> Vec<u8> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for value in values {
        let value = u32::try_from(*value).unwrap_or(u32::MAX);
        match runs.last_mut() {
            Some((count, same)) if *same == value => *count += 1,
            _ => runs.push((1, value)),
        }
    }
    numbers(std::iter::once(runs.len() as u32).chain(runs.into_iter().flat_map(|(count, value)| [count, value])))
}
